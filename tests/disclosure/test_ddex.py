"""What a distributor is told of a piece, in the elements of DDEX's schema."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from gen.disclosure.ddex import NamedPeople, declared
from gen.errors import HouseError

RECORD = {"source": None, "checkpoint_sha256": "a" * 64, "house": "lantern",
          "works_learned_from": 6}  # fmt: skip
OF_A_FILE = {**RECORD, "source": {"mode": "continue", "file_sha256": "c" * 64}}
ORDER = ("ContributorPartyReference", "SpecialContributor", "Role", "AiContribution")
"""As the schema has a contributor's elements; of the first two one."""


def recording(record: dict, *people: tuple[str, ...]) -> tuple[Element, Element | None]:
    """The sound recording that a declaration describes, and its list of people."""
    root = fromstring(declared(record, "b" * 64, NamedPeople(*people), ["on record"]))  # noqa: S314 - our own
    assert root.tag == "{http://ddex.net/xml/ern/432}NewReleaseMessage"
    found = root.find("ResourceList/SoundRecording")
    assert found is not None
    assert [part.tag for part in found][-1] == "ContainsAI"
    for one in found.findall("Contributor"):
        places = [ORDER.index(part.tag) for part in one]
        assert places == sorted(places)
    return found, root.find("PartyList")


def test_a_piece_from_nothing_is_declared_as_a_machines_alone():
    found, parties = recording(RECORD)
    assert found.findtext("ContainsAI") == "All"
    assert [(c.findtext("SpecialContributor"), c.findtext("Role/Value"),
             c.findtext("AiContribution")) for c in found.findall("Contributor")] == [
        ("GenerativeAI", "Composer", "All")]  # fmt: skip
    assert parties is None


def test_people_who_wrote_or_played_something_make_it_a_part():
    found, parties = recording(RECORD, ("Ana & Bo",), ("Cleo", "Ana & Bo"))
    assert found.findtext("ContainsAI") == "Partly"
    names = {p.findtext("PartyReference"): p.findtext("PartyName/FullName") for p in parties}
    people = [(names[c.findtext("ContributorPartyReference")], c.findtext("Role/Value"))
              for c in found.findall("Contributor")[1:]]  # fmt: skip
    assert people == [("Ana & Bo", "Composer"), ("Cleo", "Musician"), ("Ana & Bo", "Musician")]
    assert len(names) == 2


def test_a_piece_made_from_a_file_is_not_declared_without_who_wrote_that():
    with pytest.raises(HouseError, match="a file that somebody wrote"):
        recording(OF_A_FILE)
    found, _ = recording(OF_A_FILE, ("Ana",))
    assert found.findtext("ContainsAI") == "Partly"


def test_a_file_that_a_model_of_the_house_wrote_has_nobody_behind_it():
    text = declared(OF_A_FILE, "b" * 64, NamedPeople(), [], {"c" * 64})
    assert "<ContainsAI>All</ContainsAI>" in text
    assert "what follows the music of a given file" in text


def test_the_line_for_people_says_model_receipt_and_what_nobody_knows():
    text = declared({**RECORD, "house": "a---b-->"}, "b" * 64, NamedPeople(), ["on record"])
    assert "the whole piece (melody, harmony, rhythm, instruments, loudness)" in text
    assert "nobody was named" in text
    assert "on record" in text
    assert "a" * 64 in text
    assert "b" * 64 in text
    fromstring(text)  # noqa: S314 - our own
