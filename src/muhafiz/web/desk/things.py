"""What a text in the palette may mean: an item, events, an owner, what the index knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import get_language, gettext

from muhafiz.common.actor import Actor
from muhafiz.constituency import directory
from muhafiz.constituency import queries as constituency
from muhafiz.search.queries import search
from muhafiz.triage import queries as triage
from muhafiz.web.desk.commands import Command, open_to
from muhafiz.web.desk.found import Found, event_question, events_address, found, may_be_claimed
from muhafiz.web.desk.queue_words import plain_title

_HITS = 7
_CLAIMS = 3


def found_things(viewer: Actor, text: str, now: datetime) -> list[Command]:
    """What a text may mean besides: items, events of an address or CVE, whose it is, the index."""
    answer = search(text, viewer=viewer, limit=_HITS)
    hits = [found(hit) for hit in answer.hits]
    return [
        *_items(viewer, text),
        *_events(viewer, answer.needles),
        *_owners(viewer, answer.needles, now),
        *(Command(each.title, each.address, _beside(each)) for each in hits),
    ]


def _beside(each: Found) -> str:
    """What stands beside a hit: whose or what it is, and its kind."""
    return " · ".join(filter(None, (each.hit.told[:60], str(each.word))))


def _items(viewer: Actor, text: str) -> Iterator[Command]:
    if not open_to(viewer, "queue-item"):
        return
    for item in triage.items_numbered(text, viewer=viewer):
        word = f"{item.shown_number} · {plain_title(item.title, item.params)}"
        owner = item.organization.name(get_language() or "en") if item.organization else ""
        beside = " · ".join(filter(None, (owner, gettext("Queue"))))
        yield Command(word, reverse("queue-item", args=[item.id]), beside)


def _events(viewer: Actor, needles: tuple[str, ...]) -> Iterator[Command]:
    if not open_to(viewer, "events"):
        return
    for needle in needles:
        if fields := event_question(needle):
            named = needle.upper() if fields.keys() & {"asn", "identifier"} else needle
            word = gettext("Events of {name}").format(name=named)
            yield Command(word, events_address(fields), gettext("Events"))


def _owners(viewer: Actor, needles: tuple[str, ...], now: datetime) -> Iterator[Command]:
    """Whose an address, domain or AS number is, the claim that wins first."""
    if not open_to(viewer, "constituent"):
        return
    asked = [needle for needle in needles if may_be_claimed(needle)]
    claims = [each for n in asked for each in directory.owners_of(n, viewer=viewer, at=now)]
    owners = constituency.organizations(each.organization_id for each in claims[:_CLAIMS])
    for each in claims[:_CLAIMS]:
        if owner := owners.get(each.organization_id):
            word = owner.name(get_language() or "en")
            yield Command(word, reverse("constituent", args=[owner.id]), each.text)
