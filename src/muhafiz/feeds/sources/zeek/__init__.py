"""Zeek's notice.log, intel.log and weird.log, as tab-separated text or as JSON Lines.

Which log it is: "#path", else the file's name, else the fields. Rows of another log are set aside,
for a connection is no notice; in a stream of JSON whose lines say in `_path` whose they are, lines
of other logs are no rows. Unset ("-") and empty ("(empty)") values are nothing.

In a notice the source is `src`, who did what the notice says, but for notes that speak of the
answering side (its certificate); in an intel hit it is the connection's originator, who met the
indicator. The option `types` (a table of note → RSIT type) adds to or replaces the built-in one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.chunks import decode_head, utf8_chunks
from muhafiz.feeds.columns.csv_rows import CsvShape, FieldTable, column_names, read_fields
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.json_rows import ObjectTable, first_object, read_objects
from muhafiz.feeds.columns.mapped import draft_of
from muhafiz.feeds.columns.mapped_objects import draft_of_objects, flatten
from muhafiz.feeds.columns.mapping import FieldMapping, When, read_mapping, table_of
from muhafiz.feeds.columns.records import (
    Rows,
    chosen_lines,
    cut_rows,
    gather_blocks,
    row_bytes,
    without_comments,
)
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muhafiz.feeds.columns.aside import LongRow

_DATA = tomllib.loads(Path(__file__).with_name("mapping.toml").read_text("utf-8"))
_TURNED = frozenset(note.lower() for note in _DATA.pop("turned"))
_MAPPINGS = {name: read_mapping(name, table) for name, table in _DATA.items()}
_NOTHING = pa.array(["-", "(empty)"])
_MARKS = {"notice": "note", "intel": "seen.indicator", "weird": "name"}  # what every row says
_SIDES = (("src", "dst"), ("id.orig_h", "id.resp_h"), ("id.orig_p", "id.resp_p"))
_PATH = re.compile(rb'"_path"\s*:\s*"([^"]*)"')


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
    if "ts" not in found:
        return 0
    if _path_of(found) in _MAPPINGS:
        return 93
    return 80 if "_path" in found else 0


def _path_of(found: Mapping[str, Any]) -> str:
    """The log that a flat JSON object is a line of, by its fields; "" when it is none of ours."""
    if "_path" in found:
        return str(found["_path"])
    if "note" in found or "seen.indicator" in found:
        return "notice" if "note" in found else "intel"
    return "weird" if {"name", "id.orig_h", "notice"} <= found.keys() else ""


def _shape(head: bytes, file_name: str) -> ZeekShape:
    lines = [line for line in head.split(b"\n") if line]
    if lines and lines[0].lstrip().startswith(b"{"):
        found = flatten(first_object(head) or {})
        named = next((path for path in _MAPPINGS if path in file_name.lower()), "notice")
        path = _path_of(found)
        known = path if path in _MAPPINGS else named
        return ZeekShape("\t", (), path=known, tabbed=False, quoting=False)
    words = {"#path": "", "#fields": "", "#separator": "\\x09"}
    for line in lines:
        if not line.startswith(b"#"):
            break
        text = line.decode("utf-8", "replace").rstrip("\r")
        mark = text.replace("\t", " ").split(" ", 1)[0]
        words[mark] = text[len(mark) + 1 :]
    delimiter = "," if words["#separator"] == "\\x2c" else "\t"
    names = column_names(words["#fields"].split(delimiter)) if words["#fields"] else ()
    named = next((path for path in _MAPPINGS if path in file_name.lower()), "notice")
    path = words["#path"] or named
    headed = bool(names) and path in _MAPPINGS
    return ZeekShape(delimiter, names, headed=headed, path=path, quoting=False)


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a log into lines; lines that begin with # are no rows."""
    chunks = utf8_chunks(stream)
    first = next(chunks, b"")
    shape = _shape(first, context.file_name)
    pieces = cut_rows(chain([first], chunks))
    pieces = without_comments(pieces, b"#") if shape.tabbed else _without_others(pieces)
    return gather_blocks(pieces, context.batch_rows, shape)


def _without_others(pieces: Iterable[Rows | LongRow]) -> Iterator[Rows | LongRow]:
    """Lines of a stream of JSON that are of our logs, or do not tell."""
    return chosen_lines(pieces, _is_ours)


def _is_ours(line: bytes) -> bool:
    path = _PATH.search(line)
    return path is None or path[1].decode("utf-8", "replace") in _MAPPINGS


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
        table = read_fields(block, unheaded=f"Zeek's log “{shape.path}” is not read")
        fields = _turned(_without_unset(table.fields))
        table = FieldTable(table.rows, fields, table.aside)
        draft = draft_of(table, mapping, code=f"zeek_{shape.path}", constants=constants)
        return finish(draft, block, context)
    objects = _with_mark(read_objects(block), block, _MARKS[shape.path])
    objects.objects[:] = [_event(found, mapping) for found in objects.objects]
    columns = {
        **mapping.columns,
        "classification_type": ("rsit",),
        "classification_identifier": ("note", "seen.indicator_type", "name"),
    }
    own = {
        **constants,
        "feed_code": f"zeek_{shape.path}",
        "classification_type": mapping.type,
        **mapping.constants,
    }
    return finish(draft_of_objects(objects, block, columns, constants=own), block, context)


def _with_mark(table: ObjectTable, block: Block, mark: str) -> ObjectTable:
    """The objects that say what every row of their log says; the others are set aside."""
    kept: list[int] = []
    table.objects[:] = [dict(flatten(found)) for found in table.objects]
    for index, found in enumerate(table.objects):
        if found.get(mark) not in {None, ""}:
            kept.append(index)
            continue
        row = int(table.rows[index])
        place = int(np.searchsorted(block.positions, row))
        detail = f"the field “{mark}” is missing"
        table.aside.add(row, "shape", detail, row_bytes(block, place), column=mark)
    return ObjectTable(table.rows[kept], [table.objects[index] for index in kept], table.aside)


def _turned(fields: pa.Table) -> pa.Table:
    """The sides exchanged in rows whose note speaks of the answering side."""
    if "note" not in fields.column_names:
        return fields
    notes = pc.ascii_lower(fields.column("note"))
    turned = pc.is_in(notes, value_set=pa.array(sorted(_TURNED)))
    if not pc.any(turned).as_py():
        return fields
    for one, other in _SIDES:
        if one in fields.column_names and other in fields.column_names:
            first, second = fields.column(one), fields.column(other)
            for name, column in ((one, pc.if_else(turned, second, first)),
                                 (other, pc.if_else(turned, first, second))):  # fmt: skip
                fields = fields.set_column(fields.column_names.index(name), name, column)
    return fields


def _without_unset(fields: pa.Table) -> pa.Table:
    columns = []
    for column in fields.columns:
        encoded = column.combine_chunks().dictionary_encode()
        words = encoded.dictionary
        words = pc.if_else(pc.is_in(words, value_set=_NOTHING), "", words)
        columns.append(words.take(encoded.indices))
    return pa.table(columns, names=fields.column_names)


def _event(flat: dict[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    if str(flat.get("note", "")).lower() in _TURNED:
        for one, other in _SIDES:
            flat[one], flat[other] = flat.get(other), flat.get(one)
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
    title="Zeek notices, intelligence hits and oddities",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
    check=check,
)
