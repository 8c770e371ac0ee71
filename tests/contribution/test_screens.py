"""What screening knows of a house is kept between commands, and changes no verdict."""

import os
from dataclasses import replace

import pytest

from gen.contribution import known as known_music
from gen.contribution import screens
from gen.contribution.known import load_known
from gen.disk.arrays import BLOCK_BYTES, SpoiledError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.report import BLOCK, OUTPUT, WORK, Known
from gen.likeness.thresholds import Thresholds
from gen.provenance.desk.works import withdraw
from gen.provenance.signing.code import source_digest
from houses import key_of, make_piece


@pytest.fixture(autouse=True)
def keeping(own_keys, monkeypatch):
    """Keep from the first work on."""
    monkeypatch.setattr(screens, "_LEAST_PIECES", 1)


@pytest.fixture
def read(monkeypatch):
    """The works whose music is asked for."""
    asked, found = [], known_music._kept_of

    def counted(known, house, record):
        asked.append(record.entry.work)
        return found(known, house, record)

    monkeypatch.setattr(known_music, "_kept_of", counted)
    return asked


def load(house):
    return load_known(house.house, house.load(), Thresholds())


def report(house, seed):
    return load(house).screen.compare(NewPiece.of(make_piece(seed, bars=16)))


def refusal(house, seed):
    """What is said where what was kept is not what was sealed."""
    try:
        report(house, seed)
    except SpoiledError as error:
        return str(error)
    return ""


def enter(house, *seeds):
    return [house.enter(seed)[0] for seed in seeds]


def screen_file(house):
    return screens._file(house.house, None).path


def test_a_second_command_reads_no_work(house, read):
    enter(house, 1, 2)
    first = load(house)
    assert len(read) == 2
    read.clear()
    again = load(house)
    assert not read
    assert list(again.screen.known) == list(first.screen.known)


def test_what_was_entered_since_is_added(house, read):
    enter(house, 1)
    load(house)
    (entry,) = enter(house, 2)
    read.clear()
    assert {known.name for known in load(house).screen.known} > {entry.work}
    assert read == [entry.work]


def test_what_was_withdrawn_since_is_refused_as_such(house):
    (entry,) = enter(house, 1)
    assert load(house).screen.known[0].kind == WORK
    house.house = withdraw(house.house, [entry.work], key_of("ana"), "a test")
    found = load(house).screen.compare(NewPiece.of(make_piece(1)))
    assert found.rule == "withdrawn"
    assert load(house).screen.compare(NewPiece.of(make_piece(1))).rule == "withdrawn"


def test_what_was_renewed_since_is_known_by_its_latest_composers(house, read):
    (entry,) = enter(house, 1)
    register = house.load()
    assert load(house).screen.known[0].composers == ("ana",)
    record = register.works[entry.work]
    record.entry = replace(record.entry, composers=(("ben", 100),))
    register._renewed[entry.work] = [(0, entry)]
    read.clear()
    load_known(house.house, register, Thresholds())
    assert read == [entry.work]


def test_only_what_is_new_or_withdrawn_is_asked_of_a_register(house, monkeypatch):
    """A register that was kept unpacks each record that is asked for: of 100,000 it takes long."""
    first, second = enter(house, 1, 2)
    load(house)
    (third,) = enter(house, 3)
    house.house = withdraw(house.house, [second.work], key_of("ana"), "a test")
    register, asked = house.load(), []

    class Works(dict):
        def __getitem__(self, work):
            asked.append(work)
            return super().__getitem__(work)

        def values(self):
            raise AssertionError("all records are asked for")

    register.works = Works(register.works)
    load_known(house.house, register, Thresholds())
    assert set(asked) == {second.work, third.work}
    assert first.work not in asked


def test_outputs_are_kept_once(house, monkeypatch):
    packed = NewPiece.of(make_piece(7, bars=16)).fingerprint.pack()
    house.log_output("0f" * 32, fingerprint=packed)
    load(house)
    monkeypatch.setattr(Fingerprint, "unpack", None)
    kinds = [known.kind for known in load(house).screen.known]
    assert kinds.count(OUTPUT) == 1
    assert report(house, 7).rule == "generated"


def test_a_changed_file_is_made_anew(house, read):
    enter(house, 1, 2)
    before = load(house)
    path = screen_file(house)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    read.clear()
    assert list(load(house).screen.known) == list(before.screen.known)
    assert len(read) == 2


def test_an_older_file_that_is_put_back_hides_nothing_that_was_done_since(house):
    (entry,) = enter(house, 1)
    load(house)
    older = screen_file(house).read_bytes()
    pieces = [
        NewPiece.of(piece) for piece in (make_piece(1), make_piece(2), make_piece(7, bars=16))
    ]
    enter(house, 2)
    house.log_output("0f" * 32, fingerprint=pieces[2].fingerprint.pack())
    house.house = withdraw(house.house, [entry.work], key_of("ana"), "a test")
    before = [load(house).screen.compare(piece) for piece in pieces]
    assert [found.verdict for found in before] == [BLOCK] * 3
    for piece, found in zip(pieces, before, strict=True):
        screen_file(house).write_bytes(older)
        assert load(house).screen.compare(piece) == found


def pipe(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes here")
    os.mkfifo(path)


@pytest.mark.parametrize("laid", [pipe, os.mkdir, lambda path: path.symlink_to(path)])
def test_whatever_lies_in_its_place_is_as_if_nothing_were_kept(house, read, laid):
    enter(house, 1, 2)
    before = load(house)
    screen_file(house).unlink()
    laid(screen_file(house))
    read.clear()
    assert list(load(house).screen.known) == list(before.screen.known)
    assert len(read) == 2


def test_a_changed_block_is_refused_when_it_is_needed_and_then_made_anew(house, read):
    enter(house, *range(1, 9))
    before = report(house, 3)
    path = screen_file(house)
    kept = path.read_bytes()
    found = set()
    for place in range(0, len(kept) - 5_000, BLOCK_BYTES):
        path.write_bytes(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])
        read.clear()
        if refused := refusal(house, 3):
            found.add(place)
            assert str(path) in refused
            assert not path.exists()
        assert not read
        assert report(house, 3) == before  # made anew where it was refused
        assert len(read) == (8 if refused else 0)
    assert found


@pytest.mark.parametrize("room", ["contribution", "disk", "likeness"])
def test_what_other_code_kept_is_made_anew(house, read, monkeypatch, room):
    enter(house, 1)
    load(house)
    monkeypatch.setattr(
        screens, "source_digest", lambda of: "other" if of == room else source_digest(of)
    )
    read.clear()
    load(house)
    assert len(read) == 1


def test_a_screen_of_other_acts_than_the_register_begins_with_is_made_anew(house):
    enter(house, 1)
    register = house.load()
    load(house)
    stranger = screens.read_screen(house.house, Thresholds())
    stranger.screen.add(Known(WORK, "nobody's"), NewPiece.of(make_piece(5)).fingerprint)
    stranger.note("00" * 32)
    register.leaves[-1] = bytes(32)
    stranger.save(house.house, register)
    assert [known.name for known in load(house).screen.known] == [house.entries[0].work]


def test_a_small_house_keeps_nothing(house, monkeypatch):
    monkeypatch.setattr(screens, "_LEAST_PIECES", 64)
    enter(house, 1)
    load(house)
    assert not screen_file(house).exists()
