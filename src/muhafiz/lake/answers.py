"""What the lake answers: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of one batch: `rows` = `new_events` + `sightings`."""

    rows: int  # rows of the batch, each counted in exactly one sightings sum
    new_events: int  # events that the lake did not have
    sightings: int  # rows that were a further sighting of an event (in the batch or stored)
    segment: int | None  # the first segment written; None for an empty batch


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of a ranking: `value` is an organization's id, a type, a network, a feed, an ASN.

    None: the events without one (owned by nobody, matched by no network).
    """

    value: int | str | None
    events: int


@dataclass(frozen=True, slots=True)
class Tallied:
    """Events that share `values`, in the order asked for, and how many organizations own them."""

    values: tuple[int | str | None, ...]
    events: int
    organizations: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """Events of one UTC day and one classification type."""

    day: date
    classification_type: str | None
    events: int


@dataclass(frozen=True, slots=True)
class Point:
    """Events of one hour or day (its beginning, UTC) that have one value; None: that have none."""

    start: datetime
    value: int | str | None
    events: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one report told of an event again, after it was stored."""

    report_id: int
    first_seen: datetime
    last_seen: datetime
    sightings: int


@dataclass(frozen=True, slots=True)
class Event:
    """One event with all its sightings merged; `columns` has every column of `events.STORED`."""

    key: int
    day: date
    first_seen: datetime
    last_seen: datetime
    sightings: int
    columns: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DayVolume:
    """What one UTC day takes: live segments only."""

    day: date
    segments: int
    events: int
    resightings: int  # rows in re-sighting segments that are not folded yet
    size_bytes: int
