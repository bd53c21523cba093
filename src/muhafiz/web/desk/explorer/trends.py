"""Counts over time as a drawing with bands, its table twin, and both as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.http import QueryDict
from django.utils.translation import gettext as _

from muhafiz.lake.answers import DayCount, Point
from muhafiz.lake.query import Grouping
from muhafiz.web.charts import FILLS, Drawing, Step, stacked_bars, time_series
from muhafiz.web.desk.explorer.pills import within
from muhafiz.web.desk.explorer.spans import Span, stamp
from muhafiz.web.desk.explorer.wording import Wording, wording
from muhafiz.web.labels import SEVERITIES

BANDS: dict[str, Grouping] = {
    "type": "type",
    "severity": "severity",
    "taxonomy": "taxonomy",
    "feed": "feed",
    "sector": "sector",
}
_SHOWN = 5  # bands drawn apart; the rest are drawn as one
_MOST = 130  # bars in one drawing
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
_LEAST = timedelta(microseconds=1)
_HOURS_UP_TO = timedelta(days=3)
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_SEVERITY_FILLS = {
    "critical": "var(--fill-critical)",
    "high": "var(--fill-high)",
    "medium": "var(--fill-medium)",
    "low": "var(--fill-low)",
    "info": "var(--c6)",
}


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One step of the table twin: its beginning, its link, its counts by band, their sum."""

    start: datetime
    address: str
    counts: tuple[int, ...]
    events: int


@dataclass(frozen=True, slots=True)
class Trend:
    """Events over time: drawn, and as a table. `outside` fell before or after what is drawn."""

    step: timedelta
    names: tuple[str, ...]
    rows: tuple[TrendRow, ...]
    drawing: Drawing
    total: int
    outside: int

    @property
    def hourly(self) -> bool:
        """Whether a bar is an hour."""
        return self.step == _HOUR

    @property
    def weekly(self) -> bool:
        """Whether a bar is a week."""
        return self.step == _WEEK


def is_hourly(span: Span, now: datetime) -> bool:
    """Whether so short a span is told by hours."""
    return span.since is not None and (span.until or now) - span.since <= _HOURS_UP_TO


def make_trend(
    points: Sequence[Point], span: Span, params: QueryDict, *, bands: str, now: datetime
) -> Trend | None:
    """The counts of `points` as a trend; None when there are none."""
    if not points:
        return None
    step = _HOUR if is_hourly(span, now) else _DAY
    first = _floor(span.since or points[0].start, step)
    end = now if span.until is None else min(span.until - _LEAST, now)
    last = _floor(end, step)
    last = max(last, min(_floor(points[-1].start, step), last + _DAY))
    if step == _DAY and (last - first) / step >= _MOST:
        step, first, last = _WEEK, _floor(first, _WEEK), _floor(last, _WEEK)
    first = max(min(first, last), last - (_MOST - 1) * step)
    starts = [first + at * step for at in range(int((last - first) / step) + 1)]
    names, counted = _banded(points, step, bands)
    rows = tuple(_rows(starts, step, names, counted, params))
    words = wording(now)
    told = [(_band_word(bands, name, words), [row.counts[at] for row in rows])
            for at, name in enumerate(names)]  # fmt: skip
    drawn = sum(row.events for row in rows)
    total = sum(point.events for point in points)
    fills = [_SEVERITY_FILLS.get(name, "var(--c5)") for name in names]
    drawing = time_series(
        [_step(row, step) for row in rows], told, fills=fills if bands == "severity" else FILLS
    )
    return Trend(step, tuple(word for word, _c in told), rows, drawing, total, total - drawn)


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - _MONDAY) % step


def _banded(
    points: Iterable[Point], step: timedelta, bands: str
) -> tuple[list[str], Counter[tuple[datetime, str]]]:
    """The bands, most events first (severities by rank), and events per step and band."""
    sums: Counter[str] = Counter()
    for point in points:
        sums[str(point.value or "")] += point.events
    if bands == "severity":
        names = [code for code in reversed(SEVERITIES) if sums[code]]
    else:
        names = [name for name, _n in sums.most_common(_SHOWN) if name]
    rest = any(name not in names for name in sums)
    counted: Counter[tuple[datetime, str]] = Counter()
    for point in points:
        name = str(point.value or "")
        counted[_floor(point.start, step), name if name in names else ""] += point.events
    return ([*names, ""] if rest else names), counted


def _band_word(bands: str, name: str, words: Wording) -> str:
    if not name:
        return _("other types") if bands == "type" else _("other or none")
    return words.told(bands, name).words


def _rows(
    starts: Sequence[datetime],
    step: timedelta,
    names: Sequence[str],
    counted: Counter[tuple[datetime, str]],
    params: QueryDict,
) -> Iterable[TrendRow]:
    for start in starts:
        counts = tuple(counted[start, name] for name in names)
        address = within(params, stamp(start), stamp(start + step))
        yield TrendRow(start, address, counts, sum(counts))


def _step(row: TrendRow, step: timedelta) -> Step:
    tick = f"{row.start:%H:%M}" if step == _HOUR else f"{row.start:%m-%d}"
    title = f"{row.start:%Y-%m-%d %H:%M}" if step == _HOUR else f"{row.start:%Y-%m-%d}"
    if step == _WEEK:
        title = f"{title} to {row.start + timedelta(days=6):%Y-%m-%d}"
    return Step(tick, title, row.address, stamp(row.start), stamp(row.start + step))


def by_day(counted: list[DayCount]) -> list[tuple[date, int]]:
    """Events of each day that has any: the chart's table twin."""
    days: dict[date, int] = {}
    for each in counted:
        days[each.day] = days.get(each.day, 0) + each.events
    return sorted(days.items())


def daily_bars(counted: list[DayCount]) -> Drawing | None:
    """Events per day, the most frequent types as bands; None when there are none."""
    if not counted:
        return None
    last = counted[-1].day
    first = max(min(counted[0].day, last - timedelta(days=13)), last - timedelta(days=_MOST - 1))
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    sums: Counter[str] = Counter()
    for each in counted:
        sums[each.classification_type or "—"] += each.events
    names = [name for name, _n in sums.most_common(_SHOWN)]
    rest = _("other types")
    counts: dict[str, Counter[date]] = {name: Counter() for name in (*names, rest)}
    for each in counted:
        name = each.classification_type or "—"
        counts[name if name in names else rest][each.day] += each.events
    bands = [(name, [band[day] for day in days]) for name, band in counts.items() if band.total()]
    return stacked_bars([f"{day:%m-%d}" for day in days], bands)
