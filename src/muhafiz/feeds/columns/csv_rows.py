"""Delimited text (RFC 4180) a block at a time: sound rows at once, doubtful rows one by one.

The bulk goes through Arrow's reader. A row is doubtful when its quotation marks do not pair up
field by field, when it spans lines, holds a bare carriage return, or is not UTF-8; such a row is
read alone by `split_row`, and is either accepted as a few fields of exact text or set aside.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from muhafiz.feeds.columns.aside import Aside
from muhafiz.feeds.columns.chunks import decode_row, utf8_chunks
from muhafiz.feeds.columns.coded import spelled_table
from muhafiz.feeds.columns.quotes import sound_quotes
from muhafiz.feeds.columns.records import (
    cut_rows,
    gather_blocks,
    row_bytes,
    without_comments,
)
from muhafiz.feeds.columns.splitting import split_escaped, split_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muhafiz.feeds.sources import Block, ParseContext

_LINE_FEED, _RETURN, _QUOTE = 10, 13, 34
_HEADER_LINES = 32
_CODED = pa.dictionary(pa.int32(), pa.string())
_MUCH, _HEAD = 1 << 20, 1 << 17  # bytes of a block that is sampled, and of its sample
_REPEATS = 4  # times that a text comes in the sample, where coding is worth it


@dataclass(frozen=True, slots=True)
class CsvShape:
    """What a report's beginning tells: the delimiter and the columns' names.

    `names` are unique, lower-cased, spaces and hyphens as underscores; a repeated name gets a
    number ("tag", "tag_2"), an empty one its place ("column_7"). `headed` is False when the
    report has no header line of known names. Where `quoting` is False a quotation mark is text.
    """

    delimiter: str
    names: tuple[str, ...]
    headed: bool = True
    quoting: bool = True

    def layout(self) -> str:
        """What decides which lines are rows, and so where each row lies."""
        return f"{self.delimiter}{len(self.names)}{' headed' if self.headed else ''}"

    def split(self, text: str) -> list[str] | None:
        """The fields of one row; see `split_row`."""
        return split_row(text, self.delimiter) if self.quoting else text.split(self.delimiter)

    def escaped(self, text: str) -> list[str] | None:
        """The fields of a row whose marks are escaped by strokes, when that gives all fields."""
        fields = split_escaped(text, self.delimiter) if "\\" in text else None
        return fields if fields is not None and len(fields) == len(self.names) else None


@dataclass(frozen=True, slots=True)
class FieldTable:
    """A block's fields: `rows` are row numbers, `fields` strings as they stood ("" = empty).

    A column whose texts repeat may be coded (see `coded`).
    """

    rows: Any
    fields: pa.Table
    aside: Aside


def csv_blocks(
    stream: BinaryIO,
    context: ParseContext,
    *,
    delimiter: str = ",",
    known: frozenset[str] = frozenset(),
    header: Sequence[str] | None = None,
    comment: str = "",
) -> Iterator[Block]:
    """Cut a delimited report into blocks; `shape` of each is a `CsvShape`.

    `header` names the columns of a report that has no header line. With `known`, a first line in
    which no known name occurs is no header: it counts as row 1, and `headed` is False. Lines that
    begin with `comment`, if that is anything, are no rows.
    """
    chunks = utf8_chunks(stream)
    mark = comment.encode()
    first = _behind_comments(next(chunks, b""), mark)
    if header is not None:
        shape, rest = CsvShape(delimiter, column_names(header)), first
    else:
        shape, rest = _read_header(first, delimiter, known)
    width = len(shape.names)

    def joins(raw: bytes) -> bool:
        text = decode_row(raw.removesuffix(b"\n").removesuffix(b"\r"))
        fields = None if text is None else split_row(text, delimiter)
        return fields is not None and (len(fields) == width or not shape.headed)

    def bodies() -> Iterator[bytes]:
        yield rest
        yield from chunks

    pieces = cut_rows(bodies(), joins)
    pieces = without_comments(pieces, mark) if mark else pieces
    return gather_blocks(pieces, context.batch_rows, shape)


def _behind_comments(first: bytes, mark: bytes) -> bytes:
    """A report's beginning without blank lines and comments before the header."""
    first = first.lstrip(b"\r\n")
    while mark and first.startswith(mark):
        first = first.partition(b"\n")[2].lstrip(b"\r\n")
    return first


