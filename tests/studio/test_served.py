"""A house that is served: who is let in, what they may do; only what they signed counts."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from desks import awaited
from gen.provenance.desk.people import change_roster, departed, enrolled
from gen.provenance.records.enrolment import parse_request, request_of
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.interface import PREFIX
from gen.studio.serving.people import CHALLENGE_SECONDS, MOST_SESSIONS, SESSION_SECONDS, People
from gen.studio.serving.rights import HEAVY, MAY
from gen.studio.serving.served import HEAVY_AT_ONCE, HouseGuard, Served
from houses import TestHouse, key_of, make_midi
from served import ORIGIN, Clock, Hand, as_file, refused

# -- the whole way ------------------------------------------------------------------------------


def test_a_work_is_signed_by_composer_and_curator_whose_keys_the_server_never_has(
    hand, small_house: TestHouse
) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    work = ana.contribute(as_file(make_midi(7, 16)))["work"]
    assert [one["work"] for one in cleo.get("/inbox")] == [work]
    assert cleo.accept(work)["state"] == "accepted"
    register = small_house.house.load(anew=True)
    assert register.works[work].accepted_by == "cleo"
    assert {refusal.rule for refusal in small_house.admit().refused} == set()
    ana.allow(work, "evaluation")
    assert ana.withdraw(work, "mine again")["state"] == "withdrawn"
    assert small_house.house.load(anew=True).works[work].withdrawn_at == 4


def test_a_rejected_work_goes_back_with_its_reason(hand) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    work = ana.contribute(as_file(make_midi(7, 16)))["work"]
    cleo.post(f"/inbox/{work}/reject", {"curator": "cleo", "reason": "the bass is missing"})
    (found,) = [one for one in ana.get("/composers/ana/works") if one["state"] == "rejected"]
    assert "the bass is missing" in found["note"]


def test_two_curators_at_once_sign_one_after_the_other(hand) -> None:
    ana, cleo, dana = hand("ana"), hand("cleo"), hand("dana")
    works = [ana.contribute(as_file(make_midi(seed, 16)))["work"] for seed in (7, 8)]
    late = cleo.acceptance(works[0])
    assert dana.accept(works[1])["state"] == "accepted"
    with refused(409):
        cleo.post(f"/inbox/{works[0]}/accept", late)
    assert cleo.accept(works[0])["state"] == "accepted"


# -- what was not signed ------------------------------------------------------------------------


def test_an_act_that_was_signed_is_not_taken_twice(hand) -> None:
    ana = hand("ana")
    work = ana.get("/works")["works"][0]["work"]
    body = ana.allowance(work, "evaluation")
    ana.post(f"/works/{work}/consent", body)
    with refused(409):
        ana.post(f"/works/{work}/consent", body)


def test_another_word_than_was_signed_is_refused(hand, small_house: TestHouse) -> None:
    ana = hand("ana")
    work = ana.get("/works")["works"][0]["work"]
    body = {**ana.allowance(work, "nothing"), "allow": "general_model evaluation"}
    with refused(409):
        ana.post(f"/works/{work}/consent", body)
    assert small_house.house.load().size == 2


def test_a_signature_under_other_music_is_refused_and_its_draft_is_gone(hand) -> None:
    ana = hand("ana")
    one, other = ana.draft(*(as_file(make_midi(seed, 16)) for seed in (7, 8)))
    sound, wrong = ana.signed(other), {"draft": one["draft"], "signature": "00" * 64}
    for said in ([sound, wrong], [wrong], [sound], []):
        with refused(4):
            ana.post("/contribute/sign", said)
    assert hand("cleo").get("/inbox") == []


def test_many_files_are_signed_in_one_go_each_answered_in_its_place(hand) -> None:
    ana = hand("ana")
    files = [as_file(make_midi(seed, 16), f"{seed}.mid") for seed in (7, 8)]
    files.insert(1, as_file(b"no music", "none.mid"))
    first, none, last = ana.draft(*files)
    assert (none["checked"]["status"], none["draft"]) == ("refused", "")
    done = ana.post("/contribute/sign", [ana.signed(last), ana.signed(first)])
    works = [one["statement"]["predicate"]["work"] for one in (last, first)]
    assert [(one["work"], one["rule"]) for one in done] == [(work, "") for work in works]
    assert sorted(one["work"] for one in hand("cleo").get("/inbox")) == sorted(works)


def test_nobody_signs_somebody_elses_draft(hand) -> None:
    (found,) = hand("ana").draft(as_file(make_midi(7, 16)))
    with refused(422):
        hand("ben").post("/contribute/sign", [{"draft": found["draft"], "signature": "00" * 64}])


def test_whoever_takes_an_answer_slowly_keeps_nobody_waiting(served: Served, hand, client) -> None:
    """Heavy work is done in turn; a turn ends before the answer is sent."""
    token = hand("cleo").token
    turns = []

    async def take(path: str) -> int:
        statuses = []
        scope = {
            "type": "http", "method": "GET", "path": f"{PREFIX}{path}", "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())],
            "client": ("10.0.0.7", 1), "raw_path": b"", "root_path": "", "scheme": "http",
            "http_version": "1.1", "server": ("testserver", 80), "extensions": {},
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            else:
                turns.append(served._turns._value)

        await client.app(scope, receive, send)
        return statuses[0]

    assert "GET /inbox" in HEAVY
    assert awaited(asyncio.run, take("/inbox")) == 200
    assert set(turns) == {HEAVY_AT_ONCE}


# -- signing in ---------------------------------------------------------------------------------


def test_without_signing_in_pages_lead_to_the_door_and_nothing_else_answers(client) -> None:
    for path in ("/", "/create", "/house"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    for path in ("/house", "/works", "/inbox", "/openapi.json", "/enrolments", "/log"):
        assert client.get(f"{PREFIX}{path}").status_code == 401
    assert client.get("/sign-in").status_code == 200
    script = client.get("/static/keys.js")
    assert (script.status_code, script.headers["content-encoding"]) == (200, "gzip")
    assert script.text.startswith("// ")


@pytest.mark.parametrize("changes", [
    {"person": "ben"}, {"person": "nobody"}, {"challenge": "00" * 32}, {"signature": "00" * 64},
    {"keyid": key_of("ben").keyid}, {"origin": "http://elsewhere.example"},
])  # fmt: skip
def test_only_the_key_of_a_person_signs_them_in(client, changes) -> None:
    ana = Hand(client, "ana")
    with refused(401):
        ana.post("/sign-in", ana.answer(**changes))


def test_a_challenge_is_answered_once_and_soon(client, clock: Clock) -> None:
    ana = Hand(client, "ana")
    said = ana.answer()
    ana.post("/sign-in", said)
    with refused(401):
        ana.post("/sign-in", said)
    late = ana.answer()
    clock.now += CHALLENGE_SECONDS + 1
    with refused(401):
        ana.post("/sign-in", late)


def test_a_challenge_that_another_site_had_signed_is_refused(client) -> None:
    fooled = Hand(client, "ana", origin="http://evil.example")
    said = fooled.answer()
    for origin in ("http://evil.example", ORIGIN):
        with refused(401):
            fooled.post("/sign-in", {**said, "origin": origin})


def test_a_session_ends_by_time_by_hand_and_with_the_key(
    client, hand, clock: Clock, small_house: TestHouse
) -> None:
    ana, cleo, dana = hand("ana"), hand("cleo"), hand("dana")
    ana.post("/sign-out", {})
    with refused(401):
        ana.get("/house")
    with small_house.house.writing() as session:
        change_roster(session, departed(session.register, "cleo"), [small_house.root])
    with refused(401):
        cleo.get("/house")
    clock.now += SESSION_SECONDS + 1
    with refused(401):
        dana.get("/house")


def test_a_person_has_only_so_many_sessions(hand) -> None:
    hands = [hand("ana") for _ in range(MOST_SESSIONS + 1)]
    with refused(401):
        hands[0].get("/house")
    assert hands[1].get("/house")["signed_in"] == "ana"


def test_the_cookie_is_for_this_site_alone(client, desk: Desk) -> None:
    ana = Hand(client, "ana")
    answer = client.post(f"{PREFIX}/sign-in", json=ana.answer())
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    secure = Served(desk, People("lantern", frozenset({"https://testserver"})), desk.out)
    over_tls = TestClient(HouseGuard(studio(desk, secure), secure), base_url="https://testserver")
    answer = over_tls.post(
        f"{PREFIX}/sign-in", json=Hand(over_tls, "ana", origin="https://testserver").answer()
    )
    assert answer.headers["set-cookie"].startswith("__Host-studio=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "https://testserver"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_another_site_changes_nothing_although_somebody_is_signed_in(client, headers) -> None:
    client.post(f"{PREFIX}/sign-in", json=Hand(client, "ana").answer())  # the cookie stays
    assert client.get(f"{PREFIX}/house").status_code == 200
    assert client.post(f"{PREFIX}/sign-out", json={}, headers=headers).status_code == 403
    assert client.get(f"{PREFIX}/house", headers={"host": "other.example"}).status_code == 421


# -- roles --------------------------------------------------------------------------------------


def test_each_request_of_the_interface_is_for_somebody_or_for_nobody_over_the_network(
    served: Served,
) -> None:
    at_the_computer = {"POST /keys/unlock", "POST /keys/lock", "POST /contribute",
                       "POST /contribute/many", "POST /runs", "POST /runs/{name}/stop"}  # fmt: skip
    known = MAY.keys() | at_the_computer
    open_to_strangers = {"POST /sign-in/challenge", "POST /sign-in", "POST /sign-out",
                         "POST /enrolments"}  # fmt: skip
    paths = studio(served.desk, served).openapi()["paths"]
    asked = {
        f"{verb.upper()} {path.removeprefix(PREFIX)}" for path, verbs in paths.items()
        for verb in verbs
    }  # fmt: skip
    assert asked - known - open_to_strangers == set(), "say in studio/serving/rights.py who may ask"
    assert MAY.keys() - asked == set(), "of no request that there is"


@pytest.mark.parametrize("who", ["ana", "cleo", "machine"])
def test_every_request_is_refused_to_whom_it_is_not_for(
    hand, client, served: Served, who: str
) -> None:
    person, stranger = hand(who), TestClient(client.app)
    roles = set(served.desk.now()[1].roster.person(who).roles)
    refused_to_them = 0
    for asked, needed in MAY.items():
        verb, path = asked.split()
        address = PREFIX + re.sub(r"{\w+}", "0", path.replace("{person}", who))
        body = {} if verb == "POST" else None
        assert stranger.request(verb, address, json=body).status_code == 401, asked
        if not needed & roles:
            refused_to_them += 1
            with refused(403):
                person.ask(verb, address.removeprefix(PREFIX), body)
    assert refused_to_them


@pytest.mark.parametrize("name", [
    "..%2F..%2Froster", "%2e%2e%2f%2e%2e%2froster.json", "a%00b", "%E2%80%AE", "x" * 5_000, "-1",
    "9" * 5_000, "%F0%9D%84%9E" * 99,
])  # fmt: skip
def test_a_name_in_an_address_leads_nowhere(hand, client, name: str) -> None:
    cleo = hand("cleo")
    for asked in MAY:
        verb, path = asked.split()
        if verb == "GET" and "{" in path:
            address = PREFIX + re.sub(r"{\w+}", name, path)
            answer = client.get(address, headers={"authorization": f"Bearer {cleo.token}"})
            assert answer.status_code in (403, 404, 422), (asked, answer.text)


def test_what_is_of_one_role_is_refused_to_the_others(hand) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    work = ana.contribute(as_file(make_midi(7, 16)))["work"]
    for asked in ("/inbox", f"/inbox/{work}/score", f"/inbox/{work}/file", "/enrolments"):
        with refused(403):
            ana.get(asked)
    with refused(403):
        ana.post(f"/inbox/{work}/accept", {"curator": "ana"})
    with refused(403):
        cleo.draft(as_file(make_midi(8, 16)))
    with refused(403):
        hand("ben").get("/composers/ana/works")


def test_what_is_done_at_the_computer_is_not_done_over_the_network(hand) -> None:
    ana = hand("ana")
    with refused(403):
        ana.post("/keys/unlock", {"person": "ana", "passphrase": "correct horse battery"})
    with refused(403):
        ana.post("/contribute", {**as_file(make_midi(7, 16)), "composer": "ana"})
    with refused(403):
        ana.post("/runs", {"experiment": "smoke", "name": "mine"})


def test_nobody_acts_under_another_name(hand) -> None:
    ben = hand("ben")
    work = ben.get("/works")["works"][0]["work"]
    with refused(422):
        ben.draft(as_file(make_midi(7, 16)), composer="ana")
    body = {**ben.allowance(work, "nothing"), "composer": "ana"}
    with refused(422):
        ben.post(f"/works/{work}/consent", body)


def test_pieces_and_jobs_are_seen_by_those_whose_they_are(hand, desk: Desk) -> None:
    ana, ben = hand("ana"), hand("ben")
    job = ana.post("/generate", {"bars": 4})
    assert [one["id"] for one in ana.get("/jobs")] == [job["id"]]
    assert ben.get("/jobs") == []
    with refused(422):
        ben.get(f"/jobs/{job['id']}")
    with refused(422):
        ben.ask("DELETE", f"/jobs/{job['id']}")
    (desk.out / "people" / "ana" / "one.mid").write_bytes(make_midi())
    assert [one["name"] for one in ana.get("/pieces")] == ["one"]
    assert ben.get("/pieces") == []
    with refused(422):
        ben.get("/pieces/one/midi")


# -- enrolment, limits, the audit log -----------------------------------------------------------


def test_a_request_to_be_enrolled_is_what_the_command_takes(
    client, hand, small_house: TestHouse
) -> None:
    new = Hand(client, "eva")
    request = request_of(new.key, "lantern", "eva")
    new.post("/enrolments", {"id": "eva", "name": "Eva", "request": request})
    (waiting,) = hand("cleo").get("/enrolments")
    assert (waiting["id"], waiting["name"]) == ("eva", "Eva")
    public = parse_request(waiting["request"], "lantern", "eva")
    with small_house.house.writing() as session:
        roster = enrolled(session.register, "eva", "Eva", ("composer",), public)
        change_roster(session, roster, [small_house.root])
    assert hand("cleo").get("/enrolments") == []
    assert new.sign_in().get("/house")["signed_in"] == "eva"


@pytest.mark.parametrize("body", [
    {"id": "eva", "request": "00" * 96},
    {"id": "eva", "request": request_of(key_of("eva"), "lantern", "ben")},
    {"id": "eva", "request": request_of(key_of("eva"), "other", "eva")},
    {"id": "../eva", "request": request_of(key_of("eva"), "lantern", "../eva")},
    {"id": "root", "request": request_of(key_of("eva"), "lantern", "root")},
    {"id": "eva", "request": request_of(key_of("ana"), "lantern", "eva")},
])  # fmt: skip
def test_who_does_not_show_that_a_key_is_theirs_is_not_put_forward(client, body) -> None:
    with refused(422):
        Hand(client, "eva").post("/enrolments", body)


def test_a_stranger_who_knocks_without_end_is_told_to_wait(client) -> None:
    answers = [client.post(f"{PREFIX}/sign-in/challenge", json={}) for _ in range(310)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_person_who_asks_without_end_is_told_to_wait_and_others_are_not(
    hand, served: Served
) -> None:
    ana, ben = hand("ana"), hand("ben")
    for _ in range(57):  # each of these would start a process to parse what was sent
        served._heavy.take("ana")
    answers = [
        ana.client.post(f"{PREFIX}/score", json={"midi": "aGVsbG8="}, headers=bearer(ana))
        for _ in range(5)
    ]
    assert [answer.status_code == 429 for answer in answers] == [False] * 3 + [True] * 2
    assert ben.get("/house")["signed_in"] == "ben"


def bearer(one: Hand) -> dict[str, str]:
    return {"authorization": f"Bearer {one.token}"}


def test_the_audit_log_says_who_did_what_and_holds_no_secret(
    client, hand, served: Served, small_house: TestHouse
) -> None:
    ana = hand("ana")
    work = ana.contribute(as_file(make_midi(7, 16)))["work"]
    with refused(403):
        ana.get("/inbox")
    with refused(401):
        Hand(client, "ben").post("/sign-in", Hand(client, "ben").answer(signature="00" * 64))
    hand("cleo").accept(work)
    text = served.audit.path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    said = [(one["person"], one["asked"].replace(PREFIX, ""), one["status"]) for one in lines]
    assert ("ana", "POST /sign-in", 200) in said
    assert ("ben", "POST /sign-in", 401) in said
    assert ("ana", "GET /inbox", 403) in said
    assert ("cleo", f"POST /inbox/{work}/accept", 200) in said
    assert all(one["from"] == "testclient" for one in lines)
    for secret in (ana.token, key_of("ana").seed().hex(), "signature"):
        assert secret not in text


def test_the_audit_log_is_added_to_and_read_by_its_user_alone(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "log" / "audit.jsonl"
    people = People("lantern", frozenset({ORIGIN}))
    for _ in range(2):
        served = Served(desk, people, desk.out, path)
        served.audit.add("ana\n\x1b[2J", "::1", "GET /x\r\n", 200)
        served.audit.close()
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert "\x1b" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_when_the_house_was_audited_last_is_said_to_everybody(hand) -> None:
    """Whoever asked for it, with how much the log has grown since."""
    ana, cleo = hand("ana"), hand("cleo")
    assert ana.get("/audit") is None
    cleo.post("/audit", {})
    last = ana.get("/audit")
    assert (last["by"], last["admitted"], last["seen"], last["acts_since"]) == ("cleo", 1, 1, 0)
    cleo.post("/papers", cleo.paper(b"what was said", "answer"))
    assert ana.get("/audit") == {**last, "acts_since": 1}


def test_long_answers_are_sent_small_and_sound_as_it_is(hand) -> None:
    ana = hand("ana")
    headers = {"authorization": f"Bearer {ana.token}", "accept-encoding": "gzip"}
    for path in ("/api/v1/words", "/static/create.js"):
        assert ana.client.get(path, headers=headers).headers["content-encoding"] == "gzip"
    work = ana.get("/works")["works"][0]["work"]
    body = {"score": ana.get(f"/works/{work}/score"), "first_bar": 0}
    sound = ana.client.post("/api/v1/audio", headers=headers, json=body)
    assert sound.status_code == 200
    assert "content-encoding" not in sound.headers
