"""Suricata's EVE log (JSON Lines): alerts.

Lines of other event types (flow, dns, stats ...) are no rows of the report and are passed over;
the option `event_types` (a list) names others to take. The attacker is the source, as in EVE.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from muhafiz.feeds.columns.chunks import utf8_chunks
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import JSON_BLOCK_BYTES, first_object, read_objects
from muhafiz.feeds.columns.mapped_objects import draft_of_objects, flatten
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.columns.records import chosen_lines, cut_rows, gather_blocks
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

_COLUMNS = {
    "time_source": ("timestamp",),
    "classification_type": ("type",),
    "classification_identifier": ("alert.signature",),
    "severity": ("level",),
    "source_ip": ("src_ip",),
    "source_port": ("src_port",),
    "destination_ip": ("dest_ip",),
    "destination_port": ("dest_port",),
    "destination_fqdn": ("http.hostname", "tls.sni"),
    "destination_url": ("http.url",),
    "protocol_transport": ("proto",),
    "protocol_application": ("app_proto",),
}
_SEVERITIES = {1: "high", 2: "medium", 3: "low"}
_EVENT_TYPE = re.compile(rb'"event_type"\s*:\s*"([^"]*)"')
# Suricata's classification.config, as far as a class has one RSIT type.
_TYPES = {
    "attempted denial of service": "dos",
    "denial of service": "dos",
    "detection of a denial of service attack": "dos",
    "detection of a network scan": "scanner",
    "attempted information leak": "scanner",
    "a network trojan was detected": "infected-system",
    "malware command and control activity detected": "infected-system",
    "crypto currency mining activity detected": "infected-system",
    "successful administrator privilege gain": "privileged-account-compromise",
    "successful user privilege gain": "unprivileged-account-compromise",
    "attempted administrator privilege gain": "exploit",
    "attempted user privilege gain": "exploit",
    "web application attack": "exploit",
    "executable code was detected": "exploit",
    "an attempted login using a suspicious username was detected": "brute-force",
    "possible social engineering attempted": "social-engineering",
    "successful credential theft detected": "phishing",
    "exploit kit activity detected": "malware-distribution",
}


def recognizes(file_name: str, head: bytes) -> int:
    """By EVE's own fields in the first object."""
    found = first_object(head) or {}
    if not {"event_type", "timestamp"} <= found.keys():
        return 0
    return 95 if "flow_id" in found or "eve" in file_name.lower() else 80


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a log into lines, lines of unwanted event types left out."""
    wanted = frozenset(str(each) for each in context.options.get("event_types", ("alert",)))
    # Lines that do not tell their type stay, to be set aside.
    pieces = chosen_lines(cut_rows(utf8_chunks(stream)), lambda line: _is_wanted(line, wanted))
    return gather_blocks(pieces, context.batch_rows, block_bytes=JSON_BLOCK_BYTES)


def _is_wanted(line: bytes, wanted: frozenset[str]) -> bool:
    found = _EVENT_TYPE.search(line)
    return found is None or found[1].decode("utf-8", "replace") in wanted


def _event(found: dict[str, Any]) -> dict[str, Any]:
    flat = dict(flatten(found))
    category = flat.get("alert.category")
    flat["type"] = _TYPES.get(str(category).lower(), "ids-alert")
    severity = flat.get("alert.severity")
    flat["level"] = _SEVERITIES.get(severity) if isinstance(severity, int) else None
    return flat


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's alerts into events."""
    table = read_objects(block)
    table.objects[:] = [_event(found) for found in table.objects]
    constants = {
        "feed_provider": "Suricata",
        "feed_name": "EVE",
        "feed_code": "eve",
        "classification_type": "ids-alert",
    }
    draft = draft_of_objects(table, block, _COLUMNS, constants=constants)
    return finish(draft, block, context)


def check(options: Mapping[str, Any]) -> None:
    """The event types are a list of texts; raises BadMapping."""
    names = options.get("event_types", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise BadMapping(reason="event_types is a list of texts")


SOURCE = Source(
    name="suricata",
    title="Suricata alerts (EVE)",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
    check=check,
)
