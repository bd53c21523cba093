"""Reads of the queue. Every one asks a constant number of questions, however many rows it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Count, F, Max, Min, Q, QuerySet

from muhafiz.accounts.queries import people
from muhafiz.accounts.rules import check_may, may
from muhafiz.common.actor import Actor
from muhafiz.constituency.queries import organizations
from muhafiz.triage import rules
from muhafiz.triage.facts import (
    FailureFacts,
    GroupFacts,
    ItemFacts,
    KindFacts,
    NoteFacts,
    Page,
    RunFacts,
)
from muhafiz.triage.filters import AllMatching, Chosen, Filter, Order, Selection
from muhafiz.triage.models import BulkFailure, BulkRun, Item, ItemNote, SweepCounter
from muhafiz.triage.ordering import beyond, ordered
from muhafiz.triage.sources import sources

_NUMBER = re.compile(r"[qQ]-(\d{1,18})")


def items(
    wanted: Filter,
    *,
    viewer: Actor,
    now: datetime,
    order: Order = "target",
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """A page of what matches; `after` or `before` is the item that the other page ended with.

    Raises:
        NotAllowed: the viewer may not read the queue.
    """
    found = matching(wanted, viewer=viewer, now=now)
    mark = Item.objects.filter(pk=after or before or 0).first()
    back = mark is not None and after is None
    if mark is not None:
        found = found.filter(beyond(order, mark, back=back))
    rows = list(found.order_by(*ordered(order, back=back))[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    if back:
        rows.reverse()
    earlier = (more if back else mark is not None) and bool(rows)
    later = (mark is not None if back else more) and bool(rows)
    return Page(
        rows=tuple(item_facts(rows)),
        before=rows[0].pk if earlier else None,
        after=rows[-1].pk if later else None,
    )


def matching(wanted: Filter, *, viewer: Actor, now: datetime) -> QuerySet[Item]:
    """The rows that match and that the viewer may see, for this package.

    Raises:
        NotAllowed: the viewer may not read the queue.
    """
    return visible(viewer).filter(condition(wanted, viewer=viewer, now=now))


def visible(viewer: Actor) -> QuerySet[Item]:
    """The rows that the viewer may see: of the kinds whose rooms are open to them."""
    check_may(viewer, "queue.read")
    kinds = [kind for kind, source in sources().items() if may(viewer, source.PERMISSION)]
    return Item.objects.filter(kind__in=kinds)


def selected(chosen: Selection, *, viewer: Actor, now: datetime) -> list[int]:
    """The ids that a selection stands for, in the order of their clocks."""
    if isinstance(chosen, Chosen):
        return list(dict.fromkeys(identifier for identifier, _seen in chosen.items))
    found = matching(chosen.filter, viewer=viewer, now=now).filter(arrival__lte=chosen.arrival)
    return list(found.order_by(*ordered("target")).values_list("pk", flat=True))


def selected_count(chosen: Selection, *, viewer: Actor, now: datetime) -> int:
    """How many items a selection stands for."""
    if isinstance(chosen, AllMatching):
        found = matching(chosen.filter, viewer=viewer, now=now)
        return found.filter(arrival__lte=chosen.arrival).count()
    return len({identifier for identifier, _seen in chosen.items})


def condition(wanted: Filter, *, viewer: Actor, now: datetime) -> Q:
    """A filter as a condition on rows."""
    found = _states(wanted) & _owners(wanted.owner, viewer)
    plain = {
        "kind": wanted.kind,
        "sector": wanted.sector,
        "organization_id": wanted.organization,
        "tlp": wanted.tlp,
        "likeness": wanted.like,
    }
    found &= Q(**{name: value for name, value in plain.items() if value not in {"", None}})
    if wanted.severity:
        found &= Q(rank__gte=rules.rank_of(wanted.severity))
    if wanted.overdue:
        found &= Q(due_at__lt=now)
    for word in wanted.text.lower().split():
        number = _NUMBER.fullmatch(word)
        found &= Q(pk=int(number[1])) if number else Q(text__contains=word)
    return found


def _states(wanted: Filter) -> Q:
    return ~Q(state=rules.CLOSED) if wanted.state == "open" else Q(state=wanted.state)


def _owners(owner: str, viewer: Actor) -> Q:
    me = Q(owner=_person(viewer))
    nobody = Q(owner__isnull=True)
    asked = {"": Q(), "me": me, "nobody": nobody, "me-or-nobody": me | nobody}
    return asked[owner] if owner in asked else Q(owner=int(owner))


def _person(viewer: Actor) -> int:
    return int(viewer.identifier) if viewer.kind == "person" else -1


def counts(
    filters: Mapping[str, Filter], *, viewer: Actor, now: datetime, open_only: bool = True
) -> dict[str, int]:
    """How many items match each filter, in one question. `open_only`: none asks for closed ones."""
    found = visible(viewer)
    if open_only:
        found = found.exclude(state=rules.CLOSED)
    asked = {
        f"n{at}": Count("pk", filter=condition(wanted, viewer=viewer, now=now))
        for at, wanted in enumerate(filters.values())
    }
    told = found.aggregate(**asked)
    return {name: told[f"n{at}"] for at, name in enumerate(filters)}


def item(item_id: int, *, viewer: Actor) -> ItemFacts | None:
    """One item; None when there is none, or the viewer may not see it."""
    return next(iter(item_facts(visible(viewer).filter(pk=item_id))), None)


def items_numbered(number: str, *, viewer: Actor, limit: int = 3) -> list[ItemFacts]:
    """The items of this number, their own or that of the thing itself; open ones first."""
    if not may(viewer, "queue.read"):
        return []
    told = number.strip()
    named = _NUMBER.fullmatch(told)
    wanted = Q(pk=int(named[1])) if named else Q(reference__in={told, told.upper()} - {""})
    open_first = F("closed_at").asc(nulls_first=True)
    found = visible(viewer).filter(wanted).order_by(open_first, *ordered("target"))
    return item_facts(found[:limit])


def items_by_id(item_ids: Iterable[int], *, viewer: Actor) -> list[ItemFacts]:
    """The items of these ids that the viewer may see, by their clocks."""
    found = visible(viewer).filter(pk__in=list(item_ids)[:500])
    return item_facts(found.order_by(*ordered("target")))


def items_of(kind: str, keys: Iterable[str], *, viewer: Actor) -> dict[str, int]:
    """The numbers of the items that stand for these things, by their keys.

    What never came to the queue has none; a viewer who may not read the queue sees none.
    """
    if not may(viewer, "queue.read"):
        return {}
    found = visible(viewer).filter(kind=kind, key__in=list(keys)[:500])
    return dict(found.values_list("key", "pk"))


def row_near(
    item_id: int, wanted: Filter, *, viewer: Actor, now: datetime, order: Order
) -> int | None:
    """The row to go on from: the item itself while it matches, else the one that followed it."""
    found = matching(wanted, viewer=viewer, now=now)
    if found.filter(pk=item_id).exists():
        return item_id
    mark = Item.objects.filter(pk=item_id).first()
    if mark is None:
        return None
    following = found.filter(beyond(order, mark)).order_by(*ordered(order))
    return following.values_list("pk", flat=True).first()


def history(item_id: int, *, viewer: Actor) -> list[NoteFacts]:
    """What was done to an item and written about it, the latest first."""
    found = ItemNote.objects.filter(item__in=visible(viewer).filter(pk=item_id))
    return [note_facts(row) for row in found.order_by("-id")[:500]]


def notes_after(note_id: int, *, limit: int) -> list[tuple[int, int, str, str, datetime]]:
    """The next written notes by id: (id, its item's id, text, who wrote it, when)."""
    found = ItemNote.objects.filter(pk__gt=note_id).exclude(text="").order_by("pk")
    return list(found.values_list("pk", "item_id", "text", "by_name", "at")[:limit])


def note_facts(row: ItemNote) -> NoteFacts:
    """A row as other rooms see it."""
    names = NoteFacts.__slots__
    return NoteFacts(**{name: getattr(row, name) for name in names})


def alike(subject: ItemFacts, *, viewer: Actor, limit: int = 5) -> tuple[list[ItemFacts], int]:
    """The latest items like this one, closed ones included, and how many there are."""
    found = visible(viewer).filter(likeness=subject.likeness).exclude(pk=subject.id)
    return item_facts(found.order_by("-id")[:limit]), found.count()


def of_organization(subject: ItemFacts, *, viewer: Actor, limit: int = 5) -> list[ItemFacts]:
    """Other open items of the same organization."""
    if subject.organization is None:
        return []
    found = visible(viewer).filter(organization_id=subject.organization.id)
    found = found.exclude(state=rules.CLOSED).exclude(pk=subject.id)
    return item_facts(found.exclude(likeness=subject.likeness).order_by(*ordered("target"))[:limit])


def groups(
    wanted: Filter, *, viewer: Actor, now: datetime, limit: int = 200
) -> tuple[GroupFacts, ...]:
    """What matches, alike with alike: the worst first, then the most."""
    found = matching(wanted, viewer=viewer, now=now).order_by().values("likeness")
    rows = list(
        found.annotate(
            n=Count("pk"),
            free=Count("pk", filter=Q(owner__isnull=True)),
            owners=Count("organization_id", distinct=True),
            worst=Max("rank"),
            first_due=Min("due_at"),
            example=Min("pk"),
        ).order_by("-worst", "-n", "likeness")[:limit]
    )
    examples = {
        facts.id: facts
        for facts in item_facts(Item.objects.filter(pk__in=[row["example"] for row in rows]))
    }
    return tuple(
        GroupFacts(
            likeness=row["likeness"],
            example=examples[row["example"]],
            items=row["n"],
            free=row["free"],
            organizations=row["owners"],
            severity=rules.severity_of(row["worst"]),
            due_at=row["first_due"],
        )
        for row in rows
    )


def makeup(wanted: Filter, *, viewer: Actor, now: datetime) -> tuple[KindFacts, ...]:
    """What the items that match are made of, kind by kind; whatever kind the filter asks for."""
    found = matching(wanted.without("kind"), viewer=viewer, now=now).order_by().values("kind")
    rows = found.annotate(n=Count("pk"), groups=Count("likeness", distinct=True)).order_by("kind")
    return tuple(KindFacts(row["kind"], row["n"], row["groups"]) for row in rows)


def choices(*, viewer: Actor) -> dict[str, list[str]]:
    """The kinds, sectors and labels that open items have, for the filters."""
    found = visible(viewer).exclude(state=rules.CLOSED).order_by()
    rows = list(found.values_list("kind", "sector", "tlp").distinct())
    return {
        "kinds": sorted({kind for kind, _sector, _tlp in rows}),
        "sectors": sorted({sector for _kind, sector, _tlp in rows if sector}),
        "tlps": sorted({tlp for _kind, _sector, tlp in rows}),
    }


def latest_arrival() -> int:
    """The number of the last sweep: what comes later has a higher one, wherever the clock is."""
    return SweepCounter.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def officers() -> list[tuple[int, str]]:
    """The people who work on the queue, by name."""
    return [(one.id, one.name) for one in people() if may(one.actor(), "queue.work")]


def item_facts(rows: Iterable[Item]) -> list[ItemFacts]:
    """Rows as other rooms see them, with the names of owners and organizations."""
    listed = list(rows)
    owners = {row.organization_id for row in listed if row.organization_id is not None}
    known = organizations(owners) if owners else {}
    held = any(row.owner is not None for row in listed)
    names = {one.id: one.name for one in people(active=None)} if held else {}
    return [
        ItemFacts(
            severity=rules.severity_of(row.rank),
            organization=known.get(row.organization_id or -1),
            owner_name=names.get(row.owner or -1, ""),
            more=tuple((str(code), str(value)) for code, value in row.more),
            **{name: getattr(row, name) for name in _PLAIN},
        )
        for row in listed
    ]


_PLAIN = tuple(
    name
    for name in ItemFacts.__slots__
    if name not in {"severity", "organization", "owner_name", "more"}
)


def run(run_id: int, *, viewer: Actor) -> RunFacts | None:
    """One bulk run; None when there is none."""
    check_may(viewer, "queue.read")
    row = BulkRun.objects.filter(pk=run_id).defer("items").first()
    return None if row is None else run_facts(row)


def runs(*, viewer: Actor, limit: int = 20) -> list[RunFacts]:
    """Bulk runs, the latest first."""
    check_may(viewer, "queue.read")
    return [run_facts(row) for row in BulkRun.objects.defer("items").order_by("-id")[:limit]]


def run_facts(row: BulkRun) -> RunFacts:
    """A row as other rooms see it."""
    return RunFacts(**{name: getattr(row, name) for name in RunFacts.__slots__})


def failures(run_id: int, *, viewer: Actor, after: int = 0, limit: int = 100) -> list[FailureFacts]:
    """What a run could not move, in order."""
    check_may(viewer, "queue.read")
    found = BulkFailure.objects.filter(run_id=run_id, item_id__gt=after).order_by("item_id")
    return [FailureFacts(row.item_id, row.text, row.params) for row in found[:limit]]
