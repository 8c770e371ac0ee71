r"""What the house says to others, from its records: answers to letters, copies, summaries.

\b
    python scripts/disclose.py answer LIST --checkpoint FILE --from NAME --out DIR
    python scripts/disclose.py check PAPER
    python scripts/disclose.py reserve LIST --from NAME
    python scripts/disclose.py copies WORK...
    python scripts/disclose.py summary CHECKPOINT --says FILE
    python scripts/disclose.py card CHECKPOINT [--report report.json]
    python scripts/disclose.py bom CHECKPOINT [--report report.json]
    python scripts/disclose.py dataset CHECKPOINT [--license URL]
    python scripts/disclose.py ddex RECEIPT [--composer NAME] [--performer NAME]
    python scripts/disclose.py enter PAPER --kind WORD
    python scripts/disclose.py causal CHECKPOINT --steps N
    python scripts/disclose.py homogenisation

Exit codes: 0 done, 1 a bug of ours, 2 refused or misused. docs/letter.md goes through it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.careful import CarefulGroup
from gen.cli.house_commands.accounts import drift_command
from gen.cli.house_commands.common import WHICH_CURATOR, Console, house_command
from gen.cli.papers import (
    FILE,
    MODEL,
    PAPER_COMMANDS,
    ModelPaper,
    giver,
    json_text,
    writes_paper,
)  # fmt: skip
from gen.errors import HouseError, SettingError, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
LOOK = click.option(
    "--look", "folders", type=FOLDER, multiple=True, metavar="FOLDER",
    help="Look for copies there, too: runs, exports, drives. May be given several times.",
)  # fmt: skip
CACHES = click.option(
    "--cache", "cache_folders", type=FOLDER, multiple=True, metavar="FOLDER",
    help="Another cache folder, as HOUSE_CACHE named one for some command. Several times.",
)  # fmt: skip


@click.group(cls=CarefulGroup, help=__doc__)
def main() -> None:
    pass


@house_command
@click.argument("asked", type=FILE, metavar="LIST")
@click.option(
    "--checkpoint", type=FILE, required=True, metavar="FILE", help="The model in question."
)
@click.option("--from", "sender", required=True, metavar="NAME", help="Who wrote the letter.")
@click.option("--received", default="", metavar="DAY", help="When it came; today by default.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="A folder for the answer.")  # fmt: skip
@click.option("--no-memory-test", is_flag=True, help="Do not ask the model for what was found.")
@LOOK
@CACHES
@WHICH_CURATOR
def answer_command(
    *, output: Console, asked: Path, checkpoint: Path, sender: str, received: str, out: Path,
    no_memory_test: bool, folders: tuple[Path, ...], cache_folders: tuple[Path, ...],
    curator: str | None,
) -> None:  # fmt: skip
    """Answer a letter: hold its LIST of fingerprints against all works behind a model.

    Its pieces are held against what models with these works wrote, too. Works that agree are asked
    of the model (how much of them comes back), and their copies are listed. The answer is signed by
    a curator: answer.json, the same as a page in answer.md, and proofs. Its digest is entered in
    the log.
    """
    from gen.disclosure.answer import Letter, answer_of, check_free, write_answer
    from gen.disclosure.page import page_of
    from gen.likeness.print_lists import read_print_list
    from gen.provenance.houses.access import key_to_enter
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.records.consent import parse_day
    from gen.provenance.signing.canonical import today_utc

    check_free(out)
    house, register = output.load_house()
    key = key_to_enter(house, register, curator)
    day = parse_day(received) if received else today_utc()
    found, digest = read_print_list(asked)
    letter = Letter(sender, day.isoformat(), found, digest)
    model = read_model_file(checkpoint)
    test = None if no_memory_test else _memory_test(house, checkpoint)
    with output.progress("reading works", len(model.manifest.works)) as advance:
        answer = answer_of(
            house, letter, model, folders=folders, cache_folders=cache_folders, memory_test=test,
            advance=lambda: advance(1),
        )  # fmt: skip
    page = page_of(answer)
    files, act = write_answer(house, register, out, answer, page, key)
    hits = len({match["listed"] for match in answer["matches"]})
    output.line(
        f"{hits} of {counted(len(found.works), 'piece')} agree with something of the house; "
        f"{counted(len(answer['copies']), 'place')} with copies"
    )
    for path in files:
        output.line(f"wrote {path}")
    output.line(f"entered: act {act}")
    output.result(files=[str(path) for path in files], answer=answer, act=act)


def _memory_test(house: House, checkpoint: Path) -> Any:
    def test(works: Sequence[str]) -> dict[str, Any]:
        from gen.checkpoint import load_checkpoint
        from gen.disclosure.memory import memory_test

        return memory_test(house.pin, load_checkpoint(checkpoint), works)

    return test


@house_command
@click.argument("asked", type=FILE, metavar="LIST")
@click.option("--from", "sender", required=True, metavar="NAME", help="Who reserves their works.")
@WHICH_CURATOR
def reserve_command(*, output: Console, asked: Path, sender: str, curator: str | None) -> None:
    """Enter that a rights-holder reserves the pieces of a LIST: a dated act, signed by a curator.

    From then on what agrees with one of them is not contributed and not accepted, and a model's
    piece that does is not given out. It is entered as a complaint (house.py complain --list) and
    answered as one; the works of the house that agree already are found by `answer` and taken out
    by house.py withdraw.
    """
    from gen.disk.reading import FINGERPRINTS, read
    from gen.likeness.print_lists import read_print_list
    from gen.provenance.desk.reservations import reserve
    from gen.provenance.houses.access import curators_key

    house = output.open_house()
    found, digest = read_print_list(asked)
    one = f"Reserve {counted(len(found.works), 'piece')} of {sender} from now on?"
    output.confirm(one)
    key = curators_key(house.load(), curator)
    act = reserve(house, key, sender, read(asked, FINGERPRINTS))
    output.line(f"act {act}: {sender} reserves {counted(len(found.works), 'piece')}")
    output.line(f"answer it: house.py complain --answer {act} --text …")
    output.result(act=act, list_sha256=digest, works=len(found.works))


@house_command
@click.argument("works", nargs=-1, metavar="[WORK]...")
@click.option("--purge", is_flag=True, help="Delete copies and caches; a curator signs which.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE",
              help="For the signed record of a purge; purge-TIME.json by default.")  # fmt: skip
@click.option("--answers", type=int, metavar="ACT",
              help="Enter the purge as the answer to this complaint or reservation.")  # fmt: skip
@LOOK
@CACHES
@WHICH_CURATOR
def copies_command(
    *, output: Console, works: tuple[str, ...], purge: bool, record: Path | None,
    answers: int | None, folders: tuple[Path, ...], cache_folders: tuple[Path, ...],
    curator: str | None,
) -> None:  # fmt: skip
    """List every copy of works: where it is, of which kind, why, until when.

    With --purge copies and caches are deleted; what stays (originals, models that learned from a
    work, states of runs) is listed with what ends it. A curator's key signs what was deleted and
    what stays: its digest is in the log, and `check` verifies the record.
    """
    from gen.disclosure import copies
    from gen.provenance.desk.works import known_work

    house, register = output.load_house()
    chosen = [known_work(register, work).entry.work for work in works] or list(register.works)
    found = copies.inventory(house, register, chosen, folders, cache_folders)
    unseen = copies.not_seen(register, chosen, found)
    gone: list[copies.WorkCopy] = []
    if purge:
        if not works:
            raise SettingError("of no work", where="--purge", mend="name the works: copies WORK …")
        sign = _purge_signer(house, register, curator, record, answers)
        for copy in found:
            if copies.may_go(house, copy):
                output.line(f"would delete {copy.kind}: {copy.place}")
        one = f"Delete these copies and caches of {counted(len(chosen), 'work')}?"
        output.confirm(one)
        gone, found = copies.purge(house, found)
        place = sign(copies.record_of_purge(house, register, chosen, gone, found))
    rows = [(c.work or "(all)", c.kind, c.place, c.files, c.why, c.until) for c in found]
    for copy in gone:
        output.line(f"deleted {copy.kind}: {copy.place}")
    output.table(("work", "kind", "place", "files", "why", "until"), rows)
    for model in unseen:
        output.line(
            f"not seen here: {model['name']} of run {model['run']} ({model['run_name']}), which "
            "learned from them; look where it lies, too: --look FOLDER"
        )
    if purge:
        output.line(f"wrote {place}")
    output.result(
        copies=[c.to_dict() for c in found], deleted=[c.to_dict() for c in gone],
        models_not_seen=unseen, record=str(place) if purge else None,
    )  # fmt: skip


def _purge_signer(
    house: House, register: Register, curator: str | None, record: Path | None, answers: int | None
) -> Callable[[dict[str, Any]], Path]:
    """What signs the record of a purge and enters it; all that could refuse is asked for now."""
    from gen.disclosure.entered import enter_paper
    from gen.disclosure.signed import PURGE_TYPE, sign_paper
    from gen.disk import check_can_write, write_atomically
    from gen.provenance.desk.complaints_desk import answer
    from gen.provenance.houses.access import key_to_enter
    from gen.provenance.signing.canonical import sha256_hex, utc_now

    key = key_to_enter(house, register, curator)
    place = record or Path(f"purge-{utc_now().replace(':', '')}.json")
    if place.exists():
        raise SettingError(f"{place} is there already", where="--record", mend="name another file")
    check_can_write(place)
    if answers is not None and answers not in register.complaints.entered:
        raise SettingError(
            f"act {answers} is no complaint", where="--answers",
            mend="house.py complain --list lists them",
        )  # fmt: skip

    def sign(purged: dict[str, Any]) -> Path:
        data = sign_paper(purged, PURGE_TYPE, register, key)
        write_atomically(place, data)
        enter_paper(house, key, data, "record of a purge")
        if answers is not None:
            deleted = counted(len(purged["deleted"]), "place")
            text = f"copies of {', '.join(purged['works'])} deleted in {deleted}; record"
            answer(house, key, answers, f"{text} SHA-256 {sha256_hex(data)}")
        return place

    return sign


@house_command
@MODEL
@click.option("--composer", "composers", multiple=True, metavar="ID",
              help="Whose works are left out; each composer's in turn by default.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), default=300, show_default=True,
              help="Of each model.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(5), default=5, show_default=True,
              help="Models with all works, and as many without each composer's.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the figures of every model there, as JSON.")  # fmt: skip
def causal_command(
    *, output: Console, checkpoint: Path, composers: tuple[str, ...], steps: int, seeds: int,
    out: Path | None,
) -> None:  # fmt: skip
    """Say what each composer's works cause: train small models with and without them.

    With a model's own settings, for few steps and several seeds, judged on the same held-out works;
    the change has an interval over seeds, or it is said how large one would have been seen. Takes
    the time of (1 + composers) x seeds trainings. None of these models is kept or entered.
    """
    import json

    from gen.disclosure.causal import causal, to_plain
    from gen.disk import check_can_write, write_atomically
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind

    if out is not None:
        check_can_write(out)
    house, register = output.load_house()
    run = run_behind(read_model_file(checkpoint), register)
    if run.begin is None or not run.begin.recipe:
        raise HouseError(f"the log does not hold the settings of {run}",
                         where=str(checkpoint), mend="name another model")  # fmt: skip
    each = f"{seeds} for all and for each composer's absence"
    output.confirm(f"Train models of {steps} steps, {each}?")
    recipe = json.loads(run.begin.recipe)
    with output.busy("training"):
        effects, models = causal(
            house.pin, register, recipe, composers=composers, steps=steps, seeds=seeds
        )
    rows = [(e.composer, e.left_out, e.words) for e in effects]
    output.table(("composer", "works left out", "bits a note of held-out works of others"), rows)
    output.line(
        f"{models['works']} training works, {models['held_out']} held out, {seeds} seeds, {steps} "
        "steps; an effect is of these works and of having fewer, in models of so few steps"
    )
    found = {"effects": to_plain(effects), "run": run.index, **models}
    if out is not None:
        write_atomically(out, json_text(found).encode("utf-8"))
        output.line(f"wrote {out}")
    output.result(**found)


@house_command
@click.argument("receipt", type=FILE, metavar="RECEIPT")
@click.option(
    "--composer", "composers", multiple=True, metavar="NAME",
    help="Who wrote the file that was brought, or reworked the piece. Several times.",
)  # fmt: skip
@click.option("--performer", "performers", multiple=True, metavar="NAME",
              help="Who plays in the recording. Several times.")  # fmt: skip
@writes_paper
def ddex_command(
    *, output: Console, receipt: Path, composers: tuple[str, ...], performers: tuple[str, ...],
    **where: Any,
) -> None:  # fmt: skip
    """Declare to a distributor what of a piece a machine made, in the elements of DDEX ERN 4.3.2.

    From the piece's receipt. Whether people wrote or played something of it no record knows:
    name them. Identifiers, titles and deals are left to the distributor's own tools.
    """
    from gen.disclosure.ddex import NamedPeople, declared
    from gen.sampling.receipt import read_receipt, standing

    house = output.open_house()
    give = giver(house, output, **where)
    found = read_receipt(receipt)
    register = house.load()
    known, people = standing(found, register), NamedPeople(composers, performers)
    ours = {piece.sha256 for piece in register.runs.pieces}
    text = declared(found.record, found.digest, people, known, ours)
    act = give(ModelPaper("ddex", text, found.record["checkpoint_sha256"]))
    output.result(declaration=text, act=act)


for command in (
    answer_command, causal_command, copies_command, ddex_command, reserve_command, *PAPER_COMMANDS,
):  # fmt: skip
    main.add_command(command)
main.add_command(drift_command, "homogenisation")


if __name__ == "__main__":
    main(prog_name="disclose.py")
