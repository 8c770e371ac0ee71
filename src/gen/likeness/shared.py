"""Every passage that a new piece shares with known ones, and what it says in bits.

Two searches complete each other: stretches in time (`alignment`) and runs of equal intervals
(`passages`). With outputs every line of the new piece is compared, and the piece upside down and
backwards (`forms`); with all others its upper lines as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.alignment import AlignmentIndex, Stretch
from gen.likeness.columns import Column
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.forms import turned, with_plain_lines
from gen.likeness.passages import PassageIndex, SharedRun
from gen.likeness.quotes import (
    is_somebodys,
    is_tune,
    moves_by_steps,
    passage_of,
    passage_of_stretch,
)
from gen.likeness.relatives import related_groups
from gen.likeness.report import Passage
from gen.likeness.surprise import Said, Surprise
from gen.likeness.voices import Hashes, Part, Voice, shingles_of

_TURNED_CANDIDATES = 24
_RAREST_RUNS = 12
ACCOMPANIMENT_FACTOR = 2.0
"""Accompaniments share patterns by nature: they weigh so many times less than tunes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage before it is put in words.

    Attributes:
        piece: number of the known piece.
        ours: the new piece's line that has it.
        bits: what the passage says.
        is_leading: whether it is of somebody's own line rather than of accompaniments.
        is_tune: whether it moves by steps too, as broken chords do not.
        spell: puts it in words.
    """

    piece: int
    ours: Voice
    bits: float
    is_leading: bool
    is_tune: bool
    spell: Callable[[], Passage]

    @property
    def weight(self) -> float:
        """Its bits as they are held against a limit."""
        return self.bits / (1 if self.is_leading else ACCOMPANIMENT_FACTOR)

    def rank(self, review_bits: float) -> tuple[bool, float]:
        """Tunes that are for review come first: they alone may block."""
        return self.is_tune and self.bits >= review_bits, self.weight


class _Lines:
    """An index of stretches, and which known piece each of its lines belongs to, ascending."""

    def __init__(self, index: AlignmentIndex, owners: Column) -> None:
        self.index, self.owners = index, owners

    def add(self, number: int, voices: Sequence[Voice]) -> None:
        self.index.add(voices)
        self.owners.extend([number] * len(voices))

    def found(self, parts: Sequence[Part], stretch: Stretch, form: str = "") -> Found:
        """A stretch as a passage."""
        ours, theirs = parts[stretch.part].voices[0], self.index.voices[stretch.voice]
        line = theirs.pitches[stretch.first : stretch.last + 1]
        leads = is_somebodys(ours, theirs)
        spell = partial(passage_of_stretch, ours, theirs, stretch, form)
        owner, tune = int(self.owners[stretch.voice]), leads and moves_by_steps(line)
        return Found(owner, ours, stretch.bits, leads, tune, spell)

    def state(self) -> State:
        return {"index": self.index.state(), "owners": self.owners.all}

    @staticmethod
    def of_state(state: State, surprise: Surprise) -> _Lines:
        index = AlignmentIndex.of_state(state["index"], surprise)
        return _Lines(index, Column(np.int32, state["owners"]))


class SharedPassages:
    """The lines of known pieces, numbered as they are added, searchable."""

    def __init__(self) -> None:
        self._surprise = Surprise()
        self._runs, self._run_owners = PassageIndex(), Column(np.int32)
        self._run_ends = Column(np.int64)  # of each piece: its lines and all before
        self._works = _Lines(AlignmentIndex(self._surprise), Column(np.int32))
        self._outputs = _Lines(AlignmentIndex(self._surprise), Column(np.int32))
        self._said: dict[int, Said] = {}

    def add(self, fingerprint: Fingerprint, *, is_output: bool) -> None:
        """Keep the lines of one more piece."""
        number = len(self._run_ends)
        self._runs.extend(fingerprint.tracks)
        self._run_owners.extend([number] * len(fingerprint.tracks))
        self._run_ends.extend([len(self._run_owners)])
        timed = [v for v in fingerprint.voices if len(v.onsets) == len(v.pitches)]
        if is_output:
            self._outputs.add(number, timed)
        else:
            self._works.add(number, [voice for voice in timed if not voice.is_together])

    def tracks(self, number: int) -> list[Voice]:
        """The lines of a known piece's tracks."""
        return self._runs.voices[slice(*self._run_ends.between(number))]

    def melodies(self, number: int) -> Hashes:
        """Shingles of a known piece's leading lines."""
        return shingles_of(voice for voice in self.tracks(number) if voice.is_leading)

    def relatives(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """For each of these known pieces those of its family, itself among them.

        Arrangements of one theme are one family.
        """
        groups = related_groups([self.melodies(number) for number in numbers]).values()
        families = [[numbers[place] for place in group] for group in groups]
        return {number: family for family in families for number in family}

    def learn(self, numbers: Iterable[int]) -> None:
        """Learn from these of the known pieces, and from no others, what is common.

        All at once: of figures that one piece has none is kept for the next time.
        """
        self._surprise.clear()
        self._surprise.learn(self.tracks(number) for number in numbers)
        self._ask_again()

    @contextmanager
    def forgetting(self, numbers: Sequence[int]) -> Iterator[None]:
        """Meanwhile nothing is known of what these pieces have, which were learned from."""
        with self._surprise.forgetting([self.tracks(number) for number in numbers]):
            self._ask_again()
            yield
        self._ask_again()

    def _ask_again(self) -> None:
        """The model has changed."""
        self._said = {}
        self._works.index.ask_again()
        self._outputs.index.ask_again()

    def find(self, piece: NewPiece) -> Iterator[Found]:
        """Every passage, several of one known piece among them."""
        yield from self.stretches(piece.upper_parts)
        yield from self.runs(piece.fingerprint.tracks)
        if self._outputs.index.voices:
            yield from self._find_in_outputs(piece)

    def stretches(self, parts: Sequence[Part], apart_from: Sequence[int] = ()) -> Iterator[Found]:
        """Where parts go along in time with lines of known pieces, outputs left out.

        Args:
            parts: with their uppermost line alone.
            apart_from: numbers of known pieces that do not count.
        """
        upper, works = with_plain_lines(parts), self._works
        for stretch in works.index.stretches(upper, _are_of(works.owners, apart_from)):
            yield works.found(upper, stretch)

    def runs(self, voices: Iterable[Voice], apart_from: Sequence[int] = ()) -> Iterator[Found]:
        """Runs of intervals that lines have in common with tracks of known pieces."""
        apart = _are_of(self._run_owners, apart_from)
        for voice in voices:
            for run in self._runs.shared_runs(voice, apart_from=apart, rarest=_RAREST_RUNS):
                known, bits = self._runs.voices[run.voice], self._run_bits(run)
                spell = partial(passage_of, voice, known, run, bits)
                leads, tune = is_somebodys(voice, known), is_tune(voice, known, run)
                owner = int(self._run_owners[run.voice])
                yield Found(owner, voice, bits, leads, tune, spell)

    def _find_in_outputs(self, piece: NewPiece) -> Iterator[Found]:
        outputs, every = self._outputs, with_plain_lines(piece.parts)
        for stretch in outputs.index.stretches(every, any_mode=True):
            yield outputs.found(every, stretch)
        for form, parts in turned(piece.parts):
            most = _TURNED_CANDIDATES
            for stretch in outputs.index.stretches(parts, most=most, with_gaps=False):
                yield outputs.found(parts, stretch, form)

    def _run_bits(self, run: SharedRun) -> float:
        """What the intervals of a run say; what it repeats says nothing more."""
        if run.voice not in self._said:
            own = self._surprise.own(self.tracks(int(self._run_owners[run.voice])))
            self._said[run.voice] = self._surprise.of_intervals(self._runs.voices[run.voice], own)
        said = self._said[run.voice]
        inside = slice(run.their_first + 1, run.their_first + run.intervals + 1)
        return float(said.bits[inside][said.earlier[inside] < run.their_first].sum())

    def best_by_chance(self, number: int, apart_from: Sequence[int]) -> float:
        """What the passage weighs most that a known piece shares with any other, in bits.

        Args:
            number: which.
            apart_from: the numbers of those that it is related to, its own among them.
        """
        tracks = self.tracks(number)
        parts = [part_of(voice) for voice in tracks]
        found = [*self.stretches(parts, apart_from), *self.runs(tracks, apart_from)]
        return max((each.weight for each in found), default=0.0)

    def state(self) -> State:
        """All of it, for `of_state`."""
        return {
            "surprise": self._surprise.state(),
            "runs": self._runs.state(),
            "run_owners": self._run_owners.all,
            "run_ends": self._run_ends.all,
            "works": self._works.state(),
            "outputs": self._outputs.state(),
        }

    @staticmethod
    def of_state(state: State) -> SharedPassages:
        shared = SharedPassages()
        shared._surprise = surprise = Surprise.of_state(state["surprise"])
        shared._runs = PassageIndex.of_state(state["runs"])
        shared._run_owners = Column(np.int32, state["run_owners"])
        shared._run_ends = Column(np.int64, state["run_ends"])
        shared._works = _Lines.of_state(state["works"], surprise)
        shared._outputs = _Lines.of_state(state["outputs"], surprise)
        return shared


def _are_of(owners: Column, pieces: Sequence[int]) -> NDArray[np.bool_] | None:
    """(N,) which lines are of these pieces; None where none is asked for."""
    return np.isin(owners.all, pieces) if pieces else None


def part_of(voice: Voice) -> Part:
    """A known line as if it were a new part."""
    struck = voice.struck() if voice.has_times else voice
    onsets = struck.onsets.astype(np.int64)
    return Part((voice,), onsets, onsets, struck.pitches.astype(np.int64))
