"""The sector liaison's page: who stays silent, who is not known, what nobody owns."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import directory, holdings
from muhafiz.constituency.actions.asking import ask_contacts, asked_again_after
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.asks import contacts_to_ask, latest_asks, wrong_contacts
from muhafiz.constituency.cares import (
    cares_at,
    count_unconfirmed,
    dead_contacts,
    standing_names,
    unconfirmed_contacts,
)
from muhafiz.constituency.facts import Cares
from muhafiz.constituency.queries import current_contacts, organizations
from muhafiz.constituency.registered import registered_domain
from muhafiz.constituency.rules import BadClaim, canonical_claim
from muhafiz.detection.owners import silent_owners
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.views.constituents import silent_days
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_DAYS = 30
_SHOWN = 12
_ASKED_AT_ONCE = 100
_ADDRESSES = 2_000
_LATEST = 2_000
_V4, _V6 = 24, 48  # the networks that addresses are put together by


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Something that events lie in and nobody claims."""

    kind: str  # address, asn, domain
    text: str
    events: int


def liaison(request: ViewedRequest) -> HttpResponse:
    """Everything that waits for the liaison, each with its one action."""
    cares, days = cares_at(request.now), silent_days(request)
    silent = silent_owners(at=request.now, days=days)
    shown = [each.organization_id for each in silent[:_SHOWN]]
    named = organizations(shown)
    people: dict[int, list[Any]] = {}
    for contact in current_contacts(shown):
        people.setdefault(contact.organization_id, []).append(contact)
    since = request.now - timedelta(days=_DAYS)
    nobody = EventQuery(nobody=True, since=since)
    late = unconfirmed_contacts(viewer=request.viewer, cares=cares, limit=_SHOWN)
    asked = latest_asks(contact.id for _owner, contact in late)
    context = {
        "silent": [
            (named[each.organization_id], each, people.get(each.organization_id, []))
            for each in silent[:_SHOWN]
            if each.organization_id in named
        ],
        "silent_total": len(silent),
        "silent_days": days,
        "late": [(owner, contact, asked.get(contact.id)) for owner, contact in late],
        "late_total": count_unconfirmed(viewer=request.viewer, cares=cares),
        "confirmed_before": cares.confirmed_before,
        "to_ask": len(_to_ask(request, cares, _ASKED_AT_ONCE)),
        "wrong": wrong_contacts(viewer=request.viewer, limit=_SHOWN),
        "dead": dead_contacts(viewer=request.viewer, cares=cares, limit=_SHOWN),
        "unclaimed": _unclaimed(since),
        "unowned": lake.count(nobody),
        "owned": lake.count(EventQuery(since=since)),
        "conflicts": [_clash(each) for each in _conflicts(request)],
        "requests": holdings.open_requests(viewer=request.viewer, limit=_SHOWN),
        "days": _DAYS,
        "here": "liaison",
    }
    return render(request, "desk/liaison/page.html", context)


def contacts_ask(request: ViewedRequest) -> HttpResponse:
    """Ask the contacts that were unconfirmed longest, a hundred at a time."""
    chosen = _to_ask(request, cares_at(request.now), _ASKED_AT_ONCE)
    asked = ask_contacts(contact_ids=chosen, actor=request.viewer, now=request.now)
    messages.success(request, _("Contacts asked by letter: {count}.").format(count=asked))
    return redirect("liaison")


def _to_ask(request: ViewedRequest, cares: Cares, most: int) -> list[int]:
    lately = request.now - asked_again_after(request.now)
    return contacts_to_ask(cares=cares, asked_before=lately, limit=most)


def _conflicts(request: ViewedRequest) -> list[Any]:
    return directory.conflicts(viewer=request.viewer, at=request.now, limit=_SHOWN)


def _clash(conflict: Any) -> dict[str, Any]:
    named = organizations(claim.organization_id for claim in conflict.claims)
    return {
        "conflict": conflict,
        "claims": [(claim, named.get(claim.organization_id)) for claim in conflict.claims],
    }


