"""What can be said of a segment without opening it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

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
        "organization_counts": pack_counts(_owner_counts(events["organization_id"])),
    }
    for name, values in (
        ("time", times),
        ("received", events["time_observation"]),
        ("key", events["key"]),
        ("organization", events["organization_id"]),
        ("address", events["source_address"].cast(pa.binary())),
        ("asn", events["source_asn"]),
        ("fqdn_reversed", _plain(events["source_fqdn_reversed"])),
    ):
        span = pc.min_max(values).as_py()
        facts[f"{name}_min"], facts[f"{name}_max"] = span["min"], span["max"]
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


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Events per value; the empty name stands for NULL, which no type is called."""
    found = pc.value_counts(_plain(column)).to_pylist()
    return {line["values"] or "": line["counts"] for line in found}


def _owner_counts(column: pa.ChunkedArray) -> dict[int, int]:
    found = pc.value_counts(column.drop_null()).to_pylist()
    return {line["values"]: line["counts"] for line in found}


def pack_counts(counts: dict[int, int]) -> bytes:
    """Events per organization as a compressed block: all ids, then all counts."""
    pairs = np.array([list(counts), list(counts.values())], dtype=_PAIRS)
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
