"""A browser becomes somebody's, and stops being so."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest

from muhafiz.accounts.actions.sessions import open_session, sign_out
from muhafiz.accounts.queries import person_actor
from muhafiz.common.actor import Actor
from muhafiz.common.clock import SystemClock

#: The session's key that holds the secret by which the people's own list knows it.
VISIT = "visit"

_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def admit(request: HttpRequest, actor: Actor, *, way: str) -> None:
    """Sign the browser in, with a session that has nothing of the one before (fixation)."""
    request.session.flush()
    request.META["muhafiz.way"] = way
    login(request, get_user_model().objects.get(pk=int(actor.identifier)), backend=_BACKEND)


def note_sign_in(request: HttpRequest, person_id: int, way: str) -> None:
    """Open the session in the people's own list: without it nobody is let through."""
    actor = person_actor(person_id)
    if actor is None:
        return
    former = request.session.get(VISIT)
    if former is not None:
        sign_out(key=former, actor=actor, now=moment_of(request))
    key = request.session[VISIT] = secrets.token_urlsafe(32)
    open_session(
        person_id=person_id,
        key=key,
        way=way,
        address=client_address(request),
        browser=request.META.get("HTTP_USER_AGENT", ""),
        actor=actor,
        now=moment_of(request),
    )


def dismiss(request: HttpRequest) -> None:
    """Sign the browser out: the session is gone from the server as well."""
    viewer: Actor | None = getattr(request, "viewer", None)
    key = request.session.get(VISIT)
    if viewer is not None and key is not None:
        sign_out(key=key, actor=viewer, now=moment_of(request))
    request.session.flush()


def moment_of(request: HttpRequest) -> datetime:
    """The request's moment, as `ViewerMiddleware` told it."""
    told: datetime | None = getattr(request, "now", None)
    return told or SystemClock().now()


def client_address(request: HttpRequest) -> str:
    """Who asks: the peer, or whom the last of `settings.PROXIES` trusted proxies named."""
    peer = request.META.get("REMOTE_ADDR", "")
    if not settings.PROXIES:
        return str(peer)
    named = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    named = [part for part in named if part]
    if len(named) < settings.PROXIES:
        return str(peer)
    found = named[-settings.PROXIES]
    with_port = _WITH_PORT.fullmatch(found)  # a visitor has as many as they like
    return (with_port[1] or with_port[2]) if with_port else found
