"""Texts to typed values, a column of distinct texts at a time. Unreadable is NULL.

Each function takes distinct texts (a string array; NULL = nothing there) and returns an array of
equal length; a text that is there and comes back NULL was unreadable.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.events import TIME

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATE = timedelta(days=1)
MAX_PORT, MAX_ASN = 65_535, 4_294_967_295
_NAIVE = pa.timestamp("us")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NUMBER = 20
# Seconds since 1970 reach these numbers in the year 5138 and later: they are finer units.
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_SPACE, _DELETE = 0x20, 0x7F
_EMPTY, _NULL = pa.scalar("", pa.string()), pa.scalar(None, pa.string())

_SEVERITIES = {
    "critical": "critical",
    "severe": "critical",
    "high": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "info": "info",
    "information": "info",
    "informational": "info",
    "none": "info",
}
_CVSS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"), (0.0, "info"))
_TLPS = {
    "clear": "CLEAR",
    "white": "CLEAR",
    "green": "GREEN",
    "amber": "AMBER",
    "amber+strict": "AMBER+STRICT",
    "amber-strict": "AMBER+STRICT",
    "amber strict": "AMBER+STRICT",
    "red": "RED",
}


def empty_to_null(texts: pa.Array) -> pa.Array:
    """Texts without white space around them; what is then empty is NULL."""
    trimmed = texts if _all_graphic(texts) else pc.utf8_trim_whitespace(texts)
    empty = pc.equal(trimmed, _EMPTY)
    return pc.if_else(empty, _NULL, trimmed) if pc.any(empty).as_py() else trimmed


def _all_graphic(texts: pa.Array) -> bool:
    """Whether all bytes are ASCII's visible characters: then there is nothing to trim."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return True
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return not len(letters) or bool(letters.min() > _SPACE and letters.max() < _DELETE)


def parse_each(texts: pa.Array, read: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    """`read` (text → value or None) on every text."""
    values = [None if text is None else read(text) for text in texts.to_pylist()]
    return pa.array(values, kind)


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How a report writes its times, where that is neither ISO 8601 nor a number.

    `formats` are those of `datetime.strptime`, the first that fits counts; `zone` is where times
    without a zone of their own were written ("Asia/Karachi").
    """

    formats: tuple[str, ...] = ()
    zone: str = "UTC"

    @property
    def is_plain(self) -> bool:
        """Whether ISO 8601 and numbers, in UTC, are all there is."""
        return not self.formats and self.zone == "UTC"

    def read(self, text: str) -> datetime | None:
        """One time in UTC, or None."""
        for form in self.formats:
            with contextlib.suppress(ValueError, OverflowError):
                return self.in_utc(datetime.strptime(text, form))  # noqa: DTZ007 - zoned below
        return _time(text, self)

    def in_utc(self, moment: datetime) -> datetime:
        """The same moment in UTC; one without a zone was written in ours."""
        local = moment.replace(tzinfo=ZoneInfo(self.zone)) if moment.tzinfo is None else moment
        return local.astimezone(UTC)


PLAIN = TimeForm()


def parse_times(texts: pa.Array, received_at: datetime, form: TimeForm = PLAIN) -> pa.Array:
    """ISO 8601 (a space may stand for T) or a number since 1970; without a zone it is UTC.

    The number's size tells whether it is seconds, milli-, micro- or nanoseconds. `form` knows
    other writings. Times before 1990 or more than a day after `received_at` are NULL.
    """
    times = parse_uniform_times(texts, received_at) if form.is_plain else None
    return _sane(parse_each(texts, form.read, TIME), received_at) if times is None else times


def parse_uniform_times(texts: pa.Array, received_at: datetime) -> pa.Array | None:
    """The same in one go, or None when not every text is a time in one ISO 8601 form."""
    for kind in (_NAIVE, TIME):
        try:
            times = pc.cast(texts, kind)
        except pa.ArrowInvalid:
            continue
        utc = pc.assume_timezone(times, "UTC") if kind is _NAIVE else times
        return _sane(utc, received_at)
    return None


def _sane(times: pa.Array, received_at: datetime) -> pa.Array:
    sane = pc.and_(
        pc.greater_equal(times, pa.scalar(EARLIEST, TIME)),
        pc.less_equal(times, pa.scalar(received_at.astimezone(UTC) + LATE, TIME)),
    )
    return times if pc.all(sane).as_py() else pc.if_else(sane, times, pa.scalar(None, TIME))


def _time(text: str, form: TimeForm) -> datetime | None:
    try:
        if text.isascii() and text.replace(".", "", 1).isdigit():
            number = float(text)
            per_second = next((unit for least, unit in _UNITS if number >= least), 1.0)
            return _EPOCH + timedelta(seconds=number / per_second)
        return form.in_utc(datetime.fromisoformat(text.removesuffix(" UTC")))
    except (ValueError, OverflowError):
        return None


def parse_ports(texts: pa.Array) -> pa.Array:
    """TCP and UDP ports, 0 to 65535 (int32)."""
    return parse_each(texts, lambda text: _number(text, MAX_PORT), pa.int32())


def parse_asns(texts: pa.Array) -> pa.Array:
    """AS numbers (int64), "AS" before them allowed."""
    return parse_each(
        texts, lambda text: _number(text.upper().removeprefix("AS"), MAX_ASN), pa.int64()
    )


def _number(text: str, most: int) -> int | None:
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER):
        return None
    number = int(digits)
    return number if number <= most else None


def parse_severities(texts: pa.Array) -> pa.Array:
    """critical, high, medium, low or info; a number is read as CVSS's 0.0 to 10.0."""
    return parse_each(texts, _severity, pa.string())


def _severity(text: str) -> str | None:
    plain = text.lower()
    if plain in _SEVERITIES:
        return _SEVERITIES[plain]
    try:
        score = float(plain)
    except ValueError:
        return None
    if not (math.isfinite(score) and score <= 10):  # noqa: PLR2004 - CVSS's highest score
        return None
    return next((name for least, name in _CVSS if score >= least), None)


def parse_tlps(texts: pa.Array) -> pa.Array:
    """TLP 2.0 labels; WHITE is CLEAR, a label nobody knows is RED, nothing stays NULL."""
    return parse_each(texts, read_tlp, pa.string())


def read_tlp(text: str) -> str:
    """One TLP label, with or without "TLP:"; RED when nobody knows it."""
    return _TLPS.get(text.strip().lower().removeprefix("tlp:").strip().replace("_", "-"), "RED")


def parse_matching(texts: pa.Array, pattern: str) -> pa.Array:
    """Texts that match `pattern` (RE2) entirely; others NULL."""
    return pc.if_else(pc.match_substring_regex(texts, f"^(?:{pattern})$"), texts, None)
