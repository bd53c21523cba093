"""IntelMQ events: a JSON list, one object, or JSON Lines, by the IntelMQ Data Format's names.

Flat ("source.ip") and nested ({"source": {"ip": ...}}) writings are read. Classification types
that RSIT lacks (blacklist, dga-domain, malware, proxy, tor ...) become the nearest RSIT type with
the word as identifier; when the event has an identifier of its own, the word is kept in `extra`
as "classification_type_given". An event that does not tell when it happened has the time of its
observation. `raw` is left out: the report itself is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import first_object, json_blocks, read_objects
from muhafiz.feeds.columns.mapped_objects import draft_of_objects, flatten
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_SIDE = ("ip", "port", "asn", "fqdn", "url")
COLUMNS = {
    "time_source": ("time.source", "time.observation"),
    "feed_provider": ("feed.provider",),
    "feed_name": ("feed.name",),
    "feed_code": ("feed.code",),
    "classification_type": ("classification.type",),
    "classification_identifier": ("classification.identifier",),
    "severity": ("severity", "extra.severity"),
    "tlp": ("tlp", "rtir.tlp", "extra.tlp"),
    **{f"source_{name}": (f"source.{name}",) for name in _SIDE},
    **{f"destination_{name}": (f"destination.{name}",) for name in _SIDE},
    "source_geolocation_cc": ("source.geolocation.cc",),
    "source_account": ("source.account",),
    "protocol_transport": ("protocol.transport",),
    "protocol_application": ("protocol.application",),
    "malware_name": ("malware.name",),
    "malware_hash_sha256": ("malware.hash.sha256",),
}
_DROP = ("raw", "__type", "classification.taxonomy")


def recognizes(_file_name: str, head: bytes) -> int:
    """By the Data Format's names in the first object."""
    flat = flatten(first_object(head) or {})
    if {"classification.type", "time.observation"} & flat.keys():
        return 90
    return 70 if {"source.ip", "feed.name"} & flat.keys() else 0


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a report; see `json_blocks`."""
    return json_blocks(stream, context)


def _event(found: dict[str, Any]) -> dict[str, Any]:
    """Flat, with the names under "extra" plain unless they are taken."""
    flat = flatten(found)
    if not any(key.startswith("extra.") for key in flat):
        return dict(flat)
    known = {"extra.severity", "extra.tlp"}
    event: dict[str, Any] = {}
    for key, value in flat.items():
        plain = key.removeprefix("extra.")
        event[key if key in known or plain in flat else plain] = value
    return event


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's objects into events."""
    table = read_objects(block)
    table.objects[:] = [_event(found) for found in table.objects]
    constants = {"classification_type": "undetermined", "feed_code": "intelmq"}
    draft = draft_of_objects(table, block, COLUMNS, constants=constants, drop=_DROP)
    return finish(draft, block, context)


SOURCE = Source(
    name="intelmq",
    title="IntelMQ events",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
)
