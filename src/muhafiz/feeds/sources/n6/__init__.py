"""Events of the n6 REST API: a JSON list or JSON Lines.

n6's category becomes the RSIT type and stays as the identifier. An event with several addresses
(of a name that resolved to several) is a row for each, so that each owner is told. One with more
than 32 is one row, by its first address: no report grows without bound.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import first_object, json_blocks, read_object, read_objects
from muhafiz.feeds.columns.mapped_objects import draft_of_objects
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_DATA = tomllib.loads(Path(__file__).with_name("mapping.toml").read_text("utf-8"))
_COLUMNS = {
    "time_source": ("time",),
    "feed_name": ("source",),
    "feed_code": ("code",),
    "classification_type": ("type",),
    "classification_identifier": ("category",),
    "tlp": ("tlp",),
    "source_ip": ("ip",),
    "source_port": ("sport",),
    "source_asn": ("asn",),
    "source_geolocation_cc": ("cc",),
    "source_fqdn": ("fqdn",),
    "source_url": ("url",),
    "destination_ip": ("dip",),
    "destination_port": ("dport",),
    "protocol_transport": ("proto",),
    "malware_name": ("name",),
    "malware_hash_sha256": ("sha256",),
}
_MOST_ADDRESSES = 32
_MARKS = {"category", "source", "time"}


def recognizes(_file_name: str, head: bytes) -> int:
    """By n6's own fields in the first object."""
    found = first_object(head) or {}
    if not found.keys() >= _MARKS:
        return 0
    return 92 if str(found["category"]) in _DATA["categories"] else 40


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a report; see `json_blocks`."""
    return json_blocks(stream, context, parts=_by_address)


def _by_address(raw: bytes) -> list[bytes]:
    """An event's object once for each address; as it is with one, none or too many."""
    if raw.count(b'"ip"') <= 1:
        return [raw]
    found, _ = read_object(raw)
    addresses = found.get("address") if found else None
    if not isinstance(addresses, list) or not 1 < len(addresses) <= _MOST_ADDRESSES:
        return [raw]
    return [orjson.dumps({**(found or {}), "address": [each]}) for each in addresses]


def _event(found: dict[str, Any]) -> dict[str, Any]:
    """The event with its first address's fields beside the others."""
    addresses = found.get("address")
    if isinstance(addresses, list) and addresses and isinstance(addresses[0], dict):
        first = addresses[0]
        found.update({key: first[key] for key in ("ip", "asn", "cc") if key in first})
        found["address"] = addresses[1:]
    category = found.get("category")
    known = isinstance(category, str)
    found["type"] = _DATA["categories"].get(category, "undetermined") if known else None
    restriction = found.get("restriction")
    if isinstance(restriction, str):
        found["tlp"] = _DATA["restrictions"].get(restriction, "RED")
    found["code"] = found.get("source")
    return found


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's objects into events."""
    table = read_objects(block)
    table.objects[:] = [_event(found) for found in table.objects]
    constants = {"feed_provider": "n6", "classification_type": "undetermined"}
    draft = draft_of_objects(table, block, _COLUMNS, constants=constants)
    return finish(draft, block, context)


SOURCE = Source(
    name="n6",
    title="n6 events",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
)
