"""How a number of a series is written: “{series}-{year}-{number:06d}”. No Django."""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(r"\{(series|year|number)(?::0(\d{1,2})d)?\}")
_YEAR, _NUMBER = r"\{year[^{}]*\}", r"\{number[^{}]*\}"
_APART: Final = re.compile(rf"{_YEAR}[^{{}}\d]+{_NUMBER}|{_NUMBER}[^{{}}\d]+{_YEAR}")
_LONGEST: Final = 60
_SHORT_YEAR: Final = 2


def is_number_format(pattern: object) -> bool:
    """Whether `pattern` writes year and number apart for every year and number.

    Only {series}, {year} and {number} (with a width, "{number:06d}") may stand in braces.
    """
    if not isinstance(pattern, str) or len(pattern) > _LONGEST:
        return False
    named = [match.group(1) for match in _PLACE.finditer(pattern)]
    rest = _PLACE.sub("", pattern)
    apart = _APART.search(pattern) is not None
    return apart and named.count("number") == 1 and "{" not in rest and "}" not in rest


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
