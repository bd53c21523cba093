"""What the queries of the queue tell: plain, frozen values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.triage import rules

#: A number as rooms give it, "F-48207"; a feed's name or a fault's code is none.
_SHORT = re.compile(r"[A-Z]{1,3}-\d{1,9}")


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item as it stands."""

    id: int
    kind: str
    key: str
    title: str
    params: Mapping[str, Any]
    severity: str
    tlp: str
    organization: OrganizationFacts | None
    sector: str
    reference: str
    route: str
    route_args: Mapping[str, Any]
    route_query: Mapping[str, Any]
    likeness: str
    seen_count: int
    more: tuple[tuple[str, str], ...]
    since: datetime
    arrived_at: datetime
    due_at: datetime | None
    owner: int | None
    owner_name: str
    state: str
    wait_until: datetime | None
    waits_for: str
    closed_reason: str
    closed_at: datetime | None
    version: int
    changed_by: str
    changed_at: datetime

    @property
    def number(self) -> str:
        """The number that people say."""
        return rules.number_of(self.id)

    @property
    def shown_number(self) -> str:
        """The number of the thing itself where it is a short one, else the item's."""
        return self.reference if _SHORT.fullmatch(self.reference) else self.number

    def age(self, now: datetime) -> timedelta:
        """For how long it lasts; never less than nothing, wherever the clock stands."""
        return max(now - self.since, timedelta(0))

    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.state != rules.CLOSED


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """One line of an item's history."""

    id: int
    act: str
    at: datetime
    by: str
    by_name: str
    reason: str
    text: str
    whom: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue. `before` and `after`: the items to page from; None: nothing there."""

    rows: tuple[ItemFacts, ...]
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class KindFacts:
    """The items of one kind: how many, and how many different problems they are."""

    kind: str
    items: int
    groups: int


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Items alike: how many, of how many organizations, the worst and the earliest due.

    `free`: how many of them nobody has.
    """

    likeness: str
    example: ItemFacts
    items: int
    free: int
    organizations: int
    severity: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A bulk run and how far it has come."""

    id: int
    act: str
    params: Mapping[str, Any]
    query: str
    total: int
    position: int
    done: int
    failed: int
    state: str
    stop_asked: bool
    started_by: int | None
    started_name: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """An item that a bulk run could not move; `text` is the refusal's English pattern."""

    item_id: int
    text: str
    params: Mapping[str, Any]

    @property
    def number(self) -> str:
        """The item's number."""
        return rules.number_of(self.item_id)


@dataclass(frozen=True, slots=True)
class HandoverFacts:
    """A handover. `body` are the signed bytes."""

    id: int
    from_person: int | None
    from_name: str
    to_person: int
    to_name: str
    note: str
    seized: bool
    at: datetime
    items: int
    accepted_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the incoming officer has yet to accept it."""
        return self.accepted_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of checking a handover's signature."""

    holds: bool  # the signature fits the bytes and the key
    ours: bool  # the key is the one the platform signs with today
    agrees: bool  # the row says what the signed bytes say
    digest: str
    public_key: str
