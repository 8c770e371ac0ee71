"""Works become the same rows, however many processes make them."""

from __future__ import annotations

import hashlib
import multiprocessing
from unittest.mock import patch

import numpy as np
import pytest

from gen import processes
from gen.data import tokenising
from gen.data.cache import EventCache
from gen.data.store import EventStore, rows_with_echoes
from gen.data.tokenising import Music, Tokenising, Tools
from gen.errors import HouseError
from gen.piece import Piece, Track
from gen.smf import write
from gen.tokens.encoding import Annotations
from gen.tokens.score import score_of
from gen.tokens.tokenizer import HouseTokenizer
from houses import make_piece

pytestmark = pytest.mark.usefixtures("quick_helpers")
NOTES = Annotations("waltz")
WORKS = [make_piece(seed) for seed in range(14)]


def music(piece: Piece) -> Music:
    return Music(hashlib.sha256(write(piece)).hexdigest(), score_of(piece), NOTES)


@pytest.fixture
def tools(tmp_path):
    return Tools(HouseTokenizer(), EventCache(tmp_path / "cache", b"s" * 32))


@pytest.fixture(params=["alone", "side by side"])
def helpers(request, monkeypatch):
    monkeypatch.setattr(tokenising, "MANY", 3)
    monkeypatch.setattr(tokenising, "_AHEAD", 2)
    monkeypatch.setattr(processes, "cores", lambda: 1 if request.param == "alone" else 3)
    return request.param


def stored(tools, folder, works):
    """The store, and the names of its works."""
    store = EventStore(folder)
    with store, Tokenising[int](store, tools) as line:
        for number, piece in enumerate(works):
            line.take(number, f"{number}.mid", music(piece))
    return store, line.names


def test_every_work_is_stored_with_its_name(helpers, tools, tmp_path):
    with patch.object(EventCache, "put", autospec=True, side_effect=EventCache.put) as kept_here:
        store, names = stored(tools, tmp_path, WORKS)
    assert sorted(names) == list(range(len(WORKS)))
    for work, number in zip(store, names, strict=True):
        expected = rows_with_echoes(tools.tokenizer.events(WORKS[number], NOTES))
        assert np.array_equal(np.concatenate([work.events, work.echo], axis=1), expected)
    # Processes that help keep what they made, as this one does.
    assert sum(path.is_file() for path in (tmp_path / "cache").rglob("*")) == len(WORKS)
    assert (kept_here.call_count < len(WORKS)) == (helpers == "side by side")


def test_works_that_were_kept_are_the_same_rows_and_start_no_process(helpers, tools, tmp_path):
    first, names = stored(tools, tmp_path, WORKS)
    again = EventStore(tmp_path)
    with again, Tokenising[int](again, tools) as line:
        for number, piece in enumerate(WORKS):
            assert line.take_kept(number, music(piece).sha256, NOTES)
            assert not multiprocessing.active_children()
    assert line.names == list(range(len(WORKS)))
    for number, work in zip(names, first, strict=True):
        assert np.array_equal(work.events.array, again[number].events.array)
        assert np.array_equal(work.echo, again[number].echo)
    assert [events.array.tobytes() for events in again.all_events()] == [
        work.events.array.tobytes() for work in again
    ]


def test_a_work_that_cannot_be_written_as_events_is_named(helpers, tools, tmp_path):
    silent = Piece(480, [Track()])
    with pytest.raises(HouseError, match=r"^14\.mid: no track holds a note"):
        stored(tools, tmp_path, [*WORKS, silent])


def test_what_goes_wrong_between_two_works_ends_the_processes(helpers, tools, tmp_path):
    def interrupted():
        yield from WORKS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored(tools, tmp_path, interrupted())
    assert not multiprocessing.active_children()


def test_a_process_that_is_ended_from_outside_loses_no_work(monkeypatch, tools, tmp_path):
    monkeypatch.setattr(tokenising, "MANY", 3)
    monkeypatch.setattr(processes, "cores", lambda: 3)

    def works():
        for number, piece in enumerate(WORKS):
            if number == 8:
                for helper in multiprocessing.active_children():
                    helper.kill()
                    helper.join()
            yield piece

    _, names = stored(tools, tmp_path, works())
    assert sorted(names) == list(range(len(WORKS)))
