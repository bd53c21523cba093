"""From an accepted batch to events ready to store: key, merge, sort. Pure; no Django, no clock.

The heavy steps run inside Arrow and numpy, which release the interpreter's lock: call
`prepare_batch` from several threads at once. The batch's columns stay as they came; only when it
is known which events are new are their rows fetched, once, in the order of storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.addresses import reverse_labels
from muhafiz.formats.events import ACCEPTED, TIME
from muhafiz.lake.identity import (
    IDENTITY,
    Int64s,
    Mask,
    address_halves,
    encoded,
    event_keys,
    present,
)
from muhafiz.lake.layout import LEFT_OUT, RESIGHTINGS
from muhafiz.lake.refusals import BadBatch

_DAY_US = 86_400_000_000
_NOBODY = np.uint64(2**31 - 1)  # sorts after every owner
_DICTIONARY_MOST = 1_024  # Arrow repeats a column's dictionary in every row group
_FIRST_DAY = date(1970, 1, 1)
_MAPPED = np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True)
class PreparedDay:
    """The events of one UTC day, sorted by address, each key once: parallel arrays."""

    day: date
    keys: Int64s
    first_seen: Int64s
    last_seen: Int64s
    sightings: Int64s
    rows: Int64s  # of the batch, the first of each event
    columns: Mapping[str, pa.Array]  # of the batch; repetitive strings dictionary-encoded

    def events(self, chosen: Mask | None = None) -> pa.Table:
        """The stored columns of all events, or of those `chosen`, but for `LEFT_OUT`."""
        return _table(self if chosen is None else self.picked(chosen))

    def resightings(self, chosen: Mask) -> pa.Table:
        """The events chosen as further sightings of events that are stored already, by key."""
        part = self.picked(chosen)
        report = self.columns["report_id"].take(pa.array(part.rows))
        columns = (part.keys, report, part.first_seen, part.last_seen, part.sightings)
        return (
            pa.table([pa.array(c) for c in columns], RESIGHTINGS.names)
            .cast(RESIGHTINGS)
            .sort_by("key")
        )

    def picked(self, chosen: Mask) -> PreparedDay:
        """The same of some events only."""
        columns = ("keys", "first_seen", "last_seen", "sightings", "rows")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch keyed, merged and sorted, by day."""

    rows: int
    report_id: int | None  # None: no rows
    days: tuple[PreparedDay, ...]


def prepare_batch(batch: pa.Table, *, salt: bytes) -> PreparedBatch:
    """Key, merge and sort a batch of `events.ACCEPTED`, all rows of one report.

    Raises:
        BadBatch: columns are missing or of other types, or rows of several reports meet.
    """
    if not batch.num_rows:
        return PreparedBatch(rows=0, report_id=None, days=())
    columns = _columns(batch)
    report_id = _only_report(columns["report_id"])
    times = _times(columns)
    days = times // _DAY_US
    said = {n: c for n, c in columns.items() if n in IDENTITY and c.null_count < len(c)}
    keys = event_keys(said, days, salt)
    found = merged(keys, times, times)
    order = np.argsort(_place(columns, found[0]))
    rows, first_seen, last_seen, sightings = (each[order] for each in found)
    columns["source_fqdn_reversed"] = _reversed(columns.pop(LEFT_OUT))
    whole = PreparedDay(_FIRST_DAY, keys[rows], first_seen, last_seen, sightings, rows, columns)
    return PreparedBatch(batch.num_rows, report_id, _by_day(whole, days[rows]))


