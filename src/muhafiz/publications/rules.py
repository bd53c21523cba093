"""How numbers are written, and what the press refuses."""

from __future__ import annotations

import re
from typing import Final

from muhafiz.common.refusal import Refusal

DEFAULT_FORMAT: Final = "{series}-{year}-{number:05d}"
_PLACE: Final = re.compile(r"\{(series|year|number)(?::0(\d{1,2})d)?\}")
_SERIES: Final = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CODE_LENGTH: Final = 12
_SHORT_YEAR: Final = 2


class CannotTakeNumber(Refusal):
    """The series has no usable name, or too few or too many numbers were asked for."""

    text = "No number can be taken in “{series}”: {reason}."


class CannotKeepDocument(Refusal):
    """A document with this number is kept already, or something about it is missing."""

    text = "The document {number} cannot be kept: {reason}."


class CannotWithdraw(Refusal):
    """There is no such document, it is withdrawn already, or no reason was given."""

    text = "The document {number} cannot be withdrawn: {reason}."


def check_series(series: str, count: int) -> None:
    """A series is a short lower-case name; one to a million numbers are taken at once.

    Raises:
        CannotTakeNumber: it is not so.
    """
    if not _SERIES.fullmatch(series):
        raise CannotTakeNumber(series=series, reason="a series is named by lower-case letters")
    if not 1 <= count <= 1_000_000:  # noqa: PLR2004 - as the docstring says
        raise CannotTakeNumber(series=series, reason=f"{count} is no sensible count")


def is_number_format(pattern: object) -> bool:
    """Whether `pattern` writes year and number apart for every year and number.

    Only {series}, {year} and {number} (with a width, "{number:06d}") may stand in braces.
    """
    if not isinstance(pattern, str) or len(pattern) > 60:  # noqa: PLR2004 - fits the column
        return False
    named = [match.group(1) for match in _PLACE.finditer(pattern)]
    rest = _PLACE.sub("", pattern)
    parted = re.search(r"\{year\}[^{}\d]+\{number|\{number[^}]*\}[^{}\d]+\{year", pattern)
    return bool(parted) and named.count("number") == 1 and "{" not in rest and "}" not in rest


def written_number(pattern: str, series: str, year: int, number: int) -> str:
    """The number as people read it; `pattern` is one that `is_number_format` takes.

    "{year:02d}" is the year's last two digits.
    """
    values: dict[str, str | int] = {"series": series.upper(), "year": year, "number": number}

    def place(match: re.Match[str]) -> str:
        name, width = match.group(1), int(match.group(2) or 0)
        value = str(values[name])
        short = name == "year" and width == _SHORT_YEAR
        return value[-_SHORT_YEAR:] if short else value.zfill(width)

    return _PLACE.sub(place, pattern)


def bare_code(text: str) -> str | None:
    """A verify code as stored, however it was typed; None when `text` is no code.

    Hyphens, blanks and case do not matter, and Crockford's lookalikes (O, I, L) are read as meant.
    """
    bare = re.sub(r"[\s-]+", "", text).upper().translate(_LOOKALIKES)
    fits = len(bare) == _CODE_LENGTH and bare.isascii() and bare.isalnum() and "U" not in bare
    return bare if fits else None
