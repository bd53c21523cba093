"""The walk of the permission matrix: every route by every method as every role, own ids and others'.

What is refused changes no row of any table, whatever it was. Reading and changing routes are walked
by two modules, so that two workers share them.
"""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.template import Template
from django.test import Client
from django.test.utils import _TestState

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.rules import matrix
from muhafiz.audit.queries import current_head, entries
from muhafiz.constituency.directory import search
from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.doors import ROUTES as DOORS
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR, World
from tests.web.samples import address, arguments, mismatched

#: Sessions are kept in memory meanwhile: each of some 20,000 requests reads one.
IN_MEMORY = "django.contrib.sessions.backends.cache"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

#: Tables that a refused request may write to, and why.
WRITTEN = {
    "audit_entry": "who was shown or refused something may be written down",
    "audit_tree": "as above",
    "accounts_session": "when it was last seen",
    "accounts_tries": "counters of lockouts",
}


#: What the log may say of requests that were refused.
TOLD: set[str] = set()


class Quick(Client):
    """A client that keeps no copies of what templates were given: there are many requests to make."""

    def request(self, **request: Any) -> Any:
        """The answer alone; cookies stay as they are."""
        return self.handler(self._base_environ(**request))


@dataclass(frozen=True)
class Who:
    """Somebody at a browser; `roles` are those that count."""

    name: str
    client: Client
    roles: frozenset[str] = frozenset()
    organization: int | None = None

    def may(self, permission: str) -> bool:
        return not self.roles.isdisjoint(matrix().permissions[permission])


def _somebody(name: str, roles: tuple[str, ...], organization: int | None = None) -> Who:
    found = register_person(
        email=f"{name.replace(' ', '-')}@example.org",
        name=f"The {name}",
        organization_id=organization,
        actor=OPERATOR,
        now=datetime.now(UTC),
    )
    for role in roles:
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    client = Quick(raise_request_exception=False)
    client.cookies = browser_of(found).cookies
    return Who(name, client, frozenset(roles), organization)


def somebody_who_may_all(organization: int | None, **options: Any) -> Client:
    """A browser of somebody with every role there is, which nobody has: each route is reached."""
    found = register_person(
        email=f"all-{organization}@example.org",
        name="All",
        organization_id=organization,
        actor=OPERATOR,
        now=datetime.now(UTC),
    )
    _give_all_roles(found.id)
    return browser_of(found, **options)


def _give_all_roles(person_id: int) -> None:
    """Past the rules, which would refuse most of them together."""
    role = next(m for m in apps.get_models() if m._meta.db_table == "accounts_role")
    for each in matrix().roles:
        role.objects.get_or_create(
            person_id=person_id, role=each, granted_at=datetime.now(UTC), granted_by="test"
        )


def _people(own: int) -> list[Who]:
    constituents = matrix().constituents
    found = [
        _somebody(role, (role,), own if role in constituents else None)
        for role in sorted(matrix().roles)
    ]
    found.append(_somebody("two roles", ("analyst", "sector_liaison")))
    found.append(_somebody("no role", ()))
    for name, organization in (("all of the staff", None), ("all of an owner", own)):
        every = _somebody(name, (), organization)
        _give_all_roles(int(every.client.session["_auth_user_id"]))
        found.append(Who(name, every.client, frozenset(matrix().roles), organization))
    suspended = _somebody("suspended", ("duty_officer",))
    person = next(m for m in apps.get_models() if m._meta.db_table == "accounts_person")
    person.objects.filter(email="suspended@example.org").update(active=False)
    found.append(Who("suspended", suspended.client))
    return [*found, Who("nobody", Quick(raise_request_exception=False))]


def owners(world: World) -> tuple[int, int]:
    """One that stands below another: it must not see upwards."""
    found = {
        row.facts.name_ur: row.facts.id for row in search(viewer=OPERATOR, at=world.moment).rows
    }
    return found["کوئٹہ واٹر"], found["سندھ پاور"]


