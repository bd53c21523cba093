"""X-ARF v4 abuse reports: one JSON object, a list, or JSON Lines; all seven categories.

The abused or abusive host (`source_identifier`) is the source. Evidence is kept in `extra`: kind,
description and hash always, the payload when it is at most 64 KiB (the whole report is kept
anyway). A TLP label is taken from `tlp` or from a tag "tlp:...". `protocol` may be an application's
("smtp"); early reports say `class` for `category`. Version 3 is not read.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import first_object, json_blocks, read_objects
from muhafiz.feeds.columns.mapped_objects import draft_of_objects
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source
from muhafiz.formats.xarf import to_rsit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

REPORT_BYTES = 32 * 1024 * 1024
"""Evidence may be large: a report up to this size is read."""
_PAYLOAD_CHARACTERS = 64 * 1024
_TRANSPORTS = frozenset({"tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "gre"})
_COLUMNS = {
    "time_source": ("first_seen", "timestamp"),
    "feed_provider": ("reporter_org",),
    "feed_name": ("sender_org",),
    "classification_type": ("rsit",),
    "classification_identifier": ("identifier",),
    "severity": ("severity",),
    "tlp": ("tlp",),
    "source_ip": ("ip",),
    "source_port": ("source_port",),
    "source_fqdn": ("domain",),
    "source_url": ("url",),
    "source_asn": ("asn",),
    "destination_ip": ("destination_ip",),
    "destination_port": ("destination_port",),
    "protocol_transport": ("protocol",),
    "protocol_application": ("service", "application"),
    "malware_name": ("malware_family",),
    "malware_hash_sha256": ("sha256",),
}


def recognizes(_file_name: str, head: bytes) -> int:
    """By "xarf_version" in the head: a report may be longer than the head."""
    found = first_object(head)
    if found is not None:
        return 97 if str(found.get("xarf_version", "")).startswith("4") else 0
    return 90 if b'"xarf_version"' in head else 0


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut the reports apart; see `json_blocks`."""
    return json_blocks(stream, context, row_limit=REPORT_BYTES)


def _event(found: dict[str, Any]) -> dict[str, Any]:
    category = _word(found.get("category") or found.get("class"))
    kind = _word(found.get("type"))
    event = dict(found)
    protocol = _word(found.get("protocol"))
    if protocol is not None and protocol.lower() not in _TRANSPORTS:
        event["application"] = event.pop("protocol")
    event["rsit"] = to_rsit(category, kind)
    event["identifier"] = "-".join(each for each in (category, kind) if each) or None
    for role in ("reporter", "sender"):
        party = found.get(role)
        if isinstance(party, dict):
            event[f"{role}_org"] = _word(party.get("org"))
    event.update(_source(found))
    event["tlp"] = found.get("tlp") or _tlp_tag(found.get("tags"))
    event["evidence"] = [_evidence(each) for each in _list(found.get("evidence"))]
    return event


def _source(found: dict[str, Any]) -> dict[str, Any]:
    """The source's address, name or URL, whichever `source_identifier` is."""
    text = _word(found.get("source_identifier"))
    if not text:
        return {}
    if "://" in text:
        return {"url": found.get("url") or text}
    if ":" in text or text.replace(".", "").isdigit() or "/" in text:
        return {"ip": text, "domain": _word(found.get("domain"))}
    if text.upper().startswith("AS") and text[2:].isdigit():
        return {"asn": text}
    return {"domain": text}


def _evidence(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    payload = item.get("payload")
    if not isinstance(payload, str) or len(payload) <= _PAYLOAD_CHARACTERS:
        return item
    rest = {key: value for key, value in item.items() if key != "payload"}
    digest = hashlib.sha256(payload.encode()).hexdigest()
    return {**rest, "payload_characters": len(payload), "payload_sha256": digest}


def _tlp_tag(tags: Any) -> str | None:
    labels = [tag for tag in _list(tags) if isinstance(tag, str) and tag.lower()[:4] == "tlp:"]
    return labels[0] if labels else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's reports into events."""
    table = read_objects(block)
    table.objects[:] = [_event(found) for found in table.objects]
    constants = {"classification_type": "undetermined", "feed_code": "xarf"}
    drop = ("source_identifier",)
    draft = draft_of_objects(table, block, _COLUMNS, constants=constants, drop=drop)
    return finish(draft, block, context)


SOURCE = Source(
    name="xarf",
    title="X-ARF v4 reports",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
)
