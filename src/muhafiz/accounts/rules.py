"""What each role may do. Pure; the matrix is data (`permissions.toml`)."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal

#: A browser is signed in for so long at most, whatever it does meanwhile: a long shift.
LONGEST_SESSION: Final = timedelta(hours=12)


class NotAllowed(Refusal):
    """None of the actor's roles has the permission."""

    text = "{name} may not do this: it needs the permission {permission}."


class UnknownPermission(LookupError):  # noqa: N818 - named for what is wrong
    """The matrix has no such permission: a mistake in the program, never a yes."""


class UnknownRole(Refusal):
    """The matrix has no such role."""

    text = "There is no role {role}.{hint}"


class CannotHoldRole(Refusal):
    """The person must not have this role."""

    text = "{name} cannot be given the role {role}: {reason}."


class CannotGrant(Refusal):
    """The actor must not give or take this role."""

    text = "{name} cannot change the roles of {whom}: {reason}."


class CannotManage(Refusal):
    """Nobody shuts themselves out."""

    text = "Nobody does this to their own account; ask another administrator."


class NeedsReason(Refusal):
    """A grave act without a reason."""

    text = "Give a reason: it is kept in the audit log."


class CannotInvite(Refusal):
    """The actor must not invite somebody into this role or organization."""

    text = "You can invite only people of your own organization, into its own roles."


