"""How fast the gate is: its time per work beside that of the steps it cannot do without.

A house of synthetic works is made in a temporary folder with keys that are thrown away. The
floor is what any honest gate has to do: read the file, hash it, verify two Ed25519 signatures,
walk the music strictly. Both are processor time, which a busy machine does not stretch. Memory
is what the process that runs the gate has gained while it holds the whole result.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import alone

WORKS = 2_000
BATCH = 500


def run(args: Any) -> dict[str, Any]:
    """Time the gate on `args.works` synthetic works (2,000 by default).

    Returns:
        works, file_bytes, seconds to accept, milliseconds per work of the gate and of its
        floor, their ratio, bytes of memory per work, seconds of `contribute.py --help` and
        `house.py --help`.
    """
    count = int(getattr(args, "works", None) or WORKS)
    with tempfile.TemporaryDirectory() as folder:
        house, accept_seconds = make_house(Path(folder) / "house", count)
        floor = _floor_seconds(house)
        gate, admitted, grown = alone(_gate_seconds, house)
        size = sum(path.stat().st_size for path in house.folder.glob("*/*.mid"))
    return {
        "works": admitted,
        "bytes_per_file": size // count,
        "accept_ms_per_work": round(1000 * accept_seconds / count, 3),
        "gate_ms_per_work": round(1000 * gate / count, 3),
        "floor_ms_per_work": round(1000 * floor / count, 3),
        "ratio_to_floor": round(gate / floor, 3),
        "memory_bytes_per_work": grown // count,
        "contribute_help_s": _help_seconds("contribute.py"),
        "house_help_s": _help_seconds("house.py"),
    }


def make_house(folder: Path, count: int, keys: Any = None) -> tuple[Any, float]:
    from gen.provenance.admission.inbox import Contribution, submit
    from gen.provenance.desk.works import accept
    from gen.provenance.houses.founding import create_house
    from gen.provenance.records.roster import Person, PersonKey
    from gen.provenance.signing.keys import PrivateKey

    root, composer, curator = keys or [PrivateKey.generate() for _ in range(3)]
    people = [
        Person("ana", "Ana", ("composer",), (PersonKey(composer.public, 0),)),
        Person("cleo", "Cleo", ("curator",), (PersonKey(curator.public, 0),)),
    ]
    house = create_house(folder, "bench", [root], pin_path=None, people=people)
    identity = house.load().roster.identity
    seconds = 0.0
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        files = [Contribution(study(n, _piece(n), composer, identity)) for n in numbers]
        submit(house, files)
        begin = time.perf_counter()
        house = accept(house, None, curator).house
        seconds += time.perf_counter() - begin
    return house, seconds


def study(number: int, piece: Any, composer: Any, house: str) -> bytes:
    """A piece as a work that ana signed with the key `composer`, for a house of this identity."""
    from gen.provenance.records.consent import Consent
    from gen.provenance.records.statement import Description, Statement, make_work_id
    from gen.provenance.records.tag import sign_contribution
    from gen.provenance.signing.canonical import sha256_hex
    from gen.smf import musical_hash, parse, write

    midi = write(piece)
    title = f"Study {number}"
    statement = Statement(
        work=make_work_id(title, sha256_hex(midi)),
        composers=(("ana", 100),),
        method="programmed",
        consent=Consent.parse("general_model evaluation"),
        musical_hash=musical_hash(parse(midi)),
        description=Description(title=title, genre="waltz", mood="calm", key="C"),
        house=house,
    )
    return sign_contribution(midi, statement, composer)


def _piece(number: int) -> Any:
    """32 bars for four players, about 700 notes: the size of a short finished work."""
    from gen.piece import Note, Piece, Tempo, TimeSignature, Track

    chance = random.Random(number)  # noqa: S311 - music, not secrets
    lines = [
        [
            Note(i * 480 // 2, 220, low + chance.choice((0, 2, 4, 5, 7, 9, 11)), 64 + i % 40)
            for i in range(0, 256, step)
        ]
        for low, step in ((72, 1), (60, 1), (48, 2), (36, 4))
    ]
    programs = (73, 0, 48, 32)
    tracks = [Track(f"part {n}", p, False, None, lines[n]) for n, p in enumerate(programs)]
    return Piece(480, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def _floor_seconds(house: Any) -> float:
    from gen.provenance.records.tag import read_tag
    from gen.provenance.signing.canonical import sha256_hex
    from gen.provenance.signing.dsse import is_signed_by
    from gen.smf import parse

    owners = house.load().roster.owners
    seconds = 0.0
    for path in sorted(house.folder.glob("*/*.mid")):
        tagged = read_tag(path.read_bytes())  # untimed: the floor knows where the tag is
        envelope = tagged.envelope
        begin = time.process_time()
        data = path.read_bytes()
        sha256_hex(data)
        for signature in envelope.signatures:
            public = owners[signature.keyid][1].public
            if not is_signed_by(signature, public, envelope.payload_type, envelope.payload):
                raise AssertionError(path)
        parse(tagged.music)
        seconds += time.process_time() - begin
    return seconds


def _gate_seconds(house: Any) -> tuple[float, int, int]:
    """Seconds, admitted works and growth of memory of a process that has done nothing else."""
    from gen.provenance.admission.gate import admit

    house.load()  # imports and caches are no work's memory
    before = resident_bytes()
    begin = time.process_time()
    corpus = admit(house.folder, "general_model", pin=house.pin).require_clean()
    seconds = time.process_time() - begin
    return seconds, len(corpus.admitted), max(resident_bytes() - before, 0)


def resident_bytes() -> int:
    """Memory of this process; 0 where the platform does not tell.

    Not `ru_maxrss`: on Linux a child inherits its parent's peak.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _help_seconds(script: str) -> float:
    """The best of three starts."""
    path = Path(__file__).parents[1] / script
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        subprocess.run([sys.executable, path, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return round(min(times), 3)
