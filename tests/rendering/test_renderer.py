"""Pieces are rendered the same, whether by this process or by others."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress

import pytest

from gen import processes
from gen.errors import HouseError
from gen.piece import Piece
from gen.rendering import Renderer
from houses import make_piece

pytestmark = pytest.mark.usefixtures("quick_helpers")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What is to be there of two pieces: bytes by piece and kind."""
    folder = tmp_path_factory.mktemp("expected")
    places = [folder / f"{number}.mid" for number in range(2)]
    with pytest.MonkeyPatch.context() as patch, Renderer(2) as renderer:
        patch.setattr(processes, "cores", lambda: 1)
        for number, place in enumerate(places):
            renderer.begin(make_piece(number), place)
        return [bytes_of(renderer.of(place)) for place in places]


def bytes_of(files):
    return [path.read_bytes() for path in paths_of(files)]


def paths_of(files):
    return files.picture, files.score, files.sound


@pytest.mark.parametrize(("cores", "pieces"), [(1, 2), (2, 1), (2, 2)])
def test_every_piece_is_rendered_beside_its_file(cores, pieces, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "cores", lambda: cores)
    with Renderer(pieces) as renderer:
        renderer.start()
        assert bool(renderer._pool) == (cores > 1 and pieces > 1)
        for number in range(2):
            renderer.begin(make_piece(number), tmp_path / f"{number}.mid")
            renderer.begin(make_piece(number), tmp_path / f"{number}.mid")  # not twice
        found = [renderer.of(tmp_path / f"{number}.mid") for number in range(2)]
    assert not multiprocessing.active_children()
    assert [bytes_of(files) for files in found] == expected
    assert {path.parent for files in found for path in paths_of(files)} == {tmp_path}


@pytest.mark.parametrize("cores", [1, 2])
def test_what_cannot_be_rendered_is_said_when_it_is_asked_for(cores, monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "cores", lambda: cores)
    with Renderer(2, playing=None) as renderer:
        renderer.begin(Piece(480, []), tmp_path / "silent.mid")
        renderer.begin(make_piece(0), tmp_path / "sound.mid")
        with pytest.raises(HouseError, match="the piece has no notes"):
            renderer.of(tmp_path / "silent.mid")
        assert renderer.of(tmp_path / "sound.mid").sound is None


@pytest.mark.parametrize("cores", [1, 2])
def test_stopped_in_a_hurry_it_leaves_all_of_a_piece_or_nothing(cores, monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "cores", lambda: cores)
    places = [tmp_path / f"{number}.mid" for number in range(3)]
    with suppress(KeyboardInterrupt), Renderer(3) as renderer:
        for number, place in enumerate(places[:2]):
            renderer.begin(make_piece(number, 16), place)
        first = renderer.of(places[0])
        stale = places[2].with_suffix(".wav")
        stale.touch()
        renderer.begin(make_piece(2, 16), places[2])  # its name had another piece before
        assert not stale.exists()
        renderer.hurry(0)
        assert renderer.of(places[0]) == first
        found = [renderer.of(place) for place in places]
        assert found[2] is None
        (tmp_path / ".2.png.123.new").touch()  # as a process leaves it that is ended
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()
    made = {path for files in found if files for path in paths_of(files)}
    assert set(tmp_path.iterdir()) == made


def test_a_process_that_is_ended_from_outside_loses_no_piece(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "cores", lambda: 2)
    with Renderer(2, playing=None) as renderer:
        renderer.begin(make_piece(0), tmp_path / "0.mid")
        for helper in multiprocessing.active_children():
            helper.kill()
            helper.join()
        renderer.begin(make_piece(1), tmp_path / "1.mid")
        for number in range(2):
            assert renderer.of(tmp_path / f"{number}.mid").picture.stat().st_size > 1000
