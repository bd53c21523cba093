"""What a source tells becomes a row of the queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muhafiz.audit.canonical import storable
from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.triage import rules
from muhafiz.triage.models import Item
from muhafiz.triage.waiting import Waiting

_LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """One telling: of which kind, under which targets, in which sweep, at which moment."""

    kind: str
    targets: Sequence[Mapping[str, Any]]
    organizations: Mapping[int, OrganizationFacts]
    number: int
    now: datetime

    def due(self, row: Item) -> datetime | None:
        """When the item is due, counted from its arrival."""
        minutes = rules.target_minutes(self.targets, self.kind, rules.severity_of(row.rank))
        return rules.due_time(row.arrived_at, minutes)

    def tell(self, row: Item, one: Waiting) -> None:
        """Set what the source decides. A clock moves only when the severity does.

        Targets changed in the rulebook hold for what arrives from then on.
        """
        owner = self.organizations.get(one.organization_id or -1)
        rank = rules.rank_of(one.severity)
        row.title, row.params = one.title, _clean(one.params)
        row.tlp, row.organization_id = one.tlp, one.organization_id
        row.sector = owner.sector if owner is not None else ""
        row.reference = storable(one.reference)[:100]
        row.route, row.route_args = one.route, dict(one.route_args)
        row.route_query = _clean(one.route_query)
        row.likeness = storable(one.likeness or one.title)[:200]
        row.seen_count = one.count
        row.more = [[code, storable(value)] for code, value in one.more if value]
        row.text = _searched(self.kind, one, owner)
        if row.rank != rank:
            row.rank = rank
            row.due_at = self.due(row)


def told_rows(telling: Told, waiting: Iterable[Waiting]) -> list[Item]:
    """New rows for what the queue never held."""
    rows = []
    for one in waiting:
        row = Item(
            kind=telling.kind,
            key=one.key,
            state=rules.NEW,
            rank=-1,  # so that the telling sets the clock
            since=min(one.since or telling.now, telling.now),
            arrived_at=telling.now,
            arrival=telling.number,
            changed_at=telling.now,
        )
        telling.tell(row, one)
        rows.append(row)
    return rows


def _searched(kind: str, one: Waiting, owner: OrganizationFacts | None) -> str:
    """What the search box looks in: names, numbers and keys, in lower case."""
    names = (owner.name_en, owner.name_ur) if owner is not None else ()
    values = (str(value) for value in one.params.values())
    further = (value for _code, value in one.more)
    parts = (one.reference, *names, *values, kind, one.key, one.likeness, *further)
    text = " ".join(part for part in parts if part).lower()
    return storable(text)[:_LONGEST_TEXT]


def _clean(values: Mapping[str, str | int]) -> dict[str, str | int]:
    """The values as every database can keep them."""
    return {n: storable(v) if isinstance(v, str) else v for n, v in values.items()}
