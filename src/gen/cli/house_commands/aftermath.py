"""What a withdrawal touches, and taking models out of use: impact, retire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import RUN, Console, house_command
from gen.errors import SettingError, counted

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.history.runs import Run


@house_command
@click.argument("works", nargs=-1, required=True, metavar="WORK...")
def impact_command(*, output: Console, works: tuple[str, ...]) -> None:
    """List the runs, models and pieces that works have gone into, and what can be done.

    For each run: how to retire its models, and the command that trains one anew. Works that were
    withdrawn by then are left out of it by the gate.
    """
    from gen.cli.house_commands.works import show_impact
    from gen.cli.retraining import retraining
    from gen.provenance.desk.works import known_work
    from gen.provenance.history.impact import impact_of

    house, register = output.load_house()
    for work in works:
        known_work(register, work)
    impact = impact_of(register, works)
    show_impact(impact, output)
    known = [
        {
            "index": run.index,
            "retired": all(register.retired(model.file_sha256) for model in run.models),
            "retire": f"python scripts/house.py retire --run {run.index}",
            "retrain": retraining(run, house.pin.path or house.folder / "pin.yaml"),
            "works_left": sum(register.works[w].withdrawn_at is None for w in run.works),
        }
        for run in impact.runs
        if run.models
    ]
    for each in known:
        _show_run(each, output)
    output.result(works=list(works), models=known, **impact.to_dict())


def _show_run(each: dict[str, Any], output: Console) -> None:
    output.line(f"run {each['index']}:")
    retired = "its models are retired" if each["retired"] else each["retire"]
    output.line(f"  to retire: {retired}")
    how = each["retrain"] or "the log has no settings of it: train as it was trained"
    output.line(f"  to retrain, on what {each['works_left']} works still grant: {how}")


@house_command
@click.argument("models", nargs=-1, type=click.Path(path_type=Path), metavar="[MODEL]...")
@RUN
@click.option("--reason", default="", help="It stays in the log for ever: name nobody in it.")
@click.option("--as", "person", metavar="ID", help="A curator (found by your key), or `root`.")
def retire_command(
    *, output: Console, models: tuple[Path, ...], index: int | None, reason: str,
    person: str | None,
) -> None:  # fmt: skip
    """Retire models, each by its file, or all of a run: nothing is written with them any more.

    sample.py and the studio refuse them from now on, unless told retired=true, which receipts then
    say. Nothing is deleted.
    """
    from gen.provenance.desk.granting import retire
    from gen.provenance.houses.access import keys_of, person_at_hand
    from gen.provenance.records.roster import CURATOR

    house, register = output.load_house()
    if bool(models) == (index is not None):
        raise SettingError("which models?", mend="name their files, or --run INDEX")
    wanted = _models_of(register.runs.at(index)) if index is not None else _named(models, register)
    new = {
        run: [sha for sha in files if register.retired(sha) is None]
        for run, files in wanted.items()
    }
    count = sum(map(len, new.values()))
    if not count:
        output.line("retired already")
        output.result(retired=[])
        return
    output.confirm(f"Retire {counted(count, 'model')}?")
    keys = keys_of(register, person or person_at_hand(register, CURATOR, option="--as"))
    retired = []
    for run_index, files in new.items():
        if files:
            act = retire(house, keys, register.runs.by_index[run_index], files, reason)
            output.line(
                f"retired {counted(len(files), 'model')} of run {run_index}: act {act.index}"
            )
            retired += files
    output.result(retired=retired)


def _models_of(run: Run) -> dict[int, list[str]]:
    if not run.models:
        raise SettingError(f"{run} left no model")
    return {run.index: [model.file_sha256 for model in run.models]}


def _named(models: tuple[Path, ...], register: Register) -> dict[int, list[str]]:
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind

    found: dict[int, list[str]] = {}
    for path in models:
        file = read_model_file(path)
        found.setdefault(run_behind(file, register).index, []).append(file.file_sha256)
    return found
