"""Whose things an actor may touch: the CERT's people anybody's, a constituent's their own."""

from __future__ import annotations

from muhafiz.common.actor import Actor
from muhafiz.constituency.queries import organization_and_below
from muhafiz.constituency.rules import NoSuchOrganization


def organizations_of(viewer: Actor) -> frozenset[int] | None:
    """The organizations whose things this viewer may know of; None: all (the CERT's own people)."""
    if viewer.organization_id is None:
        return None
    return organization_and_below(viewer.organization_id)


def check_own(actor: Actor, organization_id: int) -> None:
    """Refuse an organization that is not the actor's, as if it did not exist.

    Raises:
        NoSuchOrganization: it is another's.
    """
    own = organizations_of(actor)
    if own is not None and organization_id not in own:
        raise NoSuchOrganization(organization=organization_id)
