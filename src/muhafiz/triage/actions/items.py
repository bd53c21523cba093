"""What officers do with items: take, give, put back, let wait, close, write about.

Every act takes many items as it takes one. Those that it does not fit are told with the reason,
and the others are done all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from muhafiz.accounts.queries import person
from muhafiz.accounts.rules import check_may, may
from muhafiz.audit.actions.entries import Draft, record_entries, record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.triage import rules
from muhafiz.triage.actions.lots import append_lines, change_items
from muhafiz.triage.models import Item, ItemNote
from muhafiz.triage.queries import item_facts, visible

#: An item's id with the version that the officer was shown; None: not told.
Seen = Mapping[int, int | None]

_FIELDS = (
    "state", "owner", "wait_until", "waits_for", "closed_reason", "closed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """An act with all that it needs. `whom`: the id of the new owner, of an assignment."""

    act: rules.Act
    reason: str = ""
    text: str = ""
    whom: int | None = None
    until: datetime | None = None


@dataclass
class Moved:
    """What became of an act: the items done, and those refused with the reason."""

    done: list[int] = field(default_factory=list)
    refused: list[tuple[int, Refusal]] = field(default_factory=list)


def take_items(items: Seen, *, actor: Actor, now: datetime) -> Moved:
    """Take items that nobody has. What another took before is refused, with the name.

    Raises:
        NotAllowed: the actor may not work on the queue.
    """
    return move_items(items, Order("take"), actor=actor, now=now)


def assign_items(items: Seen, *, whom: int, actor: Actor, now: datetime, text: str = "") -> Moved:
    """Give items to an officer, whoever has them.

    Raises:
        NotAllowed, CannotAssign: the actor may not, or that person does not work on the queue.
    """
    return move_items(items, Order("assign", whom=whom, text=text), actor=actor, now=now)


def release_items(items: Seen, *, actor: Actor, now: datetime, text: str = "") -> Moved:
    """Put items back for anybody.

    Raises:
        NotAllowed: the actor may not work on the queue.
    """
    return move_items(items, Order("release", text=text), actor=actor, now=now)


def set_waiting(
    items: Seen,
    *,
    waits_for: str,
    until: datetime | None,
    actor: Actor,
    now: datetime,
    text: str = "",
) -> Moved:
    """Let items wait for somebody, until a moment or until they are taken up. The clock goes on.

    Raises:
        NotAllowed, ReasonMissing, BadWait: as their names say.
    """
    order = Order("wait", reason=waits_for, text=text, until=until)
    return move_items(items, order, actor=actor, now=now)


def close_items(items: Seen, *, reason: str, text: str, actor: Actor, now: datetime) -> Moved:
    """Close items for a reason. They come back only after their cause was gone in between.

    Raises:
        NotAllowed, ReasonMissing: the actor may not, or does not say why.
    """
    return move_items(items, Order("close", reason=reason, text=text), actor=actor, now=now)


def reopen_items(items: Seen, *, actor: Actor, now: datetime, text: str = "") -> Moved:
    """Open closed items again, for their owner or for anybody.

    Raises:
        NotAllowed: the actor may not work on the queue.
    """
    return move_items(items, Order("reopen", text=text), actor=actor, now=now)


def check_order(order: Order, *, actor: Actor, now: datetime) -> str:
    """Refuse an order that could move no item; returns the name of the new owner, if any.

    Raises:
        NotAllowed, ReasonMissing, BadWait, BadNote, CannotAssign: as their names say.
    """
    check_may(actor, "queue.work")
    rules.check_reason(order.act, order.reason, order.text)
    rules.clean_note(order.text, needed=False)
    if order.act == "wait":
        rules.check_until(order.until, now)
    if order.act != "assign":
        return ""
    found = person(order.whom) if order.whom is not None else None
    if found is None or not found.active or not may(found.actor(), "queue.work"):
        raise rules.CannotAssign(name=found.name if found is not None else "…")
    return found.name


@transaction.atomic
def move_items(items: Seen, order: Order, *, actor: Actor, now: datetime) -> Moved:
    """Do one act with many items, in one transaction.

    1. check the order; 2. lock the rows, always in the order of their ids; 3. ask the rule of
    each; 4. write them, their history and the audit entries.

    Raises:
        NotAllowed, ReasonMissing, BadWait, BadNote, CannotAssign: no item is moved.
    """
    whom = check_order(order, actor=actor, now=now)
    rows = {
        row.pk: row
        for row in visible(actor).select_for_update().filter(pk__in=list(items)).order_by("pk")
    }
    me = int(actor.identifier) if actor.kind == "person" else None
    moved, changed = Moved(), []
    standings = _standings(rows.values())
    for identifier, seen in items.items():
        try:
            if identifier not in rows:
                raise rules.NoSuchItem(number=rules.number_of(identifier))
            rules.check_act(order.act, standings[identifier], person=me, seen=seen)
        except Refusal as no:
            moved.refused.append((identifier, no))
            continue
        moved.done.append(identifier)
        if not _has_it(rows[identifier], order, me):
            changed.append(_moved_row(rows[identifier], order, me, now))
    _write(changed, order, whom, actor=actor, now=now)
    return moved


def _has_it(row: Item, order: Order, me: int | None) -> bool:
    """Whether there is nothing to do: one takes what one has."""
    return order.act == "take" and row.owner == me and row.state == rules.TAKEN


def _standings(rows: Iterable[Item]) -> dict[int, rules.Standing]:
    return {
        facts.id: rules.Standing(
            number=facts.number,
            state=facts.state,
            owner=facts.owner,
            owner_name=facts.owner_name,
            version=facts.version,
            changed_by=facts.changed_by,
        )
        for facts in item_facts(rows)
    }


def _moved_row(row: Item, order: Order, me: int | None, now: datetime) -> Item:
    """The row as the act leaves it."""
    owners = {"take": me, "assign": order.whom, "release": None}
    row.owner = owners.get(order.act, row.owner)
    row.state = rules.state_after(order.act, row.owner)
    row.wait_until = order.until if order.act == "wait" else None
    row.waits_for = order.reason if order.act == "wait" else ""
    row.closed_reason = order.reason if order.act == "close" else ""
    row.closed_at = now if order.act == "close" else None
    return row


def _write(rows: Sequence[Item], order: Order, whom: str, *, actor: Actor, now: datetime) -> None:
    if not rows:
        return
    change_items(rows, _FIELDS, by=actor.name, now=now)
    text = rules.clean_note(order.text, needed=False)
    append_lines(
        [
            ItemNote(
                item=row,
                act=order.act,
                at=now,
                by=str(actor),
                by_name=actor.name,
                reason=order.reason,
                text=text,
                whom=whom,
                until=order.until,
            )
            for row in rows
        ]
    )
    details = {"reason": order.reason, "whom": order.whom, "note": bool(text)}
    drafts = [
        Draft(f"triage.{order.act}_item", f"item:{row.pk}", {"kind": row.kind, **details})
        for row in rows
    ]
    record_entries(drafts, actor=actor, now=now)


@transaction.atomic
def add_note(*, item_id: int, text: str, actor: Actor, now: datetime) -> int:
    """Write about an item; returns the note's id. Notes are never changed or taken away.

    Raises:
        NotAllowed, NoSuchItem, BadNote: as their names say.
    """
    check_may(actor, "queue.work")
    row = visible(actor).filter(pk=item_id).first()
    if row is None:
        raise rules.NoSuchItem(number=rules.number_of(item_id))
    note = ItemNote(
        item=row,
        act="note",
        at=now,
        by=str(actor),
        by_name=actor.name,
        text=rules.clean_note(text),
    )
    append_lines([note])
    record_entry(
        actor=actor, now=now, action="triage.add_note", subject=f"item:{item_id}",
        details={"note": note.pk},
    )  # fmt: skip
    return note.pk
