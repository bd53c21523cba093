"""From the lake's days to findings: counted by columns, each day anew whenever it has changed.

1. Ask which UTC days have grown, or lost events, since they were last counted.
2. Let the engine group those days by owner, type and identifier (`lake.exposures`): late batches,
   replayed rows and erasures need no rule of their own, because a day is set, never added to.
3. In one transaction per lot of days: move their marks on if they still stand where step 1 saw
   them, replace the days' counts, sum each touched finding up, reopen what was seen again.
4. End exceptions whose day has come, and close what has not been seen for days.

A crash before the end of 3 leaves the marks: the next run counts the lot again, with one outcome.
Rows whose TLP label lets them leave by no door are no part of a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import pyarrow as pa
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.rows import insert_rows
from muhafiz.detection.actions.finding_rows import Counted, known_findings, sum_up
from muhafiz.detection.actions.finding_states import move_findings, settle_findings
from muhafiz.detection.finding_rules import USUAL_SEVERITY
from muhafiz.detection.models import FindingDay, GatheredDay
from muhafiz.detection.recipients import quiet_after
from muhafiz.formats import tlp
from muhafiz.lake.exposures import (
    SEVERITIES,
    DayMark,
    day_marks,
    labels,
    owners_in_portions,
    problems,
)
from muhafiz.lake.exposures import whole_day as day_query
from muhafiz.lake.queries import top
from muhafiz.lake.query import EventQuery
from muhafiz.release.rules import may_be_given

_DAYS_AT_ONCE = 8  # in one transaction
_ROWS_AT_ONCE = 3_000_000  # events whose assets are told apart in one question


@dataclass(frozen=True, slots=True)
class GatheredFindings:
    """What one gathering did."""

    days: int
    findings: int  # touched
    new: int
    reopened: int
    closed: int  # gone quiet, or their exception was over


class _Overtaken(Exception):  # noqa: N818 - named for what happened
    """Another run has counted one of the days meanwhile."""


def gather_findings(*, actor: Actor, now: datetime) -> GatheredFindings:
    """Count what has changed in the lake, and let time do its part. Run as often as wanted."""
    touched = new = reopened = days = 0
    changed = _changed()
    for start in range(0, len(changed), _DAYS_AT_ONCE):
        lot = changed[start : start + _DAYS_AT_ONCE]
        try:
            counted = _gather_lot(lot, actor, now)
        except _Overtaken:
            continue  # what is left of the lot shows as changed to the next run
        days += len(lot)
        touched += counted.findings
        new += counted.new
        reopened += counted.reopened
    closed = settle_findings(actor=actor, now=now)
    return GatheredFindings(days, touched, new, reopened, closed)


@dataclass(frozen=True, slots=True)
class _Changed:
    """A day that has moved on, and where its mark stands."""

    day: date
    seen: DayMark
    counted: DayMark | None


def _changed() -> list[_Changed]:
    """Step 1, the oldest first."""
    rows = GatheredDay.objects.values_list("day", "version", "epoch")
    counted = {day: DayMark(version, epoch) for day, version, epoch in rows}
    return [
        _Changed(day, mark, counted.get(day))
        for day, mark in day_marks().items()
        if counted.get(day) != mark
    ]


def _gather_lot(lot: Sequence[_Changed], actor: Actor, now: datetime) -> Counted:
    tables = [(each.day, _problems(day_query(each.day))) for each in lot]  # step 2
    window = datetime.combine((now - quiet_after(now)).astimezone(UTC).date(), time(), UTC)
    recent = any(each.day >= window.date() for each in lot)
    assets = _assets_now(tables, window) if recent else None
    with transaction.atomic():  # step 3
        _move_marks(lot)
        counted = _count_days(tables, assets, window.date(), actor, now)
        record_entry(
            actor=actor,
            now=now,
            action="detection.gather_findings",
            subject="findings",
            details={
                "days": [each.day.isoformat() for each in lot],
                "findings": counted.findings,
                "new": counted.new,
                "reopened": counted.reopened,
            },
        )
    return counted


def _problems(query: EventQuery) -> pa.Table:
    return problems(query, allowed_labels(query))


def allowed_labels(query: EventQuery) -> frozenset[str]:
    """The labels among a question's events under which their owner may be told."""
    return frozenset(label for label in labels(query) if may_be_given(label, "organization"))


