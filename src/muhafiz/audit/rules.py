"""The Merkle tree of RFC 6962 section 2.1 with SHA-256: heads, inclusion and consistency.

Pure: no storage, no clock. A tree over n leaves splits at the largest power of two below n.
Hashes are 32 raw bytes; an audit path runs from the leaf up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry's canonical bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a writer must know of a tree of `size` leaves: its complete subtrees' roots.

    `hashes` runs from the largest subtree to the smallest, one for each bit set in `size`.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"{len(self.hashes)} subtrees cannot make a tree of {self.size}.")

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes are appended in order."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            node, below = leaf, size
            while below & 1:
                node = node_hash(hashes.pop(), node)
                below >>= 1
            hashes.append(node)
            size += 1
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """The tree's head, a hash over all its leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node

    def packed(self) -> bytes:
        """The subtrees' hashes in one string of bytes, as stored."""
        return b"".join(self.hashes)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> Frontier:
        """Read what `packed` wrote.

        Raises:
            ValueError: the bytes do not fit a tree of `size` leaves.
        """
        cut = range(0, len(packed), HASH_BYTES)
        return cls(size, tuple(packed[at : at + HASH_BYTES] for at in cut))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The head of a tree over these leaf hashes."""
    return Frontier().extended(leaves).root()


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
