"""One row of delimited text cut into its fields, exactly or not at all."""

from __future__ import annotations

import re

_FIELD: dict[str, re.Pattern[str]] = {}
_ESCAPED: dict[str, re.Pattern[str]] = {}


def split_row(text: str, delimiter: str = ",") -> list[str] | None:
    """The fields of one row, or None when its quotation marks are unsound.

    A mark opens a quoted field only as its first character; inside, two stand for one; behind
    the closing mark only a delimiter or the end may follow. Elsewhere a mark is plain text.
    """
    return _split(text, _FIELD.setdefault(delimiter, _field('(?:[^"]++|"")*+', delimiter)))


def split_escaped(text: str, delimiter: str = ",") -> list[str] | None:
    r"""The same for rows that write a mark within quotation marks as \" (RFC 4180 knows it not)."""
    quoted = r'(?:[^"\\]++|\\.|"")*+'
    fields = _split(text, _ESCAPED.setdefault(delimiter, _field(quoted, delimiter)))
    return None if fields is None else [field.replace('\\"', '"') for field in fields]


def _field(quoted: str, delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'(?:"({quoted})"|((?!")[^{end}]*+))(?:({end})|\Z)')


def _split(text: str, pattern: re.Pattern[str]) -> list[str] | None:
    fields: list[str] = []
    at = 0
    while found := pattern.match(text, at):
        quoted, plain, more = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if more is None:
            return fields if at == len(text) else None
    return None
