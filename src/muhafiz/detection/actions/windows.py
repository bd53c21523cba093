"""From new events to sealed and planned windows: the digest's first three steps.

Each step ends in one transaction that moves on a row only if it still stands where the step began,
so a killed or doubled job repeats work but never its outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Min

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.detection.arrivals import arrivals_after
from muhafiz.detection.asset_answers import excepted
from muhafiz.detection.files import located
from muhafiz.detection.gathering import PoolFile, files_by_report, gather_reports, write_pools
from muhafiz.detection.models import (
    DigestPolicy,
    DigestRun,
    GatheredReport,
    Pool,
    Position,
    ToldFile,
    Watermark,
)
from muhafiz.detection.planning import Planned, make_plan, merge_told
from muhafiz.detection.recipients import inhibitions, zone
from muhafiz.detection.rules import Window, closed_window
from muhafiz.detection.stored import (
    current_policies,
    newest_version,
    policy_value,
    rows_of_pool,
    sources_of,
)
from muhafiz.jobs.rules import CLOCK_TOLERANCE

_TOLD_FILES_MOST = 16
_FORGET_AFTER = timedelta(days=400)  # longer than any policy's resend_days


def gather_arrivals(*, actor: Actor, now: datetime) -> int:
    """Take the lake's new events into pools, one per policy; how many owned events were taken."""
    position, _ = Position.objects.get_or_create(pk=1)
    arrived = arrivals_after(position.audit_index)
    if arrived.upto == position.audit_index:
        return 0
    known = files_by_report(
        (entry.report_id, located(_events_file(entry.pool)))
        for entry in GatheredReport.objects.filter(report_id__in=arrived.reports).select_related(
            "pool__run"
        )
    )
    version = newest_version()
    files = gather_reports(arrived.reports, current_policies(), known, now)
    with transaction.atomic():
        moved = Position.objects.filter(pk=1, audit_index=position.audit_index)
        if not moved.update(audit_index=arrived.upto):
            _remove(files)
            return 0  # another job gathered them meanwhile
        _add_pools(files, version, now)
        _record_gathering(files, arrived.reports, actor, now)
    return sum(file.written.rows for file in files)


def sort_unmatched(*, actor: Actor, now: datetime) -> int:
    """Sort anew what no policy spoke of, or whose policy was ended, once policies have changed."""
    version, policies = newest_version(), current_policies()
    codes = {policy.code for policy in policies}
    waiting = Pool.objects.filter(run=None, matched_version__lt=version)
    waiting = waiting.exclude(taken__run__state=DigestRun.State.SEALED)
    homeless = [pool for pool in waiting if pool.policy_code not in codes]
    moved = 0
    for pool in homeless:
        files = write_pools([rows_of_pool(pool)], policies, now)
        with transaction.atomic():
            if not Pool.objects.filter(pk=pool.pk, run=None).delete()[0]:
                _remove(files)
                continue
            _add_pools(files, version, now)
            _record_gathering(files, (), actor, now)
        moved += sum(file.written.rows for file in files if file.policy_code)
    return moved


def seal_windows(*, actor: Actor, now: datetime) -> list[int]:
    """Seal each policy's window that has closed since the last one; the ids of new runs.

    What was gathered by the moment of sealing belongs to the window, also the little that arrived
    after its end; what comes later belongs to the next. After a standstill there is one letter for
    everything, not one for each window missed.
    """
    runs = []
    for row in DigestPolicy.objects.filter(valid_to=None).order_by("code"):
        window = closed_window(row.cadence, now, zone(now))
        run = _sealed(row, window, actor, now)
        if run is not None:
            runs.append(run)
    return runs


@transaction.atomic
def _sealed(row: DigestPolicy, window: Window, actor: Actor, now: datetime) -> int | None:
    waiting = Pool.objects.filter(policy_code=row.code, run=None)
    if row.cadence == "at_once":
        # What only waits for its threshold stays, until more comes or the policy changes.
        if not waiting.exclude(carried=True, matched_version__gte=row.pk).exists():
            return None
        oldest = waiting.aggregate(oldest=Min("gathered_at"))["oldest"]
        window = Window(oldest or now, now, "at once")
    elif not _closes(row.code, window.end, now):
        return None
    pools = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
    if not pools:
        return None
    label = _label(row.code, window.label, pools[0])
    run = DigestRun.objects.create(
        policy=row,
        policy_code=row.code,
        window=label,
        window_start=window.start,
        window_end=window.end,
        sealed_at=now,
    )
    Pool.objects.filter(pk__in=pools).update(run=run)
    record_entry(
        actor=actor,
        now=now,
        action="detection.seal_window",
        subject=f"digest:{run.pk}",
        details={"policy": row.code, "window": label, "pools": len(pools)},
    )
    return run.pk


