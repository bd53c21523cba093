"""What a constituent's own people do to the contacts of their organization."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.contacts import (
    ContactDetails,
    add_contact,
    change_contact,
    confirm_contact,
    withdraw_contact,
)
from muhafiz.constituency.models import Contact
from muhafiz.constituency.rules import NoSuchRecord
from muhafiz.constituency.visible import check_own, organizations_of

KEEP = "contacts.own"


@transaction.atomic
def add_own_contact(
    *, organization_id: int, details: ContactDetails, actor: Actor, now: datetime
) -> int:
    """Enter a contact of one's own organization, or of one below; it counts as confirmed.

    Raises:
        NotAllowed, NoSuchOrganization and what `add_contact` raises.
    """
    check_may(actor, KEEP)
    check_own(actor, organization_id)
    contact = add_contact(organization_id=organization_id, details=details, actor=actor, now=now)
    confirm_contact(contact_id=contact, actor=actor, now=now)
    return contact


@transaction.atomic
def change_own_contact(
    *, contact_id: int, details: ContactDetails, actor: Actor, now: datetime
) -> None:
    """Give one's own contact other details, whoever entered it; it counts as confirmed.

    Raises:
        NotAllowed, NoSuchRecord and what `change_contact` raises.
    """
    _check(contact_id, actor)
    change_contact(contact_id=contact_id, details=details, actor=actor, now=now)
    confirm_contact(contact_id=contact_id, actor=actor, now=now)


@transaction.atomic
def confirm_own_contact(*, contact_id: int, actor: Actor, now: datetime) -> None:
    """Say that one's own contact is still right.

    Raises:
        NotAllowed, NoSuchRecord.
    """
    _check(contact_id, actor)
    confirm_contact(contact_id=contact_id, actor=actor, now=now)


@transaction.atomic
def end_own_contact(*, contact_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Ask that nobody writes to one's own contact any more.

    Raises:
        NotAllowed, NoSuchRecord, BadName (no reason given).
    """
    _check(contact_id, actor)
    withdraw_contact(contact_id=contact_id, reason=reason, actor=actor, now=now)


def _check(contact_id: int, actor: Actor) -> None:
    """Refuse another's contact as if it did not exist."""
    check_may(actor, KEEP)
    rows = Contact.objects.filter(pk=contact_id, withdrawn_at__isnull=True)
    own = organizations_of(actor)
    if own is not None:
        rows = rows.filter(organization_id__in=own)
    if not rows.exists():
        raise NoSuchRecord(what="contact", identifier=contact_id)
