"""Where in a row's bytes the fault lies, and which cell is which. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTE = ord('"')
_MARKS_MOST = 4_000  # cells of one row that are told apart


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row is cut into cells: `names` is empty where rows are JSON objects."""

    names: tuple[str, ...] = ()
    delimiter: str = ","
    quoting: bool = True


def spans(raw: bytes, shape: Shape) -> list[tuple[int, int]]:
    """Where each cell lies with its marks; an unsound cell ends at the next delimiter."""
    delimiter, at = ord(shape.delimiter), 0
    found: list[tuple[int, int]] = []
    while len(found) < _MARKS_MOST:
        end = _cell_end(raw, at, delimiter, quoting=shape.quoting)
        found.append((at, end))
        if end >= len(raw):
            return found
        at = end + 1
    return found


def _cell_end(raw: bytes, at: int, delimiter: int, *, quoting: bool) -> int:
    if quoting and at < len(raw) and raw[at] == _QUOTE:
        place = at + 1
        while (place := raw.find(b'"', place)) >= 0:
            after = raw[place + 1] if place + 1 < len(raw) else None
            if after is None or after == delimiter:
                return place + 1
            place += 2 if after == _QUOTE else 1
    end = raw.find(delimiter.to_bytes(1, "big"), at)
    return len(raw) if end < 0 else end


def mark(raw: bytes, reason: str, column: str, shape: Shape) -> tuple[int, int]:
    """From where to where the row's fault lies; an empty stretch is the place where bytes lack."""
    if reason == "nul":
        at = max(raw.find(b"\0"), 0)
        return at, min(at + 1, len(raw))
    if reason == "encoding":
        return _undecodable(raw)
    return _in_cells(raw, reason, column, shape) if shape.names else _in_object(raw, column)


def _in_cells(raw: bytes, reason: str, column: str, shape: Shape) -> tuple[int, int]:
    cells = spans(raw, shape)
    if reason == "column-count":
        beyond = len(shape.names) < len(cells)
        return (cells[len(shape.names)][0] if beyond else len(raw), len(raw))
    if reason == "quote":
        return _unsound(raw, cells)
    if column in shape.names and shape.names.index(column) < len(cells):
        return cells[shape.names.index(column)]
    return 0, 0


def _undecodable(raw: bytes) -> tuple[int, int]:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start, error.end
    return 0, 0


def _unsound(raw: bytes, cells: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first cell that opens a quotation and does not close it."""
    for start, end in cells:
        cell = raw[start:end]
        if cell.startswith(b'"') and (len(cell) == 1 or not cell.endswith(b'"')):
            return start, end
    return 0, 0


def _in_object(raw: bytes, column: str) -> tuple[int, int]:
    name = column.rsplit(".", 1)[-1].encode()
    if name:
        value = rb'"(?:[^"\\]|\\.)*+"?|[^,}\]]*+'
        found = re.search(rb'"' + re.escape(name) + rb'"\s*:\s*(' + value + rb")", raw)
        if found:
            return found.span(1)
    text = raw.decode("utf-8", "replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode())
        return min(at, len(raw)), min(at + 1, len(raw))
    except (RecursionError, ValueError):
        return 0, 0
    return 0, 0
