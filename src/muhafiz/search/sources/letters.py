"""Letters, by address, subject and Message-ID."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from muhafiz.notifications.queries import letters_after
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "letter"
PERMISSION = "notices.read"
TENANTS = False


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next messages ("<made at> <id>"). Private ones, which let people in, are left out."""
    moment, _, last = mark.partition(" ")
    found = letters_after(
        (datetime.fromisoformat(moment), UUID(last)) if mark else None, limit=limit
    )
    drafts = [
        Draft(
            key=str(each.id),
            title=each.subject,
            told=each.address,
            terms=terms(
                names=(each.reference, each.address, each.message_id.strip("<>"), each.sha256),
                words=(each.subject, each.recipient_name),
            ),
            args={"letter_id": str(each.id)},
            moment=each.created_at,
        )
        for each in found
        if not each.private
    ]
    return drafts, f"{found[-1].created_at.isoformat()} {found[-1].id}" if found else mark
