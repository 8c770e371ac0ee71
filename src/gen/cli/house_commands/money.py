"""Money: what pieces were sold for, and dividing it among composers."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import WHICH_CURATOR, Console, house_command
from gen.errors import HouseError, SettingError, counted, in_lines

if TYPE_CHECKING:
    from gen.accounts.royalties import Near


@house_command
@click.argument("piece", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--for", "amount", required=True, metavar="AMOUNT", help="What was paid: 25 or 25.50")
@click.option("--day", default="", metavar="DAY", help="When it was sold; today by default.")
@click.option("--as", "person", metavar="ID", help="A curator (found by your key), or a producer.")
def sell_command(
    *, output: Console, piece: Path, amount: str, day: str, person: str | None
) -> None:
    """Enter that a piece was sold: which, on which day, for how much; not to whom.

    Refused where a composer's terms do not grant it (house.py may PIECE --use sale). Royalties can
    be divided by it: house.py royalties --of-sales.
    """
    from gen.cli.house_commands.grants import run_of_piece
    from gen.provenance.desk.granting import sell
    from gen.provenance.houses.access import key_of_person, person_at_hand
    from gen.provenance.records.consent import parse_day
    from gen.provenance.records.roster import CURATOR
    from gen.provenance.records.terms import parse_cents, spelled_cents

    house, register = output.load_house()
    cents = parse_cents(amount)
    run, receipt = run_of_piece(register, piece)
    sold = parse_day(day) if day else register.today()
    who = person or person_at_hand(register, CURATOR, option="--as")
    output.confirm(
        f"Enter that {piece} was sold on {sold} for {spelled_cents(cents)}, as {who}?")  # fmt: skip
    act = sell(house, key_of_person(register, who), run, receipt, cents, sold)
    output.line(f"sold: {piece}, {sold}, {spelled_cents(cents)}; act {act.index}")
    output.result(act=act.index, run=run.index, **act.data)


@house_command
@click.option("--pool", default="0", metavar="AMOUNT", help="To be divided by works and shares.")
@click.option("--near", "near_text", default="0", metavar="AMOUNT",
              help="A second pool, to be divided by nearness of the pieces written.")  # fmt: skip
@click.option("--of-sales", "percent", type=click.IntRange(0, 100), default=0, metavar="PERCENT",
              help="A third pool: of what pieces were sold for (house.py sell).")  # fmt: skip
@click.option("--period", "text", required=True, metavar="FROM..TO",
              help="Days, both included: 2026-01-01..2026-03-31.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write royalties.json and royalties.csv there.")  # fmt: skip
@click.option("--enter", is_flag=True, help="Enter royalties.json's digest in the log, too.")
@WHICH_CURATOR
def royalties_command(
    *, output: Console, pool: str, near_text: str, percent: int, text: str, out: Path | None,
    enter: bool, curator: str | None,
) -> None:  # fmt: skip
    """Divide money among composers, to the hundredth, so that anybody can do it again.

    --pool: each work that a model in use in the period learned from counts once; by shares, and
    terms. --near: by which works hold the figures of the pieces written in the period: likeness,
    which is not cause. --of-sales: each sale's part among the works behind its model. Fees that
    terms ask for come besides. Nothing is paid, and nothing entered but with --enter.
    """
    from gen.accounts.nearness import nearness, pieces_written
    from gen.accounts.period import Period
    from gen.accounts.royalties import SALES, statement
    from gen.cli.papers import json_text
    from gen.disclosure.entered import enter_paper
    from gen.disk import write_all_atomically
    from gen.provenance.houses.access import key_to_enter
    from gen.provenance.records.terms import parse_cents, spelled_cents

    amount, near_amount = parse_cents(pool), parse_cents(near_text)
    if not (amount or near_amount or percent):
        raise SettingError("nothing is to be divided", mend="give --pool, --near or --of-sales")
    if enter and out is None:
        raise SettingError("nothing would hold what is entered", where="--enter", mend="add --out")
    period = Period.parse(text)
    house, register = output.load_house()
    key = key_to_enter(house, register, curator) if enter else None
    near: list[Near] = []
    if near_amount:
        near, unread = nearness(house, register, pieces_written(house, register, period))
        if unread:
            raise HouseError(f"{len(unread)} works cannot be compared with:{in_lines(unread[:10])}",
                             mend="restore their files, or leave --near out")  # fmt: skip
    found = statement(register, period, amount, near_amount, near, percent=percent)
    rows = [(who, spelled_cents(cents)) for who, cents in found["totals"].items()]
    output.table(("who", "amount"), rows)
    output.line(
        f"{period}: {spelled_cents(amount)} among {counted(len(found['works']), 'work')} by "
        f"shares, {spelled_cents(near_amount)} by nearness to "
        f"{counted(len(found['pieces']), 'piece')} (likeness, not cause), "
        f"{spelled_cents(found['pools'][SALES])} of {counted(len(found['sales']), 'sale')}; "
        "fees that terms ask for are added to these"
    )
    data = json_text(found).encode("utf-8")
    if out is not None:
        files = {out / "royalties.json": data, out / "royalties.csv": _table_of(found)}
        write_all_atomically(files)
        for path in files:
            output.line(str(path))
    act = None
    if key is not None:
        act = enter_paper(house, key, data, "royalties")
        output.line(f"entered: act {act}")
    output.result(**found, act=act)


def _table_of(found: dict[str, Any]) -> bytes:
    """A statement's payments as a sheet."""
    from gen.disk.tables import as_text
    from gen.provenance.records.terms import spelled_cents

    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("basis", "work", "person", "amount"))
    for line in found["lines"]:
        cells = line["basis"], line["work"], line["person"], spelled_cents(line["cents"])
        table.writerow(map(as_text, cells))
    return text.getvalue().encode("utf-8")
