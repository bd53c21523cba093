"""What holds, when, and where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from muhafiz.rulebook.models import Proposal, Value
from muhafiz.rulebook.rules import UnknownValue, known_keys

_LOCAL = "local"

#: What the origin of a profile's value begins with; the profile's name follows.
PROFILE = "profile:"


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """A value with its dates (None: open), its source and its standing (S, I or U)."""

    id: int
    key: str
    value: Any
    unknown: bool
    valid_from: datetime | None
    valid_to: datetime | None
    source: str
    note: str
    standing: str
    origin: str
    proposed_by: str
    approved_by: str
    entered_at: datetime

    @property
    def meaning(self) -> str:
        """What the key stands for."""
        known = known_keys().get(self.key)
        return known.meaning if known is not None else ""


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """A proposed change and, once decided, by whom and why."""

    id: int
    key: str
    value: Any
    unknown: bool
    valid_from: datetime | None
    valid_to: datetime | None
    source: str
    note: str
    standing: str
    state: str
    proposed_by: str
    proposed_name: str
    proposed_at: datetime
    decided_name: str
    decided_at: datetime | None
    reason: str


def value(key: str, *, at: datetime) -> Any:
    """The value of `key` on the day `at`, as JSON gives it.

    Raises:
        UnknownValue: the rulebook marks it unknown, or does not speak of it at that time.
    """
    found = fact(key, at=at)
    if found is None or found.unknown:
        reason = found.note if found is not None else "no value is entered for that time."
        raise UnknownValue(key=key, day=f"{at:%Y-%m-%d}", reason=reason)
    return found.value


def value_or(key: str, default: Any, *, at: datetime) -> Any:
    """The value of `key` on the day `at`, or `default` when it is unknown."""
    try:
        return value(key, at=at)
    except UnknownValue:
        return default


def fact(key: str, *, at: datetime) -> ValueFacts | None:
    """The value that holds with all that is known of it; None when none is entered for that time.

    What was agreed here goes before what a profile says; within each, what was entered last.
    """
    return next(iter(_first_of_each(_holding(at).filter(key=key))), None)


def book(*, at: datetime) -> list[ValueFacts]:
    """Everything that holds at `at`, by key; one query."""
    return _first_of_each(_holding(at).order_by("key", "-id"))


def loaded_profiles() -> list[str]:
    """The jurisdiction profiles that this installation was made from."""
    origins = Value.objects.exclude(origin=_LOCAL).values_list("origin", flat=True).distinct()
    return sorted(origin.removeprefix(PROFILE) for origin in origins)


def history(key: str) -> list[ValueFacts]:
    """Every value ever entered for `key`, the latest first."""
    return [_facts(row) for row in Value.objects.filter(key=key).order_by("-id")]


def proposals(*, state: str | None = "proposed", limit: int = 200) -> list[ProposalFacts]:
    """Proposed changes, the latest first."""
    rows = Proposal.objects.order_by("-id")
    if state is not None:
        rows = rows.filter(state=state)
    return [_proposal(row) for row in rows[:limit]]


def proposal(proposal_id: int) -> ProposalFacts | None:
    """One proposal, None when there is none of this number."""
    row = Proposal.objects.filter(pk=proposal_id).first()
    return None if row is None else _proposal(row)


def _holding(at: datetime) -> QuerySet[Value]:
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=at)
    lasting = Q(valid_to__isnull=True) | Q(valid_to__gt=at)
    return Value.objects.filter(begun & lasting).order_by("-id")


def _first_of_each(rows: QuerySet[Value]) -> list[ValueFacts]:
    """Of each key the row that goes before the others; `rows` come with the latest first."""
    chosen: dict[str, Value] = {}
    for row in rows:
        held = chosen.get(row.key)
        if held is None or (row.origin == _LOCAL and held.origin != _LOCAL):
            chosen[row.key] = row
    return [_facts(row) for row in chosen.values()]


def _facts(row: Value) -> ValueFacts:
    names = [name for name in ValueFacts.__slots__ if name != "value"]
    return ValueFacts(value=json.loads(row.value), **{name: getattr(row, name) for name in names})


def _proposal(row: Proposal) -> ProposalFacts:
    names = [name for name in ProposalFacts.__slots__ if name != "value"]
    return ProposalFacts(
        value=json.loads(row.value), **{name: getattr(row, name) for name in names}
    )
