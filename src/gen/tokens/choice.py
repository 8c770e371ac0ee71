"""Which tokenization a run learns: what may be set, judged before MidiTok is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gen.errors import SettingError
from gen.harmony import nearest

HOUSE: Final = "house"
REMI, TSD, OCTUPLE = "remi", "tsd", "octuple"
NAMES: Final = (HOUSE, REMI, TSD, OCTUPLE)
GRID, PLAYED = "grid", "played"
TIMINGS: Final = (GRID, PLAYED)
MOST_WORDS: Final = 30_000
"""Ids are kept as 16-bit numbers."""


@dataclass(frozen=True, slots=True)
class TokenizerPlugin:
    """A tokenizer of an installed package.

    Attributes:
        kind: its class, which derives from MidiTok's REMI, TSD or Octuple.
        sha256: over the package's files, hex: other code, other ids.
    """

    kind: Any
    sha256: str


@dataclass(frozen=True, slots=True)
class TokenizerChoice:
    """How a run's works are written as rows of ids.

    Args:
        name: one of `NAMES`: the house's compound events, or one of MidiTok's tokenizations.
        vocab_size: words once byte-pair encoding has joined tokens that often stand together; it
            learns from the admitted training works alone. None for MidiTok's own words.
        plugin: a tokenizer of one's own in place of `name`'s (`plugins.tokenizer`).
        timing: `grid`: all stands on twelfths of a quarter; `played`: what was played in keeps
            its timing and its loudness to MIDI's step, in three more fields of a row.
    """

    name: str = HOUSE
    vocab_size: int | None = None
    plugin: str | None = None
    timing: str = GRID

    def __post_init__(self) -> None:
        nearest(self.name, NAMES, setting="tokenizer.name")
        nearest(self.timing, TIMINGS, setting="tokenizer.timing")
        if self.timing != GRID and (self.plugin or self.name != HOUSE):
            raise SettingError(
                f"{self.plugin or self.name} has no words for timing off the grid",
                where="tokenizer.timing", mend="timing=grid, or tokenizer=house",
            )  # fmt: skip
        if self.plugin and self.name != HOUSE:
            raise SettingError(
                f"plugins.tokenizer={self.plugin} stands in its place", where="tokenizer",
                mend="leave out one of both",
            )  # fmt: skip
        if self.vocab_size is None:
            return
        if self.name not in (REMI, TSD) and not self.plugin:
            raise SettingError(
                f"{self.name} has several fields a row, which byte-pair encoding cannot join",
                where="tokenizer.vocab_size", mend="null, or tokenizer=remi_bpe or tsd_bpe",
            )  # fmt: skip
        if not 1 <= self.vocab_size <= MOST_WORDS:
            raise SettingError(
                f"{self.vocab_size} is outside 1 to {MOST_WORDS}", where="tokenizer.vocab_size"
            )

    @property
    def is_house(self) -> bool:
        """Whether these are the house's own events."""
        return self.name == HOUSE and self.plugin is None
