"""One box for everything: what the index knows, who claims a name, what the lake has seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.rules import may
from muhafiz.audit.actions.entries import record_read
from muhafiz.common.refusal import Refusal
from muhafiz.constituency import directory
from muhafiz.constituency import queries as constituency
from muhafiz.constituency.facts import ClaimFacts, OrganizationFacts
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import BadQuery
from muhafiz.search.queries import Answer, search
from muhafiz.web.asking import Asked
from muhafiz.web.desk.found import KINDS, event_question, events_address, found, may_be_claimed
from muhafiz.web.parts import Tab
from muhafiz.web.viewer import ViewedRequest

_DAYS = 90  # of the lake that a name is looked up in
_SECONDS = 1.5  # for which the lake is waited; after that the page only offers the question


@dataclass(frozen=True, slots=True)
class Sighted:
    """What the lake has of a name: how many events (None: it did not answer in time)."""

    name: str
    events: int | None
    address: str


def search_page(request: ViewedRequest) -> HttpResponse:
    """The hits by kind; for an address, network, domain or AS number also its claims and events."""
    asked = Asked(request.GET)
    text = asked.text("q")
    kind = asked.choice("kind", tuple(KINDS)) or None
    page = asked.whole("page", most=200) or 1
    context: dict[str, Any] = {"here": "search", "asked": asked, "text": text}
    if text and not asked.errors:
        record_search(request, text)
        answer = search(text, viewer=request.viewer, kind=kind, page=page)
        context |= {
            "found": [found(hit) for hit in answer.hits],
            "tabs": _tabs(answer, text, kind),
            "total": sum(answer.counts.values()),
            "sighted": _sighted(request, answer),
            "claims": _claims(request, answer),
            "further": urlencode({"q": text, "kind": kind or "", "page": page + 1})
            if answer.more
            else "",
        }
    return render(request, "desk/search/page.html", context, status=asked.status)


def _tabs(answer: Answer, text: str, kind: str | None) -> list[Tab]:
    tabs = [Tab(f"?{urlencode({'q': text})}", _("All"), sum(answer.counts.values()), kind is None)]
    for name, (word, _icon, _address) in KINDS.items():
        if answer.counts.get(name):
            address = f"?{urlencode({'q': text, 'kind': name})}"
            tabs.append(Tab(address, word, answer.counts[name], kind == name))
    return tabs


def record_search(request: ViewedRequest, text: str) -> None:
    """What was looked for is an entry, written before anything is shown."""
    with transaction.atomic():
        record_read(
            actor=request.viewer, now=request.now, action="search.search", subject="search",
            details={"text": text},
        )  # fmt: skip


def _sighted(request: ViewedRequest, answer: Answer) -> list[Sighted]:
    if not may(request.viewer, "events.read"):
        return []
    told = []
    for needle in answer.needles:
        fields = event_question(needle)
        if fields is not None:
            told.append(Sighted(needle, _count(request, fields), events_address(fields)))
    return told


def _count(request: ViewedRequest, fields: Mapping[str, tuple[str, ...]]) -> int | None:
    one = {name: values[0] for name, values in fields.items()}
    try:
        query = EventQuery(
            cidr=one.get("cidr"),
            asn=int(one["asn"]) if "asn" in one else None,
            domain_suffix=one.get("domain"),
            classification_identifiers=frozenset(fields.get("identifier", ())),
            since=request.now - timedelta(days=_DAYS),
        )
        return lake.count(query, seconds=_SECONDS)
    except BadQuery:
        return 0
    except Refusal:  # too slow, too busy, unreadable: the explorer says which
        return None


def _claims(
    request: ViewedRequest, answer: Answer
) -> list[tuple[ClaimFacts, OrganizationFacts | None]]:
    """Who claims the address, domain or AS number that was asked for, the winner first."""
    if not may(request.viewer, "constituency.read"):
        return []
    claims = [
        claim
        for needle in answer.needles
        if may_be_claimed(needle)
        for claim in directory.owners_of(needle, viewer=request.viewer, at=request.now)
    ]
    owners = constituency.organizations(claim.organization_id for claim in claims)
    return [(claim, owners.get(claim.organization_id)) for claim in claims[:10]]
