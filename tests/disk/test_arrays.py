"""Arrays in a sealed file: they come back as they were, and no block is believed unchecked."""

from __future__ import annotations

import hashlib
import os
import tracemalloc

import numpy as np
import pytest

from gen.disk import arrays, seals
from gen.disk.arrays import BLOCK_BYTES, SealedArrays, SpoiledError, StoredArray

LONG = np.arange(20_000, dtype=np.int64)


@pytest.fixture
def file(tmp_path):
    file = SealedArrays(tmp_path / "kept", "numbers")
    rows = np.arange(12_000, dtype=np.int32).reshape(-1, 3)
    nothing = np.zeros((0, 4), dtype=np.int16)
    file.write({"name": "ana", "parts": [{"long": LONG}, {"rows": rows}], "nothing": nothing})
    return file


@pytest.fixture
def checked(monkeypatch):
    """How many bytes are hashed."""
    sizes, sha256 = [], hashlib.sha256

    def counted(data=b""):
        sizes.append(len(data))
        return sha256(data)

    monkeypatch.setattr(arrays.hashlib, "sha256", counted)
    return sizes


def long(file) -> StoredArray:
    return file.read()["parts"][0]["long"]


def test_values_and_arrays_come_back(file):
    state = file.read()
    rows = state["parts"][1]["rows"]
    assert state["name"] == "ana"
    assert np.array_equal(long(file).all, LONG)
    assert rows.dtype == np.int32
    assert rows.all.tolist() == np.arange(12_000).reshape(-1, 3).tolist()
    assert rows.at(np.array([[3_999], [0]])).tolist() == [[[11997, 11998, 11999]], [[0, 1, 2]]]
    assert state["nothing"].all.shape == (0, 4)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_asked_for_is_as_in_memory(file, seed):
    chance, kept = np.random.default_rng(seed), long(file)
    for _ in range(20):
        first, end = np.sort(chance.integers(0, len(LONG) + 1, 2)).tolist()
        places = chance.integers(0, len(LONG), chance.integers(0, 9))
        assert np.array_equal(kept.span(first, end), LONG[first:end])
        assert np.array_equal(kept.at(places), LONG[places])
        starts = np.sort(chance.integers(0, len(LONG) - 3_000, 4))
        sizes = chance.integers(1, 3_000, 4)
        found = kept.spans(starts, starts + sizes)
        assert [each.tolist() for each in found] == [
            LONG[a : a + n].tolist() for a, n in zip(starts, sizes, strict=True)
        ]


def test_what_is_not_there_is_no_value(file):
    kept = long(file)
    assert len(kept.span(len(LONG), len(LONG))) == 0
    assert kept.span(len(LONG) - 3, len(LONG) + 9).tolist() == LONG[-3:].tolist()
    with pytest.raises(IndexError):
        kept.at(np.array([len(LONG)]))


def test_no_more_is_read_than_is_asked_for(file, checked):
    kept = long(file)
    checked.clear()
    assert kept.at(np.array([5, 6, 19_000])).tolist() == [5, 6, 19_000]
    assert checked == [BLOCK_BYTES, BLOCK_BYTES]
    kept.span(0, 1_000)
    assert len(checked) == 2


def test_a_changed_block_is_found_when_it_is_needed(file):
    kept = file.path.read_bytes()
    place = kept.index(LONG[15_000:15_010].tobytes())
    file.path.write_bytes(kept[:place] + b"\xff" + kept[place + 1 :])
    assert long(file).span(0, 1_000).tolist() == list(range(1_000))
    found = long(file)
    with pytest.raises(SpoiledError, match="removed") as refused:
        found.span(14_000, 16_000)
    assert refused.value.where == str(file.path)
    assert not file.path.exists()
    assert file.read() is None


def test_a_block_in_the_place_of_another_is_found(file):
    kept = bytearray(file.path.read_bytes())
    kept[:BLOCK_BYTES], kept[BLOCK_BYTES : 2 * BLOCK_BYTES] = (
        kept[BLOCK_BYTES : 2 * BLOCK_BYTES],
        kept[:BLOCK_BYTES],
    )
    file.path.write_bytes(kept)
    with pytest.raises(SpoiledError):
        long(file).span(0, 10)


def test_what_was_read_stays_as_it_was_checked(file):
    kept = long(file)
    kept.span(0, 10)
    with file.path.open("r+b") as same:
        same.write(b"\xff" * 100)
    assert kept.span(0, 10).tolist() == list(range(10))


def test_a_file_that_took_its_place_changes_nothing_that_was_opened(file):
    kept = long(file)
    file.write({"parts": [{"long": -LONG}]})
    assert np.array_equal(kept.all, LONG)
    assert np.array_equal(long(file).all, -LONG)


@pytest.mark.parametrize("change", [
    lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    lambda data: data[:-1],
    lambda data: data[:-41] + bytes([data[-41] ^ 1]) + data[-40:],
    lambda data: data[:-35] + b"\xff" + data[-34:],
    lambda data: data[:20],
    lambda data: b"",
])  # fmt: skip
def test_a_changed_head_is_as_if_nothing_were_there(file, change):
    file.path.write_bytes(change(file.path.read_bytes()))
    assert file.read() is None


def test_a_head_that_claims_to_be_huge_is_not_read(file):
    size = 1 << 29
    with file.path.open("wb") as sparse:
        sparse.truncate(size)
        sparse.seek(size)
        sparse.write(size.to_bytes(8, "little") + bytes(seals.SEAL_BYTES))
    tracemalloc.start()
    try:
        assert file.read() is None
        assert tracemalloc.get_traced_memory()[1] < size // 8
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be copied here")
def test_what_a_copy_of_the_process_does_changes_nothing_that_was_checked(file):
    kept = long(file)
    checked = kept.span(0, 10)
    child = os.fork()
    if not child:
        checked[:] = -1
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert kept.span(0, 10).tolist() == list(range(10))


def test_where_an_open_file_can_not_be_replaced_it_is_read_whole_and_closed(file, monkeypatch):
    monkeypatch.setattr(arrays, "IS_WINDOWS", True)
    kept = long(file)
    assert kept._body._file.closed
    file.path.write_bytes(b"\xff" + file.path.read_bytes()[1:])
    assert np.array_equal(kept.all, LONG)
    assert file.read() is None


def test_another_kind_or_another_user_reads_nothing(file):
    assert SealedArrays(file.path, "letters").read() is None
    seals.secret_path().write_bytes(b"x" * 32)
    assert file.read() is None


def test_nothing_but_arrays_and_plain_values_is_kept(file):
    with pytest.raises(TypeError, match="a complex in a state"):
        file.write({"number": 1j})
