"""MISP events (core format JSON): the network indicators of an event and of its objects.

One event, a list of events, events line by line, {"response": ...} as a search answers, or a feed's
event file. Each network attribute (address, domain, host, URL, AS number and their pairs) is a row;
other attributes (hashes, file names, texts) are no rows. A deleted attribute is none either.
`to_ids`, comment, category, tags and the event's names go to `extra`. TLP: the attribute's tag,
else the event's. Time: first seen, else the attribute's, else the event's day.

A document is read as a whole, so it may be at most 128 MiB.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from muhafiz.feeds.columns.aside import KEPT_BYTES, LongRow
from muhafiz.feeds.columns.chunks import utf8_chunks
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import (
    JSON_BLOCK_BYTES,
    ObjectTable,
    read_object,
    read_objects,
)
from muhafiz.feeds.columns.mapped_objects import draft_of_objects
from muhafiz.feeds.columns.records import gather_blocks, row_bytes, rows_of
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from muhafiz.feeds.columns.records import Rows

DOCUMENT_BYTES = 128 * 1024 * 1024
_DATA = tomllib.loads(Path(__file__).with_name("mapping.toml").read_text("utf-8"))
_PIECE_ROWS = 10_000
_LEFT_OUT = frozenset(
    {"Tag", "Galaxy", "Event", "data", "ShadowAttribute", "Sighting", "event_id", "object_id"}
)
_COLUMNS = {
    "time_source": ("first_seen", "timestamp", "event_date"),
    "feed_provider": ("orgc",),
    "feed_name": ("info",),
    "classification_type": ("rsit",),
    "classification_identifier": ("type",),
    "severity": ("threat_level",),
    "tlp": ("tlp",),
    "source_ip": ("ip",),
    "source_port": ("port",),
    "source_asn": ("asn",),
    "source_fqdn": ("fqdn",),
    "source_url": ("url",),
}


def recognizes(_file_name: str, head: bytes) -> int:
    """By an event's own fields near the beginning; the document may be longer than the head."""
    if b'"Event"' not in head and b'"Attribute"' not in head:
        return 0
    marks = (b'"Orgc"', b'"threat_level_id"', b'"analysis"', b'"Attribute"', b'"info"')
    return 90 if sum(mark in head for mark in marks) >= 2 else 30  # noqa: PLR2004 - two agree


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Read the document and cut it into attributes, one JSON object per row."""
    pieces = _pieces(utf8_chunks(stream))
    return gather_blocks(pieces, context.batch_rows, block_bytes=JSON_BLOCK_BYTES)


def _pieces(chunks: Iterable[bytes]) -> Iterator[Rows | LongRow]:
    document = b""
    held: list[bytes] = []
    size = 0
    long: LongRow | None = None
    for chunk in chunks:
        size += len(chunk)
        if long is None and size > DOCUMENT_BYTES:
            long = LongRow()
            for each in held:
                long.feed(each)
            held = []
        if long is None:
            held.append(chunk)
        else:
            long.feed(chunk)
    if long is not None:
        yield long
        return
    document = b"".join(held)
    if document.strip():
        yield from _document_rows(document)


def _document_rows(document: bytes) -> Iterator[Rows]:
    """Rows of the document's attributes; a document that is none is one row, to be set aside."""
    found: Any
    if document.lstrip().startswith(b"["):
        found, _ = read_object(b'{"response":' + document + b"}")
    else:
        found, _ = read_object(document)
    events = list(_events(found)) if found is not None else _events_by_line(document)
    if not events:
        yield rows_of([document.strip().replace(b"\n", b" ")[:KEPT_BYTES]])
        return
    rows: list[bytes] = []
    for event in events:
        for attribute in _attributes(event):
            rows.append(orjson.dumps(attribute))
            if len(rows) == _PIECE_ROWS:
                yield rows_of(rows)
                rows = []
    if rows:
        yield rows_of(rows)


def _events_by_line(document: bytes) -> list[dict[str, Any]]:
    """Events of a document that has one in each line; none when a line is no object."""
    events: list[dict[str, Any]] = []
    for line in filter(bytes.strip, document.split(b"\n")):
        found, _ = read_object(line)
        if found is None:
            return []
        events += _events(found)
    return events


