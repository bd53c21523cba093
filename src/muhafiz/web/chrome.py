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
from muhafiz.web.desk.navigation import navigation_for
from muhafiz.web.front import THEMES
from muhafiz.web.place import cert_name


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor: viewer, theme, lane, side list and the counts of waiting work."""
    viewer: Actor | None = getattr(request, "viewer", None)
    theme = request.COOKIES.get("theme", "")
    shown = {
        "viewer": viewer,
        "demonstration": settings.DEMONSTRATION,
        "theme": theme if theme in THEMES else "",
    }
    if viewer is None:
        return shown
    now: datetime = request.now  # type: ignore[attr-defined]  # ViewerMiddleware
    return shown | {
        "navigation": navigation_for(viewer),
        "may_replay": may(viewer, "reports.replay"),
        "may_send": may(viewer, "notices.send"),
        "may_run": may(viewer, "jobs.run"),
        "may_import": may(viewer, "constituency.edit"),
        "waits": SimpleLazyObject(_waits(now)),
        "cert_name": SimpleLazyObject(lambda: cert_name(now)),
    }


def _waits(now: datetime) -> Callable[[], dict[str, int]]:
    """Only where work waits; asked for when a page shows the side list, not by its parts."""
    return lambda: {
        "unsure": notifications.counts_by_state()["unsure"],
        "open_rows": river().total.rows_open,
        "silent": len(silent_feeds(now=now)),
        "failed_jobs": jobs.counts_by_state()["failed"],
    }
