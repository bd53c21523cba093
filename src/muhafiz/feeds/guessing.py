"""A mapping guessed from a feed's last report: offered to a person, who decides. Writes nothing."""

from __future__ import annotations

from typing import Any

from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.actions.processing import opened_members
from muhafiz.feeds.models import Report
from muhafiz.feeds.sources import HEAD_BYTES, all_sources


def guesses(source: str) -> bool:
    """Whether reports of this source are read by a guess where their feed has no mapping."""
    found = all_sources().get(source)
    return found is not None and found.mapped is not None and found.mapped.delimited


def guessed_options(feed: str) -> dict[str, Any] | None:
    """The feed's options with the mapping that its last report suggests; None without a report.

    Raises:
        RawMissing, CannotUnpack: the report's raw bytes are no longer kept, or were refused.
    """
    report = Report.objects.select_related("feed").filter(feed__name=feed).order_by("-pk").first()
    source = all_sources().get(report.feed.source) if report is not None else None
    if report is None or source is None or source.mapped is None:
        return None
    bare = {key: value for key, value in report.feed.options.items() if key != "mapping"}
    with opened_members(raw_store(), report) as found:
        for each in found:
            kind = source.kind(each.name, bare)
            data = source.mapped.current(kind, bare, each.stream.read(HEAD_BYTES))
            return source.mapped.changed(kind, bare, data)
    return None
