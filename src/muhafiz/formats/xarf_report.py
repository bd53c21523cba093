"""X-ARF version 4: abuse reports for programs, one JSON object per event.

Follows the core fields of the X-ARF 4 specification (xarf_version, report_id, timestamp, reporter,
sender, source_identifier, category, type, evidence_source) and its seven categories (messaging,
connection, content, infrastructure, copyright, vulnerability, reputation). RSIT types are mapped
to the nearest category and type; the RSIT words stay in `tags`. What a category requires and the
event does not say makes the event fall back to a category whose needs are met, so that every
object can be read. Pure.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

VERSION: Final = "4.2.0"
_SPACE: Final = uuid.UUID("6f0f8d1e-52b5-5a0e-9d53-0c1f3f6d2a71")

#: RSIT type → category and type of X-ARF.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "spam": ("messaging", "spam"),
    "infected-system": ("infrastructure", "botnet"),
    "c2-server": ("infrastructure", "botnet"),
    "malware-distribution": ("content", "malware"),
    "malware-configuration": ("content", "malware"),
    "phishing": ("content", "phishing"),
    "masquerade": ("content", "fraud"),
    "unauthorised-information-modification": ("content", "remote_compromise"),
    "data-leak": ("content", "exposed_data"),
    "scanner": ("connection", "port_scan"),
    "brute-force": ("connection", "login_attack"),
    "exploit": ("connection", "vulnerability_scan"),
    "ids-alert": ("connection", "vulnerability_scan"),
    "dos": ("connection", "ddos"),
    "ddos": ("connection", "ddos"),
    "copyright": ("copyright", "copyright"),
    "system-compromise": ("infrastructure", "compromised_server"),
    "application-compromise": ("infrastructure", "compromised_server"),
    "privileged-account-compromise": ("infrastructure", "compromised_server"),
    "unprivileged-account-compromise": ("infrastructure", "compromised_server"),
    "ddos-amplifier": ("vulnerability", "open_service"),
    "potentially-unwanted-accessible": ("vulnerability", "open_service"),
    "information-disclosure": ("vulnerability", "misconfiguration"),
    "misconfiguration": ("vulnerability", "misconfiguration"),
    "weak-crypto": ("vulnerability", "misconfiguration"),
    "vulnerable-system": ("vulnerability", "cve"),
}
#: What an event must have for its category to make sense.
_NEEDED: Final[Mapping[str, str]] = {
    "content": "source_url",
    "connection": "source_ip",
    "messaging": "source_ip",
}
_FALLBACK: Final = ("reputation", "threat_intelligence")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: an organization's name and the mail address that answers."""

    organization: str
    contact: str


def xarf_report(
    event: Mapping[str, Any], *, number: str, reporter: Reporter, now: datetime
) -> dict[str, Any]:
    """One event (columns of `formats.events`, `time` or `time_source`) as an X-ARF 4 object.

    The same event in the same notice always gets the same `report_id`.
    """
    category, kind = _kind(event)
    moment = event.get("time") or event.get("time_source") or now
    named = f"{number}/{event.get('report_id')}/{event.get('row')}/{event.get('key')}"
    party = {
        "org": reporter.organization,
        "contact": reporter.contact,
        "domain": reporter.contact.rpartition("@")[2],
    }
    report = {
        "xarf_version": VERSION,
        "report_id": str(uuid.uuid5(_SPACE, named)),
        "timestamp": _utc(moment),
        "reporter": party,
        "sender": party,
        "source_identifier": _identifier(event),
        "source_port": event.get("source_port"),
        "category": category,
        "type": kind,
        "evidence_source": "automated_scan"
        if category == "vulnerability"
        else "threat_intelligence",
        "tags": _tags(event),
        "description": _description(event),
        **_particular(category, event, moment),
    }
    return {key: value for key, value in report.items() if value is not None}


def xarf_objects(
    events: Iterable[Mapping[str, Any]], *, number: str, reporter: Reporter, now: datetime
) -> bytes:
    """Events of a notice as JSON objects with commas between: in [ and ] they are a document."""
    reports = (xarf_report(event, number=number, reporter=reporter, now=now) for event in events)
    return b",\n".join(orjson.dumps(report, option=orjson.OPT_INDENT_2) for report in reports)


def _kind(event: Mapping[str, Any]) -> tuple[str, str]:
    category, kind = _KINDS.get(event.get("classification_type") or "", _FALLBACK)
    needed = _NEEDED.get(category)
    if needed and not event.get(needed):
        return _FALLBACK
    if kind == "cve" and not _cve(event):
        return "vulnerability", "misconfiguration"
    return category, kind


def _identifier(event: Mapping[str, Any]) -> str:
    for name in ("source_ip", "source_fqdn", "source_url", "source_account", "network"):
        if event.get(name):
            return str(event[name])
    return "unknown"


def _particular(category: str, event: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """The fields that one category asks for."""
    service = event.get("protocol_application") or event.get("classification_identifier")
    fields: dict[str, dict[str, Any]] = {
        "content": {"url": event.get("source_url"), "malware_family": event.get("malware_name")},
        "connection": {
            "destination_ip": event.get("destination_ip"),
            "destination_port": event.get("destination_port"),
            "protocol": event.get("protocol_transport") or "tcp",
            "first_seen": _utc(event.get("first_seen") or moment),
            "last_seen": _utc(event.get("last_seen") or moment),
        },
        "infrastructure": {
            "compromise_evidence": _description(event),
            "malware_family": event.get("malware_name"),
        },
        "vulnerability": {
            "service": service or "unknown",
            "service_port": event.get("source_port"),
            "cve_id": _cve(event),
        },
        "messaging": {"protocol": "smtp"},
        "reputation": {"threat_type": event.get("classification_type") or "other"},
    }
    return fields.get(category, {})


def _cve(event: Mapping[str, Any]) -> str | None:
    text = str(event.get("classification_identifier") or "").upper()
    return text if text.startswith("CVE-") else None


def _tags(event: Mapping[str, Any]) -> list[str]:
    tags = [f"rsit:{event.get('classification_taxonomy')}:{event.get('classification_type')}"]
    if event.get("malware_name"):
        tags.append(f"malware:{event['malware_name']}")
    if event.get("tlp"):
        tags.append(f"tlp:{event['tlp']}")
    return tags


def _description(event: Mapping[str, Any]) -> str:
    parts = [
        event.get("classification_type"),
        event.get("classification_identifier"),
        event.get("malware_name"),
    ]
    return ", ".join(str(part) for part in parts if part) or "security event"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
