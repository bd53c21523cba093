"""Who is who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from muhafiz.accounts.models import Person, Role
from muhafiz.accounts.rules import plain_email
from muhafiz.common.actor import Actor


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person and the roles held now."""

    id: int
    email: str
    name: str
    language: str
    organization_id: int | None
    active: bool
    registered_at: datetime
    roles: frozenset[str]

    def actor(self) -> Actor:
        """The person as the one who acts."""
        return Actor(
            kind="person",
            identifier=str(self.id),
            name=self.name,
            roles=self.roles,
            organization_id=self.organization_id,
        )


def person_actor(person_id: int) -> Actor | None:
    """The person as an actor with the roles held at this moment; None when gone or suspended."""
    found = person(person_id)
    return found.actor() if found is not None and found.active else None


def person(person_id: int) -> PersonFacts | None:
    """One person, None when there is none of this number."""
    rows = _with_roles().filter(pk=person_id)
    return next((facts(row) for row in rows), None)


def person_by_email(email: str) -> PersonFacts | None:
    """The person of this address, in whatever case it is written; None when nobody is."""
    rows = _with_roles().filter(email=plain_email(email))
    return next((facts(row) for row in rows), None)


def people(*, role: str | None = None, active: bool | None = True) -> list[PersonFacts]:
    """People by name; two queries however many there are."""
    rows = _with_roles().order_by("name", "pk")
    if active is not None:
        rows = rows.filter(active=active)
    if role is not None:
        rows = rows.filter(roles__role=role, roles__revoked_at__isnull=True)
    return [facts(row) for row in rows]


def _with_roles() -> QuerySet[Person]:
    held = Role.objects.filter(revoked_at__isnull=True)
    return Person.objects.prefetch_related(Prefetch("roles", queryset=held, to_attr="held"))


def facts(row: Person) -> PersonFacts:
    """A row as plain facts; roles come from its prefetched `held`, else from the database."""
    held = getattr(row, "held", None)
    if held is None:
        held = row.roles.filter(revoked_at__isnull=True)
    return PersonFacts(
        id=row.pk,
        email=row.email,
        name=row.name,
        language=row.language,
        organization_id=row.organization_id,
        active=row.active,
        registered_at=row.registered_at,
        roles=frozenset(grant.role for grant in held),
    )
