"""Rows set aside: reason code, human detail, column and raw bytes, in the report's order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

from muhafiz.formats.events import SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

ROW_BYTES = 1024 * 1024
"""A row longer than this is set aside unread."""
KEPT_BYTES = 4096
"""How much of such a row is kept as its raw bytes."""

#: Every reason code a source may give, for the guides and for people.
REASONS = {
    "column-count": "The row has more or fewer columns than the header.",
    "quote": "A quotation mark is opened and never closed, or stands where none may stand.",
    "nul": "The row contains a NUL byte.",
    "encoding": "The row is neither UTF-8 nor Windows-1252.",
    "too-long": "The row is longer than 1 MiB; its beginning and SHA-256 are kept.",
    "header": "The report has no usable header, so its rows have no names.",
    "json": "The row is not a JSON object.",
    "duplicate-key": "A JSON key occurs twice: which value counts is anyone's guess.",
    "shape": "A value is an object or a list where a plain value belongs.",
    "address": "An address is present and cannot be read, or names no host.",
    "domain": "The row has no address, and its domain name cannot be read.",
    "time": "The time cannot be read, is before 1990 or in the future.",
    "number": "A port or AS number is not a number in its range.",
    "not-network": "Not an indicator of the network.",
}


class Aside:
    """Collects rows to set aside; the first reason given for a row stands."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[str, str, str | None, bytes]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row: int) -> bool:
        return row in self._rows

    def add(
        self, row: int, reason: str, detail: str, raw: bytes, *, column: str | None = None
    ) -> None:
        """Set row number `row` aside for `reason`, one of REASONS."""
        if reason not in REASONS:
            raise KeyError(reason)
        self._rows.setdefault(row, (reason, detail, column, raw))

    def table(self, before: pa.Table | None = None) -> pa.Table:
        """All collected rows as SET_ASIDE, merged with an earlier table, by row number."""
        rows = sorted(self._rows)
        kept = [self._rows[row] for row in rows]
        table = set_aside_table(
            (row, reason, detail, column, raw)
            for row, (reason, detail, column, raw) in zip(rows, kept, strict=True)
        )
        if before is None or before.num_rows == 0:
            return table
        return pa.concat_tables([before, table]).sort_by("row").combine_chunks()


def set_aside_table(
    rows: Iterable[tuple[int, str, str, str | None, bytes]] = (),
) -> pa.Table:
    """A SET_ASIDE table of (row, reason, detail, column, raw)."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SET_ASIDE)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SET_ASIDE, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SET_ASIDE)


class LongRow:
    """A row too long to keep: its beginning, length and digest, taken in passing."""

    def __init__(self) -> None:
        self.head = b""
        self.length = 0
        self._digest = hashlib.sha256()

    def feed(self, piece: bytes) -> None:
        """Take the row's next bytes."""
        self.head += piece[: max(0, KEPT_BYTES - len(self.head))]
        self.length += len(piece)
        self._digest.update(piece)

    @property
    def detail(self) -> str:
        """Length and digest in words."""
        return f"{self.length} bytes, SHA-256 {self._digest.hexdigest()}"
