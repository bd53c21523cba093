"""The nation at a glance: sectors side by side, days, regions. For the desk, nothing is hidden."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from muhafiz.accounts.rules import may
from muhafiz.constituency import queries as constituency
from muhafiz.formats.csv_cells import Cell
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.rulebook.queries import value_or
from muhafiz.triage import queries as triage
from muhafiz.triage.filters import TABS, Filter
from muhafiz.web.charts import Drawing
from muhafiz.web.downloads import csv_file, svg_file
from muhafiz.web.heat_map import calendar
from muhafiz.web.multiples import Multiple, multiples
from muhafiz.web.place import region_names, sector_names
from muhafiz.web.refusals import sentence
from muhafiz.web.regions import BadRegionMap, Region, drawn_map, tile_grid
from muhafiz.web.viewer import ViewedRequest

_WEEKS = 13  # a quarter, side by side
_CALENDAR_WEEKS = 26
_REGION_DAYS = 28


@dataclass(frozen=True, slots=True)
class Weeks:
    """Events a week (its Monday) by sector, each sector as long as `mondays`."""

    mondays: tuple[date, ...]
    sectors: Mapping[str, list[int]]

    @property
    def heads(self) -> list[str]:
        """The words above the table's columns."""
        return [_("Week from"), *self.sectors]

    def rows(self) -> list[tuple[date, list[int]]]:
        """The table twin: a row a week, the sectors in order."""
        return [
            (monday, [counts[at] for counts in self.sectors.values()])
            for at, monday in enumerate(self.mondays)
        ]


def situation(request: ViewedRequest) -> HttpResponse:
    """All three pictures; `?take=` gives one of them as a file."""
    taken = request.GET.get("take")
    if taken is not None:
        return _taken(request, taken)
    today = request.now.date()
    days = _days(request)
    regions, unplaced = _regions(request)
    map_drawing, map_fault = _map(regions)
    weeks = _weeks(request)
    context = {
        "here": "situation",
        "work": _work(request),
        "multiples": _multiples(weeks),
        "weeks": weeks,
        "calendar": _calendar(days, today),
        "day_heads": [_("Day"), _("Events")],
        "day_rows": [(day, [events]) for day, events in sorted(days.items(), reverse=True)],
        "busiest": max(days.items(), key=lambda each: each[1], default=None),
        "map": map_drawing,
        "map_fault": map_fault,
        "region_heads": [_("Region"), _("Events")],
        "region_rows": [
            *((each.name, [each.events]) for each in sorted(regions, key=lambda r: -r.events)),
            (_("Region unknown, or owned by nobody"), [unplaced]),
        ],
        "region_days": _REGION_DAYS,
    }
    return render(request, "desk/situation/page.html", context)


def _work(request: ViewedRequest) -> dict[str, int]:
    """What waits at the desk, what is late first; nothing for who may not read the queue."""
    if not may(request.viewer, "queue.read"):
        return {}
    asked = {
        "overdue": TABS["overdue"], "free": Filter(owner="nobody"), "waiting": TABS["waiting"],
        "open": TABS["open"],
    }  # fmt: skip
    return triage.counts(asked, viewer=request.viewer, now=request.now)


def _weeks(request: ViewedRequest) -> Weeks:
    """The weeks up to this one, which is still running, by the sector of the owner."""
    today = request.now.date()
    this = today - timedelta(days=today.weekday())
    mondays = tuple(this - timedelta(weeks=at) for at in reversed(range(_WEEKS)))
    since = request.now - timedelta(days=(today - mondays[0]).days + 1)
    names = sector_names(request.now)
    counts = {name: [0] * _WEEKS for name in names.values()}
    without, nobody = _("No sector"), _("Owned by nobody")
    for line in lake.tally(EventQuery(since=since), ("sector", "organization_id", "day")):
        sector, owner, day = line.values
        at = (day - mondays[0]).days // 7 if isinstance(day, date) else -1
        if 0 <= at < _WEEKS:
            name = names.get(str(sector)) or (without if owner is not None else nobody)
            counts.setdefault(name, [0] * _WEEKS)[at] += line.events
    return Weeks(mondays, counts)


