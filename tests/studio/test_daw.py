"""The door for REAPER: its Lua runs, its requests go to a real server by curl, REAPER is a stub."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desks import TOKEN, served
from gen.piece import Note
from gen.smf import parse
from gen.studio.desk import Desk
from gen.studio.session import StudioSession, announced, session_file
from thorough import examples

lupa = pytest.importorskip("lupa.lua54")

DAW = Path(__file__).parents[2] / "scripts" / "daw"
BAR = 4  # quarters


@pytest.fixture(scope="module")
def lua():
    return lupa.LuaRuntime(encoding=None)


@pytest.fixture(scope="module")
def library(lua):
    return lua.execute(f"return dofile([[{DAW / 'studio.lua'}]])".encode())


def table_of(lua, value):
    """A value of Python's as one of Lua's."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return lua.table(*(table_of(lua, item) for item in value))
    if isinstance(value, dict):
        return lua.table_from({k.encode(): table_of(lua, v) for k, v in value.items()})
    return value


def plain(value):
    """The other way round; a table with a first element is a list."""
    if isinstance(value, bytes):
        return value.decode()
    if lupa.lua_type(value) != "table":
        return value
    pairs = {plain(key): plain(item) for key, item in value.items()}
    return [pairs[index] for index in sorted(pairs)] if not pairs or 1 in pairs else pairs


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats(allow_nan=False,
    allow_infinity=False, allow_subnormal=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner, min_size=1),
    max_leaves=20,
)  # fmt: skip


@examples(200)
@given(VALUES)
def test_json_is_read_and_written_as_pythons_is(lua, library, value) -> None:
    said = json.loads(library[b"encode"](table_of(lua, value)))
    assert said == value
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode()
        assert plain(library[b"decode"](text)) == value


@pytest.mark.parametrize("text", ["{", "[1,", '"a', "1 2", "{1:2}", "tru", "", '"\\x"', "[1 2]"])
def test_what_is_no_json_is_an_error(library, text) -> None:
    with pytest.raises(lupa.LuaError, match="no JSON"):
        library[b"decode"](text.encode())


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_base64_is_as_pythons(library, data) -> None:
    assert library[b"base64"](data) == base64.b64encode(data)


NOTES = st.lists(
    st.tuples(st.integers(0, 20), st.just(240), st.integers(30, 90), st.integers(1, 127)),
    min_size=1, max_size=20, unique_by=lambda note: (note[0], note[2]),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(NOTES, st.integers(0, 127)), min_size=1, max_size=6), st.booleans())
def test_a_score_becomes_the_midi_file_that_it_says(lua, library, tracks, has_drums) -> None:
    score = {
        "ticks_per_quarter": 960, "tempos": [[0, 500_000], [3840, 400_000]],
        "meters": [[0, 3, 4], [2880, 6, 8]],
        "tracks": [{"name": f"Track {n}", "drums": has_drums and n == 0, "program": program,
                    "notes": [[on * 480, dur, pitch, vel] for on, dur, pitch, vel in notes]}
                   for n, (notes, program) in enumerate(tracks)],
    }  # fmt: skip
    piece = parse(library[b"midi"](table_of(lua, score)))
    assert piece.ticks_per_quarter == 960
    assert [(t.onset_ticks, t.microseconds_per_quarter) for t in piece.tempos] == [
        (0, 500_000), (3840, 400_000)]  # fmt: skip
    assert [(s.numerator, s.denominator) for s in piece.time_signatures] == [(3, 4), (6, 8)]
    found = [track for track in piece.tracks if track.notes]
    assert len(found) == len(tracks)
    for track, said in zip(found, score["tracks"], strict=True):
        assert (track.name, track.is_drum) == (said["name"], said["drums"])
        assert track.is_drum or track.program == said["program"]
        assert track.notes == sorted(Note(*note) for note in said["notes"])


@pytest.mark.parametrize("system", ["OSX64", "macOS-arm64", "Win64", "Other"])
def test_the_studio_is_looked_for_where_it_says_that_it_is(library, system, monkeypatch):
    monkeypatch.delenv("HOUSE_STUDIO", raising=False)
    here = {"Other": "linux", "Win64": "win32"}.get(system, "darwin")
    if here == "win32":
        lua = lupa.LuaRuntime(encoding=None)
        library = lua.execute(f"return dofile([[{DAW / 'studio.lua'}]])".encode())
        lua.execute(b"os.getenv = function(name) return name == 'LOCALAPPDATA' and 'L:' end")
        found = library[b"session_path"](system.encode()).decode()
        assert found == r"L:\music-house\studio.json"
        return
    found = library[b"session_path"](system.encode()).decode()
    if here == sys.platform:
        assert found == str(session_file())
    assert found.endswith("/music-house/studio.json")


# -- the script --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(writing_desk: Desk) -> Iterator[str]:
    if shutil.which("curl") is None:
        pytest.skip("no curl is installed")
    with served(writing_desk) as found:
        yield found


