"""Terms of works: saying them, approving a use, asking whether one is granted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import (
    REFUSED,
    RUN,
    WHICH_COMPOSER,
    WORKS,
    Console,
    house_command,
)
from gen.cli.house_commands.works import own_works
from gen.errors import SettingError, counted, found_in

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.history.runs import Run
    from gen.provenance.records.terms import UseName

USE_NAMES = ("sale", "sampling", "style")


@house_command
@WORKS
@click.option("--all", "take_all", is_flag=True, help="Every work of the composer.")
@WHICH_COMPOSER
@click.option(
    "--allow",
    metavar="TEXT",
    help="From now on: 'general_model evaluation sampling sale@2030-12-31', or 'nothing'.",
)
@click.option(
    "--ask-first", "ask_first", multiple=True, type=click.Choice(USE_NAMES),
    help="A use that is allowed once you have approved it: house.py approve.",
)  # fmt: skip
@click.option("--until", metavar="DAY", help="Last day of all that names none of its own.")
@click.option(
    "--this-version", is_flag=True, help="One model may learn from it; none is trained after that."
)
@click.option(
    "--share", type=click.IntRange(0, 100), default=100, metavar="PERCENT", show_default=True,
    help="Of what royalties give your part of the work.",
)  # fmt: skip
@click.option("--fee", default="0", metavar="AMOUNT", help="For each run that learns from it.")
def terms_command(
    *, output: Console, works: tuple[str, ...], take_all: bool, composer: str | None,
    allow: str | None, ask_first: tuple[str, ...], until: str | None, this_version: bool,
    share: int, fee: str,
) -> None:  # fmt: skip
    """Show terms of works, or with --allow say yours.

    Training: general_model, evaluation, artist_model:ID. Use of what was trained: sampling (pieces
    are written), sale (they are sold), style (a piece is asked for in your style). What is not
    named is not granted. A work without terms is used as its consent allows. Of several composers
    each speaks for their part, and what one does not grant is not done.
    """
    from gen.provenance.desk.granting import set_terms
    from gen.provenance.houses.access import key_of_person
    from gen.provenance.records.consent import parse_day
    from gen.provenance.records.terms import Terms, parse_allowed, parse_cents

    house, register = output.load_house()
    if allow is None:
        _show_terms(register, works, output)
        return
    consent, uses = parse_allowed(allow, ask_first, parse_day(until) if until else None)
    terms = Terms("-", consent.grants, uses, this_version, share, parse_cents(fee))
    today = datetime.now(UTC).date()
    ended = (*consent.ended(today), *(use for use in uses if not use.is_live(today)))
    if past := list(map(str, ended)):
        words = f"{', '.join(past)}: that day is past, so it allows nothing. Go on?"
        output.confirm(words)
    chosen, who = own_works(register, works, take_all, composer)
    question = f"From now on, for {counted(len(chosen), 'work')}: {terms}. Sign it?"
    output.confirm(question)
    if chosen:
        house = set_terms(
            house, chosen, key_of_person(register, who), consent, uses,
            this_version=this_version, share=share, fee=terms.fee, since=register,
        )  # fmt: skip
    output.line(f"terms of {who} for {counted(len(chosen), 'work')}: {terms}")
    output.result(works=chosen, terms=str(terms), size=house.pin.min_size)


def _show_terms(register: Register, works: tuple[str, ...], output: Console) -> None:
    from gen.provenance.desk.works import live_work

    for work in works:
        live_work(register, work)  # a mistyped id is said
    records = sorted(register.live_works(), key=lambda record: record.entry.work)
    rows = [
        (record.entry.work, who, str(acts[-1].terms), acts[-1].index)
        for record in records
        if not works or record.entry.work in works
        for who, acts in sorted(record.terms.items())
    ]
    output.table(("work", "composer", "terms", "act"), rows)
    if not rows:
        output.line("no terms: these works are used as their consent allows (house.py consent)")
    names = ("work", "composer", "terms", "act")
    output.result(terms=[dict(zip(names, row, strict=True)) for row in rows])


@house_command
@click.argument("what", required=False, type=click.Path(path_type=Path), metavar="[MODEL|PIECE]")
@RUN
@click.option("--use", required=True, type=click.Choice(USE_NAMES), help="What you approve.")
@click.option("--work", "works", multiple=True, metavar="WORK", help="For this work alone.")
@WHICH_COMPOSER
def approve_command(
    *, output: Console, what: Path | None, index: int | None, use: UseName, works: tuple[str, ...],
    composer: str | None,
) -> None:  # fmt: skip
    """Approve a use that your terms ask to be asked about first: of a model, or of one piece."""
    from gen.provenance.desk.granting import approve
    from gen.provenance.houses.access import key_of_person, person_at_hand
    from gen.provenance.records.roster import COMPOSER

    house, register = output.load_house()
    run, receipt = run_and_receipt(register, what, index)
    who = composer or person_at_hand(register, COMPOSER)
    words = f"{use} of {'this piece' if receipt else f'models of {run}'}"
    output.confirm(f"Approve {words}, as {who}?")
    moved, approval = approve(house, key_of_person(register, who), use, run, works, receipt)
    output.line(f"approved by {who}: {words}, for {counted(len(approval.works), 'work')}")
    output.result(**approval.to_dict(), size=moved.pin.min_size)


@house_command
@click.argument("what", required=False, type=click.Path(path_type=Path), metavar="[MODEL|PIECE]")
@RUN
@click.option("--use", required=True, type=click.Choice(USE_NAMES), help="What is asked about.")
def may_command(*, output: Console, what: Path | None, index: int | None, use: str) -> None:
    """Say whether a use of a model or a piece is granted by the terms of its works.

    Exits 0 when it is, 2 when a composer's terms stand against it, naming each.
    """
    from gen.provenance.history.granted import missing_grants

    register = output.open_house().load()
    run, receipt = run_and_receipt(register, what, index)
    works = register.runs.works_behind(run)
    missing = missing_grants(register, works, use, run.index, receipt)
    with_terms = sum(1 for work in works if register.works[work].terms)
    for each in missing:
        output.line(f"not granted: {each}")
    output.line(
        f"{use} of {'the piece' if receipt else 'pieces'} by {run}: "
        f"{'not ' if missing else ''}granted; {with_terms} of {len(works)} works have terms"
    )
    rows = [{"work": m.work, "person": m.person, "why": m.why} for m in missing]
    output.result(use=use, run=run.index, granted=not missing, missing=rows, with_terms=with_terms)
    if missing:
        raise SystemExit(REFUSED)


def run_and_receipt(register: Register, what: Path | None, index: int | None) -> tuple[Run, str]:
    """The run that is meant, and SHA-256 of the receipt of the piece that is, or "".

    Raises:
        HouseError: the log knows no such model, piece or run.
    """
    if (what is None) == (index is None):
        raise SettingError("which?", mend="name a model's or a piece's file, or --run INDEX")
    if what is not None and what.suffix != ".mid":
        return _run_of_model(register, what), ""
    if what is not None:
        return run_of_piece(register, what)
    return register.runs.at(index), ""


def _run_of_model(register: Register, path: Path) -> Run:
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind

    return run_behind(read_model_file(path), register)


def run_of_piece(register: Register, path: Path) -> tuple[Run, str]:
    """The run whose model wrote a piece of the log, and SHA-256 of its receipt.

    Raises:
        HouseError: the log has no such piece.
    """
    from gen.disk.reading import MIDI, sha256_of

    digest = sha256_of(str(path), MIDI)
    with found_in(path):
        piece = register.runs.in_file(digest)
    return register.runs.at(piece.run), piece.receipt
