"""The studio as people use it, in a browser: a composer, a curator, whoever looks the house up."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from desks import PATIENCE, TOKEN, keeps_nobody_out, served
from gen.piece import Note, Piece, Track
from gen.smf import write
from gen.studio.desk import Desk
from houses import PASSPHRASE, TestHouse, make_midi, tagged

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

DAY = re.compile(r"Small Rain|Winter Sun")


def open_key(page: Page, person: str) -> None:
    page.get_by_role("button", name=re.compile("^Keys")).click()
    page.get_by_label(f"Passphrase of {person}").fill(PASSPHRASE)
    page.get_by_label(f"Passphrase of {person}").press("Enter")
    expect(page.get_by_text(f"The key of {person} is open.")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).last.click()


def held(page: Page, address: str) -> Callable[..., str]:
    """Holds requests to an address; what is given lets the next one go, and tells its own."""
    waiting: list[Route] = []
    page.route(address, lambda route: waiting.append(route))

    def answer(patience: float = PATIENCE) -> str:
        until = time.monotonic() + patience
        while not waiting and time.monotonic() < until:
            page.wait_for_timeout(10)
        route = waiting.pop(0)
        route.continue_()
        return route.request.url

    return answer


def contribute(page: Page, path, *, is_open: bool = False) -> None:
    """Drop a file, state what has to be stated, sign."""
    if not is_open:
        page.goto("/contribute")
    page.locator("#files").set_input_files(path)
    expect(page.get_by_role("button", name="Sign and contribute")).to_be_visible()
    page.get_by_label("Genre").select_option("waltz")
    page.get_by_label("How it was made").select_option("score")
    page.get_by_label("the house's model").check()
    page.get_by_label("Nothing in this work").check()
    page.get_by_label("No generative model").check()
    page.get_by_role("button", name="Sign and contribute").click()


CLICKS = """
window.clicks = 0;
addEventListener("click", (event) => (window.clicks += Number(event.isTrusted)), true);
const choose = ({ target }) => (window.clicks += Number(target.matches("select")));
addEventListener("change", choose, true);
"""


def test_a_dropped_file_becomes_a_work_of_the_house(page: Page, write_midi, capsys) -> None:
    page.add_init_script(CLICKS)
    page.goto("/contribute")
    open_key(page, "ana")
    before, began = page.evaluate("window.clicks"), time.monotonic()
    contribute(page, write_midi(7, "winter sun.mid"), is_open=True)
    expect(page.get_by_text("winter sun.mid is signed, and waits for a curator.")).to_be_visible()
    signing = page.evaluate("window.clicks") - before, time.monotonic() - began
    page.goto("/curate")
    expect(page.get_by_role("heading", name="Winter sun")).to_be_visible()
    expect(page.get_by_text("Nothing alike is known.")).to_be_visible()
    open_key(page, "cleo")
    before, began = page.evaluate("window.clicks"), time.monotonic()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Winter sun is in the house.")).to_be_visible()
    accepting = page.evaluate("window.clicks") - before, time.monotonic() - began
    with capsys.disabled():
        for way, (clicks, seconds) in (("a file to a signed work", signing),
                                       ("the inbox to an accepted work", accepting)):  # fmt: skip
            print(f"\n{way}: {clicks} clicks, {seconds:.1f} s")
    assert (signing[0], accepting[0]) == (6, 1), "a file with its genre; and one look"
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    page.goto("/house")
    page.get_by_label("Find").fill("winter")
    page.get_by_role("button", name="Winter sun").click()
    expect(page.get_by_text("score", exact=True)).to_be_visible()
    page.get_by_role("button", name="Audit every file").click()
    expect(page.get_by_text("2 of 2 files admitted")).to_be_visible()


def test_a_locked_key_is_asked_for_before_anything_is_signed(page: Page, write_midi) -> None:
    contribute(page, write_midi(7, "winter sun.mid"))
    expect(page.get_by_role("dialog", name="Keys on this computer")).to_be_visible()
    expect(page.get_by_text("the key of ana is locked")).to_be_visible()


def test_answers_survive_a_closed_browser(page: Page, write_midi) -> None:
    path = write_midi(7, "winter sun.mid")
    page.goto("/contribute")
    page.locator("#files").set_input_files(path)
    page.get_by_label("Title").fill("Half a Winter")
    page.get_by_label("Mood").select_option("calm")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Half a Winter")
    expect(page.get_by_label("Mood")).to_have_value("calm")
    page.locator("#files").set_input_files(path)
    expect(page.get_by_role("button", name="winter sun.mid", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Put winter sun.mid away").click()
    expect(page.get_by_role("heading", name="winter sun.mid")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("Drop MIDI files")).to_be_visible()
    expect(page.locator("#table-part")).to_be_hidden()


def test_a_file_that_is_chosen_before_the_page_is_ready_keeps_its_answers(page: Page, write_midi):
    path = write_midi(7, "winter sun.mid")
    page.goto("/contribute")
    page.locator("#files").set_input_files(path)
    page.get_by_label("Title").fill("Half a Winter")
    page.get_by_label("Title").blur()
    answer = held(page, "**/api/v1/words")
    page.reload()
    page.locator("#files").set_input_files(path)
    answer()
    expect(page.get_by_label("Title")).to_have_value("Half a Winter")
    expect(page.get_by_role("button", name="winter sun.mid", exact=True)).to_have_count(1)


def test_a_file_is_put_away_while_it_is_read_and_chosen_again(page: Page, write_midi) -> None:
    answer = held(page, "**/check/many")
    paths = [write_midi(seed, name) for seed, name in ((7, "autumn.mid"), (8, "winter.mid"))]
    page.goto("/contribute")
    page.locator("#files").set_input_files(paths)
    expect(page.get_by_role("button", name="winter.mid", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Put autumn.mid away").click()
    for _ in paths:
        answer()
    expect(page.get_by_role("heading", name="winter.mid")).to_be_visible()
    assert page.locator("#files").input_value() == "", "what was put away can be chosen again"
    page.locator("#files").set_input_files(paths)
    answer()
    expect(page.get_by_text("2 of 2 read, 2 can be signed")).to_be_visible()
    expect(page.locator(".notice.bad")).to_have_count(0)


def test_a_work_is_accepted_once_however_often_it_is_pressed(
    page: Page, small_house: TestHouse
) -> None:
    """And the one that is looked at meanwhile stays."""
    house = small_house.load().roster.identity
    files = (tagged(make_midi(seed), house=house) for seed in (7, 8))
    small_house.submit(*files)
    page.goto("/curate")
    open_key(page, "cleo")
    queue = page.locator("#queue button")
    expect(queue).to_have_count(2)
    answer = held(page, "**/inbox/*/accept")
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Accept").click()
    queue.last.click()
    other = page.locator("#facts dd").first.inner_text()
    assert other not in answer()
    expect(queue).to_have_count(1)
    expect(queue).to_have_attribute("aria-current", "true")
    assert page.locator("#facts dd").first.inner_text() == other
    with pytest.raises(IndexError):
        answer(0)


def test_a_rejected_work_wants_a_reason(page: Page, write_midi) -> None:
    page.goto("/contribute")
    open_key(page, "ana")
    contribute(page, write_midi(7, "winter sun.mid"))
    expect(page.get_by_text("is signed, and waits")).to_be_visible()
    page.goto("/curate")
    open_key(page, "cleo")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    page.get_by_label("Reason").fill("too short")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("was turned down")).to_be_visible()
    page.goto("/mine")
    told = page.get_by_role("row", name=re.compile("Winter sun rejected"))
    expect(told).to_contain_text("too short")


def test_a_withdrawal_says_first_what_it_touches(page: Page) -> None:
    page.goto("/house")
    open_key(page, "ana")
    page.get_by_role("button", name="Small Rain").click()
    page.get_by_role("button", name="Withdraw for ever").click()
    expect(page.get_by_text("It was used by 0 runs, 0 models and 0 pieces")).to_be_visible()
    page.get_by_role("button", name="Withdraw for ever").click()
    expect(page.get_by_text("Small Rain is withdrawn.")).to_be_visible()


def test_a_paper_is_told_by_its_bytes_entered_and_taken_away(page: Page, tmp_path) -> None:
    """And when the house was audited last is there after a reload."""
    path = tmp_path / "answer.md"
    path.write_text("what was said")
    page.goto("/house")
    open_key(page, "cleo")
    expect(page.get_by_text("never at this studio")).to_be_visible()
    page.locator("#paper-file").set_input_files(path)
    expect(page.get_by_text("answer.md is no paper of this log")).to_be_visible()
    page.get_by_label("It is a").fill("answer")
    page.get_by_role("button", name="Enter it, and keep it here").click()
    expect(page.get_by_text("answer.md is the answer that cleo entered")).to_be_visible()
    page.get_by_role("button", name="Audit every file").click()
    expect(page.get_by_text("1 of 1 files admitted")).to_be_visible()
    page.reload()
    expect(page.get_by_text("none since: 1 of 1 files admitted")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take away").click()
    assert download.value.path().read_text() == "what was said"


def test_what_the_house_hears_is_corrected_by_clicking(page: Page, write_midi) -> None:
    """Instruments, roles, key, chords and sections; and what is no chord is said at once."""
    page.goto("/contribute")
    page.locator("#files").set_input_files(write_midi(7, "winter sun.mid"))
    page.locator("[name=key]").select_option("E minor")
    page.get_by_label(re.compile("^Instrument of")).first.select_option("oboe")
    page.get_by_label(re.compile("^Role of")).first.select_option("sub_melody")
    bars = page.get_by_role("toolbar", name="Bars")
    expect(bars.get_by_role("button")).to_have_count(16)
    bars.get_by_role("button", name=re.compile("^Bar 2,")).click()
    page.get_by_role("group", name="Chord of bar 2").get_by_role("button", name="no chord").click()
    expect(bars.get_by_role("button", name="Bar 2, NC")).to_be_focused()
    page.get_by_label("Another chord").fill("H7")
    page.get_by_label("Another chord").press("Enter")
    expect(page.get_by_text("H7")).to_be_visible()
    page.get_by_label("Another chord").fill("F#m7b5")
    page.get_by_label("A section begins here").fill("bridge")
    page.get_by_label("A section begins here").press("Enter")
    expect(bars.get_by_role("button", name="Bar 2, section bridge begins, F#m7b5")).to_be_visible()
    page.reload()
    expect(page.locator("[name=key]")).to_have_value("E minor")
    expect(page.get_by_label(re.compile("^Instrument of")).first).to_have_value("oboe")
    expect(page.get_by_label(re.compile("^Role of")).first).to_have_value("sub_melody")
    expect(bars.get_by_role("button", name="Bar 2, section bridge begins, F#m7b5")).to_be_visible()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("1 of 1 read, 1 can be signed")).to_be_visible()


def test_a_hostile_file_is_refused_in_words(page: Page, tmp_path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.mid"
    path.write_bytes(b"no music at all")
    page.goto("/contribute")
    page.locator("#files").set_input_files(path)
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    expect(page.get_by_role("heading", name=path.name)).to_be_visible()


def test_names_that_would_turn_a_line_around_are_shown_as_they_are(page: Page, tmp_path) -> None:
    """And of a file that cannot be read no other's music is to be heard."""
    names = ("winter.mid", "win\u202egnp.mid", "\x1b[31mred.mid")
    for name, data in zip(names, (tune(0), tune(1), b"no music"), strict=True):
        (tmp_path / name).write_bytes(data)
    page.goto("/contribute")
    page.locator("#files").set_input_files([tmp_path / name for name in names])
    expect(page.get_by_text("3 of 3 read, 2 can be signed")).to_be_visible()
    expect(page.get_by_role("button", name="win\ufffdgnp.mid", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    page.get_by_role("button", name="\ufffd[31mred.mid", exact=True).click()
    expect(page.get_by_role("heading", name="\ufffd[31mred.mid")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_hidden()


def test_a_work_sounds_and_stops(page: Page) -> None:
    page.goto("/house")
    page.get_by_role("button", name="Small Rain").click()
    play = page.get_by_role("button", name="Play")
    play.click()
    expect(page.locator("#clock")).to_have_text(re.compile(r"0:0[1-9] /"))
    page.get_by_role("button", name="Stop").click()
    expect(play).to_be_visible()


def test_music_whose_sound_is_late_stays_where_it_is_to_begin(page: Page) -> None:
    page.goto("/house")
    page.get_by_role("button", name="Small Rain").click()
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#clock")).to_have_text(re.compile("0:0[1-9] /"))
    page.route("**/api/v1/audio", lambda _: None)
    box = page.locator("#roll").bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 100)
    expect(page.locator("#clock")).to_have_text(re.compile("0:0[67] /"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#clock")).to_have_text(re.compile("0:0[67] /"))


def test_colours_of_tracks_follow_the_light(page: Page) -> None:
    page.goto("/house")
    page.get_by_role("button", name="Small Rain").click()
    swatch = page.locator(".swatch").first
    colours = {}
    for scheme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found = swatch.evaluate("(node) => getComputedStyle(node).backgroundColor")
        assert colours.setdefault(scheme, found) == found
    assert colours["light"] != colours["dark"]


def tune(up: int) -> bytes:
    """A line of chance that says enough to be known again, so many semitones up."""
    rng, pitch, notes = random.Random(5), 64, []  # noqa: S311
    for at in range(48):
        pitch = min(max(pitch + rng.choice((-4, -3, -2, -1, 1, 2, 3, 5)), 50), 80)
        notes.append(Note(at * 240, 200, pitch + up, 80))
    return write(Piece(480, [Track("Tune", 73, notes=notes)]))


def test_what_is_alike_is_seen_and_heard_side_by_side(page: Page, tmp_path) -> None:
    page.goto("/contribute")
    open_key(page, "ana")
    for name, up in (("first.mid", 0), ("second.mid", 5)):
        (tmp_path / name).write_bytes(tune(up))
        contribute(page, tmp_path / name)
        expect(page.get_by_text(f"{name} is signed, and waits")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile(f"{name} .*signed, waiting"))).to_have_count(
            1
        )
        expect(page.get_by_role("button", name="Sign and contribute")).to_be_hidden()
    page.goto("/curate")
    page.get_by_role("button", name=re.compile("please compare")).last.click()
    alike = page.get_by_role("region", name=re.compile("Like the house's work"))
    for side in ("Here", "There"):
        part = alike.get_by_role("group", name=side, exact=True)
        expect(part.get_by_role("img", name=re.compile("6 bars"))).to_be_visible()
        part.get_by_role("button", name="Play").click()
        expect(part.locator("output")).to_have_text(re.compile("0:0[1-9] /"))
    expect(alike.get_by_text("Stop")).to_have_count(1)
    expect(page.get_by_role("button", name="Accept: I compared them")).to_be_enabled()


def test_many_files_are_one_table_filled_down_and_signed_once(
    page: Page, write_midi, tmp_path
) -> None:
    (tmp_path / "album" / "disc 2").mkdir(parents=True)
    (tmp_path / "album" / "notes.txt").write_text("what a folder holds besides")
    for seed in range(10, 22):
        write_midi(seed, f"album/{'disc 2/' if seed > 16 else ''}sketch {seed}.mid")
    page.goto("/contribute")
    open_key(page, "ana")
    page.locator("#folder").set_input_files(tmp_path / "album")
    expect(page.get_by_text("12 of 12 read, 12 can be signed")).to_be_visible()
    page.get_by_label("Genre").select_option("waltz")
    page.get_by_label("How it was made").select_option("score")
    page.get_by_label("the house's model").check()
    page.get_by_role("button", name="Same genre, mood").click()
    expect(page.get_by_text("Filled down")).to_be_visible()
    page.reload()
    expect(page.get_by_text("12 of 12 read, 12 can be signed")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("sketch .* waltz", re.I))).to_have_count(12)
    page.get_by_label("Nothing in this work").check()
    page.get_by_label("No generative model").check()
    page.get_by_role("button", name="Sign all that are ready").click()
    expect(page.get_by_text("12 of 12 files are signed")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("sketch .* waiting", re.I))).to_have_count(12)


def test_no_room_has_what_keeps_people_out(page: Page, write_midi, desk: Desk) -> None:
    with SummaryWriter(desk.runs / "night" / "2026-01-02_03-04-05" / "tensorboard") as board:
        board.add_scalar("loss", 3.0, 3)
        board.add_image("pieces/1", np.zeros((3, 8, 8), np.float32), 3)
        board.add_audio("pieces/1", np.zeros((1, 400), np.float32), 3, 8_000)
    for room in ("create", "contribute", "mine", "curate", "house", "runs"):
        page.goto(f"/{room}")
        page.wait_for_load_state("networkidle")
        if room == "house":
            page.get_by_role("button", name="Small Rain").click()
        if room == "runs":
            expect(page.get_by_role("img", name="Piece 1 after 3 steps")).to_be_visible()
        if room == "contribute":
            page.locator("#files").set_input_files(write_midi(7, "winter sun.mid"))
            expect(page.get_by_label("How it was made")).to_be_visible()
        keeps_nobody_out(page, in_the_dark=True)


def test_music_is_asked_for_kept_rewritten_and_found_again(browser, writing_desk: Desk) -> None:
    with served(writing_desk) as address:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(f"{address}/?token={TOKEN}")
        page.locator("[name=bars]").fill("4")
        page.get_by_label("Chords").fill("Am | F")
        expect(page.get_by_text("Understood (in 4/4): Am | F")).to_be_visible()
        page.locator("[name=n]").fill("2")
        page.get_by_role("button", name="Write", exact=True).click()
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        ranked = page.locator(".variation h3")
        expect(ranked).to_have_text([re.compile("^1. "), re.compile("^2. ")])
        first, second = (title[3:] for title in ranked.all_inner_texts())
        number = 1 + max(int(name.rpartition("-")[2]) for name in (first, second))
        page.get_by_role("button", name="Another").first.click()
        expect(ranked.filter(has_text=re.compile(f"-{number:02d}$"))).to_have_count(1)
        expect(ranked.filter(has_text=first)).to_have_count(0)
        expect(ranked.filter(has_text=second)).to_have_count(1)
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        expect(page.get_by_label("Timing")).to_be_hidden()
        page.get_by_role("button", name="Keep").first.click()
        name = page.locator("#title")
        expect(page.locator("#history li")).to_have_count(1)
        kept = name.inner_text()

        grid = page.get_by_role("grid")
        grid.get_by_role("gridcell").first.focus()
        for key in (" ", "ArrowRight", " "):
            page.keyboard.press(key)
        expect(page.get_by_text("2 cells selected")).to_be_visible()
        page.get_by_role("button", name="Rewrite them").click()
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        page.get_by_role("button", name="Keep").first.click()
        expect(name).to_have_text(re.compile("infill"))
        page.get_by_role("button", name="Undo").click()
        expect(name).to_have_text(kept)
        page.reload()
        expect(name).to_have_text(kept)
        page.locator("#paper summary").click()
        expect(page.get_by_alt_text(re.compile("Page 1 of"))).to_be_visible()
        expect(page.get_by_role("link", name="Stems")).to_be_visible()

        grid.get_by_role("gridcell").first.click()
        page.get_by_role("button", name="Lock them").click()
        locked = grid.get_by_role("gridcell").first
        expect(locked).to_have_accessible_name(re.compile("locked"))
        page.get_by_role("button", name="Select all").click()
        expect(locked).to_have_attribute("aria-selected", "false")
        with page.expect_request(re.compile("/infill$")) as asked:
            page.get_by_role("button", name="Rewrite them").click()
        assert "bars 2-4 of 1" in asked.value.post_data_json["cells"]
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="MIDI").click()
        assert download.value.suggested_filename == f"{kept}.mid"
        context.close()


