"""Starting a house that also holds the works of another, for instance the sealed starter house.

The other house is verified in full first. Its signers are enrolled with keys that were valid at
one register index only, that of the adoption, so that their signatures verify for ever and
sign nothing new. One act of the root enters all works and says where they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gen.errors import HouseError, SettingError
from gen.provenance.acts import ADOPT, ROOT, Act, Entry
from gen.provenance.canonical import sha256_hex, utc_now
from gen.provenance.consent import GENERAL_MODEL, Consent
from gen.provenance.gate import admit
from gen.provenance.house import House
from gen.provenance.keys import PrivateKey
from gen.provenance.people import ROSTER_DAYS, create_house
from gen.provenance.register import Register, WorkRecord
from gen.provenance.roster import Person, PersonKey
from gen.provenance.settle import work_place
from gen.provenance.tag import Tagged, read_tag

ADOPTION_INDEX = 1


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
    house = create_house(
        folder,
        name,
        root_keys,
        pin_path=pin_path,
        threshold=threshold,
        people=[*_signers(register, records), *people],
        days=days,
        root_public=root_public,
        takes_machine_written=takes_machine_written,
        log_key=log_key,
    )
    with house.writing() as session:
        act, files = _adoption(source, register, records)
        return session.commit([act.signed_by(root_keys)], root_keys[0], files)


def _signers(register: Register, records: Iterable[WorkRecord]) -> list[Person]:
    used = {keyid for record in records for keyid in record.entry.keyids}
    composers = {who for record in records for who, _ in record.entry.composers}
    people = []
    for person in register.roster.people:
        keys = tuple(
            PersonKey(key.public, ADOPTION_INDEX, ADOPTION_INDEX + 1)
            for key in person.keys
            if key.keyid in used
        )
        if keys or person.id in composers:
            note = person.note or f"of the house {register.roster.house}"
            people.append(Person(person.id, person.name, person.roles, keys, note))
    return people


def _adoption(
    source: House, register: Register, records: Sequence[WorkRecord]
) -> tuple[Act, list[bytes]]:
    files, works = [], []
    for record in records:
        entry = record.entry
        data = source.store.read_work(work_place(record), entry.file_sha256)
        if sha256_hex(data) != entry.file_sha256:
            raise HouseError("the file changed while it was adopted", where=entry.path)
        files.append(data)
        works.append(_as_signed(entry, register.consent_of(record), read_tag(data)).to_dict())
    head = register.head
    assert head is not None  # noqa: S101 - `load` always sets it
    origin = {"house": head.house, "register_root": head.root, "register_size": head.size}
    data_of_act = {"origin": origin, "works": works}
    return Act(ADOPTION_INDEX, ADOPT, ROOT, utc_now(), data_of_act), files


def _as_signed(entry: Entry, consent: Consent, tagged: Tagged) -> Entry:
    """The entry with what its people signed, allowing what is allowed by now and was signed."""
    allowed = consent.narrowed_by(tagged.statement.consent)
    return replace(entry, consent=allowed, envelope=tagged.envelope)
