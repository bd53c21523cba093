"""The constituency as the desk reads it: lists, pages, conflicts. The viewer bounds what is seen.

A constituent's own people see their organization and those below it; staff see all. Every
function asks a constant number of queries, however many rows it shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime

from django.db.models import Count, F, Q, QuerySet

from muhafiz.common.actor import Actor
from muhafiz.constituency.attribution import match_tables
from muhafiz.constituency.facts import (
    Cares,
    ChangeFacts,
    ClaimFacts,
    ConflictFacts,
    ImportFacts,
    OrganizationFacts,
    OrganizationPage,
    OrganizationRow,
    Page,
)
from muhafiz.constituency.matching.lookup import claims_in_order
from muhafiz.constituency.models import (
    Change,
    Claim,
    ContactVersion,
    Handle,
    Import,
    Inhibition,
    Organization,
)
from muhafiz.constituency.queries import (
    claim_facts,
    claims,
    current_contacts,
    holding,
    inhibition_facts,
    organization_facts,
    organizations,
)
from muhafiz.constituency.rules import holds, overlap, precedence

_PORTION = 2_000
_INHIBITIONS_SHOWN = 12


def search(
    text: str = "",
    *,
    viewer: Actor,
    at: datetime,
    sector: str | None = None,
    retired: bool = False,
    among: Collection[int] | None = None,
    narrowed: Q | None = None,
    cares: Cares | None = None,
    page: int = 1,
    per_page: int = 50,
) -> Page:
    """Organizations by English name, a page at a time.

    `among` bounds them by id, `narrowed` as `cares.care_of` says; `cares` are the moments by which
    contacts are counted as late. `text` is part of a name, a handle, the beginning of a network,
    domain or ASN, or an address or domain name, which finds everybody who claims it. `sector` None
    means all, "" those without.
    """
    found = visible(viewer).filter(retired_at__isnull=not retired)
    if sector is not None:
        found = found.filter(sector=sector)
    if among is not None:
        found = found.filter(pk__in=among)
    if narrowed is not None:
        found = found.filter(narrowed)
    if text.strip():
        found = found.filter(_matching(text.strip(), viewer, at))
    total = found.count()
    pages = max(1, -(-total // per_page))
    number = min(max(page, 1), pages)
    start = (number - 1) * per_page
    rows = list(found.order_by("name_en", "pk")[start : start + per_page])
    return Page(tuple(_rows(rows, at, cares)), number, pages, total)


def _ancestors(identifier: int) -> tuple[OrganizationFacts, ...]:
    """All above an organization, nearest first; two queries."""
    parents = dict(Organization.objects.values_list("pk", "parent_id"))
    line: list[int] = []
    place = parents.get(identifier)
    while place is not None and place not in line:
        line.append(place)
        place = parents.get(place)
    found = organizations(line)
    return tuple(found[pk] for pk in line)


def visible(viewer: Actor) -> QuerySet[Organization]:
    """The organizations that the viewer may know of."""
    if viewer.organization_id is None:
        return Organization.objects.all()
    return Organization.objects.filter(pk__in=_subtree(viewer.organization_id))


def _subtree(root: int) -> set[int]:
    """An organization and all below it; one query for the whole tree."""
    children: dict[int | None, list[int]] = defaultdict(list)
    for pk, parent in Organization.objects.values_list("pk", "parent_id"):
        children[parent].append(pk)
    found, open_places = {root}, [root]
    while open_places:
        below = set(children[open_places.pop()]) - found
        found |= below
        open_places.extend(below)
    return found


def _matching(text: str, viewer: Actor, at: datetime) -> Q:
    claiming = {claim.organization_id for claim in owners_of(text, viewer=viewer, at=at)}
    return (
        Q(name_en__icontains=text)
        | Q(name_ur__icontains=text)
        | Q(pk__in=claiming)
        | Q(pk__in=Handle.objects.filter(handle=text.upper()).values("organization"))
        | Q(
            pk__in=Claim.objects.filter(text__startswith=text, withdrawn_at__isnull=True).values(
                "organization"
            )
        )
    )


def _rows(
    rows: Sequence[Organization], at: datetime, cares: Cares | None
) -> Iterable[OrganizationRow]:
    owners = [row.pk for row in rows]
    day = at.astimezone(UTC).date()
    held = Claim.objects.filter(holding(day), organization__in=owners, withdrawn_at__isnull=True)
    counts = {
        (owner, kind): count
        for owner, kind, count in held.values_list("organization", "kind").annotate(Count("pk"))
    }
    people = _people(owners, at, cares)
    for row in rows:
        yield OrganizationRow(
            facts=organization_facts(row),
            networks=counts.get((row.pk, "address"), 0),
            domains=counts.get((row.pk, "domain"), 0),
            asns=counts.get((row.pk, "asn"), 0),
            **people.get(row.pk, {"contacts": 0}),
        )


def _people(owners: Sequence[int], at: datetime, cares: Cares | None) -> dict[int, dict[str, int]]:
    """How many contacts each has today, and of them those that are a care; one query."""
    late = cares.confirmed_before if cares else at
    soon = cares.key_ends_before if cares else at
    known = ContactVersion.objects.filter(
        holding(at.astimezone(UTC).date()),
        superseded_at__isnull=True,
        contact__withdrawn_at__isnull=True,
        contact__organization__in=owners,
    )
    keyed = ~Q(certificate="") & (Q(key_expires_at__isnull=True) | Q(key_expires_at__gt=at))
    rows = known.values("contact__organization").annotate(
        contacts=Count("pk"),
        unconfirmed=Count("pk", filter=Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=late)),
        keys=Count("pk", filter=keyed),
        keys_ending=Count("pk", filter=keyed & Q(key_expires_at__lt=soon)),
    )
    owner = "contact__organization"
    names = ("contacts", "unconfirmed", "keys", "keys_ending")
    return {
        owner: dict(zip(names, counts, strict=True))
        for owner, *counts in rows.values_list(owner, *names)
    }


def owners_of(text: str, *, viewer: Actor, at: datetime) -> list[ClaimFacts]:
    """The claims to an address, domain name or ASN at a moment, the one that wins first.

    What is none of these is claimed by nobody.
    """
    day = at.astimezone(UTC).date()
    ordered = claims_in_order(match_tables(), text, day)
    seen = _seen(viewer)
    found = claims(ordered)
    return [found[pk] for pk in ordered if pk in found and seen(found[pk].organization_id)]


def _seen(viewer: Actor) -> Callable[[int], bool]:
    """Whether the viewer sees an organization."""
    if viewer.organization_id is None:
        return lambda _: True
    own = _subtree(viewer.organization_id)
    return lambda identifier: identifier in own


def organization_page(
    organization_id: int, *, viewer: Actor, at: datetime, claims_shown: int = 50
) -> OrganizationPage | None:
    """Everything an organization's page shows; None when the viewer sees no such one."""
    row = visible(viewer).filter(pk=organization_id).first()
    if row is None:
        return None
    own = row.claims.filter(withdrawn_at__isnull=True)
    shown = own.order_by(F("valid_to").desc(nulls_first=True), "kind", "text")
    in_force = Inhibition.objects.filter(
        Q(organization=row) | Q(claim__organization=row), lifted_at__isnull=True, until__gt=at
    )
    return OrganizationPage(
        facts=organization_facts(row),
        note=row.note,
        handles=tuple(row.handles.order_by("source", "handle").values_list("source", "handle")),
        ancestors=tuple(one for one in _ancestors(row.pk) if _seen(viewer)(one.id)),
        children=tuple(
            organization_facts(child)
            for child in row.children.filter(retired_at__isnull=True).order_by("name_en")
        ),
        claims=tuple(claim_facts(claim) for claim in shown[:claims_shown]),
        claims_total=own.count(),
        contacts=tuple(current_contacts([row.pk])),
        inhibitions=tuple(
            inhibition_facts(one) for one in in_force.order_by("until", "pk")[:_INHIBITIONS_SHOWN]
        ),
        inhibitions_total=in_force.count(),
        conflicts=tuple(conflicts(viewer=viewer, at=at, organization_id=row.pk)),
        history=tuple(history(row.pk, viewer=viewer, limit=50)),
    )


