"""The longest claimed suffix of each name, for a whole column at once.

A name is read from its end: every byte stands for a random word by its distance from there, and
the sum of a suffix's words is its hash (simple tabulation, as in M. Patrascu, M. Thorup, "The Power
of Simple Tabulation Hashing", 2011). One running sum gives the hashes of all suffixes of all names.
The words are drawn anew in each process, so nobody outside can make two names collide; what the
hashes find is compared byte by byte all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.int32]
_Bytes = npt.NDArray[np.uint8]
_Ints = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]

_LONGEST = 256  # a domain name has at most 253 bytes (RFC 1035)
_VALUES = 256
_DOT = ord(".")
_PIECE = 1 << 16  # letters worked at a time: their words fit the processor's cache
_WORDS: _Words = np.random.default_rng().integers(  # seeded by the system's entropy
    0, 2**64, _LONGEST * _VALUES, np.uint64
)


@dataclass(frozen=True, slots=True)
class Suffixes:
    """Claimed names, hashed: `order` puts their hashes in ascending order."""

    letters: _Bytes
    ends: _Ints
    hashes: _Words  # ascending
    order: _Ints
    firsts: _Ints  # by the upper bits of a hash: the first place in `hashes` that has them
    shift: np.uint64

    @classmethod
    def of(cls, names: pa.Array) -> Suffixes:
        """Index distinct, normalized names."""
        letters, ends = _string_bytes(names)
        every = np.arange(len(names))
        hashes = _hashes(letters, ends, every, ends[:-1])
        order = np.argsort(hashes)
        bits = max(1, len(names).bit_length() + 1)
        shift = np.uint64(64 - bits)
        firsts = np.searchsorted(hashes[order] >> shift, np.arange(2**bits + 1, dtype=np.uint64))
        return cls(letters, ends, hashes[order], order, firsts, shift)

    def longest(self, names: pa.Array, most_labels: int) -> _Ints:
        """The place of each name's longest claimed suffix of up to `most_labels` labels, or -1.

        Suffixes begin at a label: "example.org" covers "www.example.org", not "anexample.org".
        """
        letters, ends = _string_bytes(names)
        found = np.full(len(names), -1, np.int64)
        owners, starts = _beginnings(letters, ends, most_labels)
        places = self._places(_hashes(letters, ends, owners, starts))
        hit = np.flatnonzero(places >= 0)
        hit = hit[self._same(places[hit], letters, starts[hit], ends[owners[hit] + 1])]
        found[owners[hit]] = places[hit]  # longer suffixes stand behind shorter ones
        return found

    def _places(self, hashes: _Words) -> _Ints:
        """The place of the claimed name with each hash, or -1."""
        found = np.full(len(hashes), -1, np.int64)
        upper = (hashes >> self.shift).astype(np.int64)
        at, behind = self.firsts[upper], self.firsts[upper + 1]
        asked = np.flatnonzero(at < behind)
        while asked.size:
            equal = self.hashes[at[asked]] == hashes[asked]
            found[asked[equal]] = self.order[at[asked[equal]]]
            asked = asked[~equal]
            at[asked] += 1
            asked = asked[at[asked] < behind[asked]]
        return found

    def _same(
        self, places: _Ints, letters: _Bytes, starts: _Ints, ends: _Ints
    ) -> npt.NDArray[np.bool_]:
        """Which claimed names are, byte by byte, what stands between `starts` and `ends`."""
        first, lengths = self.ends[places], ends - starts
        same: npt.NDArray[np.bool_] = self.ends[places + 1] - first == lengths
        lengths = np.where(same, lengths, 0)
        begins = np.cumsum(lengths) - lengths
        within = np.arange(int(lengths.sum())) - np.repeat(begins, lengths)
        mine = letters[np.repeat(starts, lengths) + within]
        claimed = self.letters[np.repeat(first, lengths) + within]
        same[np.repeat(np.arange(len(places)), lengths)[mine != claimed]] = False
        return same


def _beginnings(letters: _Bytes, ends: _Ints, most_labels: int) -> tuple[_Ints, _Ints]:
    """Where the suffixes of up to `most_labels` labels begin: whose, where; the shortest first."""
    dots = np.flatnonzero(letters == _DOT)
    owners = np.searchsorted(ends, dots, side="right") - 1
    behind = np.searchsorted(dots, ends[1:])  # dots up to the end of each name
    labels = behind[owners] - np.arange(len(dots))  # of the suffix behind each dot
    near = labels <= most_labels
    counts = np.diff(np.concatenate(([0], behind))) + 1
    whole = np.flatnonzero(counts <= most_labels)
    # Reversed: of one name, the suffix behind a later dot is the shorter one.
    return (
        np.concatenate((owners[near][::-1], whole)),
        np.concatenate((dots[near][::-1] + 1, ends[whole])),
    )


def _hashes(letters: _Bytes, ends: _Ints, owners: _Ints, starts: _Ints) -> _Words:
    """The hash of what stands between each start and the end of its name."""
    sums = np.zeros(len(letters) + 1, np.uint64)
    for first in range(0, len(letters), _PIECE):
        last = min(first + _PIECE, len(letters))
        one, other = np.searchsorted(ends, (first, last - 1), side="right") - 1
        begins, stops = ends[one : other + 1], ends[one + 1 : other + 2]
        within = np.minimum(stops, last) - np.maximum(begins, first)
        at = np.repeat(stops - 1, within) - np.arange(first, last)
        at *= _VALUES
        at += letters[first:last]
        np.take(_WORDS, at, out=sums[first + 1 : last + 1], mode="clip")
    np.cumsum(sums, out=sums)
    hashes: _Words = sums[ends[owners + 1]] - sums[starts]
    return hashes


def _string_bytes(names: pa.Array) -> tuple[_Bytes, _Ints]:
    """The bytes of all names end to end, and where each starts and the last ends."""
    _, offsets, data = names.buffers()
    ends = np.frombuffer(offsets, np.int32)[names.offset :][: len(names) + 1].astype(np.int64)
    letters = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
    return letters, ends - ends[0]
