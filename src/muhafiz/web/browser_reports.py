"""Reports that browsers send when a page breaks its content security policy (CSP Level 3).

Anybody can send them, so they are small, few, and counted by kind; none becomes an audit entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.db import transaction
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.web.allowances import AddressAllowance, Allowance
from muhafiz.web.models import PolicyReport

MOST_BYTES = 16_384
MOST_KINDS = 200
_A_MINUTE = 60  # requests that one process takes in a minute,
_A_MINUTE_OF_ONE = 20  # and of these from one address: nobody uses up what is everybody's
_A_REQUEST = 20
_DIRECTIVE = re.compile(r"[a-z][a-z-]{0,39}")
_WORD = re.compile(r"[a-z][a-z-]{0,39}")

_log = structlog.get_logger(__name__)


allowance = Allowance(_A_MINUTE)
of_one = AddressAllowance(_A_MINUTE_OF_ONE)


@csrf_exempt  # a browser sends its report without any form's secret
@require_POST
def policy_report(request: HttpRequest) -> HttpResponse:
    """Take reports in: 204; too large 413, too many 429, not understood 400."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    if not (of_one.take(request) and allowance.take()):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    try:
        found = list(_read(json.loads(request.read(MOST_BYTES + 1))))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return HttpResponse(status=400)
    keep_reports(found, now=request.now)  # type: ignore[attr-defined]  # ViewerMiddleware
    return HttpResponse(status=204)


def _read(body: Any) -> Iterator[tuple[str, str, str]]:
    """(directive, what was blocked, route) of each report of either form."""
    told = body if isinstance(body, list) else [body]
    for each in told[:_A_REQUEST]:
        if each.get("type", "csp-violation") != "csp-violation":
            continue
        report = each.get("csp-report") or each.get("body") or {}
        directive = report.get("effectiveDirective") or report.get("effective-directive")
        directive = directive or str(report.get("violated-directive", "")).partition(" ")[0]
        if not _DIRECTIVE.fullmatch(str(directive)):
            raise ValueError
        blocked = str(report.get("blockedURL") or report.get("blocked-uri") or "")
        page = str(report.get("documentURL") or report.get("document-uri") or "")
        yield str(directive), _origin(blocked), _route(page)


def _origin(blocked: str) -> str:
    """Scheme and host, or the word that stands in their place; never path nor query."""
    parts = urlsplit(blocked)
    if parts.scheme and parts.netloc:
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"[:120]
        return host if host.isprintable() else "?"  # NUL and half characters no database keeps
    word = parts.scheme or blocked
    return word if _WORD.fullmatch(word) else "?"


def _route(page: str) -> str:
    try:
        return (resolve(urlsplit(page).path).url_name or "?")[:60]
    except Resolver404:
        return "?"


def keep_reports(found: list[tuple[str, str, str]], *, now: datetime) -> None:
    """Count each kind; a kind beyond the most that are kept is only logged."""
    for directive, blocked, route in found:
        _log.warning("policy broken", directive=directive, blocked=blocked, route=route)
        kind = {"directive": directive, "blocked": blocked, "route": route}
        with transaction.atomic():
            again = PolicyReport.objects.filter(**kind).update(count=F("count") + 1, last_at=now)
            if not again and PolicyReport.objects.count() < MOST_KINDS:
                PolicyReport.objects.get_or_create(
                    **kind, defaults={"first_at": now, "last_at": now}
                )


def reported() -> list[PolicyReport]:
    """Every kind that browsers told of, the latest first."""
    return list(PolicyReport.objects.order_by("-last_at", "pk"))


def reports_count() -> int:
    """How many breaches browsers told of since they were last settled."""
    return PolicyReport.objects.aggregate(sum=Sum("count"))["sum"] or 0


@transaction.atomic
def settle_reports(*, actor: Actor, now: datetime) -> int:
    """Remove all reports as looked at: how many kinds."""
    check_may(actor, "jobs.run")
    kinds, _ = PolicyReport.objects.all().delete()
    record_entry(
        actor=actor,
        now=now,
        action="web.settle_policy_reports",
        subject="web",
        details={"kinds": kinds},
    )
    return kinds
