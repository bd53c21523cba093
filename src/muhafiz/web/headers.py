"""The headers that tell a browser what it may do with our pages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from muhafiz.web.transport import is_https

#: Nothing inline, nothing foreign, nothing framed (CSP Level 3).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "report-uri /csp-report/; report-to policy"
)

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Reporting-Endpoints": 'policy="/csp-report/"',
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

#: A browser that came over HTTPS once comes over nothing else for a year (RFC 6797).
_ONLY_HTTPS = "max-age=31536000"


class SecurityHeaders:
    """Middleware: every answer carries the headers, errors and files included.

    A page that some view has not said otherwise about is not kept by any cache: it may show what
    only its reader may see.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then add what is missing."""
        response = self._get_response(request)
        for name, value in _HEADERS.items():
            response.setdefault(name, value)
        if is_https():
            response["Strict-Transport-Security"] = _ONLY_HTTPS
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response
