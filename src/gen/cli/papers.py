"""Papers that the house writes about its models, entering them in its log, and checking one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import WHICH_CURATOR, Console, house_command
from gen.errors import SettingError, found_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen.disclosure.account import Account
    from gen.provenance.houses.house import House
    from gen.provenance.records.papers import PaperAct

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
MODEL = click.argument("checkpoint", type=FILE, metavar="CHECKPOINT")
REPORT = click.option(
    "--report", type=FILE, metavar="FILE", help="report.json of an evaluation of this model."
)
AS_OF = click.option(
    "--as-of", default="", metavar="DAY", help="From the records as they stood at the end of a day."
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Where it goes; by default it is printed.",
)  # fmt: skip
ENTER = click.option(
    "--enter", is_flag=True, help="Enter the digest of --out in the log; a curator signs."
)


def writes_paper(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where a paper goes, and whether the log is to have its digest."""

    @functools.wraps(command)
    def judged(*, out: Path | None, enter: bool, **more: Any) -> None:
        if enter and out is None:
            raise SettingError("nothing would hold what is entered", where="--enter",
                mend="add --out FILE")  # fmt: skip
        command(out=out, enter=enter, **more)

    return OUT(ENTER(WHICH_CURATOR(judged)))


@house_command
@MODEL
@click.option("--says", type=FILE, required=True, metavar="FILE",
              help="What the house says where records cannot; docs/letter.md.")  # fmt: skip
@AS_OF
@writes_paper
def summary_command(
    *, output: Console, checkpoint: Path, says: Path, as_of: str, **where: Any
) -> None:
    """Write the public summary of what a model learned from (EU template of July 2025).

    Figures are computed from the records and the works. Exits 2 where the house says no and its
    records say otherwise.
    """
    from dataclasses import asdict

    from gen.disclosure.summary import read_sayings, summary_of

    sayings = read_sayings(says)
    house = output.open_house()
    give = giver(house, output, **where)
    account = _account(house, checkpoint, output, as_of=as_of)
    text = summary_of(account, sayings)
    act = give(ModelPaper("summary", text, account.model.file_sha256))
    output.result(summary=text, figures=asdict(account.figures), act=act)


@house_command
@MODEL
@REPORT
@AS_OF
@writes_paper
def card_command(
    *, output: Console, checkpoint: Path, report: Path | None, as_of: str, **where: Any
) -> None:
    """Write a model's card: what it is, what it learned from, how well it does, its limits.

    Figures are from the records, the works, the model's file and a report of scripts/evaluate.py.
    """
    from dataclasses import asdict

    from gen.disclosure.card import card_of

    house = output.open_house()
    give = giver(house, output, **where)
    account = _account(house, checkpoint, output, report=report, as_of=as_of)
    text = card_of(account)
    act = give(ModelPaper("card", text, account.model.file_sha256))
    output.result(card=text, figures=asdict(account.figures), sides=account.sides, act=act)


@house_command
@MODEL
@REPORT
@AS_OF
@writes_paper
def bom_command(
    *, output: Console, checkpoint: Path, report: Path | None, as_of: str, **where: Any
) -> None:
    """Write what a model is made of, as a CycloneDX 1.6 ML-BOM.

    The model with its card, every work behind it by digest, and the models that it began with.
    """
    from gen.disclosure.bom import bom_of

    house = output.open_house()
    give = giver(house, output, **where)
    account = _account(house, checkpoint, output, report=report, as_of=as_of)
    found = bom_of(account)
    act = give(ModelPaper("bom", json_text(found), account.model.file_sha256))
    output.result(bom=found, act=act)


@house_command
@MODEL
@click.option("--license", "license_", default="none: used by its composers' grants",
              metavar="URL", help="Under which works are given to others, if any.")  # fmt: skip
@AS_OF
@writes_paper
def dataset_command(
    *, output: Console, checkpoint: Path, license_: str, as_of: str, **where: Any
) -> None:
    """Describe the works behind a model as a data set: Croissant 1.0 (JSON-LD) with RAI fields.

    Each file by digest, each work with composers, method, genre, side of the split. It says what
    the data set is; it gives no file to anybody.
    """
    from gen.disclosure.croissant import dataset_of, text_of

    house = output.open_house()
    give = giver(house, output, **where)
    account = _account(house, checkpoint, output, as_of=as_of)
    found = dataset_of(house, account, license_)
    act = give(ModelPaper("dataset", text_of(found), account.model.file_sha256))
    output.result(dataset=found, act=act)


def _account(
    house: House, checkpoint: Path, output: Console, *, report: Path | None = None, as_of: str = ""
) -> Account:
    from gen.disclosure.account import account_of
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.records.consent import parse_day

    model = read_model_file(checkpoint)
    day = parse_day(as_of) if as_of else None
    with output.progress("reading works", len(model.manifest.works_here)) as advance:
        return account_of(house, model, report=report, day=day, advance=lambda: advance(1))


