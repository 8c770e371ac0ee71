"""What people wait for in the studio: a real server, and Chromium that is driven like a hand.

A house of synthetic works is made in a temporary folder, with files to contribute; music is
written with the model that `sample.py` takes by default, in the project's own house. Seconds are by
the clock, so that they say most on a machine that does nothing else. Clicks are those that the
studio asks for when a key is open and the browser is at the room; choosing from a list is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.provenance import _piece, make_house

ROOMS = ("create", "contribute", "mine", "curate", "house", "runs")
PASSPHRASE = "a passphrase of a benchmark"  # noqa: S105 - of a house that is thrown away
HEIGHT = 900
PATIENCE_MS = 600_000
GIVEN = ("Rewrite them", "Add a track", "Continue", "Vary it")
Spent = Callable[[], float]
STUDIO = Path(__file__).parents[1] / "studio.py"
FIRST_SOUND = """
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when = 0, ...more) {
  if (!window.sounds_at && this.buffer && this.buffer.getChannelData(0).some((value) => Math.abs(value) > 1e-3))
    window.sounds_at = performance.now() + Math.max(0, when - this.context.currentTime) * 1000;
  return start.call(this, when, ...more);
};
"""  # noqa: E501
LONGEST = """() => {
  window.longest = 0;
  const look = (list) => list.getEntries().forEach((one) => (window.longest = Math.max(window.longest, one.duration)));
  new PerformanceObserver(look).observe({ type: "longtask" });
}"""  # noqa: E501
"""How long the page answered to nothing, at most, in milliseconds; under 50 it counts as 0."""
SCROLL = """(node) => new Promise((done) => {
  const step = () => {
    node.scrollTop += 300;
    if (node.scrollTop + node.clientHeight < node.scrollHeight - 1) requestAnimationFrame(step);
    else done();
  };
  step();
})"""


def arguments(parser: Any) -> None:
    """How large the house is, how many files are contributed at once, how often music is asked."""
    parser.add_argument("--works", type=int, default=2_000, help="works of the house")
    parser.add_argument("--files", type=int, default=200, help="files in one table")
    parser.add_argument("--times", type=int, default=5, help="pieces that are asked for")


def run(args: Any) -> dict[str, Any]:
    """Measure the studio's pages, its sound, and the way of a work.

    Returns:
        seconds of the first start on a computer, whose cache is empty (`piece`: from pressing the
        button until the piece is compared and kept); else to start, until the model is read, to the
        first sound of each piece and of what is made of one; pages (bytes, requests, seconds to
        rest); and of the way from a file to the house: seconds, processor seconds of the server,
        and clicks.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = launched(playwright)
        first = _first_time(browser, folder)
        with opened(folder, []) as (address, seconds, _):
            page = shown(browser, address)
            read = _model_read(page)
            sounds = [_first_sound(page) for _ in range(args.times)]
            given = {verb: _first_sound(page, verb) for verb in GIVEN}
        house = house_for(folder, args.works)
        with opened(folder, house) as (address, _, spent):
            page = shown(browser, address)
            found = {
                "pages": [_weight(browser, address, room) for room in ROOMS],
                "finding": _finding(page),
                "way": [_contributed(page, folder, spent),
                        *_many(page, folder, args.files, spent), _accepted(page, spent)],
            }  # fmt: skip
        browser.close()
    return {
        "works": args.works, "first_time": first, "start_seconds": seconds,
        "model_read_seconds": read, "first_sound_seconds": sounds, "first_sound_of_given": given,
        **found,
    }  # fmt: skip


def launched(playwright: Any) -> Any:
    """Debian's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    return playwright.chromium.launch(executable_path=chromium, args=options)


def house_for(folder: Path, works: int) -> list[str]:
    """A house, and its people's keys in the key folder; the options that name it."""
    from gen.provenance.signing.key_files import save_key
    from gen.provenance.signing.keys import PrivateKey

    os.environ["HOUSE_KEYS"] = str(folder / "keys")
    keys = [PrivateKey.generate() for _ in range(3)]
    made, _ = make_house(folder / "house", works, keys)
    for key, person in zip(keys[1:], ("ana", "cleo"), strict=True):
        save_key(key, house="bench", owner=person, passphrase=PASSPHRASE)
    pin = folder / "pin.yaml"
    replace(made.pin, path=pin).save()
    return ["--house", str(folder / "house"), "--pin", str(pin)]


