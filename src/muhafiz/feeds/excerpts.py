"""The bytes of one accepted row as they were delivered, found again in the kept report."""

from __future__ import annotations

from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members, reading_of
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.columns.records import row_bytes
from muhafiz.feeds.models import Report
from muhafiz.feeds.reading import cuts
from muhafiz.feeds.rules import NoSource, RawMissing
from muhafiz.feeds.unpacking import CannotUnpack

AT_ONCE = 2 << 20  # a report of at most so many bytes is read again within a page
_MOST = 64 << 20  # of more, nobody waits for it: the report itself can be downloaded


def row_as_delivered(report_id: int, row: int) -> bytes | None:
    """The row's bytes without its line end; None when it cannot be found again, or not soon."""
    report = Report.objects.select_related("feed").filter(pk=report_id).first()
    if report is None or report.size > _MOST:
        return None
    try:
        reading = reading_of(report)
        with opened_members(raw_store(), report) as members:
            for cut in cuts(members, reading):
                at = row - cut.offset
                block = cut.block
                if block.first_row <= at < block.first_row + block.rows:
                    places = list(block.positions)
                    return row_bytes(block, places.index(at)) if at in places else None
    except (CannotUnpack, BadMapping, RawMissing, NoSource, OSError):
        return None
    return None
