"""What a person proves themselves with: passwords, second factors, recovery codes.

The faces keep them with allauth; here stands what each change means to the house.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.contrib.auth.hashers import make_password
from django.db import transaction

from muhafiz.accounts.actions.people import NoSuchPerson
from muhafiz.accounts.actions.sessions import end_sessions
from muhafiz.accounts.models import AddressChange, EntryLink, Person
from muhafiz.accounts.queries import person
from muhafiz.accounts.rules import NeedsReason, check_manages
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.lines import one_line

FactorChange = Literal["add", "remove", "change", "use"]


@transaction.atomic
def set_password(
    *, person_id: int, password: str, actor: Actor, now: datetime, except_key: str = ""
) -> None:
    """Set a person's password; every session of theirs but the one of `except_key` ends.

    So does the wish for another address: whoever feared for the password may not have made it.

    The hash is computed before the row is touched.

    Raises:
        NoSuchPerson: there is none of this number.
    """
    hashed = make_password(password)
    if not Person.objects.filter(pk=person_id).update(password=hashed):
        raise NoSuchPerson(person_id=person_id)
    AddressChange.objects.filter(person_id=person_id, used_at=None).update(used_at=now)
    end_sessions(
        person_id=person_id, why="password changed", actor=actor, now=now, except_key=except_key
    )
    record_entry(
        actor=actor, now=now, action="accounts.set_password", subject=f"person:{person_id}"
    )


@transaction.atomic
def note_factor(
    *,
    person_id: int,
    change: FactorChange,
    kind: str,
    has_factor: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Note that a factor was added, removed, changed or used up, and whether one is left."""
    Person.objects.filter(pk=person_id).exclude(second_factor=has_factor).update(
        second_factor=has_factor
    )
    record_entry(
        actor=actor,
        now=now,
        action=_ACTIONS.get((change, kind), f"accounts.{change}_factor"),
        subject=f"person:{person_id}",
        details={"kind": kind},
    )


_ACTIONS = {
    ("add", "recovery_codes"): "accounts.make_recovery_codes",
    ("remove", "recovery_codes"): "accounts.remove_recovery_codes",
    ("use", "recovery_codes"): "accounts.use_recovery_code",
}


@transaction.atomic
def reset_access(*, person_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Take a person's password away and end their sessions, open links and wishes for an address.

    Their factors, and what ties them to another house, go with the caller.

    Afterwards only a link of an operator, or a letter to their address, lets them in again.

    Raises:
        NotAllowed, CannotManage: the actor may not; nobody resets themselves.
        NeedsReason: without a reason.
        NoSuchPerson: there is none.
    """
    found = person(person_id)
    if found is None:
        raise NoSuchPerson(person_id=person_id)
    check_manages(actor, person_id=person_id, organization_id=found.organization_id)
    told = one_line(reason, 300)
    if not told:
        raise NeedsReason
    Person.objects.filter(pk=person_id).update(password=make_password(None), second_factor=False)
    AddressChange.objects.filter(person_id=person_id, used_at=None).update(used_at=now)
    EntryLink.objects.filter(person_id=person_id, used_at=None).update(used_at=now)
    end_sessions(person_id=person_id, why="access reset", actor=actor, now=now)
    record_entry(
        actor=actor,
        now=now,
        action="accounts.reset_access",
        subject=f"person:{person_id}",
        details={"reason": told},
    )
