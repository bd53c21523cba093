"""Questions other rooms ask about the constituency. Counts of queries never grow with the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from muhafiz.constituency.facts import (
    ClaimFacts,
    ContactFacts,
    InhibitionFacts,
    OrganizationFacts,
)
from muhafiz.constituency.models import Claim, ContactVersion, Inhibition, Organization
from muhafiz.constituency.rules import choose_contacts, holds, inhibits
from muhafiz.notifications.queries import retired_among
from muhafiz.notifications.rules import address_key
from muhafiz.rulebook import queries as rulebook

#: Whom to write to first about a finding.
ROLE_ORDER = ("abuse", "24/7", "ciso")
_PORTION = 10_000
#: In the order of `ContactFacts`; of the two languages the first that is set.
_CONTACT_COLUMNS = (
    "contact_id", "version", "address", "name", "role",
    "language", "contact__organization__language", "certificate",
    "contact__organization_id", "hours", "contact__origin", "contact__source",
    "fingerprint", "valid_from", "valid_to", "confirmed_at", "key_expires_at",
)  # fmt: skip


def organization(identifier: int) -> OrganizationFacts | None:
    """One organization, retired ones included; None when it never existed."""
    return organizations([identifier]).get(identifier)


def organizations(identifiers: Iterable[int]) -> dict[int, OrganizationFacts]:
    """Organizations by id, retired ones included; unknown ids are left out."""
    return {
        row.pk: organization_facts(row)
        for portion in portions(identifiers)
        for row in Organization.objects.filter(pk__in=portion)
    }


def organization_and_below(identifier: int) -> frozenset[int]:
    """An organization, all below it and all that were merged into one of these, by id.

    One query for each step down, however many organizations stand there.
    """
    found: set[int] = set()
    step = {identifier}
    while step:
        found |= step
        step = {
            pk
            for portion in portions(step)
            for pk in Organization.objects.filter(
                Q(parent_id__in=portion) | Q(merged_into_id__in=portion)
            ).values_list("pk", flat=True)
        } - found
    return frozenset(found)


def regions() -> dict[int, str]:
    """Organization id → code of its region, those without one left out; one query."""
    return dict(Organization.objects.exclude(region="").values_list("pk", "region"))


def portions(identifiers: Iterable[int]) -> Iterator[list[int]]:
    """Distinct ids in lots of 10,000: databases bound the parameters of one query."""
    distinct = sorted(set(identifiers))
    for start in range(0, len(distinct), _PORTION):
        yield distinct[start : start + _PORTION]


def organization_facts(row: Organization) -> OrganizationFacts:
    """A row as other rooms see it."""
    return OrganizationFacts(
        id=row.pk,
        public_id=row.public_id,
        name_en=row.name_en,
        name_ur=row.name_ur,
        sector=row.sector,
        region=row.region,
        language=row.language,
        parent_id=row.parent_id,
        retired=row.retired_at is not None,
        merged_into_id=row.merged_into_id,
    )


def claims(identifiers: Iterable[int]) -> dict[int, ClaimFacts]:
    """Claims by id, past and withdrawn ones included, as an event's `network_id` names them."""
    return {
        row.pk: claim_facts(row)
        for portion in portions(identifiers)
        for row in Claim.objects.filter(pk__in=portion)
    }


def claim_facts(row: Claim) -> ClaimFacts:
    """A row as other rooms see it."""
    return ClaimFacts(
        id=row.pk,
        organization_id=row.organization_id,
        kind=row.kind,
        text=row.text,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        origin=row.origin,
        source=row.source,
        note=row.note,
    )


def holding(day: date) -> Q:
    """What holds on a UTC day, claims and contacts alike; `rules.holds` as a filter."""
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
    return begun & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def contact_version(contact_id: int, version: int) -> ContactFacts | None:
    """A contact exactly as it stood in one version, for tracing a letter back."""
    row = (
        ContactVersion.objects.filter(contact_id=contact_id, version=version)
        .select_related("contact__organization")
        .first()
    )
    return contact_facts(row) if row else None


def contact_facts(row: ContactVersion) -> ContactFacts:
    """A row (with its contact and organization fetched) as other rooms see it."""
    return ContactFacts(
        id=row.contact_id,
        version=row.version,
        address=row.address,
        name=row.name,
        role=row.role,
        language=row.language or row.contact.organization.language,
        certificate=row.certificate or None,
        organization_id=row.contact.organization_id,
        hours=row.hours,
        origin=row.contact.origin,
        source=row.contact.source,
        fingerprint=row.fingerprint,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        confirmed_at=row.confirmed_at,
        key_expires_at=row.key_expires_at,
    )


