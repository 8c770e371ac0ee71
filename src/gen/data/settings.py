"""How works become batches: what may be set, judged before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from gen.data.augment import AugmentConfig
from gen.data.choosing import CorpusConfig
from gen.data.splits import SplitConfig
from gen.errors import SettingError
from gen.settings import AUTO
from gen.tokens.choice import TokenizerChoice


@dataclass(frozen=True, slots=True)
class DataConfig:
    """How works become batches.

    Args:
        training_window: predicted events T in a window.
        batch_size: windows B in a batch, over all devices together.
        seed: of the windows and their variation.
        split: shares kept out of training.
        augment: what is varied; of MidiTok's tokens pitch, tempo and velocity alone.
        styles: tell the model whose style a work is in, where its composer grants that.
        workers: processes that cut windows; `auto`: several for a GPU, none for a CPU.
        tokenizer: how works are written as rows of ids; a group of settings of its own.
        corpus: which of the admitted works are learned from; another group.
    """

    RENAMED: ClassVar[dict[str, str]] = {"window": "training_window"}

    training_window: int
    batch_size: int
    seed: int = 0
    styles: bool = False
    workers: int | str = AUTO
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    tokenizer: TokenizerChoice = field(default_factory=TokenizerChoice)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)

    def __post_init__(self) -> None:
        if self.training_window < 16 or self.batch_size < 1:
            raise SettingError(
                f"training_window {self.training_window}, batch_size {self.batch_size}",
                where="data",
                mend="a window holds at least 16 events, a batch at least one window",
            )
        if self.styles and not self.tokenizer.is_house:
            raise SettingError(
                f"tokenizer={self.tokenizer.name} has no word for whose style a work is in",
                where="data.styles", mend="false, or tokenizer=house",
            )  # fmt: skip
        if self.workers != AUTO and (isinstance(self.workers, str) or self.workers < 0):
            raise SettingError(
                f"{self.workers!r} is neither auto nor 0 or more", where="data.workers"
            )
