"""Chosen rows of a kept report read again, a block at a time. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members
from muhafiz.feeds.models import Report
from muhafiz.feeds.reading import ReadBatch, Reading, cuts, read

_ROWS_AT_ONCE = 20_000  # a database takes only so many values in one question


def reread(
    report: Report, wanted: Mapping[int, bytes | None], reading: Reading
) -> Iterator[tuple[ReadBatch, list[int]]]:
    """The wanted rows (position → bytes in their place, or None) with the positions asked for."""
    left = set(wanted)
    if not left:
        return
    with opened_members(raw_store(), report) as found:
        for cut in cuts(found, reading):
            first = cut.offset + cut.block.first_row
            asked = sorted(row for row in left if first <= row < first + cut.block.rows)
            if not asked:
                continue
            left.difference_update(asked)
            plain = [row for row in asked if wanted[row] is None]
            for part in _parts(plain):
                yield read(cut, reading, only=pa.array(part, pa.int64())), part
            for row in asked:
                edited = wanted[row]
                if edited is not None:
                    yield read(cut.with_row(row, edited), reading), [row]
            if not left:
                return


def _parts(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]
