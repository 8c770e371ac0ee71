"""Showing the house: its people and works, the inbox, a work, what became of a composer's works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import Console, house_command
from gen.cli.house_commands.history import WORK_COLUMNS, work_rows
from gen.cli.house_commands.records import warnings
from gen.errors import HouseError, counted

if TYPE_CHECKING:
    from gen.provenance.history.record import WorkRecord
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House


@house_command
@click.argument("work", required=False)
@click.option("--inbox", is_flag=True, help="What waits for a curator.")
@click.option("--people", is_flag=True, help="Who belongs to the house, with which keys.")
@click.option("--works", is_flag=True, help="Every work, withdrawn ones too.")
@click.option(
    "--composer",
    metavar="ID",
    help="What became of this person's works; waiting and rejected ones too, with the reason.",
)
def show_command(
    *, output: Console, work: str | None, inbox: bool, people: bool, works: bool,
    composer: str | None,
) -> None:  # fmt: skip
    """Show the house; or a WORK with its history, the inbox, the people, the works."""
    house, register = output.load_house()
    if work is not None:
        _show_work(house, register, work, output)
    elif composer is not None:
        _show_standings(house, register, composer, output)
    elif inbox:
        _show_inbox(house, register, output)
    elif people:
        _show_people(house, register, output)
    elif works:
        _show_works(register, output)
    else:
        _show_house(house, register, output)


def _show_house(house: House, register: Register, output: Console) -> None:
    roster, withdrawn = register.roster, len(register.withdrawn)
    facts = {
        "house": roster.house,
        "folder": str(house.folder),
        "pin": str(house.pin.path or ""),
        "works": len(register.works) - withdrawn,
        "withdrawn": withdrawn,
        "waiting": len(house.store.waiting()),
        "people": len(roster.people),
        "acts": register.size,
        "root": house.register_log.head().root,
        "roster_version": roster.version,
        "expires": "never: sealed" if roster.sealed else str(roster.expires),
        "root_keys": f"{roster.threshold} of {len(roster.root_keys)}",
        "root_public": " ".join(key.hex() for key in roster.root_keys),
        "log_key": str(roster.log or "none: house.py rotate --log-key"),
        "models_key": roster.models or "none: house.py rotate --models-key",
    }
    output.table(("fact", "value"), facts.items())
    for warning in warnings(register):
        output.say(warning)
    output.result(**facts)


def _show_work(house: House, register: Register, work: str, output: Console) -> None:
    from gen.provenance.desk.works import known_work
    from gen.provenance.history.impact import impact_of
    from gen.provenance.houses.proofs import acts_of

    if work not in register.works and _show_waiting(house, register, work, output):
        return
    record = known_work(register, work)
    entry, impact, words = record.entry, impact_of(register, [work]), _described(house, record)
    facts: dict[str, Any] = {
        **entry.to_dict(),
        **words,
        "accepted_by": record.accepted_by,
        "acts": acts_of(house, register, work),
        "composers": " ".join(f"{who}:{share}" for who, share in entry.composers),
        "signed_by": sorted(register.signers_of(record)),
        "named_only": register.only_named(record),
        "consent": str(register.consent_of(record)),
        "register_index": record.index,
        "status": "live" if record.withdrawn_at is None else f"withdrawn at {record.withdrawn_at}",
        "time": record.time,
    }
    output.table(("fact", "value"), [(name, _said(value)) for name, value in facts.items()])
    used = f"{counted(len(impact.runs), 'run')}, {counted(len(impact.checkpoints), 'checkpoint')}"
    output.line(f"used by {used}, {counted(len(impact.pieces), 'piece')}")
    output.result(**facts, impact=impact.to_dict())


def _described(house: House, record: WorkRecord) -> dict[str, Any]:
    """What the tag in the work's file says of it."""
    from gen.provenance.desk.works import kept_work

    try:
        statement = kept_work(house, record).statement
    except (HouseError, OSError) as error:
        return {"description": f"unread: {getattr(error, 'what', error)}"}
    words = statement.description
    return {
        "method": statement.method,
        "contract": statement.contract,
        **{name: getattr(words, name) for name in ("genre", "mood", "key", "chords", "sections")},
        "roles": list(words.roles),
    }


def _said(value: object) -> str:
    """A fact in one cell: words and numbers side by side, "-" where nothing was said."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value) or "-"


def _show_waiting(house: House, register: Register, work: str, output: Console) -> bool:
    """Show a work that waits in the inbox; False where none of this name does."""
    from gen.cli.house_commands.works import describe
    from gen.contribution import Recheck
    from gen.provenance.admission.inbox import look
    from gen.provenance.houses.names import names_of

    if work not in house.store.waiting():
        return False
    item = look(house.store, work, register)
    for line in describe(item, names_of(house, register), Recheck(house, register)(item, register)):
        output.line(line)
    output.result(work=work, status="waiting", title=item.title, rule=item.rule, found=item.found)
    return True


def _show_standings(house: House, register: Register, composer: str, output: Console) -> None:
    from collections import Counter

    from gen.provenance.desk.composer_works import WorkStanding, standings

    register.roster.enrolled(composer)
    found = standings(house, register, composer)
    columns = WorkStanding.__slots__
    output.table(columns, [[_said(value) for value in one.to_dict().values()] for one in found])
    states = Counter(one.state for one in found)
    by_state = ", ".join(f"{count} {state}" for state, count in states.items())
    output.line(f"{counted(len(found), 'work')} of {composer}{': ' if by_state else ''}{by_state}")
    output.result(works=[one.to_dict() for one in found])


def _show_inbox(house: House, register: Register, output: Console) -> None:
    from gen.cli.house_commands.works import describe
    from gen.contribution import Recheck
    from gen.provenance.admission.inbox import look_at_all
    from gen.provenance.houses.names import names_of

    recheck, waiting, names = Recheck(house, register), [], names_of(house, register)
    for item in look_at_all(house, register):
        waiting.append(item)
        for line in describe(item, names, recheck(item, register)):
            output.line(line)
    output.line(f"waiting: {counted(len(waiting), 'work')}")
    output.result(
        waiting=[
            {"found": w.found, "rule": w.rule, "title": w.title, "work": w.work} for w in waiting
        ]
    )


def _show_people(house: House, register: Register, output: Console) -> None:
    from gen.provenance.houses.names import names_of

    names, rows = names_of(house, register), []
    for person in register.roster.people:
        for key in person.keys:
            end = "now" if key.valid_to is None else str(key.valid_to)
            bad = "" if key.compromised_from is None else f"compromised {key.compromised_from}"
            rows.append(
                (person.id, names[person.id], "+".join(person.roles), key.keyid[:16],
                 f"{key.valid_from} to {end}", bad, person.note)
            )  # fmt: skip
    output.table(("id", "name", "roles", "key", "valid", "", "note"), rows)
    people = register.roster.people
    output.result(people=[{**each.to_dict(), "name": names[each.id]} for each in people])


def _show_works(register: Register, output: Console) -> None:
    rows = work_rows(register)
    output.table(WORK_COLUMNS, rows)
    output.result(works=[dict(zip(WORK_COLUMNS, row, strict=True)) for row in rows])
