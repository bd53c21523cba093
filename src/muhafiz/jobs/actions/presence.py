"""Workers say that they live, and on what they work; nobody else depends on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from muhafiz.jobs.models import Worker

#: How often a worker says so while nothing changes.
EVERY = timedelta(seconds=10)
#: A worker that stopped, or was not seen for so long, is forgotten.
FORGOTTEN_AFTER = timedelta(days=2)


class Presence:
    """One worker's word about itself."""

    def __init__(self, name: str, *, now: datetime) -> None:
        self._name, self._job = name, 0
        self._told = now
        Worker.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
        Worker.objects.update_or_create(
            name=name, defaults={"started_at": now, "seen_at": now, "stopped_at": None}
        )

    def tell(self, job_id: int | None, *, now: datetime) -> None:
        """Say what the worker works on (None: it waits); written when that changed, or is due."""
        known = job_id or 0
        if known == self._job and timedelta(0) <= now - self._told < EVERY:
            return
        taken = int(bool(known) and known != self._job)
        Worker.objects.filter(pk=self._name).update(
            seen_at=now, job_id=job_id, ran=F("ran") + taken
        )
        self._job, self._told = known, now

    def leave(self, *, now: datetime) -> None:
        """Say farewell."""
        Worker.objects.filter(pk=self._name).update(seen_at=now, stopped_at=now, job_id=None)
