"""Works that a machine wrote: declared as such, and taken only where the roster says so."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.provenance.desk.adopt import create_house_with
from gen.provenance.houses.founding import create_house
from gen.provenance.records.roster import Roster
from gen.provenance.records.statement import Statement
from gen.provenance.signing.canonical import StrictJsonError, canonical, strict_json
from houses import key_of, make_midi, make_statement, start_house


def test_a_house_refuses_what_a_machine_wrote_unless_its_roster_takes_it(tmp_path):
    house = start_house(tmp_path / "house")
    with pytest.raises(AssertionError, match="machine-written"):
        house.enter(1, method="machine")


def test_a_machine_written_work_states_so_in_its_tag():
    midi = make_midi(1)
    for method, states in (("machine", False), ("score", True)):
        statement = make_statement(midi, method=method)
        assert statement.no_generative_model is states
        content = strict_json(statement.payload("ab" * 32))
        assert content["predicate"]["statements"]["no_generative_model"] is states


def test_a_tag_whose_method_contradicts_its_statement_of_origin_is_refused():
    content = strict_json(make_statement(make_midi(1)).payload("ab" * 32))
    content["predicate"]["statements"]["no_generative_model"] = False
    with pytest.raises(StrictJsonError, match="contradicts"):
        Statement.from_payload(content)


def test_a_roster_says_so_only_where_it_is_true_and_reads_it_back(tmp_path):
    for takes in (False, True):
        house = create_house(
            tmp_path / str(takes), "lantern", [key_of("root")], pin_path=None,
            takes_machine_written=takes,
        )  # fmt: skip
        roster = house.load().roster
        assert roster.takes_machine_written is takes
        assert (b"takes_machine_written" in roster.payload()) is takes
        assert Roster.from_dict(strict_json(canonical(roster.to_dict()))) == roster


def test_a_new_house_takes_machine_written_works_over_only_knowingly(tmp_path):
    source = create_house(
        tmp_path / "source", "lantern", [key_of("root")], pin_path=None,
        takes_machine_written=True,
    )  # fmt: skip
    with pytest.raises(SettingError, match="--machine-written"):
        create_house_with(source, tmp_path / "new", "mine", [key_of("other")], pin_path=None)
