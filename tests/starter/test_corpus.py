"""The published starter house: its numbers as the register tells them."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from gen.errors import HouseError
from gen.harmony import GENRES, parse_key, parse_progression
from gen.provenance.houses.house import House
from gen.provenance.houses.names import names_of
from gen.provenance.records.pin import find_pin
from gen.provenance.records.tag import read_tag
from gen.sampling.drafting.last_chord import ENDS, PLAIN
from gen.smf import musical_hash, write
from starter import publish
from starter.catalogue import CURATOR, VOICES, commissions, first_volume

HOUSE = Path(__file__).parents[2] / "data" / "house_midi"


@pytest.fixture(scope="module")
def house():
    return House(find_pin(HOUSE))


@pytest.fixture(scope="module")
def register(house):
    return house.load()


def test_the_house_is_sealed_and_its_people_say_that_they_are_programs(house, register):
    assert register.roster.sealed
    names = names_of(house, register)
    assert names.pop("machine", None)  # which trained the model that can be rebuilt
    assert set(names) == {*VOICES, CURATOR}
    assert all("no human" in name for name in names.values())


def test_the_house_holds_hundreds_of_works_in_every_genre(register):
    works = list(register.live_works())
    assert len(works) >= 360
    genres = set()
    for record in works[::7]:
        data = (HOUSE / record.entry.path).read_bytes()
        genres.add(read_tag(data).statement.description.genre)
    assert genres == set(GENRES)


def test_works_end_on_the_chords_that_pieces_of_their_genre_end_on(register):
    found = defaultdict(Counter)
    for record in register.live_works():
        tag = read_tag((HOUSE / record.entry.path).read_bytes()).statement.description
        *_, last = [chord for bar in parse_progression(tag.chords) for chord in bar]
        quality = last.reduced.quality
        is_minor = quality[0] == "m" and quality[:3] != "maj"
        if tag.genre == "rock":  # whose last chord hardly has a third
            is_minor = parse_key(tag.key).is_minor
        found[tag.genre, is_minor][quality] += 1
    for (genre, is_minor), counted in found.items():
        shares = ENDS.get(genre, PLAIN)[is_minor]
        got = {quality: count / counted.total() for quality, count in counted.items()}
        assert got == pytest.approx(shares, abs=0.06), genre


def test_every_consent_scope_is_exercised(register):
    consents = [str(record.entry.consent) for record in register.live_works()]
    assert any(c == "evaluation" for c in consents)
    assert any(c.startswith("artist_model:") and " " not in c for c in consents)
    assert any("@2099" in c for c in consents)
    assert sum("general_model" in c for c in consents) > 0.8 * len(consents)


def test_a_rebuild_gives_the_music_that_was_published(register):
    published = {r.entry.title: r.entry.musical_hash for r in register.live_works()}
    made = [c for c in commissions() if c.title in published]
    assert len(made) == len(published)
    for commission in made[5::100]:
        work = commission.realise()
        assert published[work.title] == musical_hash(work.piece)


def test_the_first_volume_comes_out_byte_for_byte_as_it_was_published(register):
    """One theme of each arrangement: models and receipts stand on these bytes."""
    published = {r.entry.title: r.entry.path for r in register.live_works()}
    made = first_volume()
    by_arrangement = {}
    for place, commission in enumerate(made):
        name = (commission.sheet.genre, commission.arrangement.name)
        if place % 7 == 0 or name not in by_arrangement:
            by_arrangement[name] = commission
    assert len(by_arrangement) == 42
    for commission in by_arrangement.values():
        file = (HOUSE / published[commission.title]).read_bytes()
        assert read_tag(file).music == write(commission.realise().piece), commission.title


def test_the_corpus_weighs_less_than_25_kilobytes_a_work(register):
    """Files, log and what screening kept."""
    weight = sum(f.stat().st_size for f in HOUSE.rglob("*") if f.is_file())
    assert weight < 25_000 * len(list(register.live_works()))


def test_publishing_over_another_house_is_refused(tmp_path):
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "rain.mid").write_bytes(b"MThd")
    (tmp_path / "register.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(HouseError, match="not the starter house"):
        publish.clear(tmp_path)
    assert (tmp_path / "ana" / "rain.mid").exists()
