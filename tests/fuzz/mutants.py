"""A mutation fuzzer for MIDI: builds valid files, corrupts them, asks every reader.

    python tests/fuzz/mutants.py COUNT [SEED]

For each mutant: the strict walker either refuses by a rule or admits; what it admits symusic
and mido hear alike. The normaliser either refuses by a rule or makes a file that they hear
alike. Prints one JSON line: counts, the slowest mutant, peak memory; exits 1 at the first
mutant that breaks a promise, after writing its bytes in hex.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.smf import RuleBroken, normalise, parse, write
from midi_files import HeardNote, heard_by_mido, heard_by_symusic, heard_in

MAX_SECONDS = 2.0
_INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0x90, 0x99, 0xB0, 0xC0, 0xE0, 0xF0, 0xF7, 0xFE, 0xFF)
_EVENTS = tuple(
    bytes.fromhex(text)
    for text in (
        "00 90 3c 40", "00 80 3c 40", "00 3c 00", "00 c0 05", "00 b0 40 7f", "00 e0 00 40",
        "00 d0 40", "00 a0 3c 40", "ff ff ff 7f b0 07 40", "00 f0 03 01 02 f7", "00 ff 2f 00",
        "00 ff 51 03 07 a1 20", "00 ff 51 03 00 00 00", "00 ff 58 04 04 02 18 08",
        "00 ff 59 02 00 00", "00 ff 00 02 00 01", "00 ff 54 05 60 00 00 00 00",
        "00 ff 03 02 83 41", "00 ff 06 01 41", "00 ff 20 01 00", "00 ff 21 01 00",
        "00 ff 7f 01 00", "00 ff 4b 00",
    )
)  # fmt: skip


def make_valid(rng: random.Random) -> bytes:
    """A small strict file."""
    unit = rng.choice((24, 96, 480, 960))
    piece = Piece(unit, tempos=[Tempo(0, 500_000)], time_signatures=[TimeSignature(0, 4, 4)])
    if rng.random() < 0.5:
        piece.key_signatures.append(KeySignature(0, rng.randint(-7, 7), False))
        piece.markers.append(Marker(unit, "A"))
    for _ in range(rng.randint(1, 3)):
        piece.tracks.append(_make_track(rng, unit))
    data = write(piece)
    return _as_running_status(data) if rng.random() < 0.3 else data


def _make_track(rng: random.Random, unit: int) -> Track:
    is_drum = rng.random() < 0.25
    track = Track("t", 0 if is_drum else rng.randint(0, 127), is_drum)
    tick = 0
    for _ in range(rng.randint(1, 12)):
        tick += rng.randint(0, unit)
        length = rng.randint(1, unit)
        track.notes.append(Note(tick, length, rng.randint(0, 127), rng.randint(1, 127)))
        tick += length if rng.random() < 0.7 else 0
    by_pitch = {(n.onset_ticks, n.pitch): n for n in track.notes}
    track.notes = _without_overlaps(sorted(by_pitch.values()))
    if rng.random() < 0.3:
        track.pedals.append(Pedal(0, unit))
    return track


def _without_overlaps(notes: list[Note]) -> list[Note]:
    kept: list[Note] = []
    for note in notes:
        if all(k.pitch != note.pitch or k.end_ticks <= note.onset_ticks for k in kept):
            kept.append(note)
    return kept


def _as_running_status(data: bytes) -> bytes:
    """The same file with note-offs as note-ons of velocity 0 and repeated statuses left out."""
    from gen.smf import split_chunks
    from gen.smf.lenient import read_leniently
    from midi_files import chunk, event

    spans = split_chunks(data).track_spans
    bodies = [data[slice(*spans[0])]]
    for track in read_leniently(data).tracks[1:]:
        body, last, status = b"", 0, 0
        notes = [event for events in track.notes.values() for event in events]
        ordered = sorted([*track.setups, *notes], key=lambda timed: timed[0])
        for tick, kind, first, second in ordered:
            if kind & 0xF0 == 0x80:
                kind, second = 0x90 | kind & 15, 0
            values = (first,) if kind & 0xE0 == 0xC0 else (first, second)
            body += event(tick - last, *(() if kind == status else (kind,)), *values)
            last, status = tick, kind
        bodies.append(body + b"\x00\xff\x2f\x00")
    return data[:14] + b"".join(chunk(b"MTrk", body) for body in bodies)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """One to four corruptions."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(_MUTATIONS)(rng, data) or data
    return data


def _flip_bit(rng: random.Random, data: bytes) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes((data[place] ^ 1 << rng.randrange(8),)) + data[place + 1 :]


def _set_byte(rng: random.Random, data: bytes) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes((rng.choice(_INTERESTING),)) + data[place + 1 :]


def _cut(rng: random.Random, data: bytes) -> bytes:
    first = rng.randrange(len(data))
    return data[:first] + data[first + rng.randint(1, 8) :]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    first = rng.randrange(len(data))
    return data[:first] + data[first : first + rng.randint(1, 40)] + data[first:]


