"""The tree against RFC 6962 read literally, and against certificate transparency's own vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.audit.proofs import (
    consistency_proof,
    inclusion_proof,
    proves_consistency,
    proves_inclusion,
)
from muhafiz.audit.rules import EMPTY_ROOT, Frontier, leaf_hash, node_hash, tree_root

# The leaves and roots of certificate-transparency's merkle tree tests.
CT_LEAVES = [
    bytes.fromhex(text)
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
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(entries: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


ENTRIES = [f"entry {number}".encode() for number in range(65)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def test_certificate_transparency_vectors():
    for count, root in enumerate(CT_ROOTS, start=1):
        assert tree_root([leaf_hash(leaf) for leaf in CT_LEAVES[:count]]).hex() == root


def test_the_empty_tree():
    assert Frontier().root() == EMPTY_ROOT == naive_root([])


def test_every_prefix_up_to_64_matches_the_naive_tree():
    frontier = Frontier()
    for size in range(65):
        assert frontier.root() == naive_root(ENTRIES[:size])
        assert Frontier.unpacked(size, frontier.packed()) == frontier
        frontier = frontier.extended([LEAVES[size]])


@given(st.lists(st.binary(max_size=40), max_size=64), st.data())
@settings(max_examples=60)
def test_appending_in_portions_gives_the_same_tree(entries, data):
    cut = data.draw(st.integers(0, len(entries)))
    leaves = [leaf_hash(entry) for entry in entries]
    grown = Frontier().extended(leaves[:cut]).extended(leaves[cut:])
    assert grown.root() == naive_root(entries)


def test_inclusion_of_every_leaf_in_every_tree():
    for size in range(1, 40):
        root = tree_root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, LEAVES[:size])
            assert proves_inclusion(LEAVES[index], index, size, proof, root)
            assert not proves_inclusion(LEAVES[64], index, size, proof, root)
            assert not proves_inclusion(LEAVES[index], index, size, [*proof, root], root)
            if proof:
                assert not proves_inclusion(LEAVES[index], index, size, proof[:-1], root)


def test_consistency_of_every_pair_of_trees():
    for size in range(1, 40):
        root = tree_root(LEAVES[:size])
        for earlier in range(1, size + 1):
            old = tree_root(LEAVES[:earlier])
            proof = consistency_proof(earlier, LEAVES[:size])
            assert proves_consistency(earlier, size, proof, old, root)
            assert not proves_consistency(earlier, size, proof, LEAVES[64], root)
            assert not proves_consistency(earlier, size, proof, old, LEAVES[64])
            assert not proves_consistency(earlier, size, [*proof, root], old, root)


@given(st.integers(2, 64), st.data())
@settings(max_examples=60)
def test_a_changed_proof_proves_nothing(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, LEAVES[:size])
    broken = data.draw(st.integers(0, len(proof) - 1))
    proof[broken] = node_hash(proof[broken], proof[broken])
    assert not proves_inclusion(LEAVES[index], index, size, proof, tree_root(LEAVES[:size]))


def test_what_is_not_there_has_no_proof():
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(index, LEAVES[:3])
    for earlier in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(earlier, LEAVES[:3])
    assert not proves_inclusion(LEAVES[0], 3, 3, [], tree_root(LEAVES[:3]))
    assert not proves_consistency(0, 3, [], EMPTY_ROOT, tree_root(LEAVES[:3]))


def test_a_frontier_that_does_not_fit_its_size_is_refused():
    with pytest.raises(ValueError, match="cannot make a tree"):
        Frontier.unpacked(3, b"\0" * 32)
