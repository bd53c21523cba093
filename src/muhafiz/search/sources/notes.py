"""What people wrote on items of the queue."""

from __future__ import annotations

from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft
from muhafiz.triage.queries import notes_after
from muhafiz.triage.rules import number_of

KIND = "note"
PERMISSION = "queue.read"
TENANTS = False


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next notes by id."""
    found = notes_after(int(mark or 0), limit=limit)
    drafts = [
        Draft(
            key=str(identifier),
            title=text,
            told=f"{number_of(item)} · {writer}",
            terms=terms(words=(text,), mentions=(number_of(item), writer)),
            args={"item_id": item},
            moment=at,
        )
        for identifier, item, text, writer, at in found
    ]
    return drafts, str(found[-1][0]) if found else mark
