"""The one door out: everything that leaves the house passes here.

1. The rules decide (`release.rules`).
2. The decision, also a refusal, becomes a row of the ledger, in the caller's transaction.
3. What was let out is handed over as `Released`; outlets accept nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.rows import insert_rows
from muhafiz.formats.lines import one_line
from muhafiz.release.models import LedgerEntry
from muhafiz.release.proof import Released, check_genuine, tag_of
from muhafiz.release.rules import (
    Audience,
    Item,
    NotReleased,
    ReleaseRefused,
    check_releasable,
)

__all__ = ["Audience", "Item", "Released", "check_released", "release", "release_all"]

_CHUNK = 5_000


def release(item: Item, audience: Audience, *, actor: Actor, now: datetime) -> Released:
    """Let `item` out to `audience`, or refuse with a reason.

    A refusal is a row of the ledger too. It is written before the exception is raised; a caller
    that lets the exception end its own transaction takes the row with it.

    Raises:
        ReleaseRefused: one of its kinds.
    """
    [outcome] = release_all([(item, audience)], actor=actor, now=now)
    if isinstance(outcome, ReleaseRefused):
        raise outcome
    return outcome


@transaction.atomic
def release_all(
    wanted: Sequence[tuple[Item, Audience]], *, actor: Actor, now: datetime
) -> list[Released | ReleaseRefused]:
    """Decide about many things at once; the answers stand in the order of `wanted`.

    Refusals come back as values, so that one of them does not stop the others. One audit entry
    covers the call: it carries the count and a SHA-256 over every decision, in order.
    """
    if not wanted:
        return []
    outcomes: list[Released | ReleaseRefused] = []
    covered = hashlib.sha256()
    first = last = 0
    for start in range(0, len(wanted), _CHUNK):
        decided = [_decided(*pair, actor=actor, now=now) for pair in wanted[start : start + _CHUNK]]
        rows = [row for row, _ in decided]
        insert_rows(rows)
        pairs = wanted[start : start + _CHUNK]
        for row, (_, refusal), (item, audience) in zip(rows, decided, pairs, strict=True):
            covered.update(_line(row).encode())
            outcomes.append(refusal or _handed_out(row, item, audience, now))
        first, last = first or rows[0].pk, rows[-1].pk
    refused = sum(isinstance(outcome, ReleaseRefused) for outcome in outcomes)
    record_entry(
        actor=actor,
        now=now,
        action="release.release",
        subject=f"release:{first}" if first == last else f"release:{first}-{last}",
        details={
            "released": len(outcomes) - refused,
            "refused": refused,
            "sha256": covered.hexdigest(),
        },
    )
    return outcomes


def check_released(released: Iterable[object]) -> None:
    """What an outlet calls before it lets anything go.

    Raises:
        NotReleased: one was not handed out by this process's gate, its ledger row is not there
            (its transaction was undone), or it was recalled.
    """
    ids: set[int] = set()
    for one in released:
        check_genuine(one)
        if isinstance(one, Released):
            ids.add(one.ledger_id)
    ordered = sorted(ids)
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        standing = LedgerEntry.objects.filter(
            pk__in=part, refusal="", recalled_at__isnull=True
        ).count()
        if standing != len(part):
            raise NotReleased(reason="the ledger does not hold it, or it was recalled")


def _decided(
    item: Item, audience: Audience, *, actor: Actor, now: datetime
) -> tuple[LedgerEntry, ReleaseRefused | None]:
    refusal: ReleaseRefused | None = None
    label = item.tlp or ""
    try:
        label = check_releasable(item, audience)
    except ReleaseRefused as reason:
        refusal = reason
    row = LedgerEntry(
        item_kind=one_line(item.kind, 40),
        item_identifier=one_line(item.identifier, 200),
        item_title=one_line(item.title, 500),
        item_digest=one_line(item.digest, 64),
        tlp=one_line(label, 40),
        organizations=" ".join(map(str, sorted(item.organizations))),
        audience_kind=one_line(audience.kind, 20),
        audience_identifier=one_line(audience.identifier, 200),
        audience_name=one_line(audience.name, 300),
        decided_at=now,
        decided_by=str(actor)[:200],
        refusal=refusal.code if refusal else "",
        refusal_text=one_line(str(refusal), 2_000) if refusal else "",
    )
    return row, refusal


def _line(row: LedgerEntry) -> str:
    return (
        f"{row.pk} {row.item_kind}:{row.item_identifier} {row.item_digest} {row.tlp} "
        f"{row.audience_kind}:{row.audience_identifier} {row.refusal or 'released'}\n"
    )


def _handed_out(row: LedgerEntry, item: Item, audience: Audience, now: datetime) -> Released:
    return Released(
        ledger_id=row.pk,
        item=item,
        audience=audience,
        tlp=row.tlp,
        released_at=now,
        tag=tag_of(row.pk, item, audience, row.tlp, now),
    )
