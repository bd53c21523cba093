"""The only place where the time of day is read; everything else is told `now`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, UTC."""
        return datetime.now(UTC)


@dataclass
class HeldClock:
    """A clock that moves only when told to, for tests and rehearsals."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it is held at."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move the clock; a negative `by` sets it back."""
        self.moment += by
