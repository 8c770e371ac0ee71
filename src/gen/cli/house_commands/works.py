"""What people do with works: accept, reject, renew, withdraw, consent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import (
    REFUSED,
    WHICH_COMPOSER,
    WHICH_CURATOR,
    WORKS,
    Console,
    house_command,
)
from gen.cli.preview import confirmed, default_folder, show_preview
from gen.errors import HouseError, SettingError, counted

if TYPE_CHECKING:
    from gen.contribution import Recheck
    from gen.likeness.report import Report
    from gen.provenance.admission.inbox import Waiting
    from gen.provenance.history.impact import Impact
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House
    from gen.provenance.records.statement import Statement


@house_command
@WORKS
@click.option("--all", "take_all", is_flag=True, help="Take every work that waits.")
@click.option(
    "--fingerprints",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="A rights-holder's list to compare with as well (JSON); may be given several times.",
)
@click.option(
    "--although-similar",
    is_flag=True,
    help="Take the WORKs named, too, that are like something known: you compared them.",
)
@WHICH_CURATOR
def accept_command(
    *, output: Console, works: tuple[str, ...], take_all: bool, fingerprints: tuple[Path, ...],
    although_similar: bool, curator: str | None,
) -> None:  # fmt: skip
    """Countersign waiting works and enter them in the register.

    Without a WORK or --all you are asked about each. Nobody accepts what they composed. Each
    work is compared once more with what the house has; what is like something known stays, unless
    you are asked about it and say yes, or name it with --although-similar. What a model wrote or
    what was withdrawn stays whoever asks. Exits 2 when a work that was asked for stays in the
    inbox.
    """
    from gen.contribution import Recheck
    from gen.provenance.houses.access import curator_named, curators_key

    house, register = output.load_house()
    take_all = take_all or ((output.is_sure or output.is_json) and not works)
    count = len(works) or len(house.store.waiting())
    if count:
        curator = curator_named(register, curator)  # before anything is asked
    # All means what waits when the lock is held, not what waited a moment ago.
    chosen: list[str] | None = list(works)
    recheck = Recheck(house, register, fingerprints) if count else None
    compared = set(works) if although_similar else set[str]()
    if recheck and not works:
        chosen = None if take_all else _choose(house, register, recheck, output)
        compared = set(chosen or ())
    if not count or chosen == []:
        output.line("nothing to accept")
        output.result(entered=[], refused=[], size=register.size)
        return
    check = partial(recheck.leave_alike, compared) if recheck else None
    key = curators_key(register, curator)
    _accept(house, register, chosen, key, check, count, output, recheck)


def _accept(
    house: House, register: Register, chosen: list[str] | None, key: Any,
    check: Callable[[Waiting, Register], Waiting] | None, count: int, output: Console,
    recheck: Recheck | None,
) -> None:  # fmt: skip
    from gen.provenance.desk.works import accept_in_turn

    entered: list[dict[str, Any]] = []
    refused: list[Waiting] = []
    with output.progress("accepting", count) as advance:
        for part in accept_in_turn(house, chosen, key, check, register):
            for entry in part.entered:
                output.line(f"accepted {entry.work} -> {entry.path}")
            if recheck:
                recheck.keep(part.entered)
            entered += [entry.to_dict() for entry in part.entered]
            refused += part.refused
            house = part.house
            advance(len(part.entered) + len(part.refused))
    refused = recheck.gravest_first(refused) if recheck else refused
    for item in refused:
        first, *more = item.found.splitlines() or [""]
        output.line(f"{item.work}: not accepted ({item.rule}): {first}")
        for line in (*more, f"to mend it: {item.mend}"):
            output.line(f"  {line}")
    output.line(f"{len(entered)} accepted, {len(refused)} stay in the inbox")
    stay = [_waiting_dict(item) for item in refused]
    output.result(entered=entered, refused=stay, size=house.pin.min_size)
    if refused:
        raise SystemExit(REFUSED)


def _waiting_dict(item: Waiting) -> dict[str, str]:
    return {"found": item.found, "mend": item.mend, "rule": item.rule, "work": item.work}


def _choose(house: House, register: Register, recheck: Recheck, output: Console) -> list[str]:
    """Ask a person about each waiting work."""
    from gen.provenance.admission.inbox import look_at_all
    from gen.provenance.houses.names import names_of

    chosen, names = [], names_of(house, register)
    for item in look_at_all(house, register):
        for line in describe(item, names, recheck(item, register)):
            output.say(line)
        if item.rule:
            continue
        if not _is_interactive():
            raise HouseError("nobody is there to answer", mend="name the works, or give --all")
        if confirmed("Accept it?", partial(_preview, item), default=False, err=True):
            chosen.append(item.work)
    return chosen


def _is_interactive() -> bool:
    return sys.stdin.isatty()


def _preview(item: Waiting) -> None:
    from gen.smf import parse

    if item.tagged is not None:
        piece = parse(item.tagged.music)
        show_preview(piece, default_folder(), item.work, is_opening=True)


def describe(item: Waiting, names: Mapping[str, str], screening: Report | None) -> list[str]:
    """A waiting work as a curator reads it: `names` of people, the curator's own `screening`."""
    if item.tagged is None:
        return ["", item.work, f"  cannot be accepted ({item.rule}): {item.found}"]
    statement = item.tagged.statement
    words = statement.description
    by = ", ".join(f"{names.get(who, who)} {share} %" for who, share in statement.composers)
    lines = [
        "",
        f"{item.work}: {words.title or '(no title)'}",
        f"  by {by}; {statement.method}; {words.genre or 'no genre'}, {words.mood or 'no mood'}",
        f"  allowed: {statement.consent}",
        f"  states: {_origin(statement)}; contract {statement.contract or '(none named)'}",
        f"  file: {item.path}",
    ]
    if screening is None:
        return lines
    if not screening.matches:
        return [*lines, "  screening: nothing alike is known"]
    alike = screening.side_by_side().splitlines()
    return [*lines, "  screening: please compare", *(f"    {line}" for line in alike)]


