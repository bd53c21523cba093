"""What a crash left behind is removed, and raw bytes whose time is over."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.models import Report, SetAsideRow, TakenMail

_LEFTOVER_AGE = timedelta(days=1)
_DONE_AGE = timedelta(days=7)
_AT_ONCE = 500
_GONE = "The report's bytes are no longer kept."


def remove_leftovers(*, now: datetime) -> int:
    """Remove files of the raw store that no row tells of, a day after they were written; how many.

    A file is on the disk before its row, so younger ones may be about to be told of.
    """
    count = 0
    for path in raw_store().leftovers(older_than=(now - _LEFTOVER_AGE).timestamp(), known=_is_told):
        path.unlink(missing_ok=True)
        count += 1
    return count


def remove_old_drops(*, folder: Path, now: datetime) -> int:
    """Remove days of `drop/done`, a week after they were taken in (the raw store has them)."""
    count = 0
    for day in (folder / "done").glob("????-??-??"):
        try:
            taken = datetime.fromisoformat(day.name).replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
        if now - taken > _DONE_AGE:
            shutil.rmtree(day)
            count += 1
    return count


def remove_old_raw(*, keep_days: int, actor: Actor, now: datetime) -> int:
    """Remove raw bytes of reports and mails older than `keep_days` days; how many reports.

    The rows stay as stubs, those set aside among them: without their bytes, and what was still open
    is settled, since nobody can read it again. Bytes that something younger shares stay.
    """
    limit = now - timedelta(days=keep_days)
    _forget_mails(limit)
    count = 0
    while batch := _remove_some(limit, actor=actor, now=now):
        count += batch
    return count


def _forget_mails(limit: datetime) -> None:
    """Old mails no longer tell of their bytes; their digest stays, so they are not taken again."""
    store = raw_store()
    for mail in TakenMail.objects.filter(taken_at__lt=limit).exclude(sha256=""):
        TakenMail.objects.filter(pk=mail.pk).update(sha256="")
        if not _is_told(mail.sha256):
            store.remove(mail.sha256)


@transaction.atomic
def _remove_some(limit: datetime, *, actor: Actor, now: datetime) -> int:
    old = Report.objects.select_for_update().filter(
        received_at__lt=limit, raw_removed_at__isnull=True
    )
    reports = list(old.order_by("pk")[:_AT_ONCE])
    if not reports:
        return 0
    numbers = [report.pk for report in reports]
    Report.objects.filter(pk__in=numbers).update(raw_removed_at=now, rows_open=0)
    aside = SetAsideRow.objects.filter(report_id__in=numbers)
    aside.filter(state=SetAsideRow.State.OPEN).update(
        state=SetAsideRow.State.DISMISSED, note=_GONE, settled_at=now, settled_by=str(actor)
    )
    aside.update(raw=b"", edited=None)
    record_entry(
        actor=actor,
        now=now,
        action="feeds.remove_raw",
        subject=f"report:{reports[0].pk}",
        details={"reports": numbers},
    )
    digests = {report.sha256 for report in reports}
    transaction.on_commit(lambda: _remove_files(digests))
    return len(reports)


def _remove_files(digests: set[str]) -> None:
    """After the commit; a crash before leaves leftovers that `remove_leftovers` finds."""
    store = raw_store()
    for digest in digests:
        if not _is_told(digest):
            store.remove(digest)


def _is_told(sha256: str) -> bool:
    """Whether a report that still has its raw bytes, or a mail, tells of this content."""
    if Report.objects.filter(sha256=sha256, raw_removed_at__isnull=True).exists():
        return True
    return TakenMail.objects.filter(sha256=sha256).exists()