def _read_header(first: bytes, delimiter: str, known: frozenset[str]) -> tuple[CsvShape, bytes]:
    end = -1
    for _ in range(_HEADER_LINES):
        end = first.find(b"\n", end + 1)
        line = first if end < 0 else first[:end]
        if line.count(b'"') % 2 == 0 or end < 0:
            break
    rest = b"" if end < 0 else first[end + 1 :]
    text = decode_row(line.removesuffix(b"\r"))
    fields = None if text is None or "\0" in text else split_row(text, delimiter)
    names = column_names(fields or ())
    if fields is None or (known and not known.intersection(names)):
        return CsvShape(delimiter, names, headed=not first), first
    return CsvShape(delimiter, names), rest


def column_names(fields: Sequence[str]) -> tuple[str, ...]:
    """Header fields as unique, plain names."""
    seen: set[str] = set()
    names = []
    for place, text in enumerate(fields, 1):
        plain = re.sub(r"[\s\-]+", "_", text.strip().lower()) or f"column_{place}"
        name, number = plain, 2
        while name in seen:
            name, number = f"{plain}_{number}", number + 1
        seen.add(name)
        names.append(name)
    return tuple(names)


def read_fields(block: Block, *, unheaded: str = "no line of known names") -> FieldTable:
    """All fields of a block; rows that cannot be split are set aside.

    `unheaded` says why no row of a report without a usable header can be.
    """
    shape: CsvShape = block.shape
    aside = Aside()
    if not shape.headed:
        for index in range(len(block.ends)):
            raw = row_bytes(block, index)
            aside.add(int(block.positions[index]), "header", unheaded, raw)
        return FieldTable(np.empty(0, np.int64), _table((), shape), aside)
    doubtful = _doubtful_rows(block, ord(shape.delimiter))
    sound = np.ones(len(block.ends), dtype=bool)
    sound[doubtful] = False
    rows, fields = _read_sound(block, np.flatnonzero(sound), shape, aside)
    if doubtful.size:
        alone, few = _read_alone(block, doubtful, shape, aside)
        rows, fields = _merge(rows, fields, alone, few)
    return FieldTable(rows, fields, aside)


def _merge(rows: Any, fields: pa.Table, more_rows: Any, more: pa.Table) -> tuple[Any, pa.Table]:
    if not len(more_rows):
        return rows, fields
    both = np.concatenate([rows, more_rows])
    order = np.argsort(both, kind="stable")
    whole = pa.concat_tables([spelled_table(fields), more]).combine_chunks()
    return both[order], whole.take(pa.array(order))


def _doubtful_rows(block: Block, delimiter: int) -> Any:
    """Indexes of the rows that Arrow must not see."""
    data = block.data
    cells = np.frombuffer(data, np.uint8)
    found: list[Any] = []
    if block.folded and data.count(b"\n") != len(block.ends):
        breaks = np.flatnonzero(cells == _LINE_FEED)
        found.append(breaks[~np.isin(breaks, block.ends - 1, assume_unique=True)])
    if b"\r" in data:
        returns = np.flatnonzero(cells == _RETURN)
        found.append(returns[cells[returns + 1] != _LINE_FEED])
    if b"\0" in data:
        found.append(np.flatnonzero(cells == 0))
    if not data.isascii():
        found.extend(_foreign(data, cells, block.ends))
    if block.shape.quoting and b'"' in data and not sound_quotes(data, delimiter):
        found.append(_unsound_quotes(cells, block.ends, delimiter))
    if not found:
        return np.empty(0, np.int64)
    places = np.concatenate(found)
    return np.unique(np.searchsorted(block.ends, places, side="right"))


def _foreign(data: bytes, cells: Any, ends: Any) -> Iterator[Any]:
    """Places of bytes beyond ASCII that Arrow would read otherwise than we."""
    if codecs.BOM_UTF8 in data:  # Arrow drops it at the beginning of what it is given
        starts = np.concatenate(([0], ends[:-1]))
        yield starts[cells[starts] == codecs.BOM_UTF8[0]]
    try:
        data.decode()
    except UnicodeDecodeError:
        yield np.flatnonzero(cells >= 0x80)  # noqa: PLR2004 - beyond ASCII


def _unsound_quotes(cells: Any, ends: Any, delimiter: int) -> Any:
    """Places of quotation marks in rows where they do not pair up field by field."""
    is_mark = cells == _QUOTE
    starts = np.concatenate(([0], ends[:-1]))
    odd = np.bitwise_xor.reduceat(is_mark.view(np.uint8), starts).astype(bool)
    marks = np.flatnonzero(is_mark)
    if not odd.any():
        return _unpaired(cells, marks, delimiter)
    in_odd_row = odd[np.searchsorted(ends, marks, side="right")]
    even = _unpaired(cells, marks[~in_odd_row], delimiter)
    return np.concatenate([marks[in_odd_row], even])


