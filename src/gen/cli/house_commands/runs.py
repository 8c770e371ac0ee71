"""Training runs in the house's log: entering an end late, rebuilding a model."""

from __future__ import annotations

import random
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import Console, house_command
from gen.errors import HouseError, SettingError

if TYPE_CHECKING:
    from gen.provenance.history.runs import Run
    from gen.training.rebuild import Recorded


@house_command
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
def end_command(*, output: Console, run: Path) -> None:
    """Enter the end of a run whose folder RUN still holds it, as the log could not be written."""
    from gen.provenance.desk.ending import forget_end, kept_end
    from gen.provenance.desk.recording import end_run
    from gen.provenance.houses.access import key_for_role
    from gen.provenance.records.roster import TRAINER

    house = output.open_house()
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


@house_command
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--segment",
    "numbers",
    type=click.IntRange(1),
    multiple=True,
    metavar="K",
    help="Replay this segment alone; several times for several.",
)
@click.option(
    "--segments",
    "chance",
    metavar="random:N",
    help="Replay N segments drawn at random, and the first and the last.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Of that draw; it is said where none is given."
)
@click.option(
    "--transcript",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="The run's transcript; by default transcript.jsonl beside MODEL.",
)
@click.option(
    "--init",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The model whose weights the run began with, where it began with another's.",
)
@click.option(
    "--within",
    is_flag=True,
    help="Compare how near the weights are, where bits cannot agree: for runs on a GPU.",
)
def rebuild_command(
    *, output: Console, model: Path, numbers: tuple[int, ...], chance: str | None, seed: int | None,
    transcript: Path | None, init: Path | None, within: bool,
) -> None:  # fmt: skip
    """Train MODEL again as the log says, and compare every bit: all of it, or some segments.

    The works that it learned from are admitted anew by the gate and learned in the same order, with
    the settings in the run's begin act. Exits 0 when the same comes out, 2 when not, naming the
    first segment that differs. Nothing is written.

    With --within, for a run in arithmetic that this computer has not: segments from kept state to
    kept state are replayed in every arithmetic that it has, and with one foreign window. Exits 0
    when the recorded weights are as near as honest replays are, 2 when they are further away, or
    when one foreign window would not show.
    """
    from gen.arithmetic import PORTABLE, begin_portably
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind, transcript_of

    house = output.open_house()
    file = read_model_file(model)
    run = run_behind(file, house.load(anew=True))
    if run.begin is None:
        raise _cannot(model, f"{run} is asserted: nothing in the log shows how it was trained")
    found = transcript_of(run, file, transcript or model)
    if within or f'"arithmetic":"{PORTABLE}"' in run.begin.recipe:
        begin_portably("house", "gen-house")  # and torch, which is loaded next, computes so
    try:
        from gen.training.rebuild import Recorded
    except ModuleNotFoundError as error:
        raise _cannot(model, f"{error.name} is not installed: make setup installs it") from error

    recorded = Recorded(house.pin, run.begin, file, model, run.models, found, model.parent, init)
    chosen = _chosen(recorded.segments, numbers, chance, seed, output)
    if within:
        _compare_nearness(recorded, chosen, seed or 0, output)
        return
    if found is None:
        output.line("no transcript lies beside it: all is replayed, and the weights are compared")
    _replay(recorded, chosen, output)
    _show_rebuilt(recorded, run, chosen, output)


def _cannot(model: Path, why: str) -> Exception:
    return HouseError(f"cannot be rebuilt: {why}", where=str(model),
        mend="name a model that a run of this house left")  # fmt: skip


def _chosen(
    count: int, numbers: tuple[int, ...], chance: str | None, seed: int | None, output: Console
) -> list[int]:
    """Which segments are replayed, ascending."""
    if beyond := [number for number in numbers if number > count]:
        raise SettingError(f"there are {count} segments", where=f"--segment {beyond[0]}")
    if chance is None:
        return sorted(set(numbers)) or list(range(1, count + 1))
    drawn = re.fullmatch(r"random:(\d{1,6})", chance)
    if drawn is None or numbers:
        raise SettingError(f"{chance!r:.40}", where="--segments",
            mend="--segments random:N draws N of them; --segment K names one")  # fmt: skip
    if seed is None:
        seed = secrets.randbelow(1 << 32)
        output.line(f"drawn with --seed {seed}")
    between = range(2, count)
    some = random.Random(seed).sample(between, min(int(drawn[1]), len(between)))  # noqa: S311
    return sorted({1, count, *some})


