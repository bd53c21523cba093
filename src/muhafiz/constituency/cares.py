"""What is to be cared for about contacts: none, long unconfirmed, dead, no key or one that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower

from muhafiz.common.actor import Actor
from muhafiz.constituency.directory import conflicts, visible
from muhafiz.constituency.facts import Cares, ContactFacts, OrganizationFacts
from muhafiz.constituency.models import ContactVersion
from muhafiz.constituency.queries import contact_facts, holding, organization_facts
from muhafiz.notifications.queries import RetiredFacts, retired_addresses, retirements
from muhafiz.rulebook.queries import value_or

CARES = ("contact", "confirmed", "dead", "key", "key_ending", "conflict")
_DEAD_MOST = 10_000  # addresses asked for at once
_UNCONFIRMED_DAYS = 90
_KEY_WARNING_DAYS = 30


def cares_at(at: datetime) -> Cares:
    """From when on contacts are a care, by the rulebook's days."""
    late = value_or("liaison.unconfirmed_days", _UNCONFIRMED_DAYS, at=at)
    soon = value_or("liaison.key_warning_days", _KEY_WARNING_DAYS, at=at)
    day = at.astimezone(UTC).date()
    return Cares(at - timedelta(days=int(late)), at + timedelta(days=int(soon)), day)


def care_of(care: str, cares: Cares, *, viewer: Actor, at: datetime) -> Q:
    """Organizations without a contact, with an unconfirmed or dead one, without key or one ending.

    `care` is contact, confirmed, dead, key, key_ending or conflict.

    Raises:
        ValueError: it is none of them.
    """
    current = ContactVersion.objects.filter(
        holding(cares.day), superseded_at__isnull=True, contact__withdrawn_at__isnull=True
    )
    keyed = ~Q(certificate="") & (Q(key_expires_at__isnull=True) | Q(key_expires_at__gt=at))
    ending = ~Q(certificate="") & Q(key_expires_at__lt=cares.key_ends_before)
    owners = "contact__organization"
    if care == "contact":
        return ~Q(pk__in=current.values(owners))
    if care == "confirmed":
        return Q(pk__in=current.filter(_unconfirmed(cares)).values(owners))
    if care == "dead":
        return Q(pk__in=_dead(current).values(owners))
    if care == "key":
        return ~Q(pk__in=current.filter(keyed).values(owners))
    if care == "key_ending":
        return Q(pk__in=current.filter(ending).values(owners))
    if care == "conflict":
        clashing = conflicts(viewer=viewer, at=at)
        return Q(pk__in={claim.organization_id for one in clashing for claim in one.claims})
    raise ValueError(care)


def _unconfirmed(cares: Cares) -> Q:
    return Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=cares.confirmed_before)


def _dead(found: QuerySet[ContactVersion]) -> QuerySet[ContactVersion]:
    """Those whose address takes no more mail."""
    return found.annotate(spelt=Lower("address")).filter(spelt__in=_dead_addresses())


def taking_mail(found: QuerySet[ContactVersion]) -> QuerySet[ContactVersion]:
    """The others: those whose address takes mail, as far as is known."""
    return found.annotate(spelt=Lower("address")).exclude(spelt__in=_dead_addresses())


def _dead_addresses() -> list[str]:
    return [each.address for each in retired_addresses(limit=_DEAD_MOST)]


def dead_contacts(
    *, viewer: Actor, cares: Cares, limit: int = 100
) -> list[tuple[OrganizationFacts, ContactFacts, RetiredFacts]]:
    """Contacts whose address takes no more mail, and how that was learnt, by organization."""
    rows = (
        _dead(
            ContactVersion.objects.filter(
                holding(cares.day),
                superseded_at__isnull=True,
                contact__withdrawn_at__isnull=True,
                contact__organization__in=visible(viewer).filter(retired_at__isnull=True),
            )
        )
        .select_related("contact__organization")
        .order_by("contact__organization__name_en", "pk")[:limit]
    )
    why = retirements(row.address for row in rows)
    return [
        (organization_facts(row.contact.organization), contact_facts(row), why[row.address])
        for row in rows
        if row.address in why
    ]


def unconfirmed_contacts(
    *, viewer: Actor, cares: Cares, limit: int = 100
) -> list[tuple[OrganizationFacts, ContactFacts]]:
    """Contacts that nobody confirmed for long, those never confirmed first."""
    rows = (
        ContactVersion.objects.filter(
            _unconfirmed(cares),
            holding(cares.day),
            superseded_at__isnull=True,
            contact__withdrawn_at__isnull=True,
            contact__organization__in=visible(viewer).filter(retired_at__isnull=True),
        )
        .select_related("contact__organization")
        .order_by(F("confirmed_at").asc(nulls_first=True), "pk")
    )
    return [
        (organization_facts(row.contact.organization), contact_facts(row)) for row in rows[:limit]
    ]


def count_unconfirmed(*, viewer: Actor, cares: Cares) -> int:
    """How many contacts nobody confirmed for long."""
    return ContactVersion.objects.filter(
        _unconfirmed(cares),
        holding(cares.day),
        superseded_at__isnull=True,
        contact__withdrawn_at__isnull=True,
        contact__organization__in=visible(viewer).filter(retired_at__isnull=True),
    ).count()


def standing_names(*, viewer: Actor) -> list[tuple[int, str]]:
    """Id and English name of every organization in force, by name: for choosing one."""
    found = visible(viewer).filter(retired_at__isnull=True).order_by("name_en", "pk")
    return list(found.values_list("pk", "name_en"))