SOUNDS = """
const start = AudioBufferSourceNode.prototype.start;
window.sounds = 0;
window.titles = [];
document.addEventListener("DOMContentLoaded", () => {
  const title = document.getElementById("title");
  const seen = new MutationObserver(() => window.titles.push(title.textContent));
  seen.observe(title, { childList: true });
});
AudioBufferSourceNode.prototype.start = function (when = 0, ...more) {
  if (this.buffer.getChannelData(0).some((value) => Math.abs(value) > 1e-3))
    window.sounds += 1;
  return start.call(this, when, ...more);
};
"""


STOP_AT_THE_FIRST_BAR = """() => {
  const title = document.getElementById("title");
  new MutationObserver((_, seen) => {
    if (title.textContent !== "Being written…") return;
    seen.disconnect();
    document.getElementById("stop").click();
  }).observe(title, { childList: true });
}"""
"""From within the page: a click from outside may come when the piece is finished."""


def test_new_music_in_a_given_file_sounds_while_it_is_written(
    browser, writing_desk: Desk, write_midi
) -> None:
    with served(writing_desk) as address:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.add_init_script(SOUNDS)
        page.goto(f"{address}/?token={TOKEN}")
        page.locator("#file").set_input_files(write_midi(7, "mine.mid"))
        expect(page.locator("#title")).to_have_text("mine.mid")
        page.locator("[name=n]").fill("1")
        grid = page.get_by_role("grid")
        for verb, press in (
            ("vary", lambda: page.locator("#vary").click()),
            ("continue", lambda: page.locator("#continue").click()),
        ):
            page.evaluate("() => { window.sounds = 0; window.titles = []; }")
            press()
            expect(page.locator("#title")).to_have_text(re.compile(f"{verb}-[0-9]+$"))
            assert page.evaluate("window.titles")[0] == "Being written…"
            page.wait_for_function("() => window.sounds > 0")
            expect(grid).to_be_visible()

        # Stopped in the middle, what stood before stands again, and can be gone on from.
        title = page.locator("#title").inner_text()
        page.locator("#more-bars").fill("64")
        page.evaluate(STOP_AT_THE_FIRST_BAR)
        page.locator("#continue").click()
        expect(page.get_by_text("Stopped. What was finished stays.")).to_be_visible()
        expect(page.locator("#title")).to_have_text(title)
        page.get_by_role("button", name="Vary it").click()
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        context.close()


