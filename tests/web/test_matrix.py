"""Every route by every method as every role, with one's own ids, another's, and ids that do not go together.

What is refused changes no row of any table, whatever it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.rules import matrix
from muhafiz.constituency.directory import search
from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.doors import ROUTES as DOORS
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR, World, work_on
from tests.web.samples import SAMPLES, address, arguments, mismatched, routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

#: Tables that a refused request may write to, and why.
WRITTEN = {
    "audit_entry": "who was shown or refused something may be written down",
    "audit_tree": "as above",
    "django_session": "what was typed is kept while the person proves who they are",
    "accounts_session": "when it was last seen",
    "accounts_tries": "counters of lockouts",
}


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


def _people(own: int) -> list[Who]:
    constituents = matrix().constituents
    found = [
        _somebody(role, (role,), own if role in constituents else None)
        for role in sorted(matrix().roles)
    ]
    found.append(_somebody("two roles", ("analyst", "sector_liaison")))
    found.append(_somebody("no role", ()))
    suspended = _somebody("suspended", ("duty_officer",))
    person = next(m for m in apps.get_models() if m._meta.db_table == "accounts_person")
    person.objects.filter(email="suspended@example.org").update(active=False)
    found.append(Who("suspended", suspended.client))
    return [*found, Who("nobody", Quick(raise_request_exception=False))]


def _owners(world: World) -> tuple[int, int]:
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


def _refused(status: int) -> bool:
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
        right = _refused(status) and (leads in {"", "/"} or leads.startswith("/sign-in/"))
    told = f"{who.name}: {ask.method} {ask.address} ({ask.route}) gave {status} {leads}"
    return "" if right else told


def test_every_route_has_a_row_in_one_matrix():
    tables = [set(DESK), set(PORTAL), set(DOORS)]
    assert set(routes()) == set().union(*tables)
    assert sum(map(len, tables)) == len(set().union(*tables)), "a route stands in two matrices"


def test_every_argument_has_a_sample():
    named = {f"{route}:{each}" for route in routes() for each in arguments(route)}
    assert {
        each for each in named if each not in SAMPLES and each.split(":")[1] not in SAMPLES
    } == set()


@pytest.mark.django_db
def test_every_route_every_method_every_role(world):
    work_on(world)
    own, other = _owners(world)
    people, wrong, before = _people(own), [], snapshot()
    for route in [*DESK, *PORTAL]:
        at = _addresses(route, own, other)
        wrong += [_wrong(who, ask) for who in people for ask in _asks(who, route, at)]
        after = snapshot()
        changed = [table for table in before if before[table] != after[table]]
        wrong += [f"{route}: refused requests changed {table}" for table in changed]
        before = after
    assert "\n".join(filter(None, wrong)) == ""


@pytest.mark.django_db
def test_the_doors_that_need_an_entry_do_nothing_for_nobody(world, settings):
    settings.DEMONSTRATION = False
    nobody, before = Client(raise_request_exception=False), snapshot()
    for route, (who, _) in DOORS.items():
        for method in METHODS:
            answer = nobody.generic(method, address(route))
            assert answer.status_code < 500, f"{method} {route}"
            if who == "everyone" or method == "OPTIONS":
                continue
            assert _refused(answer.status_code), f"{method} {route}: {answer.status_code}"
    changed = {table for table, digest in snapshot().items() if before[table] != digest}
    assert changed <= {"web_policy_report"}  # browsers report without having entered