def _unpaired(cells: Any, marks: Any, delimiter: int) -> Any:
    """Of marks that come in pairs, those that neither open nor close a field nor are doubled."""
    opening, closing = marks[0::2], marks[1::2]
    before = cells[np.maximum(opening - 1, 0)]
    after = cells[closing + 1]
    opens = _any_of(before, delimiter, _LINE_FEED, _QUOTE) | (opening == 0)
    closes = _any_of(after, delimiter, _LINE_FEED, _QUOTE) | (after == _RETURN)
    return np.concatenate([opening[~opens], closing[~closes]])


def _any_of(cells: Any, first: int, second: int, third: int) -> Any:
    return (cells == first) | (cells == second) | (cells == third)


def _read_sound(block: Block, indexes: Any, shape: CsvShape, aside: Aside) -> tuple[Any, pa.Table]:
    data = block.data
    if len(indexes) != len(block.ends):
        starts = np.concatenate(([0], block.ends[:-1]))
        data = b"".join(data[starts[i] : block.ends[i]] for i in indexes)
    wrong: list[tuple[int, int]] = []
    table = _read_csv(data, shape, wrong)
    if table.num_rows + len(wrong) != len(indexes):
        return _read_alone(block, indexes, shape, aside)
    for place, count in wrong:
        index = int(indexes[place])
        _wrong_count(aside, block, index, count, len(shape.names))
    kept = np.delete(indexes, [place for place, _ in wrong])
    return block.positions[kept], table


def _read_csv(data: bytes, shape: CsvShape, wrong: list[tuple[int, int]]) -> pa.Table:
    """The rows of `data`, row and width of those that are too short or too long in `wrong`."""
    if not data or not shape.names:
        return _table((), shape)
    kinds = dict.fromkeys(shape.names, pa.string())
    if len(data) > _MUCH:
        head = data[: data.rfind(b"\n", 0, _HEAD) + 1]
        kinds |= _repeating(_arrow_table(head, shape, kinds, []))
    return _arrow_table(data, shape, kinds, wrong)


def _arrow_table(
    data: bytes, shape: CsvShape, kinds: Mapping[str, pa.DataType], wrong: list[tuple[int, int]]
) -> pa.Table:
    def note(row: csv.InvalidRow) -> str:
        wrong.append((row.number - 1, row.actual_columns))
        return "skip"

    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(
            use_threads=False, column_names=shape.names, block_size=len(data) + 1
        ),
        parse_options=csv.ParseOptions(
            delimiter=shape.delimiter,
            quote_char='"' if shape.quoting else False,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False, column_types=kinds, strings_can_be_null=False
        ),
    )


def _repeating(table: pa.Table) -> dict[str, pa.DataType]:
    """Which columns are worth coding, judged by the first rows."""
    return {
        name: _CODED
        for name in table.column_names
        if pc.count_distinct(table[name]).as_py() * _REPEATS <= table.num_rows
    }


def _read_alone(block: Block, indexes: Any, shape: CsvShape, aside: Aside) -> tuple[Any, pa.Table]:
    kept: list[int] = []
    fields: list[list[str]] = []
    for index in indexes.tolist():
        raw = row_bytes(block, index)
        row = int(block.positions[index])
        text = decode_row(raw)
        if b"\0" in raw:
            aside.add(row, "nul", "a NUL byte", raw)
        elif text is None:
            aside.add(row, "encoding", "neither UTF-8 nor Windows-1252", raw)
        elif (split := shape.split(text) or shape.escaped(text)) is None:
            aside.add(row, "quote", "quotation marks do not pair up", raw)
        elif len(split) != len(shape.names):
            _wrong_count(aside, block, index, len(split), len(shape.names))
        else:
            kept.append(row)
            fields.append(split)
    return np.array(kept, np.int64), _table(fields, shape)


def _wrong_count(aside: Aside, block: Block, index: int, count: int, width: int) -> None:
    detail = f"{count} columns where the header has {width}"
    aside.add(int(block.positions[index]), "column-count", detail, row_bytes(block, index))


def _table(fields: Sequence[Sequence[str]], shape: CsvShape) -> pa.Table:
    columns = list(zip(*fields, strict=True)) or [()] * len(shape.names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(shape.names))
