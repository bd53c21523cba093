"""Anyone may ask whether a letter is ours, and take along the key that signs them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muhafiz.accounts.tries import TooManyTries
from muhafiz.keyring.queries import OwnCertificate, own_certificate
from muhafiz.keyring.rules import NoSigningCertificate
from muhafiz.publications.queries import verify as verify_document
from muhafiz.tenancy.current import beyond_tenant
from muhafiz.web.allowances import AddressAllowance

#: Questions a minute from one address.
allowance = AddressAllowance(30)

_ANYBODY = "anybody may ask, whoever has entered; the answer names nobody"


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Whether a number or a code is ours, and since when; nothing about the content."""
    asked = request.GET.get("code", "").strip()[:100]
    now = request.now  # type: ignore[attr-defined]  # ViewerMiddleware
    context: dict[str, Any] = {"asked": asked, "key": own_key(now)}
    if asked:
        if not allowance.take(request):  # numbers follow each other: nobody walks along them
            raise TooManyTries(minutes=1)
        with beyond_tenant(_ANYBODY):
            context["verdict"] = verify_document(asked)
    return render(request, "web/verify.html", context)


@require_safe
def own_key_file(request: HttpRequest) -> HttpResponse:
    """The CERT's public OpenPGP key, armored (RFC 9580, 6.2).

    Raises:
        Http404: there is none that signs now.
    """
    key = own_key(request.now)  # type: ignore[attr-defined]  # ViewerMiddleware
    if key is None:
        raise Http404
    answer = HttpResponse(key.public, content_type="application/pgp-keys")
    answer["Content-Disposition"] = f'attachment; filename="{key.fingerprint}.asc"'
    return answer


def own_key(now: datetime) -> OwnCertificate | None:
    """The certificate that signs at this moment; None when there is none."""
    try:
        with beyond_tenant(_ANYBODY):
            return own_certificate(at=now)
    except NoSigningCertificate:
        return None