def _multiples(weeks: Weeks) -> list[Multiple]:
    return multiples([f"{monday:%Y-%m-%d}" for monday in weeks.mondays], weeks.sectors)


def _days(request: ViewedRequest) -> dict[date, int]:
    since = request.now - timedelta(weeks=_CALENDAR_WEEKS)
    counts: dict[date, int] = defaultdict(int)
    for each in lake.series(EventQuery(since=since)):
        counts[each.day] += each.events
    return dict(counts)


def _calendar(days: Mapping[date, int], today: date) -> Drawing:
    weekdays = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return calendar(days, last=today, weeks=_CALENDAR_WEEKS, weekdays=weekdays)


def _regions(request: ViewedRequest) -> tuple[list[Region], int]:
    """Events of the last weeks by the owner's region; and those whose owner has none."""
    seats = constituency.regions()
    since = request.now - timedelta(days=_REGION_DAYS)
    counts: dict[str, int] = defaultdict(int)
    for line in lake.tally(EventQuery(since=since), ("organization_id",)):
        owner = line.values[0]
        counts[seats.get(owner, "") if isinstance(owner, int) else ""] += line.events
    names = region_names(request.now)
    found = [
        Region(code, names[code], int(each["column"]), int(each["row"]), counts.get(code, 0))
        for each in value_or("regions", [], at=request.now)
        if (code := str(each["code"]))
    ]
    placed = sum(region.events for region in found)
    return found, sum(counts.values()) - placed


def _map(regions: list[Region]) -> tuple[Drawing | None, str]:
    """The installation's own map where there is one, else the grid; and what is wrong with it."""
    if not regions:
        return None, ""
    if settings.REGION_MAP is None:
        return tile_grid(regions), ""
    try:
        return drawn_map(settings.REGION_MAP, regions), ""
    except BadRegionMap as fault:
        return tile_grid(regions), sentence(fault)


def _taken(request: ViewedRequest, name: str) -> HttpResponse:
    """One picture, or its numbers, as a file.

    Raises:
        Http404: there is none of this name.
    """
    if name not in _FILES:
        raise Http404
    return _FILES[name](request)


def _sectors_csv(request: ViewedRequest) -> HttpResponse:
    weeks = _weeks(request)
    rows: list[list[Cell]] = [[monday.isoformat(), *counts] for monday, counts in weeks.rows()]
    return csv_file("sectors", ["week", *weeks.sectors], rows)


def _days_csv(request: ViewedRequest) -> HttpResponse:
    rows = [(day.isoformat(), events) for day, events in sorted(_days(request).items())]
    return csv_file("days", ["day", "events"], rows)


def _days_svg(request: ViewedRequest) -> HttpResponse:
    drawing = _calendar(_days(request), request.now.date())
    return svg_file("days", drawing, _("Events of each day"))


def _regions_csv(request: ViewedRequest) -> HttpResponse:
    regions, unplaced = _regions(request)
    rows: list[tuple[Cell, ...]] = [(each.code, each.name, each.events) for each in regions]
    return csv_file("regions", ["code", "region", "events"], [*rows, ("", "", unplaced)])


def _regions_svg(request: ViewedRequest) -> HttpResponse:
    drawing, _fault = _map(_regions(request)[0])
    if drawing is None:
        raise Http404
    return svg_file("regions", drawing, _("Events by region"))


_FILES: dict[str, Callable[[ViewedRequest], HttpResponse]] = {
    "sectors.csv": _sectors_csv,
    "days.csv": _days_csv,
    "days.svg": _days_svg,
    "regions.csv": _regions_csv,
    "regions.svg": _regions_svg,
}
