"""Accepted batches made of few words."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from muhafiz.formats.events import ACCEPTED

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SALT = bytes(range(16))


def sixteen(text: str | None) -> bytes | None:
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def row(**given: Any) -> dict[str, Any]:
    """One accepted row; what is not given is plausible."""
    found = {
        "row": 1,
        "time_source": NOON,
        "feed_provider": "Shadowserver",
        "feed_name": "Accessible Telnet",
        "feed_code": "scan_telnet",
        "classification_taxonomy": "vulnerable",
        "classification_type": "potentially-unwanted-accessible",
        "classification_identifier": "open-telnet",
        "tlp": "AMBER",
        "source_ip": "203.0.113.5",
        "source_port": 23,
        "organization_id": 1,
        "report_id": 1,
        "parser": "shadowserver/1",
        "time_observation": NOON + timedelta(days=1),
        **given,
    }
    found.setdefault("source_address", sixteen(found["source_ip"]))
    return found


def accepted(rows: list[dict[str, Any]], *, report_id: int = 1) -> pa.Table:
    lines = [{**line, "report_id": report_id, "row": n} for n, line in enumerate(rows, 1)]
    return pa.Table.from_pylist(lines, schema=ACCEPTED)


def host(number: int, **given: Any) -> dict[str, Any]:
    """The row of the host with this number; every number is another event."""
    return row(source_ip=str(ipaddress.IPv4Address(0xC6336400 + number)), **given)
