"""The studio's interface, asked without a browser: composers, curators, the house, the door."""

from __future__ import annotations

import asyncio
import base64
import io

import mido
import pytest
from fastapi.testclient import TestClient

from desks import STATED, TOKEN, Asker, awaited, given
from gen.provenance.houses.proofs import check_proof
from gen.provenance.signing.canonical import sha256_hex
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.serving.guard import MOST_BYTES, Guard
from houses import TestHouse, make_midi


def test_a_file_goes_from_its_composer_to_the_house(asker: Asker, small_house: TestHouse) -> None:
    checked = asker.post("/check", {**given(), "composer": "ana", "stated": STATED})
    assert checked["status"] == "checked"
    assert checked["stated"]["title"] == "Small rain"
    assert len(checked["score"]["bars"]) == 17

    asker.unlock("ana")
    signed = asker.post("/contribute", {**given(), "composer": "ana", "stated": STATED})
    assert signed["status"] == "contributed"
    (waiting,) = asker.get(f"/inbox/compared?work={signed['work']}")
    assert (waiting["work"], waiting["verdict"]) == (signed["work"], "clear")
    assert asker.get(f"/inbox/{signed['work']}/score")["tracks"] == checked["score"]["tracks"]

    asker.unlock("cleo")
    done = asker.post(f"/inbox/{signed['work']}/accept", {"curator": "cleo"})
    assert done["state"] == "accepted"
    assert asker.get("/inbox") == []
    assert {work["work"] for work in asker.get("/works")["works"]} >= {signed["work"]}
    assert asker.post("/audit", {})["admitted"] == 2


def test_a_file_that_names_no_instruments_is_read_and_asked_about(asker: Asker) -> None:
    file = mido.MidiFile(file=io.BytesIO(make_midi(7, 16)))
    for track in file.tracks:
        track[:] = [message for message in track if message.type != "program_change"]
    data = io.BytesIO()
    file.save(file=data)
    midi = base64.b64encode(data.getvalue()).decode()
    found = asker.post("/check", {"name": "plain.mid", "midi": midi, "stated": STATED})
    assert found["unsure"] == [0, 1]
    assert any("no program change" in line for line in found["advice"])


def test_many_files_are_checked_and_signed_in_one_go(asker: Asker) -> None:
    """In their order, whatever becomes of each; nobody's name leads out of the folder."""
    names = ["winter.mid", "../../winter.mid", "none.mid", "winter.mid"]
    files = [{**given(seed, name=name), "stated": STATED} for seed, name in enumerate(names, 7)]
    files[2]["midi"] = base64.b64encode(b"no music").decode()
    body = {"files": files, "composer": "ana"}
    found = asker.post("/check/many", body)
    assert [one["file"] for one in found] == names
    assert [one["status"] for one in found] == ["checked", "checked", "refused", "checked"]
    for one, file in zip(found, files, strict=True):
        assert asker.post("/check", {**file, "composer": "ana"}) == one
    assert "locked" in asker.post("/contribute/many", body, 422)["error"]["what"]
    asker.unlock("ana")
    signed = asker.post("/contribute/many", body)
    assert [one["status"] for one in signed] == ["contributed", "contributed", "refused",
                                                 "contributed"]  # fmt: skip
    works = {one["work"] for one in signed if one["work"]}
    assert works == {one["work"] for one in asker.get("/inbox")}
    assert len(works) == 3
    asker.post("/check/many", {"files": []}, 422)
    asker.post("/check/many", {"files": files * 6}, 422)


def test_a_rejected_work_tells_its_composer_why(asker: Asker) -> None:
    asker.unlock("ana")
    work = asker.post("/contribute", {**given(), "composer": "ana", "stated": STATED})["work"]
    asker.unlock("cleo")
    asker.post(f"/inbox/{work}/reject", {"curator": "cleo", "reason": "the bass is missing"})
    (found,) = [one for one in asker.get("/composers/ana/works") if one["state"] == "rejected"]
    assert "the bass is missing" in found["note"]


