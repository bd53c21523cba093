"""Rows of findings, many at once: finding or making them, and summing their days up."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Max, Min, Q, Sum

from muhafiz.common.rows import insert_rows
from muhafiz.constituency.queries import portions
from muhafiz.detection.finding_rules import Standing, State
from muhafiz.detection.models import Finding, FindingDay, NumberRange
from muhafiz.formats import tlp
from muhafiz.lake.exposures import SEVERITIES

Key = tuple[int, str, str]  # organization, type, identifier
_SPAN = 10**7  # numbers of seven digits are permuted among themselves, then those of ten
_WIDE_SPAN = 10**10
_LINES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting some days did to findings."""

    findings: int
    new: int
    reopened: int


@dataclass(frozen=True, slots=True)
class Summed:
    """A finding after its days were summed up."""

    id: int
    organization_id: int
    standing: Standing
    by_assets: bool
    seen_further: bool  # its last sighting has moved


def known_findings(
    keys: Mapping[Key, tuple[str, datetime]], owners: Iterable[int], now: datetime
) -> tuple[dict[Key, int], int]:
    """The id of each problem's finding, made where there is none yet; and how many were made.

    `keys` gives taxonomy and first sighting for those to be made.
    """
    known = _ids(owners)
    missing = [key for key in keys if key not in known]
    if missing:
        insert_rows(
            [
                _new_finding(key, number, *keys[key], now)
                for key, number in zip(missing, take_finding_numbers(len(missing)), strict=True)
            ]
        )
        known = _ids(owners)
    return known, len(missing)


def _ids(owners: Iterable[int]) -> dict[Key, int]:
    return {
        (owner, kind, identifier): pk
        for portion in portions(owners)
        for owner, kind, identifier, pk in Finding.objects.filter(
            organization_id__in=portion
        ).values_list("organization_id", "classification_type", "classification_identifier", "pk")
    }


def _new_finding(
    key: Key, number: str, taxonomy: str, first_seen: datetime, now: datetime
) -> Finding:
    owner, kind, identifier = key
    return Finding(
        number=number,
        organization_id=owner,
        classification_taxonomy=taxonomy[:60],
        classification_type=kind,
        classification_identifier=identifier,
        tlp=tlp.AMBER_STRICT,  # until its days are summed up
        first_seen=first_seen,
        last_seen=first_seen,
        events=0,
        assets=0,
        state_at=now,
        created_at=now,
    )


def take_finding_numbers(count: int) -> list[str]:
    """The next numbers, within the caller's transaction; see `NumberRange`."""
    while True:
        factor = secrets.randbelow(_SPAN)
        if math.gcd(factor, 10) == 1:
            break
    NumberRange.objects.bulk_create(
        [NumberRange(pk=1, factor=factor, offset=secrets.randbelow(_SPAN))], ignore_conflicts=True
    )
    row = NumberRange.objects.select_for_update().get(pk=1)
    first, row.taken = row.taken, row.taken + count
    row.save(update_fields=["taken"])
    return [written_number(place, row.factor, row.offset) for place in range(first, row.taken)]


def written_number(place: int, factor: int, offset: int) -> str:
    """The number at a place of the permutation: seven digits, and ten once those are used up."""
    if place < _SPAN:
        return f"F-{(place * factor + offset) % _SPAN:07d}"
    return f"F-{((place - _SPAN) * factor + offset) % _WIDE_SPAN:010d}"


def sum_up(owners: Iterable[int], assets: Mapping[Key, int] | None, window: date) -> list[Summed]:
    """Sum the days of these owners' findings up; the findings as they then stand.

    `assets`: distinct ones of the days from `window` on; None leaves those as they are. The
    severity is the worst of those days, or of all when there are none. A label only tightens.
    """
    summed: list[Summed] = []
    changes: list[tuple[Any, ...]] = []
    for portion in portions(owners):
        sums = _sums(portion, window)
        for row in Finding.objects.filter(organization_id__in=portion):
            before = _values(row)
            last_seen = row.last_seen
            _take(row, sums.get(row.pk), assets)
            if _values(row) != before:
                changes.append((*_values(row), row.pk))
            standing = Standing(_state(row.state), row.state_at, row.last_seen, row.until)
            further = row.last_seen > last_seen
            summed.append(Summed(row.pk, row.organization_id, standing, row.by_assets, further))
    _write(changes)
    return summed


def _state(text: str) -> State:
    return text  # type: ignore[return-value]  # only rules write the column


def _sums(owners: list[int], window: date) -> dict[int, tuple[Any, ...]]:
    rows = (
        FindingDay.objects.filter(organization_id__in=owners)
        .order_by()
        .values_list("finding_id")
        .annotate(
            n=Sum("events"),
            first=Min("first_seen"),
            last=Max("last_seen"),
            ever=Max("rank"),
            lately=Max("rank", filter=Q(day__gte=window)),
            strictest=Max("strictness"),
        )
    )
    return {pk: tuple(sums) for pk, *sums in rows}


def _take(row: Finding, sums: tuple[Any, ...] | None, assets: Mapping[Key, int] | None) -> None:
    if sums is None:  # its events have left the lake
        row.events = row.assets = 0
        return
    row.events, row.first_seen, row.last_seen, ever, lately, strictness = sums
    row.rank = ever if lately is None else lately
    row.severity = SEVERITIES[row.rank] if row.rank >= 0 else ""
    fresh = row.assets == 0
    row.tlp = tlp.LABELS[strictness]
    if assets is not None or fresh:
        key = (row.organization_id, row.classification_type, row.classification_identifier)
        row.assets = (assets or {}).get(key, 0)


_COLUMNS = ("severity", "rank", "tlp", "first_seen", "last_seen", "events", "assets")


def _values(row: Finding) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _COLUMNS)


def _write(changes: list[tuple[Any, ...]]) -> None:
    """One prepared statement for all: a row takes about 15 µs."""
    adapt = connection.ops.adapt_datetimefield_value
    times = {_COLUMNS.index("first_seen"), _COLUMNS.index("last_seen")}
    assigned = ", ".join(f'"{name}" = %s' for name in _COLUMNS)
    statement = f'UPDATE detection_finding SET {assigned} WHERE "id" = %s'  # noqa: S608 - constants
    with connection.cursor() as cursor:
        for start in range(0, len(changes), _LINES_AT_ONCE):
            lines = changes[start : start + _LINES_AT_ONCE]
            cursor.executemany(
                statement,
                [[adapt(v) if at in times else v for at, v in enumerate(line)] for line in lines],
            )
