"""One event: the whole way it came, what was told of it, and what else happened there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render

from muhafiz.audit.actions.entries import record_read
from muhafiz.common.refusal import Refusal
from muhafiz.constituency import queries as constituency
from muhafiz.detection import queries as detection
from muhafiz.detection.facts import NoticeFacts
from muhafiz.detection.finding_queries import findings
from muhafiz.feeds import queries as feeds
from muhafiz.feeds.excerpts import AT_ONCE, row_as_delivered
from muhafiz.feeds.facts import ReportFacts
from muhafiz.lake import queries as lake
from muhafiz.lake.answers import Event
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import BadQuery
from muhafiz.notifications import queries as notifications
from muhafiz.web.desk.explorer.event_facts import explorer, further, grouped
from muhafiz.web.desk.explorer.spans import preset
from muhafiz.web.desk.explorer.trends import make_trend
from muhafiz.web.desk.explorer.wording import wording
from muhafiz.web.desk.finding_items import with_items
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_NEAR = timedelta(days=90)
_SHOWN = 8
_LETTERS = 20
_LETTERS_OF_ROW = 8_000
_SECONDS = 10.0


def event(request: ViewedRequest, day: str, key: str) -> HttpResponse:
    """One event and the way it came; `part=near`: what else its address did."""
    found = _found(day, key)
    part = "near" if request.GET.get("part") == "near" else ""
    with transaction.atomic():
        record_read(
            actor=request.viewer,
            now=request.now,
            action="lake.read_event",
            subject=f"event:{found.key}",
            details={"day": day} | ({"part": part} if part else {}),
        )
    if part:
        alone = "HX-Request" in request.headers
        template = "near" if alone else "near_page"
        return render(request, f"desk/events/{template}.html", _near(request, found))
    return render(request, "desk/events/page.html", _way(request, found))


def _found(day: str, key: str) -> Event:
    try:
        found = lake.event(int(key), date.fromisoformat(day))
    except (ValueError, BadQuery) as wrong:
        raise Http404 from wrong
    if found is None:
        raise Http404
    return found


def _way(request: ViewedRequest, found: Event) -> dict[str, Any]:
    row = found.columns
    owner = row["organization_id"]
    claims = constituency.claims({row["network_id"]} - {None})
    report = feeds.report(row["report_id"])
    told = detection.notices_of_event(
        key=found.key, organization_id=owner, received_at=row["time_observation"]
    )
    again = lake.sightings(found.key, found.day)
    return {
        "event": found,
        "row": row,
        "groups": grouped(row, wording(request.now)),
        "further": further(row),
        "owner": constituency.organization(owner) if owner is not None else None,
        "claim": claims.get(row["network_id"]),
        "report": report,
        "position": feeds.position(row["report_id"], row["row"]),
        "raw": _raw(request, report, row),
        "may_ask_raw": report is not None and report.size_bytes > AT_ONCE,
        "findings": _findings(request, row),
        "told": [(notice, _letters(notice)) for notice in told],
        "again": again,
        "again_reports": feeds.reports_by_id(each.report_id for each in again),
        "pivots": _pivots(row),
        "here": "event",
    }


def _raw(request: ViewedRequest, report: ReportFacts | None, row: Mapping[str, Any]) -> str | None:
    """The row as delivered: at once from a small report, when asked for from a large one."""
    if report is None or (report.size_bytes > AT_ONCE and request.GET.get("raw") != "yes"):
        return None
    found = row_as_delivered(report.id, row["row"])
    if found is None:
        return None
    return found[:_LETTERS_OF_ROW].decode("utf-8", "backslashreplace").replace("\0", "␀")


def _findings(request: ViewedRequest, row: Mapping[str, Any]) -> list[tuple[Any, int | None]]:
    """Its findings, each with the item of the queue that is about it."""
    if row["organization_id"] is None:
        return []
    found = findings(
        viewer=request.viewer,
        organization_id=row["organization_id"],
        type=row["classification_type"] or "",
        identifier=row["classification_identifier"] or "",
        limit=3,
    )
    return with_items(found, viewer=request.viewer)


def _letters(notice: NoticeFacts) -> list[Any]:
    found = (notifications.letter(each.message_id) for each in notice.letters[:_LETTERS])
    return [letter for letter in found if letter is not None]


def _pivots(row: Mapping[str, Any]) -> dict[str, str]:
    """Ways on to events like this one."""
    found = {}
    if row["source_ip"]:
        found["address"] = explorer(cidr=row["source_ip"], span="90d")
    if row["organization_id"] is not None:
        kind = {"identifier": row["classification_identifier"]}
        if not row["classification_identifier"]:
            kind = {"type": row["classification_type"] or ""}
        found["problem"] = explorer(organization=row["organization_id"], span="90d", **kind)
    return found


def _near(request: ViewedRequest, found: Event) -> dict[str, Any]:
    """The same address over 90 days: trend and the latest events."""
    row = found.columns
    context: dict[str, Any] = {"event": found, "row": row, "here": "event"}
    if not row["source_ip"]:
        return context
    span = preset("90d", request.now)
    query = EventQuery(cidr=row["source_ip"], since=span.since, limit=_SHOWN)
    params = QueryDict(f"cidr={row['source_ip']}")
    try:
        points = lake.trend(query, seconds=_SECONDS)
        rows = lake.scan(query, seconds=_SECONDS).to_pylist()
    except Refusal as refusal:
        return context | {"refusal": sentence(refusal)}
    trend = make_trend(points, span, params, bands="type", now=request.now)
    more = explorer(cidr=row["source_ip"], span="90d")
    return context | {"trend": trend, "rows": rows, "more": more}
