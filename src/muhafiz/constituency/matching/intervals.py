"""Nested prefixes as disjoint intervals, and the search in them.

Prefixes are nested or disjoint, never half-way overlapping. So one sweep over them, sorted by
start and then from wide to narrow, cuts the address space into intervals of which each knows its
narrowest prefix; and each prefix knows the next wider one around it. Longest-prefix match is then
one binary search, for a whole column of addresses at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
Halves = npt.NDArray[np.uint64]
_HALF = 64
_HALF_MASK = 2**_HALF - 1
NOBODY = -1


def flatten(
    starts: Sequence[int], lengths: Sequence[int], bits: int
) -> tuple[list[int], list[int], list[int]]:
    """Cut an address space of `bits` bits into disjoint intervals.

    Args:
        starts: the first address of each prefix, distinct prefixes sorted by (start, length).
        lengths: their prefix lengths.
        bits: 32 or 128.

    Returns:
        The intervals' first addresses, ascending from 0; the narrowest prefix (its place in
        `starts`) of each or -1; and for every prefix the narrowest one around it or -1.
    """
    bounds, tops, parents = [0], [NOBODY], [NOBODY] * len(starts)
    open_ends: list[int] = []
    open_rows: list[int] = []

    def cut(at: int, row: int) -> None:
        if bounds[-1] == at:
            tops[-1] = row
        elif tops[-1] != row:
            bounds.append(at)
            tops.append(row)

    def close(upto: int) -> None:
        while open_ends and open_ends[-1] <= upto:
            end = open_ends.pop()
            open_rows.pop()
            cut(end, open_rows[-1] if open_rows else NOBODY)

    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        close(start)
        parents[row] = open_rows[-1] if open_rows else NOBODY
        cut(start, row)
        open_ends.append(start + (1 << (bits - length)))
        open_rows.append(row)
    close((1 << bits) - 1)  # what ends with the space itself needs no closing bound
    return bounds, tops, parents


def split_halves(bounds: Sequence[int]) -> tuple[Halves, Halves]:
    """128-bit numbers as their upper and lower 64 bits."""
    high = np.array([bound >> _HALF for bound in bounds], np.uint64)
    low = np.array([bound & _HALF_MASK for bound in bounds], np.uint64)
    return high, low


def find_v4(bounds: npt.NDArray[np.uint32], addresses: npt.NDArray[np.uint32]) -> Rows:
    """The interval of each address; `bounds` ascend from 0."""
    order = np.argsort(addresses)  # in order, one search starts where the last one ended
    found = np.empty(len(addresses), np.int32)
    found[order] = np.searchsorted(bounds, addresses[order], side="right") - 1
    return found


def find_v6(bounds: tuple[Halves, Halves], addresses: tuple[Halves, Halves]) -> Rows:
    """The interval of each address given as halves; `bounds` ascend from 0.

    The upper halves narrow the search to the bounds that share them; within, all addresses are
    halved towards their place at the same time.
    """
    low_bounds = bounds[1]
    first = np.searchsorted(bounds[0], addresses[0], side="left")
    last = np.searchsorted(bounds[0], addresses[0], side="right")
    while (unsure := np.flatnonzero(first < last)).size:
        middle = (first[unsure] + last[unsure]) // 2
        before = low_bounds[middle] <= addresses[1][unsure]
        first[unsure] = np.where(before, middle + 1, first[unsure])
        last[unsure] = np.where(before, last[unsure], middle)
    return (first - 1).astype(np.int32)
