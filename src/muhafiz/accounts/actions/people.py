"""People are registered, given roles, suspended. Nobody is deleted: the log names them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from muhafiz.accounts.actions.sessions import end_sessions
from muhafiz.accounts.models import Person, Role
from muhafiz.accounts.queries import PersonFacts, facts
from muhafiz.accounts.rules import (
    check_grants,
    check_holds,
    check_manages,
    check_may,
    check_role,
    plain_email,
    plain_name,
)
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal


class NoSuchPerson(Refusal):
    """Nobody of this number is registered."""

    text = "There is no person {person_id}."


class BadEmail(Refusal):
    """The text is no mail address."""

    text = "“{email}” is no mail address."


@transaction.atomic
def register_person(
    *,
    email: str,
    name: str,
    actor: Actor,
    now: datetime,
    language: str = "en",
    organization_id: int | None = None,
) -> PersonFacts:
    """Register a person, without any role; who is registered already is returned unchanged.

    Raises:
        NotAllowed: the actor may not.
        BadEmail: the address is none.
    """
    check_may(actor, "people.edit")
    address = plain_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise BadEmail(email=email) from None
    row, made = Person.objects.get_or_create(
        email=address,
        defaults={
            "name": plain_name(name) or address.partition("@")[0],
            "language": language,
            "organization_id": organization_id,
            "registered_at": now,
            "password": make_password(None),  # none: nobody can sign in with it
        },
    )
    if made:
        record_entry(
            actor=actor,
            now=now,
            action="accounts.register_person",
            subject=f"person:{row.pk}",
            details={"organization": organization_id},
        )
    return facts(row)


@transaction.atomic
def grant_role(*, person_id: int, role: str, actor: Actor, now: datetime) -> None:
    """Give a person a role; one that is held already stays as it is.

    Raises:
        NotAllowed, CannotGrant: the actor may not.
        NoSuchPerson, UnknownRole, CannotHoldRole: it cannot be given.
    """
    row = _locked(person_id)
    check_grants(actor, person_id=person_id, whom=row.name)
    held = facts(row).roles
    check_holds(name=row.name, role=role, held=held, organization_id=row.organization_id)
    if role in held:
        return
    try:
        with transaction.atomic():
            Role.objects.create(person=row, role=role, granted_at=now, granted_by=str(actor))
    except IntegrityError:  # given in this very moment by somebody else
        return
    _record(actor, now, "accounts.grant_role", person_id, role)


@transaction.atomic
def revoke_role(*, person_id: int, role: str, actor: Actor, now: datetime) -> None:
    """Take a role back, with effect at the person's next step; one not held is no error.

    Raises:
        NotAllowed, CannotGrant: the actor may not.
        NoSuchPerson, UnknownRole: there is none.
    """
    row = _locked(person_id)
    check_grants(actor, person_id=person_id, whom=row.name)
    check_role(role)
    held = Role.objects.filter(person=row, role=role, revoked_at__isnull=True)
    if held.update(revoked_at=now, revoked_by=str(actor)):
        _record(actor, now, "accounts.revoke_role", person_id, role)


@transaction.atomic
def suspend_person(*, person_id: int, actor: Actor, now: datetime) -> None:
    """Shut a person out at once: no entry, no page, whatever roles or links they hold.

    Raises:
        NotAllowed, CannotManage, NoSuchPerson: it cannot be done.
    """
    _set_active(person_id, actor, now, active=False)


@transaction.atomic
def readmit_person(*, person_id: int, actor: Actor, now: datetime) -> None:
    """Let a suspended person back in, with the roles they hold.

    Raises:
        NotAllowed, CannotManage, NoSuchPerson: it cannot be done.
    """
    _set_active(person_id, actor, now, active=True)


def _set_active(person_id: int, actor: Actor, now: datetime, *, active: bool) -> None:
    row = _locked(person_id)
    check_manages(actor, person_id=person_id, organization_id=row.organization_id)
    if row.active == active:
        return
    Person.objects.filter(pk=row.pk).update(active=active)
    if not active:
        end_sessions(person_id=row.pk, why="suspended", actor=actor, now=now)
    action = "accounts.readmit_person" if active else "accounts.suspend_person"
    record_entry(actor=actor, now=now, action=action, subject=f"person:{person_id}")


def _locked(person_id: int) -> Person:
    row = Person.objects.select_for_update().filter(pk=person_id).first()
    if row is None:
        raise NoSuchPerson(person_id=person_id)
    return row


def _record(actor: Actor, now: datetime, action: str, person_id: int, role: str) -> None:
    record_entry(
        actor=actor,
        now=now,
        action=action,
        subject=f"person:{person_id}",
        details={"role": role},
    )
