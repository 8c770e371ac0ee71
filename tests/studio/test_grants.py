"""Terms, approvals, retirements and complaints by the interface: alone, and signed elsewhere."""

from __future__ import annotations

from datetime import date

import pytest

from desks import Asker
from gen.provenance.desk.complaints_desk import cases
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.records.terms import Use
from houses import TestHouse
from served import refused

MODEL = ModelDigest("model.safetensors", 1, "b0" * 32, "b1" * 32)
OTHER = ModelDigest("other.safetensors", 2, "c0" * 32, "c1" * 32)
WORDS = {
    "allow": "general_model sampling sale@2090-12-31", "ask_first": ["sale"],
    "this_version": True, "share": 60, "fee": "25.50",
}  # fmt: skip
DATA = {
    "consent": [{"scope": "general_model", "until": None}], "fee": 2550, "share": 60,
    "this_version": True,
    "uses": [{"approval": True, "until": "2090-12-31", "use": "sale"},
             {"approval": False, "until": None, "use": "sampling"}],
}  # fmt: skip


@pytest.fixture
def work(small_house: TestHouse) -> str:
    return small_house.entries[0].work


@pytest.fixture
def run(small_house: TestHouse, work: str) -> int:
    return small_house.log_run([work], [MODEL, OTHER])


# -- at one computer ------------------------------------------------------------------------------


def test_terms_are_said_and_take_the_place_of_earlier_ones(
    asker: Asker, small_house: TestHouse, work: str
) -> None:
    asker.unlock("ana")
    said = {"composer": "ana", **WORDS}
    (found,) = asker.post(f"/works/{work}/terms", said)
    assert (found["share"], found["fee"], found["this_version"]) == (60, "25.50", True)
    kept = small_house.house.load(anew=True).works[work].terms["ana"][-1].terms
    assert kept.uses == (Use("sale", date(2090, 12, 31), True), Use("sampling"))
    (found,) = asker.post(f"/works/{work}/terms", {"composer": "ana", "allow": "nothing"})
    assert found["uses"] == []
    for wrong, where in (
        ({"allow": "general_modle"}, "general_model"),
        ({"allow": "nothing", "ask_first": ["sale"]}, "sale"),
        ({"fee": "a lot"}, "25.50"),
    ):
        assert where in str(asker.post(f"/works/{work}/terms", {**said, **wrong}, 422))
    asker.post("/works/nowhere-00000000/terms", said, 422)


def test_what_a_composer_wants_to_be_asked_about_is_listed_until_they_approve_it(
    asker: Asker, small_house: TestHouse, work: str, run: int
) -> None:
    asker.unlock("ana")
    assert asker.get("/composers/ana/account")["asked_for"] == []
    asker.post(f"/works/{work}/terms", {"composer": "ana", **WORDS})
    (asked,) = asker.get("/composers/ana/account")["asked_for"]
    assert (asked["use"], asked["run"], asked["works"]) == ("sale", run, [work])
    body = {"composer": "ana", "use": "sale", "run": run}
    assert asker.post("/approvals", body)["works"] == [work]
    assert asker.get("/composers/ana/account")["asked_for"] == []
    assert "no run 9999" in str(asker.post("/approvals", {**body, "run": 9999}, 422))


def test_models_are_listed_and_taken_out_of_use(
    asker: Asker, small_house: TestHouse, run: int
) -> None:
    asker.unlock("cleo")
    (found,) = asker.get("/models")
    assert [model["retired"] for model in found["models"]] == [None, None]
    assert found["works"] == 1
    said = {"curator": "cleo", "models": [MODEL.file_sha256], "reason": "worn out"}
    found = asker.post(f"/models/{run}/retire", said)
    first, second = found["models"]
    assert (first["retired"]["by"], first["retired"]["reason"]) == ("cleo", "worn out")
    assert second["retired"] is None
    asker.post(f"/models/{run}/retire", said, 422)
    asker.post(f"/models/{run}/retire", {"curator": "cleo"})
    register = small_house.house.load(anew=True)
    assert register.retired(OTHER.file_sha256) is not None
    assert "retired already" in str(asker.post(f"/models/{run}/retire", {"curator": "cleo"}, 422))


def test_a_complaint_is_entered_and_answered(
    asker: Asker, small_house: TestHouse, work: str
) -> None:
    asker.unlock("cleo")
    said = {"person": "cleo", "who": "Harbour Songs", "text": "It is ours.", "about": [work]}
    (found,) = asker.post("/complaints", said)
    assert (found["who"], found["text"], found["answers"]) == ("Harbour Songs", "It is ours.", [])
    body = {"curator": "cleo", "text": "Nothing alike."}
    (found,) = asker.post(f"/complaints/{found['act']}/answer", body)
    assert [one["text"] for one in found["answers"]] == ["Nothing alike."]
    assert asker.get("/complaints") == [found]
    asker.post("/complaints/0/answer", body, 422)
    asker.post("/complaints", {**said, "text": ""}, 422)
    (case,) = cases(small_house.house, small_house.house.load(anew=True))
    assert case.said["from"] == "Harbour Songs"


