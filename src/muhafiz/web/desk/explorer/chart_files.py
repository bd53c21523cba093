"""The trend as a file: its drawing, or its numbers."""

from __future__ import annotations

from datetime import UTC

from django.http import Http404, HttpResponse

from muhafiz.formats.csv_cells import Cell
from muhafiz.web.desk.explorer.trends import Trend
from muhafiz.web.downloads import csv_file, svg_file


def trend_file(trend: Trend | None, part: str, *, title: str) -> HttpResponse:
    """The trend as `trend.svg` or `trend.csv`.

    Raises:
        Http404: nothing is drawn in this span.
    """
    if part == "trend.csv":
        names = trend.names if trend else ()
        return csv_file("events-trend", ["start_utc", "events", *names], _numbers(trend))
    if trend is None:
        raise Http404
    return svg_file("events-trend", trend.drawing, title)


def _numbers(trend: Trend | None) -> list[list[Cell]]:
    return [
        [row.start.astimezone(UTC), row.events, *row.counts]
        for row in (trend.rows if trend else ())
    ]
