"""Which permission each of the desk's routes needs. A route without a row cannot be built."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from muhafiz.accounts.rules import may

#: route → (permission, methods). The permission's roles stand in accounts/permissions.toml.
ROUTES: dict[str, tuple[str, str]] = {
    "river": ("river.read", "GET"),
    "river-live": ("river.read", "GET"),
    "reports": ("reports.read", "GET"),
    "report": ("reports.read", "GET"),
    "report-raw": ("reports.read", "GET"),
    "report-replay": ("reports.replay", "POST"),
    "report-assign": ("reports.replay", "POST"),
    "set-aside": ("reports.read", "GET"),
    "set-aside-row": ("reports.read", "GET"),
    "set-aside-edit": ("reports.replay", "POST"),
    "set-aside-dismiss": ("reports.replay", "POST"),
    "events": ("events.read", "GET"),
    "event": ("events.read", "GET"),
    "constituents": ("constituency.read", "GET"),
    "constituent": ("constituency.read", "GET"),
    "import": ("constituency.edit", "GET"),
    "import-preview": ("constituency.edit", "POST"),
    "import-apply": ("constituency.edit", "POST"),
    "import-undo": ("constituency.edit", "POST"),
    "notices": ("notices.read", "GET"),
    "notice": ("notices.read", "GET"),
    "notice-preview": ("notices.read", "GET"),
    "notice-send": ("notices.send", "POST"),
    "notice-send-now": ("notices.send", "POST"),
    "letters": ("notices.read", "GET"),
    "letter": ("notices.read", "GET"),
    "letter-raw": ("notices.read", "GET"),
    "letter-attachment": ("notices.read", "GET"),
    "letter-resolve": ("notices.send", "POST"),
    "feeds": ("feeds.read", "GET"),
    "jobs": ("jobs.read", "GET"),
    "job-retry": ("jobs.run", "POST"),
    "job-cancel": ("jobs.run", "POST"),
    "audit": ("audit.read", "GET"),
    "audit-verify": ("audit.read", "POST"),
    "rulebook": ("rulebook.read", "GET"),
}

View = Callable[..., HttpResponseBase]


def guarded(view: View, permission: str) -> View:
    """The view for who holds the permission; 403 for others; the front page for nobody."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        viewer = request.viewer  # type: ignore[attr-defined]  # set by ViewerMiddleware
        if viewer is None and "HX-Request" in request.headers:
            # A part of a page asks again after its session has ended: the whole page leaves.
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("front")})
        if viewer is None:
            return HttpResponseRedirect(reverse("front"))
        if not may(viewer, permission):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return answer


def route(pattern: str, view: View, name: str) -> URLPattern:
    """A path of the desk, guarded by its row in `ROUTES`.

    Raises:
        KeyError: the route has no row; nothing is open by default.
    """
    permission, methods = ROUTES[name]
    allowed = ["GET", "HEAD"] if methods == "GET" else [methods]
    return path(pattern, require_http_methods(allowed)(guarded(view, permission)), name=name)
