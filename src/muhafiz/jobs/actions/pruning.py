"""Ended jobs are kept for a while, then removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Max, Q

from muhafiz.jobs.models import Job
from muhafiz.jobs.rules import CANCELLED, DONE, FAILED

KEEP_ENDED = timedelta(days=14)
KEEP_FAILED = timedelta(days=90)
_PORTION = 500


def prune_jobs(*, now: datetime, report: Callable[[int], None] = lambda _: None) -> int:
    """Remove ended jobs that are old, with their history; a timed job's last run stays.

    Portions are committed one by one, so writers never wait long.
    """
    old = Q(state__in=(DONE, CANCELLED), finished_at__lt=now - KEEP_ENDED)
    old |= Q(state=FAILED, finished_at__lt=now - KEEP_FAILED)
    timed = Job.objects.filter(slot__isnull=False, finished_at__isnull=False)
    stay = list(timed.values("name").annotate(newest=Max("pk")).values_list("newest", flat=True))
    removed = 0
    while True:
        found = Job.objects.filter(old).exclude(pk__in=stay).order_by("pk")
        portion = list(found.values_list("pk", flat=True)[:_PORTION])
        if not portion:
            return removed
        Job.objects.filter(pk__in=portion).delete()
        removed += len(portion)
        report(removed)
