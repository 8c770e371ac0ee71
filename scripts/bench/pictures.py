"""The studio's rooms as pictures, so that those of the readme never grow old.

A house is made in a temporary folder: works of the starter house under other titles are contributed
to it and accepted by the studio's own interface. Create writes with the shipped model. Each room is
shown light, 1280 wide; with --all also dark, and 820 wide, to be looked at.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.studio import HEIGHT, PASSPHRASE, ROOMS, goto, house_for, launched, opened, shown

TITLES = ("A room with rain", "Low tide", "North window", "Paper lanterns", "Quiet engines",
          "Second wind", "Harbour lights", "Salt and cedar")  # fmt: skip
ENTERED = 6
"""So many are accepted; the others wait."""
SHOWN = ("create", "contribute", "curate", "house")
"""Of the readme."""
WIDTHS = {1280: "", 820: "-tablet"}
SEED = 12
BELOW_THE_BAR = "(node) => scrollTo(0, node.getBoundingClientRect().top + scrollY - 90)"
DRAWN = "() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))"
ASK = """async ([path, body]) => {
  const answer = await fetch(`/api/v1${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}"""  # noqa: E501


def arguments(parser: Any) -> None:
    """Where the pictures go, and which."""
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), metavar="DIR")
    parser.add_argument("--all", action="store_true", help="every room, dark and narrow too")


def run(args: Any) -> dict[str, Any]:
    """Take them.

    Returns:
        `pictures`: where they are.
    """
    from playwright.sync_api import sync_playwright

    args.out.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, browser = Path(name), launched(playwright)
        with opened(folder, []) as (address, _, _):
            page = shown(browser, address, 1280)
            goto(page, "create")
            _written(page)
            taken += _pictures(page, "create", args)
        with opened(folder, house_for(folder, 0)) as (address, _, _):
            page = shown(browser, address, 1280)
            _filled(page)
            for room in ROOMS[1:]:
                if args.all or room in SHOWN:
                    goto(page, room)
                    _PREPARED.get(room, lambda page: None)(page)
                    taken += _pictures(page, room, args)
        browser.close()
    return {"pictures": [{"file": str(path)} for path in taken]}


def _pictures(page: Any, room: str, args: Any) -> Iterator[Path]:
    """A room as it stands; with `--all` by both schemes and both widths."""
    schemes = {"light": "", "dark": "-dark"} if args.all else {"light": ""}
    widths = WIDTHS if args.all else {1280: ""}
    for width, narrow in widths.items():
        for scheme, dark in schemes.items():
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.emulate_media(color_scheme=scheme)
            page.evaluate(DRAWN)
            path = args.out / f"studio-{room}{narrow}{dark}.png"
            page.screenshot(path=path)
            yield path


def _written(page: Any) -> None:
    """A piece with variations, three cells of its second track chosen, in the middle of playing."""
    page.locator("[name=genre]").select_option("jazz_swing")
    page.locator("[name=seed]").fill(str(SEED))
    page.locator("[name=n]").fill("3")
    page.get_by_role("button", name="Write", exact=True).click()
    page.get_by_text("Done in").wait_for()
    page.get_by_role("button", name="Keep").first.click()
    page.locator("#cell-actions").wait_for()
    for bar in (5, 6, 7):
        page.locator(f'[data-place="{bar},1"]').click()
    page.evaluate("() => window.scrollTo(0, 0)")


def _filled(page: Any) -> None:
    """Works that are in the house and others that wait, and a complaint that was answered."""
    goto(page, "contribute")
    for person in ("ana", "cleo"):
        page.evaluate(ASK, ["/keys/unlock", {"person": person, "passphrase": PASSPHRASE}])
    files = list(_files())
    done = page.evaluate(ASK, ["/contribute/many", {"composer": "ana", "files": files}])
    works = [one["work"] for one in done]
    assert all(works), done  # noqa: S101 - of music that the project ships
    for work in works[:ENTERED]:
        page.evaluate(ASK, [f"/inbox/{work}/accept", {"curator": "cleo", "although_similar": True}])
    text = "The first four bars sound like one of ours."
    asked = {"person": "cleo", "who": "Harbour Songs Ltd", "text": text, "about": works[1:2]}
    act = page.evaluate(ASK, ["/complaints", asked])[0]["act"]
    answer = {"curator": "cleo", "text": "Compared: no passage of four notes in common."}
    page.evaluate(ASK, [f"/complaints/{act}/answer", answer])


def _files(titles: Sequence[str] = TITLES, skip: int = 0) -> Iterator[dict[str, Any]]:
    """Works of the starter house, a genre each, as they are contributed."""
    from gen.places import of_project
    from gen.provenance.desk.works import kept_work
    from gen.provenance.houses.house import House
    from gen.provenance.records.pin import load_pin

    house = House(load_pin(of_project(Path("conf/house/starter.yaml"))))
    left, genres = iter(titles), set[str]()
    for record in house.load().works.values():
        tagged = kept_work(house, record)
        words = tagged.statement.description
        if words.genre in genres:
            continue
        genres.add(words.genre)
        if len(genres) <= skip:
            continue
        if (title := next(left, None)) is None:
            return
        stated = {"title": title, "method": "programmed", "genre": words.genre,
                  "consent": "general_model evaluation"}  # fmt: skip
        midi = base64.b64encode(tagged.music).decode()
        yield {"name": f"{title}.mid", "midi": midi, "stated": stated}


def _contributing(page: Any) -> None:
    """A file that was dropped, as the house reads it: of a genre that is not in the house yet."""
    one = next(_files(("Evening train",), skip=len(TITLES)))
    midi = base64.b64decode(one["midi"])
    file = {"name": "Evening train.mid", "mimeType": "audio/midi", "buffer": midi}
    page.locator("#files").set_input_files([file])
    page.get_by_text("1 of 1 read").wait_for()
    page.evaluate("() => window.scrollTo(0, 0)")


def _looking(page: Any) -> None:
    page.get_by_role("button", name="Low tide").first.click()
    page.get_by_role("heading", name="Low tide").wait_for()
    page.get_by_role("heading", name="Works", exact=True).evaluate(BELOW_THE_BAR)


_PREPARED = {"contribute": _contributing, "house": _looking}
