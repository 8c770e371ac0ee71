"""How surely the watermark is found in pieces after what people do to them, and never elsewhere.

New pieces are written with a key and, seed for seed, without it. Those with it are re-saved by
other programs (music21 and MuseScore where they are installed), transposed, trimmed, played at
another tempo, given to other instruments, and a tenth of their notes is changed; each is then
looked for. So are the works of the house and pieces that code made without the key. What the two
sets of pieces cost the model, in bits a note, is compared. A piece follows from its number, so that
a long measurement can be done in parts: `--pieces 50 --first 150` are the last 50 of 200.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen.piece import Note, Piece

GENRES = ("waltz", "rock", "piano_miniature", "lofi", "chorale", "jazz_swing", "funk",
          "pop_ballad", "cinematic", "ambient", "house", "march")  # fmt: skip
CHANGED = 0.1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py marks`."""
    add = parser.add_argument
    add("--pieces", type=int, default=200, help="pieces with, and as many without the key")
    add("--strangers", type=int, default=10_000, help="pieces by code, without the key")
    add("--first", type=int, default=0, help="number of the first of either")
    add("--works", action=argparse.BooleanOptionalAction, default=True, help="the house's, too")
    add("--bars", type=int, default=32)
    add("--checkpoint", default="last")
    add("--pin", default="conf/house/starter.yaml")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Write, change, look for, compare."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOUSE_KEYS"] = folder  # a key of this measurement alone
        from gen.marks.watermark_keys import make_key
        from gen.provenance.records.pin import load_pin

        key, _ = make_key(load_pin(Path(args.pin)).name)
        keyed, plain = _written(args, Path(folder))
        found = [
            _detected(name, [change(piece, _chance(name, args.first + number))
                             for number, (piece, _) in enumerate(keyed)], key.secret)
            for name, change in CHANGES.items()
        ]  # fmt: skip
        elsewhere = [
            _detected("the same seeds without the key", (p for p, _ in plain), key.secret),
            _detected("works of the house", _works(args.pin) if args.works else (), key.secret),
            _detected("by code", map(_stranger, _numbers(args, args.strangers)), key.secret),
        ]
    return {
        "found": list(filter(None, found)), "found_elsewhere": list(filter(None, elsewhere)),
        "bits_a_note": _bits(keyed, plain, args.checkpoint) if keyed else {},
        "seconds_a_piece": {name: sum(s for _, s in some) / len(some)
                            for name, some in (("with", keyed), ("without", plain)) if some},
    }  # fmt: skip


def _numbers(args: argparse.Namespace, count: int) -> range:
    return range(args.first, args.first + count)


def _chance(what: str, number: int) -> random.Random:
    """What is done to the piece of that number, by chance of its own."""
    return random.Random(f"{what} {number}")  # noqa: S311 - what is done to music, no secret


Timed = list[tuple["Piece", float]]


def _written(args: argparse.Namespace, folder: Path) -> tuple[Timed, Timed]:
    """Pieces with and without the key, by equal seeds, and processor seconds each took."""
    import yaml

    from gen.sampling.opening.opened_model import Opened
    from gen.sampling.request import SampleRequest
    from gen.sampling.session import open_session

    base = yaml.safe_load(Path("conf/sample.yaml").read_text("utf-8"))
    base = {name: value for name, value in base.items() if name not in ("defaults", "hydra")}
    asked = {"originality": "off", "sign": "off", "audio": False, "n": 1, "bars": args.bars,
             "checkpoint": args.checkpoint, "pin": args.pin,
             "out": str(folder / "out")}  # fmt: skip
    opened, results = None, {"auto": Timed(), "off": Timed()}
    for number in _numbers(args, args.pieces):
        for watermark, pieces in results.items():
            settings = {**base, **asked, "genre": GENRES[number % len(GENRES)],
                        "seed": number, "watermark": watermark}  # fmt: skip
            request = SampleRequest.of(settings)
            opened = opened or Opened.of(request)
            session, takes, start = open_session(request, opened=opened), [], time.process_time()
            session.write([0], takes.append, 0)
            pieces.append((takes[0].piece, time.process_time() - start))
    return results["auto"], results["off"]


