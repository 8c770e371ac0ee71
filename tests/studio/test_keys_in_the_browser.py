"""Keys that stay in people's browsers: the whole story, and what does not get a signature."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desks import PATIENCE, keeps_nobody_out, served_to_many
from gen.provenance.desk.complaints_desk import answer, cases, complain
from gen.provenance.desk.granting import retire, set_terms
from gen.provenance.desk.people import change_roster, enrolled
from gen.provenance.history.log import HEAD_TYPE
from gen.provenance.records.consent import Consent
from gen.provenance.records.enrolment import parse_request
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.records.terms import Use
from gen.provenance.signing.canonical import canonical, sha256_hex
from gen.provenance.signing.key_files import keys_folder, list_keys, open_key, read_key_file
from gen.provenance.signing.merkle import Frontier, leaf_hash
from gen.studio.desk import Desk
from houses import PASSPHRASE, TestHouse, key_of

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, Route, expect

IN_THE_HOUSE = "Winter sun is in the house."


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with served_to_many(desk) as found:
        yield found


@pytest.fixture
def somebody(browser: Browser, address: str) -> Iterator[Callable[[], Page]]:
    """A browser of one's own, at the door; no script may fail in it."""
    failures: list[str] = []
    contexts = []

    def begin() -> Page:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto("/")
        return page

    yield begin
    for context in contexts:
        context.close()
    assert not failures


def key_file(person: str) -> Path:
    """The file that the command line made for somebody."""
    return next(file.path for file in list_keys() if file.owner == person)


def bring_key(page: Page, person: str) -> None:
    page.get_by_text("I have a key already").click()
    page.get_by_label("Key file").set_input_files(key_file(person))
    expect(page.get_by_text(f"The key of {person} is in this browser now")).to_be_visible()


def sign_in(page: Page, passphrase: str = PASSPHRASE) -> None:
    page.get_by_label("Passphrase of your key").fill(passphrase)
    page.get_by_role("button", name="Sign in").click()


def enter(page: Page, person: str) -> Page:
    """Sign in with a key file of the command line."""
    bring_key(page, person)
    sign_in(page)
    page.wait_for_url("**/create")
    return page


def describe(page: Page, path: Path | list[Path]) -> None:
    page.goto("/contribute")
    page.locator("#files").set_input_files(path)
    expect(page.get_by_role("button", name="Sign and contribute")).to_be_visible()
    page.get_by_label("Genre").select_option("waltz")
    page.get_by_label("How it was made").select_option("score")
    page.get_by_label("the house's model").check()
    page.get_by_label("Nothing in this work").check()
    page.get_by_label("No generative model").check()


def contribute(page: Page, path: Path) -> None:
    describe(page, path)
    page.get_by_role("button", name="Sign and contribute").click()
    expect(page.get_by_role("dialog", name="Sign this contribution")).to_be_visible()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("is signed, and waits for a curator.")).to_be_visible()


def accept(page: Page) -> None:
    page.goto("/curate")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("dialog", name="Accept this work")).to_be_visible()
    page.get_by_role("button", name="Sign", exact=True).click()


