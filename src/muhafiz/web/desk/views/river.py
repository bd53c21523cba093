"""The river: what came in, what became of it, what went out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.rules import may
from muhafiz.feeds import queries as feeds
from muhafiz.jobs import queries as jobs
from muhafiz.notifications import queries as notifications
from muhafiz.web.desk.asking import Asked
from muhafiz.web.river import Flow, Spring, draw_river
from muhafiz.web.viewer import ViewedRequest

SPANS = {
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "all": (_("Everything"), None),
}
_IN_FLIGHT = ("queued", "sending", "held")


def river(request: ViewedRequest) -> HttpResponse:
    """The whole page."""
    asked = Asked(request.GET)
    context = _live(asked, request) | {"spans": SPANS, "here": "river"}
    return render(request, "desk/river/page.html", context, status=asked.status)


def river_live(request: ViewedRequest) -> HttpResponse:
    """The part of the page that htmx fetches again every few seconds."""
    asked = Asked(request.GET)
    context = _live(asked, request) | {"again": True}
    return render(request, "desk/river/live.html", context, status=asked.status)


def _live(asked: Asked, request: ViewedRequest) -> dict[str, Any]:
    """What the page shows; who was written to only to those who may read letters."""
    now, reads_letters = request.now, may(request.viewer, "notices.read")
    span = asked.choice("span", tuple(SPANS), "day")
    length = SPANS[span][1]
    since = None if length is None else now - length
    found = feeds.river(since=since)
    counted = notifications.counts_by_state(since=since)
    letters = {str(state): count for state, count in counted.items()}
    composed = sum(letters.values()) - letters.get("cancelled", 0)
    total = found.total
    flow = Flow(
        springs=[
            Spring(s.source or "—", s.reports_kept, s.rows_read, s.rows_set_aside)
            for s in found.sources
        ],
        accepted=total.rows_accepted,
        set_aside=total.rows_set_aside,
        owned=total.rows_owned,
        nobody=total.rows_unowned,
        letters=composed,
        sent=letters.get("sent", 0),
    )
    rtl = get_language_bidi()
    return {
        "span": span,
        "river": found,
        "drawing": draw_river(flow, rtl=rtl),
        "flow": flow,
        "in_flight": sum(letters.get(state, 0) for state in _IN_FLIGHT),
        "unsure": letters.get("unsure", 0),
        "failed": letters.get("failed", 0),
        "silent": feeds.silent_feeds(now=now),
        "latest": notifications.letters(limit=6) if reads_letters else None,
        "running": jobs.jobs(state="running", limit=6),
    }