def _unclaimed(since: datetime) -> dict[str, list[Unclaimed]]:
    """The networks, AS numbers and domains with the most events that are nobody's."""
    nobody = EventQuery(nobody=True, since=since)
    networks: Counter[str] = Counter()
    for each in lake.top(nobody, "address", limit=_ADDRESSES):
        if each.value is not None:
            networks[_network(str(each.value))] += each.events
    numbers = [
        Unclaimed("asn", f"AS{each.value}", each.events)
        for each in lake.top(nobody, "asn", limit=_SHOWN)
        if each.value is not None
    ]
    domains: Counter[str] = Counter()
    latest = EventQuery(nobody=True, since=since, limit=_LATEST)
    for name in lake.scan(latest).column("source_fqdn").to_pylist():
        if name:
            domains[registered_domain(name)] += 1
    return {
        "address": [Unclaimed("address", *each) for each in networks.most_common(_SHOWN)],
        "asn": numbers[:_SHOWN],
        "domain": [Unclaimed("domain", *each) for each in domains.most_common(_SHOWN)],
    }


def _network(address: str) -> str:
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((found, _V4 if found.version == 4 else _V6), strict=False))  # noqa: PLR2004 - IPv4


def owner(request: ViewedRequest) -> HttpResponse:
    """The way to the owner of a network, AS number or domain that nobody claims."""
    return _owner_page(request, Asked(request.GET))


def owner_give(request: ViewedRequest) -> HttpResponse:
    """Enter it as an organization's, from the day on which it was first seen to be theirs."""
    asked = Asked(request.POST)
    chosen = asked.whole("organization")
    if chosen is None:
        asked.errors["organization"] = _("Choose an organization.")
        return _owner_page(request, asked)
    since = asked.day("valid_from")
    if asked.errors:
        return _owner_page(request, asked)
    try:
        add_claim(
            organization_id=chosen,
            kind=asked.text("kind"),
            value=asked.text("value"),
            valid_from=None if since is None else timezone.localtime(since).date(),
            note=asked.text("note"),
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        asked.errors["organization"] = sentence(refusal)
        return _owner_page(request, asked)
    messages.success(request, _("The claim was entered. New events go to its owner."))
    return redirect("constituent", chosen)


def _owner_page(request: ViewedRequest, asked: Asked) -> HttpResponse:
    kind = asked.choice("kind", ("address", "domain", "asn"), "address")
    value = asked.text("value")
    try:
        text = canonical_claim(kind, value)
    except BadClaim as refusal:
        asked.errors["value"] = sentence(refusal)
        text = ""
    context = {
        "kind": kind,
        "value": value,
        "text": text,
        "known": _known(request, kind, text) if text else [],
        "events": _events(kind, text, request.now) if text else None,
        "filter": {"address": "cidr", "domain": "domain", "asn": "asn"}[kind],
        "plain": text.removeprefix("AS") if kind == "asn" else text,
        "organizations": standing_names(viewer=request.viewer),
        "chosen": asked.whole("organization"),
        "asked": asked,
        "here": "owner",
    }
    return render(request, "desk/liaison/owner.html", context, status=asked.status)


def _events(kind: str, text: str, now: datetime) -> dict[str, Any]:
    since = now - timedelta(days=_DAYS)
    if kind == "address":
        query = EventQuery(nobody=True, since=since, cidr=text)
    elif kind == "domain":
        query = EventQuery(nobody=True, since=since, domain_suffix=text)
    else:
        query = EventQuery(nobody=True, since=since, asn=int(text.removeprefix("AS")))
    return {
        "count": lake.count(query),
        "types": lake.top(query, "type", limit=6),
        "asns": [each for each in lake.top(query, "asn", limit=6) if each.value is not None],
    }


def _known(request: ViewedRequest, kind: str, text: str) -> list[Any]:
    """Who claims this, or a part of it, or the networks beside it, today."""
    asks = [text]
    if kind == "address":
        network = ipaddress.ip_network(text)
        first, last = int(network.network_address), int(network.broadcast_address)
        beside = (first - 1, first, last, last + 1)
        asks = [
            str(type(network.network_address)(number))
            for number in beside
            if 0 <= number < 2**network.max_prefixlen
        ]
    found = {}
    for ask in asks:
        for claim in directory.owners_of(ask, viewer=request.viewer, at=request.now):
            found[claim.id] = claim
    named = organizations(claim.organization_id for claim in found.values())
    return [(claim, named.get(claim.organization_id)) for claim in found.values()]
