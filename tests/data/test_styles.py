"""A composer's style is told to the model only with their consent to a model of themselves."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from gen.data.batches import DataConfig
from gen.data.module import HouseData
from gen.data.styles import granted_styles, with_style
from gen.errors import SettingError
from gen.provenance.records.consent import Consent
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations
from gen.tokens.reading import decode
from gen.tokens.tokenizer import HouseTokenizer
from houses import make_piece
from music import FIRST

ARTIST = "general_model evaluation artist_model:{}"
TODAY = date(2030, 1, 1)


def corpus(*works):
    """Works as (id, composers, consent)."""
    admitted = [
        SimpleNamespace(work_id=name, composers=people, consent=Consent.parse(text))
        for name, people, text in works
    ]
    return SimpleNamespace(admitted=admitted, judged_on=TODAY)


def styles_in(events):
    chosen = events[:, v.KIND] == v.Kind.STYLE
    return (events[chosen, v.VALUE] - FIRST["style"]).tolist()


@pytest.mark.parametrize("notes", [{}, {"genre": "waltz"}, {"mood": "calm", "key": "C"}])
def test_a_style_stands_where_the_tokenizer_would_put_it(notes):
    tokenizer, piece = HouseTokenizer(), make_piece(1)
    plain = tokenizer.events(piece, Annotations(**notes))
    told = tokenizer.events(piece, Annotations(**notes, style=5))
    assert with_style(plain, 5) == told
    assert with_style(plain, None) is plain
    assert decode(told) == decode(plain)


def test_only_works_whose_composer_grants_it_are_told(house, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    granted = house.enter(1, 2, composer="ben", consent=ARTIST.format("ben"))
    plain = house.enter(3, 4, 5, composer="ana")
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2, styles=True))
    data.setup()
    assert data.styles == {"ben": 0}
    told = [styles_in(work.events) for work in data.works]  # in the register's order
    assert told == [[0]] * len(granted) + [[]] * len(plain)


def test_without_the_setting_nobody_is_told(house, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(1, 2, 3, consent=ARTIST.format("ana"))
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2))
    data.setup()
    assert data.styles == {}
    assert not any(styles_in(work.events) for work in data.works)


def test_a_run_with_other_styles_is_not_resumed(house, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(1, 2, 3, consent=ARTIST.format("ana"))
    digests = set()
    for styles in (False, True):
        data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2, styles=styles))
        data.setup()
        digests.add(data.corpus_digest)
    assert len(digests) == 2


def test_consent_that_has_ended_tells_no_style():
    ended = "general_model artist_model:ana@2029-12-31"
    works = corpus(("a", (("ana", 100),), ended), ("b", (("ben", 100),), ARTIST.format("ben")))
    assert granted_styles(works) == ({"ben": 0}, {"b": 0})


def test_consent_to_a_model_of_somebody_else_tells_no_style():
    with pytest.raises(SettingError, match="no composer of an admitted work grants"):
        granted_styles(corpus(("a", (("ana", 100),), ARTIST.format("ben"))))


def test_a_work_of_two_is_in_the_style_of_whom_most_of_it_is_by_and_who_grants_it():
    both = ARTIST.format("ana") + " artist_model:ben"
    shares = (("ana", 40), ("ben", 60))
    works = corpus(("a", shares, both), ("b", shares, ARTIST.format("ana")))
    assert granted_styles(works) == ({"ana": 0, "ben": 1}, {"a": 1, "b": 0})


def test_where_more_grant_it_than_there_are_styles_the_busiest_have_one():
    people = [f"p{n:02d}" for n in range(v.MAX_STYLES + 1)]
    works = [(f"{p}-{n}", ((p, 100),), ARTIST.format(p)) for p in people[1:] for n in range(2)]
    lonely = ("p00-0", (("p00", 100),), ARTIST.format("p00"))
    styles, of_work = granted_styles(corpus(lonely, *works))
    assert list(styles) == people[1:]
    assert sorted(set(of_work.values())) == list(range(v.MAX_STYLES))
    assert "p00-0" not in of_work