def _origin(statement: Statement) -> str:
    models = "no generative model" if statement.no_generative_model else "a machine wrote it"
    return f"nothing of a third party, {models}"


@house_command
@click.argument("works", nargs=-1, required=True, metavar="WORK...")
@click.option("--reason", required=True, help="What the composer should know.")
@WHICH_CURATOR
def reject_command(
    *, output: Console, works: tuple[str, ...], reason: str, curator: str | None
) -> None:
    """Turn waiting works down; they move to rejected/ with the reason beside them."""
    from gen.provenance.desk.works import reject
    from gen.provenance.houses.access import curators_key

    house = output.open_house()
    output.confirm(f"Reject {counted(len(works), 'work')}?")
    key = curators_key(house.load(), curator)
    for work in reject(house, works, key, reason):
        output.line(f"rejected {work}: {reason}")
    output.result(rejected=list(works), reason=reason)


@house_command
@click.argument("works", nargs=-1, required=True, metavar="WORK...")
@click.option("--as", "person", required=True, metavar="ID", help="A composer of it, or a curator.")
def renew_command(*, output: Console, works: tuple[str, ...], person: str) -> None:
    """Sign works anew whose keys were compromised; they wait in the inbox to be accepted.

    A composer whose key was compromised signs again. For a curator's compromised key, any
    curator puts the work back into the inbox.
    """
    from gen.provenance.desk.works import renew
    from gen.provenance.houses.access import key_of_person

    house = output.open_house()
    output.confirm(f"Sign {counted(len(works), 'work')} anew as {person}?")
    key = key_of_person(house.load(), person)
    for work in renew(house, works, key):
        output.line(f"{work} waits in the inbox again: house.py accept {work}")
    output.result(renewed=list(works))


@house_command
@click.argument("works", nargs=-1, required=True, metavar="WORK...")
@click.option(
    "--as",
    "person",
    metavar="ID",
    help="A composer of the works (found by your key when alone), a curator, or `root`.",
)
@click.option("--reason", default="", help="It stays in the log for ever: name nobody in it.")
def withdraw_command(
    *, output: Console, works: tuple[str, ...], person: str | None, reason: str
) -> None:
    """Withdraw works: block their id, bytes and sound, and list what used them.

    The files move to withdrawn/. A trained model does not forget: the list says which
    checkpoints must be retrained or retired and which pieces came from them.
    """
    from gen.provenance.desk.works import live_work, withdraw
    from gen.provenance.history.impact import impact_of
    from gen.provenance.houses.access import keys_of, person_at_hand
    from gen.provenance.records.roster import COMPOSER

    house, register = output.load_house()
    for work in works:
        live_work(register, work)
    person = person or person_at_hand(register, COMPOSER, option="--as")
    impact = impact_of(register, works)
    show_impact(impact, output)
    output.confirm(f"Withdraw {counted(len(works), 'work')} for ever?")
    key, *more = keys_of(register, person)
    moved = withdraw(house, works, key, reason, more_root_keys=more, since=register)
    for work in works:
        output.line(f"withdrawn {work}")
    output.result(withdrawn=list(works), impact=impact.to_dict(), size=moved.pin.min_size)


