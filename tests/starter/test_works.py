"""Every style plays every meter it meets; works are the same each time."""

import functools

import pytest

from gen import smf
from gen.errors import HouseError
from gen.harmony import GENRES, parse_key, parse_progression
from gen.piece import ROLES
from gen.provenance.records.consent import Consent
from gen.smf.general_midi import range_of
from starter import abc, catalogue
from starter.instruments import RANGES, playing_range
from starter.realise import realise
from starter.styles import arrangements, written


@functools.cache
def sheets():
    return [*abc.load(catalogue.LEADSHEETS), *abc.load(catalogue.SECOND)]


def one_theme_a_genre_and_meter():
    """The first theme of each meter in each genre."""
    found = {}
    for sheet in abc.load(catalogue.LEADSHEETS):
        found.setdefault((sheet.genre, sheet.meter), sheet)
    return [pytest.param(s, id=f"{g}-{m[0]}-{m[1]}") for (g, m), s in found.items()]


def test_every_genre_has_lead_sheets_and_a_style_of_two_or_three_arrangements():
    assert {s.genre for s in sheets()} == set(written()) == set(GENRES)
    assert all(2 <= len(arrangements(g)) <= 3 for g in GENRES)


def test_a_genre_without_a_style_is_refused():
    with pytest.raises(HouseError, match="no style is written for 'polka'"):
        arrangements("polka")


@pytest.mark.parametrize("sheet", one_theme_a_genre_and_meter())
def test_the_style_plays_the_meter(sheet):
    arrangement = arrangements(sheet.genre)[sheet.number % len(arrangements(sheet.genre))]
    work = realise(sheet, arrangement)
    bearing = [t for t in work.piece.tracks if t.notes]
    assert 3 <= len(bearing) <= 8
    assert all(t.role in ROLES for t in bearing)
    for track in bearing:
        low, high = (27, 87) if track.is_drum else playing_range(track.program)
        assert all(low <= n.pitch <= high for n in track.notes), track.name
    sounding = {n.onset_ticks for t in bearing for n in t.notes}
    for bar in work.plan.bars[:-2]:
        assert any(bar.onset - 40 <= o < bar.onset + bar.ticks for o in sounding)
    assert smf.parse(smf.write(work.piece)).note_count == work.piece.note_count


def test_what_the_starter_works_may_play_sampling_may_write():
    for program, (low, high) in RANGES.items():
        lowest, highest = range_of(program)
        assert lowest <= low <= high <= highest, program


def test_a_work_is_the_same_bytes_each_time():
    sheet = sheets()[0]
    arrangement = arrangements(sheet.genre)[1]
    first, second = (smf.write(realise(sheet, arrangement, 3).piece) for _ in range(2))
    assert first == second


def test_a_transposed_work_moves_its_theme_by_that_much():
    sheet = next(s for s in sheets() if s.genre == "waltz")
    keys = [realise(sheet, arrangements("waltz")[0], shift).key_text for shift in (0, 2)]
    assert (parse_key(keys[1]).tonic - parse_key(keys[0]).tonic) % 12 == 2


def test_the_sidecar_describes_every_bar_and_track():
    commission = catalogue.commissions()[0]
    work = commission.realise()
    row = catalogue.sidecar_row(commission, work)
    assert len(parse_progression(row["chords"])) == len(work.plan.bars)
    assert len(row["roles"].split()) == len(work.piece.tracks)
    assert row["sections"].startswith("intro:1 ") or row["sections"].startswith("A:1 ")


def test_the_first_volume_uses_all_24_keys_evenly():
    from collections import Counter

    keys = [c.sheet.key.transposed(c.shift) for c in catalogue.first_volume()]
    counts = Counter((k.tonic, k.is_minor) for k in keys)
    assert len(counts) == 24
    assert max(counts.values()) <= 3 * min(counts.values())


def test_the_catalogue_is_large_and_exercises_every_consent():
    made = catalogue.commissions()
    assert len(made) >= 620
    assert len({c.sheet.slug for c in made}) >= 204
    scopes = {g.scope.partition(":")[0] for c in made for g in Consent.parse(c.consent).grants}
    assert scopes == {"general_model", "evaluation", "artist_model"}
    only_evaluation = sum(c.consent == "evaluation" for c in made)
    assert 0.02 <= only_evaluation / len(made) <= 0.1


def test_two_themes_never_share_a_title():
    assert len({s.slug for s in sheets()}) == len(sheets())
