"""Letters that a crash left between “sending” and “sent”."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.notifications.queries import unsure
from muhafiz.triage.waiting import Waiting

KIND = "unsure-letter"
PERMISSION = "notices.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000
_OWNER = re.compile(r"organization:(\d{1,18})\b")


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each unsure letter; whether it left decides whether its owner knows."""
    del now
    for letter in unsure(limit=_MOST):
        owner = _OWNER.match(letter.recipient)
        yield Waiting(
            key=str(letter.id),
            title="letter-unsure",
            params={"reference": letter.reference or str(letter.id)},
            severity="high",
            since=letter.handed_at or letter.created_at,
            organization_id=int(owner[1]) if owner else None,
            tlp=letter.tlp,
            reference=letter.reference,
            route="letter",
            route_args={"letter_id": str(letter.id)},
            more=(("address", letter.address), ("reason", letter.reason)),
        )
