"""From detection's own rows to values; for this room only."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import Max

from muhafiz.detection.columns import ROWS
from muhafiz.detection.files import located
from muhafiz.detection.models import DigestPolicy, DigestRun, Pool, TakenAhead
from muhafiz.detection.planning import Source
from muhafiz.detection.rules import Policy


def policy_value(row: DigestPolicy) -> Policy:
    """A version of a policy as rules take it."""
    return Policy(
        code=row.code,
        cadence=row.cadence,
        classes=row.classes,
        feed=row.feed,
        sector=row.sector,
        organization_id=row.organization_id,
        threshold=row.threshold,
        resend_days=row.resend_days,
        attach_xarf=row.attach_xarf,
        tlp=row.tlp,
        valid_from=row.valid_from,
    )


def current_policies() -> list[Policy]:
    """The policies in force."""
    return [policy_value(row) for row in DigestPolicy.objects.filter(valid_to=None)]


def newest_version() -> int:
    """A number that grows with every change that could find a policy for unmatched events."""
    newest: int | None = DigestPolicy.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def taken_from(pool: Pool) -> frozenset[int]:
    """The organizations whose rows were taken ahead from a pool."""
    return frozenset(taken.organization_id for taken in pool.taken.all())


def rows_of_pool(pool: Pool) -> pa.Table:
    """A pool's rows, but for those taken ahead."""
    rows = pq.read_table(located(pool.path)).cast(ROWS)
    taken = pa.array(sorted(taken_from(pool)), pa.int64())
    return rows.filter(pc.invert(pc.is_in(rows["organization_id"], taken)))


def sources_of(run: DigestRun) -> list[Source]:
    """The pools that a run decides about.

    A run for one organization reads the pools it has taken ahead from; any other reads the pools
    bound to it, without what was taken ahead.
    """
    if run.organization_id is not None:
        taken = TakenAhead.objects.filter(run=run).select_related("pool").order_by("pool_id")
        return [Source(located(entry.pool.path)) for entry in taken]
    pools = run.pools.order_by("pk").prefetch_related("taken")
    return [Source(located(pool.path), taken_from(pool)) for pool in pools]


def notice_table(path: str, organization_id: int, decision: str | None = None) -> pa.Table:
    """One organization's rows of a pool or plan, those of one decision when it is given."""
    filters: list[tuple[str, str, object]] = [("organization_id", "=", organization_id)]
    if decision is not None:
        filters.append(("decision", "=", decision))
    return pq.read_table(located(path), filters=filters)
