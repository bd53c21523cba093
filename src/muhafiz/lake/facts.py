"""What can be said of a segment without opening it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from muhafiz.lake.identity import address_halves

_PAIRS = np.dtype("<i8")
_MOST_ORGANIZATIONS = 1 << 24  # a blob that claims more is damaged


def event_facts(events: pa.Table) -> dict[str, Any]:
    """The fields of `models.Segment` that describe these events (columns of events.STORED)."""
    times = pc.coalesce(events["time_source"], events["time_observation"])
    facts: dict[str, Any] = {
        "rows": events.num_rows,
        "sightings": pc.sum(events["sightings"]).as_py(),
        "has_nobody": events["organization_id"].null_count > 0,
        "feed_codes": json.dumps(sorted(filter(None, pc.unique(events["feed_code"]).to_pylist()))),
        "class_counts": json.dumps(_counts(events["classification_type"])),
        "organization_counts": _packed_owners(events["organization_id"]),
    }
    for name, values in (
        ("time", times),
        ("received", events["time_observation"]),
        ("key", events["key"]),
        ("organization", events["organization_id"]),
        ("asn", events["source_asn"]),
        ("fqdn_reversed", _plain(events["source_fqdn_reversed"])),
    ):
        span = pc.min_max(values).as_py()
        facts[f"{name}_min"], facts[f"{name}_max"] = span["min"], span["max"]
    facts["address_min"], facts["address_max"] = _address_range(events["source_address"])
    return facts


def resighting_facts(rows: pa.Table) -> dict[str, Any]:
    """The fields of `models.Segment` that describe these re-sightings."""
    span = pc.min_max(rows["key"]).as_py()
    return {
        "rows": rows.num_rows,
        "sightings": pc.sum(rows["sightings"]).as_py(),
        "key_min": span["min"],
        "key_max": span["max"],
    }


def sightings_by_report(rows: pa.Table) -> dict[int, int]:
    """Sum of sightings per report of a table with both columns."""
    sums = rows.select(["report_id", "sightings"]).group_by("report_id")
    return {
        line["report_id"]: line["sightings_sum"]
        for line in sums.aggregate([("sightings", "sum")]).to_pylist()
    }


def _address_range(column: pa.ChunkedArray) -> tuple[bytes | None, bytes | None]:
    """The least and the greatest address."""
    if column.null_count == len(column):
        return None, None
    high, low = address_halves(pa.concat_arrays(column.drop_null().chunks))
    ends = []
    for least in (True, False):
        upper = high.min() if least else high.max()
        lower = low[high == upper]
        ends.append(int(upper) << 64 | int(lower.min() if least else lower.max()))
    first, last = (end.to_bytes(16, "big") for end in ends)
    return first, last


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Events per value; the empty name stands for NULL, which no type is called."""
    found: dict[str, int] = {}
    for line in pc.value_counts(column).to_pylist():
        found[line["values"] or ""] = found.get(line["values"] or "", 0) + line["counts"]
    return found


def _packed_owners(column: pa.ChunkedArray) -> bytes:
    found = pc.value_counts(column.drop_null())
    return _packed(np.array([found.field(name) for name in ("values", "counts")], dtype=_PAIRS))


def pack_counts(counts: dict[int, int]) -> bytes:
    """Events per organization as a compressed block: all ids, then all counts."""
    return _packed(np.array([list(counts), list(counts.values())], dtype=_PAIRS))


def _packed(pairs: npt.NDArray[np.int64]) -> bytes:
    return zstandard.compress(pairs.tobytes(), 3)


def add_counts(blocks: Iterable[bytes]) -> dict[int, int]:
    """The sum of packed blocks."""
    ids, counts = [], []
    for block in blocks:
        raw = zstandard.decompress(bytes(block), max_output_size=16 * _MOST_ORGANIZATIONS)
        pairs = np.frombuffer(raw, dtype=_PAIRS).reshape(2, -1)
        ids.append(pairs[0])
        counts.append(pairs[1])
    if not ids:
        return {}
    names, places = np.unique(np.concatenate(ids), return_inverse=True)
    sums = np.zeros(len(names), dtype=np.int64)
    np.add.at(sums, places, np.concatenate(counts))
    return dict(zip(names.tolist(), sums.tolist(), strict=True))
