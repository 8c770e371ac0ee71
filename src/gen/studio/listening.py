"""New pieces to see and hear in TensorBoard while a model learns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from PIL import Image

from gen.data.habits import Habits
from gen.data.module import HouseData
from gen.model import Transformer
from gen.piece import Piece
from gen.png import png_of
from gen.rendering.roll import figure
from gen.rendering.sound import AudioSettings, samples
from gen.rendering.soundfont import load
from gen.sampling.decoding.decode import decode
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.decoding.step import step_of
from gen.sampling.drafting.draft import Draft
from gen.sampling.planning.plan import Plan
from gen.tokens.choice import GRID, PLAYED
from gen.tokens.events import Events
from gen.tokens.reading import decode as piece_of
from gen.tokens.vocabulary import FIELDS, Kind
from gen.training.sharded import whole_model

BARS = 8
_SOUND = AudioSettings(sample_rate=22_050, stereo=False)


class Listening(Callback):
    """Writes pieces with the weights at hand: a piano roll and audio of each go to the logger.

    Of a run that learns the house's events; of other tokenizations nothing is written.

    Args:
        pieces: how many each time.
        every: validations from one time to the next; the first validation is one.
        seed: of the pieces. The same seed each time, so that one hears what has been learned.
    """

    def __init__(self, pieces: int, every: int, seed: int) -> None:
        self.pieces, self.every, self.seed = pieces, every, seed
        self.validations = 0
        self.habits = Habits()  # of the works, as when sampling
        self.is_house = True  # whether the house's events are learned

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = trainer.datamodule  # type: ignore[attr-defined]
        if isinstance(data, HouseData):
            self.is_house = data.tokenization.is_house
            self.habits = Habits.of(work.events for work in data.side("train"))

    def state_dict(self) -> dict[str, Any]:
        return {"validations": self.validations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.validations = state_dict["validations"]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validations += 1
        if (self.validations - 1) % self.every or not self.is_house:
            return
        model = whole_model(trainer, pl_module)  # of a sharded one, every process gives its part
        if trainer.is_global_zero:
            self._show(trainer, self._write(model))

    def _show(self, trainer: Trainer, pieces: Sequence[Piece]) -> None:
        boards = [one for one in trainer.loggers if isinstance(one, TensorBoardLogger)]
        for number, piece in enumerate(pieces, start=1):
            name, step = f"pieces/{number}", trainer.global_step
            roll, sound = _picture(piece), samples(piece, load(), _SOUND)  # (H, W, 3), (1, n)
            for board in boards:
                board.experiment.add_image(name, roll, step, dataformats="HWC")
                board.experiment.add_audio(name, sound, step, _SOUND.sample_rate)

    def _write(self, model: Transformer) -> list[Piece]:
        header = [[int(Kind.BOS), *[0] * (len(FIELDS) - 1)]]
        timing = PLAYED if model.fields > len(FIELDS) else GRID
        plan = Plan(list(header), True, bars=BARS, habits=self.habits, timing=timing)
        drafts = [Draft(plan) for _ in range(self.pieces)]
        rngs = [np.random.default_rng([self.seed, index]) for index in range(self.pieces)]
        was_training = model.training
        model.eval()
        decode(step_of(model), drafts, rngs, DrawConfig())
        model.train(was_training)
        return [piece_of(Events.of(draft.rows)) for draft in drafts]


def _picture(piece: Piece) -> NDArray[np.uint8]:
    """The piano roll, (H, W, 3)."""
    data = png_of(lambda: figure(piece))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
