"""People are invited by letter; the letter's link lets them join once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from muhafiz.accounts.actions.clock import read_clock
from muhafiz.accounts.actions.entry import CannotEnter
from muhafiz.accounts.actions.people import BadEmail
from muhafiz.accounts.choices import plain_language
from muhafiz.accounts.models import Invitation, Person, Role
from muhafiz.accounts.queries import facts, person_actor, person_by_email
from muhafiz.accounts.rules import (
    CannotHaveEmail,
    check_invites,
    check_may,
    may,
    may_manage,
    plain_email,
    plain_name,
    token_digest,
)
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal

#: An invitation is good for so long.
VALID_FOR: Final = timedelta(days=7)
_TOKEN_BYTES: Final = 32


class NoSuchInvitation(Refusal):
    """There is no open invitation of this number for the actor to withdraw."""

    text = "There is no open invitation {invitation_id}."


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation; the token is kept nowhere else.

    `taken`: the address is that of somebody whom the inviter must not know to be here. The link
    will open nothing; the letter says so to them alone.
    """

    id: int
    token: str
    email: str
    name: str
    language: str
    expires_at: datetime
    taken: bool = False


@transaction.atomic
def invite_person(
    *,
    email: str,
    name: str,
    role: str,
    language: str,
    organization_id: int | None,
    actor: Actor,
    now: datetime,
) -> Invited:
    """Make an invitation; the actor's older open ones to the same address are withdrawn.

    A constituent learns nothing of other houses: whoever is registered there is invited as a
    stranger is, and an invitation of another house stays as it is.

    Raises:
        NotAllowed, CannotInvite, UnknownRole, CannotHoldRole: the actor may not.
        BadEmail, CannotHaveEmail: the address is none, or somebody of theirs has it already.
        BadPreference: the platform does not speak the language.
    """
    check_invites(actor, role=role, organization_id=organization_id)
    address = plain_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise BadEmail(email=email) from None
    known = person_by_email(address)
    if known is not None and may_manage(actor, organization_id=known.organization_id):
        raise CannotHaveEmail
    older = Invitation.objects.filter(email=address, accepted_at=None, withdrawn_at=None)
    if not may(actor, "people.edit"):
        older = older.filter(organization_id=organization_id)
    older.update(withdrawn_at=now)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = Invitation.objects.create(
        email=address,
        name=plain_name(name) or address.partition("@")[0],
        language=plain_language(language),
        role=role,
        organization_id=organization_id,
        digest=token_digest(token),
        invited_by=str(actor)[:100],
        inviter_id=int(actor.identifier) if actor.kind == "person" else None,
        invited_at=now,
        expires_at=now + VALID_FOR,
    )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.invite_person",
        subject=f"invitation:{row.pk}",
        details={"role": role, "organization": organization_id},
    )
    return Invited(
        row.pk, token, address, row.name, row.language, row.expires_at, taken=known is not None
    )


@transaction.atomic
def withdraw_invitation(*, invitation_id: int, actor: Actor, now: datetime) -> None:
    """Take an open invitation back.

    Raises:
        NotAllowed: the actor invites nobody.
        NoSuchInvitation: it is not open, or of another organization's people.
    """
    check_may(actor, "people.invite")
    row = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
    theirs = row is not None and may_manage(actor, organization_id=row.organization_id)
    still_open = Invitation.objects.filter(pk=invitation_id, accepted_at=None, withdrawn_at=None)
    if not theirs or not still_open.update(withdrawn_at=now):
        raise NoSuchInvitation(invitation_id=invitation_id)
    record_entry(
        actor=actor,
        now=now,
        action="accounts.withdraw_invitation",
        subject=f"invitation:{invitation_id}",
    )


@transaction.atomic
def accept_invitation(*, token: str, now: datetime) -> Actor:
    """Register the invited person in their role, and use the invitation up.

    1. The invitation must be open; 2. who invited must still be allowed to; 3. the person is
    registered, gets the role in the inviter's name, and both are written to the log.

    Raises:
        CannotEnter: unknown, used, expired or withdrawn; or whoever invited may no longer; or the
            address has become somebody's.
        ClockWentBack: the clock cannot be trusted.
    """
    read_clock(now)
    valid = Invitation.objects.select_for_update().filter(
        digest=token_digest(token), accepted_at=None, withdrawn_at=None, expires_at__gt=now
    )
    row = valid.first()
    if row is None or not valid.update(accepted_at=now):
        raise CannotEnter
    inviter = _inviter(row)
    if inviter is None or person_by_email(row.email) is not None:
        raise CannotEnter
    check_invites(inviter, role=row.role, organization_id=row.organization_id)
    made = Person.objects.create(
        email=row.email,
        name=row.name,
        language=row.language,
        organization_id=row.organization_id,
        registered_at=now,
        password=make_password(None),
    )
    Role.objects.create(person=made, role=row.role, granted_at=now, granted_by=row.invited_by)
    actor = facts(made).actor()
    record_entry(
        actor=actor,
        now=now,
        action="accounts.accept_invitation",
        subject=f"person:{made.pk}",
        details={"invitation": row.pk, "role": row.role, "organization": row.organization_id},
    )
    return actor


def _inviter(row: Invitation) -> Actor | None:
    if row.inviter_id is None:
        return Actor.command(row.invited_by.partition(":")[2])
    return person_actor(row.inviter_id)