def test_from_a_key_made_in_the_browser_to_a_work_of_the_house(
    somebody, small_house: TestHouse, write_midi, tmp_path: Path
) -> None:
    eva = somebody()
    expect(eva.get_by_role("heading", name="The studio of lantern")).to_be_visible()
    eva.get_by_label("Your name").fill("Eva Stern")
    eva.get_by_label("Your id").fill("eva")
    eva.get_by_label("A passphrase").fill(PASSPHRASE)
    eva.get_by_label("Once more").fill(PASSPHRASE)
    eva.get_by_role("button", name="Make my key").click()
    expect(eva.get_by_role("heading", name="You asked to be taken in")).to_be_visible()
    with eva.expect_download() as saved:
        eva.get_by_role("button", name="Save a backup of my key").click()
    backup = tmp_path / saved.value.suggested_filename
    saved.value.save_as(backup)
    request = eva.locator("#request").text_content()

    cleo = enter(somebody(), "cleo")
    cleo.goto("/house")
    expect(cleo.get_by_text("Eva Stern asks to be taken in as eva")).to_be_visible()
    public = parse_request(request, "lantern", "eva")
    with small_house.house.writing() as session:
        roster = enrolled(session.register, "eva", "Eva Stern", ("composer",), public)
        change_roster(session, roster, [small_house.root])
    cleo.reload()
    expect(cleo.get_by_text("Winter sun")).to_have_count(0)
    expect(cleo.get_by_text("asks to be taken in")).to_have_count(0)

    eva.reload()  # the key is in the browser's own database, and open
    eva.get_by_role("button", name="Sign in").click()
    eva.wait_for_url("**/create")
    contribute(eva, write_midi(7, "winter sun.mid"))
    accept(cleo)
    expect(cleo.get_by_text(IN_THE_HOUSE)).to_be_visible()
    eva.goto("/house")
    expect(eva.get_by_role("button", name="Winter sun")).to_be_visible()

    register = small_house.house.load(anew=True)
    (record,) = [one for one in register.works.values() if one.entry.composers[0][0] == "eva"]
    assert record.accepted_by == "cleo"
    assert small_house.rules() == {}
    # The command line reads the backup, and its key is the very one that signed.
    found = open_key(read_key_file(backup), PASSPHRASE)
    assert (found.public, found.keyid) == (public, record.entry.keyids[0])


def test_two_people_at_once_and_a_reload_in_the_middle(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana, cleo = enter(somebody(), "ana"), enter(somebody(), "cleo")
    contribute(ana, write_midi(7, "winter sun.mid"))
    cleo.goto("/curate")
    describe(ana, write_midi(8, "small hours.mid"))
    ana.get_by_label("Title").fill("Half a Night")
    ana.get_by_label("Title").blur()
    ana.reload()
    ana.locator("#files").set_input_files(write_midi(8, "small hours.mid"))
    expect(ana.get_by_label("Title")).to_have_value("Half a Night")
    for box in ("Nothing in this work", "No generative model"):
        ana.get_by_label(box).check()
    accept(cleo)
    expect(cleo.get_by_text(IN_THE_HOUSE)).to_be_visible()
    ana.get_by_role("button", name="Sign and contribute").click()
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("is signed, and waits for a curator.")).to_be_visible()
    accept(cleo)
    expect(cleo.get_by_text("Half a Night is in the house.")).to_be_visible()
    assert len(small_house.house.load(anew=True).works) == 3


def test_consent_and_withdrawal_are_signed_as_they_are_shown(
    somebody, small_house: TestHouse
) -> None:
    ana = enter(somebody(), "ana")
    ana.goto("/house")
    ana.get_by_role("button", name="Small Rain").click()
    ana.get_by_label("Allow").fill("evaluation@2040-01-31")
    ana.get_by_role("button", name="Change consent").click()
    expect(ana.get_by_text("measuring models until 2040-01-31")).to_be_visible()
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("Consent is changed from now on.")).to_be_visible()
    expect(ana.get_by_role("link", name="proof of act 2")).to_be_visible()  # shown anew by then
    ana.get_by_label("Reason").fill("mine again ÿ 🎵")
    ana.get_by_role("button", name="Withdraw for ever").click()
    expect(ana.get_by_text("It was used by 0 runs, 0 models and 0 pieces")).to_be_visible()
    ana.get_by_role("button", name="Withdraw for ever").click()
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("Small Rain is withdrawn.")).to_be_visible()
    (record,) = small_house.house.load(anew=True).works.values()
    assert record.withdrawal.reason == "mine again ÿ 🎵"
    assert str(record.consents["ana"][0].consent) == "evaluation@2040-01-31"


