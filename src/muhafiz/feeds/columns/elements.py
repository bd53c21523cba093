"""Cutting a JSON document into its objects without reading it whole.

A document is a list of objects, or objects one after the other. Each object becomes a row; what
stands between objects and is no comma becomes a row too (and will be set aside as no object).
Only the object at hand is held; one longer than the limit is measured, not kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from muhafiz.feeds.columns.aside import ROW_BYTES, LongRow
from muhafiz.feeds.columns.records import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muhafiz.feeds.columns.records import Rows

# Everything up to the next bracket outside a string, the bracket, or a string left open.
_TO_BRACKET = re.compile(
    rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+(?:([\[\]{}])|(")|\Z)', re.DOTALL
)
_REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+("?)', re.DOTALL)
_BETWEEN = b" \t\r\n,"


def cut_elements(chunks: Iterable[bytes], row_limit: int = ROW_BYTES) -> Iterator[Rows | LongRow]:
    """The document's objects in order, as rows; see the module."""
    cutter = _Cutter(row_limit)
    for chunk in chunks:
        yield from cutter.feed(chunk)
    yield from cutter.close()


class _Cutter:
    """Where in the document the reading stands."""

    def __init__(self, row_limit: int) -> None:
        self.row_limit = row_limit
        self.listed: bool | None = None  # whether the document is a list; None: not yet known
        self.depth = 0  # open brackets inside the object at hand
        self.in_string = False
        self.object = b""  # what earlier chunks held of the object at hand
        self.gap = b""  # the same of what stands between objects
        self.tail = b""  # an escape cut in two by the chunk's end
        self.long: LongRow | None = None

    def feed(self, chunk: bytes) -> Iterator[Rows | LongRow]:
        """Objects that end in this chunk."""
        data = self.tail + chunk
        held = len(data) - len(data.rstrip(b"\\"))
        cut = len(data) - (held % 2)
        data, self.tail = data[:cut], data[cut:]
        done: list[bytes] = []
        start = 0  # where the object at hand, or the gap, begins in `data`
        at = self._rest_of_string(data)
        for token in _TO_BRACKET.finditer(data, at):
            mark = token[1]
            if mark is None:
                self.in_string |= self.depth > 0 and token[2] is not None
                break
            if self.depth == 0:
                start = self._outside(mark, data, start, token.start(1), done)
                continue
            self.depth += 1 if mark in b"[{" else -1
            if self.depth == 0:
                long = self._close_object(data[start : token.end()], done)
                if long is not None:
                    yield from _rows(done)
                    done = []
                    yield long
                start = token.end()
        yield from _rows(done)
        self._hold(data[start:])

    def close(self) -> Iterator[Rows | LongRow]:
        """What the document's end leaves unfinished."""
        if self.long is not None:
            self.long.feed(self.tail)
            yield self.long
            return
        rest = (self.object if self.depth else self.gap) + self.tail
        if not self.depth and self.listed:
            rest = rest.strip(_BETWEEN)
            rest = rest.removesuffix(b"]")
        yield from _rows([rest] if rest.strip(_BETWEEN) else [])

    def _rest_of_string(self, data: bytes) -> int:
        if not self.in_string:
            return 0
        found = _REST_OF_STRING.match(data)
        self.in_string = found is None or not found[1]
        return found.end() if found else 0

    def _outside(self, mark: bytes, data: bytes, start: int, place: int, done: list[bytes]) -> int:
        """A bracket between objects: an object begins, or the list opens or ends."""
        gap = self.gap + data[start:place]
        if self.listed is None and mark == b"[" and not gap.strip(_BETWEEN):
            self.listed, self.gap = True, b""
            return place + 1
        if mark in b"]}":
            self.gap = gap + (b"" if mark == b"]" and self.listed else mark)
            return place + 1
        self.listed = bool(self.listed)
        if gap.strip(_BETWEEN):
            done.append(gap.strip(_BETWEEN))
        self.gap, self.object, self.depth = b"", b"", 1
        return place

    def _close_object(self, end: bytes, done: list[bytes]) -> LongRow | None:
        long, self.long = self.long, None
        whole, self.object = self.object + end, b""
        if long is not None:
            long.feed(end)
            return long
        done.append(whole)
        return None

    def _hold(self, rest: bytes) -> None:
        if self.depth == 0:
            self.gap = (self.gap + rest)[-self.row_limit :]
        elif self.long is not None:
            self.long.feed(rest)
        else:
            self.object += rest
            if len(self.object) > self.row_limit:
                self.long = LongRow()
                self.long.feed(self.object)
                self.object = b""


def _rows(objects: list[bytes]) -> Iterator[Rows]:
    if objects:
        yield rows_of(objects)
