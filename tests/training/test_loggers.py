"""Where curves go, and what is said where the package for it is missing."""

from __future__ import annotations

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from gen.errors import SettingError
from gen.training.loggers import make_logger
from gen.training.settings.run_settings import LOGGERS, LoggerConfig, RunConfig

RUN = RunConfig("pin.yaml", "study", "general_model", "stop", 1)


@pytest.mark.parametrize(("name", "kind"), [("tensorboard", TensorBoardLogger), ("csv", CSVLogger)])
def test_curves_go_to_the_runs_folder(tmp_path, name, kind):
    logger = make_logger(LoggerConfig(name), RUN, tmp_path)
    assert isinstance(logger, kind)
    assert logger.log_dir == str(tmp_path / name)


def test_tensorboard_is_told_the_settings_and_the_figure_that_compares_runs(tmp_path):
    logger = make_logger(LoggerConfig("tensorboard"), RUN, tmp_path)
    logger.log_hyperparams({"optimizer": {"lr": 0.004}, "init": None})
    logger.save()
    (file,) = (tmp_path / "tensorboard").glob("events*")
    events = [v for event in EventFileLoader(str(file)).Load() for v in event.summary.value]
    told = {v.tag: v.metadata.plugin_data.content for v in events}
    start = HParamsPluginData.FromString(told["_hparams_/session_start_info"]).session_start_info
    assert start.hparams["optimizer/lr"].number_value == 0.004
    whole = HParamsPluginData.FromString(told["_hparams_/experiment"]).experiment
    assert [info.name.tag for info in whole.metric_infos] == ["validation/bits_per_note"]


@pytest.mark.parametrize("folder", ["second", "first"])
def test_a_resumed_table_begins_with_what_led_to_it(tmp_path, folder):
    first = make_logger(LoggerConfig("csv"), RUN, tmp_path / "first")
    first.log_metrics({"loss": 0.1 + 0.2}, step=1)
    first.log_metrics({"other": 3}, step=1)
    first.log_metrics({"loss": 9.0}, step=2)  # after the file that is resumed from
    first.save()
    again = make_logger(LoggerConfig("csv"), RUN, tmp_path / folder, tmp_path / "first")
    again.log_hyperparams({})
    assert len((tmp_path / "first" / "csv" / "metrics.csv").read_text().splitlines()) == 4
    again.go_on_at(2)
    again.log_metrics({"loss": 2.0, "late": 1}, step=2)
    again.save()
    rows = (tmp_path / folder / "csv" / "metrics.csv").read_text().splitlines()
    assert rows == ["late,loss,other,step", f",{0.1 + 0.2},,1", ",,3,1", "1,2.0,,2"]


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
