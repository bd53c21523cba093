"""Cutting a report into rows and blocks of rows, in order and in bounded memory.

A row ends at a line feed. Where rows may hold quoted line feeds (CSV), `joins` decides: two lines
with an odd number of quotation marks and all lines between them are one row only when `joins`
says that the joined bytes are a sound row; otherwise the first line stands alone (it will be set
aside) and the next line begins a new row. So one stray quotation mark costs one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from muhafiz.feeds.columns.aside import KEPT_BYTES, ROW_BYTES, Aside, LongRow
from muhafiz.feeds.sources import Block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

BLOCK_BYTES = 64 * 1024 * 1024
"""A block is closed before it would hold more bytes than this."""
_LINE_FEED, _QUOTE = 10, 34


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole rows: their bytes, each ending in a line feed, and the offset behind each.

    `folded`: a row may hold line feeds within.
    """

    data: bytes
    ends: Any
    folded: bool = True


def rows_of(lines: list[bytes]) -> Rows:
    """Rows of these bytes, which end in no line feed yet."""
    lengths = np.fromiter((len(line) + 1 for line in lines), np.int64, len(lines))
    return Rows(b"".join(line + b"\n" for line in lines), np.cumsum(lengths))


def cut_rows(
    chunks: Iterable[bytes],
    joins: Callable[[bytes], bool] | None = None,
    *,
    row_limit: int = ROW_BYTES,
) -> Iterator[Rows | LongRow]:
    """Whole rows as the chunks come; a row longer than `row_limit` comes as a `LongRow`."""
    carry = b""
    long: LongRow | None = None
    for chunk in chunks:
        buffer = chunk
        if long is not None:
            head, line_feed, buffer = chunk.partition(b"\n")
            long.feed(head)
            if not line_feed:
                continue
            yield long
            long = None
        rows, carry = _whole_rows(carry, buffer, joins)
        yield rows
        if len(carry) > row_limit:
            long = LongRow()
            long.feed(carry)
            carry = b""
    if long is not None:
        yield long
    if carry:
        yield _whole_rows(carry, b"" if carry.endswith(b"\n") else b"\n", joins, last=True)[0]


def _whole_rows(
    carry: bytes, chunk: bytes, joins: Callable[[bytes], bool] | None, *, last: bool = False
) -> tuple[Rows, bytes]:
    """The rows that end in what was carried over and the chunk; and what is carried on."""
    cut = len(chunk) if last else chunk.rfind(b"\n") + 1
    if not cut and b"\n" not in carry:
        return Rows(b"", np.empty(0, np.int64)), carry + chunk
    # One copy of the rows, whatever is carried: the slice of a view is none.
    buffer, tail = b"".join((carry, memoryview(chunk)[:cut])), chunk[cut:]
    cells = np.frombuffer(buffer, np.uint8)
    ends = lines = np.flatnonzero(cells == _LINE_FEED) + 1
    if ends.size and joins is not None and b'"' in buffer:
        ends = _joined(buffer, cells, ends, joins, behind=None if last else len(tail))
    whole = int(ends[-1]) if ends.size else 0
    folded = len(ends) < len(lines)
    if whole == len(buffer):
        return Rows(buffer, ends, folded), tail
    return Rows(buffer[:whole], ends, folded), buffer[whole:] + tail


def _joined(
    buffer: bytes,
    cells: Any,
    ends: Ints,
    joins: Callable[[bytes], bool],
    *,
    behind: int | None,
) -> Ints:
    """The ends of rows; `behind`: bytes that follow and end in no row yet (None: the last)."""
    starts = np.concatenate(([0], ends[:-1]))
    quotes = (cells[: ends[-1]] == _QUOTE).view(np.uint8)
    odd = np.flatnonzero(np.bitwise_xor.reduceat(quotes, starts))
    if odd.size == 0:
        return ends
    keep = np.ones(ends.size, dtype=bool)
    at = 0
    while at + 1 < odd.size:
        first, final = int(odd[at]), int(odd[at + 1])
        begin, end = int(starts[first]), int(ends[final])
        if end - begin <= ROW_BYTES and joins(buffer[begin:end]):
            keep[first:final] = False
            at += 2
        else:
            at += 1
    open_bytes = 0 if at == odd.size else len(buffer) - int(starts[odd[at]]) + (behind or 0)
    if at < odd.size and behind is not None and open_bytes <= ROW_BYTES:
        keep[odd[at] :] = False  # its closing mark may come with the next chunk
    return ends[keep]


class _Gathering:
    """Rows on their way into the next block."""

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.rows = 0
        self.size = 0
        self.pieces: list[bytes] = []
        self.ends: list[Any] = []
        self.positions: list[Any] = []
        self.aside = Aside()
        self.folded = False

    def take(self, data: bytes, ends: Ints, *, folded: bool) -> None:
        """Append rows; `ends` are offsets in `data`."""
        self.folded |= folded
        begin = self.first_row + self.rows
        self.positions.append(np.arange(begin, begin + ends.size))
        self.ends.append(ends + self.size)
        self.pieces.append(data)
        self.size += len(data)
        self.rows += ends.size

    def take_long(self, long: LongRow) -> None:
        """Count a row that is too long, and set it aside."""
        self.aside.add(self.first_row + self.rows, "too-long", long.detail, long.head)
        self.rows += 1

    def block(self, number: int, shape: Any) -> Block:
        """The block, closed."""
        none = np.empty(0, np.int64)
        return Block(
            number=number,
            first_row=self.first_row,
            rows=self.rows,
            data=b"".join(self.pieces),
            ends=np.concatenate(self.ends) if self.ends else none,
            positions=np.concatenate(self.positions) if self.positions else none,
            apart=self.aside.table(),
            shape=shape,
            folded=self.folded,
        )


