"""By which names organizations are known: what an index of them is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.constituency.models import Change, Claim, ContactVersion, Handle, Organization
from muhafiz.constituency.queries import organization_facts

MOST_CLAIMS = 2_000  # of one organization


@dataclass(frozen=True, slots=True)
class OrganizationNames:
    """An organization with everything that names it, what was withdrawn or replaced left out."""

    facts: OrganizationFacts
    handles: tuple[str, ...]
    claims: tuple[str, ...]  # "203.0.113.0/24", "example.org", "AS64500"
    contacts: tuple[str, ...]  # addresses and names
    fingerprints: tuple[str, ...]
    created_at: datetime


def names_of(organization_ids: Collection[int]) -> list[OrganizationNames]:
    """The names of these organizations, by id; four queries."""
    chosen = list(organization_ids)
    handles: dict[int, list[str]] = defaultdict(list)
    for owner, handle in Handle.objects.filter(organization__in=chosen).values_list(
        "organization", "handle"
    ):
        handles[owner].append(handle)
    claims: dict[int, list[str]] = defaultdict(list)
    for owner, text in (
        Claim.objects.filter(organization__in=chosen, withdrawn_at__isnull=True)
        .order_by("organization", "pk")
        .values_list("organization", "text")
    ):
        if len(claims[owner]) < MOST_CLAIMS:
            claims[owner].append(text)
    contacts, keys = _contacts(chosen)
    return [
        OrganizationNames(
            facts=organization_facts(row),
            handles=tuple(handles[row.pk]),
            claims=tuple(claims[row.pk]),
            contacts=tuple(contacts[row.pk]),
            fingerprints=tuple(keys[row.pk]),
            created_at=row.created_at,
        )
        for row in Organization.objects.filter(pk__in=chosen).order_by("pk")
    ]


def _contacts(chosen: list[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    names: dict[int, list[str]] = defaultdict(list)
    keys: dict[int, list[str]] = defaultdict(list)
    for owner, address, name, fingerprint in ContactVersion.objects.filter(
        contact__organization__in=chosen,
        contact__withdrawn_at__isnull=True,
        superseded_at__isnull=True,
    ).values_list("contact__organization", "address", "name", "fingerprint"):
        names[owner] += [address, name]
        if fingerprint:
            keys[owner].append(fingerprint)
    return names, keys


def organizations_after(organization_id: int, *, limit: int) -> list[int]:
    """The next organizations by id, retired ones included."""
    found = Organization.objects.filter(pk__gt=organization_id).order_by("pk")
    return list(found.values_list("pk", flat=True)[:limit])


def latest_change() -> int:
    """The number of the last line of any organization's history; 0: there is none."""
    return Change.objects.aggregate(last=Max("pk"))["last"] or 0


def changed_after(change: int, *, limit: int) -> tuple[list[int], int]:
    """Whom the next lines of history are about, and the number of the last of these lines."""
    lines = list(
        Change.objects.filter(pk__gt=change)
        .order_by("pk")
        .values_list("pk", "organization_id")[:limit]
    )
    return sorted({owner for _, owner in lines}), lines[-1][0] if lines else change
