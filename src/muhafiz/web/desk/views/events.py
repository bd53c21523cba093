"""Events of the lake: the trend first, then top lists, then the rows; every value is a pivot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from muhafiz.audit.actions.entries import record_read
from muhafiz.common.refusal import Refusal
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.web.desk.explorer import chart_files, tables, tops
from muhafiz.web.desk.explorer.filters import LISTS, Reading, read_query
from muhafiz.web.desk.explorer.pills import changed, filter_bar, organizations_named
from muhafiz.web.desk.explorer.spans import PRESETS, local_text
from muhafiz.web.desk.explorer.trends import BANDS, Trend, is_hourly, make_trend
from muhafiz.web.desk.explorer.wording import wording
from muhafiz.web.parts import Tab
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50
_SECONDS = 10.0  # of each part of a page
_PARTS = ("top", "trend.svg", "trend.csv")


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the page: what was found, or why it could not be."""

    found: Any = None
    refusal: str = ""


def events(request: ViewedRequest) -> HttpResponse:
    """Trend and page of the events that the filters ask for; or one part of them alone."""
    reading = read_query(request.GET, viewer=request.viewer, now=request.now, limit=_PAGE)
    asked = reading.asked
    columns = tables.asked_columns(request.GET, asked)
    bands = asked.choice("bands", tuple(BANDS), "type")
    part = asked.choice("part", _PARTS)
    query = None if asked.errors else reading.query
    if query is not None:
        _record(request, part)
    if query is not None and part == "top":
        return _top_lists(request, query, _frame(request, reading))
    if query is not None and part:
        trend = _trend(request, query, reading, bands)
        return chart_files.trend_file(trend, part, title=_("Events"))
    context = _frame(request, reading) | {
        "columns": tables.choices(columns),
        "bands": _band_tabs(request, bands),
        "lists": LISTS,
    }
    if query is not None:
        context["trend"] = _panel(lambda: _trend(request, query, reading, bands))
        context["page"] = _panel(lambda: _page(request, query, columns))
    return render(request, "desk/events/list.html", context, status=asked.status)


def _record(request: ViewedRequest, part: str) -> None:
    """Events are restricted: who read which is an entry, written before they are shown."""
    details = {name: ", ".join(request.GET.getlist(name))[:300] for name in request.GET}
    with transaction.atomic():
        record_read(
            actor=request.viewer,
            now=request.now,
            action="lake.read_events",
            subject=f"events:{part}" if part else "events",
            details={name: text for name, text in details.items() if text},
        )


def _frame(request: ViewedRequest, reading: Reading) -> dict[str, Any]:
    """What stands above the answers: filters, span, ways to look."""
    params = request.GET
    words = wording(request.now, organizations_named(params))
    asked = reading.asked
    return {
        "asked": asked,
        "bar": filter_bar(params, reading, words),
        "spans": _span_tabs(request, reading),
        "since": asked.raw.get("since", "") if "since" in asked.errors
        else local_text(reading.span.since if params.get("since") else None),
        "until": asked.raw.get("until", "") if "until" in asked.errors
        else local_text(reading.span.until),
        "sectors": words.sectors,
        "top_part": changed(params, put={"part": "top"}),
        "whole": changed(params),
        "query_text": changed(params)[1:],
        "here": "events",
    }  # fmt: skip


def _span_tabs(request: ViewedRequest, reading: Reading) -> list[Tab]:
    return [
        Tab(
            changed(request.GET, put={"span": code}, clear=("since", "until")),
            word,
            here=reading.span.code == code,
        )
        for code, word in PRESETS.items()
    ]


def _band_tabs(request: ViewedRequest, bands: str) -> list[Tab]:
    words = {
        "type": _("Class"),
        "severity": _("Severity"),
        "taxonomy": _("Taxonomy"),
        "feed": _("Feed"),
        "sector": _("Sector"),
    }
    return [
        Tab(changed(request.GET, put={"bands": code}), words[code], here=code == bands)
        for code in BANDS
    ]


def _panel(ask: Callable[[], object]) -> Panel:
    """The part's answer; a limit of the lake becomes words in its place, the rest stays."""
    try:
        return Panel(ask())
    except Refusal as refusal:
        return Panel(refusal=sentence(refusal))


def _trend(request: ViewedRequest, query: EventQuery, reading: Reading, bands: str) -> Trend | None:
    span, now = reading.span, request.now
    step = "hour" if is_hourly(span, now) else "day"
    points = lake.trend(
        query, step="hour" if step == "hour" else "day", bands=BANDS[bands], seconds=_SECONDS
    )
    return make_trend(points, span, request.GET, bands=bands, now=now)


@dataclass(frozen=True, slots=True)
class _Rows:
    """One page of the table."""

    heads: list[tuple[str, tables.Kind]]
    rows: list[list[tables.Cell]]
    next: str
    order: str
    turned: str


def _page(request: ViewedRequest, query: EventQuery, columns: tuple[str, ...]) -> _Rows:
    page = lake.scan(query, seconds=_SECONDS)
    rows = page.to_pylist()
    words = wording(request.now, {row["organization_id"] for row in rows} - {None})
    mark = lake.next_cursor(page) if len(rows) == _PAGE else None
    params = request.GET
    other = "oldest" if query.order == "newest" else "newest"
    return _Rows(
        heads=tables.heads(columns),
        rows=tables.table(rows, columns, params, words),
        next=changed(params, put={"after": mark}) if mark else "",
        order=query.order,
        turned=changed(params, put={"order": other}),
    )


def _top_lists(request: ViewedRequest, query: EventQuery, context: dict[str, Any]) -> HttpResponse:
    """The top lists: a part of the page, or a page of its own for who has no scripts."""
    context["top"] = _panel(lambda: tops.top_lists(query, request.GET, request.now))
    alone = "HX-Request" in request.headers
    return render(request, f"desk/events/{'top' if alone else 'top_page'}.html", context)
