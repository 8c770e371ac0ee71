"""What a notebook needs, as functions of `gen` itself: `import gen`, then `gen.sample(bars=16)`.

Settings are those of the commands, with the same names, defaults and checks: by keyword
(`bars=16`), and what has a dot or is a choice as on the command line (`"trainer.max_steps=100"`,
`"experiment=demo"`). The gate, the log and the receipts are the same ones, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.types import RunMode

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.cli.composed import CheckedLoader, Judge, settings_of
from gen.cli.evaluate import judge as judge_evaluate
from gen.cli.known import names_of
from gen.cli.quoting import quoted, with_text_quoted
from gen.cli.sample import judge as judge_sample
from gen.cli.train import judge as judge_train
from gen.data.admission import Admitted, take_in
from gen.data.choosing import CorpusConfig
from gen.data.splits import SplitConfig
from gen.places import of_project
from gen.provenance.houses.house import House
from gen.provenance.manifests.recorded import run_if_recorded
from gen.provenance.records.pin import load_pin
from gen.sampling.opening.checkpoints import find_checkpoint
from gen.tokens.choice import GRID
from gen.tokens.tokenizer import HouseTokenizer

if TYPE_CHECKING:
    from lightning import Callback

    from gen.sampling.takes import Sampled


STARTER = "conf/house/starter.yaml"


def open_house(pin: str | Path = STARTER) -> House:
    """A house, named by its trust pin.

    Raises:
        HouseError: there is no such pin, or no such house.
    """
    return House(load_pin(_pin(pin)))


def corpus(
    house: House,
    *,
    purpose: str = "general_model",
    where: str | None = None,
    split: SplitConfig = SplitConfig(),  # noqa: B008 - frozen
) -> Admitted:
    """The works that the gate admits, as events, split as for training.

    Args:
        house: whose works.
        purpose: consent that every work must grant.
        where: such works alone, as in `genre=waltz composer=ana`.
        split: what is kept out of training.

    Raises:
        HouseError: a file of the house is refused (all are listed), or no work is left.
    """
    chosen = CorpusConfig(where)
    return take_in(house.folder, house.pin, purpose, split, tokenizer(), chosen=chosen)


def tokenizer(timing: str = GRID) -> HouseTokenizer:
    """MidiTok's tokenizer of the house's events.

    Args:
        timing: `played` to keep what was played in beside the grid.
    """
    return HouseTokenizer(timing=timing)


def load(
    checkpoint: str | Path = "last", *, house: House | None = None, unrecorded: bool = False
) -> Checkpoint:
    """A model, held against the log of the house that it learned from.

    Args:
        checkpoint: file, or `last`: the newest of any run, else the shipped one.
        house: whose model it is; the starter house where nothing is said.
        unrecorded: take a model, too, that the log does not know.

    Raises:
        HouseError: it cannot be read, is of another house, or the log does not know it.
    """
    house = house or open_house()
    found = load_checkpoint(find_checkpoint(str(checkpoint)))
    register = house.load()
    found.manifest.check_entered(register)
    run_if_recorded(found.file, register, unrecorded=unrecorded)
    return found


def train(
    *overrides: str, out: str | Path, callbacks: Sequence[Callback] = (), **settings: Any
) -> dict[str, Any]:
    """A training run, as `scripts/train.py` does it.

    Args:
        overrides: settings as on its command line.
        out: folder of the run.
        callbacks: Lightning's, of one's own, which are called beside those of the run. What they
            do no record shows: the manifest names their kinds, and `house.py rebuild` refuses.
            Those of an installed package (`plugins.callbacks`) can be rebuilt.
        settings: by keyword.

    Returns:
        Bits per note, steps, the files of the checkpoints.

    Raises:
        HouseError: a setting is wrong, or a file of the house is refused.
    """
    from gen.training import run

    found, _ = _composed("train", judge_train, overrides, settings)
    Path(out).mkdir(parents=True, exist_ok=True)
    return run.train(found, Path(out), callbacks)


def sample(*overrides: str, **settings: Any) -> list[Sampled]:
    """New pieces, as `scripts/sample.py` writes them, without pages and sound.

    Args:
        overrides: settings as on its command line.
        settings: by keyword.

    Returns:
        The pieces, each with its notes (`piece`), file (`midi`) and receipt (`record`).

    Raises:
        HouseError: the request cannot be met.
    """
    from gen.sampling.request import SampleRequest
    from gen.sampling.run import sample as write

    found, asked = _composed("sample", judge_sample, overrides, settings)
    return write(SampleRequest.of(found, names_of(asked)))


def evaluate(*overrides: str, **settings: Any) -> dict[str, Any]:
    """What checkpoints are worth, as `scripts/evaluate.py` measures it.

    Args:
        overrides: settings as on its command line.
        settings: by keyword.

    Returns:
        The report, which also lies as `report.json` and `report.html` in the folder `out`.

    Raises:
        HouseError: a setting is wrong, or the checkpoints or the house cannot be used.
    """
    from gen.evaluation import run

    found, _ = _composed("evaluate", judge_evaluate, overrides, settings)
    report: dict[str, Any] = json.loads(run.evaluate(found).with_suffix(".json").read_text("utf-8"))
    return report


def _composed(
    root: str, judge: Judge, overrides: Sequence[str], settings: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The settings of a command, and those that were asked for as name=value."""
    asked = [*map(with_text_quoted, overrides)]
    asked += [f"{name}={_written(value)}" for name, value in settings.items()]
    config = CheckedLoader(root, judge).load_configuration(root, asked, RunMode.RUN)
    found = settings_of(config)
    return {**found, "pin": str(_pin(found["pin"]))}, asked


def _written(value: object) -> str:
    """A value as Hydra reads it."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str):
        return value if value.isidentifier() else quoted(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    return json.dumps(value)


def _pin(path: str | Path) -> Path:
    return of_project(path) if str(path) == STARTER else Path(path)
