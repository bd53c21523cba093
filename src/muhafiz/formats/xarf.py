"""X-ARF version 4, the abuse reporting format: its vocabulary, and reports made from events.

Reading a report is the source `xarf`'s work; this module knows what both directions share.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from muhafiz.formats.rsit import TAXONOMY_OF

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

VERSION = "4.2.0"
TYPES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        category: MappingProxyType(types)
        for category, types in tomllib.loads(
            resources.files(__package__).joinpath("xarf.toml").read_text("utf-8")
        ).items()
    }
)
"""RSIT type by X-ARF category and type."""

# The X-ARF category and type that says an RSIT type best.
_SAID_AS = {
    "spam": ("messaging", "spam"),
    "brute-force": ("connection", "login_attack"),
    "scanner": ("connection", "port_scan"),
    "exploit": ("connection", "sql_injection"),
    "dos": ("connection", "ddos"),
    "ddos": ("connection", "ddos"),
    "infected-system": ("infrastructure", "botnet"),
    "c2-server": ("infrastructure", "compromised_server"),
    "system-compromise": ("infrastructure", "compromised_server"),
    "application-compromise": ("infrastructure", "compromised_server"),
    "phishing": ("content", "phishing"),
    "malware-distribution": ("content", "malware"),
    "masquerade": ("content", "fraud"),
    "data-leak": ("content", "exposed_data"),
    "copyright": ("copyright", "copyright"),
    "vulnerable-system": ("vulnerability", "cve"),
    "misconfiguration": ("vulnerability", "misconfiguration"),
}
_OPEN = frozenset(
    {"potentially-unwanted-accessible", "ddos-amplifier", "information-disclosure", "weak-crypto"}
)


def to_rsit(category: str | None, kind: str | None) -> str | None:
    """The RSIT type of an X-ARF category and type; None when either is unknown.

    Hyphens and underscores are alike, as are cases.
    """
    types = TYPES.get(_plain(category), {})
    return types.get(_plain(kind))


def from_rsit(rsit_type: str) -> tuple[str, str] | None:
    """The X-ARF category and type that say an RSIT type; None where X-ARF has no word for it."""
    if rsit_type in _OPEN:
        return ("vulnerability", "open_service")
    return _SAID_AS.get(rsit_type)


def to_report(
    event: Mapping[str, Any],
    *,
    reporter: Mapping[str, str],
    created_at: datetime,
    identifier: str,
) -> dict[str, Any] | None:
    """An X-ARF v4 report about one event, or None where X-ARF cannot say it.

    `event` has the columns of `muhafiz.formats.events`; `reporter` has org, contact and domain.
    `identifier` names the event for ever: the same gives the same report_id. The source is the
    event's address, else its name; without either there is nothing to report about.
    """
    said = from_rsit(event.get("classification_type") or "")
    source = event.get("source_ip") or event.get("source_fqdn")
    if said is None or not source:
        return None
    seen = event.get("time_source") or created_at
    report: dict[str, Any] = {
        "xarf_version": VERSION,
        "report_id": str(uuid5(NAMESPACE_URL, f"urn:muhafiz:event:{identifier}")),
        "timestamp": seen.isoformat().replace("+00:00", "Z"),
        "reporter": dict(reporter),
        "sender": dict(reporter),
        "source_identifier": source,
        "category": said[0],
        "type": said[1],
    }
    optional = {
        "source_port": event.get("source_port"),
        "destination_ip": event.get("destination_ip"),
        "destination_port": event.get("destination_port"),
        "protocol": event.get("protocol_transport"),
        "url": event.get("source_url"),
        "service": event.get("protocol_application"),
        "description": event.get("classification_identifier"),
        "tags": _tags(event),
    }
    report.update({name: value for name, value in optional.items() if value is not None})
    return report


def _tags(event: Mapping[str, Any]) -> list[str]:
    kind = event["classification_type"]
    tags = [f"rsit:{TAXONOMY_OF[kind]}:{kind}"] if kind in TAXONOMY_OF else []
    if event.get("malware_name"):
        tags.append(f"malware:{event['malware_name']}")
    return tags


def _plain(word: str | None) -> str:
    return (word or "").strip().lower().replace("-", "_")
