"""Chosen rows of a kept report read again, a block at a time. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from muhafiz.feeds.actions.batches import lies_as_it_lay
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members
from muhafiz.feeds.models import Report
from muhafiz.feeds.places import Places
from muhafiz.feeds.reading import ReadBatch, Reading, cuts, read


class Moved(Exception):  # noqa: N818 - not an error: other options cut other rows
    """The report's rows no longer lie where they lay."""


def reread(
    report: Report,
    wanted: Places,
    edited: Mapping[int, bytes],
    reading: Reading,
    *,
    anyhow: bool = False,
) -> Iterator[tuple[ReadBatch, Places]]:
    """The wanted rows, whose places rise, with the places each batch was asked for.

    `edited`: bytes to be read in the place of what stands at some of them. `anyhow`: read what
    lies at the places now, be it another row.

    Raises:
        Moved: other rows lie there now.
    """
    if not len(wanted):
        return
    alike = anyhow
    with opened_members(raw_store(), report) as found:
        for cut in cuts(found, reading):
            first = cut.offset + cut.block.first_row
            begin, end = np.searchsorted(wanted, [first, first + cut.block.rows])
            asked = wanted[begin:end]
            if len(asked) and not alike and not lies_as_it_lay(report, cut):
                alike = _cut_alike(report, reading)
                if not alike:
                    raise Moved
            plain = np.array([place for place in asked if place not in edited], np.int64)
            if len(plain):
                yield read(cut, reading, only=pa.array(plain)), plain
            for place in sorted(set(asked.tolist()) & edited.keys()):
                yield read(cut.with_row(place, edited[place]), reading), np.array([place])
            if end == len(wanted):
                return


def _cut_alike(report: Report, reading: Reading) -> bool:
    """Whether other options make as many rows of each member as were read: then they are those."""
    if report.state != Report.State.DONE:
        return False
    begins: list[tuple[str, int]] = []
    rows = 0
    with opened_members(raw_store(), report) as found:
        for cut in cuts(found, reading):
            rows += cut.block.rows
            if cut.opens_member:
                begins.append((cut.member, cut.offset + 1))
    lay = [(each["name"], each["first_row"]) for each in report.members]
    return (rows, begins) == (report.rows_read, lay)
