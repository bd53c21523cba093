"""Constituents, by names, networks, domains, contacts and keys."""

from __future__ import annotations

from muhafiz.constituency.naming import (
    OrganizationNames,
    changed_after,
    latest_change,
    names_of,
    organizations_after,
)
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "organization"
PERMISSION = "constituency.read"
TENANTS = True


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """First all by id ("all:<last id>:<change>"), from then on who was changed ("changed:<line>").

    The change is the last line of history when the reading began: nothing in between is missed.
    """
    phase, _, place = (mark or f"all:0:{latest_change()}").partition(":")
    if phase == "changed":
        ids, last = changed_after(int(place), limit=limit)
        return [_draft(each) for each in names_of(ids)], f"changed:{last}"
    after, _, change = place.partition(":")
    ids = organizations_after(int(after), limit=limit)
    if not ids:
        return [], f"changed:{change}"
    return [_draft(each) for each in names_of(ids)], f"all:{ids[-1]}:{change}"


def _draft(each: OrganizationNames) -> Draft:
    facts = each.facts
    return Draft(
        key=str(facts.id),
        title=facts.name_en,
        title_ur=facts.name_ur,
        told=" · ".join(each.claims[:3]),
        terms=terms(
            names=(str(facts.public_id), *each.handles, *each.claims, *each.fingerprints),
            words=(facts.name_en, facts.name_ur),
            mentions=(*each.contacts, facts.sector),
        ),
        args={"organization_id": facts.id},
        organization_id=facts.id,
        moment=each.created_at,
    )
