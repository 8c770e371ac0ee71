from __future__ import annotations

import numpy as np
import pytest

from gen.data.cache import CACHE_VARIABLE, EventCache
from gen.data.store import row_width
from gen.disk import seals
from gen.tokens.encoding import Annotations
from gen.tokens.vocabulary import FIELDS

SHA = "ab" * 32
ROW_WIDTH = row_width(len(FIELDS))
ROWS = np.arange(8 * ROW_WIDTH, dtype=np.int16).reshape(-1, ROW_WIDTH)
OTHER = ROWS + 1


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return EventCache.of_user()


def kept(cache, *, sha=SHA, notes=None, fingerprint="f", make=lambda: OTHER):
    return cache.rows(sha, notes or Annotations(), fingerprint, make)


def entry_of(cache):
    (path,) = (p for p in cache.folder.rglob("*") if p.is_file())
    return path


def test_a_second_run_reads_what_the_first_one_made(cache, tmp_path):
    assert np.array_equal(kept(cache, make=lambda: ROWS), ROWS)
    again = EventCache.of_user()
    assert np.array_equal(kept(again), ROWS)


def test_nobody_waits_for_the_disk_for_what_can_be_made_again(cache, monkeypatch):
    waited = []
    monkeypatch.setattr("os.fsync", waited.append)
    kept(cache, make=lambda: ROWS)
    assert entry_of(cache)
    assert not waited


@pytest.mark.parametrize("byte", [0, 31, 32, -1])
def test_an_entry_changed_by_one_bit_is_rebuilt(cache, byte):
    kept(cache, make=lambda: ROWS)
    path = entry_of(cache)
    data = bytearray(path.read_bytes())
    data[byte] ^= 1
    path.write_bytes(data)
    assert np.array_equal(kept(cache), OTHER)


@pytest.mark.parametrize("size", [0, 10, 32, 33])
def test_a_truncated_entry_is_rebuilt(cache, size):
    kept(cache, make=lambda: ROWS)
    entry_of(cache).write_bytes(entry_of(cache).read_bytes()[:size])
    assert np.array_equal(kept(cache), OTHER)


def test_an_entry_moved_to_another_works_place_is_rebuilt(cache):
    kept(cache, make=lambda: ROWS)
    poison = entry_of(cache).read_bytes()
    kept(cache, sha="cd" * 32, make=lambda: OTHER)
    for path in cache.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(poison)
    assert np.array_equal(kept(cache, sha="cd" * 32), OTHER)


def test_a_folder_prepared_with_a_secret_of_its_own_is_not_believed(tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"x" * 32)
    EventCache(tmp_path / "events", b"x" * 32).rows(SHA, Annotations(), "f", lambda: ROWS)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert np.array_equal(kept(EventCache.of_user()), OTHER)


def test_an_entry_sealed_with_another_secret_is_rebuilt(cache, tmp_path):
    EventCache(cache.folder, b"x" * 32).rows(SHA, Annotations(), "f", lambda: ROWS)
    assert np.array_equal(kept(cache), OTHER)


def test_other_annotations_or_another_tokenizer_are_another_entry(cache):
    kept(cache, make=lambda: ROWS)
    assert np.array_equal(kept(cache, notes=Annotations(genre="waltz")), OTHER)
    assert np.array_equal(kept(cache, fingerprint="g"), OTHER)


def test_a_damaged_secret_is_replaced_and_empties_the_cache(cache):
    kept(cache, make=lambda: ROWS)
    seals.secret_path().write_bytes(b"short")
    assert np.array_equal(kept(EventCache.of_user()), OTHER)


def test_nothing_is_kept_where_no_secret_can_be(cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "file" / "secret")
    assert EventCache.of_user().folder is None


def test_the_cache_can_be_turned_off(monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    cache = EventCache.of_user()
    assert np.array_equal(kept(cache, make=lambda: ROWS), ROWS)
    assert np.array_equal(kept(cache), OTHER)


def test_a_cache_that_cannot_be_written_is_no_loss(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    cache = EventCache.of_user()
    assert np.array_equal(kept(cache, make=lambda: ROWS), ROWS)
    assert np.array_equal(kept(cache), OTHER)