def test_nothing_is_signed_while_the_key_is_locked(asker: Asker, small_house: TestHouse) -> None:
    body = {**given(), "composer": "ana", "stated": STATED}
    assert "locked" in asker.post("/contribute", body, 422)["error"]["what"]
    asker.unlock("ana")
    asker.post("/keys/lock", {})
    assert "locked" in asker.post("/contribute", body, 422)["error"]["what"]
    assert small_house.house.store.waiting() == []


def test_a_wrong_passphrase_opens_nothing(asker: Asker) -> None:
    asker.unlock("ana", "wrong horse battery", 422)
    assert not any(member["is_open"] for member in asker.get("/house")["people"])


def test_a_composer_accepts_nothing_and_a_curator_contributes_nothing(asker: Asker) -> None:
    asker.unlock("ana")
    asker.unlock("cleo")
    work = asker.post("/contribute", {**given(), "composer": "ana", "stated": STATED})["work"]
    asker.post(f"/inbox/{work}/accept", {"curator": "ana"}, 422)
    asker.post("/contribute", {**given(8), "composer": "cleo", "stated": STATED}, 422)


def test_what_is_not_stated_is_not_signed(asker: Asker) -> None:
    asker.unlock("ana")
    answer = asker.post("/contribute", {**given(), "composer": "ana"})
    assert (answer["status"], answer["rule"]) == ("refused", "description")


def test_consent_is_changed_and_a_work_withdrawn(asker: Asker, small_house: TestHouse) -> None:
    work = small_house.entries[0].work
    asker.unlock("ana")
    changed = asker.post(f"/works/{work}/consent", {"composer": "ana", "allow": "evaluation"})
    assert changed["consent"] == "evaluation"
    assert asker.post("/audit", {})["not_consented"] == 1
    gone = asker.post(f"/works/{work}/withdraw", {"person": "ana", "reason": "mine again"})
    assert gone["state"] == "withdrawn"
    assert asker.get("/house")["works"] == 0


@pytest.mark.parametrize("letters", [200, 201, 2_000])
def test_long_names_and_many_signs_of_a_file_are_shown(asker: Asker, letters: int) -> None:
    """What a page is answered has no limits that files of the house have not."""
    file = mido.MidiFile(file=io.BytesIO(make_midi(7, 16)))
    for at in range(10_001 if letters == 200 else 1):
        text = "m" * letters if at == 0 else f"m{at}"
        file.tracks[0].insert(0, mido.MetaMessage("marker", text=text, time=0))
    for track in file.tracks:
        track.insert(0, mido.MetaMessage("track_name", name="n" * letters, time=0))
    data = io.BytesIO()
    file.save(file=data)
    midi = base64.b64encode(data.getvalue()).decode()
    found = asker.post("/check", {**given(), "midi": midi})
    assert found["status"] == "checked", found
    assert found["score"]["tracks"][0]["name"].startswith("n" * 80)
    assert found["score"] == asker.post("/score", {"midi": midi})
    piece = {"ticks_per_quarter": 480, "tracks": found["score"]["tracks"]}
    assert asker.post("/audio", {"score": piece, "first_bar": 0}).startswith(b"RIFF")


def test_a_file_that_is_no_music_is_refused_in_words(asker: Asker) -> None:
    body = {**given(), "midi": "aGVsbG8gd29ybGQ="}
    answer = asker.post("/check", body)
    assert (answer["status"], answer["rule"]) == ("refused", "not-midi")
    assert "b'" not in answer["found"]


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.mid",
        "/etc/passwd",
        "a\\b.mid",
        "..",
        " ",
        "\u202e.mid",
        "\U0001d11e" * 99 + ".mid",
    ],
)
def test_a_files_name_leads_nowhere(asker: Asker, name: str) -> None:
    assert asker.post("/check", {**given(), "name": name, "stated": STATED})["status"] == "checked"


@pytest.mark.parametrize("name", ["../house/register", "..%2f..%2fx", "nothing", "a" * 500])
def test_a_pieces_name_leads_nowhere(asker: Asker, name: str) -> None:
    for verb in ("", "/midi", "/receipt", "/wav"):
        answer = asker.client.get(f"/api/v1/pieces/{name}{verb}")
        assert answer.status_code in (404, 422)