def show_impact(impact: Impact, output: Console, of: str = "retrain or retire") -> None:
    """What used works; `of` says what is to be said of each model."""
    output.line(
        f"used by {counted(len(impact.runs), 'run')}, "
        f"{counted(len(impact.checkpoints), 'checkpoint')}, "
        f"{counted(len(impact.pieces), 'piece')}"
    )
    for run in impact.runs:
        output.line(f"  {run} ({run.time}, {run.purpose})")
    for checkpoint in impact.checkpoints:
        output.line(f"  {of}: {checkpoint}")
    for piece in impact.pieces:
        output.line(f"  piece {piece.path or piece.sha256[:16]}")


@house_command
@WORKS
@click.option("--all", "take_all", is_flag=True, help="Every work of the composer.")
@WHICH_COMPOSER
@click.option(
    "--allow",
    metavar="TEXT",
    help="From now on: 'general_model evaluation@2030-12-31', or 'nothing'.",
)
def consent_command(
    *, output: Console, works: tuple[str, ...], take_all: bool, composer: str | None,
    allow: str | None,
) -> None:  # fmt: skip
    """Show what works may be used for, or with --allow change it.

    Scopes: general_model, evaluation, artist_model:ID; each for ever, or until a day (@DAY).
    With several composers a scope is live while all of them allow it.
    """
    from gen.contribution.answers import tidy
    from gen.provenance.houses.access import key_of_person
    from gen.provenance.records.consent import Consent

    house, register = output.load_house()
    if allow is None:
        _show_consent(register, works, output)
        return
    consent = Consent.parse(tidy("consent", allow))
    if ended := consent.ended(datetime.now(UTC).date()):
        past = f"{', '.join(map(str, ended))}: that day is past, so it allows nothing. Go on?"
        output.confirm(past)
    chosen, who = own_works(register, works, take_all, composer)
    output.confirm(f"Allow {consent} for {counted(len(chosen), 'work')} from now on?")
    _set_consent(house, register, chosen, consent, key_of_person(register, who), output)


def _show_consent(register: Register, works: tuple[str, ...], output: Console) -> None:
    from gen.provenance.desk.works import live_work

    for work in works:
        live_work(register, work)  # a mistyped id is said
    records = sorted(register.live_works(), key=lambda r: r.entry.work)
    chosen = [r for r in records if not works or r.entry.work in works]
    allowed = {r.entry.work: str(register.consent_of(r)) for r in chosen}
    output.table(("work", "allowed"), allowed.items())
    output.result(consent=allowed)


def own_works(
    register: Register, works: tuple[str, ...], take_all: bool, composer: str | None
) -> tuple[list[str], str]:
    """The works that a composer names, and who they are.

    Raises:
        SettingError: neither works nor --all, or both.
    """
    from gen.provenance.houses.access import person_at_hand
    from gen.provenance.records.roster import COMPOSER

    who = composer or person_at_hand(register, COMPOSER)
    if take_all == bool(works):
        raise SettingError("which works?", mend="name them, or give --all")
    chosen = list(works)
    if take_all:
        chosen = [r.entry.work for r in register.live_works() if r.is_composer(who)]
    return chosen, who


def _set_consent(
    house: House, register: Register, works: list[str], consent: Any, key: Any, output: Console
) -> None:
    from gen.provenance.desk.works import set_consent

    moved = set_consent(house, works, consent, key, since=register) if works else house
    output.line(f"from now on allowed for {counted(len(works), 'work')}: {consent}")
    output.result(works=works, consent=str(consent), size=moved.pin.min_size)