def merged(
    keys: Int64s, first: Int64s, last: Int64s, counts: Int64s | None = None
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Rows of equal key made one: (first row, earliest, latest, sum of counts), by key."""
    order = np.argsort(keys)
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == len(keys):
        ones = np.ones(len(keys), dtype=np.int64) if counts is None else counts[order]
        return order, first[order], last[order], ones
    if counts is None:
        sums = np.diff(np.append(starts, len(keys)))
    else:
        sums = np.add.reduceat(counts[order], starts)
    return (
        np.minimum.reduceat(order, starts),
        np.minimum.reduceat(first[order], starts),
        np.maximum.reduceat(last[order], starts),
        sums,
    )


def _columns(batch: pa.Table) -> dict[str, pa.Array]:
    """One contiguous array per column; repetitive strings dictionary-encoded."""
    found: dict[str, pa.Array] = {}
    for field in ACCEPTED:
        if field.name not in batch.column_names:
            raise BadBatch(reason=f"the column {field.name} is missing.")
        column = batch.column(field.name)
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # more text than one array may hold
            raise BadBatch(reason=f"the column {field.name} holds more than 2 GiB.")
        plain = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if plain != field.type:
            raise BadBatch(reason=f"{field.name} is {plain}, not {field.type}.")
        if not field.nullable and column.null_count:
            raise BadBatch(reason=f"{field.name} is missing in {column.null_count} rows.")
        if column.null_count == len(column):
            column = pa.nulls(len(column), field.type)
        elif column.type == pa.string():
            column = encoded(column)
        found[field.name] = column
    return found


def _only_report(column: pa.Array) -> int:
    reports = column.to_numpy()
    if (reports != reports[0]).any():
        raise BadBatch(reason="rows of several reports in one batch.")
    return int(reports[0])


def _times(columns: dict[str, pa.Array]) -> Int64s:
    """UTC microseconds: the source's time, else the observation's."""
    observed: Int64s = columns["time_observation"].cast(pa.int64()).to_numpy()
    source = columns["time_source"]
    if not source.null_count:
        given: Int64s = source.cast(pa.int64()).to_numpy()
        return given
    given = source.cast(pa.int64()).fill_null(0).to_numpy()
    return np.where(present(source), given, observed)


def _place(columns: dict[str, pa.Array], rows: Int64s) -> npt.NDArray[np.uint64]:
    """What to sort by: the address (IPv4 whole, IPv6 to /32) in the upper bits, then the owner."""
    owners = columns["organization_id"]
    if owners.null_count == len(owners):
        place = np.full(len(rows), _NOBODY, dtype=np.uint64)
    else:
        place = owners.fill_null(int(_NOBODY)).to_numpy().astype(np.uint64)[rows]
        np.minimum(place, _NOBODY, out=place)  # numbers beyond 2^31 share a place
    addresses = columns["source_address"]
    if addresses.null_count == len(addresses):
        return place
    high, low = address_halves(addresses)
    four = (high == 0) & (low >> np.uint64(32) == _MAPPED)
    first = np.where(four, low & np.uint64(0xFFFFFFFF), high >> np.uint64(32) | np.uint64(1 << 32))
    if addresses.null_count:
        first = np.where(present(addresses), first, np.uint64(2**33 - 1))
    place |= first[rows] << np.uint64(31)
    return place


def storage_order(events: pa.Table) -> Int64s:
    """Row numbers of stored events in the order in which they are to lie in a file."""
    names = ("organization_id", "source_address")
    columns = {name: pa.concat_arrays(events.column(name).chunks) for name in names}
    return np.argsort(_place(columns, np.arange(events.num_rows)))


def _reversed(names: pa.Array) -> pa.Array:
    return names if names.null_count == len(names) else reverse_labels(names)


def _by_day(whole: PreparedDay, days: Int64s) -> tuple[PreparedDay, ...]:
    """The events parted by their days."""
    if days.min() == days.max():
        return (replace(whole, day=_FIRST_DAY + timedelta(days=int(days[0]))),)
    return tuple(
        replace(whole.picked(days == day), day=_FIRST_DAY + timedelta(days=day))
        for day in np.unique(days).tolist()
    )


def _table(events: PreparedDay) -> pa.Table:
    count = len(events.rows)
    rows = pa.array(events.rows.astype(np.uint32))
    found = {name: _gathered(column, rows) for name, column in events.columns.items()}
    found["key"] = pa.array(events.keys)
    found["day"] = pa.repeat(pa.scalar(events.day, pa.date32()), count)
    found["first_seen"] = pa.array(events.first_seen).cast(TIME)
    found["last_seen"] = pa.array(events.last_seen).cast(TIME)
    found["sightings"] = pa.array(events.sightings.astype(np.int32))
    return pa.table(found)


def _gathered(column: pa.Array, rows: pa.Array) -> pa.Array:
    if column.null_count == len(column):
        return pa.nulls(len(rows), column.type)
    coded = pa.types.is_dictionary(column.type)
    if coded and len(column.dictionary) == 1 and not column.null_count:
        return column.slice(0, len(rows))  # one text in all rows, whichever they are
    taken = pc.take(column, rows, boundscheck=False)  # the rows are this batch's own
    if coded and len(column.dictionary) > _DICTIONARY_MOST:
        return taken.dictionary_decode()
    return taken
