"""Who looks at the page, when, and in which zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from muhafiz.accounts.actions.sessions import see_session
from muhafiz.accounts.queries import Visit, visit
from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock, SystemClock
from muhafiz.web.signin.sessions import VISIT
from muhafiz.web.zone import NationalZone


class ViewedRequest(HttpRequest):
    """A request of the desk: it knows its viewer, who has entered, and its moment."""

    viewer: Actor
    visit: Visit
    now: datetime
    clock: Clock


def _visit(request: HttpRequest, now: datetime) -> Visit | None:
    """The request's open session; one that ended elsewhere, or whose person was suspended, ends."""
    key = request.session.get(VISIT)
    if key is None:
        return None
    found = visit(key, now=now)
    if found is None:
        request.session.flush()
        return None
    see_session(found, now=now)
    return found


class ViewerMiddleware:
    """Middleware: sets `request.viewer` (None: nobody entered), `visit`, `now` and `clock`.

    Every page shows national time (the rulebook's `jurisdiction.timezone`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._clock = SystemClock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the viewer, then answer."""
        viewed: ViewedRequest = request  # type: ignore[assignment]  # these lines make it one
        viewed.clock = self._clock
        viewed.now = self._clock.now()
        found = _visit(request, viewed.now)
        viewed.visit = found  # type: ignore[assignment]  # the desk's guard lets no None through
        viewed.viewer = found.person.actor() if found else None  # type: ignore[assignment]  # as above
        with timezone.override(NationalZone(viewed.now)):
            return self._get_response(request)
