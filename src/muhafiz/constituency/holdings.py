"""What belongs to an organization and what is asked about it, for its own people and for staff."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q

from muhafiz.common.actor import Actor
from muhafiz.constituency.directory import owners_of
from muhafiz.constituency.facts import (
    ClaimFacts,
    ClaimPage,
    ContactFacts,
    OrganizationFacts,
    RequestFacts,
)
from muhafiz.constituency.models import Claim, ClaimRequest, Inhibition, Organization
from muhafiz.constituency.queries import (
    claim_facts,
    current_contacts,
    holding,
    organization_facts,
)
from muhafiz.constituency.request_rules import touch
from muhafiz.constituency.rules import holds
from muhafiz.constituency.visible import organizations_of

UNCONFIRMED_DAYS = 90
_CONFLICTS_SHOWN = 50


def own_organizations(*, viewer: Actor) -> list[OrganizationFacts]:
    """The viewer's organization and all below it, in the tree's order; none for staff."""
    own = organizations_of(viewer)
    if own is None:
        return []
    rows = Organization.objects.filter(pk__in=own, merged_into=None).order_by("name_en", "pk")
    facts = [organization_facts(row) for row in rows]
    return sorted(facts, key=lambda each: each.id != viewer.organization_id)


def held_claims(
    *,
    viewer: Actor,
    at: datetime,
    organization_ids: Collection[int] | None = None,
    limit: int = 500,
) -> list[ClaimFacts]:
    """What is entered as the viewer's today: networks, domains, AS numbers."""
    day = at.astimezone(UTC).date()
    rows = Claim.objects.filter(holding(day), withdrawn_at__isnull=True)
    own = organizations_of(viewer)
    for chosen in (own, organization_ids):
        if chosen is not None:
            rows = rows.filter(organization_id__in=chosen)
    return [claim_facts(row) for row in rows.order_by("kind", "text", "pk")[:limit]]


def own_claim(claim_id: int, *, viewer: Actor) -> ClaimFacts | None:
    """One claim; None when there is none that the viewer may know of."""
    rows = Claim.objects.filter(pk=claim_id, withdrawn_at__isnull=True)
    own = organizations_of(viewer)
    if own is not None:
        rows = rows.filter(organization_id__in=own)
    row = rows.first()
    return claim_facts(row) if row else None


def claims_of(
    organization_id: int,
    *,
    viewer: Actor,
    at: datetime,
    text: str = "",
    kind: str = "",
    held: bool | None = None,
    page: int = 1,
    per_page: int = 100,
) -> ClaimPage:
    """An organization's claims, a page at a time, those that hold longest first.

    `text` is part of a claim, its source or note, or an address, name or AS number, which finds
    what contains it; `held` tells apart what holds today.
    """
    day = at.astimezone(UTC).date()
    rows = Claim.objects.filter(organization_id=organization_id, withdrawn_at__isnull=True)
    own = organizations_of(viewer)
    if own is not None:
        rows = rows.filter(organization_id__in=own)
    if kind:
        rows = rows.filter(kind=kind)
    if held is not None:
        rows = rows.filter(holding(day) if held else ~holding(day))
    if text:
        around = [claim.id for claim in owners_of(text, viewer=viewer, at=at)]
        said = Q(text__icontains=text) | Q(note__icontains=text) | Q(source__iexact=text)
        rows = rows.filter(said | Q(pk__in=around))
    total = rows.count()
    pages = max(1, -(-total // per_page))
    number = min(max(page, 1), pages)
    ordered = rows.order_by(F("valid_to").desc(nulls_first=True), "kind", "text", "pk")
    start = (number - 1) * per_page
    shown = tuple(claim_facts(row) for row in ordered[start : start + per_page])
    return ClaimPage(shown, number, pages, total)


def inhibition_owner(inhibition_id: int, *, viewer: Actor) -> int | None:
    """Whose letters an inhibition in force holds back; None when the viewer knows no such one."""
    row = (
        Inhibition.objects.filter(pk=inhibition_id, lifted_at__isnull=True)
        .select_related("claim")
        .first()
    )
    if row is None:
        return None
    owner = row.claim.organization_id if row.claim is not None else row.organization_id
    own = organizations_of(viewer)
    return owner if own is None or owner in own else None


def own_contacts(*, viewer: Actor) -> list[ContactFacts]:
    """The contacts of the viewer's organization and of those below it."""
    return current_contacts(organizations_of(viewer) or ())


def own_contact(contact_id: int, *, viewer: Actor) -> ContactFacts | None:
    """One contact; None when there is none that the viewer may know of."""
    return next((each for each in own_contacts(viewer=viewer) if each.id == contact_id), None)


def unconfirmed(contact: ContactFacts, *, at: datetime, days: int = UNCONFIRMED_DAYS) -> bool:
    """Whether nobody has said for so long that the contact is still right."""
    return contact.confirmed_at is None or contact.confirmed_at < at - timedelta(days=days)


def contacts_unconfirmed(days: int = UNCONFIRMED_DAYS, *, viewer: Actor, at: datetime) -> int:
    """How many of the viewer's contacts wait for somebody to say that they are still right."""
    return sum(unconfirmed(each, at=at, days=days) for each in own_contacts(viewer=viewer))


def requests(
    *,
    viewer: Actor,
    state: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RequestFacts]:
    """What was asked, the latest first; `before` pages by id."""
    rows = ClaimRequest.objects.order_by("-pk")
    own = organizations_of(viewer)
    if own is not None:
        rows = rows.filter(organization_id__in=own)
    if state is not None:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_request(row) for row in rows[:limit]]


def open_requests(*, viewer: Actor, limit: int = 1000) -> list[RequestFacts]:
    """What waits for the CERT's decision, the latest first."""
    return requests(viewer=viewer, state="waiting", limit=limit)


def request(request_id: int, *, viewer: Actor) -> RequestFacts | None:
    """One request; None when there is none that the viewer may know of."""
    rows = ClaimRequest.objects.filter(pk=request_id)
    own = organizations_of(viewer)
    if own is not None:
        rows = rows.filter(organization_id__in=own)
    row = rows.first()
    return _request(row) if row else None


def clashing_claims(facts: RequestFacts, *, at: datetime) -> list[ClaimFacts]:
    """What others hold today of what is asked for: for the CERT's eyes alone."""
    day = at.astimezone(UTC).date()
    rows = Claim.objects.filter(kind=facts.kind, withdrawn_at__isnull=True).exclude(
        organization_id=facts.organization_id
    )
    rows = rows.filter(_near(facts)).order_by("text", "pk")
    clashing = (
        claim_facts(row)
        for row in rows.iterator(chunk_size=2_000)
        if holds(row.valid_from, row.valid_to, day) and touch(facts.kind, facts.text, row.text)
    )
    return [found for found, _ in zip(clashing, range(_CONFLICTS_SHOWN), strict=False)]


def _near(facts: RequestFacts) -> Q:
    """A cheap first sieve, which lets everything through that may touch what is asked for."""
    if facts.kind == "domain":
        names = facts.text.split(".")
        above = [".".join(names[at:]) for at in range(len(names))]
        return Q(text__in=above) | Q(text__endswith="." + facts.text)
    if facts.kind == "asn":
        return Q(text=facts.text)
    return Q(text__contains=":") if ":" in facts.text else ~Q(text__contains=":")


def _request(row: ClaimRequest) -> RequestFacts:
    names = [name for name in RequestFacts.__slots__ if name != "id"]
    return RequestFacts(id=row.pk, **{name: getattr(row, name) for name in names})
