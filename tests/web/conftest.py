"""The static files as an installation has them, and people who have entered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from muhafiz.accounts.queries import PersonFacts


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    from muhafiz.web.build import build_static

    build_static()


@pytest.fixture
def person(db: None) -> Callable[[str], PersonFacts]:
    """Register somebody with one role."""
    from muhafiz.accounts.actions.people import grant_role, register_person
    from muhafiz.common.actor import Actor

    operator, moment = Actor.command("operator"), datetime.now(UTC)

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

    def made(role: str) -> Client:
        client = Client()
        session = client.session
        session["person"] = person(role).id
        session.save()
        client.cookies["sessionid"] = session.session_key
        return client

    return made
