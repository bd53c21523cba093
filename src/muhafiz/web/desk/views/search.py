"""One box for everything: what the index knows, who claims a name, what the lake has seen of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
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
from muhafiz.search.queries import Answer, Hit, search
from muhafiz.web.asking import Asked
from muhafiz.web.parts import Tab
from muhafiz.web.plain_words import plain
from muhafiz.web.viewer import ViewedRequest

_DAYS = 90  # of the lake that a name is looked up in
_SECONDS = 1.5  # for which the lake is waited; after that the page only offers the question
_ASN = re.compile(r"as(\d{1,10})")
_NAME = re.compile(r"(?=.*\.)[a-z0-9_.-]{4,253}")


def _page(route: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda args: reverse(route, kwargs=dict(args))


def _events_of(finding: Mapping[str, Any]) -> str:
    """A finding is looked at through its events."""
    named = {name: finding[name] for name in ("identifier", "type") if finding.get(name)}
    asked = {"organization": finding["organization_id"], **named, "span": "all"}
    return f"{reverse('events')}?{urlencode(asked)}"


#: kind → (word, icon, address of the thing).
KINDS: dict[str, tuple[Promise, str, Callable[[Mapping[str, Any]], str]]] = {
    "organization": (_("Constituents"), "building", _page("constituent")),
    "finding": (_("Findings"), "event", _events_of),
    "notice": (_("Notices"), "letter", _page("notice")),
    "letter": (_("Letters"), "send", _page("letter")),
    "report": (_("Reports"), "report", _page("report")),
    "feed": (_("Feeds"), "feed", lambda _feed: reverse("feeds")),
    "note": (_("Notes"), "book", _page("queue-item")),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A hit with its way."""

    hit: Hit
    title: str
    word: Promise
    icon: str
    address: str


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
        _record(request, text)
        answer = search(text, viewer=request.viewer, kind=kind, page=page)
        context |= {
            "found": [_found(hit) for hit in answer.hits],
            "tabs": _tabs(answer, text, kind),
            "total": sum(answer.counts.values()),
            "sighted": _sighted(request, answer),
            "claims": _claims(request, answer),
            "further": urlencode({"q": text, "kind": kind or "", "page": page + 1})
            if answer.more
            else "",
        }
    return render(request, "desk/search/page.html", context, status=asked.status)


def _found(hit: Hit) -> Found:
    word, icon, address = KINDS[hit.kind]
    return Found(hit, _title(hit), word, icon, address(hit.args))


def _title(hit: Hit) -> str:
    """What the thing is called in the reader's language; a finding by what it is."""
    language = get_language() or "en"
    if hit.kind != "finding":
        return hit.named(language)
    number = hit.title.partition(" ")[0]
    return f"{number} · {plain(hit.args['type'], hit.args['identifier'], language).name}"


def _tabs(answer: Answer, text: str, kind: str | None) -> list[Tab]:
    tabs = [Tab(f"?{urlencode({'q': text})}", _("All"), sum(answer.counts.values()), kind is None)]
    for name, (word, _icon, _address) in KINDS.items():
        if answer.counts.get(name):
            address = f"?{urlencode({'q': text, 'kind': name})}"
            tabs.append(Tab(address, word, answer.counts[name], kind == name))
    return tabs


def _record(request: ViewedRequest, text: str) -> None:
    """What was looked for is an entry, written before anything is shown."""
    with transaction.atomic():
        record_read(
            actor=request.viewer, now=request.now, action="search.search", subject="search",
            details={"text": text},
        )  # fmt: skip


def _asked_of_lake(needle: str) -> dict[str, str] | None:
    """The explorer's filter for a name of the network; None for any other word."""
    asn = _ASN.fullmatch(needle)
    if asn:
        return {"asn": asn.group(1)}
    try:
        return {"cidr": str(ipaddress.ip_network(needle))}
    except ValueError:
        pass
    if _NAME.fullmatch(needle) and not needle.rpartition(".")[2].isdigit():
        return {"domain": needle}
    return None


def _sighted(request: ViewedRequest, answer: Answer) -> list[Sighted]:
    if not may(request.viewer, "events.read"):
        return []
    found = []
    for needle in answer.needles:
        fields = _asked_of_lake(needle)
        if fields is not None:
            address = f"{reverse('events')}?{urlencode({**fields, 'span': '90d'})}"
            found.append(Sighted(needle, _count(request, fields), address))
    return found


def _count(request: ViewedRequest, fields: Mapping[str, str]) -> int | None:
    try:
        query = EventQuery(
            cidr=fields.get("cidr"),
            asn=int(fields["asn"]) if "asn" in fields else None,
            domain_suffix=fields.get("domain"),
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
        if _asked_of_lake(needle) and "/" not in needle
        for claim in directory.owners_of(needle, viewer=request.viewer, at=request.now)
    ]
    owners = constituency.organizations(claim.organization_id for claim in claims)
    return [(claim, owners.get(claim.organization_id)) for claim in claims[:10]]