def _detected(name: str, pieces: Iterable[Piece], secret: bytes) -> dict[str, Any]:
    from gen.marks.evidence import evidence

    if not (found := [evidence(piece, secret) for piece in pieces]):
        return {}
    powers = sorted(each.powers for each in found)
    return {
        "pieces": name, "looked at": len(found), "found": sum(each.is_sure for each in found),
        "least powers of ten": powers[0], "median": powers[len(powers) // 2], "most": powers[-1],
    }  # fmt: skip


# What people do to pieces ---------------------------------------------------------------


def _each_note(piece: Piece, change: Callable[[Note], Note | None], *, drums: bool) -> Piece:
    tracks = [
        replace(t, notes=sorted(n for note in t.notes if (n := change(note)) is not None))
        if drums or not t.is_drum
        else t
        for t in piece.tracks
    ]
    return replace(piece, tracks=tracks)


def _transposed(piece: Piece, rng: random.Random) -> Piece:
    by = rng.choice([n for n in range(-6, 7) if n])
    return _each_note(
        piece, lambda n: replace(n, pitch=min(max(n.pitch + by, 0), 127)), drums=False
    )


def _faster(piece: Piece, rng: random.Random) -> Piece:
    factor = rng.uniform(0.5, 2)
    tempos = [
        replace(t, microseconds_per_quarter=round(t.microseconds_per_quarter * factor))
        for t in piece.tempos
    ]
    return replace(piece, tempos=tempos)


def _a_tenth_changed(piece: Piece, rng: random.Random) -> Piece:
    """A tenth of the notes gone, or given another pitch, another loudness, or both."""

    def change(note: Note) -> Note | None:
        if rng.random() >= CHANGED:
            return note
        kind = rng.randrange(4)
        if kind == 3:
            return None
        pitch = min(max(note.pitch + rng.choice((-4, -2, -1, 1, 2, 3)), 0), 127)
        velocity = min(max(note.velocity + rng.randrange(-25, 26), 1), 127)
        return replace(note, pitch=pitch if kind != 1 else note.pitch,
                       velocity=velocity if kind != 0 else note.velocity)  # fmt: skip

    return _apart(_each_note(piece, change, drums=True))


def _apart(piece: Piece) -> Piece:
    """The piece without notes that begin while their pitch sounds, which a file cannot hold."""
    tracks = []
    for track in piece.tracks:
        ends, notes = dict[int, int](), []
        for note in track.notes:
            if ends.get(note.pitch, 0) <= note.onset_ticks:
                ends[note.pitch] = note.end_ticks
                notes.append(note)
        tracks.append(replace(track, notes=notes))
    return replace(piece, tracks=tracks)


def _trimmed(piece: Piece, _: random.Random) -> Piece:
    """The piece without its first two bars."""
    gone = next((tick for tick, _ in list(piece.bar_starts())[2:3]), 0)
    tracks = [
        replace(t, notes=[replace(n, onset_ticks=n.onset_ticks - gone) for n in t.notes
                          if n.onset_ticks >= gone])
        for t in piece.tracks
    ]  # fmt: skip
    return replace(piece, tracks=tracks)


def _by_others(piece: Piece, rng: random.Random) -> Piece:
    programs = [replace(track, program=rng.randrange(0, 96)) for track in piece.tracks]
    return replace(piece, tracks=programs)


def _through(save: Callable[[bytes], bytes]) -> Callable[[Piece, random.Random], Piece]:
    """Written, loaded and saved by another program, and read again."""

    def changed(piece: Piece, _: random.Random) -> Piece:
        from gen.smf import normalise, write

        return normalise(save(write(piece))).piece

    return changed


def _mido(data: bytes) -> bytes:
    import mido

    buffer = io.BytesIO()
    mido.MidiFile(file=io.BytesIO(data)).save(file=buffer)
    return buffer.getvalue()


def _pretty_midi(data: bytes) -> bytes:
    import pretty_midi

    buffer = io.BytesIO()
    pretty_midi.PrettyMIDI(io.BytesIO(data)).write(buffer)
    return buffer.getvalue()


def _symusic(data: bytes) -> bytes:
    import symusic

    return bytes(symusic.Score.from_midi(data).dumps_midi())


def _music21(data: bytes) -> bytes:
    from music21 import converter, midi

    score = converter.parse(data, format="midi", quantizePost=False)
    return bytes(midi.translate.streamToMidiFile(score).writestr())


def _musescore(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        taken, given = Path(name) / "taken.mid", Path(name) / "given.mid"
        taken.write_bytes(data)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        subprocess.run(
            [MUSESCORE or "", "-o", given, taken], env=environment, check=True, capture_output=True
        )
        return given.read_bytes()


def _all(piece: Piece, rng: random.Random) -> Piece:
    return _through(_pretty_midi)(_a_tenth_changed(_faster(_transposed(piece, rng), rng), rng), rng)


CHANGES: dict[str, Callable[[Piece, random.Random], Piece]] = {
    "as they are": lambda piece, _: piece,
    "re-saved by mido": _through(_mido),
    "re-saved by pretty_midi": _through(_pretty_midi),
    "re-saved by symusic": _through(_symusic),
    "transposed": _transposed,
    "at another tempo": _faster,
    "by other instruments": _by_others,
    "without the first two bars": _trimmed,
    "a tenth of the notes changed": _a_tenth_changed,
    "transposed, faster or slower, a tenth changed, re-saved by pretty_midi": _all,
}
try:
    import music21  # noqa: F401
except ImportError:
    pass
else:
    CHANGES["re-saved by music21"] = _through(_music21)
MUSESCORE = next(filter(None, map(shutil.which, ("mscore", "mscore3", "musescore"))), None)
if MUSESCORE:
    CHANGES["re-saved by MuseScore"] = _through(_musescore)


# Music without the key ------------------------------------------------------------------


def _works(pin: str) -> list[Piece]:
    from gen.provenance.admission.gate import admit
    from gen.provenance.records.pin import load_pin

    found, trusted = list["Piece"](), load_pin(Path(pin))
    admit(trusted.dir, "evaluation", pin=trusted, receive=lambda _, read: found.append(read()))
    return found


def _stranger(number: int) -> Piece:
    """Walks over scales and patterns of drums, with loops, as loud as people and machines are."""
    from gen.piece import Note, Piece, Tempo, TimeSignature, Track

    rng, tracks = _chance("by code", number), []
    for slot in range(rng.randrange(1, 5)):
        is_drum = slot == 3
        pitch, level, notes = 60, rng.randrange(40, 110), list[Note]()
        spread, length = rng.choice((0, 4, 12)), rng.choice((120, 240, 240, 480))
        steps = (-5, -3, -2, -1, 0, 1, 2, 2, 4, 5)
        loop = [rng.choice(steps) for _ in range(rng.choice((8, 16, 128)))]
        for number in range(128):
            pitch = min(max(pitch + loop[number % len(loop)], 40), 90)
            velocity = min(max(level + rng.randint(-spread, spread), 1), 127)
            name = 36 + pitch % 12 if is_drum else pitch
            notes.append(Note(number * length, length - 10, name, velocity))
        tracks.append(Track(program=slot * 8, is_drum=is_drum, notes=notes))
    return Piece(480, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


# Bits a note ----------------------------------------------------------------------------


def _bits(keyed: Timed, plain: Timed, checkpoint: str) -> dict[str, Any]:
    """Bits a note that the pieces of either set cost the model, and their difference."""
    import math
    import statistics

    import numpy as np
    import torch

    from gen.checkpoint import load_checkpoint
    from gen.data.windows import TokenisedWork
    from gen.evaluation.bits import event_bits
    from gen.sampling.opening.checkpoints import find_checkpoint
    from gen.tokens.encoding import encode
    from gen.tokens.grid import to_grid
    from gen.tokens.score import score_of

    model = load_checkpoint(find_checkpoint(checkpoint)).model
    found = []
    for pieces in (keyed, plain):
        works = [TokenisedWork.of(encode(to_grid(score_of(piece)))).bare() for piece, _ in pieces]
        with torch.inference_mode():
            bits = event_bits(model, works, model.config.context)
        found.append([float(np.sum(b)) / w.notes for b, w in zip(bits, works, strict=True)])
    differences = [one - other for one, other in zip(*found, strict=True)]
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if differences[1:] else 0.0
    return {"with": statistics.fmean(found[0]), "without": statistics.fmean(found[1]),
            "difference": statistics.fmean(differences), "its standard error": error,
            "each": differences}  # fmt: skip
