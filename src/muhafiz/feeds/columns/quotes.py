"""Whether a block's quotation marks are sound, told for the whole block at once.

Sixty-four bytes become one word with a bit for each (as in G. Langdale, D. Lemire, "Parsing
Gigabytes of JSON per Second", VLDB Journal 28, 2019): which bytes stand inside quotation marks is
then a running exclusive-or. Nearly every block is sound; of one that is not, `csv_rows` finds the
rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LINE_FEED, _RETURN, _QUOTE = 10, 13, 34
_PIECE = 1 << 19  # bytes worked at a time: they fit the processor's cache; whole words
_WORD = 64
_ALL = np.uint64(2**64 - 1)
_ONE, _TOP = np.uint64(1), np.uint64(_WORD - 1)

_Words = npt.NDArray[np.uint64]


def sound_quotes(data: bytes, delimiter: int) -> bool:
    """Whether every mark opens or closes a field or is doubled, and no line feed stands inside.

    Marks that open alternate with marks that close. Before one that opens stands `delimiter`, a
    line feed or a mark (or nothing); behind one that closes any of these or a carriage return.
    """
    cells = np.frombuffer(data, np.uint8)
    returns = b"\r" in data
    inside = False
    for start in range(0, len(cells), _PIECE):
        end = start + _PIECE
        piece = cells[start:end]
        marks, feeds = piece == _QUOTE, piece == _LINE_FEED
        edges = marks | feeds | (piece == delimiter)
        opens = _packed(edges)
        closes = _packed(edges | (piece == _RETURN)) if returns else opens
        borders = {delimiter, _LINE_FEED, _QUOTE}
        within = _within(found := _packed(marks), inside=inside)
        bad = found & within & ~_after(opens, first=start == 0 or cells[start - 1] in borders)
        borders.add(_RETURN)
        last = end >= len(cells) or int(cells[end]) in borders
        bad |= found & ~within & ~_before(closes, len(piece), last=last)
        bad |= within & _packed(feeds)
        if bad.any():
            return False
        inside = bool(within[-1] >> _TOP)
    return not inside


def _packed(flags: npt.NDArray[np.bool_]) -> _Words:
    """A bit for each flag, the first the lowest; the last word is filled up with zeros."""
    packed = np.packbits(flags, bitorder="little")
    missing = -len(packed) % (_WORD // 8)
    return (np.pad(packed, (0, missing)) if missing else packed).view("<u8")


def _within(marks: _Words, *, inside: bool) -> _Words:
    """Bits from each mark that opens up to the one before its closing; `inside`: it begins so."""
    words = marks.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(shift)
    odd = (words >> _TOP).astype(bool)
    turned = np.logical_xor.accumulate(np.concatenate(([inside], odd[:-1])))
    words[turned] ^= _ALL
    return words


def _after(edges: _Words, *, first: bool) -> _Words:
    """Bits of what stands behind an edge."""
    words = edges << _ONE
    words[1:] |= edges[:-1] >> _TOP
    words[0] |= np.uint64(first)
    return words


def _before(edges: _Words, length: int, *, last: bool) -> _Words:
    """Bits of what stands before an edge; `length` bits count."""
    words = edges >> _ONE
    words[:-1] |= edges[1:] << _TOP
    words[-1] |= np.uint64(last) << np.uint64((length - 1) % _WORD)
    return words
