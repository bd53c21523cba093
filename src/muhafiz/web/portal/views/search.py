"""One box for a constituent's people: their own findings, notices, networks and domains."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import holdings
from muhafiz.constituency.facts import ClaimFacts
from muhafiz.constituency.request_rules import touch
from muhafiz.detection import queries
from muhafiz.detection.facts import FindingFacts, NoticeFacts
from muhafiz.detection.findings_at import findings_at
from muhafiz.detection.own_notices import own_notices
from muhafiz.search.queries import Hit, search
from muhafiz.search.rules import fold
from muhafiz.search.rules import needles as terms_of
from muhafiz.web.asking import Asked
from muhafiz.web.plain_words import plain
from muhafiz.web.portal.scope import Scope, scope_of
from muhafiz.web.portal.views.findings import record
from muhafiz.web.portal.views.notices import told_classes
from muhafiz.web.portal.words import rows
from muhafiz.web.viewer import ViewedRequest

_MOST = 50  # of a kind on the page
_READ = 1000  # findings whose plain words are looked through
_CLAIMS = 5000
_LANGUAGES = ("en", "ur")
_DOMAIN = re.compile(r"(?=.*\.)(?!.*@)[a-z0-9_.-]{4,253}")


def search_page(request: ViewedRequest) -> HttpResponse:
    """What of one's own is called so, is told so in plain words, or lies there on the network."""
    asked = Asked(request.GET)
    text = asked.text("q")
    context: dict[str, Any] = {"here": "portal-search", "asked": asked, "text": text}
    needles = terms_of(text) if not asked.errors else []
    if needles:
        record(request, "search.search", "search", {"text": text})
        context |= _answer(request, text, needles)
    return render(request, "portal/search.html", context, status=asked.status)


def _answer(request: ViewedRequest, text: str, needles: Sequence[str]) -> dict[str, Any]:
    scope = scope_of(request)
    findings = _findings(request, scope, text, needles)
    notices = _notices(request, scope, text)
    claims = _claims(request, needles)
    several = scope.several
    return {
        "scope": scope,
        "findings": rows(findings[:_MOST], scope.parts),
        "notices": [(each, told_classes(each)) for each in notices],
        "claims": [
            (each, scope.parts.get(each.organization_id) if several else None)
            for each in claims[:_MOST]
        ],
        "cut": max(len(findings), len(claims)) > _MOST or len(notices) == _MOST,
    }


def _hits(request: ViewedRequest, scope: Scope, text: str, kind: str) -> Sequence[Hit]:
    own = frozenset(scope.parts)
    return search(
        text, viewer=request.viewer, kind=kind, organization_ids=own, limit=_MOST + 1
    ).hits


def _findings(
    request: ViewedRequest, scope: Scope, text: str, needles: Sequence[str]
) -> list[FindingFacts]:
    """The findings that the index, their plain words or the network lead to, each once.

    Whatever leads there, they are read as the viewer's: the index alone shows nothing.
    """
    found = {int(hit.args["finding_id"]) for hit in _hits(request, scope, text, "finding")}
    every = queries.findings(viewer=request.viewer, limit=_READ)
    found |= {each.id for each in every if _told(each, needles)}
    found |= {each.id for each in _on_network(request, needles)}
    return queries.findings_with_ids(found, viewer=request.viewer) if found else []


def _told(finding: FindingFacts, needles: Sequence[str]) -> bool:
    """Whether its plain name, in either language, has a word that begins as each needle."""
    names = (plain(finding.type, finding.identifier, one).name for one in _LANGUAGES)
    words = [word.strip("()") for name in names for word in fold(name).split()]
    return all(any(word.startswith(needle) for word in words) for needle in needles)


def _on_network(request: ViewedRequest, needles: Sequence[str]) -> list[FindingFacts]:
    if len(needles) != 1:
        return []
    network, domain = _network(needles[0]), None
    if network is None and _DOMAIN.fullmatch(needles[0]):
        domain = needles[0]
    try:
        return findings_at(viewer=request.viewer, now=request.now, network=network, domain=domain)
    except Refusal:  # too slow, too busy, no name at all: the index has answered
        return []


def _notices(request: ViewedRequest, scope: Scope, text: str) -> list[NoticeFacts]:
    ids = {int(hit.args["notice_id"]) for hit in _hits(request, scope, text, "notice")}
    return own_notices(viewer=request.viewer, ids=ids, limit=_MOST) if ids else []


def _claims(request: ViewedRequest, needles: Collection[str]) -> list[ClaimFacts]:
    held = holdings.held_claims(viewer=request.viewer, at=request.now, limit=_CLAIMS)
    return [each for each in held if all(_meets(each, needle) for needle in needles)]


def _meets(claim: ClaimFacts, needle: str) -> bool:
    """Whether the claim begins so, holds what is asked for, or lies within it."""
    if claim.text.casefold().startswith(needle):
        return True
    if claim.kind == "address":
        network = _network(needle)
        return network is not None and touch("address", claim.text, network)
    return claim.kind == "domain" and "." in needle and touch("domain", claim.text, needle)


def _network(needle: str) -> str | None:
    try:
        return str(ipaddress.ip_network(needle, strict=False))
    except ValueError:
        return None
