"""What merging two organizations would move, before it is done."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from muhafiz.common.refusal import Refusal
from muhafiz.constituency.facts import Merging
from muhafiz.constituency.models import Claim, Inhibition, Organization
from muhafiz.constituency.queries import (
    claim_facts,
    current_contacts,
    inhibition_facts,
    organization_facts,
)
from muhafiz.constituency.rules import CannotMerge


def merge_preview(kept_id: int, absorbed_id: int, since: date) -> Merging | None:
    """What `merge_organizations` would do; None when either does not exist."""
    rows = Organization.objects.in_bulk([kept_id, absorbed_id])
    kept, absorbed = rows.get(kept_id), rows.get(absorbed_id)
    if kept is None or absorbed is None:
        return None
    open_claims = Claim.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=since),
        organization=absorbed,
        withdrawn_at__isnull=True,
    ).order_by("kind", "text")
    theirs = set(
        Claim.objects.filter(organization=kept, withdrawn_at__isnull=True).values_list(
            "text", flat=True
        )
    )
    inhibitions = Inhibition.objects.filter(
        Q(organization=absorbed) | Q(claim__organization=absorbed), lifted_at__isnull=True
    )
    claims = tuple(claim_facts(row) for row in open_claims)
    return Merging(
        kept=organization_facts(kept),
        absorbed=organization_facts(absorbed),
        claims=claims,
        contacts=tuple(current_contacts([absorbed_id])),
        handles=tuple(
            absorbed.handles.order_by("source", "handle").values_list("source", "handle")
        ),
        inhibitions=tuple(inhibition_facts(row) for row in inhibitions.order_by("pk")),
        children=tuple(organization_facts(row) for row in absorbed.children.order_by("name_en")),
        doubled=frozenset(claim.text for claim in claims if claim.text in theirs),
        obstacle=_obstacle(kept, absorbed),
    )


def _obstacle(kept: Organization, absorbed: Organization) -> Refusal | None:
    if kept.pk == absorbed.pk:
        return CannotMerge(reason="they are the same")
    if kept.retired_at or absorbed.retired_at:
        return CannotMerge(reason="one of them is retired")
    parents = dict(Organization.objects.values_list("pk", "parent_id"))
    place: int | None = kept.parent_id
    for _ in parents:
        if place is None:
            return None
        if place == absorbed.pk:
            return CannotMerge(reason="the one to keep stands below the other; move it first")
        place = parents.get(place)
    return None
