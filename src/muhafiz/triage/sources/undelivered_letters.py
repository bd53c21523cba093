"""Letters that came back, were given up, or wait for a key: nobody was told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.notifications.queries import lost_letters
from muhafiz.triage.waiting import Waiting

KIND = "undelivered-letter"
PERMISSION = "notices.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000
_LOOKED_BACK = timedelta(days=30)  # later a new letter about the same is due
_OWNER = re.compile(r"organization:(\d{1,18})\b")


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each thing none of whose letters can arrive, however many there are."""
    for letter in lost_letters(since=now - _LOOKED_BACK, limit=_MOST):
        owner = _OWNER.match(letter.recipient)
        yield Waiting(
            key=str(letter.id),
            title="letter-failed" if letter.state == "failed" else "letter-held",
            params={"reference": letter.reference or letter.address},
            severity="medium",
            since=letter.finished_at or letter.created_at,
            organization_id=int(owner[1]) if owner else None,
            tlp=letter.tlp,
            reference=letter.reference,
            route="letter",
            route_args={"letter_id": str(letter.id)},
            more=(("address", letter.address), ("reason", letter.reason)),
        )
