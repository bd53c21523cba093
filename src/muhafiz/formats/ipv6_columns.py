"""IPv6 texts (RFC 4291 section 2.2) read a column at a time.

Hexadecimal groups with at most one "::" are read here, all rows at once; everything else (dotted
tails, zone ids, nonsense) is left to the C library, row by row.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_Bytes = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int64]

_GROUPS = 8
_LONGEST_GROUP = 4
_AT_END = 2  # empty groups of a text that begins or ends with "::"
_NOTHING = 0xFF
_MAPPED_AT, _MAPPED = 5, 0xFFFF  # the sixth group, when five zeros stand before it
_HEX = np.full(256, _NOTHING, np.uint8)
for _digit in "0123456789abcdefABCDEF":
    _HEX[ord(_digit)] = int(_digit, 16)


@dataclass(frozen=True, slots=True)
class V6Column:
    """Parallel to the texts: 16 bytes each, which rows are IPv6, which are canonical already.

    Canonical is RFC 5952, and never an IPv4-mapped address.
    """

    packed: _Bytes
    known: _Mask
    canonical: _Mask


@dataclass(frozen=True, slots=True)
class _Cut:
    """Texts cut at their colons: `starts` and `widths` by group, the rest by row."""

    starts: _Ints
    widths: _Ints
    firsts: _Ints  # each row's first group
    counts: _Ints
    empties: _Ints
    gaps: _Ints  # the first empty group's place in its row, or the number of groups
    led: _Mask  # the text begins with a colon
    trailed: _Mask


def read_v6(texts: pa.Array, letters: _Bytes, offsets: _Ints) -> V6Column:
    """Read texts, none NULL, whose bytes are `letters` from and to `offsets`."""
    cut = _cut(letters, offsets)
    sound = _sound(letters, offsets, cut)
    words, short = _words(letters, cut, sound)
    packed = words.astype(">u2").view(np.uint8).reshape(-1, 2 * _GROUPS)
    canonical = sound & short & _tight(words, cut)
    known = sound
    for row in np.flatnonzero(~sound).tolist():
        found = _one(texts[row].as_py())
        if found is not None:
            known[row] = True
            packed[row] = np.frombuffer(found, np.uint8)
    return V6Column(packed, known, canonical)


def _cut(letters: _Bytes, offsets: _Ints) -> _Cut:
    base = int(offsets[0])
    used = letters[base : int(offsets[-1])]
    starts_of_rows, ends_of_rows = offsets[:-1] - base, offsets[1:] - base
    colons = np.flatnonzero(used == ord(":"))
    before = np.searchsorted(colons, offsets - base)
    counts = np.diff(before) + 1
    firsts = np.cumsum(counts) - counts
    starts = np.empty(int(counts.sum()), np.int64)
    stops = np.empty_like(starts)
    inner = np.ones(len(starts), bool)
    inner[firsts] = False
    starts[inner] = colons + 1
    starts[firsts] = starts_of_rows
    lasts = firsts + counts - 1
    inner[:] = True
    inner[lasts] = False
    stops[inner] = colons
    stops[lasts] = ends_of_rows
    widths = stops - starts
    empty = widths == 0
    places = np.arange(len(starts)) - np.repeat(firsts, counts)
    gaps = np.minimum.reduceat(np.where(empty, places, np.repeat(counts, counts)), firsts)
    return _Cut(
        starts=starts + base,
        widths=widths,
        firsts=firsts,
        counts=counts,
        empties=np.add.reduceat(empty.astype(np.int64), firsts),
        gaps=gaps,
        led=empty[firsts],
        trailed=empty[lasts],
    )


def _sound(letters: _Bytes, offsets: _Ints, cut: _Cut) -> _Mask:
    """Rows of hexadecimal groups, eight of them or fewer around one "::"."""
    base = int(offsets[0])
    used = letters[base : int(offsets[-1])]
    strange = (_HEX[used] == _NOTHING) & (used != ord(":"))
    wide = np.maximum.reduceat(cut.widths, cut.firsts) > _LONGEST_GROUP
    whole = (cut.empties == 0) & (cut.counts == _GROUPS)
    middle = (cut.empties == 1) & ~cut.led & ~cut.trailed & (cut.counts <= _GROUPS)
    at_end = (cut.empties == _AT_END) & (cut.led ^ cut.trailed) & (cut.counts <= _GROUPS + 1)
    at_end &= np.where(cut.led, _second_empty(cut), cut.gaps == cut.counts - _AT_END)
    sound: _Mask = (whole | middle | at_end) & ~wide
    if strange.any():
        rows = np.searchsorted(offsets, np.flatnonzero(strange) + base, side="right") - 1
        sound[rows] = False
    return sound


def _second_empty(cut: _Cut) -> _Mask:
    second = np.minimum(cut.firsts + 1, len(cut.widths) - 1)
    found: _Mask = cut.widths[second] == 0
    return found


def _words(letters: _Bytes, cut: _Cut, sound: _Mask) -> tuple[npt.NDArray[np.uint16], _Mask]:
    """The eight groups of each sound row, and whether all are written as short as may be."""
    rows = np.repeat(np.arange(len(cut.counts)), cut.counts)
    places = np.arange(len(rows)) - np.repeat(cut.firsts, cut.counts)
    slots = np.where(places > cut.gaps[rows], places + _GROUPS - cut.counts[rows], places)
    told = np.flatnonzero(sound[rows] & (cut.widths > 0))
    starts, widths, rows = cut.starts[told], cut.widths[told], rows[told]
    values = np.zeros(len(told), np.uint16)
    for place in range(_LONGEST_GROUP):
        there = widths > place
        digit = _HEX[letters[np.where(there, starts + place, starts)]]
        values = np.where(there, values << np.uint16(4) | digit, values)
    words = np.zeros((len(cut.counts), _GROUPS), np.uint16)
    words[rows, slots[told]] = values
    first = letters[starts]
    long = (first == ord("0")) & (widths > 1)
    short = np.ones(len(cut.counts), bool)
    short[rows[long]] = False
    capital = np.flatnonzero((letters >= ord("A")) & (letters <= ord("F")))
    if len(capital):
        ends = np.append(cut.starts[cut.firsts], len(letters))
        found = np.searchsorted(ends, capital, side="right") - 1
        short[found[found >= 0]] = False
    return words, short


def _tight(words: npt.NDArray[np.uint16], cut: _Cut) -> _Mask:
    """Rows where "::" stands for the first longest run of zeros, two at least, if there is one."""
    run: Any = np.zeros(len(words), np.int64)
    best, start = run.copy(), run.copy()
    for place in range(_GROUPS):
        run = (run + 1) * (words[:, place] == 0)
        longer = run > best
        best = np.where(longer, run, best)
        start = np.where(longer, place + 1 - run, start)
    left_out = np.where(cut.empties == 0, 0, _GROUPS - cut.counts + cut.empties)
    tight = np.where(best > 1, (left_out == best) & (cut.gaps == start), left_out == 0)
    mapped = (words[:, :_MAPPED_AT] == 0).all(axis=1) & (words[:, _MAPPED_AT] == _MAPPED)
    found: _Mask = tight & ~mapped
    return found


def _one(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):  # ValueError: a NUL within
        return None
