"""Signing in with Chromium: without scripts, with a passkey, on a small screen, in Urdu."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from muhafiz.accounts.queries import open_sessions, person
from tests.web.signin.conftest import PASSWORD, code_of
from tests.web.walking import _FLAGS, _WATCH, AXE_RULES, patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Site:
    """A browser before the site; notes what breaks the policy or goes abroad."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser, self.address, self.broken = browser, address, []

    @contextmanager
    def page(self, language: str = "en", width: int = 1440, **options: Any) -> Iterator[Any]:
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, base_url=self.address, **options
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": self.address}])
        page = patient(context.new_page())
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", lambda m: self.broken.append(m.text) if m.type == "error" else None)
        page.on("request", self._asked)
        page.add_init_script(_WATCH)
        yield page
        context.close()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.broken.append(request.url)


@pytest.fixture
def site(settings: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    from playwright.sync_api import sync_playwright

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    # Playwright's loop runs in this thread, so Django would refuse its database afterwards.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*_FLAGS])
        yield Site(browser, live_server.url.replace("127.0.0.1", "localhost"))
        browser.close()


def fits(page: Any) -> None:
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, (page.url, over)


def signed_in_with_password(page: Any, password: str = PASSWORD) -> None:
    page.goto("/sign-in/")
    page.fill("#login", "sana@cert.example")
    page.fill("#password", password)
    page.click("main form button[type=submit] >> nth=0")


def test_password_app_and_recovery_code_without_scripts_in_urdu_on_a_small_screen(joined, site):
    found = joined()
    with site.page("ur", 320, java_script_enabled=False) as page:
        page.goto("/sign-in/")
        assert page.locator("html[dir=rtl]").count() == 1
        assert not page.is_visible("form[data-passkey] button")
        assert page.is_visible("noscript p")
        signed_in_with_password(page, "wrong wrong wrong")
        assert page.is_visible(".error-summary")
        assert page.input_value("#login") == "sana@cert.example", "nothing typed is lost"
        assert page.input_value("#password") == ""
        signed_in_with_password(page)
        assert page.url.endswith("/sign-in/set-up/")
        page.click("a[href='/sign-in/app/']")
        secret = re.sub(r"\s", "", page.inner_text(".secret"))
        page.fill("#code", code_of(secret))
        page.click("main form button[type=submit]")
        assert page.url.endswith("/sign-in/codes/")
        codes = page.locator(".codes li").all_inner_texts()
        assert len(codes) == 10
        page.goto("/begin/")
        assert "/desk/" in page.url
        page.goto("/desk/me/")
        page.click("form[action='/leave/'] button")
        signed_in_with_password(page)
        assert page.url.endswith("/sign-in/code/")
        page.fill("#code", codes[0].strip())
        page.click("main form button[type=submit]")
        assert "/desk/" in page.url
    assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "password + recovery_codes"


@contextmanager
def security_key(page: Any) -> Iterator[Callable[[], int]]:
    """A key of Chromium's own, which agrees to everything; how many credentials it holds."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    identifier = {"authenticatorId": made["authenticatorId"]}
    yield lambda: len(session.send("WebAuthn.getCredentials", identifier)["credentials"])
    session.detach()


def test_a_passkey_is_added_and_lets_in_alone(joined, site):
    found = joined()
    with site.page() as page, security_key(page) as held:
        signed_in_with_password(page)
        page.click("a[href='/sign-in/passkeys/add/']")
        page.fill("#name", "blue key")
        page.click("main form button[type=submit]")
        page.wait_for_url("**/sign-in/codes/")
        assert held() == 1
        assert person(found.id).second_factor
        page.goto("/desk/me/")
        assert "blue key" in page.inner_text("main")
        page.click("form[action='/leave/'] button")
        page.wait_for_url(site.address + "/")
        page.goto("/sign-in/")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/desk/**")
        assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "webauthn"
        page.click("form[action='/leave/'] button")
        page.wait_for_url(site.address + "/")
        signed_in_with_password(page)
        page.wait_for_url("**/sign-in/code/")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/desk/**")
        assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "password + webauthn"
    assert site.broken == []


def test_a_passkey_that_is_not_known_lets_nobody_in(joined, site):
    joined()
    with site.page() as page, security_key(page):
        page.goto("/sign-in/")
        page.click("form[data-passkey] button")
        page.wait_for_selector("[data-passkey-error]:visible")
        assert page.url.endswith("/sign-in/")


def test_lockout_is_said_and_outlasts_the_right_password(joined, site):
    joined()
    with site.page(width=320, java_script_enabled=False) as page:
        for _ in range(5):
            signed_in_with_password(page, "wrong wrong wrong")
        signed_in_with_password(page)
        assert "Too many tries" in page.inner_text(".error-summary")
        fits_without_scripts = page.locator("main").bounding_box()
        assert fits_without_scripts["width"] <= 320


SCREENS = (
    "/sign-in/",
    "/sign-in/forgotten/",
    "/sign-in/forgotten/sent/",
    "/sign-in/set-up/",
    "/sign-in/password/",
    "/sign-in/app/",
    "/sign-in/passkeys/add/",
    "/sign-in/address/",
)
LATER = (
    "/desk/me/",
    "/sign-in/confirm/",
    "/sign-in/confirm/code/",
    "/sign-in/codes/",
    "/sign-in/codes/new/",
    "/sign-in/app/remove/",
    "/desk/people/",
)


def test_every_screen_fits_is_accessible_and_obeys_the_policy(joined, site):
    from axe_playwright_python.sync_playwright import Axe

    joined("administrator")
    wrong: list[object] = []
    secret = ""

    def look(page: Any, path: str, language: str, theme: str) -> None:
        page.goto(path)
        page.set_viewport_size({"width": 320, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wrong.append((path, language, "wide", over))
        page.set_viewport_size({"width": 1440, "height": 900})
        wrong.extend((path, each) for each in page.evaluate("window.broken"))
        wrong.extend(
            (path, language, theme, each["id"], each["nodes"][0]["html"][:120])
            for each in Axe().run(page, options=AXE_RULES).response["violations"]
        )

    for language, theme in (("en", "light"), ("ur", "dark")):
        with site.page(language, bypass_csp=True, color_scheme=theme) as page:
            look(page, SCREENS[0], language, theme)
            signed_in_with_password(page)
            if page.url.endswith("/code/"):
                look(page, "/sign-in/code/", language, theme)
                page.fill("#code", code_of(secret, time.time() + 30))
                page.click("main form button[type=submit] >> nth=0")
            else:
                for path in SCREENS[1:]:
                    look(page, path, language, theme)
                page.goto("/sign-in/app/")
                secret = re.sub(r"\s", "", page.inner_text(".secret"))
                page.fill("#code", code_of(secret))
                page.click("main form button[type=submit]")
            for path in LATER:
                look(page, path, language, theme)
    assert wrong == []
    assert site.broken == []