def _replay(recorded: Recorded, chosen: list[int], output: Console) -> None:
    from gen.training.rebuild import Replays, differences

    with output.busy("admitting works"):
        replays = Replays(recorded)
    for words in differences(recorded.begin, replays.mode()):
        output.line(f"{words}: the bits decide")
    stretches = replays.stretches(chosen)
    with output.progress("steps", sum(each.last - each.first for each in stretches)) as advance:
        for stretch in stretches:
            begin = "the seed" if not stretch.first else f"the state kept at step {stretch.first}"
            output.line(f"replaying from {begin} to step {stretch.last}")
            try:
                replays.replay(stretch, advance)
            except KeyboardInterrupt:
                output.line("stopped: nothing was written; what was compared so far was the same")
                raise SystemExit(130) from None


def _compare_nearness(recorded: Recorded, chosen: list[int], seed: int, output: Console) -> None:
    from gen.training.nearness import Nearby, words_of
    from gen.training.rebuild import Differs, differences

    with output.busy("admitting works"):
        replays = Nearby(recorded)
    for words in differences(recorded.begin, replays.mode()):
        output.line(words)
    stretches = replays.between_states(chosen)
    found = []
    with output.progress("steps", sum(map(replays.replays_of, stretches))) as advance:
        for stretch in stretches:
            try:
                found.append(replays.nearness(stretch, seed, advance))
            except KeyboardInterrupt:
                output.line("stopped: nothing was written")
                raise SystemExit(130) from None
            output.line(words_of(found[-1]))
    where, steps = str(recorded.path), [f"{s.stretch.first} to {s.stretch.last}" for s in found]
    if far := [name for name, each in zip(steps, found, strict=True) if not each.is_near]:
        raise Differs(
            f"steps {', '.join(far)}: the recorded weights are further away than honest replays "
            "are, while the windows in the record are those that works, settings and seed give",
            where=where,
            mend="replay on the kind of processor that the begin act names; if that is no nearer, "
            "the record is false",
        )
    if blind := [name for name, each in zip(steps, found, strict=True) if not each.separates]:
        raise Differs(
            f"steps {', '.join(blind)}: honest replays differ as much as one foreign window makes, "
            "so that nothing can be told",
            where=where,
            mend="ask for states that were kept more often (trainer.keep_states)",
        )
    output.line(
        f"as near as honest replays are: steps {', '.join(steps)}; the same windows were shown. "
        "One foreign window in their place would have shown; less than that would not"
    )
    apart, limits = [each.record for each in found], [each.limit for each in found]
    name = recorded.begin.name
    output.result(run=name, equal=False, near=True, steps=steps, distances=apart, limits=limits)


def _show_rebuilt(recorded: Recorded, run: Run, chosen: list[int], output: Console) -> None:
    count, works = recorded.segments, len(run.works)
    which = f"all {count} segments" if len(chosen) == count else (
        f"{len(chosen)} of {count} segments ({', '.join(map(str, chosen))})"
    )  # fmt: skip
    if recorded.transcript is None:
        which = "the whole"
    end = f"; the weights at its end are those of {recorded.path}" if count in chosen else ""
    output.line(f"the same bits: {which} of {run}, from the {works} works that the log names{end}")
    if recorded.begin.start:
        output.line(
            f"it began with the weights of a model whose tensors are {recorded.begin.start}: that "
            "one is rebuilt in its own house, by itself"
        )
    if len(chosen) < count:
        output.line("what lies between was not replayed: the transcript's word stands for it")
    output.result(run=run.index, segments=chosen, of=count, equal=True, works=list(run.works))
