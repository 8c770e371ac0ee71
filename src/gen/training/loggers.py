"""Where a run's curves go. Nothing of the works does: only settings, names and numbers."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.logger import _convert_params, _flatten_dict
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.tensorboard.summary import hparams

from gen.disk.reading import RUN_CURVES, read_text
from gen.errors import SettingError
from gen.training.settings.run_settings import LoggerConfig, RunConfig

FIGURE = "validation/bits_per_note"
"""By which TensorBoard compares runs of several settings."""


class RunTensorBoard(TensorBoardLogger):
    """TensorBoard's files, with the settings where its page of hyperparameters looks for them."""

    @rank_zero_only
    def log_hyperparams(
        self, params: Any, metrics: Mapping[str, Any] | None = None, step: int | None = None
    ) -> None:
        """Lightning writes them beside a first value of some figure alone, which no run has yet."""
        super().log_hyperparams(params)
        flat = self._sanitize_params(_flatten_dict(_convert_params(params)))
        writer = self.experiment._get_file_writer()
        for summary in hparams(flat, {FIGURE: 0.0}):  # type: ignore[no-untyped-call]
            writer.add_summary(summary, step)


class RunTable(CSVLogger):
    """A CSV file; that of a resumed run begins with what led to it.

    Args:
        out: folder of the run.
        earlier: folder of the run that it goes on from.
    """

    def __init__(self, out: Path, earlier: Path | None = None) -> None:
        super().__init__(out, name="", version="csv")
        path = earlier and earlier / "csv" / "metrics.csv"
        text = read_text(path, RUN_CURVES) if path and path.is_file() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()  # what was cut short came later
        self.earlier = [{k: v for k, v in row.items() if v} for row in csv.DictReader(lines)]

    @property
    def experiment(self) -> Any:
        """What writes the file. Lightning's removes one that is there; here it stays till then."""
        here = Path(self.log_dir) / "metrics.csv"
        is_first = self._experiment is None and not getattr(rank_zero_only, "rank", 0)
        if not (is_first and self.earlier and here.is_file()):
            return super().experiment
        kept = here.read_bytes()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is not empty")
            made = super().experiment
        here.write_bytes(kept)
        return made

    @rank_zero_only
    def go_on_at(self, step: int) -> None:
        """Write the rows of the earlier run's steps before this one."""
        self.experiment.metrics[:0] = [
            {**row, "step": at} for row in self.earlier if (at := int(row.get("step", step))) < step
        ]
        self.earlier = []
        Path(self.experiment.metrics_file_path).unlink(missing_ok=True)
        self.save()


def make_logger(
    config: LoggerConfig, run: RunConfig, out: Path, earlier: Path | None = None
) -> Logger | bool:
    """The logger that is asked for; False for none; `earlier`: folder of the run to go on from.

    MLflow writes to the server that MLFLOW_TRACKING_URI names, else beside the run's folder;
    Weights & Biases sends to its service unless WANDB_MODE is `offline`.

    Raises:
        SettingError: its package is not installed.
    """
    try:
        match config.name:
            case "tensorboard":
                return RunTensorBoard(out, "", "tensorboard", default_hp_metric=False)
            case "csv":
                return RunTable(out, earlier)
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
