"""What a file's own credentials allow is kept to when it is contributed."""

from __future__ import annotations

import pytest

from gen.contribution import reading
from gen.errors import HouseError
from gen.marks import claims as written
from gen.marks import jumbf
from gen.marks.claims import embedded
from gen.marks.containers import CONTAINERS
from gen.marks.permissions import training_refused
from houses import make_midi


def with_entries(claims, signer, monkeypatch, entries, label="cawg.training-mining"):
    """A MIDI file whose credentials carry these entries in place of the house's assertion."""
    monkeypatch.setattr(written, "PIECE", label)
    monkeypatch.setattr(written, "TRAINED", "http://cv.iptc.org/newscodes/digitalsourcetype/none")
    object.__setattr__(claims, "facts", {"entries": entries})
    return embedded(make_midi(1), CONTAINERS[".mid"], claims, signer)


@pytest.mark.parametrize(
    ("entries", "refused"),
    [
        ({"cawg.ai_generative_training": {"use": "notAllowed"}}, True),
        ({"cawg.ai_training": {"use": "constrained", "constraint_info": "ask"}}, True),
        ({"cawg.ai_training": {"use": "allowed"}}, False),
        ({"cawg.data_mining": {"use": "notAllowed"}}, False),
    ],
)
def test_uses_for_training_that_are_not_allowed_are_found(
    claims, signer, monkeypatch, entries, refused
):
    data = with_entries(claims, signer, monkeypatch, entries)
    assert bool(training_refused(data)) is refused


def test_contribution_refuses_what_its_own_credentials_do_not_allow(claims, signer, monkeypatch):
    entries = {"c2pa.ai_generative_training": {"use": "notAllowed"}}
    data = with_entries(claims, signer, monkeypatch, entries, "c2pa.training-mining")
    with pytest.raises(HouseError, match="do not allow that models learn from it"):
        reading.check_origin(data)
    reading.check_origin(make_midi(1))


def test_credentials_that_cannot_be_read_and_say_not_allowed_are_a_refusal():
    broken = jumbf.box(b"jumb", b"c2pa.training-mining notAllowed")
    data, _ = CONTAINERS[".mid"].put(make_midi(1), broken)
    assert training_refused(data)
    assert not training_refused(make_midi(1))