def snapshot() -> dict[str, str]:
    """Table → a digest over its rows."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table in WRITTEN:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = sorted(
                repr([bytes(v) if isinstance(v, memoryview) else v for v in row])
                for row in cursor.fetchall()
            )
        found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def _declared(route: str) -> set[str]:
    table = DESK.get(route) or PORTAL.get(route) or DOORS[route]
    taken = set(table[1].split(", "))
    return taken | {"HEAD"} if "GET" in taken else taken


def _opens(who: Who, route: str) -> bool:
    """Whether the matrices let this person come to the route at all."""
    if route in DESK:
        return who.organization is None and who.may(DESK[route][0])
    return who.organization is not None and who.may(PORTAL[route][0])


def refused(status: int) -> bool:
    return status in {204, 302, 401, 403, 404, 405}  # 204: a part of a page sends the page away


@dataclass(frozen=True)
class Ask:
    """One request and whether it is allowed."""

    route: str
    method: str
    address: str
    allowed: bool


@dataclass(frozen=True)
class Addresses:
    """A route's address with one's own ids, and those with ids of others."""

    own: str
    foreign: tuple[str, ...] = ()  # the answer must be a no whoever asks


def _addresses(route: str, own: int, other: int) -> Addresses:
    if route in DESK:
        return Addresses(address(route))
    foreign = (address(route, other), *mismatched(route, own, other))
    named = set(arguments(route)) - {"form", "place"}
    return Addresses(address(route, own), foreign if named else ())


def _asks(who: Who, route: str, at: Addresses) -> Iterator[Ask]:
    opens, taken = _opens(who, route), _declared(route)
    for method in METHODS:
        yield Ask(route, method, at.own, opens and method in taken)
    for elsewhere in at.foreign:
        for method in sorted(taken - {"HEAD"}):
            yield Ask(route, method, elsewhere, allowed=False)


def _wrong(who: Who, ask: Ask) -> str:
    """What is wrong about the answer, if anything; what an allowed request did is taken back."""
    with transaction.atomic() if ask.allowed else nullcontext():
        answer = who.client.generic(ask.method, ask.address)
        if ask.allowed:
            if answer.streaming:
                b"".join(answer.streaming_content)
            transaction.set_rollback(True)
    status, leads = answer.status_code, answer.headers.get("Location", "")
    if ask.allowed:
        right = status not in {401, 403, 405} and status < 500 and leads != "/"
    else:
        right = refused(status) and (leads in {"", "/"} or leads.startswith("/sign-in/"))
    told = f"{who.name}: {ask.method} {ask.address} ({ask.route}) gave {status} {leads}"
    return "" if right else told


@contextmanager
def unobserved() -> Iterator[None]:
    """Some 10,000 requests: none told to the log, no template rendered for a test to look at."""
    logger, rendered = logging.getLogger("django.request"), Template._render
    level = logger.level
    logger.setLevel(logging.ERROR)
    Template._render = _TestState.saved_data.template_render
    gc.collect()
    gc.freeze()  # what is there stays there: no use in looking at it again and again
    try:
        yield
    finally:
        gc.unfreeze()
        Template._render = rendered
        logger.setLevel(level)


def walk(world: World, chosen: list[str]) -> list[str]:
    """What is wrong about the chosen routes, one line each."""
    own, other = owners(world)
    people, wrong, before, logged = _people(own), [], snapshot(), current_head().size
    with unobserved():
        for route in chosen:
            at = _addresses(route, own, other)
            wrong += [_wrong(who, ask) for who in people for ask in _asks(who, route, at)]
            after = snapshot()
            changed = [table for table in before if before[table] != after[table]]
            wrong += [f"{route}: refused requests changed {table}" for table in changed]
            before = after
    told = {entry.action for entry in entries(limit=10_000) if entry.index >= logged}
    wrong += [f"refused requests are told of as {action}" for action in sorted(told - TOLD)]
    return [each for each in wrong if each]
