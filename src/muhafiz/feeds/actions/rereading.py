"""Chosen rows of a kept report read again, a block at a time. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members
from muhafiz.feeds.models import Report
from muhafiz.feeds.places import Places
from muhafiz.feeds.reading import ReadBatch, Reading, cuts, read


def reread(
    report: Report, wanted: Places, edited: Mapping[int, bytes], reading: Reading
) -> Iterator[tuple[ReadBatch, Places]]:
    """The wanted rows, whose places rise, with the places each batch was asked for.

    `edited`: bytes to be read in the place of what stands at some of them.
    """
    if not len(wanted):
        return
    with opened_members(raw_store(), report) as found:
        for cut in cuts(found, reading):
            first = cut.offset + cut.block.first_row
            begin, end = np.searchsorted(wanted, [first, first + cut.block.rows])
            asked = wanted[begin:end]
            plain = np.array([place for place in asked if place not in edited], np.int64)
            if len(plain):
                yield read(cut, reading, only=pa.array(plain)), plain
            for place in sorted(set(asked.tolist()) & edited.keys()):
                yield read(cut.with_row(place, edited[place]), reading), np.array([place])
            if end == len(wanted):
                return
