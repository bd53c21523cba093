"""What set-aside rows would be read as, under other mappings or other bytes. Writes nothing."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
from django.db.models import QuerySet, Sum

from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import fresh
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members, reading_of
from muhafiz.feeds.actions.rereading import Moved, reread
from muhafiz.feeds.columns.chunks import decode_head
from muhafiz.feeds.columns.csv_rows import CsvShape
from muhafiz.feeds.columns.json_rows import first_object
from muhafiz.feeds.columns.mapped_objects import flatten
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.columns.splitting import split_row
from muhafiz.feeds.facts import SetAsideChoice, SetAsideFacts
from muhafiz.feeds.marking import Shape, mark, spans
from muhafiz.feeds.models import Feed, Report, SetAsideRow
from muhafiz.feeds.places import unpacked
from muhafiz.feeds.queries import chosen_rows
from muhafiz.feeds.reading import Reading
from muhafiz.feeds.sources import HEAD_BYTES, ParseContext, all_sources, source_named
from muhafiz.feeds.unpacking import CannotUnpack

ROWS_MOST = 2_000
"""Rows that one trial reads; it says so when there are more."""
REPORTS_MOST = 10
SHOWN = 20
_TRIED_ROWS = 1_000
_UNSHOWN = frozenset({"row", "source_address", "destination_address", "network_id", "report_id"})
_PLAIN = frozenset({"parser", "time_observation", "sector", "network_kind"})


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One row: why it was set aside, and what it would be now."""

    id: int
    report_id: int
    row: int
    reason: str
    detail: str
    still_reason: str  # empty: it would be read
    still_detail: str
    event: Mapping[str, str]  # column → text of what it would be read as


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found; `rows` were tried of `total`, `owned` of the readable have an owner."""

    total: int
    rows: int
    readable: int
    owned: int
    tried: tuple[TriedRow, ...]

    @property
    def still(self) -> int:
        """Rows that stay aside."""
        return self.rows - self.readable


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row; `column` is the event's column that it becomes, if any."""

    name: str
    text: str
    column: str
    faulty: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A row for the eye: its bytes cut at the fault, and its cells by name."""

    before: bytes
    fault: bytes
    after: bytes
    offset: int
    cells: tuple[Cell, ...]
    shape: Shape
    head: bytes  # the beginning of the file that it lies in


def try_rows(
    chosen: SetAsideChoice,
    *,
    now: datetime,
    options: Mapping[str, Any] | None = None,
    edited: Mapping[int, bytes] | None = None,
) -> Trial:
    """Read chosen rows with other feed options, or (by row id) other bytes in their place.

    Of rows that share one line of the list (see `SetAsideFacts.rows`) the first ones are tried.

    Raises:
        BadMapping: the options bring a mapping that cannot be read.
        RawMissing: a report's raw bytes are no longer kept.
    """
    found = chosen_rows(chosen)
    total = found.aggregate(rows=Sum("rows"))["rows"] or 0
    rows = list(islice(_single(found), ROWS_MOST))
    numbers = list(dict.fromkeys(row["report_id"] for row in rows))[:REPORTS_MOST]
    tried: list[TriedRow] = []
    owned = 0
    for number in numbers:
        mine = [row for row in rows if row["report_id"] == number]
        wanted = {row["row"]: (edited or {}).get(row["id"], row["edited"]) for row in mine}
        reading = _trying(fresh(number), options, now)
        events, refused = _outcomes(number, wanted, reading)
        owned += sum("organization_id" in event for event in events.values())
        tried += [_tried(row, events, refused) for row in mine]
    readable = sum(not each.still_reason for each in tried)
    return Trial(total, len(tried), readable, owned, tuple(tried))


def _single(found: QuerySet[SetAsideRow]) -> Iterator[dict[str, Any]]:
    """The rows one by one, each with its own place; those kept one by one come first."""
    columns = ("id", "report_id", "row", "reason", "detail", "edited")
    kept = found.order_by("pk").values(*columns, "places")
    yield from kept.filter(places__isnull=True)[:ROWS_MOST]
    for row in kept.filter(places__isnull=False)[:ROWS_MOST].iterator():
        for place in unpacked(bytes(row["places"]))[:ROWS_MOST].tolist():
            yield {**row, "row": place}


def _tried(
    row: Mapping[str, Any],
    events: Mapping[int, dict[str, str]],
    refused: Mapping[int, tuple[str, str]],
) -> TriedRow:
    reason, detail = refused.get(row["row"], ("", ""))
    if not reason and row["row"] not in events:
        reason, detail = "missing", "the report's rows no longer lie where they lay"
    known = {name: row[name] for name in ("id", "report_id", "row", "reason", "detail")}
    event = events.get(row["row"], {})
    return TriedRow(**known, still_reason=reason, still_detail=detail, event=event)


def _outcomes(
    report_id: int, wanted: Mapping[int, bytes | None], reading: Reading
) -> tuple[dict[int, dict[str, str]], dict[int, tuple[str, str]]]:
    events: dict[int, dict[str, str]] = {}
    refused: dict[int, tuple[str, str]] = {}
    places = np.array(sorted(wanted), np.int64)
    edited = {row: bytes(raw) for row, raw in wanted.items() if raw is not None}
    report = fresh(report_id)
    anyhow = not report.rows_accepted  # a replay would read it anew
    with contextlib.suppress(Moved):
        for batch, _ in reread(report, places, edited, reading, anyhow=anyhow):
            if batch.prepared is not None:
                events |= {row["row"]: told(row) for row in batch.prepared.to_pylist()}
            for row in batch.set_aside.drop_columns(["raw"]).to_pylist():
                refused[row["row"]] = (row["reason"], row["detail"])
    return events, refused


def _trying(report: Report, options: Mapping[str, Any] | None, now: datetime) -> Reading:
    reading = reading_of(report, latest=now)
    reading = replace(reading, store=replace(reading.store, prepare=_as_it_is))
    if options is not None:
        reading = replace(reading, options={"tlp": report.feed.tlp, **options})
    return reading


def _as_it_is(events: pa.Table) -> pa.Table:
    return events


def told(event: Mapping[str, Any]) -> dict[str, str]:
    """An event's columns as texts; what is not known, and plumbing, is left out."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in event.items()
        if value is not None and name not in _UNSHOWN | _PLAIN
    }


