"""How events lie in a Parquet file.

Row groups of 20,000 rows, sorted by address: a network's rows lie in one or two row groups,
and an owner's in few. (Sorted by owner first, a /16 over 90 days took three times as long, and an
owner's last day no less.) A compacted day of many rows is cut into files by owner.

What a reader can restore is left out: `source_fqdn` (`source_fqdn_reversed` turned round), and
`first_seen` and `last_seen` where they equal the event's time (`time_source`, else
`time_observation`), which is nearly everywhere; there they are NULL. `source_place` is a number
beside the address, IPv4 as it is mapped, of IPv6 the upper 64 bits: a network is found several
times faster by it than by sixteen bytes.

Columns are packed by zstd; in files fresh from a report the long texts by the quicker snappy, until
compaction. What would not shrink is written as it is.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muhafiz.formats.addresses import reverse_labels
from muhafiz.formats.events import STORED, TIME
from muhafiz.lake.identity import address_halves, present

ROW_GROUP = 20_000
PLACE = "source_place"
LEFT_OUT = "source_fqdn"
_LEVEL = 1  # of files that compaction will rewrite
_LEVEL_KEPT = 3  # measured against 1: 2 % smaller for 0.2 CPU seconds per million rows

#: A further sighting of an event of the same day; the event itself is in another segment.
RESIGHTINGS = pa.schema(
    [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("report_id", pa.int64(), nullable=False),
        pa.field("first_seen", TIME, nullable=False),
        pa.field("last_seen", TIME, nullable=False),
        pa.field("sightings", pa.int64(), nullable=False),
    ]
)

# Values that hardly repeat within a row group: a dictionary would only add to them.
_PLAIN = {
    PLACE,
    "key",
    "row",
    "source_ip",
    "source_address",
    "source_url",
    "source_fqdn_reversed",
    "destination_url",
    "first_seen",
    "last_seen",
    "time_source",
    "network_id",
}
# Values that repeat, but so little that only a file worth packing tighter is worth the search.
_PLAIN_AT_FIRST = {"extra", "network", "organization_id"}
_ENCODINGS = {
    "time_source": "DELTA_BINARY_PACKED",
    "row": "DELTA_BINARY_PACKED",
    "network_id": "DELTA_BINARY_PACKED",
    PLACE: "DELTA_BINARY_PACKED",
}
# Hashes, which no codec shortens.
_RANDOM = {"key"}
# Long texts, of a quarter of the time that a file takes; a tenth larger until compaction.
_HASTY = {"extra"}
# Nobody asks for a range of these, or the number beside an address has told it already.
_NO_RANGES = {
    "row",
    "source_ip",
    "source_address",
    "source_url",
    "destination_url",
    "extra",
    "network",
    "network_id",
}


def file_bytes(table: pa.Table, *, kept: bool = False) -> pa.Buffer:
    """The Parquet file of `table` (columns of `events.STORED` or `RESIGHTINGS`).

    `kept`: it is worth packing tighter.
    """
    if "time_observation" in table.column_names:
        table = _without_repeats(table).append_column(PLACE, _places(table["source_address"]))
        table = table.select([name for name in table.column_names if name != LEFT_OUT])
    names = table.column_names
    plain = _PLAIN if kept else _PLAIN | _PLAIN_AT_FIRST
    codecs = {name: _codec(name, table[name], kept=kept) for name in names}
    level = _LEVEL_KEPT if kept else _LEVEL
    out = pa.BufferOutputStream()  # Arrow's own: a stream of Python's takes the GIL for each page
    pq.write_table(
        table,
        out,
        row_group_size=ROW_GROUP,
        compression=codecs,
        compression_level={name: level for name, codec in codecs.items() if codec == "zstd"},
        store_schema=False,
        write_batch_size=ROW_GROUP,  # a row group's column in one go: 8 % less time than in parts
        use_dictionary=[name for name in names if name not in plain],
        column_encoding={name: how for name, how in _ENCODINGS.items() if name in names},
        write_statistics=[name for name in names if name not in _NO_RANGES],
    )
    return out.getvalue()


def _codec(name: str, column: pa.ChunkedArray, *, kept: bool) -> str:
    """How a column's pages are compressed: a codec has a price where nothing is to be saved."""
    coded = pa.types.is_dictionary(column.type) and column.num_chunks == 1
    same = coded and len(column.chunk(0).dictionary) == 1
    if name in _RANDOM or same or column.null_count == len(column):
        return "none"
    return "snappy" if name in _HASTY and not kept else "zstd"


def _without_repeats(table: pa.Table) -> pa.Table:
    times = pc.coalesce(table["time_source"], table["time_observation"])
    nothing = pa.scalar(None, TIME)
    for name in ("first_seen", "last_seen"):
        seen = pc.if_else(pc.equal(table[name], times), nothing, table[name])
        table = table.set_column(table.schema.get_field_index(name), pa.field(name, TIME), seen)
    return table


def _places(addresses: pa.ChunkedArray) -> pa.Array:
    """The number of each address; NULL where there is none."""
    column = addresses.combine_chunks()
    column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.int64())
    high, low = address_halves(column)
    places = np.where(high == 0, low, high).view(np.int64)
    return pa.array(places, mask=~present(column) if column.null_count else None)


def place_range(first: bytes, last: bytes) -> tuple[int, int] | None:
    """Least and greatest number of the addresses from `first` to `last`.

    None: the numbers tell nothing of the few IPv6 networks around the mapped IPv4 addresses.
    """
    halves = [
        (int.from_bytes(end[:8], "big"), int.from_bytes(end[8:], "big")) for end in (first, last)
    ]
    (first_high, first_low), (last_high, last_low) = halves
    if last_high == 0 and first_low >> 32 == last_low >> 32 == 0xFFFF:  # noqa: PLR2004 - RFC 4291
        return first_low, last_low
    if first_high == 0:
        return None
    signed = [high - 2**64 if high >= 2**63 else high for high in (first_high, last_high)]
    return (signed[0], signed[1]) if signed[0] <= signed[1] else None


def stored(table: pa.Table) -> pa.Table:
    """A table read from files in the exact columns and types of `events.STORED`."""
    if LEFT_OUT not in table.column_names:
        chunks = [reverse_labels(chunk) for chunk in table["source_fqdn_reversed"].chunks]
        table = table.append_column(LEFT_OUT, pa.chunked_array(chunks, pa.string()))
    return table.select(STORED.names).cast(STORED)
