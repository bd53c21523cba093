"""Which of allauth's pages exist: those of the list, and no other."""

from __future__ import annotations

import pytest
from allauth import urls as allauth_urls
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from muhafiz.accounts.actions.entry import CannotEnter, issue_entry_link, redeem_entry_link
from muhafiz.web.signin import urls
from muhafiz.web.signin.gate import OPEN

pytestmark = pytest.mark.django_db

#: allauth's own names that are open here, because allauth's flows lead to them.
KEPT = {
    "account_login",
    "account_reauthenticate",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_login_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "openid_connect_callback",
}


def names(patterns) -> set[str]:
    found: set[str] = set()
    for each in patterns:
        if isinstance(each, URLResolver):
            found |= names(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            found.add(each.name)
    return found


def test_every_route_of_allauth_that_is_not_kept_is_absent():
    theirs = names(allauth_urls.urlpatterns)
    assert {"account_signup", "account_email", "mfa_edit_webauthn"} <= theirs
    ours = names(get_resolver().url_patterns)
    assert ours & theirs == KEPT & theirs
    assert theirs >= KEPT - {"openid_connect_callback"}


@pytest.mark.parametrize("name", ["account_signup", "socialaccount_signup", "account_logout"])
def test_nobody_signs_themselves_up(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)
    for path in ("/sign-in/signup/", "/accounts/signup/", "/accounts/", "/accounts/login/"):
        assert Client().post(path).status_code == 404


def test_strangers_see_only_the_door():
    shown = {"account_login", "account_reset_password", "account_reset_password_done"}
    for pattern in urls.urlpatterns:
        if pattern.name in shown or pattern.pattern.converters or pattern.name.endswith("_key"):
            continue
        answer = Client().get(reverse(pattern.name))
        assert answer.status_code in {302, 404, 405}, pattern.name


def test_the_gate_opens_no_desk_page():
    assert not any(path.startswith(("/desk", "/portal")) for path in OPEN)
    assert settings.MIDDLEWARE.index(
        "muhafiz.web.signin.gate.SetUpGate"
    ) > settings.MIDDLEWARE.index("muhafiz.web.viewer.ViewerMiddleware")


def test_links_of_the_demonstration_open_nothing_elsewhere(person, settings, now):
    from datetime import timedelta

    from tests.web.given import OPERATOR

    found = person("analyst")
    settings.DEMONSTRATION = True
    token = issue_entry_link(
        email=found.email, valid_for=timedelta(hours=1), actor=OPERATOR, now=now
    )
    settings.DEMONSTRATION = False
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=token, now=now)
    settings.DEMONSTRATION = True
    assert redeem_entry_link(token=token, now=now).identifier == str(found.id)


def test_a_role_without_a_page_is_told_so(entered):
    client = entered("")
    assert client.get("/begin/")["Location"] == "/welcome/"
    assert "no page yet" in client.get("/welcome/").content.decode()
    assert Client().get("/welcome/")["Location"] == "/sign-in/?next=/welcome/"
    assert Client().get("/begin/")["Location"] == "/sign-in/?next=/begin/"


def test_constituents_begin_in_their_portal_and_see_their_own_account(constituent_client):
    client = constituent_client(1)
    assert client.get("/begin/")["Location"] == "/portal/"
    assert client.get("/sign-in/mine/")["Location"] == "/portal/me/"


def test_letters_leave_by_our_gate_only():
    from allauth.account.adapter import get_adapter

    from muhafiz.web.signin.adapters import NoOtherLetters

    with pytest.raises(NoOtherLetters):
        get_adapter().send_mail("account/email/password_reset_key", "a@b.example", {})


def test_a_constituent_reads_and_changes_their_own_account(world, constituent_client):
    client = constituent_client(world.organization, "constituent_admin")
    page = client.get("/portal/me/")
    assert page.status_code == 200
    assert "constituent_admin" in page.content.decode()
    given = {"name": "Tariq", "language": "en", "density": "compact", "shortcuts": "on"}
    assert client.post("/sign-in/mine/save/", given)["Location"] == "/sign-in/mine/"
    assert 'value="Tariq"' in client.get("/portal/me/").content.decode()
    assert client.get("/sign-in/app/").status_code == 200
    assert client.get("/sign-in/password/").status_code == 200
    assert client.get("/desk/me/").status_code in {302, 403}
    assert client.get("/desk/people/").status_code in {302, 403}
