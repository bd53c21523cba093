"""Changes to whom an organization's letters go: every change makes a new version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.organizations import check_language
from muhafiz.constituency.actions.trail import (
    hold_constituency,
    leave_trail,
    standing_organization,
)
from muhafiz.constituency.models import Contact, ContactVersion
from muhafiz.constituency.rules import (
    AlreadyContact,
    NoSuchRecord,
    check_address,
    check_name,
    check_period,
    check_role,
    overlap,
    parse_hours,
)
from muhafiz.keyring.openpgp import certificate_facts


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """A contact as it is to stand.

    `role` is 24/7, abuse, ciso or press; `language` empty means the organization's; `certificate`
    is an armored OpenPGP certificate or empty; `hours` like "Mon-Fri 09:00-17:00", empty: always.
    """

    address: str
    role: str
    name: str = ""
    language: str = ""
    certificate: str = ""
    hours: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


def checked_details(details: ContactDetails, now: datetime) -> dict[str, object]:
    """The details as they are stored.

    Raises:
        BadContact, BadName, BadHours, BadPeriod; keyring's BadCertificate.
    """
    check_period(details.valid_from, details.valid_to)
    parse_hours(details.hours)
    certificate = details.certificate.strip()
    key = certificate_facts(certificate, at=now) if certificate else None
    return {
        "address": check_address(details.address),
        "role": check_role(details.role),
        "name": check_name(details.name) if details.name.strip() else "",
        "language": check_language(details.language) if details.language else "",
        "certificate": certificate,
        "fingerprint": key.fingerprint if key else "",
        "key_expires_at": key.expires if key else None,
        "hours": details.hours.strip(),
        "valid_from": details.valid_from,
        "valid_to": details.valid_to,
    }


@transaction.atomic
def add_contact(
    *, organization_id: int, details: ContactDetails, actor: Actor, now: datetime
) -> int:
    """Enter a contact by hand and return its id; it stands at version 1.

    Raises:
        NoSuchOrganization, AlreadyContact and what `checked_details` raises.
    """
    hold_constituency()
    owner = standing_organization(organization_id)
    stored = checked_details(details, now)
    _check_new(owner.pk, details, stored)
    row = Contact.objects.create(
        organization=owner, origin="manual", source="manual", created_at=now
    )
    _write_version(row, 1, stored, actor, now)
    leave_trail([owner.pk], "add_contact", f"contact:{row.pk}", _told(stored), actor=actor, now=now)
    return row.pk


def _check_new(
    owner: int, details: ContactDetails, stored: dict[str, object], but: int = 0
) -> None:
    """Refuse a second contact by hand of the same role and address, for an overlapping time."""
    same = ContactVersion.objects.filter(
        superseded_at__isnull=True,
        contact__withdrawn_at__isnull=True,
        contact__origin="manual",
        contact__organization=owner,
        role=stored["role"],
        address__iexact=stored["address"],
    ).exclude(contact=but)
    period = (details.valid_from, details.valid_to)
    if any(overlap(period, (row.valid_from, row.valid_to)) for row in same):
        raise AlreadyContact(address=stored["address"])


@transaction.atomic
def change_contact(*, contact_id: int, details: ContactDetails, actor: Actor, now: datetime) -> int:
    """Give a contact other details as a new version and return its number.

    Letters already sent keep pointing at the version they were sent to. An unchanged contact
    keeps its version.

    Raises:
        NoSuchRecord, AlreadyContact and what `checked_details` raises.
    """
    hold_constituency()
    row, current = _standing_contact(contact_id)
    stored = checked_details(details, now)
    if all(getattr(current, field) == value for field, value in stored.items()):
        return current.version
    _check_new(row.organization_id, details, stored, but=row.pk)
    ContactVersion.objects.filter(pk=current.pk).update(superseded_at=now)
    number = current.version + 1
    _write_version(row, number, stored, actor, now)
    leave_trail(
        [row.organization_id], "change_contact", f"contact:{row.pk}",
        {"version": number, **_told(stored)}, actor=actor, now=now,
    )  # fmt: skip
    return number


@transaction.atomic
def confirm_contact(*, contact_id: int, actor: Actor, now: datetime) -> None:
    """Note that somebody answered at this contact.

    Raises:
        NoSuchRecord.
    """
    row, current = _standing_contact(contact_id)
    ContactVersion.objects.filter(pk=current.pk).update(confirmed_at=now)
    leave_trail(
        [row.organization_id], "confirm_contact", f"contact:{row.pk}",
        {"version": current.version}, actor=actor, now=now,
    )  # fmt: skip


@transaction.atomic
def withdraw_contact(*, contact_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Write to a contact no more; its versions stay for the letters that point at them.

    Raises:
        NoSuchRecord, BadName (no reason given).
    """
    hold_constituency()
    row, current = _standing_contact(contact_id)
    details = {"address": current.address, "reason": check_name(reason, 500)}
    Contact.objects.filter(pk=row.pk).update(withdrawn_at=now)
    leave_trail(
        [row.organization_id], "withdraw_contact", f"contact:{row.pk}", details,
        actor=actor, now=now,
    )  # fmt: skip


def _standing_contact(identifier: int) -> tuple[Contact, ContactVersion]:
    current = (
        ContactVersion.objects.filter(
            contact_id=identifier, superseded_at__isnull=True, contact__withdrawn_at__isnull=True
        )
        .select_related("contact")
        .first()
    )
    if current is None:
        raise NoSuchRecord(what="contact", identifier=identifier)
    return current.contact, current


def _write_version(
    row: Contact, number: int, stored: dict[str, object], actor: Actor, now: datetime
) -> None:
    ContactVersion.objects.create(
        contact=row, version=number, created_at=now, created_by=actor.name[:128], **stored
    )


def _told(stored: dict[str, object]) -> dict[str, str | int | None]:
    """What the history says of a contact: no key material, only its fingerprint."""
    shown = ("address", "role", "name", "language", "hours", "fingerprint")
    return {field: str(stored[field]) for field in shown}