_Key = tuple[int, str, str]  # organization, type, identifier


def _assets_now(tables: Sequence[tuple[date, pa.Table]], since: datetime) -> dict[_Key, int]:
    """Distinct assets of each touched owner's problems over the days that count as now."""
    touched: set[int] = set()
    for _, table in tables:
        touched.update(table["organization_id"].unique().to_pylist())
    ranking = top(EventQuery(since=since, limit=None), "organization", limit=10**9)
    sizes = sorted((int(each.value), each.events) for each in ranking if each.value is not None)
    found: dict[_Key, int] = {}
    for owners in owners_in_portions([s for s in sizes if s[0] in touched], _ROWS_AT_ONCE):
        table = _problems(EventQuery(organization_ids=owners, since=since, limit=None))
        found.update(zip(keys_of(table), table["assets"].to_pylist(), strict=True))
    return found


def keys_of(table: pa.Table) -> Iterator[_Key]:
    """What tells problems apart, row by row."""
    names = ("organization_id", "type", "identifier")
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _move_marks(lot: Sequence[_Changed]) -> None:
    """Move each day's mark from where it was seen.

    Raises:
        _Overtaken: one of them stands elsewhere now.
    """
    fresh = [
        GatheredDay(day=each.day, version=-1, epoch=-1) for each in lot if each.counted is None
    ]
    GatheredDay.objects.bulk_create(fresh, ignore_conflicts=True)
    for each in lot:
        was = each.counted or DayMark(-1, -1)
        standing = GatheredDay.objects.filter(day=each.day, version=was.version, epoch=was.epoch)
        if not standing.update(version=each.seen.version, epoch=each.seen.epoch):
            raise _Overtaken


def _count_days(
    tables: Sequence[tuple[date, pa.Table]],
    assets: dict[_Key, int] | None,
    window: date,
    actor: Actor,
    now: datetime,
) -> Counted:
    """Replace the counts of some days and sum up what they touch."""
    old = FindingDay.objects.filter(day__in=[day for day, _ in tables])
    owners = set(old.values_list("organization_id", flat=True).distinct())
    old.delete()
    keys: dict[_Key, tuple[str, datetime]] = {}
    for _, table in tables:
        taxonomies, firsts = table["taxonomy"].to_pylist(), table["first_seen"].to_pylist()
        for key, taxonomy, first in zip(keys_of(table), taxonomies, firsts, strict=True):
            keys.setdefault(key, (taxonomy or "", first))
    owners |= {owner for owner, _, _ in keys}
    known, new = known_findings(keys, owners, now)
    for day, table in tables:
        insert_rows(list(_day_rows(day, table, known)))
    summed = sum_up(owners, assets, window)
    reopened = move_findings(summed, actor=actor, now=now)
    return Counted(len(keys), new, reopened)


def _day_rows(day: date, table: pa.Table, known: dict[_Key, int]) -> Iterator[FindingDay]:
    names = ("events", "assets", "rank", "tlp", "first_seen", "last_seen")
    columns = (table[name].to_pylist() for name in names)
    for key, events, assets, rank, labelled, first, last in zip(
        keys_of(table), *columns, strict=True
    ):
        yield FindingDay(
            finding_id=known[key],
            organization_id=key[0],
            day=day,
            events=events,
            assets=assets,
            rank=rank if rank >= 0 else _usual_rank(key[1]),
            strictness=_strictness(labelled),
            first_seen=first,
            last_seen=last,
        )


def _usual_rank(kind: str) -> int:
    usual = USUAL_SEVERITY.get(kind)
    return SEVERITIES.index(usual) if usual else -1


def _strictness(labelled: Collection[str]) -> int:
    return tlp.rank(tlp.strictest(labelled))
