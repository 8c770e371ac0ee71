"""The studio and what composers ask for: terms in words, and what they do not grant refused."""

from __future__ import annotations

import base64
import json
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from desks import PATIENCE, TOKEN, Asker, served
from gen.errors import HouseError
from gen.provenance.desk.complaints_desk import answer, complain
from gen.provenance.desk.granting import approve, retire, set_terms
from gen.provenance.desk.works import set_consent
from gen.provenance.records.consent import Consent
from gen.provenance.records.terms import Terms, Use
from gen.sampling.opening.opened_model import Opened
from gen.sampling.request import SampleRequest
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.serving.guard import Guard
from gen.studio.terms import in_words
from houses import TestHouse, key_of, make_midi
from studios import CHECKPOINT, asking, make_studio

GENERAL = Consent.parse("general_model evaluation")


@pytest.fixture
def writing_house(tmp_path: Path) -> TestHouse:
    """A house of its own, whose model a test may retire."""
    return make_studio(tmp_path)


@pytest.fixture
def its_desk(writing_house: TestHouse, tmp_path: Path) -> Desk:
    made = Desk(
        writing_house.folder, writing_house.pin.path, str(tmp_path / CHECKPOINT),
        tmp_path / "pieces", tmp_path / "runs",
    )  # fmt: skip
    made.make_out()
    return made


def refusal(folder: Path, house: TestHouse) -> dict[str, str]:
    """What `sample.py` says to a request of this house's model."""
    with pytest.raises(HouseError) as refused:
        Opened.of(SampleRequest.of(asking(folder, house, folder / "elsewhere")))
    return {name: getattr(refused.value, name) for name in ("what", "where", "mend")}


def last_event(asker: Asker, verb: str, **asked: object) -> dict:
    job = asker.post(f"/{verb}", asked)["id"]
    with asker.client.stream("GET", f"/api/v1/jobs/{job}/events", timeout=PATIENCE) as answered:
        lines = [line for line in answered.iter_lines() if line.startswith("data: ")]
    return json.loads(lines[-1].removeprefix("data: "))


def test_what_terms_or_a_retirement_forbid_is_refused_while_the_studio_is_open(
    writing_house: TestHouse, its_desk: Desk, tmp_path: Path
) -> None:
    house, works = writing_house, list(writing_house.load().works)
    midi = base64.b64encode(make_midi(3, 8)).decode()
    guard = Guard(studio(its_desk), frozenset({"testserver"}), TOKEN)
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        asker = Asker(client)
        assert last_event(asker, "generate", bars=1)["kind"] == "done"

        set_terms(house.house, works[:1], key_of("ana"), GENERAL, [Use("sale")])
        said = last_event(asker, "generate", bars=1)
        assert said.get("error") == refusal(tmp_path, house)
        assert "sampling from it is not granted" in said["error"]["what"]
        assert works[0] in said["error"]["what"]
        assert last_event(asker, "vary", midi=midi)["error"] == said["error"]

        set_terms(house.house, works[:1], key_of("ana"), GENERAL, [Use("sampling")])
        assert last_event(asker, "generate", bars=1)["kind"] == "done"

        (run,) = house.load().runs.that_read(works)
        models = [model.file_sha256 for model in run.models]
        retire(house.house, [key_of("cleo")], run, models, "a wish of ana's")
        said = last_event(asker, "generate", bars=1)
        assert said.get("error") == refusal(tmp_path, house)
        assert "was retired by cleo" in said["error"]["what"]
        assert last_event(asker, "harmonise", midi=midi)["error"] == said["error"]
        asker.post("/generate", {"retired": True}, 422)


def test_a_works_terms_and_what_was_done_about_them_are_said_in_words(
    writing_house: TestHouse, its_desk: Desk
) -> None:
    house, (work, other) = writing_house, list(writing_house.load().works)
    uses = [Use("sale", None, True), Use("sampling", date(2090, 12, 31))]
    ana, cleo = key_of("ana"), key_of("cleo")
    set_terms(house.house, [work], ana, GENERAL, uses, this_version=True, share=60, fee=2550)
    (run,) = house.load().runs.that_read([work])
    approve(house.house, ana, "sale", run, [work])
    retire(house.house, [cleo], run, [run.models[0].file_sha256], "worn out")
    at = complain(house.house, cleo, "Harbour Songs", "it is ours", [f"{work}.mid"])
    answer(house.house, cleo, at, "nothing alike")

    guard = Guard(studio(its_desk), frozenset({"testserver"}), TOKEN)
    asker = Asker(TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}))
    (found,) = asker.get(f"/works/{work}")["terms"]
    assert (found["composer"], found["share"], found["fee"]) == ("ana", 60, "25.50")
    assert found["uses"] == [
        {"use": "sale", "until": None, "approval": True, "is_live": True},
        {"use": "sampling", "until": "2090-12-31", "approval": False, "is_live": True},
    ]
    for words in (
        "sold, once the composer has approved it", "write pieces until 2090-12-31",
        "may not write in its composer's style", "one version", "60 %", "25.50",
    ):  # fmt: skip
        assert words in found["words"], words
    assert asker.get(f"/works/{other}")["terms"] == []
    set_consent(house.house, [work], Consent.parse("evaluation"), ana)
    (moved,) = asker.get(f"/works/{work}")["terms"]
    assert (moved["consent"], moved["uses"]) == ("evaluation", found["uses"])

    acts = {one["act"]: one for one in asker.get(f"/works/{work}/acts")}
    assert acts["terms"]["said"] == found["words"]
    assert acts["approve"]["said"] == f"sale of every piece of run {run.index}"
    assert acts["retire"]["said"] == f"1 model of run {run.index}: worn out"
    assert acts["answer"]["said"] == f"answers act {acts['complain']['index']}"
    assert "Harbour" not in json.dumps(acts), "who complains is for curators"
    assert [one["act"] for one in asker.get(f"/works/{other}/acts")] == [
        "add", "begin", "retire"]  # fmt: skip
    for one in acts.values():
        asker.get(f"/proofs/{one['index']}")


def test_terms_that_grant_everything_for_ever_say_so_briefly() -> None:
    uses = tuple(Use(name) for name in ("sale", "sampling", "style"))
    words = in_words(Terms("rain-1", GENERAL.grants, uses, False, 100, 0))
    assert "not" not in words
    assert words.count("they may") == 3


def test_the_house_room_shows_terms_and_history(
    browser, writing_house: TestHouse, its_desk: Desk
) -> None:
    work = next(iter(writing_house.load().works))
    set_terms(writing_house.house, [work], key_of("ana"), GENERAL, [Use("sampling")], share=60)
    with served(its_desk) as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.goto(f"{address}/?token={TOKEN}")
        page.goto("/house")
        page.locator(f"#works button[data-work='{work}']").click()
        history = page.locator("#acts li").filter(has_text="Terms said by ana")
        history.wait_for(timeout=PATIENCE * 1000)
        assert "they may write pieces" in history.inner_text()
        assert "the composer's share is 60 %" in page.locator("#facts").inner_text()
        context.close()
