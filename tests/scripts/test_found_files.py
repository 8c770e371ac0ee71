"""Files of a watched folder are taken when they are whole, and each state of them once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gen.cli.found_files import arrivals


class Stop(Exception):
    """No more looks."""


def taken(folder: Path, *between: Callable[[], object]) -> Iterator[str]:
    """Names of the files that arrive while this happens, one thing before each look."""
    steps = iter(between)

    def wait(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise Stop
        step()

    try:
        for path in arrivals(folder, wait):
            yield path.name
    except Stop:
        return


def nothing() -> None:
    """Time passes."""


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Callable[[], object]]:
    def later(name: str, data: bytes, when: int = 1) -> Callable[[], object]:
        def do() -> None:
            (tmp_path / name).write_bytes(data)
            os.utime(tmp_path / name, ns=(when, when))

        return do

    return later


def test_a_file_that_grows_is_waited_for(tmp_path: Path, put) -> None:
    steps = [put("a.mid", b"M"), put("a.mid", b"MT"), put("a.mid", b"MTh"), nothing, nothing]
    assert list(taken(tmp_path, *steps)) == ["a.mid"]


def test_what_was_there_is_left_until_it_changes(tmp_path: Path, put) -> None:
    put("a.mid", b"MThd")()
    assert list(taken(tmp_path, nothing, nothing)) == []
    assert list(taken(tmp_path, put("a.mid", b"MTrk", 2), nothing, nothing)) == ["a.mid"]


def test_a_file_that_is_deleted_and_exported_again_is_new(tmp_path: Path, put) -> None:
    first = put("a.mid", b"MThd")
    steps = [first, nothing, (tmp_path / "a.mid").unlink, first, nothing, nothing]
    assert list(taken(tmp_path, *steps)) == ["a.mid", "a.mid"]


def test_empty_files_other_files_and_folders_are_no_music(tmp_path: Path, put) -> None:
    steps = [put("a.mid", b""), put("b.wav", b"RIFF"), put("._c.mid", b"x"),
             (tmp_path / "d.mid").mkdir, nothing, nothing]  # fmt: skip
    assert list(taken(tmp_path, *steps)) == []
