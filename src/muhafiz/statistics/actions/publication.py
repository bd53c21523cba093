"""A week's figures are counted, protected, released, kept."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import orjson
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.formats import tlp
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery, Trait, Without
from muhafiz.publications.actions.documents import keep_document
from muhafiz.publications.actions.numbers import take_number
from muhafiz.release.gate import Audience, Item, release
from muhafiz.rulebook.queries import value_or
from muhafiz.statistics.models import WeeklyFigures
from muhafiz.statistics.rules import (
    TOTAL,
    Cell,
    Figure,
    Table,
    Threshold,
    full_weeks,
    protected,
    week_bounds,
)

ROW: Trait = "classification_taxonomy"
COLUMN: Trait = "sector"
UNKNOWN = "unknown"  # events whose class, or whose owner's sector, is not known
_SETTLED = timedelta(hours=6)  # after a week's end: reports about its last day still come in
_QUIET = timedelta(minutes=3)  # without new rows about a week: a report is read by batches
_MOST_WEEKS = 53
_PUBLIC = Audience("public", "public", "The public")


class WeekNotOver(Refusal):
    """A week's figures are published once, so not before its reports are in."""

    text = "The week {week} is not over yet."


def publish_due_weeks(*, actor: Actor, now: datetime) -> list[str]:
    """Publish every week that is over and not published yet; their names, oldest first.

    A week about which rows come in at this moment waits: what is published never changes.
    """
    first = min((volume.day for volume in lake.volumes()), default=None)
    if first is None:
        return []
    weeks = full_weeks(first, now - _SETTLED)[-_MOST_WEEKS:]
    present = set(WeeklyFigures.objects.filter(week__in=weeks).values_list("week", flat=True))
    missing = [week for week in weeks if week not in present and _is_quiet(week, now)]
    return [week for week in missing if publish_week(week, actor=actor, now=now)]


def _is_quiet(week: str, now: datetime) -> bool:
    since, until = week_bounds(week)
    came = lake.last_append(since.date(), (until - timedelta(days=1)).date())
    # A clock that was set back does not hold weeks up until it has caught up.
    return came is None or not timedelta(0) <= now - came < _QUIET


@transaction.atomic
def publish_week(week: str, *, actor: Actor, now: datetime) -> bool:
    """Publish one ISO week; False when it is published already, which changes nothing.

    1. Events with an owner are counted by class and the owner's sector (`counted`).
    2. Small cells are hidden, and what would give them away (`rules.protected`).
    3. The gate lets the bytes out to the public; the press numbers and keeps them.

    Raises:
        WeekNotOver: it is not over yet.
    """
    since, until = week_bounds(week)
    if until + _SETTLED > now:
        raise WeekNotOver(week=week)
    if WeeklyFigures.objects.filter(week=week).exists():
        return False
    threshold = Threshold(
        smallest_cell=int(value_or("statistics.smallest_cell", 5, at=now)),
        least_organizations=int(value_or("statistics.least_organizations", 3, at=now)),
    )
    table = protected(counted(since, until), threshold)
    content = orjson.dumps(_told(week, table, threshold), option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(content).hexdigest()
    title = f"Weekly figures {week}"
    item = Item(kind="statistics", identifier=week, tlp=tlp.CLEAR, title=title, digest=digest)
    released = release(item, _PUBLIC, actor=actor, now=now)
    number = take_number("statistics", at=since, actor=actor, now=now)
    code = keep_document(
        number=number, digest=digest, title=title, released=released, actor=actor, now=now
    )
    WeeklyFigures.objects.create(
        week=week, number=number, verify_code=code, content=content, digest=digest,
        published_at=now,
    )  # fmt: skip
    record_entry(
        actor=actor,
        now=now,
        action="statistics.publish_week",
        subject=f"statistics:{week}",
        details={"number": number, "sha256": digest},
    )
    return True


def counted(since: datetime, until: datetime) -> dict[Cell, Figure]:
    """Events with an owner, by class and sector, with the totals of both (under `TOTAL`)."""
    owned = EventQuery(since=since, until=until, without=Without(nobody=True), limit=None)
    events: Counter[Cell] = Counter()
    owners: dict[Cell, set[int | str | None]] = defaultdict(set)
    for line in lake.tally(owned, (ROW, COLUMN, "organization_id")):
        row, column, owner = line.values
        for cell in product((str(row or UNKNOWN), TOTAL), (str(column or UNKNOWN), TOTAL)):
            events[cell] += line.events
            owners[cell].add(owner)
    return {cell: Figure(count, len(owners[cell])) for cell, count in events.items()}


def _told(week: str, table: Table, threshold: Threshold) -> dict[str, Any]:
    """The week as JSON; null stands for a hidden figure."""
    return {
        "week": week,
        "unit": "security events with a known owner, by class and sector",
        "columns": list(table.columns),
        "rows": [
            {"name": row, "cells": table.line(row)[:-1], "total": table.line(row)[-1]}
            for row in table.rows
        ],
        "totals": table.line(TOTAL)[:-1],
        "total": table.line(TOTAL)[-1],
        "hidden_below": {
            "events": threshold.smallest_cell,
            "organizations": threshold.least_organizations,
        },
    }
