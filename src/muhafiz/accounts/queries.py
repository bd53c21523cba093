"""Who is who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import is_password_usable
from django.db.models import Prefetch, Q, QuerySet

from muhafiz.accounts.choices import Density, plain_density
from muhafiz.accounts.models import Invitation, Person, Role, SavedView, Session
from muhafiz.accounts.rules import LONGEST_SESSION, plain_email, token_digest
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
    second_factor: bool = False
    has_password: bool = False

    def actor(self) -> Actor:
        """The person as the one who acts."""
        return Actor(
            kind="person",
            identifier=str(self.id),
            name=self.name,
            roles=self.roles,
            organization_id=self.organization_id,
        )


@dataclass(frozen=True, slots=True)
class Preferences:
    """How the platform looks to one person; `shortcuts`: single keys do things."""

    language: str = "en"
    density: Density = "comfortable"
    shortcuts: bool = True


@dataclass(frozen=True, slots=True)
class SavedViewFacts:
    """A list's filters under a name; `query` is the address's query."""

    id: int
    name: str
    query: str
    shared: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in browser and its person."""

    session_id: int
    person: PersonFacts
    preferences: Preferences
    way: str
    seen_at: datetime
    confirmed_at: datetime


def visit(key: str, *, now: datetime) -> Visit | None:
    """The open session of this secret; None when it ended, is too old, or its person suspended."""
    asked = _open(now).filter(digest=token_digest(key), person__active=True)
    rows = list(asked.values(*_VISITED))  # a row for each role ever held; every request asks
    if not rows:
        return None
    told = {name.removeprefix("person__"): value for name, value in rows[0].items()}
    held = {row[_ROLE] for row in rows if row[_REVOKED] is None}
    who = PersonFacts(
        **{name: told[name] for name in _PERSONAL},
        id=told["person_id"],
        roles=frozenset(held - {None}),
        has_password=is_password_usable(told["password"]),
    )
    chosen = Preferences(told["language"], plain_density(told["density"]), told["shortcuts"])
    return Visit(told["pk"], who, chosen, told["way"], told["seen_at"], told["confirmed_at"])


_ROLE, _REVOKED = "person__roles__role", "person__roles__revoked_at"
_PERSONAL = (
    "email", "name", "language", "organization_id", "active", "registered_at", "second_factor",
)  # fmt: skip
_VISITED = (
    "pk", "way", "seen_at", "confirmed_at", "person_id", "person__password", "person__density",
    "person__shortcuts", _ROLE, _REVOKED, *(f"person__{name}" for name in _PERSONAL),
)  # fmt: skip


def _open(now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(ended_at=None, opened_at__gt=now - LONGEST_SESSION)


def preferences(person_id: int) -> Preferences:
    """What the person chose; the defaults for nobody."""
    row = Person.objects.filter(pk=person_id).first()
    return Preferences() if row is None else _preferences(row)


def _preferences(row: Person) -> Preferences:
    return Preferences(row.language, plain_density(row.density), row.shortcuts)


def saved_views(page: str, viewer: Actor) -> list[SavedViewFacts]:
    """The viewer's own views of a page, and those that others of the same house share, by name."""
    if viewer.kind != "person":
        return []
    own = Q(owner_id=int(viewer.identifier))
    shared = Q(shared=True, organization_id=viewer.organization_id, owner__active=True)
    if viewer.organization_id is None:
        shared = Q(shared=True, organization_id__isnull=True, owner__active=True)
    rows = SavedView.objects.filter(own | shared, page=page).order_by("name", "pk")
    return [
        SavedViewFacts(
            row.pk, row.name, row.query, row.shared, str(row.owner_id) == viewer.identifier
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A signed-in browser as its list shows it."""

    id: int
    way: str
    address: str
    browser: str
    opened_at: datetime
    seen_at: datetime
    here: bool


def open_sessions(person_id: int, *, now: datetime, key: str = "") -> list[SessionFacts]:
    """A person's sessions that have not ended, the latest first; `here` is the one of `key`."""
    here = token_digest(key) if key else ""
    rows = _open(now).filter(person_id=person_id).order_by("-seen_at", "-pk")
    return [
        SessionFacts(
            row.pk, row.way, row.address, row.browser, row.opened_at, row.seen_at,
            row.digest == here,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """An invitation that is open, accepted, withdrawn or over."""

    id: int
    email: str
    name: str
    role: str
    organization_id: int | None
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether its link still lets somebody join."""
        return not (self.accepted_at or self.withdrawn_at) and now < self.expires_at


def invitations(*, organization_id: int | None = None, limit: int = 100) -> list[InvitationFacts]:
    """Invitations, the latest first; of one organization's people when it is given."""
    rows = Invitation.objects.order_by("-pk")
    if organization_id is not None:
        rows = rows.filter(organization_id=organization_id)
    return [_invitation(row) for row in rows[:limit]]


def open_invitation(token: str, *, now: datetime) -> InvitationFacts | None:
    """The invitation of this token, while it is open."""
    row = Invitation.objects.filter(digest=token_digest(token)).first()
    found = None if row is None else _invitation(row)
    return found if found is not None and found.is_open(now) else None


def _invitation(row: Invitation) -> InvitationFacts:
    return InvitationFacts(
        id=row.pk,
        email=row.email,
        name=row.name,
        role=row.role,
        organization_id=row.organization_id,
        invited_by=row.invited_by,
        invited_at=row.invited_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        withdrawn_at=row.withdrawn_at,
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


def people(
    *, role: str | None = None, active: bool | None = True, organization_id: int | None = None
) -> list[PersonFacts]:
    """People by name, of one organization when it is given; two queries however many there are."""
    rows = _with_roles().order_by("name", "pk")
    if organization_id is not None:
        rows = rows.filter(organization_id=organization_id)
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
        second_factor=row.second_factor,
        has_password=row.has_usable_password(),
    )
