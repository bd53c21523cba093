"""The static files as an installation has them, and people who have entered."""

from __future__ import annotations

import email
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from email import policy
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.queries import PersonFacts
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.worker import run_due
from muhafiz.web import verification
from muhafiz.web.build import build_static
from muhafiz.web.signin.urls import beginnings
from tests.web.canary import two
from tests.web.given import OPERATOR, World, make_world
from tests.web.walking import plain_static, walk

__all__ = ["plain_static", "two", "walk"]


@pytest.fixture(scope="session", autouse=True)
def _built(request: pytest.FixtureRequest) -> None:
    """Build the static files; fonts cut for an earlier run are taken as they are."""
    from django.conf import settings

    cache = getattr(request.config, "cache", None)
    kept = cache.mkdir("fonts") if cache is not None else None
    fonts = settings.BUILT / "static" / "fonts"
    if kept is not None:
        shutil.copytree(kept, fonts, dirs_exist_ok=True)
    build_static()
    if kept is not None:
        for font in sorted(fonts.iterdir(), reverse=True):  # each recipe after its font
            beside = kept / f"{font.name}.{os.getpid()}"
            shutil.copyfile(font, beside)
            beside.replace(kept / font.name)


@pytest.fixture(autouse=True)
def _fresh_allowances() -> None:
    """Tests ask more often than one address may."""
    verification.allowance.renew()
    beginnings.renew()


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


@pytest.fixture
def constituent_client(db: None) -> Callable[..., Client]:
    """A browser of one of an organization's own people, who has entered."""

    def made(organization_id: int, role: str = "constituent_officer") -> Client:
        found = register_person(
            email=f"{role}-{organization_id}@example.org",
            name=f"The {role} of {organization_id}",
            organization_id=organization_id,
            actor=OPERATOR,
            now=datetime.now(UTC),
        )
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
        return browser_of(found)

    return made


def _entered_as(person: Callable[[str], PersonFacts], roles: tuple[str, ...]) -> Client:
    found = person(roles[0])
    for role in roles[1:]:
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    return browser_of(found)


def browser_of(found: PersonFacts, **options: object) -> Client:
    """A browser of this person, who has a second factor and has signed in just now."""
    rows = get_user_model().objects.filter(pk=found.id)
    rows.update(second_factor=True)
    client = Client(**options)
    client.force_login(rows.get())
    return client


@pytest.fixture
def letters(folders: Any, settings: Any) -> Callable[[], list[str]]:
    """The texts of the letters that left, in order; delivers what is due first."""
    settings.DEMONSTRATION = False
    settings.MAIL_FROM = settings.MAIL_FROM or "National CERT <cert@cert.example>"

    def read() -> list[str]:
        settings.DEMONSTRATION = True  # its channel is a folder
        run_due(HeldClock(datetime.now(UTC)))
        settings.DEMONSTRATION = False
        files = sorted(settings.LETTERS.rglob("*.eml"), key=lambda f: f.stat().st_mtime_ns)
        return [_text(file.read_bytes()) for file in files]

    return read


def _text(raw: bytes) -> str:
    body = email.message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return body.get_content()
