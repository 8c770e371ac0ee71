"""Composers' accounts and the complaints desk: mine, complain, drift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import WHICH_COMPOSER, Console, house_command
from gen.errors import SettingError, counted, found_in

if TYPE_CHECKING:
    from gen.accounts.mine import Mine
    from gen.accounts.nearness import NearTo
    from gen.provenance.desk.complaints_desk import Case
    from gen.provenance.history.register import Register


@house_command
@WHICH_COMPOSER
@click.option(
    "--pieces", "most", type=click.IntRange(0), default=10, show_default=True,
    help="How many of the pieces nearest to your works are shown.",
)  # fmt: skip
@click.option(
    "--royalties", "statements", multiple=True, metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A statement that house.py royalties wrote: what it gives you.",
)  # fmt: skip
@click.option(
    "--since", type=click.IntRange(0), metavar="INDEX",
    help="What was entered in your name from this act on; by default since you looked last.",
)  # fmt: skip
def mine_command(
    *, output: Console, composer: str | None, most: int, statements: tuple[Path, ...],
    since: int | None,
) -> None:  # fmt: skip
    """What became of your works: runs, models, pieces nearest to them, money, and what is new.

    First of all comes what was entered in your name since you looked last.
    """
    from gen.accounts.mine import Noticed, mine, news
    from gen.accounts.nearness import near_to, pieces_written
    from gen.provenance.desk.composer_works import standings
    from gen.provenance.houses.access import person_at_hand
    from gen.provenance.records.roster import COMPOSER

    house, register = output.load_house()
    who = composer or person_at_hand(register, COMPOSER)
    register.roster.enrolled(who)
    noticed = Noticed(house, who)
    first = noticed.read() if since is None else since
    new = [(act.index, act.time, words) for act, words in news(house, register, who, first)]
    output.line(f"in your name since act {first}: {counted(len(new), 'act')}")
    for index, time, words in new:
        output.line(f"  act {index}, {time}: {words}")
    found = mine(register, who)
    pieces = pieces_written(house, register) if found.works and most else ()
    close, unread = near_to(house, register, found.works, pieces, most)
    money = {str(path): _due(path, who) for path in statements}
    _show_mine(register, found, close, money, output)
    for each in unread:
        output.line(f"  not compared with: {each}")
    noticed.write(register.size)
    output.result(
        composer=who,
        new=[{"index": i, "time": t, "what": w} for i, t, w in new],
        works=[one.to_dict() for one in standings(house, register, who)],
        impact=found.impact.to_dict(),
        nearest=[
            {
                "receipt": one.piece.output.receipt,
                "work": one.work,
                "shingles": one.figures,
                "part": round(one.part, 4),
            }
            for one in close
        ],
        unread=unread,
        sales=[{"act": act.index, "run": act.run, **act.sale.to_dict()} for act in found.sales],
        fees=[{"run": run, "work": work, "cents": cents} for run, work, cents in found.fees],
        royalties=money,
    )


def _show_mine(
    register: Register, found: Mine, close: list[NearTo],
    money: dict[str, int], output: Console,
) -> None:  # fmt: skip
    from gen.cli.house_commands.works import show_impact
    from gen.provenance.records.terms import spelled_cents

    out = sum(register.works[work].withdrawn_at is not None for work in found.works)
    output.line(f"{counted(len(found.works), 'work')}, {out} of them withdrawn")
    show_impact(found.impact, output, "model that learned from yours")
    for run in found.impact.runs:
        for model in run.models:
            if retired := register.retired(model.file_sha256):
                output.line(f"  retired: {run.name}/{model.name}, act {retired.index}")
    paths = {piece.receipt: piece.path for piece in register.runs.pieces}
    for one in close:
        name = one.piece.output.path or one.piece.output.receipt[:16]
        output.line(f"  near yours: {name}: {one.work} holds {one.figures} of its figures, "
                    f"{one.part:.0%} of what works hold is yours")  # fmt: skip
    for sale in found.sales:
        name = paths[sale.sale.receipt] or sale.sale.receipt[:16]
        output.line(f"  sold: {name}, {sale.sale.day}, {spelled_cents(sale.sale.cents)}")
    for index, work, cents in found.fees:
        output.line(f"  fee by your terms: {spelled_cents(cents)} for {work}, run {index}")
    for path, cents in money.items():
        output.line(f"  {path}: {spelled_cents(cents)}")


def _due(path: Path, who: str) -> int:
    """What a statement gives somebody."""
    from gen.accounts.royalties import lines_of
    from gen.disk.reading import STATEMENT, read_json

    with found_in(path, STATEMENT.mend):
        lines = lines_of(read_json(path, STATEMENT))
    return sum(line.cents for line in lines if line.person == who)


@house_command
@click.option("--from", "who", metavar="TEXT", help="Who complains: a name, an address.")
@click.option("--about", multiple=True, metavar="TEXT", help="A work, piece or model; repeat it.")
@click.option("--text", metavar="TEXT", help="What is said.")
@click.option("--answer", "index", type=click.IntRange(0), metavar="INDEX",
              help="Answer the complaint of this act, with --text.")  # fmt: skip
@click.option("--list", "is_list", is_flag=True, help="List complaints and their answers.")
@click.option("--open", "is_open", is_flag=True, help="Only those without an answer.")
@click.option("--as", "person", metavar="ID", help="A curator (found by your key), or a composer.")
def complain_command(
    *, output: Console, who: str | None, about: tuple[str, ...], text: str | None,
    index: int | None, is_list: bool, is_open: bool, person: str | None,
) -> None:  # fmt: skip
    """Enter a complaint that came in, answer one, or list them.

    The log holds a digest of what was said, and the day; the words lie in the house's folder
    complaints/. Removing such a file erases them, and nothing in the log breaks.
    """
    from gen.provenance.desk.complaints_desk import answer, cases, complain
    from gen.provenance.houses.access import key_of_person, person_at_hand
    from gen.provenance.records.roster import CURATOR

    house, register = output.load_house()
    if is_list or is_open:
        _list_cases(cases(house, register), output, is_open=is_open)
        return
    if not text or (index is None) == (who is None):
        raise SettingError(
            "what is to be entered?",
            mend="--from WHO --text TEXT enters a complaint, --answer INDEX --text TEXT an answer, "
            "--list lists them",
        )
    signer = person or person_at_hand(register, CURATOR, option="--as")
    output.confirm(f"Enter it as {signer}?")
    key = key_of_person(register, signer)
    if index is None:
        at = complain(house, key, who or "", text, about)
        output.line(f"complaint entered: act {at}")
    else:
        at = answer(house, key, index, text)
        output.line(f"answered: act {at}, to the complaint of act {index}")
    output.result(act=at)


def _list_cases(found: list[Case], output: Console, *, is_open: bool) -> None:
    chosen = [case for case in found if not (is_open and case.answers)]
    for case in chosen:
        complaint = case.said or {"from": "(erased)", "text": "(erased)", "about": []}
        about = f" about {', '.join(complaint['about'])}" if complaint["about"] else ""
        entered = case.entered
        output.line(
            f"act {entered.index}, {entered.time}: {complaint['from']}{about}: {complaint['text']}"
        )
        for each, words in case.answers:
            text = words["text"] if words else "(erased)"
            output.line(f"  answered by {each.by}, act {each.index}, {each.time}: {text}")
        if not case.answers:
            output.line("  not answered")
    output.line(f"{counted(len(chosen), 'complaint')}")
    output.result(
        complaints=[
            {
                "act": case.entered.index,
                "time": case.entered.time,
                "by": case.entered.by,
                "said": case.said,
                "answers": [
                    {"act": each.index, "time": each.time, "by": each.by, "said": words}
                    for each, words in case.answers
                ],
            }
            for case in chosen
        ]
    )


@house_command
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="Of what is drawn for intervals and chance.")  # fmt: skip
def drift_command(*, output: Console, seed: int) -> None:
    """Say whether the pieces in the log grow more alike, month by month.

    By their melodies: how much each two pieces of a month share, and whether that has a trend
    beyond chance. What was asked for is in it.
    """
    from gen.accounts.drift import drift
    from gen.accounts.nearness import pieces_written

    house = output.open_house()
    found = drift(list(pieces_written(house, house.load())), seed)
    rows = [
        (m.month, m.pieces, f"{m.sameness:.4f}", f"{m.low:.4f} to {m.high:.4f}")
        for m in found.months
    ]
    output.table(("month", "pieces", "sameness", "95 % interval"), rows)
    by_chance = "" if found.chance is None else (
        f": {found.slope:+.5f} a month; {found.chance:.1%} of random deals are as steep"
    )  # fmt: skip
    output.line(f"{found.words}{by_chance}")
    if found.left_out:
        output.line(f"left out: {counted(found.left_out, 'piece')} without a melody or a second")
    output.result(**found.to_dict())
