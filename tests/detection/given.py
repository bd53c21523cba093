"""Rows and organizations made of few words."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from muhafiz.common.actor import Actor
from muhafiz.formats.events import ACCEPTED

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def event(owner: int | None, host: int = 1, **given: Any) -> dict[str, Any]:
    """One accepted row about a host; what is not given is plausible."""
    address = ipaddress.IPv4Address(0xC6336400 + host)
    return {
        "time_source": NOON,
        "feed_provider": "Shadowserver",
        "feed_name": "Accessible Telnet",
        "feed_code": "scan_telnet",
        "classification_taxonomy": "vulnerable",
        "classification_type": "potentially-unwanted-accessible",
        "classification_identifier": "open-telnet",
        "severity": "medium",
        "tlp": "AMBER",
        "source_ip": str(address),
        "source_address": b"\0" * 10 + b"\xff\xff" + address.packed,
        "source_port": 23,
        "organization_id": owner,
        "network_id": 1 if owner else None,
        "network": "198.51.100.0/24" if owner else None,
        "parser": "shadowserver/1",
        "time_observation": NOON + timedelta(hours=12),
        **given,
    }


def accepted(rows: list[dict[str, Any]], *, report_id: int = 1, first: int = 1) -> pa.Table:
    lines = [{**line, "report_id": report_id, "row": n} for n, line in enumerate(rows, first)]
    return pa.Table.from_pylist(lines, schema=ACCEPTED)


def person(
    name: str, *, contact: bool, language: str, actor: Actor, now: datetime, **details: Any
) -> int:
    """An organization and, unless told otherwise, its abuse contact."""
    from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
    from muhafiz.constituency.actions.organizations import register_organization

    certificate = details.pop("certificate", "")
    identifier = register_organization(
        name_en=name, language=language, actor=actor, now=now, **details
    )
    if contact:
        address = f"abuse@{name.lower().replace(' ', '-')}.example"
        add_contact(
            organization_id=identifier,
            details=ContactDetails(
                role="abuse", address=address, name=name, certificate=certificate
            ),
            actor=actor,
            now=now,
        )
    return identifier
