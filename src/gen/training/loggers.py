"""Where a run's curves go. Nothing of the works does: only settings, names and numbers."""

from __future__ import annotations

import os
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from gen.errors import SettingError
from gen.training.settings import LoggerConfig, RunConfig


def make_logger(config: LoggerConfig, run: RunConfig, out: Path) -> Logger | bool:
    """The logger that is asked for; False for none.

    MLflow writes to the server that MLFLOW_TRACKING_URI names, else beside the run's folder;
    Weights & Biases sends to its service unless WANDB_MODE is `offline`.

    Raises:
        SettingError: its package is not installed.
    """
    try:
        match config.name:
            case "tensorboard":
                return TensorBoardLogger(out, "", "tensorboard", default_hp_metric=False)
            case "csv":
                return CSVLogger(out, name="", version="csv")
            case "mlflow":
                return _mlflow(run, out)
            case "wandb":
                return _wandb(run, out)
    except ModuleNotFoundError as error:
        raise SettingError(
            f"{config.name} is not installed", where="logger",
            mend='install it: .venv/bin/pip install -e ".[trackers]"',
        ) from error  # fmt: skip
    return False


def _mlflow(run: RunConfig, out: Path) -> Logger:
    from lightning.pytorch.loggers import MLFlowLogger

    place = os.environ.get("MLFLOW_TRACKING_URI")
    database = f"sqlite:///{(out.parent / 'mlflow.db').absolute().as_posix()}"
    return MLFlowLogger(run.name, run_name=out.name, tracking_uri=place or database)


def _wandb(run: RunConfig, out: Path) -> Logger:
    from lightning.pytorch.loggers import WandbLogger

    # Neither the code nor what has been changed in it leaves this machine.
    quiet = {"disable_git": True, "save_code": False}
    return WandbLogger(name=out.name, project=run.name, save_dir=out, settings=quiet)
