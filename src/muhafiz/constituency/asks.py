"""What contacts were asked about themselves, and what they said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from muhafiz.common.actor import Actor
from muhafiz.constituency.cares import taking_mail
from muhafiz.constituency.directory import visible
from muhafiz.constituency.facts import AskFacts, Cares, ContactFacts, OrganizationFacts
from muhafiz.constituency.models import ContactAsk, ContactVersion
from muhafiz.constituency.queries import contact_facts, holding, organization_facts, portions


def token_digest(token: str) -> str:
    """How a link's secret is kept: nobody who reads the database can answer for a contact."""
    return hashlib.sha256(token.encode()).hexdigest()


def latest_asks(contact_ids: Iterable[int]) -> dict[int, AskFacts]:
    """The latest letter that asked each contact; those never asked are left out."""
    return {
        row.contact_id: ask_facts(row)
        for portion in portions(contact_ids)
        for row in ContactAsk.objects.filter(contact__in=portion).order_by("asked_at", "pk")
    }


def asked_contact(token: str) -> tuple[OrganizationFacts, ContactFacts, AskFacts] | None:
    """Whom a link asks about; None when nobody was sent such a link."""
    row = ContactAsk.objects.filter(token_digest=token_digest(token)).first()
    if row is None:
        return None
    version = (
        ContactVersion.objects.filter(contact_id=row.contact_id, version=row.version)
        .select_related("contact__organization")
        .get()
    )
    owner = version.contact.organization
    return organization_facts(owner), contact_facts(version), ask_facts(row)


def wrong_contacts(
    *, viewer: Actor, limit: int = 100
) -> list[tuple[OrganizationFacts, ContactFacts, AskFacts]]:
    """Contacts that said they are not right and still stand so, the latest answer first."""
    standing = ContactVersion.objects.filter(
        contact=OuterRef("contact"),
        version=OuterRef("version"),
        superseded_at__isnull=True,
        contact__withdrawn_at__isnull=True,
    ).filter(Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=OuterRef("answered_at")))
    rows = ContactAsk.objects.filter(
        Exists(standing), right=False, contact__organization__in=visible(viewer)
    ).order_by("-answered_at", "-pk")[:limit]
    found = {
        (version.contact_id, version.version): version
        for version in ContactVersion.objects.filter(
            contact__in=[row.contact_id for row in rows], superseded_at__isnull=True
        ).select_related("contact__organization")
    }
    told = ((found[row.contact_id, row.version], row) for row in rows)
    return [
        (organization_facts(v.contact.organization), contact_facts(v), ask_facts(row))
        for v, row in told
    ]


def contacts_to_ask(*, cares: Cares, asked_before: datetime, limit: int) -> list[int]:
    """Contacts long unconfirmed that take mail and were not asked since `asked_before`.

    Those never confirmed come first, then those confirmed longest ago.
    """
    lately = ContactAsk.objects.filter(contact=OuterRef("contact"), asked_at__gte=asked_before)
    rows = ContactVersion.objects.filter(
        Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=cares.confirmed_before),
        ~Exists(lately),
        holding(cares.day),
        superseded_at__isnull=True,
        contact__withdrawn_at__isnull=True,
        contact__organization__retired_at__isnull=True,
    )
    never_first = F("confirmed_at").asc(nulls_first=True)
    ordered = taking_mail(rows).order_by(never_first, "created_at", "contact_id")
    return list(ordered.values_list("contact_id", flat=True)[:limit])


def ask_facts(row: ContactAsk) -> AskFacts:
    """A row as other rooms see it."""
    return AskFacts(
        contact_id=row.contact_id,
        version=row.version,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        answered_at=row.answered_at,
        right=row.right,
        words=row.words,
    )