def test_bars_of_a_work_add_up_to_its_sound(asker: Asker, small_house: TestHouse) -> None:
    score = asker.get(f"/works/{small_house.entries[0].work}/score")
    sound = asker.post("/audio", {"score": score, "first_bar": 1, "bars": 1})
    assert sound[:4] == b"RIFF"
    assert max(sound[44:]) > 0
    silent = asker.post("/audio", {"score": score, "first_bar": 1, "tracks": []})
    assert not any(silent[44:])
    asker.post("/audio", {"score": score, "first_bar": 99}, 422)
    rest = {"ticks_per_quarter": 480, "tracks": [{"notes": []}]}
    assert asker.post("/audio", {"score": rest, "first_bar": 7})[:4] == b"RIFF"


def test_chords_are_read_while_they_are_typed(asker: Asker) -> None:
    found = asker.get("/chords?text=ii7 V7 | I&key=Eb major".replace(" ", "%20"))
    assert found["bars"] == [["Fm7", "Bb7"], ["Eb"]]
    assert found["meter"] == "4/4"
    assert asker.get("/chords?text=Am&genre=waltz") == {"bars": [["Am"]], "meter": "3/4"}
    assert "H7" in asker.get("/chords?text=H7", 422)["error"]["what"]


def test_every_page_and_file_answers(asker: Asker) -> None:
    for room in ("create", "contribute", "mine", "curate", "house", "runs"):
        answer = asker.client.get(f"/{room}")
        assert answer.status_code == 200
        assert "http" not in answer.text.replace("http-equiv", ""), "something from elsewhere"
        for name in (f"{room}.js", "studio.css", "icon.svg", "common.js"):
            assert asker.client.get(f"/static/{name}").status_code == 200


def test_without_the_token_nothing_answers(guard: Guard) -> None:
    stranger = TestClient(guard)
    for path in ("/api/v1/house", "/create", "/static/studio.css", "/api/v1/openapi.json", "/"):
        assert stranger.get(path).status_code == 401
    assert stranger.get("/?token=wrong", follow_redirects=False).status_code == 401
    entered = stranger.get(f"/?token={TOKEN}", follow_redirects=False)
    assert entered.status_code == 303
    assert "httponly" in entered.headers["set-cookie"].lower()
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    assert stranger.get("/api/v1/house").status_code == 200


def test_two_studios_of_one_computer_are_open_in_one_browser(desk: Desk) -> None:
    """Browsers tell cookies apart by host and name, not by port."""
    app = studio(desk)
    guards = [Guard(app, frozenset({f"127.0.0.1:{port}"})) for port in (8400, 8401)]
    cookies: dict[str, str] = {}
    for guard, port in zip(guards, (8400, 8401), strict=True):
        client = TestClient(guard, base_url=f"http://127.0.0.1:{port}")
        client.get("/", params={"token": guard.token}, follow_redirects=False)
        cookies |= dict(client.cookies)
    said = "; ".join(f"{name}={value}" for name, value in cookies.items())
    for guard, port in zip(guards, (8400, 8401), strict=True):
        stranger = TestClient(guard, base_url=f"http://127.0.0.1:{port}")
        assert stranger.get("/api/v1/house", headers={"cookie": said}).status_code == 200
        assert stranger.get("/api/v1/house", headers={"cookie": "studio=x"}).status_code == 401


def test_another_name_for_this_computer_is_not_answered(asker: Asker) -> None:
    answer = asker.client.get("/api/v1/house", headers={"host": "rebound.example"})
    assert answer.status_code == 421


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_another_page_changes_nothing(asker: Asker, headers: dict[str, str]) -> None:
    assert asker.client.post("/api/v1/keys/lock", json={}, headers=headers).status_code == 403


def test_a_body_without_end_is_not_read(asker: Asker, guard: Guard) -> None:
    too_long = "x" * (MOST_BYTES + 1)
    assert asker.client.post("/api/v1/check", content=too_long).status_code == 413
    asked = 0

    async def receive() -> dict:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * (1 << 20), "more_body": True}

    said: list[dict] = []

    async def send(message: dict) -> None:
        said.append(message)

    headers = {"host": "testserver", "authorization": f"Bearer {TOKEN}"}
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/check", "raw_path": b"/api/v1/check",
        "query_string": b"", "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    awaited(asyncio.run, guard(scope, receive, send))
    assert asked <= MOST_BYTES / (1 << 20) + 1
    assert said[0]["status"] in (400, 413)


