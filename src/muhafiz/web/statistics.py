"""What anybody may see in numbers: the weekly figures as they were released."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from muhafiz.formats.csv_cells import Cell
from muhafiz.statistics.queries import PublishedWeek, published_week, published_weeks
from muhafiz.web.charts import Drawing, stacked_bars
from muhafiz.web.downloads import csv_file, svg_file
from muhafiz.web.labels import TAXONOMIES
from muhafiz.web.place import sector_names

_ISO_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}", re.ASCII)
_WEEKS = 26  # drawn side by side


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """The latest week, or the one of `?week=`; `?take=` gives it as a file.

    Raises:
        Http404: the week is not published, or there is no such file.
    """
    weeks = published_weeks(limit=_WEEKS)
    chosen = request.GET.get("week")
    week = published_week(chosen) if chosen and _ISO_WEEK.fullmatch(chosen) else None
    if chosen and week is None:
        raise Http404
    week = week or next(iter(weeks), None)
    taken = request.GET.get("take")
    if taken is not None:
        return _taken(taken, week, weeks)
    now = request.now  # type: ignore[attr-defined]  # ViewerMiddleware
    context: dict[str, Any] = {"weeks": weeks, "week": week, "drawing": _trend(weeks)}
    if week is not None:
        context |= {"told": week.told, "sectors": _sectors(week.told["columns"], sector_names(now))}
        context["after"], context["before"] = _beside(week, weeks)
    context["past"] = [(each, each.told["total"]) for each in weeks]
    return render(request, "web/statistics.html", context)


def _beside(week: PublishedWeek, weeks: list[PublishedWeek]) -> tuple[str, str]:
    """The published weeks after and before one; empty: there is none, or not among the latest."""
    names = ["", *(each.week for each in weeks), ""]
    at = names.index(week.week) if week.week in names else None
    return (names[at - 1], names[at + 1]) if at is not None else ("", "")


def _sectors(codes: list[str], names: dict[str, str]) -> list[str]:
    return [names.get(code) or _("No sector") for code in codes]


def _trend(weeks: list[PublishedWeek]) -> Drawing | None:
    """The weeks' published totals by class, oldest first; a hidden total is not drawn."""
    if not weeks:
        return None
    ordered = weeks[::-1]
    totals = [{row["name"]: row["total"] or 0 for row in each.told["rows"]} for each in ordered]
    names = sorted({name for each in totals for name in each})
    names.sort(key=lambda name: -sum(each.get(name, 0) for each in totals))
    bands = [
        (str(TAXONOMIES.get(name, name)), [each.get(name, 0) for each in totals])
        for name in names[:6]
    ]
    return stacked_bars([each.week[2:] for each in ordered], bands)


def _taken(name: str, week: PublishedWeek | None, weeks: list[PublishedWeek]) -> HttpResponse:
    """A file: the very bytes released (json), the same as a sheet (csv), the trend (svg).

    Raises:
        Http404: there is none of this name.
    """
    drawing = _trend(weeks)
    if week is None or drawing is None:
        raise Http404
    if name == "json":
        answer = HttpResponse(week.content, content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="{week.number}.json"'
        return answer
    if name == "csv":
        told = week.told
        rows: list[list[Cell]] = [[r["name"], *r["cells"], r["total"]] for r in told["rows"]]
        rows.append(["total", *told["totals"], told["total"]])
        return csv_file(week.number, ["class", *told["columns"], "total"], rows)
    if name == "svg":
        return svg_file("weeks", drawing, _("Events a week by class"))
    raise Http404
