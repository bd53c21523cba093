"""Zeek's notice.log and intel.log, as tab-separated text with "#fields" or as JSON Lines.

Which log it is: "#path", else the file's name, else the fields. Unset ("-") and empty
("(empty)") values are nothing. In a notice the source is `src`, who did what the notice says; in
an intel hit it is the connection's originator, who met the indicator. The option `types` (a table
of note → RSIT type) adds to or replaces the built-in one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.chunks import decode_head, utf8_chunks
from muhafiz.feeds.columns.csv_rows import CsvShape, FieldTable, column_names, read_fields
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import first_object, read_objects
from muhafiz.feeds.columns.mapped import draft_of
from muhafiz.feeds.columns.mapped_objects import draft_of_objects, flatten
from muhafiz.feeds.columns.mapping import FieldMapping, When, read_mapping, table_of
from muhafiz.feeds.columns.records import Rows, cut_rows, gather_blocks
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muhafiz.feeds.columns.aside import LongRow

_DATA = tomllib.loads(Path(__file__).with_name("mapping.toml").read_text("utf-8"))
_MAPPINGS = {name: read_mapping(name, table) for name, table in _DATA.items()}
_NOTHING = pa.array(["-", "(empty)"])


@dataclass(frozen=True, slots=True)
class ZeekShape(CsvShape):
    """A log's path ("notice") and fields; `tabbed` is False for JSON Lines."""

    path: str = ""
    tabbed: bool = True


def recognizes(file_name: str, head: bytes) -> int:
    """By "#fields" and "#path", or by a log's fields in the first JSON object."""
    shape = _shape(decode_head(head), file_name)
    if shape.tabbed:
        return 95 if shape.names and shape.path in _MAPPINGS else 0
    found = flatten(first_object(head) or {})
    if {"ts", "note"} <= found.keys() or {"ts", "seen.indicator"} <= found.keys():
        return 93
    return 0


def _shape(head: bytes, file_name: str) -> ZeekShape:
    lines = [line for line in head.split(b"\n") if line]
    if lines and lines[0].lstrip().startswith(b"{"):
        found = flatten(first_object(lines[0]) or {})
        path = "intel" if "seen.indicator" in found or "intel" in file_name else "notice"
        return ZeekShape("\t", (), path=path, tabbed=False, quoting=False)
    words = {"#path": "", "#fields": "", "#separator": "\\x09"}
    for line in lines:
        if not line.startswith(b"#"):
            break
        text = line.decode("utf-8", "replace").rstrip("\r")
        mark = text.replace("\t", " ").split(" ", 1)[0]
        words[mark] = text[len(mark) + 1 :]
    delimiter = "," if words["#separator"] == "\\x2c" else "\t"
    names = column_names(words["#fields"].split(delimiter)) if words["#fields"] else ()
    path = words["#path"] or ("intel" if "intel" in file_name else "notice")
    return ZeekShape(delimiter, names, headed=bool(names), path=path, quoting=False)


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a log into lines; lines that begin with # are no rows."""
    chunks = utf8_chunks(stream)
    first = next(chunks, b"")
    shape = _shape(first, context.file_name)
    pieces = cut_rows(chain([first], chunks))
    if shape.tabbed:
        pieces = _without_comments(pieces)
    return gather_blocks(pieces, context.batch_rows, shape)


def _without_comments(pieces: Iterable[Rows | LongRow]) -> Iterator[Rows | LongRow]:
    for piece in pieces:
        if not isinstance(piece, Rows) or not (piece.data.startswith(b"#") or b"\n#" in piece.data):
            yield piece
            continue
        offsets = [0, *piece.ends.tolist()]
        lines = [piece.data[begin:end] for begin, end in pairwise(offsets)]
        kept = [line for line in lines if not line.startswith(b"#")]
        if kept:
            yield Rows(b"".join(kept), np.cumsum([len(line) for line in kept]))


def _mapping(shape: ZeekShape, options: Mapping[str, Any]) -> FieldMapping:
    mapping = _MAPPINGS.get(shape.path, _MAPPINGS["notice"])
    own = tuple(
        When("note", (str(note).lower(),), str(kind))
        for note, kind in dict(options.get("types", {})).items()
    )
    return replace(mapping, when=own + mapping.when)


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a log's lines into events."""
    shape: ZeekShape = block.shape
    mapping = _mapping(shape, context.options)
    constants = {"feed_provider": "Zeek", "feed_name": mapping.title}
    if shape.tabbed:
        table = read_fields(block)
        table = FieldTable(table.rows, _without_unset(table.fields), table.aside)
        draft = draft_of(table, mapping, code=f"zeek_{shape.path}", constants=constants)
        return finish(draft, block, context)
    objects = read_objects(block)
    objects.objects[:] = [_event(found, mapping) for found in objects.objects]
    columns = {
        **mapping.columns,
        "classification_type": ("rsit",),
        "classification_identifier": ("note", "seen.indicator_type"),
    }
    own = {
        **constants,
        "feed_code": f"zeek_{shape.path}",
        "classification_type": mapping.type,
        **mapping.constants,
    }
    return finish(draft_of_objects(objects, block, columns, constants=own), block, context)


def _without_unset(fields: pa.Table) -> pa.Table:
    columns = []
    for column in fields.columns:
        encoded = column.combine_chunks().dictionary_encode()
        words = encoded.dictionary
        words = pc.if_else(pc.is_in(words, value_set=_NOTHING), "", words)
        columns.append(words.take(encoded.indices))
    return pa.table(columns, names=fields.column_names)


def _event(found: dict[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    flat = dict(flatten(found))
    for rule in mapping.when:
        if str(flat.get(rule.field, "")).lower() in rule.equals:
            flat["rsit"] = rule.type
            break
    return flat


def check(options: Mapping[str, Any]) -> None:
    """The notes' types are RSIT's; raises BadMapping."""
    for note, kind in table_of("options", options, "types").items():
        read_mapping(f"types, {note}", {"type": kind})


SOURCE = Source(
    name="zeek",
    title="Zeek notices and intelligence hits",
    version=1,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
    check=check,
)
