"""The national time zone as the zone of a request, asked for only by answers that show a time."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from muhafiz.web.place import national_zone


class NationalZone(tzinfo):
    """`national_zone` of a moment, looked up in the rulebook when somebody first needs it.

    Most answers show no time: parts that have not changed, files, redirects, refusals.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now

    @cached_property
    def _zone(self) -> ZoneInfo:
        return national_zone(self._now)

    def __str__(self) -> str:
        return str(self._zone)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """As the national zone."""
        return self._zone.utcoffset(dt)

    def dst(self, dt: datetime | None) -> timedelta | None:
        """As the national zone."""
        return self._zone.dst(dt)

    def tzname(self, dt: datetime | None) -> str | None:
        """As the national zone."""
        return self._zone.tzname(dt)

    def fromutc(self, dt: datetime) -> datetime:
        """The moment in the national zone itself."""
        return self._zone.fromutc(dt.replace(tzinfo=self._zone))