@pytest.fixture
def project(address: str, tmp_path: Path, monkeypatch) -> Iterator:
    """An open project: a melody, a bass and drums over eight bars; an open studio."""
    monkeypatch.setenv("HOUSE_STUDIO", str(tmp_path / "state" / "studio.json"))
    lua = lupa.LuaRuntime(encoding=None)
    made = lua.execute(f"return dofile([[{Path(__file__).with_name('reaper.lua')}]])".encode())
    made[b"script"] = str(DAW / "studio_reaper.lua").encode()
    commands: list[str] = []

    def execute(command: bytes) -> bytes:
        commands.append(command.decode())
        done = subprocess.run(shlex.split(command.decode()), capture_output=True)
        return done.stdout

    made[b"execute"] = execute
    made[b"pause"] = lambda: time.sleep(0.02)
    for name, pitch, channel in ((b"Flute", 72, 0), (b"Bass", 40, 1), (b"Drums", 38, 9)):
        track = made[b"add_track"](name)
        notes = [[beat, 0.5, pitch + beat % 5, 80, channel] for beat in range(8 * BAR)]
        made[b"add_item"](track, 0, 8 * BAR, table_of(lua, notes))
    with announced(StudioSession(address, TOKEN)):
        yield made
    assert not any(TOKEN in command for command in commands), "the token was on a command line"
    assert list((tmp_path / "state").iterdir()) == [], "a request was left lying"


def item(project, track: int, number: int = 1):
    return project[b"tracks"][track][b"items"][number]


def notes(take) -> list[tuple]:
    return sorted(tuple(note.values()) for note in take[b"notes"].values())


def do(project, answers: str) -> list[str]:
    """Run the script with these answers; what it complained of."""
    project[b"answers"] = answers.encode()
    project[b"run"]()
    assert project[b"open_blocks"] == 0
    return [text.decode() for text in project[b"messages"].values()]


def test_selected_items_are_rewritten_on_new_takes_in_one_step(project) -> None:
    before = [notes(item(project, n)[b"takes"][1]) for n in (1, 2, 3)]
    bass = item(project, 2)
    project[b"selected"][1] = bass
    project[b"time_range"][2] = 4 * BAR / 2  # seconds: four bars of the eight are sent
    assert do(project, "rewrite,2,8,") == []
    assert list(project[b"undo"].values()) == [b"Studio: rewrite"]
    assert len(bass[b"takes"]) == 3
    first, *new = (notes(take) for take in bass[b"takes"].values())
    assert first == before[1], "what was there is on its own take"
    for found in new:
        assert [n for n in found if n[0] >= 4 * BAR * 960] == [
            n for n in first if n[0] >= 4 * BAR * 960
        ], "what was not sent stays"
        assert any(n not in first for n in found)
    assert [notes(item(project, n)[b"takes"][1]) for n in (1, 3)] == [before[0], before[2]]
    (selected,) = project[b"selected"].values()
    assert len(selected[b"takes"]) == 3, "what was selected is so again"


def test_music_goes_on_in_new_items_behind(project) -> None:
    project[b"time_range"][2] = 8 * BAR / 2
    assert do(project, "continue,2,4,") == []
    assert len(project[b"undo"]) == 1
    made = [item(project, n, 2) for n in (1, 2, 3)]
    for new in made:
        assert (new[b"from"], new[b"length"], len(new[b"takes"])) == (16, 8, 2)
    takes = [take for new in made for take in new[b"takes"].values()]
    assert any(notes(take) for take in takes)
    for take in takes:
        assert all(0 <= note[0] < 4 * BAR * 960 for note in notes(take))


def test_an_instrument_is_added_on_a_track_of_its_own(project) -> None:
    project[b"time_range"][2] = 8 * BAR / 2
    assert do(project, "add,1,8,violin") == []
    added = project[b"tracks"][4]
    assert b"iolin" in added[b"name"]
    (new,) = added[b"items"].values()
    (take,) = new[b"takes"].values()
    assert notes(take)
    assert list(take[b"ccs"][1].values()) == [0xC0, 0, 40]


def test_bars_are_written_from_nothing_at_the_cursor(project) -> None:
    project[b"cursor"] = 16.0  # the ninth bar
    assert do(project, "generate,1,4,") == []
    made = list(project[b"tracks"].values())[3:]
    assert made
    for track in made:
        (new,) = track[b"items"].values()
        assert (new[b"from"], new[b"length"]) == (16, 8)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("rewrite,2,8,", "select items, or a time range"),
        ("sing,1,1,", "what?"),
        ("add,1,8,theremin of doom", "theremin"),
        ("rewrite,9,8,", "less than or equal to 4"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(project, answers, said) -> None:
    if "select" not in said:
        project[b"time_range"][2] = 8 * BAR / 2
        project[b"selected"][1] = item(project, 1)
    (text,) = do(project, answers)
    assert said in text
    assert len(project[b"undo"]) == 0
    assert len(item(project, 1)[b"takes"]) == 1


def test_without_a_studio_the_script_says_how_to_start_one(project) -> None:
    path = session_file()
    kept = path.read_bytes()
    path.unlink()
    (text,) = do(project, "rewrite,1,8,")
    path.write_bytes(kept)
    assert "no studio is open" in text
