"""A real browser at the live server, which remembers what should not have happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
#: The standard every screen is held to: WCAG 2.2 AA, and what axe calls good practice. Only what is
#: broken is told: a list of all that is well takes as long as finding out.
AXE_RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
#: Those of its rules that look at colours, which are all that a theme changes
#: (`test_look.test_a_theme_changes_nothing_but_colours`).
THEME_RULES: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}

#: The marks of a module whose tests walk.
MARKS = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "portal"]),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's package chromium is missing"),
]


def walks(test: Any) -> Any:
    """Mark one test with `MARKS`."""
    for mark in MARKS:
        test = mark(test)
    return test


_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
_WATCH = """
window.broken = [];
document.addEventListener('securitypolicyviolation',
  event => window.broken.push(event.violatedDirective + ' ' + event.blockedURI));
"""


def patient(page: Any) -> Any:
    """A click comes back once the page it led to has loaded, with its scripts.

    Playwright's own comes back with the page's first bytes, so a key pressed next may be lost.
    """
    click = page.click

    def to_the_end(selector: str, **options: Any) -> None:
        click(selector, **options)
        page.wait_for_load_state()

    page.click = to_the_end
    return page


class Walk:
    """A browser at the live server; it remembers what should not have happened."""

    def __init__(self, browser: Any, address: str, session: str) -> None:
        self.browser, self.address, self.session = browser, address, session
        self.foreign: list[str] = []
        self.broken: list[str] = []

    @contextmanager
    def page(self, language: str, theme: str, width: int, **options: Any) -> Iterator[Any]:
        context = self.browser.new_context(viewport={"width": width, "height": 900}, **options)
        cookies = {"sessionid": self.session, "django_language": language, "theme": theme}
        context.add_cookies(
            [{"name": name, "value": value, "url": self.address} for name, value in cookies.items()]
        )
        page = patient(context.new_page())
        page.on("request", self._asked)
        page.on("dialog", self._warned)
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", self._said)
        page.add_init_script(_WATCH)
        yield page
        context.close()

    def _warned(self, dialog: Any) -> None:
        """The browser's own warning before leaving is welcome; any other dialog is not ours."""
        if dialog.type != "beforeunload":
            self.broken.append(f"dialog {dialog.message}")
        dialog.accept()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.foreign.append(request.url)

    def _said(self, message: Any) -> None:
        cut_off = message.text.startswith(("htmx:afterRequest", "htmx:send"))
        if message.type == "error" and not cut_off:  # a page was left before a part had come
            self.broken.append(message.text)


@pytest.fixture
def plain_static(settings: Any) -> None:
    """The test server serves static files by their own names only."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def walk(
    plain_static: None,
    world: Any,
    all_roles: Any,
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Walk]:
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread, so Django would refuse its database afterwards.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*_FLAGS])
        yield Walk(browser, live_server.url, all_roles.cookies["sessionid"].value)
        browser.close()
