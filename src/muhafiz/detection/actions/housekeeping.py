"""Which of detection's files are still needed, and how long."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.detection.files import unknown_files
from muhafiz.detection.models import DigestRun, Pool, ToldFile
from muhafiz.rulebook.queries import value_or

_SETTLING = timedelta(days=1)  # younger files may belong to work under way
_PLAN_DAYS = 400  # unless the rulebook says how long events are kept


def tidy_files(*, actor: Actor, now: datetime) -> int:
    """Remove files that no row needs; how many.

    Kept are waiting and sealed pools, live told files, and plans for as long as the rulebook keeps
    events (`retention.events_days`): a notice older than that can no longer be traced to rows.
    """
    days = value_or("retention.events_days", _PLAN_DAYS, at=now)
    kept_days = days if isinstance(days, int) else _PLAN_DAYS
    plans = DigestRun.objects.exclude(path="")
    done = DigestRun.State.DONE
    old = plans.filter(state=done, finished_at__lt=now - timedelta(days=kept_days))
    kept = {
        *plans.exclude(pk__in=old).values_list("path", flat=True),
        *ToldFile.objects.filter(retired_at=None).values_list("path", flat=True),
        *Pool.objects.filter(run=None).values_list("path", flat=True),
        *Pool.objects.filter(run__state=DigestRun.State.SEALED).values_list("path", flat=True),
        *Pool.objects.filter(taken__run__state=DigestRun.State.SEALED).values_list(
            "path", flat=True
        ),
    }
    removed = unknown_files(kept, now - _SETTLING)
    for path in removed:
        path.unlink(missing_ok=True)
    if removed:
        with transaction.atomic():
            record_entry(
                actor=actor,
                now=now,
                action="detection.tidy_files",
                subject="notice-files",
                details={"removed": len(removed)},
            )
    return len(removed)
