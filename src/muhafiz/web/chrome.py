"""What every page's frame shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.feeds.queries import river, silent_feeds
from muhafiz.jobs import queries as jobs
from muhafiz.notifications import queries as notifications
from muhafiz.triage import duty
from muhafiz.triage.filters import TABS
from muhafiz.triage.queries import counts as queue_counts
from muhafiz.web.browser_reports import reports_count
from muhafiz.web.desk.navigation import navigation_for
from muhafiz.web.front import THEMES
from muhafiz.web.place import cert_ministry, cert_name, cert_short_name


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor: viewer, theme, lane, side list and the counts of waiting work."""
    viewer: Actor | None = getattr(request, "viewer", None)
    theme = request.COOKIES.get("theme", "")
    now: datetime | None = getattr(request, "now", None)  # none where a request is refused early
    shown = {
        "viewer": viewer,
        "demonstration": settings.DEMONSTRATION,
        "theme": theme if theme in THEMES else "",
        "cert_name": "" if now is None else SimpleLazyObject(lambda: cert_name(now)),
        "cert_ministry": "" if now is None else SimpleLazyObject(lambda: cert_ministry(now)),
        "cert_short": "" if now is None else SimpleLazyObject(lambda: cert_short_name(now)),
    }
    if viewer is None or now is None:
        return shown
    return shown | {
        "preferences": request.visit.preferences,  # type: ignore[attr-defined]  # as above
        "navigation": navigation_for(viewer),
        "may_replay": may(viewer, "reports.replay"),
        "may_send": may(viewer, "notices.send"),
        "may_run": may(viewer, "jobs.run"),
        "may_export": may(viewer, "events.export"),
        "may_map": may(viewer, "feeds.edit"),
        "may_policies": may(viewer, "policies.edit"),
        "may_watch": may(viewer, "feeds.watch"),
        "may_propose": may(viewer, "rulebook.propose"),
        "may_approve": may(viewer, "rulebook.approve"),
        "may_import": may(viewer, "constituency.edit"),
        "may_decide": may(viewer, "holdings.decide"),
        "may_work_queue": may(viewer, "queue.work"),
        "on_duty": SimpleLazyObject(duty.on_duty) if may(viewer, "queue.read") else None,
        "waits": SimpleLazyObject(_waits(viewer, now)),
    }


def _waits(viewer: Actor, now: datetime) -> Callable[[], dict[str, int]]:
    """Only where work waits; asked for when a page shows the side list, not by its parts."""
    return lambda: {
        "unsure": notifications.counts_by_state()["unsure"],
        "open_rows": river().total.rows_open,
        "silent": len(silent_feeds(now=now)),
        "failed_jobs": jobs.counts_by_state()["failed"],
        "browser_reports": reports_count(),
        "queue": _queue(viewer, now),
    }


def _queue(viewer: Actor, now: datetime) -> int:
    """What of the queue is new or the viewer's own."""
    if not may(viewer, "queue.read"):
        return 0
    return queue_counts({"mine": TABS["mine"]}, viewer=viewer, now=now)["mine"]
