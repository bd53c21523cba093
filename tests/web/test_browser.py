"""The screens in a real browser: reflow, accessibility, no foreign request, no policy broken."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/usr/bin/chromium").exists(), reason="Debian's package chromium is missing"
    ),
]

LOOKS = tuple((language, theme) for language in ("en", "ur") for theme in ("light", "dark"))
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_WATCH = """
window.broken = [];
document.addEventListener('securitypolicyviolation',
  event => window.broken.push(event.violatedDirective + ' ' + event.blockedURI));
"""


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
        page = context.new_page()
        page.on("request", self._asked)
        page.on("dialog", lambda dialog: self.broken.append(f"dialog {dialog.message}"))
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", self._said)
        page.add_init_script(_WATCH)
        yield page
        context.close()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.foreign.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.broken.append(message.text)


@pytest.fixture
def _plain_static(settings: Any) -> None:
    """The test server serves static files by their own names only."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def walk(
    _plain_static: None,
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


def every(
    visit: Callable[[str, str, str, Any], None],
    walk: Walk,
    screens: dict[str, str],
    width: int,
    **options: Any,
) -> None:
    for language, theme in LOOKS:
        with walk.page(language, theme, width, **options) as page:
            for name, path in screens.items():
                page.goto(walk.address + path)
                visit(name, language, theme, page)


@pytest.mark.parametrize("width", [320, 1440])
def test_no_screen_scrolls_sideways_asks_abroad_or_breaks_the_policy(walk, world, width):
    wide: list[object] = []

    def visit(name: str, language: str, theme: str, page: Any) -> None:
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide.append((name, language, theme, over))
        walk.broken.extend(page.evaluate("window.broken"))
        small = page.evaluate(_SMALL)
        wide.extend((name, language, each) for each in small)

    every(visit, walk, world.screens, width)
    assert wide == []
    assert walk.broken == []
    assert walk.foreign == []


# WCAG 2.2, 2.5.8: 24 px, or a link within a sentence.
_SMALL = """
[...document.querySelectorAll(`button, select, input:not([type=hidden]), .side a, .tabs a,
  .table a, summary`)]
  .filter(e => e.checkVisibility() && !e.closest('.unseen, .skip, p'))
  .map(e => [e.outerHTML.slice(0, 80), e.closest('label.check') || e])
  .map(([told, e]) => [told, e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
  .map(([told, box]) => `${told} ${box.width}x${box.height}`)
"""


def test_axe_finds_nothing(walk, world):
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), []

    def visit(name: str, language: str, theme: str, page: Any) -> None:
        for each in axe.run(page, options=_RULES).response["violations"]:
            shown = each["nodes"][0]
            told = shown["html"][:160], shown["failureSummary"][:300]
            found.append((name, language, theme, each["id"], *told))

    every(visit, walk, world.screens, 1440, bypass_csp=True)
    assert found == []


def test_every_write_works_without_scripts_in_urdu_on_a_small_screen(walk, world):
    with walk.page("ur", "light", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/desk/set-aside/{world.row}/")
        page.fill("textarea#raw", "still,wrong")
        page.click("form[action$='/edit/'] button[type=submit]")
        assert page.locator("[role=alert]").count() == 1
        assert page.input_value("textarea#raw") == "still,wrong"
        page.fill("input#note", "شور")
        page.click("form[action$='/dismiss/'] button[type=submit]")
        assert "1 سطر خارج کی گئی" in page.content()
        page.goto(f"{walk.address}/desk/audit/")
        page.click("form[action$='/verify/'] button[type=submit]")
        assert "روزنامچہ سالم ہے" in page.content()
        page.goto(f"{walk.address}/desk/events/")
        page.click("form[action='/theme/'] button")
        assert page.url.endswith("/desk/events/")
        assert page.locator("html[data-theme=dark]").count() == 1
        page.click("form[action='/language/'] button")
        assert page.locator("html[lang=en][dir=ltr]").count() == 1
        page.click("form[action='/leave/'] button")
        page.goto(f"{walk.address}/desk/")
        assert page.url == f"{walk.address}/"


def test_the_menu_opens_without_scripts_on_a_small_screen(walk, world):
    with walk.page("en", "light", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/desk/")
        assert not page.is_visible("nav.side")
        page.click("a.menu")
        assert page.is_visible("nav.side")
        page.click("nav.side a.close")
        assert not page.is_visible("nav.side")


def test_the_river_refreshes_itself(walk, world):
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/")
        page.click("details.twin summary")
        with page.expect_response(lambda answer: "/desk/live/" in answer.url) as answered:
            page.wait_for_timeout(100)
        assert answered.value.status == 200
        page.wait_for_timeout(300)
        assert page.locator("#live svg.river").count() == 1
        assert page.locator("#live #live").count() == 0
        assert page.locator("#live-table").count() == 1
        assert page.locator("details.twin[open]").count() == 1, "what was opened stays open"
    assert walk.broken == []


def test_identifiers_read_left_to_right_within_urdu(walk, world):
    with walk.page("ur", "light", 1440) as page:
        page.goto(walk.address + world.screens["event"])
        address = page.locator("dd bdi", has_text=re.compile(r"^\d+\.\d+\.\d+\.\d+$")).first
        assert address.evaluate("e => getComputedStyle(e).direction") == "ltr"
        order = address.evaluate(_ORDER)
        assert order == sorted(order)
        page.goto(walk.address + "/desk/jobs/")
        part = page.locator("td bdi", has_text="/").first
        order = part.evaluate(_ORDER)
        assert order == sorted(order)


# Where each glyph of an element stands, in the order of its text.
_ORDER = """
element => {
  const text = element.firstChild, places = [];
  for (let at = 0; at < text.length; at++) {
    const range = document.createRange();
    range.setStart(text, at); range.setEnd(text, at + 1);
    places.push(range.getBoundingClientRect().x);
  }
  return places;
}
"""


def test_arabic_letters_are_fetched_only_where_they_stand(walk, world):
    asked: list[str] = []
    with walk.page("en", "light", 1440) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(walk.address + "/desk/audit/")
        page.wait_for_load_state("networkidle")
    assert any("plex-sans" in url for url in asked)


def test_print_and_forced_colors_leave_the_words(walk, world):
    with walk.page("en", "dark", 1440, forced_colors="active") as page:
        page.goto(walk.address + "/desk/events/")
        assert page.is_visible("h1")
        page.emulate_media(media="print")
        assert not page.is_visible("nav.side")
        assert page.locator("table.table:visible").count()
    assert walk.broken == []
