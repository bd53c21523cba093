"""The shift goes from one officer to the next, signed, with every clock that still runs."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from muhafiz.accounts.queries import person
from muhafiz.accounts.rules import check_may, may
from muhafiz.audit.actions.entries import Draft, record_entries, record_entry
from muhafiz.common.actor import Actor
from muhafiz.keyring import signer
from muhafiz.triage import duty, rules
from muhafiz.triage.actions.lots import append_lines, change_items
from muhafiz.triage.models import Handover, Item, ItemNote


@transaction.atomic
def hand_over_shift(*, note: str, to: int, actor: Actor, now: datetime) -> int:
    """Offer the shift to the next officer with a signed note; returns the handover's number.

    1. check; 2. write down what stands open; 3. sign; 4. audit entry. The incoming officer is on
    duty once they accept.

    Raises:
        NotAllowed, NotOnDuty, CannotHandOver, BadNote: as their names say.
    """
    check_may(actor, "shift.hand_over")
    present = duty.on_duty()
    if present is not None and str(present.to_person) != actor.identifier:
        raise rules.NotOnDuty(name=present.to_name)
    name = _check_incoming(to, actor)
    try:
        with transaction.atomic():
            row = _written(
                from_=(int(actor.identifier), actor.name), to=(to, name),
                note=rules.clean_note(note), seized=False, accepted_at=None, now=now,
            )  # fmt: skip
    except IntegrityError:
        raise rules.CannotHandOver(name=name, reason="a handover waits already") from None
    _record(row, "triage.hand_over_shift", actor=actor, now=now)
    return row.pk


def _check_incoming(to: int, actor: Actor) -> str:
    """The name of the incoming officer.

    Raises:
        CannotHandOver: nobody hands over to themselves, or to who cannot be on duty.
    """
    found = person(to)
    if found is None or not found.active or not may(found.actor(), "shift.hand_over"):
        name = found.name if found is not None else "…"
        raise rules.CannotHandOver(name=name, reason="this person cannot be on duty")
    if str(to) == actor.identifier:
        raise rules.CannotHandOver(name=found.name, reason="nobody hands over to themselves")
    return found.name


@transaction.atomic
def accept_shift(*, handover_id: int, actor: Actor, now: datetime) -> int:
    """Come on duty; the open items of the outgoing officer become one's own. Returns how many.

    Raises:
        NotAllowed, CannotAccept: as their names say.
    """
    check_may(actor, "shift.hand_over")
    row = _pending(handover_id, actor)
    if str(row.to_person) != actor.identifier:
        raise rules.CannotAccept(
            number=handover_id, name=actor.name, reason=f"it is for {row.to_name}"
        )
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    carried = _carry_over(row.from_person, actor, now)
    _record(row, "triage.accept_shift", actor=actor, now=now, carried=carried)
    return carried


@transaction.atomic
def withdraw_handover(*, handover_id: int, actor: Actor, now: datetime) -> None:
    """Take back a handover that nobody accepted yet; it stays in the history.

    Raises:
        NotAllowed, CannotAccept: as their names say.
    """
    check_may(actor, "shift.hand_over")
    row = _pending(handover_id, actor)
    if actor.identifier not in {str(row.from_person), str(row.to_person)}:
        raise rules.CannotAccept(
            number=handover_id, name=actor.name, reason=f"it is from {row.from_name}"
        )
    row.withdrawn_at = now
    row.save(update_fields=["withdrawn_at"])
    _record(row, "triage.withdraw_handover", actor=actor, now=now)


@transaction.atomic
def take_over_shift(*, note: str, actor: Actor, now: datetime) -> int:
    """Come on duty without a handover, with the reason: nobody was, or they cannot be reached.

    The open items of whoever was on duty stay theirs until they are given away.

    Raises:
        NotAllowed, CannotHandOver, BadNote: as their names say.
    """
    check_may(actor, "shift.hand_over")
    present = duty.on_duty()
    if present is not None and str(present.to_person) == actor.identifier:
        raise rules.CannotHandOver(name=actor.name, reason="they are on duty already")
    Handover.objects.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
    before = (present.to_person, present.to_name) if present else (None, "")
    row = _written(
        from_=before, to=(int(actor.identifier), actor.name),
        note=rules.clean_note(note), seized=True, accepted_at=now, now=now,
    )  # fmt: skip
    _record(row, "triage.take_over_shift", actor=actor, now=now)
    return row.pk


def _written(
    *,
    from_: tuple[int | None, str],
    to: tuple[int, str],
    note: str,
    seized: bool,
    accepted_at: datetime | None,
    now: datetime,
) -> Handover:
    """The row with its signed bytes."""
    body, items = duty.body_of(from_=from_, to=to, note=note, seized=seized, now=now)
    return Handover.objects.create(
        from_person=from_[0],
        from_name=from_[1],
        to_person=to[0],
        to_name=to[1],
        note=note,
        seized=seized,
        at=now,
        body=body,
        signature=signer.sign(body),
        public_key=signer.public_key(),
        items=items,
        accepted_at=accepted_at,
    )


def _pending(handover_id: int, actor: Actor) -> Handover:
    row = Handover.objects.select_for_update().filter(pk=handover_id).first()
    if row is None or row.accepted_at is not None or row.withdrawn_at is not None:
        raise rules.CannotAccept(number=handover_id, name=actor.name, reason="it is settled")
    return row


def _carry_over(outgoing: int | None, actor: Actor, now: datetime) -> int:
    """What the outgoing officer still had becomes the incoming one's; clocks go on as they were."""
    if outgoing is None:
        return 0
    mine = Item.objects.select_for_update().filter(owner=outgoing).exclude(state=rules.CLOSED)
    rows = list(mine.order_by("pk"))
    for row in rows:
        row.owner = int(actor.identifier)
    change_items(rows, ("owner",), by=actor.name, now=now)
    append_lines(
        [
            ItemNote(
                item=row, act="carried", at=now, by=str(actor), by_name=actor.name, whom=actor.name
            )
            for row in rows
        ]
    )
    drafts = [Draft("triage.carry_item", f"item:{row.pk}", {"kind": row.kind}) for row in rows]
    record_entries(drafts, actor=actor, now=now)
    return len(rows)


def _record(row: Handover, action: str, *, actor: Actor, now: datetime, carried: int = 0) -> None:
    record_entry(
        actor=actor, now=now, action=action, subject=f"handover:{row.pk}",
        details={"from": row.from_person, "to": row.to_person, "items": row.items,
                 "carried": carried},
    )  # fmt: skip
