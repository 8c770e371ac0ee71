"""How a piece is declared to a distributor: what of it a machine made, in DDEX's elements.

They are those of the Electronic Release Notification 4.3.2: `ContainsAI` of a sound recording, and
among its contributors a `SpecialContributor` with its `AiContribution`. What is written has these,
the people who are named, and nothing else, where a whole message has them: identifiers, titles,
rights and deals are the distributor's to add.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as Xml

from gen.errors import HouseError, printable

NAMESPACE: Final = "http://ddex.net/xml/ern/432"
ALL, PARTLY = "All", "Partly"
"""How much of the content generative AI created; the third allowed value is `None`."""
MACHINE: Final = "GenerativeAI"
COMPOSER, MUSICIAN = "Composer", "Musician"
_WRITTEN: Final = {
    "continue": "what follows the music of a given file",
    "infill": "some bars of a given file",
    "accompany": "instruments added to a given file",
    "harmonise": "chords added to a given file",
    "vary": "other notes in place of those of a given file",
}


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """Who made something of a recording besides the machine.

    Attributes:
        composers: who wrote the file that was brought, or reworked the piece.
        performers: who plays in the recording.
    """

    composers: Sequence[str] = ()
    performers: Sequence[str] = ()


def declared(
    record: dict[str, Any], digest: str, people: NamedPeople, standing: Sequence[str],
    machine_files: Container[str] = (),
) -> str:  # fmt: skip
    """The declaration of a piece, as XML.

    Args:
        record: its receipt.
        digest: SHA-256 of that.
        people: who else had a part.
        standing: what the house knows of the receipt, in sentences.
        machine_files: SHA-256 of files that models of the house wrote: made from one of these, a
            piece has no person behind it.

    Raises:
        HouseError: a person wrote the file that the piece was made from, and is not named.
    """
    source = record["source"]
    if source and source["file_sha256"] not in machine_files and not people.composers:
        raise HouseError(
            "the piece was made from a file that somebody wrote",
            where="--composer", mend="name who wrote it: --composer NAME",
        )  # fmt: skip
    root = Xml.Element("ern:NewReleaseMessage", {"xmlns:ern": NAMESPACE})
    for line in [*line_of(record, digest, people), *standing]:
        root.append(Xml.Comment(f" {re.sub('-(?=-)', '- ', printable(line))} "))
    named = [*((name, COMPOSER) for name in people.composers),
             *((name, MUSICIAN) for name in people.performers)]  # fmt: skip
    references = {name: f"P{n}" for n, name in enumerate(dict.fromkeys(n for n, _ in named), 1)}
    if references:
        parties = Xml.SubElement(root, "PartyList")
        for name, reference in references.items():
            party = Xml.SubElement(parties, "Party")
            _text(party, "PartyReference", reference)
            _text(Xml.SubElement(party, "PartyName"), "FullName", name)
    recording = Xml.SubElement(Xml.SubElement(root, "ResourceList"), "SoundRecording")
    machine = Xml.SubElement(recording, "Contributor", SequenceNumber="1")
    _text(machine, "SpecialContributor", MACHINE)
    _text(Xml.SubElement(machine, "Role"), "Value", COMPOSER)
    _text(machine, "AiContribution", ALL)
    for number, (name, role) in enumerate(named, 2):
        person = Xml.SubElement(recording, "Contributor", SequenceNumber=str(number))
        _text(person, "ContributorPartyReference", references[name])
        _text(Xml.SubElement(person, "Role"), "Value", role)
    _text(recording, "ContainsAI", PARTLY if named else ALL)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def line_of(record: dict[str, Any], digest: str, people: NamedPeople) -> list[str]:
    """The composition line for people: who composed what, by which model, on whose word."""
    source = record["source"]
    part = _WRITTEN.get(source["mode"], "a part") if source else "the whole piece"
    people_did = [f"composed by people, too: {', '.join(people.composers)}"]
    people_did = people_did if people.composers else ["composed by people: nobody was named"]
    played = ", ".join(people.performers) or "nobody; where it sounds, a program plays the notes"
    return [
        f"composed by generative AI: {part} (melody, harmony, rhythm, instruments, loudness)",
        *people_did,
        f"performed by people: {played}",
        "lyrics: none by the model",
        f"model: SHA-256 {record['checkpoint_sha256']} of the house {record.get('house')}; "
        f"{record.get('works_learned_from')} works are in its manifest",
        f"receipt of the piece: SHA-256 {digest}",
        "ISRC and ISWC: to be filled in where they are assigned",
    ]


def _text(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = text
