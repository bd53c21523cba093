"""How requests arrive: over which scheme, and how large they may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from muhafiz.common.refusal import Refusal
from muhafiz.web.refusals import refusal_answer

#: The largest request that is read at all: a list of constituents with its form around it.
MOST_BYTES: Final = 6 * 1024 * 1024


class TooLargeRequest(Refusal):
    """More was sent than any page takes."""

    text = "This is larger than {most} MiB: more than any page takes."


def is_https() -> bool:
    """Whether people reach the platform over HTTPS."""
    return str(settings.PUBLIC_URL).startswith("https://")


class PublicScheme:
    """Middleware: a request came over the scheme that people type, whatever brought it here.

    The web process itself speaks plain HTTP; where `MUHAFIZ_PUBLIC_URL` is https, a proxy before it
    ended the encryption. No header is asked for that, so none can lie about it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set the scheme, then answer."""
        if is_https():
            request.META["wsgi.url_scheme"] = "https"
        return self._get_response(request)


class SizeLimit:
    """Middleware, before anything reads the body: what is too large is refused unread.

    Looking for a form's secret reads the whole body, files included, of whoever sends it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or say that it is too large."""
        told = str(request.META.get("CONTENT_LENGTH") or "0")
        if not (told.isascii() and told.isdigit()) or int(told) > MOST_BYTES:
            return refusal_answer(request, TooLargeRequest(most=MOST_BYTES // 1024**2))
        return self._get_response(request)
