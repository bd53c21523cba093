"""A person's address changes once a letter to the new one is answered."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from muhafiz.accounts.actions.clock import read_clock
from muhafiz.accounts.actions.entry import CannotEnter
from muhafiz.accounts.actions.people import BadEmail
from muhafiz.accounts.actions.sessions import end_sessions
from muhafiz.accounts.models import AddressChange, Person
from muhafiz.accounts.queries import person_by_email
from muhafiz.accounts.rules import plain_email, token_digest
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor

#: The letter to the new address is good for so long.
VALID_FOR: Final = timedelta(hours=1)


@transaction.atomic
def ask_address_change(*, email: str, actor: Actor, now: datetime) -> str | None:
    """Make the token for the letter to the actor's new address; None when it is somebody's.

    The asker learns nothing of that: only a letter would tell.

    Raises:
        BadEmail: the address is none.
    """
    address = plain_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise BadEmail(email=email) from None
    AddressChange.objects.filter(person_id=int(actor.identifier), used_at=None).delete()
    token = secrets.token_urlsafe(32)
    free = person_by_email(address) is None
    if free:
        AddressChange.objects.create(
            person_id=int(actor.identifier),
            email=address,
            digest=token_digest(token),
            asked_at=now,
            expires_at=now + VALID_FOR,
        )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.ask_address_change",
        subject=f"person:{actor.identifier}",
    )
    return token if free else None


@transaction.atomic
def change_address(*, token: str, now: datetime) -> tuple[Actor, str]:
    """Give the token's person their new address and end their sessions; they, and the old one.

    Raises:
        CannotEnter: the token is unknown, used or expired, or the address somebody's by now.
        ClockWentBack: the clock cannot be trusted.
    """
    read_clock(now)
    valid = AddressChange.objects.filter(
        digest=token_digest(token), used_at=None, expires_at__gt=now, person__active=True
    )
    row = valid.select_related("person").first()
    if row is None or not valid.update(used_at=now):
        raise CannotEnter
    former = row.person.email
    try:
        with transaction.atomic():
            Person.objects.filter(pk=row.person_id).update(email=row.email)
    except IntegrityError:
        raise CannotEnter from None
    actor = Actor("person", str(row.person_id), row.person.name)
    end_sessions(person_id=row.person_id, why="address changed", actor=actor, now=now)
    record_entry(
        actor=actor,
        now=now,
        action="accounts.change_address",
        subject=f"person:{row.person_id}",
    )
    return actor, former
