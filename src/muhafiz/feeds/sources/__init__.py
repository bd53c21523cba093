"""Where security events come from: one folder per source, discovered, never listed.

A source is a folder beside this file whose `__init__` exports `SOURCE`. It reads a report's bytes
in two steps, so that batches can be parsed at once:

1. `blocks(stream, context)` cuts the report into blocks, in order, cheaply, in bounded memory;
2. `parse_block(block, context)` turns one block into columns. It is pure: no clock, no storage,
   no shared state, and it gives the interpreter lock away, so threads may run it side by side.

`parse` does one after the other. The same bytes and `batch_rows` always give the same batches.
A row is either accepted (`events`) or set aside with its reason and raw bytes; none is lost and
no content of a report ever raises.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date, datetime

    import pyarrow as pa

BUILT_IN = Path(__file__).parent
HEAD_BYTES = 65_536
"""How much of a report `recognizes` is shown, at most."""


@dataclass(frozen=True, slots=True)
class ParseContext:
    """What a parser may know besides the bytes.

    `file_name` without folders, as the sender named it (after unpacking: the member's name).
    `received_at` is aware, in UTC, and moves on when a report is read again later; times more than
    a day after it are set aside.
    `options` belong to the feed: every source reads `provider`, `feed` (the feed's name),
    `code` and `tlp`; each source's docstring names its own.
    """

    file_name: str
    received_at: datetime
    batch_rows: int = 250_000
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a report, cut but not yet read.

    `first_row` is the 1-based position of the block's first row, `rows` how many it holds (the
    rows in `apart` included). `data` are the rows' bytes in UTF-8, each ending in a line feed;
    `ends` the offset just behind each row in `data`; `positions` each row's number in the report.
    `apart` are rows which the cutter itself had to set aside (SET_ASIDE). `shape` is what the
    source learned from the report's beginning, e.g. the header. `folded`: some row may hold line
    feeds within.
    """

    number: int
    first_row: int
    rows: int
    data: bytes
    ends: Any
    positions: Any
    apart: pa.Table
    shape: Any = None
    folded: bool = True


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """What became of one block: accepted rows (PARSED), set aside rows (SET_ASIDE).

    Strings of `events` may be dictionary-encoded where they repeat. Both are in the report's order;
    `last_row` is the block's last row number (0: no row at all).
    """

    events: pa.Table
    set_aside: pa.Table
    last_row: int


@dataclass(frozen=True, slots=True)
class FetchedReport:
    """A report offered by its sender: `identifier` is the sender's own, stable name for it.

    `content` is read only when the report is not here yet, and may raise `CannotFetch` then.
    """

    identifier: str
    file_name: str
    content: BinaryIO


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a source whose mappings are data tells which one holds, and takes another.

    `kind(file_name, options)` is the report type of a file. `current(kind, options, head)` is the
    mapping that holds for it, as data (see `columns.mapping`); `head` is the report's beginning,
    for sources that guess. `changed(kind, options, data)` gives the feed's options with `data` in
    that mapping's place. `delimited`: header and delimiter are part of the mapping.
    """

    kind: Callable[[str, Mapping[str, Any]], str]
    current: Callable[[str, Mapping[str, Any], bytes], Mapping[str, Any]]
    changed: Callable[[str, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    delimited: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of report.

    `version` rises when the same bytes would give other events. `recognizes(file_name, head)`
    answers 0 (no) to 100 (certain). `fetch(options, since, until)`, where the sender offers an
    API, yields the reports of these days (both included) and raises `CannotFetch`.
    `check(options)` raises `BadMapping` for options that the parser could not use; `mapped` where
    people may change its mappings. `machine` names the options that only the machine's operator
    sets: where secrets are sent, what is read from the disk.
    """

    name: str
    title: str
    version: int
    recognizes: Callable[[str, bytes], int]
    blocks: Callable[[BinaryIO, ParseContext], Iterator[Block]]
    parse_block: Callable[[Block, ParseContext], ParsedBatch]
    fetch: Callable[[Mapping[str, Any], date, date], Iterator[FetchedReport]] | None = None
    check: Callable[[Mapping[str, Any]], None] | None = None
    mapped: Mapped | None = None
    machine: frozenset[str] = frozenset()

    @property
    def parser(self) -> str:
        """The parser's name in an event's provenance, e.g. "shadowserver/1"."""
        return f"{self.name}/{self.version}"

    def kind(self, file_name: str, options: Mapping[str, Any]) -> str:
        """The report type of a file; the source's own name where it knows no types."""
        return self.mapped.kind(file_name, options) if self.mapped else self.name

    def parse(self, stream: BinaryIO, context: ParseContext) -> Iterator[ParsedBatch]:
        """Read a whole report, batch by batch, in order."""
        for block in self.blocks(stream, context):
            yield self.parse_block(block, context)


class CannotFetch(Exception):  # noqa: N818 - named for what was refused, as all refusals are
    """The sender's API refused, broke off, or answered with more than was allowed."""


@cache
def all_sources() -> Mapping[str, Source]:
    """The built-in sources by name."""
    return discover((BUILT_IN,))


def discover(folders: Iterable[Path]) -> dict[str, Source]:
    """Every source found in these folders, by name; a later folder's source wins."""
    found: dict[str, Source] = {}
    for folder in folders:
        for init in sorted(folder.glob("*/__init__.py")):
            module = _load(init)
            source = getattr(module, "SOURCE", None)
            if isinstance(source, Source):
                found[source.name] = source
    return found


def source_named(name: str) -> Source:
    """The built-in source of this name; raises KeyError when there is none."""
    return all_sources()[name]


def recognize(file_name: str, head: bytes) -> Source | None:
    """The source surest to read this report (ties: by name), or None when none claims it."""
    head = head[:HEAD_BYTES]
    scored = [(s.recognizes(file_name, head), s.name) for s in all_sources().values()]
    score, name = max(scored, key=lambda pair: (pair[0], pair[1]), default=(0, ""))
    return all_sources()[name] if score > 0 else None


def _load(init: Path) -> Any:
    folder = init.parent
    if folder.parent == BUILT_IN:
        return importlib.import_module(f"{__name__}.{folder.name}")
    name = f"muhafiz_source_{folder.name}"
    spec = importlib.util.spec_from_file_location(
        name, init, submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no source can be loaded from {init}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
