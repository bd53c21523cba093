"""People who sign in as people do, and what their letters say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth import get_user_model
from django.test import Client

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.queries import PersonFacts, person
from muhafiz.rulebook.actions.profile import load_profile
from tests.web.given import OPERATOR

PASSWORD = "indus barrage winter kite"


@pytest.fixture
def joined(db: None, folders: object, settings: Any) -> Callable[..., PersonFacts]:
    """Register somebody with a role and, unless told otherwise, a password."""
    settings.MAIL_FROM = "National CERT <cert@cert.example>"
    now = datetime.now(UTC)
    load_profile("pakistan", actor=OPERATOR, now=now)

    def made(
        role: str = "analyst",
        *,
        email: str = "sana@cert.example",
        password: str | None = PASSWORD,
        organization_id: int | None = None,
        language: str = "en",
    ) -> PersonFacts:
        found = register_person(
            email=email,
            name="Sana Baloch",
            organization_id=organization_id,
            language=language,
            actor=OPERATOR,
            now=now,
        )
        if role:
            grant_role(person_id=found.id, role=role, actor=OPERATOR, now=now)
        if password is not None:
            row = get_user_model().objects.get(pk=found.id)
            row.set_password(password)
            row.save()
        return person(found.id)

    return made


def link_in(text: str) -> str:
    return re.search(r"https?://[^/\s]+(/\S+)", text).group(1)


def code_of(secret: str, at: float | None = None) -> str:
    moment = datetime.now(UTC).timestamp() if at is None else at
    return format_hotp_value(hotp_value(secret, int(moment) // 30))


def sign_in(client: Client, email: str = "sana@cert.example", password: str = PASSWORD) -> Any:
    return client.post("/sign-in/", {"login": email, "password": password})


def set_app_up(client: Client) -> str:
    """Set an authenticator app up; its secret."""
    page = client.get("/sign-in/app/").content.decode()
    secret = re.search(r'class="secret"><bdi[^>]*>([A-Z2-7 =]+)<', page).group(1).replace(" ", "")
    answer = client.post("/sign-in/app/", {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return secret


@pytest.fixture
def hashed(settings: Any) -> list[str]:
    """Every password hash that is computed."""
    settings.PASSWORD_HASHERS = ["tests.web.signin.hashers.CountingHasher"]
    from django.contrib.auth import hashers

    from tests.web.signin.hashers import COMPUTED

    hashers.get_hashers.cache_clear()
    COMPUTED.clear()
    yield COMPUTED
    hashers.get_hashers.cache_clear()
