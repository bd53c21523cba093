"""New events of the lake into pools, one per policy, each event exactly once.

1. Read the position, ask what arrived after it (`arrivals`).
2. Read those reports' events, sort them by policy, write the pools' files. No row names them yet.
3. In one transaction: advance the position if it is still the one of step 1, add the pools.

A crash before 3 leaves orphan files and the old position: the next gathering takes all again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muhafiz.detection.arrivals import events_of
from muhafiz.detection.columns import ROWS, owned_rows
from muhafiz.detection.files import Written, write_table
from muhafiz.detection.rules import Policy
from muhafiz.detection.sorting import sort_by_policy
from muhafiz.lake.query import EventQuery

_FEW_ROWS = 250_000  # reports are gathered together up to here, so small ones make few files


@dataclass(frozen=True, slots=True)
class PoolFile:
    """One file of one policy's events."""

    policy_code: str
    written: Written
    reports: tuple[int, ...]


def gather_reports(
    reports: Sequence[int],
    policies: Sequence[Policy],
    known: Mapping[int, Sequence[Path]],
    now: datetime,
    root: Path | None = None,
) -> list[PoolFile]:
    """Step 2: the files; `known` names, per report, the files that hold events taken earlier."""
    tables = (
        owned_rows(events)
        for report in reports
        for events in events_of(
            EventQuery(report_id=report, limit=None), known_keys(report, known.get(report, ()))
        )
    )
    return write_pools(_joined(tables), policies, now, root)


def write_pools(
    tables: Iterable[pa.Table],
    policies: Sequence[Policy],
    now: datetime,
    root: Path | None = None,
) -> list[PoolFile]:
    """Sort each table (columns `ROWS`) by policy and write the parts."""
    files = []
    for table in tables:
        for code, part in sort_by_policy(table, policies).items():
            written = write_table("pool", part, ROWS, now, root)
            found = sorted(pc.unique(part["report_id"]).to_pylist())
            files.append(PoolFile(code, written, tuple(found)))
    return files


def known_keys(report_id: int, files: Iterable[Path]) -> pa.ChunkedArray:
    """The keys of one report's events in the given files."""
    chunks: list[pa.Array] = []
    for path in files:
        found = pq.read_table(path, columns=["key"], filters=[("report_id", "=", report_id)])
        chunks.extend(found["key"].chunks)
    return pa.chunked_array(chunks, pa.int64())


def _joined(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The tables, small ones put together."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        if table.num_rows:
            waiting.append(table)
            rows += table.num_rows
        if rows >= _FEW_ROWS:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def files_by_report(pairs: Iterable[tuple[int, Path]]) -> dict[int, list[Path]]:
    """(report, file) pairs as one list per report."""
    grouped: dict[int, list[Path]] = defaultdict(list)
    for report, path in pairs:
        grouped[report].append(path)
    return grouped
