"""While a model learns, TensorBoard shows and plays what it writes."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gen.data.batches import DataConfig
from gen.data.habits import Habits
from gen.data.module import HouseData
from gen.model import ModelConfig
from gen.studio.listening import Listening
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.learner import Learner, OptimizerConfig


@pytest.fixture
def learner():
    torch.manual_seed(0)
    shape = ModelConfig(1, 16, 2, 2, 0.1, 128, FIELD_SIZES, CONTEXT_SIZES)
    made = Learner(shape, OptimizerConfig())
    for layer in made.model.head.out:
        torch.nn.init.normal_(layer.weight, std=0.3)
    return made


def test_pieces_are_shown_and_played_at_every_second_validation(learner, tmp_path):
    board = TensorBoardLogger(tmp_path, "", "tensorboard")
    loggers = [board, CSVLogger(tmp_path, "csv")]
    heard = Listening(pieces=2, every=2, seed=3)
    for step in range(4):
        trainer = SimpleNamespace(
            loggers=loggers, is_global_zero=True, global_step=step, strategy=None
        )
        heard.on_validation_end(trainer, learner)
    board.experiment.flush()
    told = EventAccumulator(board.log_dir, size_guidance={"images": 0, "audio": 0}).Reload()
    assert learner.training
    for name in ("pieces/1", "pieces/2"):
        images, sounds = told.Images(name), told.Audio(name)
        assert [image.step for image in images] == [sound.step for sound in sounds] == [0, 2]
        assert images[0].encoded_image_string == images[1].encoded_image_string  # the same weights
        drawn = np.asarray(Image.open(io.BytesIO(images[0].encoded_image_string)))
        assert drawn.shape[1:] == (1920, 3)
        assert drawn.std() > 10
        assert sounds[0].sample_rate == 22_050
    assert told.Images("pieces/1")[0] != told.Images("pieces/2")[0]


def test_a_resumed_run_goes_on_counting(learner):
    first, second = Listening(1, 5, 0), Listening(1, 5, 0)
    first.validations = 3
    second.load_state_dict(first.state_dict())
    trainer = SimpleNamespace(loggers=[], is_global_zero=True, global_step=0)
    second.on_validation_end(trainer, None)  # the fourth: nobody is asked to write
    assert second.validations == 4


def test_pieces_keep_to_what_the_works_do(house, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(1, 2, 3)
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2))
    data.setup()
    heard = Listening(1, 1, 0)
    heard.on_fit_start(SimpleNamespace(datamodule=data), None)
    assert heard.habits == Habits.of(work.events for work in data.side("train"))
    assert heard.habits.chord_sizes