def _closes(code: str, end: datetime, now: datetime) -> bool:
    """Move the policy's watermark on to a window's end; False when that window is sealed already.

    A watermark that lies ahead of now was set under a clock that went too fast. It comes back, so
    that the window open now is sealed when it closes, and not when the time then shown has come.
    """
    marks = Watermark.objects.filter(policy_code=code)
    if marks.filter(sealed_until__lt=end).update(sealed_until=end):
        return True
    marks.filter(sealed_until__gt=now + CLOCK_TOLERANCE).update(sealed_until=end)
    return False


def _label(code: str, name: str, first_pool: int) -> str:
    """What the outbox knows the window by: a name that comes once, whatever the clock says.

    Each pool is bound once, so its number makes the name unique.
    """
    if name == "at once":
        return f"{first_pool} at once"
    taken = DigestRun.objects.filter(policy_code=code, window=name).exists()
    return f"{name} again {first_pool}" if taken else name


def plan_run(run_id: int, *, actor: Actor, now: datetime) -> None:
    """Decide about every row of a sealed window; a run that has its plan stays as it is."""
    run = DigestRun.objects.select_related("policy").get(pk=run_id)
    if run.state != DigestRun.State.SEALED:
        return
    planned = make_plan(
        sources_of(run),
        [located(file.path) for file in ToldFile.objects.filter(retired_at=None)],
        policy_value(run.policy),
        run.window_end,
        inhibitions(now),
        excepted=excepted(now),
        only=run.organization_id,
        memory_mib=settings.LAKE_MEMORY_MIB,
    )
    with transaction.atomic():
        if _take_plan(run, planned):
            record_entry(
                actor=actor,
                now=now,
                action="detection.plan_window",
                subject=f"digest:{run.pk}",
                details={
                    "plan": planned.plan.path,
                    "sha256": planned.plan.digest,
                    "decisions": planned.decisions,
                    "recipients": planned.recipients,
                },
            )


def _take_plan(run: DigestRun, planned: Planned) -> bool:
    sealed = DigestRun.objects.filter(pk=run.pk, state=DigestRun.State.SEALED)
    moved = sealed.update(
        state=DigestRun.State.COMPOSING,
        path=planned.plan.path,
        digest=planned.plan.digest,
        decisions=planned.decisions,
        recipients=planned.recipients,
    )
    if not moved:
        return False
    if planned.told is not None:
        told = planned.told
        ToldFile.objects.create(path=told.path, digest=told.digest, rows=told.rows)
    if planned.carried is not None:
        Pool.objects.create(
            policy_code=run.policy_code,
            path=planned.carried.path,
            digest=planned.carried.digest,
            rows=planned.carried.rows,
            carried=True,
            matched_version=newest_version(),
            gathered_at=run.sealed_at,
        )
    return True


def merge_told_files(*, now: datetime) -> bool:
    """Put the told files together when they have become many, so that planning stays quick."""
    files = list(ToldFile.objects.filter(retired_at=None))
    if len(files) <= _TOLD_FILES_MOST:
        return False
    merged = merge_told([located(file.path) for file in files], now - _FORGET_AFTER, now)
    with transaction.atomic():
        # Locked in one order; a file that another job has merged meanwhile is missing here.
        ids = [file.pk for file in files]
        standing = ToldFile.objects.select_for_update().filter(pk__in=ids, retired_at=None)
        won = len(list(standing.order_by("pk"))) == len(ids)
        if won:
            standing.update(retired_at=now)
            ToldFile.objects.create(path=merged.path, digest=merged.digest, rows=merged.rows)
    if not won:
        located(merged.path).unlink(missing_ok=True)
    return won


def _events_file(pool: Pool) -> str:
    """Where a pool's rows stand now: in its run's plan once that is written."""
    return pool.run.path if pool.run is not None and pool.run.path else pool.path


def _add_pools(files: Iterable[PoolFile], version: int, now: datetime) -> None:
    for file in files:
        pool = Pool.objects.create(
            policy_code=file.policy_code,
            path=file.written.path,
            digest=file.written.digest,
            rows=file.written.rows,
            matched_version=version,
            gathered_at=now,
        )
        GatheredReport.objects.bulk_create(
            [GatheredReport(report_id=report, pool=pool) for report in file.reports]
        )


def _record_gathering(
    files: Sequence[PoolFile], reports: Sequence[int], actor: Actor, now: datetime
) -> None:
    if not files:
        return
    rows: dict[str, int] = {}
    for file in files:
        rows[file.policy_code] = rows.get(file.policy_code, 0) + file.written.rows
    record_entry(
        actor=actor,
        now=now,
        action="detection.gather_events",
        subject="events",
        details={
            "reports": len(reports),
            "rows": rows,
            "files": {file.written.path: file.written.digest for file in files},
        },
    )


def _remove(files: Iterable[PoolFile]) -> None:
    for file in files:
        located(file.written.path).unlink(missing_ok=True)
