"""Where a form leads back to: to a page of ours, never elsewhere."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def asked_next(request: HttpRequest, default: str = "/") -> str:
    """The form's or the address's `next`, when it is an address of ours; else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if wanted and is_ours(request, wanted) else default


def is_ours(request: HttpRequest, address: str) -> bool:
    """Whether the address is of the very host that was asked, and no less safe."""
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
