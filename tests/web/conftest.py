"""The static files as an installation has them, and people who have entered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.queries import PersonFacts
from muhafiz.web.build import build_static
from tests.web.given import OPERATOR, World, make_world


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    build_static()


@pytest.fixture
def person(db: None) -> Callable[[str], PersonFacts]:
    """Register somebody with one role."""
    operator, moment = OPERATOR, datetime.now(UTC)

    def made(role: str) -> PersonFacts:
        found = register_person(
            email=f"{role or 'nobody'}@example.org",
            name=f"The {role}",
            language="en",
            actor=operator,
            now=moment,
        )
        if role:
            grant_role(person_id=found.id, role=role, actor=operator, now=moment)
        return found

    return made


@pytest.fixture
def entered(person: Callable[[str], PersonFacts]) -> Callable[[str], Client]:
    """A browser of somebody with one role, who has entered."""

    return lambda role: _entered_as(person, (role,))


@pytest.fixture
def world(db: None, folders: object, settings: object) -> World:
    """A small nation after a day's work."""
    settings.DEMONSTRATION = True
    return make_world()


@pytest.fixture
def all_roles(person: Callable[[str], PersonFacts]) -> Client:
    """A browser of somebody who may see every screen."""
    return _entered_as(person, ("duty_officer", "director"))


def _entered_as(person: Callable[[str], PersonFacts], roles: tuple[str, ...]) -> Client:
    found = person(roles[0])
    for role in roles[1:]:
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    client = Client()
    session = client.session
    session["person"] = found.id
    session.save()
    client.cookies["sessionid"] = session.session_key
    return client
