"""Events of the lake: the trend first, then the rows, and for each the whole way it came."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from muhafiz.audit.actions.entries import record_read
from muhafiz.constituency import directory
from muhafiz.constituency import queries as constituency
from muhafiz.detection import queries as detection
from muhafiz.feeds import queries as feeds
from muhafiz.formats.events import PARSED
from muhafiz.formats.rsit import TAXONOMY_OF
from muhafiz.lake import queries as lake
from muhafiz.lake.answers import DayCount
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import BadQuery
from muhafiz.web.charts import Drawing, stacked_bars
from muhafiz.web.desk.asking import Asked
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50
_BANDS = 5
_DAYS = 30
_MOST_DAYS = 120  # bars that one drawing can show
#: Columns shown under their own names; the rest of the row stands in `extra`.
_TOLD = tuple(
    name
    for name in PARSED.names
    if name.startswith(("time_", "feed_", "source_", "destination_", "protocol_", "malware_"))
    and not name.endswith("_address")
)


def events(request: ViewedRequest) -> HttpResponse:
    """Trend and page of the events that the filters ask for."""
    asked = Asked(request.GET)
    query = _query(asked, request)
    if query is not None:
        _record(request, "lake.read_events", "events", {k: v for k, v in asked.raw.items() if v})
    context: dict[str, Any] = {"asked": asked, "types": sorted(TAXONOMY_OF), "here": "events"}
    if query is not None:
        context |= _answers(query)
    context["kept"] = _kept(request)
    return render(request, "desk/events/list.html", context, status=asked.status)


def _query(asked: Asked, request: ViewedRequest) -> EventQuery | None:
    """What is asked; None when some of it makes no sense (the errors then say which)."""
    owners = _owners(asked, request)
    kind, feed = asked.choice("type", tuple(TAXONOMY_OF)), asked.text("feed")
    since, until = asked.day("since"), asked.day("until")
    parts: dict[str, Any] = {
        "organization_ids": owners,
        "nobody": asked.text("nobody") == "yes",
        "cidr": asked.network("cidr"),
        "asn": asked.whole("asn"),
        "domain_suffix": asked.text("domain") or None,
        "classification_types": frozenset({kind} if kind else ()),
        "feed_codes": frozenset({feed} if feed else ()),
        "since": since or (request.now - timedelta(days=_DAYS)),
        "until": until + timedelta(days=1) if until else None,
        "report_id": asked.whole("report"),
        "after": asked.text("after") or None,
        "limit": _PAGE,
    }
    if asked.errors:
        return None
    try:
        return EventQuery(**parts)
    except BadQuery as refusal:
        asked.errors["cidr"] = sentence(refusal)
        return None


def _owners(asked: Asked, request: ViewedRequest) -> frozenset[int]:
    """The organization of a number, or all those that a name or a network finds."""
    text = asked.text("organization")
    if not text or (text.isascii() and text.isdigit()):
        number = asked.whole("organization")
        return frozenset() if number is None else frozenset({number})
    page = directory.search(text, viewer=request.viewer, at=request.now)
    if not page.rows:
        asked.errors["organization"] = _("No organization is called so.")
    return frozenset(row.facts.id for row in page.rows)


def _record(request: ViewedRequest, action: str, subject: str, details: dict[str, str]) -> None:
    """Events are restricted: who read which is an entry, written before they are shown."""
    with transaction.atomic():
        record_read(
            actor=request.viewer, now=request.now, action=action, subject=subject, details=details
        )


def _answers(query: EventQuery) -> dict[str, Any]:
    page = lake.scan(query)
    rows = page.to_pylist()
    owners = constituency.organizations({r["organization_id"] for r in rows} - {None})
    for row in rows:
        row["owner"] = owners.get(row["organization_id"])
    counted = lake.series(query)
    return {
        "rows": rows,
        "total": sum(each.events for each in counted),
        "drawing": trend(counted),
        "days": by_day(counted),
        "next": lake.next_cursor(page) if len(rows) == _PAGE else None,
    }


def by_day(counted: list[DayCount]) -> list[tuple[date, int]]:
    """Events of each day that has any: the chart's table twin."""
    days: dict[date, int] = {}
    for each in counted:
        days[each.day] = days.get(each.day, 0) + each.events
    return sorted(days.items())


def trend(counted: list[DayCount]) -> Drawing | None:
    """Events per day, the most frequent types as bands; None when there are none."""
    if not counted:
        return None
    first, last = counted[0].day, counted[-1].day
    span = [last - timedelta(days=at) for at in range(min((last - first).days, _MOST_DAYS - 1) + 1)]
    span = sorted(set(span) | {last - timedelta(days=at) for at in range(14)})
    sums: dict[str, int] = {}
    for each in counted:
        sums[each.classification_type or "—"] = (
            sums.get(each.classification_type or "—", 0) + each.events
        )
    names = sorted(sums, key=lambda name: -sums[name])[:_BANDS]
    rest = _("other types")
    counts = {name: dict.fromkeys(span, 0) for name in (*names, rest)}
    for each in counted:
        name = each.classification_type or "—"
        band = counts[name if name in names else rest]
        if each.day in band:
            band[each.day] += each.events
    bands = [
        (name, [band[day] for day in span]) for name, band in counts.items() if any(band.values())
    ]
    return stacked_bars([f"{day:%m-%d}" for day in span], bands)


def _kept(request: HttpRequest) -> str:
    """The filters as the next page's address takes them."""
    kept = request.GET.copy()
    kept.pop("after", None)
    return kept.urlencode()


def event(request: ViewedRequest, day: str, key: str) -> HttpResponse:
    """One event and the way it came: report, row, parser, matched network, notices."""
    try:
        found = lake.event(int(key), date.fromisoformat(day))
    except (ValueError, BadQuery) as wrong:
        raise Http404 from wrong
    if found is None:
        raise Http404
    _record(request, "lake.read_event", f"event:{found.key}", {"day": day})
    row = found.columns
    owner = row["organization_id"]
    claims = constituency.claims({row["network_id"]} - {None})
    context = {
        "event": found,
        "row": row,
        "columns": [(name, row[name]) for name in _TOLD if row[name] is not None],
        "owner": constituency.organization(owner) if owner is not None else None,
        "claim": claims.get(row["network_id"]),
        "report": feeds.report(row["report_id"]),
        "position": feeds.position(row["report_id"], row["row"]),
        "notices": detection.notices_of_event(key=found.key, organization_id=owner),
        "here": "event",
    }
    return render(request, "desk/events/page.html", context)
