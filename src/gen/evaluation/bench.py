"""What an evaluation measures with: works in a random order, seeds, and pieces once written."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.random import Generator

from gen.data.splits import Split
from gen.errors import HouseError
from gen.evaluation import originality
from gen.evaluation.progress import Tick
from gen.evaluation.settings import EvaluationConfig, Sizes
from gen.evaluation.subjects import samples
from gen.evaluation.subjects.models import Candidate
from gen.evaluation.subjects.works import (
    HouseWorks,
    MeasuredWork,
    matched,
    piece_of_rows,
    spread_out,
)
from gen.likeness.originality import LearnedMusic
from gen.piece import Piece
from gen.provenance.houses.house import House
from gen.provenance.records.pin import Pin
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.drafting.draft import Draft
from gen.sampling.opening.works import learned_music
from gen.sampling.planning.plan import Row


class Bench:
    """Works, sizes and seeds of one evaluation.

    Attributes:
        config, sizes, draw: settings.
        pin: of the house.
        house: its works.
        held: works held out that may be measured, in a random order, one of each family in turn.
        train: works learned from, paired with those by genre.

    Raises:
        HouseError: a side has no work that may be measured.
    """

    def __init__(
        self, config: EvaluationConfig, sizes: Sizes, draw: DrawConfig, pin: Pin, house: HouseWorks
    ) -> None:
        self.config, self.sizes, self.draw = config, sizes, draw
        self.pin, self.house = pin, house
        side: Split = "test" if config.split == "test" else "validation"
        self.held = spread_out(self._shuffled(house.sides[side], "held out"))
        train = spread_out(self._shuffled(house.sides["train"], "train"))
        self.train = matched(train, self.held)
        for works, name in ((self.held, config.split), (self.train, "train")):
            if not works:
                raise HouseError(
                    f"no work on the side {name!r} may be measured", where="split",
                    mend="hold out more works in training, or ask for consent to evaluation",
                )  # fmt: skip
        self._written: dict[str, list[Piece]] = {}
        self._borrowed: dict[str, tuple[LearnedMusic, dict[str, object]]] = {}

    def _shuffled(self, works: Sequence[MeasuredWork], name: str) -> list[MeasuredWork]:
        return [works[i] for i in self.rng(name).permutation(len(works))]

    def rng(self, name: str) -> Generator:
        """A generator of its own for each purpose, the same for every model."""
        return np.random.default_rng([self.config.seed, zlib.crc32(name.encode())])

    def write(
        self, candidate: Candidate, drafts: Sequence[Draft], purpose: str, tick: Tick
    ) -> list[list[Row]]:
        """What a model writes of requests; another purpose, other draws."""
        seed = self._seed(purpose)
        return samples.write(candidate.model, candidate.limited(drafts), self.draw, seed, tick=tick)

    def _seed(self, purpose: str) -> list[int]:
        return [self.config.seed, zlib.crc32(purpose.encode())]

    def pieces(self, candidate: Candidate, tick: Tick) -> list[list[Row]]:
        """A piece for each held-out work in turn: of its genre and length, cut."""
        works = [self.held[i % len(self.held)] for i in range(self.sizes.pieces)]
        if candidate.tokens is not None:
            return samples.write_tokens_like(
                candidate.tokens, candidate.model, works, self.sizes.bars, self.draw,
                self._seed("pieces"), tick=tick,
            )  # fmt: skip
        return self.write(candidate, samples.like(works, self.sizes.bars), "pieces", tick)

    def take(self, candidate: Candidate, rows: Sequence[Sequence[Row]]) -> None:
        """Remember what `pieces` wrote; those without notes are left out."""
        self._written[candidate.name] = [p for r in rows if (p := piece_of_rows(r)).note_count]

    def generated(self, candidate: Candidate) -> list[Piece]:
        """What it wrote."""
        return self._written[candidate.name]

    @cached_property
    def beginnings(self) -> tuple[list[Piece], list[Piece]]:
        """What pieces are compared with: works held out and works learned from, cut like them."""
        held, train = (
            [work.piece(self.sizes.bars) for work in works[: self.sizes.pieces]]
            for works in (self.held, self.train)
        )
        return held, train

    @property
    def families(self) -> tuple[list[str], list[str]]:
        """The groups of those works."""
        held, train = (
            [work.group for work in works[: self.sizes.pieces]] for works in (self.held, self.train)
        )
        return held, train

    def borrowed(self, candidate: Candidate, tick: Tick) -> tuple[LearnedMusic, dict[str, object]]:
        """The works learned from and what they borrow from each other: once for all models."""
        assert candidate.checkpoint is not None  # noqa: S101 - asked of checkpoints alone
        manifest = candidate.checkpoint.manifest
        if manifest.works_digest not in self._borrowed:
            music = learned_music(House(self.pin), manifest)
            known = {work.work for work in music.works}
            works = spread_out(self._shuffled(self.house.corpus, "house"))[: self.sizes.house_works]
            found = originality.house(
                music, [work for work in works if work.id in known], self.sizes.bars,
                tick=tick,
            )  # fmt: skip
            self._borrowed[manifest.works_digest] = music, found
        return self._borrowed[manifest.works_digest]
