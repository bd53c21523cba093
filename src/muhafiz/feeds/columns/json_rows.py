"""JSON reports a block at a time: JSON Lines, a list of objects, or objects in a row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa

from muhafiz.feeds.columns.aside import ROW_BYTES, Aside, LongRow
from muhafiz.feeds.columns.chunks import decode_head, decode_row, utf8_chunks
from muhafiz.feeds.columns.elements import cut_elements
from muhafiz.feeds.columns.records import cut_rows, gather_blocks, row_bytes, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muhafiz.feeds.columns.records import Rows
    from muhafiz.feeds.sources import Block, ParseContext

_SPACED_COLONS = (b" :", b"\t:", b"\r:", b"\n:")
_DEEPEST = 64
_HEAD_ROWS = 20
JSON_BLOCK_BYTES = 16 * 1024 * 1024
"""Objects take a dozen times their text in memory, so blocks of them are smaller."""


class _DuplicateKeyError(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A block's objects: `rows` are row numbers."""

    rows: Any
    objects: list[dict[str, Any]]
    aside: Aside


def json_blocks(
    stream: BinaryIO,
    context: ParseContext,
    *,
    row_limit: int = ROW_BYTES,
    parts: Callable[[bytes], list[bytes]] | None = None,
) -> Iterator[Block]:
    """Cut a JSON report into blocks of objects, each at most `row_limit` bytes long.

    When its first line is a whole object, or it is one that begins no list and no longer object,
    the report is JSON Lines: each line a row, so that a broken line costs one row only.

    `parts`: the objects that one object stands for, each of which is a row.
    """
    chunks = utf8_chunks(stream)
    first = next(chunks, b"")
    whole = chain([first], chunks)
    if _is_lines(first):
        pieces = cut_rows(whole, row_limit=row_limit)
    else:
        pieces = cut_elements(whole, row_limit)
    if parts is not None:
        pieces = _parted(pieces, parts)
    return gather_blocks(
        pieces, context.batch_rows, row_limit=row_limit, block_bytes=JSON_BLOCK_BYTES
    )


def _parted(
    pieces: Iterator[Rows | LongRow], parts: Callable[[bytes], list[bytes]]
) -> Iterator[Rows | LongRow]:
    for piece in pieces:
        if isinstance(piece, LongRow):
            yield piece
            continue
        ends = piece.ends.tolist()
        lines = [piece.data[begin : end - 1] for begin, end in pairwise([0, *ends])]
        yield rows_of([part for line in lines for part in parts(line)])


def _is_lines(first: bytes) -> bool:
    text = first.lstrip()
    line, line_feed, rest = text.partition(b"\n")
    if line.startswith(b"[") or not text:
        return False
    if not line.startswith(b"{"):
        return True
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return bool(line_feed) and rest.lstrip(b"\r\n").startswith(b"{")
    return True


def first_object(head: bytes) -> dict[str, Any] | None:
    """The first whole object in a report's head, for recognizing it; the lines before may be cut.

    A log that was rotated begins in the midst of a line.
    """
    head = decode_head(head)
    cut = cut_rows if _is_lines(head) else cut_elements
    for rows in cut([head]):
        if isinstance(rows, LongRow):
            continue
        begin = 0
        for end in rows.ends[:_HEAD_ROWS].tolist():
            found, _ = read_object(rows.data[begin : end - 1])
            if found is not None:
                return found
            begin = end
    return None


def read_objects(block: Block) -> ObjectTable:
    """All objects of a block; rows that hold none are set aside."""
    aside = Aside()
    data = block.data
    suspicious = any(mark in data for mark in _SPACED_COLONS)
    objects: list[dict[str, Any]] = []
    kept: list[int] = []
    begin = 0
    for index, end in enumerate(block.ends.tolist()):
        raw = data[begin : end - 1]
        begin = end
        found, reason = read_object(raw, suspicious=suspicious)
        if found is None:
            aside.add(
                int(block.positions[index]), reason, _DETAILS[reason], row_bytes(block, index)
            )
        else:
            objects.append(found)
            kept.append(index)
    return ObjectTable(block.positions[np.array(kept, np.int64)], objects, aside)


_DETAILS = {
    "json": "not one whole JSON object",
    "encoding": "neither UTF-8 nor Windows-1252",
    "duplicate-key": "a key occurs twice in one object",
    "nul": "a NUL byte",
}


def read_object(raw: bytes, *, suspicious: bool = True) -> tuple[dict[str, Any] | None, str]:
    """One JSON object, or None and the reason: json, encoding, nul or duplicate-key.

    NaN and infinities, more than 64 levels and lone surrogates are no JSON here. `suspicious`
    says that white space may stand before a colon somewhere in `raw`.
    """
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_doubtful(raw)
    if type(found) is not dict:
        return None, "json"
    keys = _count_keys(found)
    if keys < 0:
        return None, "json"
    spaced = suspicious and any(mark in raw for mark in _SPACED_COLONS)
    if (spaced or raw.count(b'":') != keys) and not _unique_keys(raw):
        return None, "duplicate-key"
    return found, ""


def _read_doubtful(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """Bytes that are no JSON in UTF-8; Windows-1252 may make them readable."""
    if b"\0" in raw:
        return None, "nul"
    text = decode_row(raw)
    if text is None:
        return None, "encoding"
    plain = text.encode()
    return (None, "json") if plain == raw else read_object(plain)


def _count_keys(found: dict[str, Any]) -> int:
    """How many keys the object and all objects in it have; -1 when it is too deep."""
    keys = 0
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for each in level:
            if type(each) is dict:
                keys += len(each)
                below += [v for v in each.values() if type(v) is dict or type(v) is list]
            else:
                below += [v for v in each if type(v) is dict or type(v) is list]
        if not below:
            return keys
        level = below
    return -1


def _unique_keys(raw: bytes) -> bool:
    try:
        json.loads(raw, object_pairs_hook=_pairs)
    except _DuplicateKeyError:
        return False
    except (ValueError, RecursionError):
        return False
    return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKeyError
    return found


def text_column(values: list[Any], refuse: Callable[[int], None] | None = None) -> pa.Array:
    """Values as texts: numbers and booleans as JSON writes them, null and "" as NULL.

    An object or list has no plain text: `refuse(index)` is called and the value is NULL.
    """
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        pass
    texts: list[str | None] = []
    for index, value in enumerate(values):
        if isinstance(value, (dict, list)):
            texts.append(None)
            if refuse is not None:
                refuse(index)
        else:
            texts.append(_text(value))
    return pa.array(texts, pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def json_text(value: dict[str, Any]) -> str | None:
    """An object as `extra` keeps it: compact JSON without null and empty members, or NULL."""
    rest = {
        key: each for key, each in value.items() if each is not None and each not in ("", [], {})
    }
    return orjson.dumps(rest).decode() if rest else None
