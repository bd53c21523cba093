"""Proofs that an entry is in a tree, and that a tree only grew (RFC 6962 section 2.1). Pure.

An audit path runs from the leaf up; hashes are 32 raw bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from muhafiz.audit.rules import node_hash, tree_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf `index` (section 2.1.1).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"No leaf {index} in a tree of {len(leaves)}.")
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion_proof(index, leaves[:middle]), tree_root(leaves[middle:])]
    return [*inclusion_proof(index - middle, leaves[middle:]), tree_root(leaves[:middle])]


def proves_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` leads from leaf hash `leaf` at `index` to `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(earlier: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree over `leaves` began as its first `earlier` leaves (2.1.2).

    Raises:
        IndexError: `earlier` is not within 1 … len(leaves).
    """
    if not 1 <= earlier <= len(leaves):
        raise IndexError(f"No tree of {earlier} leaves within one of {len(leaves)}.")
    return _subproof(earlier, leaves, whole=True)


def _subproof(earlier: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if whole else [tree_root(leaves)]
    middle = _split(len(leaves))
    if earlier <= middle:
        return [*_subproof(earlier, leaves[:middle], whole=whole), tree_root(leaves[middle:])]
    right = _subproof(earlier - middle, leaves[middle:], whole=False)
    return [*right, tree_root(leaves[:middle])]


def proves_consistency(
    earlier: int, size: int, proof: Sequence[bytes], earlier_root: bytes, root: bytes
) -> bool:
    """Whether the tree only grew from `earlier` to `size` leaves (RFC 9162, 2.1.4.2)."""
    if not 1 <= earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == root
    path = [earlier_root, *proof] if earlier.bit_count() == 1 else list(proof)
    return bool(path) and _climb(earlier, size, path) == (earlier_root, root)


def _climb(earlier: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency path leads to; None when its length does not fit."""
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, node)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None
