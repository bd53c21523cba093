"""From a report's bytes to batches written for the lake, side by side, in order, in bounded memory.

`batches` is the kernel of intake and of the benchmark: unpacked members are cut into blocks; two
threads parse, attribute and prepare the next blocks and write the files of those before, while the
caller looks up which events are new and commits the oldest batch, one after the other. Never more
than `IN_FLIGHT` batches are read and as many written at once. The database is touched only by the
look-up, in the caller's thread.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.coded import constant
from muhafiz.feeds.columns.csv_rows import CsvShape
from muhafiz.feeds.sources import Block, ParseContext, ParsedBatch, Source
from muhafiz.feeds.unpacking import Member
from muhafiz.formats.events import ACCEPTED, TIME

_Given = TypeVar("_Given")

THREADS = 2
IN_FLIGHT = 2  # while one is awaited, a thread works on the next: two cores stay busy


@dataclass(frozen=True, slots=True)
class Store:
    """The lake's steps from attributed rows to files that only want committing."""

    prepare: Callable[[pa.Table], Any]  # in threads
    draft: Callable[[Any, Sequence[Any]], Any]  # what it prepared, and the drafts to come before
    write: Callable[[Any], Any]  # in threads
    discard: Callable[[Iterable[Any]], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What stays the same for all blocks of a report.

    `latest`: when it is read, if that is known. A report that came while the machine's clock was
    behind would otherwise seem to tell of the future for ever.
    """

    source: Source
    report_id: int
    received_at: datetime
    batch_rows: int
    options: Mapping[str, Any]
    attribute: Callable[[pa.Table], pa.Table]
    store: Store
    latest: datetime | None = None

    def context(self, file_name: str) -> ParseContext:
        """What the parser may know while it reads the member `file_name`."""
        moment = max(self.received_at, self.latest or self.received_at)
        return ParseContext(file_name, moment, self.batch_rows, self.options)


@dataclass(frozen=True, slots=True)
class Cut:
    """A block and where it lies in the report."""

    number: int  # from 0, through all members
    member: str
    opens_member: bool
    offset: int  # rows of the members before: adding it to a row counts through the report
    block: Block
    bytes_before: int  # of blocks before this one

    @property
    def layout(self) -> str:
        """What decides where the member's rows lie, where feed options have a say in it."""
        shape = self.block.shape
        return shape.layout() if isinstance(shape, CsvShape) else ""

    def with_row(self, row: int, data: bytes) -> Cut:
        """The same place with only one row in it, whose bytes are `data` (without line end)."""
        line = data + b"\n"
        block = replace(
            self.block,
            first_row=row - self.offset,
            rows=1,
            data=line,
            ends=np.array([len(line)], np.int64),
            positions=np.array([row - self.offset], np.int64),
            apart=self.block.apart.slice(0, 0),
            folded=True,
        )
        return replace(self, block=block)


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What became of one block, ready to be committed."""

    cut: Cut
    rows: int
    accepted: int
    owned: int
    prepared: Any  # what the store prepared; None when no row was accepted
    set_aside: pa.Table
    bytes_through: int  # of all blocks up to and with this one
    draft: Any = None  # what the store drafted and wrote, when it did


def cuts(members: Iterable[Member], reading: Reading) -> Iterator[Cut]:
    """The blocks of all members, in order."""
    number = offset = before = 0
    for member in members:
        opens, last = True, 0
        for block in reading.source.blocks(member.stream, reading.context(member.name)):
            yield Cut(number, member.name, opens, offset, block, before)
            opens = False
            last = max(last, block.first_row + block.rows - 1)
            number += 1
            before += len(block.data)
        offset += last


def batches(found: Iterable[Cut], reading: Reading) -> Iterator[ReadBatch]:
    """The cuts read and written, in their order, each to be committed before the next is taken.

    Closing the iterator waits for what is under way and lets go of what is not committed.
    """
    drafts: deque[Any] = deque()

    def drafted(batch: ReadBatch) -> ReadBatch:
        draft = reading.store.draft(batch.prepared, drafts) if batch.accepted else None
        drafts.append(draft)
        return replace(batch, prepared=None, draft=draft)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="reading") as threads:
        try:
            in_rows = _ahead(threads, partial(read, reading=reading), found)
            for batch in _ahead(threads, partial(_written, reading), map(drafted, in_rows)):
                yield batch
                drafts.popleft()
        finally:
            threads.shutdown(cancel_futures=True)
            reading.store.discard(filter(None, islice(drafts, 1, None)))


def _written(reading: Reading, batch: ReadBatch) -> ReadBatch:
    if batch.draft is not None:
        reading.store.write(batch.draft)
    return batch


def _ahead(
    threads: ThreadPoolExecutor, work: Callable[[_Given], ReadBatch], given: Iterable[_Given]
) -> Iterator[ReadBatch]:
    """`work` on each in the threads, begun before it is asked for, in order."""
    waiting: deque[Future[ReadBatch]] = deque()
    for each in given:
        waiting.append(threads.submit(work, each))
        del each
        while len(waiting) >= IN_FLIGHT:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def read(cut: Cut, reading: Reading, *, only: pa.Array | None = None) -> ReadBatch:
    """Parse, attribute and prepare one block; `only` these rows of it when given."""
    parsed = reading.source.parse_block(cut.block, reading.context(cut.member))
    parsed = shifted(parsed, cut.offset)
    if only is not None:
        parsed = only_rows(parsed, only)
    accepted = finish(parsed.events, reading)
    rows = cut.block.rows
    return ReadBatch(
        cut=replace(cut, block=emptied(cut.block)),
        rows=rows,
        accepted=accepted.num_rows,
        owned=accepted.num_rows - accepted.column("organization_id").null_count,
        prepared=reading.store.prepare(accepted) if accepted.num_rows else None,
        set_aside=parsed.set_aside,
        bytes_through=cut.bytes_before + len(cut.block.data),
    )


def finish(events: pa.Table, reading: Reading) -> pa.Table:
    """Parsed rows with their provenance and their owners: what the lake accepts."""
    count = events.num_rows
    provenance = {
        "report_id": pa.repeat(pa.scalar(reading.report_id, pa.int64()), count),
        "parser": constant(reading.source.parser, count),
        "time_observation": pa.repeat(pa.scalar(reading.received_at, TIME), count),
    }
    for name, column in provenance.items():
        events = events.append_column(name, column)
    return reading.attribute(events).select(ACCEPTED.names)


def shifted(parsed: ParsedBatch, offset: int) -> ParsedBatch:
    """The batch with rows counted through the whole report instead of through its member."""
    if offset == 0:
        return parsed
    return ParsedBatch(
        _shift(parsed.events, offset), _shift(parsed.set_aside, offset), parsed.last_row + offset
    )


def emptied(block: Block) -> Block:
    """The block without its bytes, so that a finished batch does not keep them alive."""
    return replace(block, data=b"", ends=None, positions=None, apart=block.apart.slice(0, 0))


def only_rows(parsed: ParsedBatch, rows: pa.Array) -> ParsedBatch:
    """What became of these rows alone."""
    return ParsedBatch(_only(parsed.events, rows), _only(parsed.set_aside, rows), parsed.last_row)


@contextlib.contextmanager
def closing(iterator: Iterator[ReadBatch]) -> Iterator[Iterator[ReadBatch]]:
    """The iterator, surely closed: threads must not outlive the report they read."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _only(table: pa.Table, rows: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table.column("row"), value_set=rows))


def _shift(table: pa.Table, offset: int) -> pa.Table:
    at = table.schema.get_field_index("row")
    return table.set_column(at, table.schema.field("row"), pc.add(table.column("row"), offset))