def test_consent_is_signed_on_top_of_terms_retirements_and_complaints(
    somebody, small_house: TestHouse
) -> None:
    """What the browser signs follows on any acts, also on those that only commands enter."""
    house, work, cleo = small_house.house, small_house.entries[0].work, key_of("cleo")
    allowed = Consent.parse("general_model")
    set_terms(house, [work], key_of("ana"), allowed, [Use("sampling")], share=60)
    model = ModelDigest("model.safetensors", 1, "b0" * 32, "b1" * 32)
    run = small_house.log_run([work], [model])
    retire(house, [cleo], small_house.load().runs.by_index[run], [model.file_sha256], "worn out")
    answer(house, cleo, complain(house, cleo, "Harbour Songs", "ours", [work]), "compared")
    ana = enter(somebody(), "ana")
    ana.goto("/house")
    ana.get_by_role("button", name="Small Rain").click()
    for words in ("Terms said by ana", "was retired by cleo", "was entered by cleo", "answers act"):
        expect(ana.locator("#acts li").filter(has_text=words)).to_be_visible()
    keeps_nobody_out(ana)
    ana.get_by_label("Allow").fill("evaluation")
    ana.get_by_role("button", name="Change consent").click()
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("Consent is changed")).to_be_visible()
    assert str(small_house.load().works[work].consents["ana"][-1].consent) == "evaluation"


def test_terms_an_approval_a_sale_a_retirement_and_a_complaint_are_signed_as_they_are_shown(
    somebody, small_house: TestHouse, tmp_path: Path
) -> None:
    house, work = small_house.house, small_house.entries[0].work
    model = ModelDigest("model.safetensors", 1, "b0" * 32, "b1" * 32)
    run = small_house.log_run([work], [model])
    ana, cleo = enter(somebody(), "ana"), enter(somebody(), "cleo")

    ana.goto("/house")
    ana.get_by_role("button", name="Small Rain").click()
    ana.locator("#terms-part summary").click()
    ana.get_by_label("Selling them").select_option("ask")
    ana.get_by_label("In your style").select_option("")
    ana.get_by_label("Last day").fill("2090-12-31")
    ana.get_by_label("Your share").fill("60")
    ana.get_by_label("Fee").fill("25.50")
    ana.get_by_role("button", name="Say these terms").click()
    shown = ana.get_by_role("dialog", name="Your terms for a work")
    expect(shown).to_contain_text("selling pieces until 2090-12-31, once you have approved it")
    expect(shown).to_contain_text("25.50")
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("These terms count from now on.")).to_be_visible()
    said = house.load(anew=True).works[work].terms["ana"][-1].terms
    assert [str(use) for use in said.uses] == ["sale@2090-12-31 (ask first)", "sampling@2090-12-31"]
    assert (said.share, said.fee, said.this_version) == (60, 2550, False)
    expect(ana.get_by_label("Selling them")).to_have_value("ask")

    ana.goto("/mine")
    expect(ana.get_by_text(f"terms by ana: {work}")).to_be_visible()
    expect(ana.get_by_text("1 work of yours, 1 model")).to_be_visible()
    ana.get_by_role("button", name="Approve").click()
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("is approved.")).to_be_visible()
    expect(ana.get_by_role("heading", name="You are asked first")).to_be_hidden()
    assert house.load(anew=True).approvals.of("ana", work, "sale", run, "")

    cleo.goto("/curate")
    cleo.get_by_text("Enter a complaint").click()
    cleo.get_by_label("From").fill("Harbour Songs")
    cleo.get_by_role("textbox", name="About (works").fill(work)
    cleo.get_by_label("What is complained about").fill("Ours ÿ 🎵\nand no other's")
    cleo.get_by_role("button", name="Enter it").click()
    cleo.get_by_role("button", name="Sign", exact=True).click()
    expect(cleo.get_by_text("From Harbour Songs.")).to_be_visible()
    cleo.get_by_label("Answer to the complaint").fill("Nothing alike.")
    cleo.get_by_role("button", name="Answer").click()
    cleo.get_by_role("button", name="Sign", exact=True).click()
    expect(cleo.get_by_text("Answered by cleo")).to_be_visible()
    (case,) = cases(house, house.load(anew=True))
    assert case.said["text"] == "Ours ÿ 🎵\nand no other's"
    assert case.answers[0][1]["text"] == "Nothing alike."

    sold = tmp_path / "waltz.mid"
    sold.write_bytes(b"as it left the house")
    more = {"checkpoint": model.file_sha256, "sha256": sha256_hex(sold.read_bytes())}
    small_house.log_output("c2" * 32, run=run, path="waltz-01.mid", **more)
    cleo.goto("/house")
    form = cleo.get_by_role("form", name="Enter a sale")
    expect(form.get_by_label("You are")).to_have_value("cleo")
    form.get_by_label("The piece's file").set_input_files(sold)
    expect(form).to_contain_text("The terms of its works grant a sale.")
    form.get_by_label("Sold on").fill("2026-02-14")
    form.get_by_label("For").fill("250")
    form.get_by_role("button", name="Enter the sale").click()
    shown = cleo.get_by_role("dialog", name="Enter a sale")
    expect(shown).to_contain_text("250.00")
    cleo.get_by_role("button", name="Sign", exact=True).click()
    expect(cleo.get_by_role("row", name="waltz-01.mid 2026-02-14 250.00")).to_be_visible()
    (sale,) = house.load(anew=True).sales
    assert (sale.by, sale.run, sale.sale.cents) == ("cleo", run, 25_000)

    answer = tmp_path / "answer.md"
    answer.write_text("what was said")
    cleo.locator("#paper-file").set_input_files(answer)
    cleo.get_by_label("It is a").fill("answer")
    cleo.get_by_role("button", name="Enter it, and keep it here").click()
    expect(cleo.get_by_role("dialog", name="Enter a paper")).to_contain_text("answer")
    cleo.get_by_role("button", name="Sign", exact=True).click()
    expect(cleo.get_by_role("link", name="Take away")).to_be_visible()
    (paper,) = house.load(anew=True).papers
    assert (paper.by, paper.paper.kind) == ("cleo", "answer")

    form = cleo.get_by_role("form", name="Retire a run's models")
    form.get_by_label("Why").fill("worn out")
    form.get_by_role("button").click()
    expect(cleo.get_by_text("Press again to retire for ever.")).to_be_visible()
    form.get_by_role("button").click()
    cleo.get_by_role("button", name="Sign", exact=True).click()
    expect(cleo.get_by_text("retired by cleo")).to_be_visible()
    assert house.load(anew=True).retired(model.file_sha256).reason == "worn out"

    ana.goto("/mine")
    expect(ana.get_by_text("1 model, 1 retired")).to_be_visible()
    expect(ana.locator("#complaints")).to_contain_text("Nothing alike.")
    expect(ana.locator("#complaints")).not_to_contain_text("Harbour Songs")
    ana.get_by_role("button", name="I have seen these").click()
    expect(ana.get_by_text("Nothing since you looked last.")).to_be_visible()
    for page in (ana, cleo):
        keeps_nobody_out(page)


