"""The Merkle tree of RFC 6962 section 2.1 with SHA-256. Pure: no storage, no clock.

A tree over n leaves splits at the largest power of two below n. Hashes are 32 raw bytes.
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
