"""A rule's no becomes a page, or a problem document (RFC 9457) for who asks for JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language_bidi, gettext

from muhafiz.common.refusal import Refusal
from muhafiz.web.labels import STATES
from muhafiz.web.reasons import worded

#: How a refusal's name begins, and its status (RFC 9110).
_STATUSES = (
    ("NotAllowed", 403),
    ("TooMany", 429),
    ("TooLarge", 413),
    ("NoSuch", 404),
    ("Unknown", 404),
    ("Bad", 400),
    ("Unreadable", 400),
    ("LakeBusy", 503),
    ("Engine", 503),
    ("PortalClosed", 503),
    ("QueryTooSlow", 503),
    ("DiskNearlyFull", 507),
)


#: What refusals are given that is words and not a value.
_SENTENCES = frozenset({"reason", "problem", "kind", "what", "detail", "limit"})

_FSI, _PDI = "\u2068", "\u2069"  # UAX #9: first strong isolate, and its end


def sentence(refusal: Refusal) -> str:
    """The refusal in the reader's language; what it speaks of is isolated in right-to-left ones."""
    params = {name: _in_words(name, value) for name, value in refusal.params.items()}
    if get_language_bidi():
        params = {k: f"{_FSI}{v}{_PDI}" if isinstance(v, str) else v for k, v in params.items()}
    return gettext(refusal.text).format(**params)


def _in_words(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if name == "state" and value in STATES:
        return str(STATES[value][0])
    return worded(value) if name in _SENTENCES else value


def refusal_status(refusal: Refusal) -> int:
    """The HTTP status that says what kind of no it is, by the refusal's name; else 409."""
    return next((status for begins, status in _STATUSES if refusal.code.startswith(begins)), 409)


def refusal_answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The page that says no and why; a problem document when JSON was asked for."""
    status = refusal_status(refusal)
    if request.accepts("text/html"):
        context = {"reason": sentence(refusal), "code": refusal.code, "status": status}
        return render(request, "web/refusal.html", context, status=status)
    body = {"type": f"urn:muhafiz:refusal:{refusal.code}", "title": sentence(refusal)}
    return JsonResponse(
        body | {"status": status}, status=status, content_type="application/problem+json"
    )


class RefusalPages:
    """Middleware: a `Refusal` that a view lets through becomes its page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a refusal into its page; leave everything else alone."""
        return refusal_answer(request, exception) if isinstance(exception, Refusal) else None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose secret does not fit: stale, or sent from elsewhere."""
    del reason  # for logs, not for people
    text = gettext("This form is out of date. Go back, reload the page and send it again.")
    context = {"reason": text, "code": "StaleForm", "status": 403}
    return render(request, "web/refusal.html", context, status=403)
