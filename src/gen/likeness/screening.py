"""Screening: is a contribution too close to something known?

Compared with the house's works, withdrawn ones too, with what its models wrote, and with
fingerprints that rights-holders supplied, in four ways:

- stretches in time, robust to what disguises a piece (`alignment`);
- runs of equal intervals, whatever the rhythm (`passages`);
- whole pieces, by the Jaccard similarity of their shingles (`sketches` find the candidates);
- with outputs and withdrawn works also their bars in any order, and outputs upside down and
  backwards (`forms`).

Stretches and runs are weighed by what they say (`surprise`), in bits: what everybody plays says
little. How many bits are a reason to look is calibrated on the house's own works, which share
passages by chance as any music does (`calibration`). What is enough is in `thresholds`, what is
found in `report`.

A finding is a reason to look, never a verdict about authorship; composer and curator see both
passages. `block` stops a contribution; `review` lets it through to the curator, marked. What
softens a finding to `review`: it is a composer's own earlier work (arrangements share their
theme), or only accompaniments and broken chords agree (stock patterns do).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from gen.disk.arrays import State
from gen.likeness.bars import BarIndex
from gen.likeness.calibration import ENOUGH_WORKS, PRIOR, Calibration, Limits
from gen.likeness.fingerprint import Fingerprint, NewPiece, shingles_of_tracks
from gen.likeness.known import KnownPieces
from gen.likeness.report import (
    BLOCK,
    CLEAR,
    OUTPUT,
    REVIEW,
    WITHDRAWN,
    WORK,
    Known,
    Match,
    Passage,
    Report,
    worst,
)
from gen.likeness.shared import Found, SharedPassages
from gen.likeness.sketches import Sketches
from gen.likeness.thresholds import Thresholds
from gen.likeness.voices import Hashes, shingles_of

_GROWTH = 2
"""The model of lines is learned anew, and calibrated, when the works have grown by this factor."""
_CALIBRATED_ON, _PARTS = 150, 10
_SAME_PASSAGE = 0.8


class Screen:
    """Everything known so far; grows with `add`."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        self.known = KnownPieces()
        self._learned = 0
        self._calibration = PRIOR
        self.shared = SharedPassages()
        self._sketches = Sketches()
        self._output_bars = BarIndex(with_drums=False, least_notes=24)
        self._withdrawn_bars = BarIndex(with_drums=True, least_notes=1)

    def __len__(self) -> int:
        return len(self.known)

    @property
    def calibration(self) -> Calibration:
        """What unrelated works share, among as many as are known."""
        return self._calibration.among(len(self))

    def add(self, known: Known, fingerprint: Fingerprint) -> None:
        """Compare later pieces with this one too."""
        number = len(self.known)
        self.known.append(known)
        self.shared.add(fingerprint, is_output=known.kind == OUTPUT)
        self._sketches.add(shingles_of_tracks(fingerprint))
        if known.kind == OUTPUT:
            self._output_bars.add(number, fingerprint.bars)
        if known.kind == WITHDRAWN:
            self._withdrawn_bars.add(number, fingerprint.bars)

    def withdraw(self, number: int, fingerprint: Fingerprint) -> None:
        """The known piece of this number, a work, was withdrawn since it was added."""
        self.known.withdraw(number)
        self._withdrawn_bars.add(number, fingerprint.bars)

    def state(self) -> State:
        """All that is known but the thresholds, for `of_state`."""
        return {
            "known": self.known.state(),
            "learned": self._learned,
            "calibration": asdict(self._calibration),
            "shared": self.shared.state(),
            "sketches": self._sketches.state(),
            "output_bars": self._output_bars.state(),
            "withdrawn_bars": self._withdrawn_bars.state(),
        }

    @staticmethod
    def of_state(state: State, thresholds: Thresholds | None = None) -> Screen:
        """The screen that gave this state."""
        screen = Screen(thresholds)
        screen.known = KnownPieces.of_state(state["known"])
        screen._learned = state["learned"]
        screen._calibration = Calibration(**state["calibration"])
        screen.shared = SharedPassages.of_state(state["shared"])
        screen._sketches = Sketches.of_state(state["sketches"])
        screen._output_bars.restore(state["output_bars"])
        screen._withdrawn_bars.restore(state["withdrawn_bars"])
        return screen

    def compare(self, piece: NewPiece, composers: Iterable[str] = ()) -> Report:
        """Screen a piece.

        Args:
            piece: the new one.
            composers: its composers' ids: likeness to their own works is no block.
        """
        self.keep_up()
        calibration, given = self.calibration, self.thresholds
        limits = calibration.limits(given.review_bits, given.block_bits)
        matches = self._matches(piece, frozenset(composers), limits)
        telling = tuple(sorted((m for m in matches if m.verdict != CLEAR), key=lambda m: m.order))
        verdict = worst(telling, is_whole=piece.is_whole)
        words = calibration.in_words(limits.review)
        return Report(verdict, telling, len(self), limits, words, piece.is_whole)

    def _matches(
        self, piece: NewPiece, composers: frozenset[str], limits: Limits
    ) -> Iterable[Match]:
        """What the piece shares with each known one that it shares something with."""
        passages = self._best_passages(piece, limits)
        own = [n for n in passages if self.known[n].is_of(composers)]
        own_bits = max((passages[number].bits for number in own), default=0)
        shingles = shingles_of_tracks(piece.fingerprint)
        alike = self._sketches.alike(shingles, self.thresholds.review_similarity)
        bars = piece.fingerprint.bars, piece.bar_weights
        shares = {**self._output_bars.shares(*bars), **self._withdrawn_bars.mutual_shares(*bars)}
        for number in sorted({*passages, *map(int, alike), *shares}):
            known, passage = self.known[number], passages.get(number)
            similarity = _jaccard(shingles, shingles_of(self.shared.tracks(number)))
            share = shares.get(number, 0.0)
            verdict = self.thresholds.verdict(known.kind, similarity, passage, share, limits)
            if verdict == BLOCK and _is_softened(known, passage, composers, own_bits):
                verdict = REVIEW
            yield Match(known, round(similarity, 3), passage, verdict, round(share, 3))

    def _best_passages(self, piece: NewPiece, limits: Limits) -> dict[int, Passage]:
        """For each known piece the passage that weighs most."""
        best: dict[int, Found] = {}
        for found in self.shared.find(piece):
            other = best.get(found.piece)
            if not other or found.rank(limits.review) > other.rank(limits.review):
                best[found.piece] = found
        return {number: found.spell() for number, found in best.items()
                if found.weight >= _SAME_PASSAGE * limits.review}  # fmt: skip

    def keep_up(self) -> None:
        """Learn from the works anew, and calibrate, once they are twice as many."""
        found = self.known.of_kind(WORK, WITHDRAWN)
        if len(found) < max(_GROWTH * self._learned, 1):
            return
        works = found.tolist()
        self.shared.learn(works)
        self._learned = len(works)
        relatives = self.shared.relatives(works)
        drawn = np.random.default_rng(len(works)).permutation(works).tolist()
        strangers = list({relatives[number][0]: number for number in drawn}.values())
        if len(strangers) >= ENOUGH_WORKS:
            self._calibration = self._calibrated_on(strangers, relatives)

    def _calibrated_on(self, strangers: list[int], relatives: dict[int, list[int]]) -> Calibration:
        """By works that are not related, a tenth at a time with their families as if new."""
        outputs = self.known.of_kind(OUTPUT).tolist()
        at_once = len(strangers) // _PARTS
        chosen, scores = strangers[:_CALIBRATED_ON], list[float]()
        for first in range(0, len(chosen), at_once):
            new = chosen[first : first + at_once]
            families = [relative for number in new for relative in relatives[number]]
            with self.shared.forgetting(families):
                apart = [*families, *outputs]
                scores += [self.shared.best_by_chance(number, apart) for number in new]
        return Calibration.of(scores, round(len(self) * (1 - 1 / _PARTS)))


def _is_softened(
    known: Known, passage: Passage | None, composers: frozenset[str], own_bits: int
) -> bool:
    """Whether it is the composers' own, or an output has it from a work of their own."""
    if known.kind == OUTPUT:
        return passage is not None and own_bits >= _SAME_PASSAGE * passage.bits
    return known.is_of(composers)


def _jaccard(one: Hashes, other: Hashes) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / max(len(one) + len(other) - shared, 1)
