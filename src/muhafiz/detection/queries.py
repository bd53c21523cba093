"""Questions about policies, notices and findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import Count, Sum

from muhafiz.constituency.queries import contact_version
from muhafiz.detection.columns import DECISIONS, PLAN
from muhafiz.detection.facts import (
    LetterFacts,
    NoticeFacts,
    PolicyFacts,
    RunFacts,
    SimulationFacts,
)
from muhafiz.detection.files import located
from muhafiz.detection.finding_queries import (
    Wanted,
    changes_of_week,
    count_findings,
    exposure_history,
    finding,
    finding_assets,
    finding_by_number,
    finding_counts,
    finding_days,
    finding_history,
    finding_mark,
    finding_types,
    findings,
    findings_with_ids,
)
from muhafiz.detection.models import DigestPolicy, DigestRun, Notice, Pool, Simulation
from muhafiz.detection.preview import preview_notices
from muhafiz.detection.simulation import simulate
from muhafiz.detection.stored import notice_table

__all__ = [
    "Wanted",
    "changes_of_week",
    "contact_versions",
    "count_findings",
    "counts_by_state",
    "exposure_history",
    "finding",
    "finding_assets",
    "finding_by_number",
    "finding_counts",
    "finding_days",
    "finding_history",
    "finding_mark",
    "finding_types",
    "findings",
    "findings_with_ids",
    "notice",
    "notice_by_number",
    "notice_rows",
    "notices",
    "notices_of_event",
    "policies",
    "policy_history",
    "preview_notices",
    "runs",
    "simulate",
    "simulation",
    "simulations",
    "undeliverable",
    "waiting_events",
    "withheld_rows",
]


_NOTICES_SEARCHED: Final = 200
_CLOCKS_DIFFER: Final = timedelta(days=1)  # of the machine that received and the one that wrote


def policies() -> list[PolicyFacts]:
    """The policies in force, by code."""
    return [_policy(row) for row in DigestPolicy.objects.filter(valid_to=None).order_by("code")]


def policy_history(code: str) -> list[PolicyFacts]:
    """All versions of one policy, the newest first."""
    return [_policy(row) for row in DigestPolicy.objects.filter(code=code).order_by("-pk")]


def notices(
    *,
    organization_id: int | None = None,
    state: str | None = None,
    policy_code: str | None = None,
    text: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[NoticeFacts]:
    """Notices, the latest first; `text` is looked for in the number, `before` pages by id."""
    found = Notice.objects.order_by("-pk")
    if organization_id is not None:
        found = found.filter(organization_id=organization_id)
    if state is not None:
        found = found.filter(state=state)
    if policy_code is not None:
        found = found.filter(policy_code=policy_code)
    if text.strip():
        found = found.filter(number__icontains=text.strip())
    if before is not None:
        found = found.filter(pk__lt=before)
    return [notice_facts(row) for row in found[:limit]]


def notices_after(notice_id: int, *, limit: int) -> list[NoticeFacts]:
    """The notices that were made after one, oldest first."""
    return [
        notice_facts(row) for row in Notice.objects.filter(pk__gt=notice_id).order_by("pk")[:limit]
    ]


def notice(notice_id: int) -> NoticeFacts | None:
    """One notice; None when there is none."""
    row = Notice.objects.filter(pk=notice_id).first()
    return notice_facts(row) if row else None


def notice_by_number(number: str) -> NoticeFacts | None:
    """The notice of a number; None when there is none."""
    row = Notice.objects.filter(number=number).first() if number else None
    return notice_facts(row) if row else None


def undeliverable(*, limit: int = 200) -> list[NoticeFacts]:
    """Notices that nobody could be written to about, the latest first: work for the liaison."""
    return notices(state=Notice.State.UNDELIVERABLE, limit=limit)


def counts_by_state(*, since: datetime | None = None) -> dict[str, int]:
    """How many notices are in each state (every state is named), made since then."""
    found = Notice.objects.all()
    if since is not None:
        found = found.filter(created_at__gte=since)
    counted = dict(found.values_list("state").annotate(n=Count("pk")).order_by())
    return {state: counted.get(state, 0) for state in Notice.State.values}


def notice_rows(
    notice_id: int, *, after: int = 0, limit: int | None = None
) -> list[dict[str, Any]]:
    """The rows a notice tells, as its plan holds them: columns of `detection.columns.PLAN`.

    `report_id`, `row` and `parser` lead to the raw bytes, `network_id` and `network` to the claim
    that matched. Empty when the plan is past its retention. A plan never changes, so the number of
    the rows seen (`after`) is where the next page begins.
    """
    row = Notice.objects.select_related("run").filter(pk=notice_id).first()
    if row is None or not located(row.run.path).exists():
        return []
    table = notice_table(row.run.path, row.organization_id, row.decision)
    found: list[dict[str, Any]] = table.slice(after, limit).to_pylist()
    return found


def simulation(simulation_id: int) -> SimulationFacts | None:
    """One simulation; None when there is none."""
    row = Simulation.objects.filter(pk=simulation_id).first()
    return _simulation(row) if row else None


def simulations(*, limit: int = 10) -> list[SimulationFacts]:
    """Simulations, the latest first."""
    return [_simulation(row) for row in Simulation.objects.order_by("-pk")[:limit]]


def _simulation(row: Simulation) -> SimulationFacts:
    return SimulationFacts(
        id=row.pk,
        title=row.title,
        policy=row.policy,
        days=row.days,
        job_id=row.job_id,
        made_at=row.made_at,
        made_by=row.made_by,
        finished_at=row.finished_at,
        result=row.result,
    )


def contact_versions(notice_id: int) -> list[tuple[LetterFacts, Any]]:
    """Each letter of a notice with the version of the contact it went to, as it stood then."""
    found = notice(notice_id)
    if found is None:
        return []
    return [
        (letter, contact_version(letter.contact_id, letter.contact_version))
        for letter in found.letters
    ]


def notices_of_event(
    *, key: int, organization_id: int | None, received_at: datetime | None = None
) -> list[NoticeFacts]:
    """The notice that told an event to its owner: none or one, for no event is told twice.

    Looked for among the owner's next notices after the event's report was received, where that
    moment is given; else among the latest.
    """
    if organization_id is None:
        return []
    found = Notice.objects.filter(organization_id=organization_id).select_related("run")
    found = found.order_by("-pk")
    if received_at is not None:
        found = found.filter(created_at__gte=received_at - _CLOCKS_DIFFER).order_by("pk")
    for row in found[:_NOTICES_SEARCHED]:
        path = row.run.path
        if located(path).exists() and _tells(path, organization_id, row.decision, key):
            return [notice_facts(row)]
    return []


def _tells(path: str, organization_id: int, decision: str, key: int) -> bool:
    rows = pq.read_table(
        located(path),
        columns=["key"],
        filters=[("organization_id", "=", organization_id), ("decision", "=", decision)],
    )
    return bool(pc.any(pc.equal(rows["key"], key)).as_py())


def withheld_rows(run_id: int, *, decision: str = "withheld", limit: int = 1000) -> pa.Table:
    """Rows of a run that were not told: withheld, carried, inhibited or refused.

    Raises:
        ValueError: there is no such decision.
    """
    if decision not in DECISIONS:
        raise ValueError(f"There is no decision {decision}.")
    run = DigestRun.objects.get(pk=run_id)
    if not run.path:
        return PLAN.empty_table()
    rows = pq.read_table(located(run.path), filters=[("decision", "=", decision)])
    return rows.slice(0, limit)


def runs(*, limit: int = 50) -> list[RunFacts]:
    """Digest runs, the latest first."""
    return [
        RunFacts(
            id=row.pk,
            policy_code=row.policy_code,
            window=row.window,
            state=row.state,
            window_start=row.window_start,
            window_end=row.window_end,
            recipients=row.recipients,
            decisions=row.decisions,
            finished_at=row.finished_at,
        )
        for row in DigestRun.objects.order_by("-pk")[:limit]
    ]


def waiting_events() -> dict[str, int]:
    """Events gathered but not yet in a sealed window, per policy code; "" is no policy at all."""
    rows = Pool.objects.filter(run=None).values_list("policy_code")
    return dict(rows.annotate(n=Sum("rows")).order_by("policy_code"))


def _policy(row: DigestPolicy) -> PolicyFacts:
    return PolicyFacts(
        id=row.pk,
        code=row.code,
        title=row.title,
        classes=row.classes,
        feed=row.feed,
        sector=row.sector,
        organization_id=row.organization_id,
        cadence=row.cadence,
        threshold=row.threshold,
        resend_days=row.resend_days,
        attach_xarf=row.attach_xarf,
        tlp=row.tlp,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def notice_facts(row: Notice) -> NoticeFacts:
    """A row as other rooms see it."""
    return NoticeFacts(
        id=row.pk,
        public_id=row.public_id,
        number=row.number,
        organization_id=row.organization_id,
        policy_code=row.policy_code,
        window=row.window,
        state=row.state,
        reason=row.reason,
        tlp=row.tlp,
        events=row.events,
        classes=row.classes,
        digest=row.digest,
        verify_code=row.verify_code,
        letters=_letters(row.letters),
        created_at=row.created_at,
    )


def _letters(entries: Sequence[dict[str, Any]]) -> tuple[LetterFacts, ...]:
    return tuple(
        LetterFacts(entry["contact"], entry["version"], UUID(entry["message"])) for entry in entries
    )