@dataclass(frozen=True, slots=True)
class OptionsTrial:
    """The last report's beginning, read with other options."""

    report_id: int
    file_name: str
    readable: int
    aside: Mapping[str, int]  # reason → rows


def try_options(feed: str, options: Mapping[str, Any], *, now: datetime) -> OptionsTrial | None:
    """Read the beginning of a feed's last report with other options; None when it has none.

    Raises:
        BadMapping: the options bring a mapping that cannot be read.
        RawMissing, CannotUnpack: the report's raw bytes are no longer kept, or were refused.
    """
    report = Report.objects.select_related("feed").filter(feed__name=feed).order_by("-pk").first()
    source = all_sources().get(report.feed.source) if report is not None else None
    if report is None or source is None:
        return None
    with opened_members(raw_store(), report) as found:
        for each in found:
            wanted = {"tlp": report.feed.tlp, **options}
            moment = max(report.received_at, now)
            context = ParseContext(each.name, moment, _TRIED_ROWS, wanted)
            for batch in source.parse(each.stream, context):
                reasons = Counter(batch.set_aside.column("reason").to_pylist())
                return OptionsTrial(report.pk, each.name, batch.events.num_rows, dict(reasons))
    return OptionsTrial(report.pk, report.file_name, 0, {})


def view_row(row: SetAsideFacts) -> RowView:
    """The row with its fault marked and its cells named; without names when the file is gone."""
    raw = row.raw if row.edited is None else row.edited
    head, shape = _beginning(row)
    start, end = mark(raw, row.reason, row.column, shape)
    return RowView(
        before=raw[:start],
        fault=raw[start:end],
        after=raw[end:],
        offset=start,
        cells=tuple(_cells(raw, row, shape, targets(row, head))),
        shape=shape,
        head=head,
    )


