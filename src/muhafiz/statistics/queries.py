"""The published figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from muhafiz.statistics.models import WeeklyFigures


@dataclass(frozen=True, slots=True)
class PublishedWeek:
    """One week as published. `content` are the very bytes that were released."""

    week: str
    number: str
    verify_code: str
    content: bytes
    digest: str
    published_at: datetime

    @property
    def told(self) -> dict[str, Any]:
        """The figures: `columns`, `rows` (each `name`, `cells`, `total`), `totals`, `total`."""
        read: dict[str, Any] = orjson.loads(self.content)
        return read


def published_week(week: str) -> PublishedWeek | None:
    """The figures of one ISO week; None when they are not published."""
    row = WeeklyFigures.objects.filter(week=week).first()
    return _facts(row) if row is not None else None


def published_weeks(*, limit: int = 53) -> list[PublishedWeek]:
    """The published weeks, the latest first."""
    return [_facts(row) for row in WeeklyFigures.objects.order_by("-week")[:limit]]


def _facts(row: WeeklyFigures) -> PublishedWeek:
    return PublishedWeek(
        week=row.week,
        number=row.number,
        verify_code=row.verify_code,
        content=bytes(row.content),
        digest=row.digest,
        published_at=row.published_at,
    )