def gather_blocks(
    pieces: Iterable[Rows | LongRow],
    batch_rows: int,
    shape: Any = None,
    *,
    row_limit: int = ROW_BYTES,
    block_bytes: int | None = None,
) -> Iterator[Block]:
    """Blocks of `batch_rows` rows (fewer where `block_bytes` would be passed); at least one block.

    Blank lines are no rows and are not counted; a row longer than `row_limit` is set aside.
    Boundaries depend on the rows alone.
    """
    most = BLOCK_BYTES if block_bytes is None else block_bytes
    gathering = _Gathering(1)
    number = 0
    for piece in _short_rows(pieces, row_limit):
        done = 0
        while done < _count(piece):
            room = batch_rows - gathering.rows
            took = _take(gathering, piece, done, room, most) if room > 0 else 0
            if took == 0:
                yield gathering.block(number, shape)
                number += 1
                gathering = _Gathering(gathering.first_row + gathering.rows)
            done += took
    if gathering.rows or number == 0:
        yield gathering.block(number, shape)


def _count(piece: Rows | LongRow) -> int:
    return 1 if isinstance(piece, LongRow) else len(piece.ends)


def _take(gathering: _Gathering, piece: Rows | LongRow, done: int, room: int, most: int) -> int:
    """Move up to `room` rows into the block; 0 when it is full of bytes. One row always fits."""
    if isinstance(piece, LongRow):
        gathering.take_long(piece)
        return 1
    begin = int(piece.ends[done - 1]) if done else 0
    fits = int(np.searchsorted(piece.ends, begin + most - gathering.size, side="right"))
    if gathering.size == 0:
        fits = max(fits, done + 1)
    until = min(done + room, fits)
    if until <= done:
        return 0
    ends = piece.ends[done:until]
    whole = begin == 0 and int(ends[-1]) == len(piece.data)
    data = piece.data if whole else piece.data[begin : int(ends[-1])]
    gathering.take(data, ends - begin, folded=piece.folded)
    return until - done


def _short_rows(pieces: Iterable[Rows | LongRow], row_limit: int) -> Iterator[Rows | LongRow]:
    """The same rows without blank lines, over-long rows told apart."""
    for piece in pieces:
        if isinstance(piece, LongRow):
            yield piece
        elif len(piece.ends):
            yield from _told_apart(piece, row_limit)


def _told_apart(rows: Rows, row_limit: int) -> Iterator[Rows | LongRow]:
    starts = np.concatenate(([0], rows.ends[:-1]))
    lengths = rows.ends - starts
    odd = np.flatnonzero((lengths <= 2) | (lengths > row_limit))  # noqa: PLR2004 - CR and LF
    done = 0
    for at in odd.tolist():
        raw = rows.data[starts[at] : rows.ends[at]]
        if len(raw) <= KEPT_BYTES and raw.strip(b"\r\n"):
            continue
        if at > done:
            yield _slice(rows, done, at)
        if raw.strip(b"\r\n"):
            long = LongRow()
            long.feed(raw[:-1])
            yield long
        done = at + 1
    if done < len(rows.ends):
        yield _slice(rows, done, len(rows.ends))


def _slice(rows: Rows, first: int, until: int) -> Rows:
    begin = int(rows.ends[first - 1]) if first else 0
    ends = rows.ends[first:until]
    if begin == 0 and int(ends[-1]) == len(rows.data):
        return rows if first == 0 else Rows(rows.data, ends, rows.folded)
    return Rows(rows.data[begin : int(ends[-1])], ends - begin, rows.folded)


def chosen_lines(
    pieces: Iterable[Rows | LongRow], wanted: Callable[[bytes], bool]
) -> Iterator[Rows | LongRow]:
    """The rows that are wanted, and those too long to tell."""
    for piece in pieces:
        if isinstance(piece, LongRow):
            yield piece
            continue
        offsets = [0, *piece.ends.tolist()]
        lines = [piece.data[begin:end] for begin, end in pairwise(offsets)]
        kept = [line for line in lines if wanted(line)]
        if len(kept) == len(lines):
            yield piece
        elif kept:
            ends = np.cumsum([len(line) for line in kept], dtype=np.int64)
            yield Rows(b"".join(kept), ends, piece.folded)


def without_comments(pieces: Iterable[Rows | LongRow], mark: bytes) -> Iterator[Rows | LongRow]:
    """The rows without those that begin with `mark`."""
    for piece in pieces:
        plain = isinstance(piece, LongRow) or (
            not piece.data.startswith(mark) and b"\n" + mark not in piece.data
        )
        if plain:
            yield piece
        else:
            yield from chosen_lines([piece], lambda line: not line.startswith(mark))


def row_bytes(block: Block, index: int) -> bytes:
    """The bytes of the block's `index`th row (0-based) as they stood, without the line end."""
    begin = int(block.ends[index - 1]) if index else 0
    return block.data[begin : int(block.ends[index]) - 1].removesuffix(b"\r")
