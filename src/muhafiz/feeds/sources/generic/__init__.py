"""Any delimited text (CSV, TSV, semicolons, pipes), by a mapping kept as data.

The feed's option `mapping` is a table as in `muhafiz.feeds.columns.mapping` (`map`, `constants`,
`type`, `identifier`, `when`, `delimiter`, `header`, `comment`, `drop`, `time_format`, `time_zone`).
Without one, `guess_mapping` reads the report's head; where it finds no column that could name an
owner, every row is set aside ("header") and can be replayed once a mapping is there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from muhafiz.feeds.columns.chunks import decode_head
from muhafiz.feeds.columns.csv_rows import CsvShape, csv_blocks, read_fields
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.mapped import draft_of
from muhafiz.feeds.columns.mapping import FieldMapping, read_mapping, table_of
from muhafiz.feeds.columns.mapping_data import mapping_data
from muhafiz.feeds.sources import HEAD_BYTES, Block, Mapped, ParseContext, ParsedBatch, Source
from muhafiz.feeds.sources.generic.guess import OWNING, Guess, guess_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SOURCE", "Guess", "guess_mapping"]
_CODE = "generic"
_NO_MAPPING = FieldMapping(_CODE)
_NEVER = "\0"  # no column can have this name


def recognizes(file_name: str, head: bytes) -> int:
    """Weakly, when a guess finds an address, a name or a URL: every other source is surer."""
    text = decode_head(head).lstrip()
    if text[:1] in {b"{", b"["} or text.startswith(b"#separator"):
        return 0
    found = guess_mapping(head)
    if not set(found.mapping["map"]) & OWNING:
        return 0
    return 15 if file_name.lower().endswith((".csv", ".tsv")) else 10


@dataclass(frozen=True, slots=True)
class MappedShape(CsvShape):
    """A report's columns and the mapping they are read by."""

    mapping: FieldMapping = _NO_MAPPING

    def layout(self) -> str:
        """As `CsvShape.layout`; the mapping may name the columns, and what begins a comment."""
        named = " by mapping" if self.mapping.header else ""
        return f"{CsvShape.layout(self)}{named} {self.mapping.comment}"


class _Replayed(io.RawIOBase):
    """A stream whose first bytes were already read."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._head and size < 0:
            head, self._head = self._head, b""
            return head + self._stream.read()
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._stream.read(size)


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a report by the feed's mapping, or by a guess; each block's shape keeps the mapping."""
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    mapping = _mapping(context.options, head)
    cut = csv_blocks(
        cast("BinaryIO", _Replayed(head, stream)),
        context,
        delimiter=mapping.delimiter,
        header=mapping.header,
        known=mapping.known_fields() or frozenset({_NEVER}),
        comment=mapping.comment,
    )
    for block in cut:
        shape: CsvShape = block.shape
        mapped = MappedShape(shape.delimiter, shape.names, shape.headed, mapping=mapping)
        yield replace(block, shape=mapped)


def _mapping(options: Mapping[str, Any], head: bytes) -> FieldMapping:
    data = options.get("mapping")
    if data is None:
        data = guess_mapping(head).mapping
        if not set(data["map"]) & OWNING:
            data = {"delimiter": data["delimiter"], "comment": data["comment"]}
    return read_mapping(_CODE, data)


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's rows into events by the mapping in its shape."""
    mapping: FieldMapping = block.shape.mapping
    draft = draft_of(read_fields(block), mapping, code=_CODE, constants={})
    return finish(draft, block, context)


def check(options: Mapping[str, Any]) -> None:
    """The mapping that the options bring can be read; raises BadMapping."""
    if options.get("mapping") is not None:
        read_mapping(_CODE, table_of("options", options, "mapping"))


def _current(_code: str, options: Mapping[str, Any], head: bytes) -> Mapping[str, Any]:
    return mapping_data(_mapping(options, head))


def _changed(_code: str, options: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "mapping": dict(data)}


SOURCE = Source(
    name="generic",
    title="Delimited text with a mapping",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
    check=check,
    mapped=Mapped(lambda _name, _options: _CODE, _current, _changed, delimited=True),
)
