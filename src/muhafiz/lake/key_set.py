"""A set of event keys that grows by whole columns and answers for whole columns.

The keys are sorted runs. Since keys are salted hashes, their upper bits are spread evenly: a bit
for each place among those (the sieve) tells of nearly every new key that it is new, and only what
is not told so is looked for in the runs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from muhafiz.lake.identity import Int64s, Mask

_KEY_BITS = 64
_FEWEST_BITS = 13  # the smallest sieve has 2^13 bits
_ROOM = 8  # bits of the sieve for each key, at least: one new key in eight at most passes it
_PORTION = 1 << 17  # so many keys are marked at once: what that needs stays small
_GROWTH = 2  # a run is merged into the one below once that is less than this times longer


class KeySet:
    """Keys, each once; 9 to 10 bytes a key."""

    def __init__(self, *runs: Int64s) -> None:
        self.runs: list[Int64s] = []
        self._bits = 0
        self._sieve = np.empty(0, np.uint8)
        for run in runs:
            self.add(run)

    def __len__(self) -> int:
        return sum(len(run) for run in self.runs)

    def add(self, keys: Int64s) -> None:
        """Take in sorted keys, none of which the set has."""
        if not len(keys):
            return
        self.runs.append(keys)
        self._make_room()
        self._mark(keys)
        while len(self.runs) > 1 and len(self.runs[-2]) < _GROWTH * len(self.runs[-1]):
            both = np.concatenate(self.runs[-2:])
            del self.runs[-2:]
            both.sort(kind="stable")  # two runs: one linear merge
            self.runs.append(both)

    def holds(self, keys: Int64s) -> Mask:
        """Which of the sorted `keys` are in the set."""
        found = np.zeros(len(keys), dtype=np.bool_)
        if self.runs and len(keys):
            places = self._places(keys)
            marked = self._sieve[places >> 3] >> (places & 7).astype(np.uint8) & 1
            maybe = np.flatnonzero(marked)
            needles = keys[maybe]
            for run in self.runs:
                found[maybe] |= members(run, needles)
        return found

    def _make_room(self) -> None:
        bits = max(_FEWEST_BITS, (len(self) * _ROOM - 1).bit_length())
        if bits == self._bits:
            return
        self._bits = bits
        self._sieve = np.zeros(1 << bits >> 3, np.uint8)
        for run in self.runs[:-1]:
            self._mark(run)

    def _places(self, keys: Int64s) -> npt.NDArray[np.int64]:
        """Each key's bit of the sieve; sorted like the keys."""
        places: npt.NDArray[np.int64] = keys >> (_KEY_BITS - self._bits)
        places += 1 << self._bits >> 1  # keys have a sign, places do not
        return places

    def _mark(self, keys: Int64s) -> None:
        for start in range(0, len(keys), _PORTION):
            places = self._places(keys[start : start + _PORTION])
            octets = places >> 3
            bits = np.left_shift(np.uint8(1), (places & 7).astype(np.uint8))
            while len(octets):  # of several bits in one octet each round sets one
                self._sieve[octets] |= bits
                left = np.flatnonzero(self._sieve[octets] & bits == 0)
                octets, bits = octets[left], bits[left]


def members(run: Int64s, needles: Int64s) -> Mask:
    """Which of the sorted `needles` stand in the sorted `run`."""
    if not len(run):
        return np.zeros(len(needles), dtype=np.bool_)
    places = np.searchsorted(run, needles)
    places[places == len(run)] = 0
    found: Mask = run[places] == needles
    return found
