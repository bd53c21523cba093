"""One event's columns in groups: what each is called, whether it may harm, where it leads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from muhafiz.web.desk.explorer.wording import Wording

_PIVOTS = {
    "source_ip": "cidr", "source_fqdn": "domain", "source_asn": "asn", "source_port": "port",
    "destination_ip": "destination", "classification_taxonomy": "taxonomy",
    "classification_type": "type", "classification_identifier": "identifier",
    "severity": "severity", "feed_code": "feed", "sector": "sector", "network": "network",
    "protocol_transport": "transport", "report_id": "report",
}  # fmt: skip

#: Values that somebody hostile may own or have written: shown so that nothing follows them.
_HARMFUL = frozenset(
    {"source_url", "destination_ip", "destination_fqdn", "destination_url", "source_fqdn"}
)

GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (
        _("Where"),
        ("source_ip", "source_port", "source_fqdn", "source_url", "source_asn",
         "source_geolocation_cc", "source_account"),
    ),
    (
        _("The other side"),
        ("destination_ip", "destination_port", "destination_fqdn", "destination_url",
         "destination_asn"),
    ),
    (
        _("What"),
        ("classification_taxonomy", "classification_type", "classification_identifier",
         "severity", "protocol_transport", "protocol_application", "malware_name",
         "malware_hash_sha256"),
    ),
    (
        _("Whose"),
        ("sector", "network", "network_kind"),
    ),
    (
        _("From where"),
        ("feed_provider", "feed_name", "feed_code", "report_id", "row", "parser", "time_source",
         "time_observation"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One column: its name, its value, its words where it is a code that has some.

    `harmful`: shown so that nothing follows it; `pivot`: the explorer narrowed to it.
    """

    name: str
    value: Any
    words: str
    harmful: bool
    moment: bool
    pivot: str


def explorer(**fields: object) -> str:
    """The explorer's address with these filters."""
    return f"{reverse('events')}?{urlencode(fields)}"


def grouped(row: Mapping[str, Any], wording: Wording) -> list[tuple[str | Promise, list[Fact]]]:
    """The columns that have a value, in their groups; a group of none is left out."""
    found = [(word, [_fact(name, row[name], wording) for name in names if row[name] is not None])
             for word, names in GROUPS]  # fmt: skip
    return [(word, facts) for word, facts in found if facts]


def further(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else the source said, name by name; a single text when it is no JSON object."""
    text = row["extra"]
    if not text:
        return []
    try:
        values = json.loads(text)
    except ValueError:
        return [("", text)]
    if not isinstance(values, dict):
        return [("", text)]
    return [(name, v if isinstance(v, str) else json.dumps(v)) for name, v in values.items()]


def _fact(name: str, value: Any, wording: Wording) -> Fact:
    field = _PIVOTS.get(name)
    told = wording.told(field or name, value)
    return Fact(
        name=name,
        value=value,
        words="" if told.code else told.words,
        harmful=name in _HARMFUL,
        moment=name.startswith("time_"),
        pivot=explorer(**{field: value, "span": "90d"}) if field else "",
    )