def _events(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events in a document, however wrapped."""
    response = found.get("response")
    if isinstance(response, (list, dict)):
        for each in response if isinstance(response, list) else [response]:
            if isinstance(each, dict):
                yield from _events(each)
        return
    event = found.get("Event", found)
    if isinstance(event, dict) and (event.keys() & {"Attribute", "Object", "uuid", "info"}):
        yield event


def _attributes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Network attributes with what their event and object say."""
    common = _common(event)
    for attribute in _dicts(event.get("Attribute")):
        own = attribute.get("Event")  # as a search for attributes answers
        if _is_network(attribute):
            yield _slim(attribute, _common(own) if isinstance(own, dict) else common)
    for each in _dicts(event.get("Object")):
        within = {**common, "object": each.get("name"), "object_uuid": each.get("uuid")}
        for attribute in _dicts(each.get("Attribute")):
            if _is_network(attribute) and not _true(each.get("deleted")):
                yield _slim(attribute, within)


def _common(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says of all its attributes."""
    orgc = event.get("Orgc")
    return {
        "info": _text(event.get("info")),
        "orgc": _text(orgc.get("name")) if isinstance(orgc, dict) else None,
        "event_uuid": event.get("uuid"),
        "event_date": _text(event.get("date")),
        "threat_level_id": event.get("threat_level_id"),
        "event_tags": _tags(event),
    }


def _slim(attribute: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    drop = (
        "Tag",
        "Galaxy",
        "Event",
        "data",
        "ShadowAttribute",
        "Sighting",
        "event_id",
        "object_id",
    )
    own = {key: value for key, value in attribute.items() if key not in drop}
    return {**own, "tags": _tags(attribute), **common}


def _is_network(attribute: dict[str, Any]) -> bool:
    return _text(attribute.get("type")) in _DATA["types"] and not _true(attribute.get("deleted"))


def _event(found: dict[str, Any]) -> dict[str, Any]:
    """A row's object with its value laid out by the attribute's type."""
    parts = _DATA["types"].get(_text(found.get("type")) or "", ())
    value = found.pop("value", None)
    texts = value.split("|") if isinstance(value, str) else [value]
    if len(texts) < len(parts):  # MISP itself also writes "address:port"
        texts = [each for text in texts for each in str(text).rsplit(":", 1)]
    found.update(zip(parts, texts, strict=False))
    tags = [*_list(found.get("tags")), *_list(found.get("event_tags"))]
    found["tlp"] = next((tag for tag in tags if tag.lower().startswith("tlp:")), None)
    found["rsit"] = next(filter(None, (_rsit(tag) for tag in tags)), None)
    found["threat_level"] = _DATA["threat_levels"].get(str(found.get("threat_level_id")))
    return found


def _rsit(tag: str) -> str | None:
    """'rsit:malicious-code="c2-server"' → "c2-server"."""
    if not tag.lower().startswith("rsit:") or "=" not in tag:
        return None
    return tag.split("=", 1)[1].strip().strip('"') or None


def _tags(found: dict[str, Any]) -> list[str]:
    names = (each.get("name") for each in _dicts(found.get("Tag")))
    return [name for name in names if isinstance(name, str)]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _true(value: Any) -> bool:
    return value in (True, 1, "1")


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's attributes into events."""
    table = read_objects(block)
    known = [index for index, found in enumerate(table.objects) if "event_tags" in found]
    for index in set(range(len(table.objects))) - set(known):
        row = int(table.rows[index])
        place = int(np.searchsorted(block.positions, row))
        table.aside.add(row, "json", "no MISP event", row_bytes(block, place))
    objects = [_event(table.objects[index]) for index in known]
    table = ObjectTable(table.rows[known], objects, table.aside)
    constants = {
        "feed_provider": "MISP",
        "feed_code": "misp",
        "classification_type": _DATA["default_type"],
    }
    draft = draft_of_objects(table, block, _COLUMNS, constants=constants)
    return finish(draft, block, context)


SOURCE = Source(
    name="misp",
    title="MISP events",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
)
