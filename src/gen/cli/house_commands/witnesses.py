"""Showing the log outside the house: witness, and fraud where two histories were shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import REFUSED, Console, house_command
from gen.errors import HouseError, SettingError, found_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House
    from gen.provenance.records.witness_policy import Policy, Witness
    from gen.provenance.signing.notes import NoteKey, SignedNote

FILE = click.Path(path_type=Path)
READ = click.Path(path_type=Path, exists=True)


@house_command
@click.option("--add", metavar="KEY", help="Believe this witness: what witness.py show prints.")
@click.option("--url", metavar="URL", help="With --add: where it answers; none for by files.")
@click.option("--drop", metavar="NAME", help="Believe this witness no longer.")
@click.option("--need", type=click.IntRange(1, 30),
              help="How many make a head witnessed; by default more than half.")  # fmt: skip
@click.option("--max-age", type=click.IntRange(1), metavar="HOURS",
              help="How long ago they may have signed it.")  # fmt: skip
@click.option("--require/--no-require", default=None,
              help="Whether audit, training, evaluation refuse an unwitnessed head.")  # fmt: skip
@click.option("--request", type=FILE, metavar="FILE", help="Write a request, for instance to mail.")
@click.option("--of", "name", metavar="NAME", help="With --request: which witness it goes to.")
@click.option("--old", type=click.IntRange(0), metavar="SIZE",
              help="With --request: how many acts it has signed, where it said so.")  # fmt: skip
@click.option("--take", "answers", multiple=True, type=READ, metavar="FILE",
              help="Take in an answer that came as a file.")  # fmt: skip
def witness_command(
    *, output: Console, add: str | None, url: str | None, drop: str | None, need: int | None,
    max_age: int | None, require: bool | None, request: Path | None, name: str | None,
    old: int | None, answers: tuple[Path, ...],
) -> None:  # fmt: skip
    """Have the log's head signed by the witnesses that the pin names; without options, ask all.

    Witnesses are outside the house. Each remembers what it signed, and signs no other history;
    `scripts/witness.py` is one. The options before --request change the pin: whom its reader
    believes, how many are needed (k of n), how old their signatures may be.

    Exits 2 when fewer than needed signed this head, or one of them knows another history or has
    forgotten what it signed.
    """
    house = output.open_house()
    changes = {"need": need, "max_age_hours": max_age, "required": require}
    if add or drop or any(value is not None for value in changes.values()):
        _change_policy(house, output, add, url, drop, changes)
    elif answers:
        _take_in(house, answers, output)
    elif request is not None:
        _write_request(house, request, name, old, output)
    else:
        _ask_all(house, output)


def _change_policy(
    house: House, output: Console, add: str | None, url: str | None, drop: str | None,
    changes: dict[str, Any],
) -> None:  # fmt: skip
    from dataclasses import replace

    from gen.provenance.records.pin import PinError, load_pin

    if house.pin.path is None:
        raise PinError("this pin is in no file")
    with house.store.locked():
        pin = load_pin(house.pin.path)
        policy = _changed(pin.witnesses, add, url, drop)
        policy = replace(policy, **{n: v for n, v in changes.items() if v is not None})
        replace(pin, witnesses=policy).save()
    output.line(f"the pin {house.pin.path} believes {_spelled(policy)}")
    if policy.witnesses:
        output.line(_stands(policy))
    output.result(
        liars_for_two_histories=policy.liars_for_two_histories,
        max_age_hours=policy.max_age_hours,
        need=policy.need,
        required=policy.required,
        witnesses=[str(witness) for witness in policy.witnesses],
    )


def _changed(policy: Policy, add: str | None, url: str | None, drop: str | None) -> Policy:
    from dataclasses import replace

    from gen.provenance.records.witness_policy import Witness

    if drop:
        left = tuple(w for w in policy.witnesses if w.name != drop)
        if len(left) == len(policy.witnesses):
            raise SettingError(f"the pin names no witness {drop!r}", mend=_spelled(policy))
        required = policy.required and bool(left)
        need = min(policy.need, max(1, len(left)))
        policy = replace(policy, witnesses=left, required=required, need=need)
    if add:
        new = Witness.parse(f"{add.strip()} {url or ''}")
        others = tuple(w for w in policy.witnesses if w.name != new.name)
        # More than half: honest witnesses cannot then be split between two histories.
        need = max(policy.need, (len(others) + 1) // 2 + 1)
        policy = replace(policy, witnesses=(*others, new), need=need)
    return policy


def _stands(policy: Policy) -> str:
    liars = policy.liars_for_two_histories
    if liars == 0:
        return (
            "no witness has to lie for two histories to be signed, one by each half of them: "
            f"--need {len(policy.witnesses) // 2 + 1}"
        )
    who = "one witness" if liars == 1 else f"{liars} witnesses"
    return (
        f"{who} would have to lie for two histories to be signed, {policy.need} to date acts back"
    )


def _spelled(policy: Policy) -> str:
    names = ", ".join(w.name + (f" at {w.url}" if w.url else "") for w in policy.witnesses)
    if not names:
        return "no witnesses"
    strictly = "; audit, training and evaluation refuse a head without them"
    return (
        f"{policy.need} of {len(policy.witnesses)} witnesses ({names}), for "
        f"{policy.max_age_hours} hours{strictly if policy.required else ''}"
    )


def _ask_all(house: House, output: Console) -> None:
    from gen.provenance.witnesses.asking import note_to_witness, signed_before
    from gen.provenance.witnesses.standing import read_notes, standing_of

    policy, notes = house.pin.witnesses, read_notes(house)
    register = house.load()
    standing = standing_of(house, register, notes)
    note = note_to_witness(house, register)
    if note.size < register.size:
        output.say(
            f"the newest note has {note.size} of {register.size} acts: the log's key is needed to "
            "sign a newer one"
        )
    outcomes = {}
    for witness in policy.witnesses:
        if witness.url:
            before = signed_before(standing.found, witness)
            outcomes[witness.name] = _ask(house, register, note, witness, before)
            output.line(f"{witness.name}: {outcomes[witness.name]['said']}")
        else:
            output.line(f"{witness.name}: by files (house.py witness --request FILE --of …)")
    _report(house, output, outcomes)


def _ask(
    house: House, register: Register, note: SignedNote, witness: Witness, before: int
) -> dict[str, str]:
    from gen.provenance.records.witness_policy import spelled
    from gen.provenance.witnesses.asking import ask, keep
    from gen.provenance.witnesses.standing import WitnessError

    try:
        signatures = ask(witness, register, note, before)
    except WitnessError as error:
        return {"rule": error.rule, "said": str(error)}
    keep(house.store, note, signatures, house.pin.witnesses)
    return {"rule": "", "said": f"signed {note.size} acts at {spelled(signatures[-1].time)}"}


def _report(house: House, output: Console, outcomes: dict[str, dict[str, str]]) -> None:
    """What is proved by now; exit 2 when that is not enough, or a witness knows another history."""
    from gen.provenance.witnesses.standing import read_notes, standing_of

    now, notes = int(time.time()), read_notes(house)
    standing = standing_of(house, house.load(), notes)
    for line in standing.lines(now):
        output.line(line)
    problem = standing.problem(now) if house.pin.witnesses.witnesses else "no witnesses are named"
    output.result(
        answers=outcomes,
        first_seen=standing.first_seen(),
        problem=problem,
        size=standing.size,
        witnessed=not problem,
    )
    if problem:
        output.say(problem)
    rules = {outcome["rule"] for outcome in outcomes.values()}
    if problem or rules & {"two-histories", "forgetful"}:
        raise SystemExit(REFUSED)


def _write_request(
    house: House, path: Path, name: str | None, old: int | None, output: Console
) -> None:
    from gen.disk import write_atomically
    from gen.provenance.witnesses.asking import keep, note_to_witness, request_of, signed_before
    from gen.provenance.witnesses.standing import read_notes, standing_of

    policy, notes = house.pin.witnesses, read_notes(house)
    register = house.load()
    if old is None:
        found = standing_of(house, register, notes).found
        old = signed_before(found, _named(policy, name))
    note = note_to_witness(house, register)
    request = request_of(register, note, old)
    keep(house.store, note, (), policy)  # the answer is about this note, whatever comes meanwhile
    write_atomically(path, request)
    output.line(f"wrote {path}: {note.size} acts, of which {old} were signed before")
    output.say("the witness answers it with: python witness.py check REQUEST --out ANSWER")
    output.result(file=str(path), old=old, size=note.size)


def _named(policy: Policy, name: str | None) -> Witness:
    found = [w for w in policy.witnesses if name in (None, w.name)]
    if len(found) != 1:
        raise SettingError(
            f"which witness does it go to? {len(found)} fit",
            mend=f"say --of NAME; the pin believes {_spelled(policy)}",
        )
    return found[0]


def _take_in(house: House, files: Sequence[Path], output: Console) -> None:
    from gen.disk.reading import ANSWER, read
    from gen.provenance.witnesses.asking import WitnessAnswer, take_in
    from gen.provenance.witnesses.standing import read_notes, true_notes

    notes = read_notes(house)
    true = true_notes(house.load(), notes)
    for file in files:
        with found_in(file):
            note, names = take_in(house, true, WitnessAnswer.of_file(read(file, ANSWER)))
        output.line(f"{file}: {', '.join(names)} signed {note.size} acts")
    _report(house, output, {})


@house_command
@click.argument("first", type=READ, metavar="A")
@click.argument("second", type=READ, metavar="B", required=False)
@click.option("--out", type=FILE, metavar="FILE", help="Write the proof there.")
@click.option("--key", "keys", multiple=True, metavar="KEY",
              help="Whose signatures to look for; by default those the pin names.")  # fmt: skip
def fraud_command(
    *, output: Console, first: Path, second: Path | None, out: Path | None, keys: tuple[str, ...]
) -> None:
    """Make a proof that two heads of one log cannot both be true; or, with A alone, check one.

    A and B are signed notes (register.checkpoint, witnesses/*.note), or the folders of a house or
    of a copy of its records; of heads of two sizes, the larger one's records are needed. Exits 0
    when somebody signed both, 2 when the heads are of one history or nobody is known to have.
    """
    from gen.disk import write_atomically
    from gen.disk.reading import PROOF, read
    from gen.provenance.witnesses.fraud import prove_fraud, signers_of_both

    if (second is None) == (out is not None):
        raise SettingError("give A and B with --out FILE, or a proof alone")
    believed = _believed(keys, output)
    if second is None:
        data = read(first, PROOF)
        guilty = signers_of_both(data, believed)
    else:
        found = [_note_and_leaves(path) for path in (first, second)]
        data = prove_fraud(found[0][0], found[1][0], [leaves for _, leaves in found])
        guilty = signers_of_both(data, believed)
    if out is not None and guilty:
        write_atomically(out, data)
        output.line(f"wrote {out}")
    verdict = f"signed both: {', '.join(guilty)}" if guilty else "no key that is known signed both"
    output.line(verdict)
    output.result(file=str(out) if out and guilty else None, signed_both=guilty)
    if not guilty:
        raise SystemExit(REFUSED)


def _believed(keys: Sequence[str], output: Console) -> list[NoteKey]:
    from gen.provenance.signing.notes import NoteKey, kind_of
    from gen.provenance.witnesses.standing import log_keys

    if keys:
        return [NoteKey.parse(word, kind_of(word)) for word in keys]
    house = output.open_house()
    found = [house.pin.log] if house.pin.log else []
    try:
        found += log_keys(house.load())  # former ones, too: who lied may have replaced its key
    except HouseError:  # this copy is one of those that cannot be true, for instance
        if not found:
            raise
    return [*dict.fromkeys(found), *house.pin.witnesses.keys]


def _note_and_leaves(path: Path) -> tuple[SignedNote, list[bytes]]:
    """A note from a file; or the newest one of a folder of records, with the log's leaf hashes."""
    from gen.disk import Folder
    from gen.disk.reading import PROOF, read
    from gen.provenance.houses.note_files import leaves_in, read_note
    from gen.provenance.houses.store import CHECKPOINT, Store
    from gen.provenance.signing.notes import NoteError, SignedNote

    if not path.is_dir():
        return SignedNote.parse(read(path, PROOF)), []
    note = read_note(Store(path), CHECKPOINT)
    if note is None:
        raise NoteError(f"no {CHECKPOINT} is there", where=str(path))
    return note, leaves_in(Folder(path))
