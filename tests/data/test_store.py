"""Works on disk come back as they were, and hold no memory."""

from __future__ import annotations

import numpy as np
import pytest

from gen.data.store import EventStore, rows_with_echoes
from gen.data.styles import with_style
from gen.data.windows import TokenisedWork
from gen.tokens.echo import echoes
from music import Theme

WORKS = [Theme(seed, bars=4 + seed).events() for seed in range(5)]


@pytest.fixture
def store(tmp_path):
    filled = EventStore(tmp_path / "new" / "folder")
    with filled:
        for events in WORKS:
            filled.append(rows_with_echoes(events))
    return filled


def same(one: TokenisedWork, other: TokenisedWork) -> bool:
    arrays = ("events", "bar_rows", "echo", "means")
    return one.notes == other.notes and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "means")
        for name in arrays
    )


def test_what_is_stored_comes_back(store):
    assert len(store) == len(WORKS)
    assert store.lengths == [len(events) for events in WORKS]
    assert all(
        same(work, TokenisedWork.of(events)) for work, events in zip(store, WORKS, strict=True)
    )


def test_some_in_another_order_with_styles_in_their_headers(store):
    chosen = store.chosen([3, 1], [None, 2])
    assert same(chosen[0], TokenisedWork.of(WORKS[3]))
    styled = with_style(WORKS[1], 2)
    assert same(chosen[1], TokenisedWork.of(styled))
    assert chosen.lengths == [len(WORKS[3]), len(styled)]
    assert store.lengths == [len(events) for events in WORKS]  # as it was
    assert same(chosen.chosen([1])[0], TokenisedWork.of(styled))


def test_what_is_read_is_the_file_not_a_copy(store):
    events = store[0].events.array
    while isinstance(events.base, np.ndarray):
        events = events.base
    assert isinstance(events, np.memmap)
    assert not events.flags.writeable


def test_no_file_is_left_and_a_folder_that_cannot_be_made_is_no_loss(store, tmp_path):
    assert not list((tmp_path / "new" / "folder").iterdir())
    (tmp_path / "file").write_text("", encoding="ascii")
    with EventStore(tmp_path / "file" / "below") as elsewhere:
        elsewhere.append(rows_with_echoes(WORKS[0]))
    assert same(elsewhere[0], TokenisedWork.of(WORKS[0]))


def test_an_empty_store_can_be_read(tmp_path):
    with EventStore(tmp_path) as store:
        pass
    assert list(store) == store.lengths == []


@pytest.mark.parametrize("events", WORKS)
def test_what_annotations_tell_is_not_heard_again(events):
    """So the bare work's echoes are those of its rows in the whole one."""
    work = TokenisedWork.of(events).bare()
    assert len(work.events) < len(events)
    assert np.array_equal(work.echo, echoes(work.events))