@contextmanager
def opened(
    folder: Path, options: list[str], **variables: str
) -> Iterator[tuple[str, float, Spent]]:
    """A studio's address with its token, the seconds until a page was answered, and its cost."""
    environment = {**os.environ, **variables, "HOUSE_STUDIO": str(folder / "studio.json")}
    words = ["--no-browser", "--port", "0", "--out", str(folder / "pieces"), *options]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(STUDIO), *words], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe
        address = process.stdout.readline().split()[-1]
        _wait_for(folder / "studio.json")
        yield address, time.perf_counter() - begin, partial(_spent, process.pid)
    finally:
        process.terminate()
        process.wait()


def _spent(pid: int) -> float:
    """Processor seconds of a process and of the children that it has waited for; Linux's alone."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.is_file():
        return float("nan")
    ticks = stat.read_text("utf-8").rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _wait_for(session: Path) -> None:
    while not (session.is_file() and session.read_text("utf-8").endswith("}")):
        time.sleep(0.01)


def shown(browser: Any, address: str, width: int = 1360) -> Any:
    """A page of its own at an address, at rest."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(FIRST_SOUND)
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return page


def goto(page: Any, room: str) -> None:
    """Open a room, and wait until it is at rest."""
    page.goto(page.url.rsplit("/", 1)[0] + f"/{room}")
    page.wait_for_load_state("networkidle")


def _model_read(page: Any) -> float:
    """Seconds that a page is open before the studio says that the model is read."""
    begin = time.perf_counter()
    asked = "fetch('/api/v1/readiness').then((one) => one.json())"
    page.wait_for_function(f"() => {asked}.then((one) => one.state === 'ready')")
    return time.perf_counter() - begin


def _first_time(browser: Any, folder: Path) -> dict[str, float]:
    """The same where nothing was kept: works to compare with are read beside the writing."""
    with opened(folder, [], HOUSE_CACHE=str(folder / "nothing kept")) as (address, start, _):
        page = shown(browser, address)
        read, begin = _model_read(page), time.perf_counter()
        sound = _first_sound(page)
        piece = time.perf_counter() - begin
        page.context.close()
    return {"start": start, "model_read": read, "first_sound": sound, "piece": piece}


def _first_sound(page: Any, button: str = "Write") -> float:
    """Seconds from pressing a button to the first sample that is not silent.

    Of 16 new bars, or of what is made of the piece that stands, with the studio's own settings
    but for one variation in place of four.
    """
    goto(page, "create")
    page.locator("[name=n]").fill("1")
    if button in GIVEN:
        page.locator("#cell-actions").wait_for()
        page.get_by_role("button", name="Select all").click()
    pressed = page.evaluate("() => { by = performance.now(); window.sounds_at = 0; return by; }")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_function("() => window.sounds_at")
    seconds = (page.evaluate("() => window.sounds_at") - pressed) / 1000
    page.get_by_text("Done in").wait_for()
    return float(seconds)


def _weight(browser: Any, address: str, room: str) -> dict[str, Any]:
    """What a room sends to an empty cache, and when it is at rest."""
    page = shown(browser, address)
    answers: list[Any] = []
    page.on("requestfinished", lambda request: answers.append(request))
    begin = time.perf_counter()
    goto(page, room)
    seconds = time.perf_counter() - begin - 0.5  # half a second of silence is what rest means
    sizes = [request.sizes() for request in answers]
    page.context.close()
    return {
        "room": room,
        "requests": len(sizes),
        "kilobytes": sum(size["responseBodySize"] for size in sizes) / 1000,
        "seconds_to_rest": seconds,
    }


def _finding(page: Any) -> dict[str, float]:
    """Seconds until works are listed, by words and, for the first time and again, by genre."""
    goto(page, "house")
    found = {}
    for name, query in (("page", ""), ("words", "text=study 7"), ("genre", "genre=waltz"),
                        ("genre again", "genre=waltz&first=50")):  # fmt: skip
        begin = time.perf_counter()
        page.evaluate("(query) => fetch(`/api/v1/works?${query}`).then((one) => one.json())", query)
        found[name] = time.perf_counter() - begin
    return found