def targets(row: SetAsideFacts, head: bytes) -> dict[str, str]:
    """Field → event column, where the source's mappings are data."""
    try:
        found = mapping_for(row, head)
    except BadMapping:  # somebody broke its file; the row can be seen nevertheless
        return {}
    names = found[0].get("map", {}) if found else {}
    return {name: column for column, fields in names.items() for name in fields}


def mapping_for(row: SetAsideFacts, head: bytes) -> tuple[dict[str, Any], bool] | None:
    """The mapping that reads the row's report type, as data, and whether it tells how to cut rows.

    None where the mappings are part of the program.
    """
    feed = Feed.objects.get(name=row.feed)
    source = source_named(feed.source) if feed.source else None
    if source is None or source.mapped is None:
        return None
    return dict(source.mapped.current(row.kind, feed.options, head)), source.mapped.delimited


def _cells(
    raw: bytes, row: SetAsideFacts, shape: Shape, columns: Mapping[str, str]
) -> Iterator[Cell]:
    if not shape.names:
        for name, value in flatten(first_object(raw + b"\n") or {}).items():
            yield Cell(name, str(value), columns.get(name, ""), name == row.column)
        return
    cells = spans(raw, shape)
    for at in range(max(len(cells), len(shape.names))):
        name = shape.names[at] if at < len(shape.names) else ""
        text = (
            "" if at >= len(cells) else raw[slice(*cells[at])].decode("utf-8", "backslashreplace")
        )
        faulty = not name or at >= len(cells) or name == row.column
        yield Cell(name, _bare(text), columns.get(name, ""), faulty)


def _bare(text: str) -> str:
    fields = split_row(text, "\0") if text.startswith('"') else None
    return fields[0] if fields and len(fields) == 1 else text


def _beginning(row: SetAsideFacts) -> tuple[bytes, Shape]:
    """The first bytes of the file that the row lies in, and how its rows are cut into cells."""
    report = fresh(row.report_id)
    member = next(
        (each["name"] for each in reversed(report.members) if each["first_row"] <= row.row), None
    )
    try:
        with opened_members(raw_store(), report) as found:
            for each in found:
                if member in {None, each.name}:
                    head = each.stream.read(HEAD_BYTES)
                    return head, shape_of(report.feed, each.name, report.received_at, head)
    except (rules.RawMissing, BadMapping, CannotUnpack):
        return b"", Shape()
    return b"", Shape()


def shape_of(feed: Feed, file_name: str, received_at: datetime, head: bytes) -> Shape:
    """How the rows of a file that begins like this are cut."""
    if not feed.source or not head:
        return Shape()
    context = ParseContext(file_name, received_at, 1, {"tlp": feed.tlp, **feed.options})
    blocks = source_named(feed.source).blocks(cast("BinaryIO", _Head(head)), context)
    block = next(blocks, None)
    shape = block.shape if block is not None else None
    if not isinstance(shape, CsvShape) or not shape.names:
        return Shape()
    return Shape(shape.names, shape.delimiter, shape.quoting)


class _Head:
    """A stream of what was read already."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        size = len(self._head) if size < 0 else size
        piece, self._head = self._head[:size], self._head[size:]
        return piece


def sample_content(row: SetAsideFacts, head: bytes, options: Mapping[str, Any]) -> bytes:
    """The least of the report that reads as the whole did: what stands before the rows, the row."""
    raw = (row.raw if row.edited is None else row.edited).rstrip(b"\r\n")
    return opening_lines(head, options) + raw + b"\n"


def opening_lines(head: bytes, options: Mapping[str, Any]) -> bytes:
    """Header or comment lines at a report's beginning; none where its rows are objects."""
    text = decode_head(head)
    if text.lstrip()[:1] in {b"{", b"["} or (options.get("mapping") or {}).get("header"):
        return b""
    if text.startswith(b"#"):
        lines = text.split(b"\n")
        kept: Sequence[bytes] = [line for line in lines if line.startswith(b"#")]
        return b"".join(line + b"\n" for line in kept)
    with contextlib.suppress(ValueError):
        return text[: text.index(b"\n") + 1]
    return b""
