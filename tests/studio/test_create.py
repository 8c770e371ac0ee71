"""Each control of the room where music is made does what it says, in a browser."""

from __future__ import annotations

import re

import pytest

from desks import PATIENCE, TOKEN, served
from gen.studio.desk import Desk

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

DRAGGED = """(link) => {
  const carried = new DataTransfer();
  link.dispatchEvent(new DragEvent("dragstart", { dataTransfer: carried, bubbles: true }));
  return carried.getData("DownloadURL");
}"""


@pytest.fixture
def room(browser, writing_desk: Desk, write_midi):
    """The room with an opened file of two tracks and sixteen bars, one variation at a time."""
    with served(writing_desk) as address:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(f"{address}/?token={TOKEN}")
        page.locator("#file").set_input_files(write_midi(7, "mine.mid"))
        expect(page.locator("#title")).to_have_text("mine.mid")
        page.locator("[name=n]").fill("1")
        yield page
        context.close()


def asked(page: Page, verb: str, button: str) -> dict:
    """What a button asks for; it is written, and stands."""
    with page.expect_request(re.compile(f"/{verb}$")) as request:
        page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text(re.compile("Done in"))).to_be_visible()
    expect(page.locator("#title")).to_have_text(re.compile("mine"))
    expect(page.locator("#take")).to_be_visible()
    return request.value.post_data_json


def test_cells_are_rewritten_tracks_added_and_all_of_it_undone(room: Page) -> None:
    rows = room.get_by_role("grid").get_by_role("row")
    expect(rows).to_have_count(4)
    room.get_by_role("gridcell").first.click()
    room.locator("#keep").select_option("contour")
    body = asked(room, "infill", "Rewrite them")
    assert (body["keep"], body["cells"]) == ("contour", "bar 1 of 1")
    rewritten = room.locator("#title").inner_text()
    room.locator("#add-instrument").fill("flute")
    assert asked(room, "accompany", "Add a track")["add"] == ["flute"]
    expect(rows).to_have_count(5)
    added = room.locator("#title").inner_text()
    for button, title in (("Undo", rewritten), ("Undo", "mine.mid"), ("Redo", rewritten),
                          ("Redo", added)):  # fmt: skip
        room.get_by_role("button", name=button).click()
        expect(room.locator("#title")).to_have_text(title)
    expect(room.get_by_role("button", name="Redo")).to_be_disabled()
    for link in room.locator("#downloads a").all():
        answer = room.request.get(link.get_attribute("href"))
        assert answer.ok, link.inner_text()
    kind, name, address = room.get_by_role("link", name="MIDI").evaluate(DRAGGED).split(":", 2)
    assert (kind, name) == ("application/octet-stream", f"{added}.mid")
    assert room.request.get(address).body().startswith(b"MThd")


def test_what_sounds_is_chosen_by_track_tempo_and_loop(room: Page) -> None:
    def hears(is_it, act) -> None:
        """Wait for sound of this kind to be asked for; what was asked for before may still come."""

        def fits(request) -> bool:
            return request.url.endswith("/api/v1/audio") and is_it(request.post_data_json)

        with room.expect_request(fits):
            act()

    mute, solo = (room.get_by_role("grid").get_by_role("button", name=re.compile(f"^{what}"))
                  for what in ("Mute", "Solo"))  # fmt: skip
    mute.first.click()
    hears(lambda asked: 0 not in asked["tracks"], room.get_by_role("button", name="Play").click)
    hears(lambda asked: asked["tracks"] == [1], solo.nth(1).click)
    hears(lambda asked: asked["speed"] == 1.5, lambda: room.locator("#speed").fill("1.5"))
    room.get_by_label("Loop").check()
    box = room.locator("#roll").bounding_box()
    near_the_end = box["x"] + 0.99 * box["width"], box["y"] + 100
    hears(lambda asked: asked["first_bar"] == 15, lambda: room.mouse.click(*near_the_end))
    is_at_the_beginning = re.compile("0:00 /")
    hears(lambda asked: asked["first_bar"] < 15,
          lambda: expect(room.locator("#clock")).to_have_text(is_at_the_beginning))  # fmt: skip
    expect(room.get_by_role("button", name="Stop")).to_be_visible()


def test_what_is_written_while_the_page_is_loaded_anew_is_heard_all_the_same(room: Page) -> None:
    """And what was asked for still stands in the form."""
    room.locator("[name=chords]").fill("Am | F")
    room.locator("[name=swing]").fill("1")
    is_heard: list[bool] = []  # as where the answer is slow
    room.route("**/jobs/*/events", lambda route: route.continue_() if is_heard else None)
    with room.expect_request(re.compile("/events$")):
        room.get_by_role("button", name="Continue", exact=True).click()
    is_heard.append(True)
    room.reload()
    expect(room.get_by_text(re.compile("Done in"))).to_be_visible()
    expect(room.locator("#title")).to_have_text(re.compile("^mine-continue"))
    expect(room.get_by_text(re.compile("Understood .*: Am . F"))).to_be_visible()
    expect(room.locator("[name=swing]")).to_have_value("1")
    expect(room.locator("#swing-words")).to_have_text("(as triplets)")
    room.reload()
    expect(room.locator("#title")).to_have_text(re.compile("^mine-continue"))
    expect(room.get_by_role("button", name="Write", exact=True)).to_be_enabled()
    expect(room.locator(".variation")).to_have_count(0)
