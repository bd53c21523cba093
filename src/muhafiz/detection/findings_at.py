"""Which findings speak of an address, network or name: what an owner asks about one machine."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from muhafiz.common.actor import Actor
from muhafiz.constituency.visible import organizations_of
from muhafiz.detection.asset_answers import window_start
from muhafiz.detection.facts import FindingFacts
from muhafiz.detection.finding_queries import finding_facts
from muhafiz.detection.visible import visible_findings
from muhafiz.lake import exposures
from muhafiz.lake.query import EventQuery
from muhafiz.release.rules import may_be_given


def findings_at(
    *,
    viewer: Actor,
    now: datetime,
    network: str | None = None,
    domain: str | None = None,
    limit: int = 50,
) -> list[FindingFacts]:
    """The owner's findings that were seen lately within a network or below a domain.

    Nothing for staff, who have the explorer. Raises what the lake raises.
    """
    own = organizations_of(viewer)
    if own is None or (network is None and domain is None):
        return []
    query = EventQuery(
        organization_ids=frozenset(own),
        cidr=network,
        domain_suffix=domain,
        since=window_start(now),
        limit=None,
    )
    names = exposures.labels(query, seconds=exposures.SCREEN_SECONDS)
    allowed = frozenset(label for label in names if may_be_given(label, "organization"))
    table = exposures.problems(query, allowed, seconds=exposures.SCREEN_SECONDS)
    wanted = Q(pk__in=())
    for row in table.to_pylist()[:limit]:
        wanted |= Q(
            organization_id=row["organization_id"],
            classification_type=row["type"],
            classification_identifier=row["identifier"],
        )
    found = visible_findings(viewer).filter(wanted).order_by("-rank", "-last_seen", "-pk")
    return [finding_facts(row) for row in found[:limit]]
