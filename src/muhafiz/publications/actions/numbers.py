"""Numbers without gaps, per series and year."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.number_format import is_number_format, written_number
from muhafiz.publications.models import Series
from muhafiz.publications.rules import DEFAULT_FORMAT, check_series
from muhafiz.rulebook.queries import value_or


def take_number(series: str, *, at: datetime, actor: Actor, now: datetime) -> str:
    """The next number of `series` in the year of `at`; see `take_numbers`."""
    return take_numbers(series, 1, at=at, actor=actor, now=now)[0]


@transaction.atomic
def take_numbers(
    series: str, count: int, *, at: datetime, actor: Actor, now: datetime
) -> list[str]:
    """The next `count` numbers of `series` in the year of `at`, in the jurisdiction's time zone.

    Gapless: the counter's row stays locked until the caller's transaction ends, and goes back with
    it. So take numbers late in an action. They are written by the rulebook's
    `<series>.number_format`.

    Raises:
        CannotTakeNumber: no sensible series or count.
    """
    check_series(series, count)
    year = at.astimezone(_zone(at)).year
    Series.objects.bulk_create([Series(name=series, year=year)], ignore_conflicts=True)
    row = Series.objects.select_for_update().get(name=series, year=year)
    first = row.last + 1
    row.last += count
    row.save(update_fields=["last"])
    chosen = value_or(f"{series}.number_format", DEFAULT_FORMAT, at=at)
    pattern = str(chosen) if is_number_format(chosen) else DEFAULT_FORMAT
    record_entry(
        actor=actor,
        now=now,
        action="publications.take_numbers",
        subject=f"series:{series}/{year}",
        details={"first": first, "last": row.last},
    )
    return [written_number(pattern, series, year, number) for number in range(first, row.last + 1)]


def _zone(at: datetime) -> ZoneInfo:
    name = value_or("jurisdiction.timezone", "UTC", at=at)
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
