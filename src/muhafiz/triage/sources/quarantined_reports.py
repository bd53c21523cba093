"""Reports that no feed recognized, or that could not be read at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.feeds.queries import reports
from muhafiz.triage.waiting import Waiting

KIND = "stuck-report"
PERMISSION = "reports.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each report that stands still."""
    del now
    for report in reports(states=("quarantined", "failed"), limit=_MOST):
        failed = report.state == "failed"
        yield Waiting(
            key=str(report.id),
            title="report-failed" if failed else "report-quarantined",
            params={"file": report.file_name},
            severity="high" if failed else "medium",
            since=report.received_at,
            tlp="AMBER",
            reference=f"R-{report.id}",
            route="report",
            route_args={"report_id": report.id},
            likeness=f"{report.state}:{report.reason}",
            more=(("feed", report.feed), ("reason", report.reason)),
        )
