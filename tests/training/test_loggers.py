"""Where curves go, and what is said where the package for it is missing."""

from __future__ import annotations

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from gen.errors import SettingError
from gen.training.loggers import make_logger
from gen.training.settings import LOGGERS, LoggerConfig, RunConfig

RUN = RunConfig("pin.yaml", "study", "general_model", "stop", 1)


@pytest.mark.parametrize(("name", "kind"), [("tensorboard", TensorBoardLogger), ("csv", CSVLogger)])
def test_curves_go_to_the_runs_folder(tmp_path, name, kind):
    logger = make_logger(LoggerConfig(name), RUN, tmp_path)
    assert isinstance(logger, kind)
    assert logger.log_dir == str(tmp_path / name)


def test_none_is_none(tmp_path):
    assert make_logger(LoggerConfig("none"), RUN, tmp_path) is False


@pytest.mark.parametrize("name", sorted(set(LOGGERS) - {"tensorboard", "csv", "none"}))
def test_a_missing_package_is_one_message_that_says_what_to_install(tmp_path, monkeypatch, name):
    monkeypatch.setattr(f"lightning.pytorch.loggers.{name}._{name.upper()}_AVAILABLE", Missing())
    with pytest.raises(SettingError, match=f"{name} is not installed") as caught:
        make_logger(LoggerConfig(name), RUN, tmp_path)
    assert "[trackers]" in caught.value.mend


class Missing:
    def __bool__(self):
        return False


def test_mlflow_keeps_its_records_beside_the_run(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    logger = make_logger(LoggerConfig("mlflow"), RUN, tmp_path / "run")
    (tmp_path / "run").mkdir()
    logger.log_metrics({"loss": 1.5}, step=3)
    assert (tmp_path / "mlflow.db").is_file()
    assert mlflow.get_run(logger.run_id).data.metrics == {"loss": 1.5}


def test_wandb_sends_no_code(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    logger = make_logger(LoggerConfig("wandb"), RUN, tmp_path)
    settings = logger.experiment.settings
    assert settings.disable_git
    assert not settings.save_code
    logger.experiment.finish()