def test_what_somebody_thinks_better_of_is_not_signed(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana = enter(somebody(), "ana")
    describe(ana, write_midi(7, "winter sun.mid"))
    ana.get_by_role("button", name="Sign and contribute").click()
    ana.get_by_role("button", name="Not now").click()
    expect(ana.get_by_text("nothing was signed")).to_be_visible()
    assert small_house.house.store.waiting() == []


def test_a_locked_key_wants_its_passphrase_before_it_signs(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana = enter(somebody(), "ana")
    ana.get_by_role("button", name="Ana", exact=True).click()
    ana.get_by_role("button", name="Lock it").click()
    ana.get_by_role("button", name="Close", exact=True).click()
    describe(ana, write_midi(7, "winter sun.mid"))
    ana.get_by_role("button", name="Sign and contribute").click()
    for passphrase in ("wrong horse battery", PASSPHRASE):
        ana.get_by_label("Passphrase of your key").fill(passphrase)
        ana.get_by_role("button", name="Sign", exact=True).click()
        if passphrase != PASSPHRASE:
            expect(ana.get_by_text("The passphrase does not open the key of ana.")).to_be_visible()
            assert small_house.house.store.waiting() == []
    expect(ana.get_by_text("is signed, and waits for a curator.")).to_be_visible()


def test_a_wrong_passphrase_opens_nothing_and_a_strangers_key_neither(somebody) -> None:
    page = somebody()
    bring_key(page, "ana")
    sign_in(page, "wrong horse battery")
    expect(page.get_by_text("The passphrase does not open the key of ana.")).to_be_visible()
    text = key_file("ana").read_text()
    page.get_by_text("I have a key already").click()

    def bring(changed: str) -> None:
        page.get_by_label("Key file").set_input_files(
            {"name": "x.key", "mimeType": "application/json", "buffer": changed.encode()}
        )

    bring(text.replace("lantern", "other"))
    expect(page.get_by_text("This key is for the house other, not for lantern.")).to_be_visible()
    bring(text.replace('"ana"', '"ben"'))
    expect(page.get_by_text("This browser has this key already")).to_be_visible()
    for word in ("Forget this key", "Forget it: I have a backup"):
        page.get_by_role("button", name=word).click()
    bring(text.replace('"ana"', '"ben"'))
    sign_in(page)  # the seal covers whose key it is
    expect(page.get_by_text("The passphrase does not open the key of ben.")).to_be_visible()


def test_many_files_are_signed_after_one_look_at_all_of_them(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana = enter(somebody(), "ana")
    sent: list[str] = []
    ana.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    describe(ana, [write_midi(seed, f"sketch {seed}.mid") for seed in (7, 8, 9)])
    expect(ana.get_by_text("3 of 3 read, 3 can be signed")).to_be_visible()
    ana.get_by_role("button", name="Same genre, mood").click()
    ana.get_by_role("button", name="Sign all that are ready").click()
    shown = ana.get_by_role("dialog", name="Sign 3 contributions")
    expect(shown.locator("article")).to_have_count(3)
    ana.get_by_role("button", name="Sign", exact=True).click()
    expect(ana.get_by_text("3 of 3 files are signed")).to_be_visible()
    assert (sent.count("draft"), sent.count("sign")) == (1, 1)
    assert len(small_house.house.store.waiting()) == 3


def changing(change: Callable[..., None]) -> Callable[[Route], None]:
    """A server, or somebody on the way, that answers something else."""

    def answer(route: Route) -> None:
        found = route.fetch()
        said = found.json()
        change(said)
        route.fulfill(response=found, json=said)

    return answer


def other_music(said: dict) -> None:
    said["music"] = said["music"][:-8] + "AAAAAAA="


def other_title(said: dict) -> None:
    said["statement"]["predicate"]["description"]["title"] = "Something Else"


def other_consent(said: dict) -> None:
    said["statement"]["predicate"]["consent"] = [{"scope": "evaluation", "until": None}]


@pytest.mark.parametrize(("change", "word"), [
    (other_music, "is about other music"), (other_title, "another title"),
    (other_consent, "another consent"),
])  # fmt: skip
def test_a_server_that_shows_one_thing_and_sends_another_gets_no_contribution_signed(
    somebody, small_house: TestHouse, write_midi, change, word
) -> None:
    ana = enter(somebody(), "ana")
    sent: list[str] = []
    ana.on("request", lambda request: sent.append(request.url))
    ana.route("**/contribute/draft", changing(lambda said: change(said[0])))
    describe(ana, write_midi(7, "winter sun.mid"))
    ana.get_by_label("Title").fill("Winter Sun")
    ana.get_by_role("button", name="Sign and contribute").click()
    expect(ana.get_by_text(word)).to_be_visible()
    assert not [url for url in sent if url.endswith("/contribute/sign")]
    assert small_house.house.store.waiting() == []


def test_a_server_that_sends_another_waiting_work_gets_it_not_accepted(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana, cleo = enter(somebody(), "ana"), enter(somebody(), "cleo")
    contribute(ana, write_midi(7, "winter sun.mid"))
    (work,) = small_house.house.store.waiting()
    contribute(ana, write_midi(8, "other.mid"))
    (other,) = set(small_house.house.store.waiting()) - {work}
    cleo.route(f"**/inbox/{work}/file", lambda route: route.continue_(
        url=route.request.url.replace(work, other)))  # fmt: skip
    cleo.goto("/curate")
    cleo.get_by_role("button", name="Winter sun").click()
    cleo.get_by_role("button", name="Accept").click()
    expect(cleo.get_by_text("the studio sent another work than is shown")).to_be_visible()
    assert small_house.house.load().size == 2


def test_bytes_that_were_changed_on_the_way_are_not_countersigned(
    somebody, small_house: TestHouse, write_midi
) -> None:
    ana, cleo = enter(somebody(), "ana"), enter(somebody(), "cleo")
    contribute(ana, write_midi(7, "winter sun.mid"))

    def flip(said: dict) -> None:
        said["file"] = (
            said["file"][:200] + ("B" if said["file"][200] == "A" else "A") + (said["file"][201:])
        )

    cleo.route("**/inbox/*/file", changing(flip))
    cleo.goto("/curate")
    cleo.get_by_role("button", name="Accept").click()
    expect(cleo.get_by_text(re.compile("is about other music|tag"))).to_be_visible()
    assert small_house.house.load().size == 2


def test_a_session_that_ended_is_begun_again_while_the_key_is_open(somebody) -> None:
    ana = enter(somebody(), "ana")
    ana.context.clear_cookies()
    ana.goto("/sign-in")
    expect(ana.get_by_role("button", name="Sign in")).to_be_visible()
    ana.get_by_role("button", name="Sign in").click()
    ana.wait_for_url("**/create")
    ana.goto("/house")
    expect(ana.get_by_role("button", name="Small Rain")).to_be_visible()
    ana.context.clear_cookies()  # as after a restart of the server
    ana.get_by_role("button", name="Small Rain").click()
    expect(ana.get_by_role("heading", name="Small Rain")).to_be_visible()
    ana.get_by_role("button", name="Ana", exact=True).click()
    ana.get_by_role("button", name="Lock and sign out").click()
    ana.wait_for_url("**/sign-in")
    expect(ana.get_by_label("Passphrase of your key")).to_be_visible()


def test_what_somebody_opened_is_not_shown_to_who_signs_in_after_them(somebody, write_midi) -> None:
    page = enter(somebody(), "ana")
    page.locator("#file").set_input_files(write_midi(7, "not out yet.mid"))
    expect(page.locator("#history")).to_contain_text("not out yet.mid")
    page.locator("#keys-button").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")
    bring_key(page, "cleo")
    page.locator("#who").select_option(key_of("cleo").keyid)
    sign_in(page)
    page.wait_for_url("**/create")
    expect(page.locator("[name=genre] option").nth(1)).to_be_attached()
    expect(page.locator("#title")).to_have_text("Nothing written yet")
    expect(page.locator("#history li")).to_have_count(0)


def test_the_key_in_the_browser_cannot_be_read_by_a_script(somebody) -> None:
    ana = enter(somebody(), "ana")
    found = ana.evaluate("""async () => {
        const { key_of } = await import("/static/keys.js");
        const key = await key_of("lantern", "ana");
        try { await crypto.subtle.exportKey("pkcs8", key.open); return "read"; }
        catch (error) { return [error.name, key.open.extractable, key.text.includes("seed")]; }
    }""")
    assert found == ["InvalidAccessError", False, False]


def test_the_door_and_what_is_signed_keep_nobody_out(somebody, write_midi) -> None:
    page = somebody()
    page.get_by_text("I have a key already").click()
    keeps_nobody_out(page, in_the_dark=True)
    bring_key_by_hand = page.get_by_label("Key file")
    bring_key_by_hand.set_input_files(key_file("ana"))
    sign_in(page)
    page.wait_for_url("**/create")
    describe(page, write_midi(7, "winter sun.mid"))
    page.get_by_role("button", name="Sign and contribute").click()
    expect(page.get_by_role("dialog", name="Sign this contribution")).to_be_visible()
    keeps_nobody_out(page, in_the_dark=True)


# -- the browser's own arithmetic ----------------------------------------------------------


def test_scrypt_and_chacha20_poly1305_are_those_of_their_rfcs(somebody) -> None:
    found = somebody().evaluate("""async () => {
        const { scrypt, seal, open } = await import("/static/sealing.js");
        const { hex, from_hex, bytes_of } = await import("/static/records.js");
        const of = async (...said) => hex(await scrypt(bytes_of(said[0]), bytes_of(said[1]),
            { n: said[2], r: said[3], p: said[4], bytes: 64 }));
        const key = Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at);
        const nonce = from_hex("070000004041424344454647");
        const head = from_hex("50515253c0c1c2c3c4c5c6c7");
        const text = bytes_of("Ladies and Gentlemen of the class of '99: If I could offer you " +
            "only one tip for the future, sunscreen would be it.");
        const sealed = seal(key, nonce, text, head);
        const other = sealed.slice(); other[3] ^= 1;
        return [await of("", "", 16, 1, 1), await of("password", "NaCl", 1024, 8, 16),
            hex(sealed).slice(-32), hex(open(key, nonce, sealed, head)) === hex(text),
            open(key, nonce, other, head), open(key, nonce, sealed, head.slice(1))];
    }""")
    assert found == [
        # RFC 7914, section 12; RFC 8439, section 2.8.2
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
        "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
        "1ae10b594f09e26a7e902ecbd0600691", True, None, None,
    ]  # fmt: skip


def test_records_are_spelled_and_hashed_as_the_house_does(somebody) -> None:
    values = [
        {"b": [1, -2, True, None], "a": {"z": "", "é": "\u2028\x7f\x01\"\\/\n🎵", "Z": "ÿ"}},
        [], {}, "plain", 2**53 - 1,
    ]  # fmt: skip
    page = somebody()
    spelled = page.evaluate("""async (values) => {
        const { canonical } = await import("/static/records.js");
        return values.map(canonical);
    }""", values)  # fmt: skip
    assert [text.encode() for text in spelled] == [canonical(value) for value in values]
    frontier, heads = Frontier(0, ()), []
    for size in range(12):
        act = {"act": "consent", "by": "ana", "data": {}, "format": 1, "index": size, "time": "b"}
        ground = {
            "house": "lantern", "size": size, "bytes": 100 * size, "time": "a" if size else "",
            "frontier": [node.hex() for node in frontier.hashes],
        }  # fmt: skip
        line = canonical({**act, "signatures": [{"keyid": "k", "sig": "s"}]})
        made = page.evaluate("""async ([ground, act]) => {
            const { head_after } = await import("/static/records.js");
            return head_after(ground, act, { keyid: "k", sig: "s" });
        }""", [ground, act])  # fmt: skip
        frontier.append(leaf_hash(line))
        heads.append(made["root"] == frontier.root().hex())
        assert made["bytes"] == 100 * size + len(line) + 1
        assert (made["time"], made["size"], made["log"]) == ("b", size + 1, "register")
    assert all(heads)


def test_types_of_records_are_spelled_as_the_house_does(somebody) -> None:
    from gen.provenance.records.acts import ACT_TYPE
    from gen.provenance.records.enrolment import REQUEST_TYPE
    from gen.provenance.signing.dsse import STATEMENT_TYPE
    from gen.studio.serving.people import SIGN_IN_TYPE

    found = somebody().evaluate('async () => (await import("/static/records.js")).TYPES')
    assert sorted(found.values()) == sorted(
        [ACT_TYPE, STATEMENT_TYPE, REQUEST_TYPE, SIGN_IN_TYPE, HEAD_TYPE]
    )


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_key_file_of_the_command_line_comes_back_as_it_was(somebody, tmp_path: Path) -> None:
    page = enter(somebody(), "ana")
    page.get_by_role("button", name="Ana", exact=True).click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a backup").click()
    saved.value.save_as(tmp_path / "again.key")
    assert (tmp_path / "again.key").read_bytes() == key_file("ana").read_bytes()
    assert saved.value.suggested_filename == key_file("ana").name
    assert json.loads((tmp_path / "again.key").read_text())["owner"] == "ana"
    assert keys_folder() == key_file("ana").parent
