"""The tree against the vectors that Certificate Transparency's own code is tested with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.provenance.signing.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Source: google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, ROOTS[3]]),
    (2, 3, [ROOTS[1]]),
    (1, 5, [ROOTS[0], B, D]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])]


def _bytes(texts):
    return [bytes.fromhex(text) for text in texts]


def test_roots_are_the_published_ones():
    assert root_of([]) == EMPTY_ROOT
    assert [root_of(LEAVES[:n]).hex() for n in range(1, 9)] == list(ROOTS)


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index, size, path):
    assert inclusion_proof(LEAVES[:size], index) == _bytes(path)
    root = bytes.fromhex(ROOTS[size - 1])
    assert verify_inclusion(LEAVES[index], index, size, _bytes(path), root)


@pytest.mark.parametrize(("old", "size", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old, size, path):
    assert consistency_proof(LEAVES[:size], old) == _bytes(path)
    roots = _bytes([ROOTS[old - 1], ROOTS[size - 1]])
    assert verify_consistency(old, roots[0], size, roots[1], _bytes(path))


@given(st.integers(1, 70), st.data())
def test_every_leaf_is_proved_and_no_other_is(size, data):
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path, root = inclusion_proof(leaves, index), root_of(leaves)
    assert verify_inclusion(leaves[index], index, size, path, root)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    assert not verify_inclusion(leaves[index], size, size, path, root)
    assert not verify_inclusion(leaves[index], index, size, [*path, root], root)
    other = data.draw(st.integers(0, size - 1))
    assert other == index or not verify_inclusion(leaves[index], other, size, path, root)


@given(st.integers(1, 70), st.data())
def test_every_prefix_is_proved_and_no_other_history_is(size, data):
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    old = data.draw(st.integers(1, size))
    path, root, old_root = consistency_proof(leaves, old), root_of(leaves), root_of(leaves[:old])
    assert verify_consistency(old, old_root, size, root, path)
    assert not verify_consistency(old, leaf_hash(b"another"), size, root, path)
    assert not verify_consistency(old, old_root, size, root, [*path, root])
    assert not verify_consistency(size + 1, old_root, size, root, path)
    if path:
        assert not verify_consistency(old, old_root, size, root, [])


@given(st.integers(0, 200))
def test_the_edge_alone_knows_the_root_and_grows(size):
    leaves = [leaf_hash(n.to_bytes(2, "big")) for n in range(size + 1)]
    edge = Frontier()
    for leaf in leaves[:-1]:
        edge.append(leaf)
    again = Frontier(edge.size, edge.hashes)
    again.append(leaves[-1])
    assert again.root() == root_of(leaves)


def test_impossible_requests_are_refused():
    with pytest.raises(IndexError, match="leaf 8 of 8"):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(IndexError, match="0 of 8"):
        consistency_proof(LEAVES, 0)
    with pytest.raises(ValueError, match="1 hashes"):
        Frontier(3, [EMPTY_ROOT])
