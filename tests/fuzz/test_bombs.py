"""Small files that ask for much: each refused quickly, or harmless."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen.smf import RuleBroken, normalise, parse
from midi_files import END, chunk, event, header, meta, note, smf

HALF_MILLION_NOTES = (b"\x00\x90\x3c\x40" + b"\x01\x3c\x00\x00\x3c\x40" * 500_000)[:4_000_000]

BOMBS = {
    "delta past 2^28 ticks": smf(note(delta=0x0FFFFFFF) * 3, division=24),
    "ticks past 2^31": smf(b"".join(event(0x0FFFFFFF, 0xB0, 7, 1) for _ in range(9))),
    "one quarter per 24 ticks, for ever": smf(note(delta=0x0FFFFFF0), division=24),
    "half a million notes": smf(HALF_MILLION_NOTES),
    "a text of four megabytes": smf(meta(0, 0x01, b"x" * 4_000_000)),
    "a length of 2^28": header(1) + chunk(b"MTrk", b"\x00\xff\x01\xff\xff\xff\x7f"),
    "a track length of 2^32": header(1) + b"MTrk\xff\xff\xff\xff" + END,
    "65,535 tracks declared": header(65_535) + chunk(b"MTrk", END),
    "65,535 empty tracks": header(65_535) + chunk(b"MTrk", END) * 65_535,
    "fifty thousand meters": smf(meta(1, 0x58, b"\x01\x06\x18\x08") * 50_000, division=9600),
    "fifty thousand markers": smf(meta(1, 0x06, b"m") * 50_000 + note()),
    "five megabytes": b"MThd" + bytes(5_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("read", [parse, normalise])
def test_no_small_file_takes_long_to_refuse_or_read(name: str, read) -> None:
    begun = time.process_time()
    with contextlib.suppress(RuleBroken):
        read(BOMBS[name])
    assert time.process_time() - begun < 2


def test_the_largest_bombs_stay_under_256_mebibytes() -> None:
    program = """
import sys
sys.path[:0] = [sys.argv[1] + "/fuzz", sys.argv[1]]
from mutants import peak_mebibytes
from test_bombs import BOMBS
from gen.smf import RuleBroken, normalise, parse
for data in BOMBS.values():
    for read in (parse, normalise):
        try:
            read(data)
        except RuleBroken:
            pass
print(peak_mebibytes())
"""
    folder = str(Path(__file__).parents[1])
    found = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "None" or int(found.stdout) < 256
