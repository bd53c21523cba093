"""The one CSV format in which constituents come: docs/constituency.md. Pure: bytes to rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from muhafiz.common.refusal import Refusal
from muhafiz.formats.csv_cells import runs_as_formula

RECORDS = ("organization", "network", "domain", "asn", "contact")
COLUMNS = (
    "organization", "record", "value", "name", "name_ur", "sector", "region", "parent", "language",
    "role", "hours", "certificate", "valid_from", "valid_to", "note",
)  # fmt: skip
_REQUIRED = ("organization", "record")
_DELIMITERS = ",;\t"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableSheet(Refusal):
    """A file that is not the CSV format of the constituency at all."""

    text = "This is no list of constituents: {reason}."


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be imported; the rest can."""

    line: int  # of the file, 1-based, where the row begins
    reason: str  # a stable code
    detail: str  # for human eyes, English


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its cells by column, stripped; what is not there is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read."""

    encoding: str
    rows: tuple[SheetRow, ...]
    problems: tuple[Problem, ...]
    ignored_columns: tuple[str, ...]


def read_sheet(content: bytes) -> Sheet:
    """Read a file of utf-8, utf-16 or latin-1 text, separated by comma, semicolon or tab.

    Raises:
        UnreadableSheet: no header row with at least the columns "organization" and "record".
    """
    encoding = detect_encoding(content)
    text = content.decode(encoding, "strict" if encoding == "utf-8" else "replace")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = [cell.strip().lower() for cell in next(_checked(lines), [])]
    missing = [column for column in _REQUIRED if column not in header]
    if missing:
        raise UnreadableSheet(reason=f"its first line lacks the column {' and '.join(missing)}")
    rows: list[SheetRow] = []
    problems: list[Problem] = []
    before = lines.line_num
    for cells in _checked(lines):
        line, before = before + 1, lines.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            detail = f"The row has {len(cells)} cells, the header {len(header)}."
            problems.append(Problem(line, "column-count", detail))
            continue
        rows.append(SheetRow(line, dict(zip(header, map(_plain, cells), strict=False))))
    ignored = tuple(column for column in header if column and column not in COLUMNS)
    return Sheet(encoding, tuple(rows), tuple(problems), ignored)


def detect_encoding(content: bytes) -> str:
    """utf-8-sig, utf-16, utf-8, or latin-1 when it is none of the others."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    sample = content[:1000]
    nuls = (sample[0::2].count(0), sample[1::2].count(0))  # Latin letters in UTF-16 are half NUL
    if max(nuls) > len(sample) // 5:
        return "utf-16-be" if nuls[0] > nuls[1] else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(_DELIMITERS, key=header.count)


def _checked(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from lines
    except csv.Error as error:
        raise UnreadableSheet(reason=str(error)) from None


def _plain(cell: str) -> str:
    """A cell as text: what spreadsheets wrap around it to keep it text is taken off.

    ="text" is how some export digits; an apostrophe before a sign is how this platform and others
    disarm a formula. Nothing is ever evaluated.
    """
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"') and len(cell) > len('=""'):
        return cell[2:-1].strip()
    if cell.startswith("'") and runs_as_formula(cell[1:]):
        return cell[1:].strip()
    return cell
