"""A calendar of days, the fuller the darker: a column a week, a row a day of the week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import sqrt

from muhafiz.web.charts import Box, Drawing, Label

#: From nothing to the most.
HEATS = ("var(--h0)", "var(--h1)", "var(--h2)", "var(--h3)", "var(--h4)")
_CELL, _GAP, _LEFT, _TOP = 15.0, 3.0, 34.0, 20.0


def heat(value: int, most: int) -> str:
    """The shade of a value; a square root keeps one great day from paling all the others."""
    if value <= 0 or most <= 0:
        return HEATS[0]
    return HEATS[1 + min(3, int(4 * sqrt(value / most) * 0.9999))]


def calendar(
    counts: Mapping[date, int], *, last: date, weeks: int, weekdays: Sequence[str]
) -> Drawing:
    """The days of the `weeks` up to and with the week of `last`; `weekdays` begin on Monday.

    Days after `last` are not drawn; a day that is not in `counts` had none.
    """
    monday = last - timedelta(days=last.weekday(), weeks=weeks - 1)
    days = [monday + timedelta(days=at) for at in range((last - monday).days + 1)]
    most = max((counts.get(day, 0) for day in days), default=0)
    boxes = tuple(
        Box(
            _LEFT + (day - monday).days // 7 * (_CELL + _GAP),
            _TOP + day.weekday() * (_CELL + _GAP),
            _CELL,
            _CELL,
            heat(counts.get(day, 0), most),
            f"{day.isoformat()}: {counts.get(day, 0):,}",
        )
        for day in days
    )
    rows = [
        Label(_LEFT - 6, _TOP + at * (_CELL + _GAP) + 11, weekdays[at], "end")
        for at in (0, 2, 4, 6)
    ]
    width = _LEFT + weeks * (_CELL + _GAP)
    return Drawing(
        width,
        _TOP + 7 * (_CELL + _GAP),
        boxes=boxes,
        labels=(*rows, *_months(monday, weeks)),
    )


def _months(monday: date, weeks: int) -> list[Label]:
    """The month's number above the week in which it begins."""
    found = []
    for week in range(weeks):
        first = monday + timedelta(weeks=week)
        if week == 0 or first.day <= 7:  # noqa: PLR2004 - the first week of a month
            found.append(
                Label(_LEFT + week * (_CELL + _GAP), _TOP - 7, first.strftime("%Y-%m"), "start")
            )
    return [
        label
        for at, label in enumerate(found)
        if at == 0 or label.x - found[at - 1].x > 50  # noqa: PLR2004 - else the words touch
    ]
