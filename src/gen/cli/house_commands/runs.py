"""Training runs in the house's log: entering an end late, rebuilding a model."""

from __future__ import annotations

from pathlib import Path

import click

from gen.cli.house_commands.common import Output, house_command, open_house


@house_command
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
def end_command(
    *, folder: Path | None, pin: Path | None, yes: bool, output: Output, run: Path
) -> None:
    """Enter the end of a run whose folder RUN still holds it, as the log could not be written."""
    del yes
    from gen.errors import HouseError
    from gen.provenance.access import key_for_role
    from gen.provenance.ending import forget_end, kept_end
    from gen.provenance.recording import end_run
    from gen.provenance.roster import TRAINER

    house = open_house(folder, pin)
    register, end = house.load(), kept_end(run, house.pin.name)
    known = register.runs.by_index.get(end.begin)
    if known is not None and known.ended_at is not None:
        forget_end(run)
        output.line(f"run {end.begin} of {house.pin.name} ended at act {known.ended_at} already")
        output.result(run=end.begin, act=known.ended_at)
        return
    key = key_for_role(register, TRAINER)
    if key is None:
        raise HouseError(
            f"no trainer's key of {house.pin.name} is on this computer",
            mend="enter it where the run was begun",
        )
    at = end_run(house, key, end)
    forget_end(run)
    output.line(f"recorded: run {end.begin} of {house.pin.name} ended at act {at}")
    output.result(run=end.begin, act=at)
