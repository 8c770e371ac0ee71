"""Lists that people go through in a browser: the curator's queue, the works of a large house."""

from __future__ import annotations

import json
import re

import pytest

from houses import TestHouse, make_midi, tagged

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect


def test_a_queue_is_seen_at_once_and_each_work_accepted_when_it_is_compared(
    page: Page, small_house: TestHouse
) -> None:
    house = small_house.load().roster.identity
    files = [tagged(make_midi(seed), house=house) for seed in range(30, 36)]
    small_house.submit(*files)
    unread = small_house.folder / "inbox" / "unread-12345678.mid"
    unread.write_bytes(b"no music")
    waiting: list[Route] = []
    page.route("**/inbox/compared?*", lambda route: waiting.append(route))
    page.goto("/curate")
    queue, accept = page.locator("#queue button"), page.get_by_role("button", name="Accept")
    expect(queue).to_have_count(len(files) + 1)
    expect(page.get_by_text("It is being compared with the house")).to_be_visible()
    expect(page.locator("#comparing")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    expect(accept).to_be_disabled()
    second = queue.nth(1)
    second.click()
    expect(page.locator("#facts dd").first).to_have_text(second.get_attribute("data-work"))

    page.unroute("**/inbox/compared?*")  # which lets go what waits
    assert waiting
    expect(accept).to_be_enabled()
    expect(page.get_by_text("Nothing alike is known.")).to_be_visible()
    expect(page.locator("#comparing")).to_be_hidden()
    page.locator("[data-work=unread-12345678]").click()
    expect(page.locator("#facts")).to_contain_text("cannot be taken")
    expect(accept).to_be_disabled()
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    expect(page.locator(".notice.bad")).to_have_count(0)


def test_works_are_turned_page_by_page_and_a_late_answer_is_dropped(page: Page) -> None:
    late: list[Route] = []

    def answer(route: Route) -> None:
        """A house of 120 works; what is asked of "slow" ones comes when the test says so."""
        asked = dict(re.findall(r"(\w+)=(\w+)", route.request.url))
        if asked.get("text") == "slow" and route not in late:
            late.append(route)
            return
        first, found = int(asked["first"]), 120 if "text" not in asked else 1
        some = range(first, min(first + int(asked["most"]), found))
        works = [{"work": f"work-{at}", "title": f"{asked.get('text', 'Work')} {at}", "genre": "",
                  "composers": {"ana": 100}, "key": "", "state": "in the house"}
                 for at in some]  # fmt: skip
        body = json.dumps({"works": works, "found": found, "all": 120})
        route.fulfill(body=body, content_type="application/json")

    page.route("**/api/v1/works?*", answer)
    page.goto("/house")
    works, turning = page.locator("#works button"), page.locator("#works-turning")
    expect(page.locator("#count")).to_have_text("120 works")
    expect(turning).to_contain_text("1 to 50 of 120")
    expect(turning.get_by_role("button", name="Newer")).to_be_disabled()
    for said in ("51 to 100 of 120", "101 to 120 of 120"):
        turning.get_by_role("button", name="Older").click()
        expect(turning).to_contain_text(said)
    expect(works).to_have_count(20)
    expect(turning.get_by_role("button", name="Older")).to_be_disabled()

    with page.expect_request(re.compile("text=slow")):
        page.get_by_label("Find").fill("slow")
    page.get_by_label("Find").fill("quick")
    expect(works).to_have_text([re.compile("quick 0")])
    expect(page.locator("#count")).to_have_text("1 of 120 works")
    expect(turning).to_be_hidden()
    with page.expect_response(re.compile("text=slow")):
        answer(late[0])
    expect(works).to_have_text([re.compile("quick 0")])


def test_a_run_is_shown_once_it_has_begun_and_a_list_that_stays_keeps_the_focus(page: Page) -> None:
    """And what was said against starting it goes when it is started again."""
    runs = [run_called("older", is_running=False)]
    asked: list[str] = []

    def answer(route: Route) -> None:
        status, said = 200, runs
        if route.request.method == "POST":
            asked.append(route.request.url)
            status = 422 if len(asked) == 1 else 200
            said = {"error": {"what": "a run goes on already"}} if status == 422 else {}
            if status == 200:
                runs.insert(0, run_called("mine", is_running=True))
        elif not route.request.url.endswith("/runs"):
            is_running = "/mine/" in route.request.url
            said = {"is_running": is_running, "curves": {}, "pieces": [], "log": []}
        route.fulfill(status=status, body=json.dumps(said), content_type="application/json")

    page.route(re.compile("/api/v1/runs"), answer)
    page.goto("/runs")
    older = page.get_by_role("button", name="older")
    expect(older).to_have_attribute("aria-current", "true")
    older.focus()
    for _ in range(2):
        page.wait_for_event("response", lambda one: one.url.endswith("/api/v1/runs"))
    expect(older).to_be_focused()

    start, refused = page.get_by_role("button", name="Start"), page.locator(".notice.bad")
    page.get_by_label("Name").fill("mine")
    start.click()
    expect(refused).to_contain_text("a run goes on already")
    start.click()
    expect(refused).to_have_count(0)
    expect(page.locator("#run-title")).to_have_text("mine, 2026-11-30 10-00-00")
    expect(page.get_by_role("button", name="mine")).to_have_attribute("aria-current", "true")
    expect(page.locator("#stop-run")).to_be_visible()


def run_called(name: str, *, is_running: bool) -> dict:
    """A run as the interface lists it."""
    return {"name": name, "when": "2026-11-30_10-00-00", "is_running": is_running,
            "checkpoints": [], "said": ""}  # fmt: skip
