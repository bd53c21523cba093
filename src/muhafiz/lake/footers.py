"""What files' footers say, so that a page need not decode it: columns of a single value.

Opening a column of a row group costs as much as decoding a thousand of its values, and about half
of an event's columns are NULL, or the same, in all rows of a source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from muhafiz.lake.engines import SegmentFile

MOST_FOOTERS = 4096  # files remembered by a process, about 4 KB each


def single_values(files: Iterable[SegmentFile]) -> dict[str, Any]:
    """Column → its value (None: NULL), where every row of all `files` has the same.

    A file that cannot be read tells nothing: the engine that opens it says what is wrong.
    """
    found: Mapping[str, Any] | None = None
    for file in files:
        try:
            mine = _of_file(file.path)
        except (OSError, pa.ArrowException):
            return {}
        found = mine if found is None else _common(found, mine)
    return dict(found or {})


@lru_cache(maxsize=MOST_FOOTERS)
def _of_file(path: Path) -> Mapping[str, Any]:
    """`single_values` of one file: it never changes under its name, so the answer is kept."""
    footer = pq.read_metadata(path)
    found: dict[str, Any] = {}
    for group in range(footer.num_row_groups):
        mine = _of_row_group(footer.row_group(group))
        found = _common(found, mine) if group else mine
    return found


def _common(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name in other and other[name] == value}


def _of_row_group(group: pq.RowGroupMetaData) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place in range(group.num_columns):
        column = group.column(place)
        told = column.statistics
        if told is None or not told.has_null_count:
            continue
        if told.null_count == group.num_rows:
            found[column.path_in_schema] = None
        elif not told.null_count and told.has_min_max and told.min == told.max:
            found[column.path_in_schema] = told.min
    return found
