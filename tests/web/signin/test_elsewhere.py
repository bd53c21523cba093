"""Another house signs people in: only people we know, and only with a token that is good."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from muhafiz.accounts.actions.people import suspend_person
from muhafiz.accounts.queries import open_sessions, person_by_email
from muhafiz.audit.queries import entries
from muhafiz.config.environment import BadEnvironment, Environment
from muhafiz.config.signin import sign_in_settings
from tests.web.given import OPERATOR
from tests.web.signin.conftest import code_of, set_app_up, sign_in
from tests.web.signin.provider import Provider, served

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings):
    claims = {"sub": "u-17", "email": "sana@cert.example", "email_verified": True}
    with served(Provider(claims)) as found:
        told = {
            "MUHAFIZ_OIDC_ISSUER": found.issuer,
            "MUHAFIZ_OIDC_CLIENT_ID": "muhafiz",
            "MUHAFIZ_OIDC_SECRET": "secret",
            "MUHAFIZ_OIDC_NAME": "Ministry",
        }
        made = sign_in_settings(Environment.read(told))
        settings.SOCIALACCOUNT_PROVIDERS = made["SOCIALACCOUNT_PROVIDERS"]
        yield found


def there_and_back(client: Client, change=lambda address: address):
    """To the provider and back, as a browser goes."""
    sent = client.get("/sign-in/elsewhere/")
    assert sent.status_code == 302
    back = change(httpx.get(sent["Location"]).headers["Location"])
    parts = urlsplit(back)
    return client.get(f"{parts.path}?{parts.query}")


def test_a_known_person_comes_in_and_still_needs_our_second_factor(joined, provider):
    found, client = joined(), Client()
    own = Client()
    sign_in(own)
    secret = set_app_up(own)
    assert "Ministry" in client.get("/sign-in/").content.decode()
    answer = there_and_back(client)
    assert answer["Location"] == "/sign-in/code/"
    later = code_of(secret, time.time() + 30)
    client.post("/sign-in/code/", {"code": later})
    assert client.get("/desk/").status_code == 200
    assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "openid + totp"
    assert provider.asked[0]["client_secret"] == "secret"


def test_the_providers_own_number_counts_from_then_on(joined, provider):
    found = joined(password=None)
    there_and_back(Client())
    provider.claims["email"] = "sana.moved@other.example"
    client = Client()
    there_and_back(client)
    assert client.get("/begin/")["Location"] == "/sign-in/set-up/"
    assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "openid"
    from allauth.socialaccount.models import SocialAccount, SocialToken

    [kept] = SocialAccount.objects.all()
    assert kept.extra_data == {}, "who they are elsewhere is not kept"
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@cert.example"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
    ],
)
def test_strangers_and_unverified_addresses_stay_out(joined, provider, claims):
    joined()
    provider.lies = claims
    client = Client()
    answer = there_and_back(client)
    assert answer["Location"] == "/sign-in/"
    assert "we do not" in client.get("/sign-in/").content.decode()
    assert "visit" not in client.session
    assert person_by_email("stranger@cert.example") is None, "nobody signs themselves up"
    assert get_user_model().objects.count() == 1
    assert entries(limit=1)[0].action == "accounts.fail_sign_in"


def test_suspended_people_stay_out(joined, provider, now):
    found = joined()
    there_and_back(Client())
    suspend_person(person_id=found.id, actor=OPERATOR, now=now)
    client = Client()
    assert there_and_back(client)["Location"] == "/sign-in/"
    assert "visit" not in client.session


@pytest.mark.parametrize(
    "wrong",
    [
        {"forged": True},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"lies": {"aud": "another-client"}},
        {"lies": {"iss": "https://evil.example"}},
        {"lies": {"exp": 1_000_000_000}},
        {"lies": {"exp": None}},
        {"lies": {"sub": None}},
    ],
)
def test_a_token_that_is_not_good_lets_nobody_in(joined, provider, wrong):
    joined()
    for name, value in wrong.items():
        setattr(provider, name, value)
    client = Client()
    assert there_and_back(client)["Location"] == "/sign-in/"
    assert "visit" not in client.session


def test_a_state_of_somebody_else_is_worth_nothing(joined, provider):
    joined()
    client = Client()
    answer = there_and_back(client, lambda address: address.replace("state=", "state=x"))
    assert answer.status_code in {302, 401, 403}
    assert "visit" not in client.session
    fresh = Client()
    sent = Client().get("/sign-in/elsewhere/")
    parts = urlsplit(httpx.get(sent["Location"]).headers["Location"])
    fresh.get(f"{parts.path}?{parts.query}")
    assert "visit" not in fresh.session, "begun in another browser"


def test_without_configuration_there_is_no_such_door(joined, client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert client.get("/sign-in/elsewhere/").status_code == 404
    assert client.get("/sign-in/elsewhere/house/back/?code=1&state=1").status_code == 404
    assert "/sign-in/elsewhere/" not in client.get("/sign-in/").content.decode()


def test_a_half_configuration_is_refused_and_a_secret_comes_from_a_file(tmp_path):
    told = {"MUHAFIZ_OIDC_ISSUER": "https://id.example"}
    with pytest.raises(BadEnvironment, match="CLIENT_ID"):
        sign_in_settings(Environment.read(told))
    told |= {"MUHAFIZ_OIDC_CLIENT_ID": "m", "MUHAFIZ_OIDC_SECRET_FILE": str(tmp_path / "none")}
    with pytest.raises(BadEnvironment, match="cannot be read"):
        sign_in_settings(Environment.read(told))
    (tmp_path / "none").write_text("from-a-file\n")
    made = sign_in_settings(Environment.read(told))
    [app] = made["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]
    assert app["secret"] == "from-a-file"
