"""Pieces that are written with the house's watermark key, and written again from receipts."""

from __future__ import annotations

import os

import pytest

from gen.errors import HouseError
from gen.marks.evidence import evidence
from gen.marks.watermark import ANEW, NEWEST, Line, _pitch_of
from gen.marks.watermark_keys import make_key
from gen.sampling.drafting.cell_table import CellTable
from gen.tokens.vocabulary import WORDS, Kind

BUSY = {"bars": 16, "originality": "off", "instruments": ["piano", "drums"], "density": "dense"}


@pytest.fixture
def key(studio, monkeypatch):
    """The same one in every run: what is by chance under one key is so under some keys alone."""
    with monkeypatch.context() as patched:
        patched.setattr(os, "urandom", lambda count: bytes(range(count)))
        return make_key(studio[1].house.pin.name)[0]


def test_with_a_key_here_pieces_carry_its_trace_and_receipts_name_it(ask, key):
    for result in ask(n=4, **BUSY):
        assert result.record["watermark"] == key.id
        assert evidence(result.piece, key.secret).is_sure


def test_one_piece_alone_carries_it_too(ask, key):
    (result,) = ask(n=1, **BUSY)
    assert evidence(result.piece, key.secret).is_sure


def test_without_a_key_or_switched_off_nothing_changes(ask, studio):
    (plain,) = ask(n=1, originality="off")
    key = make_key(studio[1].house.pin.name)[0]
    (off,) = ask(n=1, originality="off", watermark="off")
    assert plain.record["music_sha256"] == off.record["music_sha256"]
    assert off.record["watermark"] is None
    assert not evidence(off.piece, key.secret).is_sure


def test_a_piece_comes_again_with_its_key_and_not_without(ask, asked, key, tmp_path):
    from gen.provenance.signing.key_files import keys_folder
    from gen.sampling.request import SampleRequest
    from gen.sampling.run import sample

    (result,) = ask(n=1, originality="off")
    make_key("lantern")  # a newer one, which is not this piece's
    again = SampleRequest.of(asked(receipt=str(result.receipt), out=str(tmp_path / "again")))
    (same,) = sample(again)
    assert same.midi.read_bytes() == result.midi.read_bytes()
    for path in keys_folder().glob(f"*{key.id}.watermark"):
        path.unlink()
    with pytest.raises(HouseError, match=r"watermark key \w+ is not on this computer"):
        sample(again)


def test_a_receipt_that_names_no_kind_is_written_again_by_the_first(ask, key, monkeypatch):
    from gen.sampling import session

    real = session.PLACES
    monkeypatch.setattr(session, "PLACES", {*real, "watermark_kind"})
    (done,) = ask(n=1, watermark_kind=1, **BUSY)
    assert "watermark_kind" not in done.record["settings"]
    assert evidence(done.piece, key.secret).is_sure
    monkeypatch.setattr(session, "PLACES", real)
    (again,) = ask(receipt=str(done.receipt), out=str(done.midi.parent / "again"))
    assert again.midi.read_bytes() == done.midi.read_bytes()
    (newest,) = ask(n=1, **BUSY)
    assert newest.record["settings"]["watermark_kind"] == NEWEST
    assert newest.record["music_sha256"] != done.record["music_sha256"]


def test_cells_that_are_written_anew_carry_it_from_the_third_kind_on(ask, key, monkeypatch):
    from gen.sampling import job

    def watched(model, draft, *more):
        cells = polish(model, draft, *more)
        found.extend(_numbers(draft, {cell.place for cell in cells}))
        return cells

    band = {"instruments": ["piano", "strings", "bass"], "roles": ["pad", "accompaniment", "bass"]}
    asked = {"n": 2, "bars": 12, "density": "dense", "steering": 0.1, "originality": "off"}
    polish, means, bytes_of = job.polished, {}, {}
    monkeypatch.setattr(job, "polished", watched)
    for kind in (ANEW - 1, ANEW):
        found = []
        done = ask(polish=3, watermark_kind=kind, **band, **asked)
        means[kind], bytes_of[kind] = sum(found) / len(found), done[0].midi.read_bytes()
        (again,) = ask(receipt=str(done[0].receipt), out=str(done[0].midi.parent / f"again-{kind}"))
        assert again.midi.read_bytes() == bytes_of[kind]
        for path in done[0].midi.parent.glob("*.*"):
            path.unlink()
    assert bytes_of[ANEW - 1] != bytes_of[ANEW]
    assert means[ANEW - 1] < 0.6 < 0.75 < means[ANEW], means


def _numbers(draft, places):
    """The numbers of what was chosen in some cells of a draft."""
    table, mark = CellTable.of(draft.rows[:-1]), draft.trace._mark
    lines, starts = [Line(is_drum=False) for _ in table.tracks], table.bar_starts()
    for (bar, slot), cell in sorted(table.cells.items()):
        for kind, position, value, _, level, *_ in cell:
            if kind != Kind.NOTE:
                continue
            step, pitch = WORDS.position.number(position), _pitch_of(value)
            if (bar, slot) in places:
                for choice, label in lines[slot].choices(int(starts[bar]), step, pitch, level):
                    yield mark.chances(choice, [label])[0]
            lines[slot].take(pitch, level)


@pytest.mark.parametrize("kind", [0, NEWEST + 1])
def test_another_kind_is_refused(ask, kind):
    with pytest.raises(HouseError, match=f"{kind} is outside 1 to {NEWEST}"):
        ask(n=1, watermark_kind=kind)


def test_what_is_written_into_a_file_has_none(ask, key, tmp_path):
    from houses import make_midi

    path = tmp_path / "song.mid"
    path.write_bytes(make_midi(5))
    (result,) = ask(n=1, bars=2, originality="off", **{"continue": str(path)})
    assert result.record["watermark"] is None
    with pytest.raises(HouseError, match="is for new pieces"):
        ask(n=1, bars=2, watermark=key.id, **{"continue": str(path)})