def contacts_for(
    organization_ids: Iterable[int],
    *,
    at: datetime,
    role_order: Sequence[str] = ROLE_ORDER,
) -> dict[int, list[ContactFacts]]:
    """Whom to write to for each organization at a moment; an empty list where nobody is known.

    All contacts of the first role in `role_order` where someone is on call (hours are wall-clock
    time of the rulebook's `jurisdiction.timezone`); when nobody is, of the first role there is.
    Manual contacts of a role hide automatic ones; an address that several have is written to once.
    Addresses that mail systems have permanently refused are skipped. Where nobody is left, the
    parent answers, and so on up; a merged organization's letters go to the one it became part of.
    """
    wanted = set(organization_ids)
    tree = _with_successors(wanted)
    reachable = _reachable(tree, at)
    zone = str(rulebook.value_or("jurisdiction.timezone", "UTC", at=at))
    local = at.astimezone(ZoneInfo(zone))
    answers = {}
    for identifier in wanted:
        place: int | None = identifier
        found: list[ContactFacts] = []
        while place is not None and not found:
            found = choose_contacts(reachable.get(place, ()), role_order, local)
            place = tree.get(place)
        answers[identifier] = _each_address_once(found, at)
    return answers


def _each_address_once(contacts: Sequence[ContactFacts], at: datetime) -> list[ContactFacts]:
    """One mailbox, one letter: of contacts with one address the first with a key that holds."""
    chosen: dict[str, ContactFacts] = {}
    for contact in sorted(contacts, key=lambda each: not _has_key(each, at)):
        chosen.setdefault(address_key(contact.address), contact)
    return [contact for contact in contacts if chosen[address_key(contact.address)] is contact]


def _has_key(contact: ContactFacts, at: datetime) -> bool:
    expires = contact.key_expires_at
    return contact.certificate is not None and (expires is None or expires > at)


def _with_successors(identifiers: set[int]) -> dict[int, int | None]:
    """Each organization's next place to ask (what it merged into, else its parent), all the way."""
    tree: dict[int, int | None] = {}
    asked = set(identifiers)
    while asked:
        found = {
            pk: merged or parent
            for portion in portions(asked)
            for pk, merged, parent in Organization.objects.filter(pk__in=portion).values_list(
                "pk", "merged_into_id", "parent_id"
            )
        }
        tree |= found
        asked = {place for place in found.values() if place is not None} - set(tree)
    return tree


def _reachable(organization_ids: Iterable[int], at: datetime) -> Mapping[int, list[ContactFacts]]:
    day = at.astimezone(UTC).date()
    rows = current_contacts(organization_ids)
    valid = [row for row in rows if holds(row.valid_from, row.valid_to, day)]
    retired = retired_among(row.address for row in valid)
    grouped: dict[int, list[ContactFacts]] = defaultdict(list)
    for row in valid:
        if address_key(row.address) not in retired:
            grouped[row.organization_id].append(row)
    return {place: _manual_first(found) for place, found in grouped.items()}


def _manual_first(contacts: list[ContactFacts]) -> list[ContactFacts]:
    """Within a role, manual contacts hide automatic ones."""
    manual = {contact.role for contact in contacts if contact.origin == "manual"}
    return [c for c in contacts if c.origin == "manual" or c.role not in manual]


def current_contacts(organization_ids: Iterable[int]) -> list[ContactFacts]:
    """The contacts of some organizations as they stand, in the order they were made."""
    return [
        _contact(row)
        for portion in portions(organization_ids)
        for row in ContactVersion.objects.filter(
            superseded_at__isnull=True,
            contact__withdrawn_at__isnull=True,
            contact__organization_id__in=portion,
        )
        .order_by("contact_id")
        .values_list(*_CONTACT_COLUMNS)
    ]


def _contact(columns: Sequence[Any]) -> ContactFacts:
    """The values of `_CONTACT_COLUMNS` as facts, without three model instances on the way."""
    *known, language, theirs, certificate = columns[:8]
    values = [*known, language or theirs, certificate or None, *columns[8:]]
    return ContactFacts(*values)


def inhibited(
    organization_ids: Iterable[int], classes: Iterable[str], at: datetime
) -> dict[tuple[int, str], InhibitionFacts]:
    """The pairs (organization, RSIT type) that no letter may be about at this moment, and why.

    An inhibition covers its organization only, not those below it.
    """
    rows = _in_force(Q(organization_id__in=set(organization_ids)), at)
    return {
        (row.organization_id, classification): inhibition_facts(row)
        for row in rows
        for classification in set(classes)
        if row.organization_id is not None and inhibits(row.classes, classification)
    }


def inhibited_claims(
    claim_ids: Iterable[int], classes: Iterable[str], at: datetime
) -> dict[tuple[int, str], InhibitionFacts]:
    """The pairs (claim, RSIT type) that no letter may be about at this moment, and why."""
    rows = _in_force(Q(claim_id__in=set(claim_ids)), at)
    return {
        (row.claim_id, classification): inhibition_facts(row)
        for row in rows
        for classification in set(classes)
        if row.claim_id is not None and inhibits(row.classes, classification)
    }


def _in_force(chosen: Q, at: datetime) -> list[Inhibition]:
    """The longest-lasting last, so that it is the reason given."""
    return list(
        Inhibition.objects.filter(
            chosen, lifted_at__isnull=True, until__gt=at, created_at__lte=at
        ).order_by(F("until"), "pk")
    )


def inhibition_facts(row: Inhibition) -> InhibitionFacts:
    """A row as other rooms see it."""
    return InhibitionFacts(
        id=row.pk,
        organization_id=row.organization_id,
        claim_id=row.claim_id,
        classes=row.classes,
        until=row.until,
        reason=row.reason,
        created_at=row.created_at,
        created_by=row.created_by,
        lifted_at=row.lifted_at,
    )