def json_text(found: dict[str, Any]) -> str:
    """As every paper in JSON is written."""
    import json

    return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


@dataclass(frozen=True, slots=True)
class ModelPaper:
    """A paper of one kind about one model, or a piece of it.

    Attributes:
        kind: as the log names it.
        text: of the file.
        model: SHA-256 of the model's file.
    """

    kind: str
    text: str
    model: str


def giver(
    house: House, output: Console, *, out: Path | None, enter: bool, curator: str | None
) -> Callable[[ModelPaper], int | None]:
    """What writes a paper where it was asked for, or prints it, and says which act entered it.

    The key that enters it is asked for now, before works are read.
    """
    from gen.disclosure.entered import enter_paper
    from gen.disk import write_atomically
    from gen.provenance.houses.access import key_to_enter

    key = key_to_enter(house, house.load(), curator) if enter else None

    def give(paper: ModelPaper) -> int | None:
        data = paper.text.encode("utf-8")
        if out is not None:
            write_atomically(out, data)
        lines = paper.text.rstrip("\n").split("\n") if out is None else [f"wrote {out}"]
        for line in lines:
            output.line(line)
        if key is None:
            return None
        act = enter_paper(house, key, data, paper.kind, paper.model)
        output.line(f"entered: act {act}")
        return act

    return give


@house_command
@click.argument("paper", type=FILE, metavar="FILE")
@click.option("--kind", required=True, metavar="WORD", help="What it is: summary, royalties.")
@click.option("--about", type=FILE, metavar="CHECKPOINT", help="The model that it is about.")
@WHICH_CURATOR
def enter_command(
    *, output: Console, paper: Path, kind: str, about: Path | None, curator: str | None
) -> None:
    """Enter a paper's digest in the log, as a dated act signed by a curator.

    Whoever is given the file can tell by `check` whether it is the one that was entered.
    """
    from gen.disclosure.entered import enter_paper
    from gen.disk.reading import PAPER, read
    from gen.provenance.houses.access import curators_key
    from gen.provenance.manifests.model_file import read_model_file

    house = output.open_house()
    data = read(paper, PAPER)
    model = read_model_file(about).file_sha256 if about else ""
    output.confirm(f"Enter {paper} ({kind}) in the log?")
    key = curators_key(house.load(), curator)
    act = enter_paper(house, key, data, kind, model)
    output.line(f"{paper}: entered, {kind}, act {act}")
    output.result(act=act, kind=kind)


@house_command
@click.argument("paper", type=FILE, metavar="PAPER")
def check_command(*, output: Console, paper: Path) -> None:
    """Check that a paper is one that the house gave out, as it was, and say who entered it when.

    An answer and a record of a purge carry a curator's signature, which is checked; so is that of
    the page of a visit (visit.signature.json). Any other paper has to be in the log by its digest.
    Exits 2 where it was changed, or never entered.
    """
    from gen.disclosure.entered import entry_of, found_entry
    from gen.disclosure.signed import is_of_visit, is_signed, read_paper, read_visit
    from gen.disk.reading import PAPER, read
    from gen.provenance.signing.canonical import sha256_hex

    data, register = read(paper, PAPER), output.open_house().load()
    with found_in(paper, PAPER.mend):
        if is_signed(data):
            content, who, kind = read_paper(data, register)
            when = content.get("answered") or content.get("purged", "at no time")
            words = f"{kind}, signed by {who} of {content['house']['name']}, {when}"
            output.line(f"{paper}: {words}, over {content['log']['size']} acts of its log")
            entered = entry_of(register, data)
        elif is_of_visit(data):
            page, who = read_visit(data, register)
            content, entered, kind = {"page": page.decode("utf-8", "replace")}, None, "visit"
            output.line(
                f"{paper}: the page of a visit, signed by {who}, SHA-256 {sha256_hex(page)}"
            )
        else:
            content, entered = None, found_entry(register, data)
            who, kind = entered.by, entered.paper.kind
    if entered is not None:
        output.line(f"{paper}: {_entered(entered)}")
    output.result(signed_by=who, kind=kind, answer=content, entered=_entered_plain(entered))


def _entered(act: PaperAct) -> str:
    about = f" of the model {act.paper.model}" if act.paper.model else ""
    return f"{act.paper.kind}{about}, entered by {act.by}, {act.time}, act {act.index}"


def _entered_plain(act: PaperAct | None) -> dict[str, Any] | None:
    if act is None:
        return None
    return {
        "act": act.index, "by": act.by, "time": act.time, "kind": act.paper.kind,
        "model": act.paper.model,
    }  # fmt: skip


PAPER_COMMANDS = (
    bom_command, card_command, check_command, dataset_command, enter_command, summary_command,
)  # fmt: skip
