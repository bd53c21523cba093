"""Entries are written in the transaction of the action they tell of: both stand or neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection, transaction

from muhafiz.audit.canonical import JSON, Entry, details_text, indexable, storable
from muhafiz.audit.models import LogEntry, Tree
from muhafiz.audit.rules import Frontier, leaf_hash
from muhafiz.common.actor import Actor

_PORTION = 20_000  # entries written by one statement


class NotInTransaction(RuntimeError):  # noqa: N818 - named for what is wrong
    """An entry was to be written outside the transaction of the action it tells of."""


class TreeIsBroken(RuntimeError):  # noqa: N818 - named for what is wrong
    """The tree's own row is missing or was changed behind the writer's back."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry yet to be written; see `record_entry` for the meaning of each part."""

    action: str
    subject: str
    details: Mapping[str, JSON] = field(default_factory=dict)


def record_entry(
    *,
    actor: Actor,
    now: datetime,
    action: str,
    subject: str,
    details: Mapping[str, JSON] | None = None,
) -> int:
    """Write one entry and return its index in the tree.

    `action` is "room.verb_noun", `subject` "kind:identifier". Call it last in an action: it holds
    the tree's lock until the transaction ends. Secrets never belong in `details`.

    Raises:
        NotInTransaction: no transaction is open.
        TypeError, ValueError: `details` is not JSON, or `now` has no time zone.
    """
    return record_entries([Draft(action, subject, details or {})], actor=actor, now=now).start


def record_entries(drafts: Iterable[Draft], *, actor: Actor, now: datetime) -> range:
    """Write many entries of one actor and moment; returns their indexes.

    Raises:
        NotInTransaction: no transaction is open.
        TypeError, ValueError: some `details` are not JSON, or `now` has no time zone.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("Open the action's transaction first: no audit, no action.")
    # The spelling is worked out before the lock is taken.
    spelt = [(indexable(d.action), indexable(d.subject), details_text(d.details)) for d in drafts]
    who, name, at = indexable(str(actor)), storable(actor.name), now.astimezone(UTC)
    tree, frontier = _locked_tree()
    entries = [
        Entry(index, at, who, name, action, subject, details)
        for index, (action, subject, details) in enumerate(spelt, start=frontier.size)
    ]
    grown = frontier.extended(leaf_hash(entry.line()) for entry in entries)
    for start in range(0, len(entries), _PORTION):
        _insert(entries[start : start + _PORTION])
    moved = Tree.objects.filter(pk=tree.pk, size=frontier.size).update(
        size=grown.size, frontier=grown.packed()
    )
    if moved != 1:
        raise TreeIsBroken("The audit tree grew under another writer's hands.")
    return range(frontier.size, grown.size)


@transaction.atomic
def record_read(
    *,
    actor: Actor,
    now: datetime,
    action: str,
    subject: str,
    details: Mapping[str, JSON] | None = None,
) -> int:
    """Write that restricted data was read ("lake.read_events"), in a transaction of its own.

    Call it before showing what was read: no audit, no reading.
    """
    return record_entry(actor=actor, now=now, action=action, subject=subject, details=details)


def _locked_tree() -> tuple[Tree, Frontier]:
    """The tree's row, locked until the transaction ends (SQLite's writer lock is the lock)."""
    tree = Tree.objects.select_for_update().filter(pk=1).first()
    if tree is None:
        raise TreeIsBroken("The audit tree's row is missing; run the migrations.")
    return tree, Frontier.unpacked(tree.size, bytes(tree.frontier))


def _insert(entries: Sequence[Entry]) -> None:
    """Insert by one prepared statement: 10⁵ rows cost about a second."""
    if len(entries) == 1:
        entry = entries[0]
        LogEntry.objects.bulk_create([_row(entry)])
        return
    adapt = connection.ops.adapt_datetimefield_value
    rows = [
        (e.index, adapt(e.at), e.actor, e.name, e.action, e.subject, e.details) for e in entries
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO audit_entry ("index", "at", "actor", "name", "action", "subject", '
            '"details") VALUES (%s, %s, %s, %s, %s, %s, %s)',
            rows,
        )


def _row(entry: Entry) -> LogEntry:
    return LogEntry(
        index=entry.index,
        at=entry.at,
        actor=entry.actor,
        name=entry.name,
        action=entry.action,
        subject=entry.subject,
        details=entry.details,
    )
