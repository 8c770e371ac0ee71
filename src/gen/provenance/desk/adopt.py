"""Starting a house that also holds the works of another, for instance the sealed starter house.

The other house is verified in full first. Its signers are enrolled with keys that were valid at
the register indices of the adoption only, so that their signatures verify for ever and
sign nothing new. Acts of the root enter the works, some hundred each, and say where they came
from; they are appended together, so that a crash leaves all of them or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.admission.gate import admit
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.founding import ROSTER_DAYS, create_house
from gen.provenance.houses.house import House
from gen.provenance.houses.settle import work_place
from gen.provenance.records.acts import ADOPT, ROOT, Adoption, Entry
from gen.provenance.records.consent import GENERAL_MODEL, Consent
from gen.provenance.records.roster import Person, PersonKey
from gen.provenance.records.tag import Tagged, read_tag
from gen.provenance.signing.canonical import canonical, sha256_hex
from gen.provenance.signing.keys import PrivateKey

FIRST_INDEX = 1
"""Of the adoption: the new house's first roster comes before it."""
MAX_ACT_BYTES = 1 << 20
"""Of one act's works: well under the longest line that a log may hold."""


def create_house_with(
    source: House,
    folder: Path,
    name: str,
    root_keys: Sequence[PrivateKey],
    *,
    pin_path: Path | None,
    threshold: int = 1,
    days: int = ROSTER_DAYS,
    root_public: Sequence[bytes] = (),
    takes_machine_written: bool = False,
    people: Sequence[Person] = (),
    log_key: PrivateKey | None = None,
) -> House:
    """Start a house with the live works of `source`. Arguments as `create_house`.

    Raises:
        CorpusRefused: a file of the source is refused or missing.
        SettingError: the source holds works that a machine wrote, and the new house takes none.
        HouseError: as `create_house`.
    """
    admit(source.folder, GENERAL_MODEL, pin=source.pin).require_clean()
    register = source.load(anew=True)
    if register.roster.takes_machine_written and not takes_machine_written:
        raise SettingError(
            f"the house {source.pin.name} holds works that a machine wrote",
            mend="take them knowingly with --machine-written, or start without them",
        )
    records = sorted(register.live_works(), key=lambda r: r.entry.work)
    files = [_file_of(source, record) for record in records]
    parts = list(_parts(_as_adopted(register, records, files)))
    house = create_house(
        folder,
        name,
        root_keys,
        pin_path=pin_path,
        threshold=threshold,
        people=[*_signers(register, records, len(parts)), *people],
        days=days,
        root_public=root_public,
        takes_machine_written=takes_machine_written,
        log_key=log_key,
    )
    with house.writing() as session:
        adoptions = [Adoption(_origin(register), tuple(part)).to_dict() for part in parts]
        time = root_keys[0].now()
        acts = [
            session.register.act(ADOPT, ROOT, d, time, ahead=n) for n, d in enumerate(adoptions)
        ]
        return session.commit([act.signed_by(root_keys) for act in acts], root_keys[0], files)


def _signers(register: Register, records: Iterable[WorkRecord], acts: int) -> list[Person]:
    """Who signed the works, with keys that hold for these `acts` of the adoption alone."""
    used = {keyid for record in records for keyid in record.entry.keyids}
    composers = {who for record in records for who, _ in record.entry.composers}
    people = []
    for person in register.roster.people:
        keys = tuple(
            PersonKey(key.public, FIRST_INDEX, FIRST_INDEX + max(acts, 1))
            for key in person.keys
            if key.keyid in used
        )
        if keys or person.id in composers:
            note = person.note or f"of the house {register.roster.house}"
            people.append(Person(person.id, person.name, person.roles, keys, note))
    return people


def _file_of(source: House, record: WorkRecord) -> bytes:
    data = source.store.read_work(work_place(record), record.entry.file_sha256)
    if sha256_hex(data) != record.entry.file_sha256:
        raise HouseError("the file changed while it was adopted", where=record.entry.path)
    return data


def _origin(register: Register) -> dict[str, Any]:
    head = register.newest_head
    return {"house": head.house, "register_root": head.root, "register_size": head.size}


def _as_adopted(
    register: Register, records: Sequence[WorkRecord], files: Sequence[bytes]
) -> Iterator[dict[str, Any]]:
    """What the acts say of these works of another house."""
    for record, data in zip(records, files, strict=True):
        yield _as_signed(record.entry, register.consent_of(record), read_tag(data)).to_dict()


def _parts(works: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Works, in order, in parts of up to `MAX_ACT_BYTES`; a part holds one work at least."""
    part: list[dict[str, Any]] = []
    size = 0
    for work in works:
        length = len(canonical(work))
        if part and size + length > MAX_ACT_BYTES:
            yield part
            part, size = [], 0
        part.append(work)
        size += length
    if part:
        yield part


def _as_signed(entry: Entry, consent: Consent, tagged: Tagged) -> Entry:
    """The entry with what its people signed, allowing what is allowed by now and was signed."""
    allowed = consent.narrowed_by(tagged.statement.consent)
    return replace(entry, consent=allowed, envelope=tagged.envelope)
