"""What the index found, as pages show it; and what a name asks of the event lake."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from muhafiz.search.queries import Hit
from muhafiz.web.plain_words import plain

_ASN = re.compile(r"as(\d{1,10})")
_CVE = re.compile(r"cve-\d{4}-\d{4,9}")
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
    "feed": (_("Feeds"), "feed", _page("feed")),
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


def found(hit: Hit) -> Found:
    """A hit as its kind shows it."""
    word, icon, address = KINDS[hit.kind]
    return Found(hit, _title(hit), word, icon, address(hit.args))


def _title(hit: Hit) -> str:
    """What the thing is called in the reader's language; a finding by what it is."""
    language = get_language() or "en"
    if hit.kind != "finding":
        return hit.named(language)
    number = hit.title.partition(" ")[0]
    return f"{number} · {plain(hit.args['type'], hit.args['identifier'], language).name}"


def event_question(needle: str) -> dict[str, tuple[str, ...]] | None:
    """The explorer's filter for a name of the network or a CVE; None for any other word.

    Sources write a CVE in small letters or capitals.
    """
    if asn := _ASN.fullmatch(needle):
        return {"asn": (asn.group(1),)}
    if _CVE.fullmatch(needle):
        return {"identifier": (needle.upper(), needle)}
    if _is_network(needle):
        return {"cidr": (needle,)}
    if _NAME.fullmatch(needle) and not needle.rpartition(".")[2].isdigit():
        return {"domain": (needle,)}
    return None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def may_be_claimed(needle: str) -> bool:
    """Whether it is an address, domain name or AS number, which somebody may call theirs."""
    fields = event_question(needle)
    return fields is not None and "identifier" not in fields and "/" not in needle


def events_address(fields: Mapping[str, tuple[str, ...]]) -> str:
    """Where the explorer answers it."""
    return f"{reverse('events')}?{urlencode({**fields, 'span': '90d'}, doseq=True)}"
