"""CSV that a spreadsheet shows and never runs.

A cell that begins with = + - @, a tab, a carriage return or a line feed (or the full-width twin of
a sign) is taken for a formula by common spreadsheets; the OWASP remedy puts an apostrophe before
it. Blanks and invisible characters before the sign do not save the cell, so they are looked
through. Rows end in CR LF (RFC 4180); text is UTF-8.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

#: What may stand in a row.
Cell = str | int | float | bool | datetime | None

_SIGNS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b|%")
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Mn"})


def safe_cell(value: Cell) -> str:
    """`value` as text that no spreadsheet runs as a formula.

    Numbers stay numbers (a negative number too: it is made by this program, not by an attacker),
    None is empty, a moment is ISO 8601. NUL characters are dropped: they end a cell in some
    readers.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\x00", "")
    return f"'{text}" if runs_as_formula(text) else text


def runs_as_formula(text: str) -> bool:
    """Whether a spreadsheet may take `text` for a formula or a command."""
    for character in text:
        if character in _SIGNS:
            return True
        if unicodedata.category(character) not in _INVISIBLE:
            return False
    return False


def write_rows(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Lines of CSV, header first, each ending in CR LF; streams."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([safe_cell(cell) for cell in header])
    yield _taken(buffer)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield _taken(buffer)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The whole of `write_rows` as one text."""
    return "".join(write_rows(header, rows))


def _taken(buffer: io.StringIO) -> str:
    line = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return line
