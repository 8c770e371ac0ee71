"""Prints of lines: the same by both programs, and known again whatever was done to a piece."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import disguises
from gen.cli.house import main as house_command
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.lookup import MATCH, PrintIndex
from gen.likeness.print_lists import ListedWork, PrintList, read_print_list
from gen.likeness.prints import BEATS, beat_line, plain_line, prints_of, prints_of_fingerprint
from gen.piece import Piece
from gen.provenance.records.tag import read_tag
from gen.smf import parse, write
from houses import make_piece
from idiomatic_songs import KINDS, idiomatic_song
from pop_songs import pop_song

SCRIPT = Path(__file__).parents[2] / "scripts" / "fingerprint_alone.py"
STARTER = Path(__file__).parents[2] / "data" / "house_midi"
SONGS = 20
TORN = {"bars": [1, 2], "hashes": "00" * 8, "kind": "upper", "part": 1}


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fingerprint_alone", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def song(number: int) -> Piece:
    kinds = (*KINDS, "pop")
    kind = kinds[number % len(kinds)]
    return pop_song(number) if kind == "pop" else idiomatic_song(kind, number)


@pytest.fixture(scope="module")
def house() -> list[Piece]:
    return [pop_song(number) for number in range(SONGS)]


@pytest.fixture(scope="module")
def index(house: list[Piece]) -> PrintIndex:
    return PrintIndex(map(prints_of, house))


PLANTED: dict[str, Callable[[Piece, int], Piece]] = {
    "transposed": lambda piece, _: disguises.transposed(piece),
    "at another tempo": lambda piece, _: disguises.at_another_tempo(piece),
    "twice as slow": lambda piece, _: disguises.rhythm_doubled(piece),
    "ornamented": lambda piece, _: disguises.ornamented(piece),
    "eight bars": lambda piece, seed: disguises.excerpt(piece, 8, seed),
}


@pytest.mark.parametrize("way", PLANTED)
def test_planted_works_are_found_and_named(house, index, way):
    for number in range(0, SONGS, 4):
        found = index.shared(prints_of(PLANTED[way](house[number], number)))
        assert found[0].piece == number, (way, number)
        assert found[0].weight >= MATCH, (way, number, found[0])


def test_excerpts_that_were_transposed_and_ornamented_are_found(house, index):
    for number, piece in enumerate(house):
        cut = disguises.excerpt(piece, 8, number)
        found = index.shared(prints_of(disguises.ornamented(disguises.transposed(cut))))
        assert found[0].piece == number, number
        assert found[0].weight >= MATCH, (number, found[0])


def test_at_most_one_foreign_song_in_twenty_is_taken_for_the_houses(index):
    weights = [
        max(
            (
                s.weight
                for s in index.shared(prints_of(idiomatic_song(KINDS[number % len(KINDS)], number)))
            ),
            default=0,
        )
        for number in range(1_000, 1_020)
    ]
    assert sum(weight >= MATCH for weight in weights) <= 1, sorted(weights)[-3:]


def test_excerpt_is_placed_where_it_came_from(house, index):
    piece = house[0]
    starts = [start for start, _ in piece.bar_starts()]
    cut = [
        replace(t, notes=[
            replace(n, onset_ticks=n.onset_ticks - starts[9])
            for n in t.notes if starts[9] <= n.onset_ticks < starts[21]
        ])
        for t in piece.tracks
    ]  # fmt: skip
    found = index.shared(prints_of(replace(piece, tracks=cut)))[0]
    ours, theirs = found.chain.ours, found.chain.theirs
    assert found.piece == 0
    assert ours[0] >= 1
    assert theirs[1] >= theirs[0]


def test_both_programs_make_the_same_list(alone):
    works = sorted(STARTER.glob("*/*.mid"))[::60]
    assert works
    for path in works:
        piece = parse(read_tag(path.read_bytes()).music)
        assert alone.fingerprint(path)["lines"] == [line.to_dict() for line in prints_of(piece)]


def run(folder: Path, *words: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    command = [sys.executable, "-I", str(SCRIPT), *words]
    return subprocess.run(command, cwd=folder, text=True, check=False, **given)


def test_stand_alone_file_lists_a_folder_without_any_of_this_software(tmp_path):
    music = tmp_path / "music" / "deep"
    music.mkdir(parents=True)
    (music / "one.mid").write_bytes(write(make_piece(1, bars=8)))
    (music / "torn.mid").write_bytes(write(make_piece(2))[:90])
    (music / "notes.txt").write_text("no music")
    done = run(tmp_path, "music", "--holder", "Harbour Songs", "--out", "list.json")
    assert done.returncode == 2, done.stderr
    assert "not read: deep/torn.mid: a track is cut short" in done.stderr
    found, digest = read_print_list(tmp_path / "list.json")
    assert found.holder == "Harbour Songs"
    assert [work.name for work in found.works] == ["deep/one.mid"]
    assert found.unread == (("deep/torn.mid", "a track is cut short"),)
    assert digest in done.stdout
    assert found.encode() == (tmp_path / "list.json").read_bytes()


def test_a_list_is_never_written_over(tmp_path):
    (tmp_path / "one.mid").write_bytes(write(make_piece(1, bars=8)))
    (tmp_path / "list.json").write_text("mine")
    assert run(tmp_path, ".", "--holder", "H", "--out", "list.json").returncode == 2
    assert (tmp_path / "list.json").read_text() == "mine"


def test_numbers_keep_file_names_out_of_the_list(tmp_path):
    (tmp_path / "secret title.mid").write_bytes(write(make_piece(1, bars=8)))
    done = run(tmp_path, ".", "--holder", "H", "--out", "list.json", "--numbers")
    assert done.returncode == 0
    assert "secret" not in (tmp_path / "list.json").read_text()
    assert "1 is" in done.stderr


def test_nothing_of_the_stand_alone_file_dies_on_torn_bytes(alone):
    data = bytearray(write(song(3)))
    rng = random.Random(5)  # noqa: S311
    for _ in range(2_000):
        torn = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            torn[rng.randrange(len(torn))] = rng.randrange(256)
        try:
            unit, meters, voices = alone.read_midi(bytes(torn[: rng.randrange(1, len(torn))]))
            alone.lines_of(unit, meters, voices)
        except alone.Unread:
            pass


def test_ornaments_are_left_out_of_plain_lines():
    line = [(0, 60, 480), (480, 64, 900), (900, 66, 950), (960, 67, 1440)]
    assert [note[1] for note in plain_line(line)] == [60, 64, 67]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"format": 3}, "format 3"),
        ({"more": 1}, "unknown field"),
        ({"works": [{"name": "a", "notes": 3, "lines": []}]}, "no line"),
        ({"works": [{"name": "a", "notes": 3, "lines": [TORN]}]}, "belong together"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_the_reason(tmp_path, change, word):
    said = {"format": 1, "holder": "H", "unread": [], "works": []}
    (tmp_path / "list.json").write_text(json.dumps({**said, **change}))
    with pytest.raises(HouseError, match=word):
        read_print_list(tmp_path / "list.json")


def test_an_ornament_is_judged_by_the_note_that_it_was_cut_from():
    quarter_and_eighth = [(0, 60, 480), (480, 64, 720), (720, 67, 1200)]
    ornamented = [
        (0, 60, 360), (360, 62, 460), (480, 64, 660), (660, 66, 710), (720, 67, 1200)
    ]  # fmt: skip
    assert [note[1] for note in plain_line(ornamented)] == [60, 64, 67]
    assert plain_line(quarter_and_eighth) == quarter_and_eighth


def test_a_line_of_beats_has_what_is_played_late_and_nothing_between():
    line = [(0, 60, 100), (180, 61, 200), (250, 62, 300), (500, 63, 600), (720, 63, 900)]
    assert [note[1] for note in beat_line(line, 480)] == [60, 62, 63]


def test_pieces_of_which_a_fingerprint_was_kept_have_their_lines_of_beats():
    piece = song(3)
    kept = Fingerprint.unpack(NewPiece.of(piece).fingerprint.pack())
    ours = {line.kind for line in prints_of_fingerprint(kept)}
    assert BEATS in ours
    cut = disguises.ornamented(disguises.transposed(disguises.excerpt(piece, 12)))
    index = PrintIndex([prints_of_fingerprint(kept), *map(prints_of, map(song, range(5, 15)))])
    assert index.shared(prints_of(cut))[0].piece == 0


def test_lists_of_the_first_format_are_read_and_keep_their_digest():
    made = PrintList("H", (ListedWork("a", 9, prints_of(song(1))[:1]),), format=1)
    again = PrintList.decode(made.encode())
    assert again.encode() == made.encode()
    assert b'"format":1' in made.encode()


def test_a_file_whose_name_is_no_text_is_listed_by_what_its_bytes_say(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.mid")).write_bytes(write(make_piece(1, bars=8)))
    done = run(tmp_path, ".", "--holder", "H", "--out", "list.json")
    assert done.returncode == 0, done.stderr
    assert read_print_list(tmp_path / "list.json")[0].works[0].name == "caf\\udce9.mid"
    words = ["fingerprint", str(tmp_path), "--holder", "H", "--out", str(tmp_path / "same.json")]
    assert CliRunner().invoke(house_command, words).exit_code == 0
    assert (tmp_path / "same.json").read_bytes() == (tmp_path / "list.json").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_list_whose_digest_a_full_disk_does_not_take_is_no_success(tmp_path):
    (tmp_path / "one.mid").write_bytes(write(make_piece(1, bars=8)))
    with open("/dev/full", "wb") as full:
        done = run(tmp_path, ".", "--holder", "H", "--out", "list.json", stdout=full)
    assert done.returncode == 2
    assert "list.json is written, but not what it is" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    read_print_list(tmp_path / "list.json")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_list_that_has_no_room_leaves_nothing_behind(tmp_path):
    (tmp_path / "one.mid").write_bytes(write(make_piece(1, bars=8)))

    def little_room() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = run(tmp_path, ".", "--holder", "H", "--out", "list.json", preexec_fn=little_room)
    assert done.returncode == 2
    assert done.stderr.startswith("list.json: no room"), done.stderr
    assert not (tmp_path / "list.json").exists()


def test_list_survives_its_own_round_trip():
    made = PrintList("H", (ListedWork("a", 9, prints_of(song(1))),), (("b", "torn"),))
    again = PrintList.decode(made.encode())
    assert again.encode() == made.encode()
    assert again.digest == made.digest