def test_an_opened_file_is_undone_to_and_outlives_a_reload(page: Page, write_midi) -> None:
    page.goto("/create")
    for seed in (7, 8):
        page.locator("#file").set_input_files(write_midi(seed, f"mine {seed}.mid"))
        expect(page.locator("#title")).to_have_text(f"mine {seed}.mid")
    page.reload()
    expect(page.locator("#title")).to_have_text("mine 8.mid")
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(4)


def test_each_tab_has_its_own_history(page: Page, write_midi) -> None:
    page.goto("/create")
    page.locator("#file").set_input_files(write_midi(7, "mine 7.mid"))
    expect(page.locator("#history")).to_contain_text("mine 7.mid")
    other = page.context.new_page()
    other.goto("/create")
    expect(other.locator("#title")).to_have_text("mine 7.mid")  # what was kept last
    other.locator("#file").set_input_files(write_midi(8, "mine 8.mid"))
    expect(other.locator("#history")).to_contain_text("mine 8.mid")
    for tab, seed in ((page, 7), (other, 8)):
        tab.reload()
        expect(tab.locator("#title")).to_have_text(f"mine {seed}.mid")
    other.close()


def test_rooms_fit_a_tablet_and_a_laptop(page: Page) -> None:
    for room in ("create", "contribute", "mine", "curate", "house", "runs"):
        page.goto(f"/{room}")
        page.wait_for_load_state("networkidle")
        for width, height in ((768, 1024), (1024, 768), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so, as somebody without a mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in focused.aria_snapshot():
            return
    raise AssertionError(f"no Tab leads to {name!r}")


def test_a_piece_is_asked_for_and_taken_away_by_keyboard_alone(browser, writing_desk: Desk) -> None:
    with served(writing_desk) as address:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(f"{address}/?token={TOKEN}")
        page.wait_for_load_state("networkidle")
        tab_to(page, "Skip to the room")
        page.keyboard.press("Enter")
        tab_to(page, "Genre")
        page.keyboard.type("waltz")
        tab_to(page, "Bars")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("4")
        tab_to(page, "Swing")
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        expect(page.locator("[name=swing]")).to_have_attribute("aria-valuetext", "swung")
        tab_to(page, "Variations")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("2")
        tab_to(page, "Write")
        with page.expect_request(re.compile("/generate$")) as asked:
            page.keyboard.press("Enter")
        said = asked.value.post_data_json
        assert (said["genre"], said["bars"], said["swing"], said["n"]) == ("waltz", 4, 0.6, 2)
        assert "humanise" not in said
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
        tab_to(page, "Keep")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Take it away")).to_be_visible()
        expect(page.get_by_text("What leaves is marked")).to_be_visible()
        keeps_nobody_out(page)
        name = page.locator("#title").inner_text()
        for link, suffix in (("MIDI", "mid"), ("Content credentials", "c2pa")):
            tab_to(page, f'link "{link}"')
            with page.expect_download() as download:
                page.keyboard.press("Enter")
            assert download.value.suggested_filename == f"{name}.{suffix}"
            taken = download.value.path().read_bytes()
            assert taken == (writing_desk.out / f"{name}.{suffix}").read_bytes()
        context.close()


def test_a_work_is_compared_rejected_and_accepted_by_keyboard_alone(
    page: Page, small_house: TestHouse
) -> None:
    """The key opened, the queue gone through, a reason given, the other one taken."""
    house = small_house.load().roster.identity
    small_house.submit(*(tagged(make_midi(seed), house=house) for seed in (7, 8)))
    page.goto("/curate")
    queue = page.locator("#queue button")
    expect(queue).to_have_count(2)
    tab_to(page, 'button "Keys')
    page.keyboard.press("Enter")
    tab_to(page, "Passphrase of cleo")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The key of cleo is open.")).to_be_visible()
    page.keyboard.press("Escape")
    second = queue.last.inner_text().split("\n")[0]
    for _ in range(2):
        tab_to(page, f'button "{second}')
    page.keyboard.press("Enter")
    expect(queue.last).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    tab_to(page, "Reason")
    page.keyboard.type("too short")
    tab_to(page, "Reject")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was turned down")).to_be_visible()
    tab_to(page, 'button "Accept')
    page.keyboard.press("Enter")
    expect(page.get_by_text("is in the house.")).to_be_visible()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
