"""Finding things. A viewer finds only what they may open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.search.models import Entry, Term
from muhafiz.search.rules import needles
from muhafiz.search.sources import sources

PAGE = 30
_LAST = "\U0010ffff"
#: Whoever is called so stands before all that was written to them or found at their networks.
_NAMED_FIRST = "organization"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found."""

    kind: str
    key: str
    title: str
    title_ur: str
    told: str
    args: dict[str, Any]
    organization_id: int | None
    moment: datetime | None
    exact: bool  # the whole question is one of its names

    def named(self, language: str) -> str:
        """Its title in the reader's language where it has one."""
        return self.title_ur if language == "ur" and self.title_ur else self.title


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found: how many of each kind, and one page of them."""

    needles: tuple[str, ...]
    counts: dict[str, int]
    hits: tuple[Hit, ...]
    page: int
    more: bool


def search(
    text: str,
    *,
    viewer: Actor,
    kind: str | None = None,
    organization_ids: Collection[int] | None = None,
    page: int = 1,
    limit: int = PAGE,
) -> Answer:
    """What has every term of the text, each whole or as its beginning; exact names first.

    Staff find the kinds they may open; a constituent's people find their own organizations' things
    (`organization_ids`: theirs and those below), of the kinds that are for tenants. Four queries.
    """
    asked = needles(text)
    found = _visible(viewer, organization_ids) if asked else Entry.objects.none()
    for needle in asked:
        found = found.filter(Exists(_terms(needle)))
    counts = dict(found.values_list("kind").annotate(Count("pk")).order_by("kind"))
    chosen = found.filter(kind=kind) if kind else found
    start = (max(page, 1) - 1) * limit
    rows = list(_ranked(chosen, asked)[start : start + limit + 1]) if asked else []
    hits = tuple(_hit(row) for row in rows[:limit])
    return Answer(tuple(asked), counts, hits, max(page, 1), len(rows) > limit)


def _visible(viewer: Actor, organization_ids: Collection[int] | None) -> QuerySet[Entry]:
    if viewer.organization_id is not None:
        own = set(organization_ids or {viewer.organization_id})
        return Entry.objects.filter(owner_finds=True, organization_id__in=own)
    kinds = [kind for kind, source in sources().items() if may(viewer, source.PERMISSION)]
    return Entry.objects.filter(kind__in=kinds)


def _terms(needle: str) -> QuerySet[Term]:
    return Term.objects.filter(_beginning(needle), entry=OuterRef("pk"))


def _beginning(needle: str) -> Q:
    """Terms that begin so, by the index: PostgreSQL's LIKE has its own, SQLite's has none."""
    if connections[Entry.objects.db].vendor == "postgresql":
        return Q(term__startswith=needle)
    return Q(term__gte=needle, term__lt=needle + _LAST)


def _ranked(found: QuerySet[Entry], asked: Sequence[str]) -> QuerySet[Entry]:
    """The better the terms, the higher; of equals who is called so, then the latest."""
    score: Any = Value(0)
    for needle in asked:
        whole = Term.objects.filter(entry=OuterRef("pk"), term=needle)
        for weight in (9, 5):
            heavy = Exists(whole.filter(weight__gte=weight))
            score = score + Case(
                When(heavy, then=Value(weight)), default=Value(0), output_field=IntegerField()
            )
    named = Case(When(kind=_NAMED_FIRST, then=Value(0)), default=Value(1))
    latest = F("moment").desc(nulls_last=True)
    return found.annotate(score=score, named=named).order_by("-score", "named", latest, "-pk")


def _hit(row: Any) -> Hit:
    return Hit(
        kind=row.kind,
        key=row.key,
        title=row.title,
        title_ur=row.title_ur,
        told=row.told,
        args=row.args,
        organization_id=row.organization_id,
        moment=row.moment,
        exact=row.score >= 14,  # noqa: PLR2004 - a whole name: 9 and 5
    )
