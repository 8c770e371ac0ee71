"""What passes the gate, and that its three lists account for every file."""

import dataclasses
from datetime import date

import pytest

from gen.errors import SettingError
from gen.provenance.admission.corpus import CorpusRefused
from gen.provenance.admission.gate import admit, check_purpose
from gen.provenance.admission.rules import MENDS
from gen.provenance.records.roster import SignedRoster
from gen.smf import parse
from houses import key_of, make_midi, start_house, tagged


def test_gate_admits_what_two_people_signed(house):
    first, second = house.enter(1, 2)
    received = []
    corpus = house.admit(receive=lambda work, piece: received.append((work.work_id, piece())))
    assert len(corpus) == len(corpus.admitted) == 2
    assert dict(received) == {first.work: parse(make_midi(1)), second.work: parse(make_midi(2))}
    assert corpus.require_clean() is corpus


def test_admitted_works_are_told_as_they_were_signed(house):
    (entry,) = house.enter(1, composers=(("ana", 60), ("ben", 40)))
    (work,) = house.admit().admitted
    assert (work.work_id, work.path) == (entry.work, f"ana/{entry.work}.mid")
    assert (work.sha256, work.musical_hash) == (entry.music_sha256, entry.musical_hash)
    assert (work.register_index, work.curator) == (1, "cleo")
    assert work.composers == (("ana", 60), ("ben", 40))
    assert (work.description.title, work.description.genre) == ("Small Rain", "waltz")
    assert str(work.consent) == "evaluation general_model"


def test_works_come_in_path_order(house):
    house.enter(5, 3, 1)
    house.enter(2, composer="ben")
    order = []
    corpus = house.admit(receive=lambda work, _: order.append(work.path))
    assert order == sorted(order) == [work.path for work in corpus.admitted]


def test_three_lists_account_for_every_file(house):
    house.enter(1, 2)
    house.enter(3, consent="evaluation")
    (house.folder / "ana" / "x.mid").write_bytes(make_midi(9))
    (house.folder / "notes.txt").write_text("")
    corpus = house.admit()
    counts = [len(part) for part in (corpus.admitted, corpus.not_consented, corpus.refused)]
    assert counts == [2, 1, 2]
    assert len(corpus) == 5
    assert (corpus.purpose, corpus.house_name, corpus.roster_version) == (
        "general_model",
        "lantern",
        1,
    )
    assert corpus.register_head.size == 4


def test_refused_corpus_lists_every_file_with_rule_and_mend(house):
    house.enter(1)
    for name in ("x", "y"):
        (house.folder / "ana" / f"{name}.mid").write_bytes(make_midi(9))
    with pytest.raises(CorpusRefused, match="2 of 3 files are refused") as caught:
        house.admit().require_clean()
    assert [r.path for r in caught.value.refusals] == ["ana/x.mid", "ana/y.mid"]
    assert str(caught.value).count(MENDS["untagged"]) == 2


def test_waiting_works_are_none_of_the_gates_business(house):
    house.submit(tagged(make_midi(1)))
    assert len(house.admit()) == 0


def test_waiting_work_moved_among_the_works_is_refused(house):
    house.submit(tagged(make_midi(1)))
    (path,) = (house.folder / "inbox").glob("*.mid")
    (house.folder / "ana").mkdir()
    path.rename(house.folder / "ana" / path.name)
    assert set(house.rules().values()) == {"signature-count"}


def test_gate_wants_the_pin_of_this_house(house, tmp_path):
    other = start_house(tmp_path / "other")
    with pytest.raises(SettingError, match="the pin is that of"):
        admit(other.folder, "general_model", pin=house.pin)


def test_purpose_unknown_to_this_house_is_refused(house):
    register = house.load()
    narrow = dataclasses.replace(register.roster, purposes=("evaluation",))
    register.rosters[-1] = SignedRoster(narrow, ())
    for purpose in ("general_model", "artist_model:ana"):
        with pytest.raises(SettingError, match=f"does not know the purpose '{purpose}'"):
            check_purpose(purpose, register)


def test_file_taken_away_during_the_pass_is_not_seen(house):
    first, second = sorted(house.enter(1, 2), key=lambda e: e.path)
    corpus = house.admit(receive=lambda *_: house.path(second).unlink(missing_ok=True))
    assert [work.work_id for work in corpus.admitted] == [first.work]
    assert [refusal.path for refusal in corpus.missing] == [second.path]


def test_consent_is_judged_on_the_day_that_is_asked(house):
    house.enter(1, consent="general_model@2027-01-31")
    assert len(house.admit(today=date(2027, 1, 31)).admitted) == 1
    corpus = house.admit(today=date(2027, 2, 1))
    assert len(corpus.not_consented) == 1
    assert corpus.judged_on == date(2027, 2, 1)


def test_every_rule_has_a_mend():
    assert all(len(mend) > 10 for mend in MENDS.values())


def test_departed_curators_works_stay(house):
    house.enter(1)
    assert house.admit().admitted[0].curator == "cleo"
    house.submit(tagged(make_midi(2)))
    house.accept(curator="dana")
    assert {work.curator for work in house.admit().admitted} == {"cleo", "dana"}
    assert key_of("cleo").keyid != key_of("dana").keyid


@pytest.mark.parametrize("record", ["register.head.json", "register.jsonl", "roster.json"])
def test_a_record_whose_writing_was_cut_short_stops_nothing_and_is_cleared_away(house, record):
    house.enter(1)
    left = house.folder / f".{record}.4711.new"
    left.write_bytes(b"half")
    assert house.rules() == {}
    house.enter(2)
    assert not left.exists()
    assert len(house.admit().admitted) == 2


def test_a_stray_file_named_like_a_cut_short_one_is_refused(house):
    house.enter(1)
    (house.folder / ".song.mid.4711.new").write_bytes(b"MThd")
    assert house.rules() == {".song.mid.4711.new": "stray-file"}
