"""The works a comparison is made on: the same bytes, the same split, the same notes for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from gen.cli.known import names_of
from gen.data.splits import SplitConfig, shingles, split
from gen.errors import SettingError
from gen.piece import Piece
from gen.settings import build
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events
from gen.tokens.tokenizer import HouseTokenizer

DECIDING = ("pin", "purpose", "experiment", "model", "optimizer", "data", "trainer")
"""Settings, and groups of them, that a comparison is made with …"""
OF_THE_TRAINER = ("accelerator", "compile", "gradient_clip_val", "precision")
"""… of the last of them these."""
Given = tuple[str, Piece, Annotations]
"""Work id, what the gate read in its bytes, what the tag says of the music."""


@dataclass(frozen=True, slots=True)
class BenchWork:
    """An admitted work as both sides get it.

    Attributes:
        work_id: as in the register.
        piece: what the gate read in its verified bytes.
        annotations: what its tag says.
        events: as the house tokenizer reads it.
        notes: in the file itself; the denominator of bits per note for every model.
    """

    work_id: str
    piece: Piece
    annotations: Annotations
    events: Events
    notes: int


@dataclass(frozen=True, slots=True)
class Sides:
    """The works by the side of the split they stand on."""

    train: list[BenchWork]
    validation: list[BenchWork]
    test: list[BenchWork]

    def summary(self) -> dict[str, Any]:
        """Counts, and the ids of the held-out works."""
        held_out = {"validation": self.validation, "test": self.test}
        return {
            "train_works": len(self.train),
            "train_notes": sum(w.notes for w in self.train),
            **{f"{side}_works": [w.work_id for w in works] for side, works in held_out.items()},
            **{f"{side}_notes": sum(w.notes for w in works) for side, works in held_out.items()},
        }


def settings_of(overrides: Sequence[str]) -> dict[str, Any]:
    """The composed training settings, as `scripts/train.py` would have them.

    Raises:
        SettingError: one is wrong, or decides nothing where models are compared.
    """
    from hydra.types import RunMode

    from gen.cli.composed import CheckedLoader
    from gen.cli.composed import settings_of as plain
    from gen.cli.train import judge
    from gen.places import of_project

    loader = CheckedLoader("train", judge)
    settings = plain(loader.load_configuration("train", list(overrides), RunMode.RUN))
    named = names_of(overrides)
    for name in named:
        _check_decides(name)
    return settings if "pin" in named else {**settings, "pin": str(of_project(settings["pin"]))}


def _check_decides(name: str) -> None:
    group, _, one = name.partition(".")
    if group not in DECIDING or (group == "trainer" and one and one not in OF_THE_TRAINER):
        raise SettingError(
            "decides nothing where models are compared", where=f"--set {name}",
            mend=f"leave it out; of the trainer {', '.join(OF_THE_TRAINER)} count, and how long it "
            "lasts and the seed are options of the command",
        )  # fmt: skip


def admitted_works(settings: Mapping[str, Any]) -> list[Given]:
    """What the gate admits for the purpose in the settings.

    Raises:
        CorpusRefused: a file of the house was refused.
    """
    from gen.data.admission import annotations_of
    from gen.provenance.admission.corpus import Work
    from gen.provenance.admission.gate import admit
    from gen.provenance.records.pin import load_pin

    works: list[Given] = []

    def receive(work: Work, piece: Callable[[], Piece]) -> None:
        works.append((work.work_id, piece(), annotations_of(work)))

    pin = load_pin(Path(settings["pin"]))
    admit(pin.dir, settings["purpose"], pin=pin, receive=receive).require_clean()
    return works


def deal(works: Sequence[Given], settings: Mapping[str, Any]) -> Sides:
    """Read the works and split them as training does."""
    config = build(SplitConfig, settings["data"]["split"], where="data.split")
    tokenizer = HouseTokenizer()
    found = [
        BenchWork(name, piece, notes, tokenizer.events(piece, notes), piece.note_count)
        for name, piece, notes in works
    ]
    places = split(
        [work.work_id for work in found], [shingles(work.events) for work in found], config
    )
    return Sides(**{side: [found[i] for i in indices] for side, indices in places.items()})


def opened(overrides: Sequence[str], works: Sequence[Given] | None) -> tuple[dict[str, Any], Sides]:
    """Settings, and the works that a comparison is made on: those given, or what the gate admits.

    Raises:
        HouseError: as `settings_of` and `admitted_works`.
    """
    settings = settings_of(overrides)
    return settings, deal(admitted_works(settings) if works is None else works, settings)


def curve_works(works: Sequence[BenchWork], count: int) -> list[BenchWork]:
    """At most `count` works, evenly chosen over the list."""
    indices = np.unique(np.linspace(0, len(works) - 1, min(count, len(works))).round().astype(int))
    return [works[i] for i in indices]


# What a tokenizer keeps ------------------------------------------------------------------


def kept(pairs: Sequence[tuple[Score, Score]]) -> dict[str, float]:
    """What is left of works after encoding and decoding, summed over (before, after) pairs.

    Returns:
        Share of notes, pedals, tempo changes and tracks that are there again; and for the
        (instrument, pitch) lines whose notes are all there, the mean absolute error of onset
        and duration in quarters and of velocity.
    """
    counts = np.array([[_counts(before), _counts(after)] for before, after in pairs]).sum(0)
    errors = np.concatenate([_errors(before, after) for before, after in pairs])
    means = errors.mean(0) if len(errors) else np.zeros(3)
    shares = counts[1] / np.maximum(counts[0], 1)
    names = ("notes", "pedals", "tempos", "tracks")
    return {
        **{f"{name}_kept": float(s) for name, s in zip(names, shares, strict=True)},
        "onset_error_quarters": float(means[0]),
        "duration_error_quarters": float(means[1]),
        "velocity_error": float(means[2]),
    }


def _counts(score: Score) -> list[int]:
    tracks = [t for t in score.tracks if len(t.notes)]
    pedals = sum(len(t.pedals) for t in tracks)
    return [score.note_num(), pedals, len(score.tempos), len(tracks)]


def _errors(before: Score, after: Score) -> NDArray[np.float64]:
    """(N, 3) absolute errors of the notes on lines that kept all their notes."""
    old, new = _lines(before), _lines(after)
    found = [
        np.abs(notes - new[line]) for line, notes in old.items()
        if line in new and len(new[line]) == len(notes)
    ]  # fmt: skip
    return np.concatenate(found) if found else np.zeros((0, 3))


def _lines(score: Score) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Onset and duration in quarters and velocity of each (instrument, pitch), by onset."""
    lines: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    division = score.ticks_per_quarter
    for track in score.tracks:
        instrument = 128 if track.is_drum else track.program
        for note in track.notes:
            row = (note.time / division, note.duration / division, float(note.velocity))
            lines.setdefault((instrument, note.pitch), []).append(row)
    return {line: np.array(sorted(rows)) for line, rows in lines.items()}
