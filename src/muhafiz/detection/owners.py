"""How owners stand towards us: what is open at theirs, what they were told, whether they answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from muhafiz.detection.finding_rules import PENDING
from muhafiz.detection.models import Finding, Notice, Response
from muhafiz.lake.exposures import SEVERITIES

_LOOKED_BACK = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class OwnerStanding:
    """One organization's. `unanswered_since` is the first notice since their last answer."""

    organization_id: int
    open_findings: int = 0
    open_assets: int = 0
    severity: str = ""  # the worst that is open
    notices: int = 0
    last_notice_at: datetime | None = None
    unanswered: int = 0
    unanswered_since: datetime | None = None
    last_answer_at: datetime | None = None

    def is_silent(self, at: datetime, days: int) -> bool:
        """Whether a notice has gone unanswered for so long while something is open."""
        told = self.unanswered_since
        return bool(self.open_findings) and told is not None and told < at - timedelta(days=days)


def standings(
    *, at: datetime, organization_ids: Collection[int] | None = None
) -> dict[int, OwnerStanding]:
    """The standing of every owner that has an open finding or was told something; four queries."""
    chosen = Q() if organization_ids is None else Q(organization_id__in=organization_ids)
    since = at - _LOOKED_BACK
    opened = (
        Finding.objects.filter(chosen, state__in=PENDING)
        .order_by()
        .values("organization_id")
        .annotate(open_findings=Count("pk"), open_assets=Sum("assets"), worst=Max("rank"))
    )
    answers = Response.objects.filter(by_owner=True, at__gte=since).order_by()
    answered = answers.filter(chosen).values("organization_id").annotate(last_answer_at=Max("at"))
    released = Notice.objects.filter(
        chosen, state=Notice.State.RELEASED, created_at__gte=since
    ).order_by()
    told = released.values("organization_id").annotate(
        notices=Count("pk"), last_notice_at=Max("created_at")
    )
    theirs = answers.filter(organization_id=OuterRef("organization_id"))
    latest = theirs.values("organization_id").annotate(latest=Max("at")).values("latest")
    left = (
        released.filter(created_at__gt=Coalesce(Subquery(latest), since))
        .values("organization_id")
        .annotate(unanswered=Count("pk"), unanswered_since=Min("created_at"))
    )
    found: dict[int, dict[str, Any]] = {}
    for row in (*opened, *answered, *told, *left):
        found.setdefault(row["organization_id"], {}).update(row)
    return {owner: _standing(row) for owner, row in found.items()}


def _standing(row: dict[str, Any]) -> OwnerStanding:
    worst = row.pop("worst", -1)
    return OwnerStanding(**row, severity=SEVERITIES[worst] if worst >= 0 else "")


def silent_owners(*, at: datetime, days: int) -> list[OwnerStanding]:
    """Owners who have left a notice unanswered for so many days, the most exposed first."""
    found = [each for each in standings(at=at).values() if each.is_silent(at, days)]
    worst = {name: place for place, name in enumerate(SEVERITIES)}
    return sorted(
        found,
        key=lambda each: (-worst.get(each.severity, -1), -each.open_assets, each.organization_id),
    )
