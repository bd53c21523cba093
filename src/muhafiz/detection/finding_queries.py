"""Questions about findings. Each takes the viewer; what a viewer may not know of does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from muhafiz.common.actor import Actor
from muhafiz.detection.asset_answers import standing_answers, window_start
from muhafiz.detection.facts import (
    AssetFacts,
    ExposureDay,
    FindingFacts,
    ResponseFacts,
    WeekFacts,
)
from muhafiz.detection.finding_rules import PENDING, asset_state
from muhafiz.detection.models import Finding, FindingDay, Response
from muhafiz.detection.recipients import zone
from muhafiz.detection.visible import visible_findings
from muhafiz.lake import exposures
from muhafiz.lake.exposures import SEVERITIES
from muhafiz.lake.query import EventQuery
from muhafiz.release.rules import may_be_given


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings: every field that is set must hold.

    `since`: seen since then. `text` is looked for in number, type and identifier.
    """

    state: str | Collection[str] | None = None
    organization_id: int | None = None
    organization_ids: Collection[int] | None = None
    severity: str | Collection[str] | None = None
    type: str | None = None
    identifier: str | None = None
    review: str | None = None
    since: datetime | None = None
    text: str = ""
    ids: Collection[int] | None = None


def findings(
    *,
    viewer: Actor,
    wanted: Wanted | None = None,
    before: str | None = None,
    limit: int = 50,
    **fields: Any,
) -> list[FindingFacts]:
    """Findings, the worst first, within a severity the one seen last first.

    They are asked for by `wanted`, or by its fields one by one. `before` is the mark
    (`finding_mark`) of the last one of the page before; a wrong one is as none.
    """
    found = _after(_found(viewer, wanted or Wanted(**fields)), before)
    return [finding_facts(row) for row in found.order_by("-rank", "-last_seen", "-pk")[:limit]]


def count_findings(wanted: Wanted, *, viewer: Actor) -> int:
    """How many findings are so."""
    return _found(viewer, wanted).count()


def _found(viewer: Actor, wanted: Wanted) -> QuerySet[Finding]:
    found = _chosen(
        visible_findings(viewer),
        {"state": wanted.state, "severity": wanted.severity},
        organization_id=wanted.organization_id,
        classification_type=wanted.type,
        classification_identifier=wanted.identifier,
        review=wanted.review,
    )
    if wanted.organization_ids is not None:
        found = found.filter(organization_id__in=wanted.organization_ids)
    if wanted.ids is not None:
        found = found.filter(pk__in=wanted.ids)
    if wanted.since is not None:
        found = found.filter(last_seen__gte=wanted.since)
    return found.filter(_named(wanted.text.strip())) if wanted.text.strip() else found


def _chosen(
    found: QuerySet[Finding], lists: dict[str, str | Collection[str] | None], **exact: Any
) -> QuerySet[Finding]:
    for name, chosen in lists.items():
        if chosen is not None:
            several = [chosen] if isinstance(chosen, str) else list(chosen)
            found = found.filter(**{f"{name}__in": several})
    return found.filter(**{name: value for name, value in exact.items() if value is not None})


def _named(text: str) -> Q:
    return (
        Q(number__icontains=text)
        | Q(classification_type__icontains=text)
        | Q(classification_identifier__icontains=text)
    )


def finding_mark(facts: FindingFacts) -> str:
    """What `before` takes for the findings that follow this one."""
    return f"{facts.rank}:{facts.last_seen.timestamp():.6f}:{facts.id}"


def _after(found: QuerySet[Finding], mark: str | None) -> QuerySet[Finding]:
    if not mark:
        return found
    try:
        rank, moment, pk = mark.split(":")
        seen = datetime.fromtimestamp(float(moment), UTC)
        place = int(rank), int(pk)
    except (ValueError, OverflowError, OSError):
        return found
    return found.filter(
        Q(rank__lt=place[0])
        | Q(rank=place[0], last_seen__lt=seen)
        | Q(rank=place[0], last_seen=seen, pk__lt=place[1])
    )


def finding(finding_id: int, *, viewer: Actor) -> FindingFacts | None:
    """One finding; None when there is none that the viewer may know of."""
    row = visible_findings(viewer).filter(pk=finding_id).first()
    return finding_facts(row) if row else None


def finding_by_number(number: str, *, viewer: Actor) -> FindingFacts | None:
    """The finding of a number; None when there is none that the viewer may know of."""
    row = visible_findings(viewer).filter(number=number).first()
    return finding_facts(row) if row else None


def finding_history(finding_id: int, *, viewer: Actor, limit: int = 200) -> list[ResponseFacts]:
    """A finding's answers and what became of it, the latest first."""
    rows = Response.objects.filter(
        finding_id=finding_id, finding__in=visible_findings(viewer).filter(pk=finding_id)
    )
    return [
        ResponseFacts(
            kind=row.kind,
            asset=row.asset,
            until=row.until,
            reason=row.reason,
            state=row.state,
            at=row.at,
            by=row.by,
            by_name=row.by_name,
            by_owner=row.by_owner,
        )
        for row in rows.order_by("-at", "-pk")[:limit]
    ]