def _append(rng: random.Random, data: bytes) -> bytes:
    return data + rng.choice((b"\x00", b"HPRV\x00\x00\x00\x01{", b"XFIH\x00\x00\x00\x00", b"MTrk"))


def _change_header(rng: random.Random, data: bytes) -> bytes:
    place = rng.choice((9, 11, 12, 13))
    return data[:place] + bytes((rng.randrange(256),)) + data[place + 1 :]


def _in_a_track(change: Callable[[random.Random, bytes], bytes]) -> Callable[..., bytes]:
    """The change made inside one track chunk, whose length is set right again."""

    def mutation(rng: random.Random, data: bytes) -> bytes:
        starts = [i for i in range(len(data) - 8) if data.startswith(b"MTrk", i)]
        if not starts:
            return data
        start = rng.choice(starts)
        end = min(start + 8 + int.from_bytes(data[start + 4 : start + 8], "big"), len(data))
        if end - start < 9:
            return data
        body = change(rng, data[start + 8 : end])
        return data[: start + 4] + len(body).to_bytes(4, "big") + body + data[end:]

    return mutation


def _insert_event(rng: random.Random, body: bytes) -> bytes:
    place = rng.randrange(len(body))
    return body[:place] + rng.choice(_EVENTS) + body[place:]


def _swap_deltas(rng: random.Random, body: bytes) -> bytes:
    """A zero delta becomes a long one, or the other way round."""
    place = rng.randrange(len(body))
    return (
        body[:place]
        + rng.choice((b"\x00", b"\x81\x00", b"\xff\x7f", b"\x8f\xff\x7f"))
        + body[place + 1 :]
    )


_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip_bit, _set_byte, _cut, _truncate, _repeat, _append, _change_header,
    _in_a_track(_flip_bit), _in_a_track(_set_byte), _in_a_track(_cut), _in_a_track(_repeat),
    _in_a_track(_insert_event), _in_a_track(_insert_event), _in_a_track(_swap_deltas),
)  # fmt: skip


def examine(data: bytes) -> tuple[str, str]:
    """What walker and normaliser say: a rule, "admitted" or "normalised".

    Raises:
        AssertionError: the readers hear different notes.
    """
    try:
        check_agreement(data, heard_in(parse(data)))
        walked = "admitted"
    except RuleBroken as error:
        walked = error.rule
    try:
        normalised = normalise(data)
    except RuleBroken as error:
        assert walked != "admitted", "the walker admits what the normaliser refuses"
        return walked, error.rule
    check_agreement(normalised.data, heard_in(normalised.piece))
    if walked == "admitted":
        _check_unchanged(parse(data), normalised.piece, normalised.changes)
    return walked, "normalised"


def _check_unchanged(before: Piece, after: Piece, changes: Sequence[str]) -> None:
    """A strict file's notes stay, whatever the units of their times.

    Programs only change where another track sent them, drums where a bank makes them.
    """
    by_bank = any("makes drums" in change for change in changes)

    def kept(piece: Piece, unit: int) -> list[tuple[object, ...]]:
        return sorted(
            (onset * unit, length * unit, *sound, program if not changes else 0,
             is_drum and not by_bank)
            for onset, length, *sound, program, is_drum in heard_in(piece)
        )  # fmt: skip

    units = before.ticks_per_quarter, after.ticks_per_quarter
    assert kept(before, units[1]) == kept(after, units[0]), "normalising changed notes"


def check_agreement(data: bytes, heard: list[HeardNote]) -> None:
    """Compare with symusic and mido."""
    assert heard_by_mido(data) == heard, "mido hears other notes"
    assert heard_by_symusic(data) == heard, "symusic hears other notes"


def run(count: int, seed: int) -> dict[str, object]:
    """Examine `count` mutants.

    Raises:
        SystemExit: a promise is broken; the mutant is in the message.
    """
    rng = random.Random(seed)  # noqa: S311 - chance, no secret
    counts: Counter[str] = Counter()
    slowest = 0.0
    for number in range(count):
        data = mutate(rng, make_valid(rng))
        begun = time.process_time()
        try:
            walked, mended = examine(data)
        except BaseException as error:
            sys.exit(
                f"mutant {number} of seed {seed}: {type(error).__name__}: {error}\n{data.hex()}"
            )
        took = time.process_time() - begun
        slowest = max(slowest, took)
        if took > MAX_SECONDS:
            sys.exit(f"mutant {number} of seed {seed} took {took:.1f} s\n{data.hex()}")
        counts["mutants"] += 1
        counts[f"walker: {walked}"] += 1
        counts[f"normaliser: {mended}"] += 1
    return {"counts": dict(sorted(counts.items())), "slowest_seconds": round(slowest, 3),
            "peak_mebibytes": peak_mebibytes()}  # fmt: skip


def peak_mebibytes() -> int | None:
    """The most memory this process held; None where the platform does not say.

    Not `ru_maxrss` where it can be helped: on Linux a child inherits its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) // 1024
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
