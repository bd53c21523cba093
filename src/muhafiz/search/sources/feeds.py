"""Feeds, by name. There are few: they are read anew each time one comes."""

from __future__ import annotations

from muhafiz.feeds.queries import feeds_after
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "feed"
PERMISSION = "feeds.read"
TENANTS = False


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next feeds by id."""
    found = feeds_after(int(mark or 0), limit=limit)
    drafts = [
        Draft(
            key=str(identifier),
            title=title,
            told=name,
            terms=terms(names=(name,), words=(title,), mentions=(source,)),
            args={"name": name},
        )
        for identifier, name, title, source in found
    ]
    return drafts, str(found[-1][0]) if found else mark
