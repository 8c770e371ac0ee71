"""What the log holds, and copies of it for others: log, prove, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import Console, house_command
from gen.errors import SettingError, counted

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House
    from gen.provenance.records.acts import Act
    from gen.provenance.signing.notes import SignedNote


@house_command
@click.argument("work", required=False)
@click.option("--act", type=click.IntRange(0), metavar="INDEX", help="Prove this act instead.")
@click.option(
    "--since",
    type=click.IntRange(1),
    metavar="SIZE",
    help="Prove, too, that the register only grew since it had SIZE acts, as an older pin knows.",
)
@click.option(
    "--tlog",
    is_flag=True,
    help="Write it as other tools read it (C2SP tlog-proof), with what witnesses signed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the proof there instead of to stdout.",
)
def prove_command(
    *, output: Console, work: str | None, act: int | None, since: int | None, tlog: bool,
    out: Path | None,
) -> None:  # fmt: skip
    """Write a proof that a work's entry (or another act) is in the register, or that it only grew.

    Whoever has the pin checks it with `house.py verify --proof FILE`, without the register.
    """
    from gen.disk import write_atomically
    from gen.provenance.desk.works import known_work
    from gen.provenance.houses.proofs import prove
    from gen.provenance.witnesses.standing import read_notes

    if tlog and (since is not None or (work, act) == (None, None)):
        raise SettingError("a proof of this kind is of one act", mend="give WORK or --act INDEX")
    if (work is not None and act is not None) or (work, act, since) == (None, None, None):
        raise SettingError("what should be proved?", mend="give WORK, --act INDEX or --since SIZE")
    house = output.open_house()
    notes = read_notes(house) if tlog else []  # before the register, which then has their acts
    register = house.load(full=True)
    if work is not None:
        act = known_work(register, work).index
    if tlog:
        assert act is not None  # noqa: S101 - asked for above
        text = _tlog_proof(house, register, notes, act)
    else:
        proof = prove(house, act, since, register=register)
        text = json.dumps(proof, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    write_atomically(out, text.encode("utf-8"))
    output.line(f"wrote {out}")
    output.result(file=str(out), act=act, since=since)


def _tlog_proof(house: House, register: Register, notes: list[SignedNote], act: int) -> str:
    """A proof of one act under a note, as other tools read it."""
    from gen.provenance.witnesses.standing import true_notes
    from gen.provenance.witnesses.tlog_proof import best_note, tlog_proof

    if act >= register.size:
        raise SettingError(f"act {act} of {register.size}", mend="house.py log lists the acts")
    note = best_note(true_notes(register, notes), act)
    wanted = house.register_log.known_lines(register.leaves, lambda index, _: index == act)
    ((_, line),) = wanted
    return tlog_proof(register, note, act, line).decode("utf-8")


def work_rows(register: Register) -> list[tuple[str, ...]]:
    return [
        (
            record.entry.work,
            record.entry.title,
            " ".join(f"{who}:{share}" for who, share in record.entry.composers),
            " ".join(sorted(register.signers_of(record))),
            record.accepted_by,
            str(record.index),
            str(register.consent_of(record)),
            "live" if record.withdrawn_at is None else "withdrawn",
        )
        for record in sorted(register.works.values(), key=lambda r: r.entry.work)
    ]


WORK_COLUMNS = (
    "work", "title", "composers", "signed_by", "accepted_by", "index", "consent", "status",
)  # fmt: skip


@house_command
@click.option(
    "--last",
    "count",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many acts, newest last.",
)
@click.option("--all", "take_all", is_flag=True, help="Every act.")
def log_command(*, output: Console, count: int, take_all: bool) -> None:
    """List the acts in the register, after verifying it.

    `time` is what an act says of itself; `seen` is when enough witnesses that the pin names had
    seen it, where it names some: before that its time is the house's word alone.
    """
    from gen.provenance.records.acts import Act
    from gen.provenance.records.witness_policy import first_seen, spelled
    from gen.provenance.witnesses.standing import read_notes, standing_of

    house = output.open_house()
    notes = read_notes(house)
    register = house.load(full=True)
    times = standing_of(house, register, notes).times()
    first = 0 if take_all else register.size - count
    lines = house.register_log.known_lines(register.leaves, lambda index, _: index >= first)
    acts = [Act.decode(line) for _, line in lines]
    rows = [
        {
            "index": act.index,
            "time": act.time,
            "seen": spelled(first_seen(times, act.index)),
            "act": act.kind,
            "by": act.by,
            "what": _what(act),
        }
        for act in acts
    ]
    columns = ["index", "time", "seen", "act", "by", "what"]
    if not house.pin.witnesses.witnesses:
        columns.remove("seen")
    output.table(columns, [[row[name] for name in columns] for row in rows])
    output.result(acts=rows)


def _what(act: Act) -> str:
    """What an act did, in a few words."""
    from gen.provenance.records import acts
    from gen.provenance.records.terms import Terms, spelled_cents

    data = act.data
    if act.kind == acts.KEY:
        return str(data["signed"]["roster"]["change"])
    if act.kind == acts.ADOPT:
        return f"{len(data['works'])} works of {data['origin']['house']}"
    if act.kind == acts.CONSENT:
        return f"{data['work']} allows: {acts.ConsentChange.from_dict(data).scopes}"
    if act.kind in (acts.BEGIN, acts.MODEL):
        return f"{data['name']}: {counted(len(data['works']), 'work')} for {data['purpose']}"
    if act.kind == acts.END:
        return f"run {data['begin']} ends: {counted(len(data['models']), 'checkpoint')}"
    if act.kind == acts.OUTPUT:
        return f"{data['path']} of run {data['run']}"
    if act.kind == acts.TERMS:
        return f"{data['work']}: {Terms.from_dict(data)}"
    if act.kind == acts.APPROVE:
        what = f"piece {data['receipt'][:12]}…" if data["receipt"] else f"run {data['run']}"
        return f"{data['use']} of {what}: {counted(len(data['works']), 'work')}"
    if act.kind == acts.RETIRE:
        models = counted(len(data["models"]), "model")
        return f"{models} of run {data['run']} {data['reason']}".strip()
    if act.kind in (acts.COMPLAIN, acts.ANSWER):
        about = f"to act {data['complaint']}, " if act.kind == acts.ANSWER else ""
        return f"{about}record {data['record_sha256'][:12]}…"
    if act.kind == acts.PAPER:
        return f"{data['kind']}, SHA-256 {data['sha256'][:12]}…"
    if act.kind == acts.SELL:
        amount = spelled_cents(data["cents"])
        return f"piece {data['receipt_sha256'][:12]}… for {amount}, {data['day']}"
    return f"{data['work']} {data.get('reason') or data.get('title') or ''}".strip()


@house_command
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="A new folder for the copy.",
)
def export_command(*, output: Console, out: Path) -> None:
    """Copy the records for an auditor: register, rosters, pin, a table of works.

    No music and no private key is in it. `README.txt` in the copy says how to check it.
    """
    from gen.provenance.houses.export import export_records

    house = output.open_house()
    register = house.load(anew=True)
    in_files = sum(not record.statement_in_log for record in register.works.values())
    written = export_records(house, out, [WORK_COLUMNS, *work_rows(register)], in_files)
    for path in written:
        output.line(str(path))
    output.result(files=[str(path) for path in written], size=register.size)
