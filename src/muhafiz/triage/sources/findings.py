"""Findings that nobody has answered yet, from a severity on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.common.actor import Actor
from muhafiz.detection.queries import findings
from muhafiz.rulebook.queries import value_or
from muhafiz.triage.rules import SEVERITIES, rank_of
from muhafiz.triage.waiting import Waiting

KIND = "finding"
PERMISSION = "findings.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000
_FROM = "high"


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each open finding as grave as the rulebook's `triage.findings_from` says.

    What is less grave is told to its owner by letter and portal and needs nobody here.
    """
    least = rank_of(str(value_or("triage.findings_from", _FROM, at=now)))
    grave = SEVERITIES[least:]
    viewer = Actor.job("triage.sweep")
    for one in findings(viewer=viewer, state="open", severity=grave, limit=_MOST):
        yield Waiting(
            key=str(one.id),
            title="finding-named" if one.identifier else "finding",
            params={"type": one.type, "identifier": one.identifier},
            severity=one.severity,
            since=one.first_seen,
            organization_id=one.organization_id,
            tlp=one.tlp,
            reference=one.number,
            route="events",
            route_query={"organization": one.organization_id, "type": one.type},
            likeness=f"finding:{one.type}:{one.identifier}",
            count=one.assets or 1,
            more=(
                ("assets", str(one.assets)),
                ("first-seen", f"{one.first_seen:%Y-%m-%d}"),
                ("last-seen", f"{one.last_seen:%Y-%m-%d}"),
            ),
        )
