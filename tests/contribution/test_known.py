"""What is kept between two contributions is believed only under the user's own seal."""

import pytest

from gen.contribution.kept import Kept, KeptCache
from gen.disk import seals
from gen.provenance.records.tag import read_tag
from houses import make_midi, tagged

DIGEST = "ab" * 32


@pytest.fixture
def kept():
    return Kept.of(read_tag(tagged(make_midi(1))))


@pytest.fixture
def cache(tmp_path, kept):
    cache = KeptCache(tmp_path, "lantern")
    cache.put(DIGEST, kept)
    cache.save()
    return cache


def test_what_was_kept_is_found_again(cache, tmp_path, kept):
    assert KeptCache(tmp_path, "lantern").get(DIGEST).musical_hash == kept.musical_hash


@pytest.mark.parametrize("old", ["small-rain", '"ana"', DIGEST])
def test_line_that_somebody_changed_is_as_if_it_were_not_there(cache, tmp_path, old):
    path = cache.path_of(DIGEST)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, old[::-1] if old == DIGEST else "x" + old[1:]))
    assert KeptCache(tmp_path, "lantern").get(DIGEST) is None


def test_lines_of_another_user_are_as_if_they_were_not_there(cache, tmp_path):
    seals.secret_path().write_bytes(b"x" * 32)
    assert KeptCache(tmp_path, "lantern").get(DIGEST) is None


def test_without_a_secret_nothing_is_kept(tmp_path, kept, monkeypatch):
    monkeypatch.setattr("gen.contribution.kept.user_secret", lambda: b"")
    cache = KeptCache(tmp_path, "lantern")
    cache.put(DIGEST, kept)
    cache.save()
    assert KeptCache(tmp_path, "lantern").get(DIGEST) is None
    assert not cache.path_of(DIGEST).exists()