def open_key(page: Any, person: str) -> None:
    """Open the key of somebody whom `house_for` made."""
    page.locator("#keys-button").click()
    page.get_by_label(f"Passphrase of {person}").fill(PASSPHRASE)
    page.get_by_label(f"Passphrase of {person}").press("Enter")
    page.get_by_text(f"The key of {person} is open.").wait_for()
    page.locator("#close-keys").click()


def _files(folder: Path, first: int, count: int) -> list[str]:
    from gen.smf import write

    folder.mkdir(exist_ok=True)
    paths = [folder / f"sketch {number}.mid" for number in range(first, first + count)]
    for number, path in enumerate(paths, first):
        path.write_bytes(write(_piece(number)))
    return [str(path) for path in paths]


def _state(page: Any) -> int:
    """What has to be stated; the clicks that it takes."""
    page.get_by_label("How it was made").select_option("programmed")
    page.get_by_label("the house's model").check()
    page.get_by_label("Nothing in this work").check()
    page.get_by_label("No generative model").check()
    return 4


def _contributed(page: Any, folder: Path, spent: Spent) -> dict[str, Any]:
    """From a dropped file to a signed work."""
    goto(page, "contribute")
    open_key(page, "ana")
    files = _files(folder / "files", 1_000_000, 1)
    begin, before = time.perf_counter(), spent()
    page.locator("#files").set_input_files(files)
    page.get_by_text("1 of 1 read").wait_for()
    read = time.perf_counter() - begin
    clicks = _state(page) + 1
    page.get_by_role("button", name="Sign and contribute").click()
    page.get_by_text("is signed, and waits").wait_for()
    seconds = time.perf_counter() - begin
    return {
        "way": "a file to a signed work", "clicks": clicks, "read": read, "seconds": seconds,
        "processor": spent() - before,
    }  # fmt: skip


def _many(page: Any, folder: Path, count: int, spent: Spent) -> list[dict[str, Any]]:
    """A table of files, typed in, reloaded, filled down, signed once."""
    if not count:
        return []
    goto(page, "contribute")
    files = _files(folder / "many", 2_000_000, count)
    begin, before = time.perf_counter(), spent()
    page.locator("#files").set_input_files(files)
    page.get_by_text(f"{count} of {count} read").wait_for()
    read = time.perf_counter() - begin
    touched = _touched(page)
    begun = time.perf_counter()
    page.reload()
    page.get_by_text(f"{count} of {count} read").wait_for()
    reloaded = time.perf_counter() - begun
    begin = time.perf_counter() - read
    clicks = _state(page) + 2
    page.get_by_role("button", name="Same genre, mood").click()
    page.get_by_role("button", name="Sign all that are ready").click()
    page.get_by_text(f"of {count} files are signed").wait_for()
    seconds = time.perf_counter() - begin
    way = f"{count} files to signed works"
    cost = spent() - before
    return [{
        "way": way, "clicks": clicks, "read": read, "seconds": seconds, "processor": cost,
        "longest_task_ms": touched, "seconds_to_reload": reloaded,
    }]  # fmt: skip


def _touched(page: Any) -> dict[str, float]:
    """The longest that the page was busy while somebody typed, and while the table was scrolled."""
    page.evaluate(LONGEST)
    page.get_by_label("Title").press_sequentially("a title of some letters")
    typing = page.evaluate("() => window.longest")
    page.evaluate("() => { window.longest = 0; }")
    page.locator("#table-part .scroll").evaluate(SCROLL)
    return {"typing": typing, "scrolling": page.evaluate("() => window.longest")}


def _accepted(page: Any, spent: Spent) -> dict[str, Any]:
    """From the inbox to an accepted work."""
    page.goto(page.url.rsplit("/", 1)[0] + "/curate")
    open_key(page, "cleo")
    begin, before = time.perf_counter(), spent()
    goto(page, "curate")
    page.locator("#queue button").first.wait_for()
    read = time.perf_counter() - begin
    page.locator("#accept").click()
    page.get_by_text("is in the house").wait_for()
    seconds = time.perf_counter() - begin
    return {
        "way": "the inbox to an accepted work", "clicks": 1, "read": read, "seconds": seconds,
        "processor": spent() - before,
    }  # fmt: skip