def test_deep_json_and_wrong_fields_are_refused_in_words(asker: Asker) -> None:
    assert asker.client.post("/api/v1/check", content="[" * 100_000).status_code in (400, 422)
    assert asker.post("/generate", {"out": "elsewhere"}, 422)["error"]["where"] == "out"
    assert (
        asker.post("/generate", {"checkpoint": "x.pickle"}, 422)["error"]["where"] == "checkpoint"
    )
    asker.post("/generate", {"n": 10**9}, 422)
    asker.post("/infill", {"midi": given()["midi"], "piece": "x"}, 422)


def test_each_request_of_the_interface_is_described(asker: Asker) -> None:
    paths = asker.client.get("/api/v1/openapi.json").json()["paths"]
    for path, verbs in paths.items():
        for verb, said in verbs.items():
            assert said.get("description"), f"{verb} {path}"


def test_works_are_found_by_what_they_are_a_page_at_a_time(
    asker: Asker, small_house: TestHouse
) -> None:
    small_house.enter(*range(2, 8))
    everything = asker.get("/works")
    assert (everything["found"], everything["all"], len(everything["works"])) == (7, 7, 7)
    listed = {one["work"]: one for one in everything["works"]}
    pages = [asker.get(f"/works?first={at}&most=3")["works"] for at in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [one["work"] for page in pages for one in page] == list(listed)
    one = next(iter(listed.values()))
    for name in ("genre", "key"):
        found = asker.get(f"/works?{name}={one[name]}")["works"]
        assert one in found
        assert {other[name] for other in found} == {one[name]}
        assert asker.get(f"/works?{name}=otherwise")["found"] == 0
    assert asker.get("/works?composer=ana")["found"] == 7
    assert asker.get("/works?composer=cleo")["found"] == 0
    asker.unlock("ana")
    asker.post(f"/works/{one['work']}/consent", {"composer": "ana", "allow": "nothing"})
    assert [w["work"] for w in asker.get("/works?consent=nothing")["works"]] == [one["work"]]
    assert asker.get("/works?consent=general_model")["found"] == 6
    assert asker.get(f"/works?text={one['work'].upper()}")["found"] == 1
    asker.get("/works?most=100000", 422)
    asker.get("/works?first=-1", 422)


def test_a_works_history_is_told_and_each_act_proved(asker: Asker, small_house: TestHouse) -> None:
    work = small_house.entries[0].work
    asker.unlock("ana")
    asker.post(f"/works/{work}/consent", {"composer": "ana", "allow": "evaluation"})
    asker.post(f"/works/{work}/withdraw", {"person": "ana", "reason": "mine again"})
    acts = asker.get(f"/works/{work}/acts")
    assert [(one["act"], one["by"]) for one in acts] == [
        ("add", "cleo"), ("consent", "ana"), ("withdraw", "ana")]  # fmt: skip
    assert "evaluation" in acts[1]["said"]
    assert "mine again" in acts[2]["said"]
    pin = small_house.pin
    for one in acts:
        proved = asker.get(f"/proofs/{one['index']}?since={pin.min_size}")
        assert check_proof(proved, pin)
    asker.get("/proofs/999", 422)
    asker.get("/works/nothing/acts", 422)
    assert asker.get("/witnesses")["size"] == asker.get("/house")["acts"]


def test_one_work_is_told_heard_and_taken_as_a_file(asker: Asker, small_house: TestHouse) -> None:
    entry = small_house.entries[0]
    told = asker.get(f"/works/{entry.work}")
    assert (told["title"], told["accepted_by"]) == (entry.title, "cleo")
    assert told["music_sha256"] == sha256_hex(asker.get(f"/works/{entry.work}/midi"))
    asker.get("/works/nothing", 422)


def test_the_words_and_experiments_that_pages_offer(asker: Asker) -> None:
    words = asker.get("/words")
    assert "waltz" in words["genres"]
    assert words["instruments"][-1] == "drums"
    assert "demo" in asker.get("/experiments")
