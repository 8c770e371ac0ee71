"""corpus.where: a run may learn from a part of what the gate admits, and says which."""

from __future__ import annotations

import pytest

from gen.cli.arguments import check_overrides, read_flags
from gen.cli.known import known
from gen.data.admission import take_in
from gen.data.choosing import CorpusConfig
from gen.data.splits import SplitConfig
from gen.errors import HouseError, SettingError
from gen.provenance.records.statement import Description
from gen.smf import write
from gen.tokens.tokenizer import HouseTokenizer
from houses import make_piece, tagged

GENRES = ("waltz", "waltz", "march", "march", "pop_ballad")
KEYS = ("A minor", "C", "Am", "", "G major")


@pytest.fixture
def described(house, own_keys):
    """A house of five works of three genres."""
    for number, (genre, key) in enumerate(zip(GENRES, KEYS, strict=True)):
        about = Description(title=f"Work {number}", genre=genre, key=key)
        house.submit(tagged(write(make_piece(number)), description=about))
    house.accept()
    return house


def taken(house, where: str | None) -> list[int]:
    found = take_in(
        house.folder, house.pin, "general_model", SplitConfig(0, 0), HouseTokenizer(),
        chosen=CorpusConfig(where),
    )  # fmt: skip
    assert len(found.works) == len(found.manifest.works) == sum(map(len, found.sides.values()))
    assert sorted(found.ids) == [work.work for work in found.manifest.works]
    titles = {work.work_id: work.description.title for work in found.corpus.admitted}
    return sorted(int(titles[name].split()[1]) for name in found.ids)


@pytest.mark.parametrize(("where", "numbers"), [
    (None, [0, 1, 2, 3, 4]), ("", [0, 1, 2, 3, 4]), ("genre=waltz", [0, 1]),
    ("genre=waltz,march", [0, 1, 2, 3]), ("genre=march key=Am", [2]), ("key=a_minor", [0, 2]),
    ('key="A minor",G', [0, 2, 4]), ("composer=ana genre=pop_ballad", [4]),
])  # fmt: skip
def test_a_run_learns_from_the_works_it_asks_for(described, where, numbers):
    assert taken(described, where) == numbers


def test_no_such_work_is_told_with_what_there_is(described):
    with pytest.raises(SettingError, match="none of the 5 works") as refused:
        taken(described, "composer=nobody genre=waltz")
    assert "composer: ana" in refused.value.mend
    assert "march, pop_ballad, waltz" in refused.value.mend


def test_a_refused_file_stops_a_run_that_would_not_have_learned_from_it(described):
    path = described.folder / "works" / "planted.mid"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(write(make_piece(30)))
    with pytest.raises(HouseError, match="planted"):
        taken(described, "genre=waltz")


@pytest.mark.parametrize("where", [
    "genre", "genre=", "genre=waltz,", "genre=walz", "tempo=90", "genre=waltz genre=march",
    "key=H", 'genre="waltz', "mood=sadd", "role=drum",
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_anything_is_read(where):
    with pytest.raises(SettingError):
        CorpusConfig(where)


@pytest.mark.parametrize("typed", [
    "corpus.where=genre=waltz key=a_minor", 'corpus.where=key="A minor" genre=waltz',
    "corpus.where='genre=waltz'",
])  # fmt: skip
def test_it_is_typed_as_any_other_setting_is(typed):
    (override,) = read_flags([typed]).overrides
    (parsed,) = check_overrides([override], known("train"))
    assert str(parsed.value()).strip("'") == typed.partition("=")[2].strip("'")


def test_a_sweep_over_a_range_stays_one():
    assert read_flags(["seed=range(start=1,stop=3)"]).overrides == ["seed=range(start=1,stop=3)"]