class CannotHaveEmail(Refusal):
    """The address belongs to somebody already whom the actor may know of."""

    text = "This address cannot be used."


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who may do what: permission → roles, and which roles do not go together.

    `cases` are the permissions that open case content: what happened to whom.
    """

    roles: Mapping[str, str]
    permissions: Mapping[str, frozenset[str]]
    constituents: frozenset[str]
    alone: frozenset[str]
    apart: tuple[tuple[frozenset[str], str], ...]
    cases: frozenset[str] = frozenset()


@cache
def matrix() -> Matrix:
    """The matrix that came with this version.

    Raises:
        ValueError: it names a role that it does not declare, or opens cases to a role that must
            read none.
    """
    text = files("muhafiz.accounts").joinpath("permissions.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    read = Matrix(
        roles=data["roles"],
        permissions={key: frozenset(roles) for key, roles in data["permissions"].items()},
        constituents=frozenset(data["constituents"]["roles"]),
        alone=frozenset(data["alone"]["roles"]),
        apart=tuple((frozenset(pair["roles"]), pair["reason"]) for pair in data["apart"]),
        cases=frozenset(data["cases"]["permissions"]),
    )
    named = {role for roles in read.permissions.values() for role in roles}
    strange = named - set(read.roles) - {"@command", "@job"}
    if strange:
        raise ValueError(f"permissions.toml names undeclared roles: {sorted(strange)}")
    for role in data["cases"]["closed_to"]:
        opened = sorted(one for one in read.cases if role in read.permissions[one])
        if opened:
            raise ValueError(f"permissions.toml opens case content to {role}: {opened}")
    return read


def may(actor: Actor, permission: str) -> bool:
    """Whether one of the actor's roles has the permission.

    A person with the permission's role counts only in that role; an operator at the command line
    and the platform's own jobs stand in the matrix as "@command" and "@job"; the public has none.

    Raises:
        UnknownPermission: the matrix does not know the permission.
    """
    holders = matrix().permissions.get(permission)
    if holders is None:
        raise UnknownPermission(permission)
    if actor.kind in {"command", "job"}:
        return f"@{actor.kind}" in holders
    held = actor.roles & matrix().roles.keys()  # "@command" is nobody's role
    return actor.kind == "person" and not holders.isdisjoint(held)


def check_may(actor: Actor, permission: str) -> None:
    """Refuse unless `may`.

    Raises:
        NotAllowed: none of the actor's roles has the permission.
    """
    if not may(actor, permission):
        raise NotAllowed(name=actor.name, permission=permission)


def check_role(role: str) -> None:
    """Refuse a role that the matrix does not have.

    Raises:
        UnknownRole: it has none of this name.
    """
    if role not in matrix().roles:
        near = difflib.get_close_matches(role, matrix().roles, n=1)
        raise UnknownRole(role=role, hint=f" Did you mean {near[0]}?" if near else "")


def check_holds(
    *, name: str, role: str, held: Collection[str], organization_id: int | None
) -> None:
    """Refuse a role that does not go with the person or with the roles held already.

    Raises:
        UnknownRole: the matrix does not have it.
        CannotHoldRole: it does not go together.
    """
    check_role(role)
    reason = _objection(role, frozenset(held) - {role}, organization_id)
    if reason:
        raise CannotHoldRole(name=name, role=role, reason=reason)


def _objection(role: str, others: frozenset[str], organization_id: int | None) -> str:
    rules = matrix()
    if (role in rules.constituents) != (organization_id is not None):
        return "roles of a constituent are for its own people, and only those are"
    if others and (role in rules.alone or others & rules.alone):
        return f"{', '.join(sorted((others | {role}) & rules.alone))} must be somebody's only role"
    for pair, reason in rules.apart:
        if role in pair and others & pair:
            return reason
    return ""


def check_grants(actor: Actor, *, person_id: int, whom: str) -> None:
    """Refuse an actor who must not change this person's roles.

    Raises:
        NotAllowed: the actor may change nobody's.
        CannotGrant: nobody changes their own.
    """
    check_may(actor, "people.edit")
    if actor.kind == "person" and actor.identifier == str(person_id):
        raise CannotGrant(name=actor.name, whom=whom, reason="nobody changes their own roles")


def may_manage(actor: Actor, *, organization_id: int | None) -> bool:
    """Whether the actor looks after the people of this organization (None: the CERT's own).

    Who may change roles looks after everybody; a constituent's administrator after their own.
    """
    if may(actor, "people.edit"):
        return True
    own = actor.organization_id is not None and actor.organization_id == organization_id
    return own and may(actor, "people.invite")


def check_ends_sessions(actor: Actor, *, person_id: int, organization_id: int | None) -> None:
    """Refuse an actor who wants to end a stranger's sessions.

    Raises:
        NotAllowed: they are somebody else's, and the actor does not look after them.
    """
    own = actor.kind == "person" and actor.identifier == str(person_id)
    if not (own or may_manage(actor, organization_id=organization_id)):
        raise NotAllowed(name=actor.name, permission="people.edit")


def check_manages(actor: Actor, *, person_id: int, organization_id: int | None) -> None:
    """Refuse an actor who must not shut this person out or take their ways in away.

    Raises:
        NotAllowed: they do not look after these people.
        CannotManage: nobody does it to themselves.
    """
    if not may_manage(actor, organization_id=organization_id):
        raise NotAllowed(name=actor.name, permission="people.edit")
    if actor.kind == "person" and actor.identifier == str(person_id):
        raise CannotManage


def check_invites(actor: Actor, *, role: str, organization_id: int | None) -> None:
    """Refuse an actor who must not invite somebody into this role.

    Who may change roles invites anybody; a constituent's administrator only their own people.

    Raises:
        NotAllowed: the actor invites nobody.
        UnknownRole, CannotHoldRole: the role does not go with the organization.
        CannotInvite: it is not the actor's own organization.
    """
    check_may(actor, "people.invite")
    if not may_manage(actor, organization_id=organization_id):
        raise CannotInvite
    check_holds(name="", role=role, held=(), organization_id=organization_id)


def token_digest(token: str) -> str:
    """What is kept of an entry link's token: SHA-256 in hex (the token has 256 random bits)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def plain_name(name: str) -> str:
    """The name without control characters and lone surrogates, trimmed to 200 characters."""
    return "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cs"}).strip()[:200]


def plain_email(email: str) -> str:
    """The address as people are known by: trimmed and in lower case."""
    return email.strip().lower()