def test_the_account_says_what_became_of_a_composers_works_and_what_is_new(
    asker: Asker, small_house: TestHouse, work: str, run: int
) -> None:
    asker.unlock("ana")
    found = asker.get("/composers/ana/account")
    assert [one["work"] for one in found["works"]] == [work]
    (used,) = found["used_by"]
    assert (used["run"], used["works"], used["models"], used["retired"]) == (run, 1, 2, 0)
    asker.post(f"/works/{work}/terms", {"composer": "ana", **WORDS})
    later = asker.get(f"/composers/ana/account?since={found['acts']}")
    (new,) = later["news"]
    assert "terms by ana" in new["words"]
    assert work in new["words"]
    assert asker.get(f"/composers/ana/account?since={later['acts']}")["news"] == []
    assert asker.get("/composers/ana/nearest") == {"pieces": [], "unread": []}
    asker.get("/composers/nobody/account", 422)


# -- in a house that is served --------------------------------------------------------------------


def test_terms_approval_retirement_and_complaint_are_signed_where_the_key_is(
    hand, small_house: TestHouse, work: str, run: int
) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    ana.post(f"/works/{work}/terms", ana.terms(work, {**DATA, "work": work}, WORDS))
    assert ana.approve("sale", run, [work])["works"] == [work]
    (found,) = cleo.complain("Harbour Songs", "It is ours.", [work])
    cleo.answer_complaint(found["act"], "Nothing alike.")
    assert cleo.retire(run, [MODEL.file_sha256], "worn out")["models"][0]["retired"]
    register = small_house.house.load(anew=True)
    assert register.works[work].terms["ana"][-1].terms.fee == 2550
    assert register.approvals.of("ana", work, "sale", run, "")
    assert register.retired(MODEL.file_sha256).reason == "worn out"
    (case,) = cases(small_house.house, register)
    assert case.said["text"] == "It is ours."
    assert case.answers[0][1]["text"] == "Nothing alike."


def test_other_terms_or_another_complaint_than_was_signed_are_refused_and_leave_nothing(
    hand, small_house: TestHouse, work: str
) -> None:
    ana, size = hand("ana"), small_house.load().size
    body = ana.terms(work, {**DATA, "work": work}, {**WORDS, "fee": "25.49"})
    with refused(409):
        ana.post(f"/works/{work}/terms", body)
    asked = ana.client.request

    def changed(method: str, path: str, **more):
        more["json"] = {**more["json"], "text": "It is yours."} if "person" in (
            more.get("json") or {}) else more.get("json")  # fmt: skip
        return asked(method, path, **more)

    ana.client.request = changed
    with refused(409):
        ana.complain("Harbour Songs", "It is ours.", [work])
    assert small_house.house.load(anew=True).size == size
    assert list(small_house.folder.glob("complaints/*")) == []


def test_a_curator_says_no_terms_and_a_composer_retires_and_answers_nothing(
    hand, work: str, run: int
) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    with refused(403):
        cleo.post(f"/works/{work}/terms", {"composer": "cleo", **WORDS})
    with refused(403):
        cleo.post("/approvals", {"composer": "cleo", "use": "sale", "run": run})
    with refused(403):
        ana.post(f"/models/{run}/retire", {"curator": "ana"})
    (found,) = ana.complain("a listener", "too loud", [])
    with refused(403):
        ana.post(f"/complaints/{found['act']}/answer", {"curator": "ana", "text": "no"})


def test_an_account_is_for_its_composer_and_for_curators(hand) -> None:
    for person in ("ana", "cleo"):
        assert hand(person).get("/composers/ana/account")["composer"] == "ana"
    for asked in ("account", "nearest"):
        with refused(403):
            hand("ben").get(f"/composers/ana/{asked}")


def test_a_complaint_is_read_by_those_whom_it_concerns_and_is_not_there_for_others(
    hand, work: str
) -> None:
    """A named work's composer reads what is said and not who says it; others nothing at all."""
    ana, ben, cleo = hand("ana"), hand("ben"), hand("cleo")
    cleo.complain("Harbour Songs", "It is ours.", [f"{work}.mid"])
    cleo.complain("a listener", "It is too loud.", ["the last album"])
    (hers,) = ana.get("/complaints")
    assert (hers["text"], hers["who"]) == ("It is ours.", "")
    assert ben.get("/complaints") == []
    assert [one["who"] for one in cleo.get("/complaints")] == ["a listener", "Harbour Songs"]
    kinds = {name: [act["act"] for act in one.get(f"/works/{work}/acts")]
             for name, one in (("ana", ana), ("ben", ben), ("cleo", cleo))}  # fmt: skip
    assert kinds == {"ana": ["add", "complain"], "ben": ["add"], "cleo": ["add", "complain"]}
    (own,) = [one for one in ben.complain("me", "my key", []) if one["by"] == "ben"]
    assert own["who"] == "me"