def history(organization_id: int, *, viewer: Actor, limit: int = 200) -> list[ChangeFacts]:
    """What was changed about an organization, newest first."""
    rows = Change.objects.filter(
        organization_id=organization_id, organization__in=visible(viewer)
    ).order_by("-at", "-pk")[:limit]
    return [ChangeFacts(row.at, row.by, row.action, row.details) for row in rows]


def imports(*, limit: int = 100) -> list[ImportFacts]:
    """The files taken in, newest first; for staff only."""
    return [
        ImportFacts(
            id=row.pk,
            kind=row.kind,
            source=row.source,
            file_name=row.file_name,
            digest=row.digest,
            created_at=row.created_at,
            created_by=row.created_by,
            undone_at=row.undone_at,
            counts=row.counts,
        )
        for row in Import.objects.order_by("-pk")[:limit]
    ]


def conflicts(
    *, viewer: Actor, at: datetime, organization_id: int | None = None, limit: int = 200
) -> list[ConflictFacts]:
    """What several organizations claim for the same days with equal standing.

    Both by hand, or both from registries while nobody claims it by hand. Days gone by are left
    out. With `organization_id`, only what that organization is part of.
    """
    day = at.astimezone(UTC).date()
    standing = Claim.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day), withdrawn_at__isnull=True
    )
    chosen = standing.filter(organization__in=visible(viewer))
    if organization_id is not None:
        chosen = chosen.filter(organization_id=organization_id)
    texts = chosen.values("text") if viewer.organization_id or organization_id else None
    contested = standing if texts is None else standing.filter(text__in=texts)
    doubled = (
        contested.values("kind", "text", "origin")
        .annotate(owners=Count("organization", distinct=True))
        .filter(owners__gt=1)
        .order_by("kind", "text")
        .values_list("text", flat=True)[:_PORTION]
    )
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in standing.filter(text__in=list(doubled)).order_by("pk"):
        groups[claim.kind, claim.text].append(claim)
    seen = _seen(viewer)
    found = (_conflict(group, at, seen) for group in groups.values())
    return [conflict for conflict in found if conflict is not None][:limit]


def _conflict(
    group: Sequence[Claim], at: datetime, seen: Callable[[int], bool]
) -> ConflictFacts | None:
    """The conflict among all claims to one thing; manual claims silence automatic ones.

    Of claims that the viewer does not see, only that they are there is told.
    """
    manual = [claim for claim in group if claim.origin == "manual"]
    equals = manual or group
    clashing = [
        one
        for one in equals
        if any(
            one.organization_id != other.organization_id
            and overlap((one.valid_from, one.valid_to), (other.valid_from, other.valid_to))
            for other in equals
        )
    ]
    if not clashing:
        return None
    day = at.astimezone(UTC).date()
    today = [claim for claim in group if holds(claim.valid_from, claim.valid_to, day)]
    ranked = sorted(today, key=lambda one: precedence(one.origin, one.valid_from, one.pk))
    return ConflictFacts(
        kind=equals[0].kind,
        text=equals[0].text,
        origin=equals[0].origin,
        claims=tuple(claim_facts(claim) for claim in clashing if seen(claim.organization_id)),
        winner=ranked[0].pk if ranked and seen(ranked[0].organization_id) else None,
    )