def finding_assets(
    finding_id: int, *, viewer: Actor, now: datetime, limit: int = 500
) -> list[AssetFacts]:
    """The assets of a finding that were seen lately, the last seen first, each with its answer."""
    facts = finding(finding_id, viewer=viewer)
    if facts is None:
        return []
    since = min(window_start(now), facts.last_seen.replace(hour=0, minute=0, second=0))
    query = EventQuery(
        organization_ids=frozenset({facts.organization_id}),
        classification_types=frozenset({facts.type} if facts.type else ()),
        since=since,
        limit=None,
    )
    names = exposures.labels(query, seconds=exposures.SCREEN_SECONDS)
    allowed = frozenset(label for label in names if may_be_given(label, "organization"))
    table = exposures.assets(query, allowed, identifiers={facts.identifier}, limit=limit)
    answers = standing_answers([finding_id]).get(finding_id, {})
    today = now.astimezone(zone(now)).date()
    rows = (row for row in table.to_pylist() if row["type"] == facts.type)
    return [_asset(row, facts, answers.get(row["asset"]), today) for row in rows]


def _asset(row: dict[str, Any], facts: FindingFacts, answer: Any, today: date) -> AssetFacts:
    whole = facts.state if facts.state != "quiet" else "open"
    state = asset_state(answer, last_seen=row["last_seen"], today=today) if answer else whole
    names = (
        "asset",
        "address",
        "name",
        "port",
        "ports",
        "protocol",
        "network",
        "network_id",
        "malware",
    )
    return AssetFacts(
        **{name: row[name] for name in names},
        severity=SEVERITIES[row["rank"]] if row["rank"] >= 0 else "",
        events=row["events"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        state=state,
        until=answer.until if answer else facts.until,
        answered=answer is not None,
    )


def finding_counts(
    *, viewer: Actor, organization_ids: Collection[int] | None = None
) -> dict[tuple[str, str], int]:
    """How many findings there are by (state, severity)."""
    found = visible_findings(viewer)
    if organization_ids is not None:
        found = found.filter(organization_id__in=organization_ids)
    rows = found.order_by().values_list("state", "severity").annotate(n=Count("pk"))
    return {(state, severity): n for state, severity, n in rows}


def finding_types(*, viewer: Actor) -> list[str]:
    """The classification types that occur among the viewer's findings."""
    rows = visible_findings(viewer).order_by("classification_type")
    return list(rows.values_list("classification_type", flat=True).distinct())


def exposure_history(
    *, viewer: Actor, since: date, organization_ids: Collection[int] | None = None
) -> list[ExposureDay]:
    """Assets and events of each day by severity, the oldest first; one query."""
    found = FindingDay.objects.filter(finding__in=visible_findings(viewer), day__gte=since)
    if organization_ids is not None:
        found = found.filter(organization_id__in=organization_ids)
    rows = found.order_by("day", "rank").values_list("day", "rank")
    return [
        ExposureDay(day, SEVERITIES[rank] if rank >= 0 else "", events, assets)
        for day, rank, events, assets in rows.annotate(
            all_events=Sum("events"), all_assets=Sum("assets")
        )
    ]


def finding_days(finding_id: int, *, viewer: Actor, since: date) -> list[ExposureDay]:
    """The days of one finding, the oldest first."""
    found = FindingDay.objects.filter(
        finding__in=visible_findings(viewer).filter(pk=finding_id), day__gte=since
    )
    return [
        ExposureDay(row.day, SEVERITIES[row.rank] if row.rank >= 0 else "", row.events, row.assets)
        for row in found.order_by("day")
    ]


def changes_of_week(*, viewer: Actor, now: datetime) -> WeekFacts:
    """What is new, gone and worse within the last seven days; three queries."""
    start = now - timedelta(days=7)
    rows = visible_findings(viewer)
    new = rows.filter(first_seen__gte=start, state__in=PENDING)
    gone = rows.filter(state__in=("fixed", "quiet"), state_at__gte=start)
    return WeekFacts(
        new=frozenset(new.values_list("pk", flat=True)[:1000]),
        gone=frozenset(gone.values_list("pk", flat=True)[:1000]),
        worse=_worse(rows.filter(state__in=PENDING, first_seen__lt=start), start.date()),
    )


def _worse(rows: QuerySet[Finding], start: date) -> frozenset[int]:
    """Those with more assets on their busiest day of this week than of the week before."""
    weeks = FindingDay.objects.filter(finding__in=rows, day__gte=start - timedelta(days=7))
    most = (
        weeks.order_by()
        .values_list("finding_id")
        .annotate(
            now=Max("assets", filter=Q(day__gte=start)), was=Max("assets", filter=Q(day__lt=start))
        )
    )
    return frozenset(pk for pk, now, before in most if now and before and now > before)


def findings_with_ids(ids: Iterable[int], *, viewer: Actor) -> list[FindingFacts]:
    """Those of the ids that the viewer may know of, the worst first."""
    return findings(viewer=viewer, ids=list(ids), limit=1000)


def findings_after(finding_id: int, *, limit: int) -> list[FindingFacts]:
    """The findings that were made after one, oldest first: for the house's own index."""
    found = Finding.objects.filter(pk__gt=finding_id).order_by("pk")
    return [finding_facts(row) for row in found[:limit]]


def finding_facts(row: Finding) -> FindingFacts:
    """A row as other rooms see it."""
    return FindingFacts(
        id=row.pk,
        number=row.number,
        organization_id=row.organization_id,
        taxonomy=row.classification_taxonomy,
        type=row.classification_type,
        identifier=row.classification_identifier,
        severity=row.severity,
        rank=row.rank,
        tlp=row.tlp,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        events=row.events,
        assets=row.assets,
        state=row.state,
        state_at=row.state_at,
        until=row.until,
        review=row.review,
        reopened=row.reopened,
        created_at=row.created_at,
    )
