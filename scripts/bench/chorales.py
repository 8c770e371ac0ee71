"""Four-voice chorales on the sixteenth grid, in the unit of papers: nats a voice and sixteenth.

The file is brought by whoever measures: JSON with `train`, `valid` and `test`, each a list of
chorales, a chorale a list of sixteenths, each of four MIDI pitches from soprano to bass; -1, null
or NaN is a silent voice. Nothing that is learned here is kept: such music is no work of a house.

Such files do not tell a note that is held from one that is struck again. So equal pitches in a row
are one note, and chorale and notes say the same: the negative log-likelihood of all its events
(bars, tracks, lengths, rests and the end among them), over four times its sixteenths, is that of
its grid, or above it. Published figures are means over such a grid, written as one sequence with a
token for each voice and sixteenth; often of `valid`, by which those models were chosen.

Source: Boulanger-Lewandowski et al. 2012, arXiv:1206.6392 (the split); Huang et al. 2018,
arXiv:1809.04281 (the grid as one sequence).
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.options import above_0, add_shared, count
from gen.disk.reading import MEBIBYTE, FileKind, read_json
from gen.errors import HouseError
from gen.piece import Note, Piece, Tempo, TimeSignature, Track

SIDES = ("train", "valid", "test")
VOICES = ("soprano", "alto", "tenor", "bass")
CHOIR = 52  # voice aahs
TICKS = 120  # a sixteenth
QUARTER = 4 * TICKS
SETTINGS = (
    "model=tiny", "model.dropout=0.2", "model.context=512", "data.training_window=512",
    "data.batch_size=8", "data.augment.infill=0", "data.augment.tempo=0",
    "data.augment.velocity=0", "data.augment.fresh=0.5", "optimizer.weight_decay=0.4",
)  # fmt: skip
"""As fixed for this comparison; `--set` changes one."""

_FILE = FileKind(
    "file of chorales", 256 * MEBIBYTE,
    'JSON as {"train": [[[60, 55, 52, 48], …], …], "valid": …, "test": …}, a list of four '
    "pitches a sixteenth",
)  # fmt: skip

Step = tuple[int, ...]
"""The pitches that sound in one sixteenth, -1 for none."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_shared(parser)
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="FILE", help="the chorales, as JSON")
    add("--minutes", type=above_0, default=24.0, help="of training")
    add("--steps", type=count, help="train so many steps in place of minutes")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train on one side, count the nats of the others."""
    from bench.corpus import BenchWork, settings_of
    from bench.ours import Ours
    from gen.tokens.encoding import Annotations
    from gen.tokens.tokenizer import HouseTokenizer
    from gen.tokens.vocabulary import FIELDS

    sides, tokenizer = read_chorales(args.data), HouseTokenizer()
    works = {
        side: [
            BenchWork(f"{side} {n}", piece, Annotations(), tokenizer.events(piece, Annotations()),
                      piece.note_count)
            for n, piece in enumerate(map(piece_of, chorales))
        ]
        for side, chorales in sides.items()
    }  # fmt: skip
    settings = settings_of([*SETTINGS, *args.set])
    ours = Ours(settings, works["train"], args.seed, minutes=0 if args.steps else args.minutes)
    _say(f"{len(works['train'])} chorales to learn from, {ours.parameters / 1e6:.2f} M parameters")
    seconds = None if args.steps else 60 * args.minutes
    ours.fit(seconds, [], lambda mark: None, steps=args.steps or -1)
    rows = []
    for side in SIDES[1:]:
        nats = ours.field_nats(works[side])
        voices = len(VOICES) * sum(map(len, sides[side]))
        each = {name: value / voices for name, value in zip(FIELDS, nats, strict=True)}
        total = {"nats_per_voice_and_sixteenth": math.fsum(nats) / voices}
        rows.append({"side": side, "chorales": len(works[side]), **total, **each})
    return {"training": [{**ours.report(), "chorales": len(works["train"])}], "chorales": rows}


def read_chorales(path: Path) -> dict[str, list[list[Step]]]:
    """The chorales of each side.

    Raises:
        HouseError: no such file, or not as the module says.
    """
    found = read_json(path, _FILE)
    for side in SIDES:
        if not isinstance(found, dict) or not isinstance(found.get(side), list) or not found[side]:
            raise _unfit(path, f"{side!r} is no list of chorales, or an empty one")
    return {
        side: [_chorale(path, f"{side} {n}", steps) for n, steps in enumerate(found[side])]
        for side in SIDES
    }


def _chorale(path: Path, name: str, steps: Any) -> list[Step]:
    try:
        found = [tuple(map(_pitch, step)) for step in steps]
    except (TypeError, ValueError, OverflowError) as error:
        raise _unfit(path, f"{name}: {error}") from error
    if not found or any(len(step) != len(VOICES) for step in found):
        raise _unfit(path, f"{name}: a sixteenth has not four voices, or there is none")
    return found


def _pitch(value: Any) -> int:
    if value is None or value == -1 or (isinstance(value, float) and math.isnan(value)):
        return -1
    if isinstance(value, bool) or int(value) != value or not 0 < value < 128:
        raise ValueError(f"{value!r} is no pitch")
    return int(value)


def _unfit(path: Path, what: str) -> HouseError:
    return HouseError(f"are no four-voice chorales: {what}", where=str(path), mend=_FILE.mend)


def piece_of(steps: Sequence[Step]) -> Piece:
    """A chorale as music: equal pitches in a row are one note."""
    tracks = []
    for number, name in enumerate(VOICES):
        notes, place = [], 0
        for pitch, same in itertools.groupby(step[number] for step in steps):
            length = len(list(same))
            if pitch >= 0:
                notes.append(Note(place * TICKS, length * TICKS, pitch, 80))
            place += length
        tracks.append(Track(name, CHOIR, False, None, notes))
    return Piece(
        QUARTER, tracks, tempos=[Tempo(0, 750_000)], time_signatures=[TimeSignature(0, 4, 4)]
    )


def steps_of(piece: Piece, count: int) -> list[Step]:
    """The sixteenths of a piece, as `piece_of` was given them."""
    grid = [[-1] * len(VOICES) for _ in range(count)]
    for number, track in enumerate(piece.tracks):
        for note in track.notes:
            for step in range(note.onset_ticks // TICKS, note.end_ticks // TICKS):
                grid[step][number] = note.pitch
    return [tuple(step) for step in grid]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
