"""Every screen of every face, in both languages and both themes, in a real browser.

The screens are found by following links, so a new page is walked without being listed; a page that
no link reaches must say why below.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from muhafiz.accounts.actions.people import grant_role
from muhafiz.web.browser_reports import allowance, reported
from muhafiz.web.desk.permissions import ROUTES
from tests.web.conftest import browser_of
from tests.web.crawl import Reached, reached
from tests.web.given import OPERATOR, World, work_on
from tests.web.walking import AXE_RULES, THEME_RULES, Walk, walks

#: Routes of the desk that are no screens and that no link leads to.
NOT_REACHED = {
    "queue-run-live": "a part of the page of a run, asked for by time while it runs",
    "exports-live": "a part of the list of exports, asked for by time",
    "queue-counts": "a part of the queue, asked for by time",
    "river-live": "a part of the river, asked for by time",
}

#: Where forms lead, which links do not.
FORMS_LEAD_TO = (
    "/desk/commands/",
    "/desk/search/?q=203.0.113.1",
    "/desk/look/",
    "/desk/liaison/owner/?kind=address&value=192.0.2.0/24",
)


_AXE = "rules => axe.run(document, rules).then(done => done.violations)"

# WCAG 2.2, 2.5.8: 24 px, or a link within a sentence.
_SMALL = """
[...document.querySelectorAll(`button, select, input:not([type=hidden]), .side a, .tabs a, .pill a,
  .table a, .button, summary`)]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest('.unseen, .skip, p, pre'))
  .map(e => [e.outerHTML.slice(0, 90), e.closest('label.check') || e])
  .map(([told, e]) => [told, e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.width < 23.9 || box.height < 23.9))
  .map(([told, box]) => `${told} ${box.width}x${box.height}`)
"""
_WIDE = """
(() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return '';
  const out = [...document.querySelectorAll('main *, header *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)
      && !e.closest('.table-wrap, .chart-scroll, pre');
  });
  return `${over} px: ${out.slice(0, 3).map(e => e.outerHTML.slice(0, 100)).join(' | ')}`;
})()
"""


@pytest.fixture
def world(world: World) -> World:
    """The little world, with what people do after the day's work."""
    work_on(world)
    return world


@pytest.mark.django_db
def test_every_page_of_the_desk_is_linked(world, staff):
    met = reached(staff, _starts(world))
    assert met.wrong == []
    read = {name for name, (_, methods) in ROUTES.items() if methods == "GET"}
    left = read - met.screens.keys() - met.files.keys() - NOT_REACHED.keys()
    assert " ".join(sorted(left)) == ""
    assert NOT_REACHED.keys() & met.screens.keys() == set(), "it is a screen: walk it"


def _starts(world: Any) -> list[str]:
    return [
        "/desk/",
        *world.screens.values(),
        *FORMS_LEAD_TO,
        f"/desk/set-aside/{world.row}/mapping/",
        f"/desk/queue/confirm/?act=close&item={world.screens['queue-item'].split('/')[-2]}",
    ]


@pytest.fixture
def desk(world, walk, staff):
    """The screens of the desk and of signing in, and a walk of staff."""
    met = reached(staff, _starts(world))
    assert met.wrong == []
    return [(_walk_of(walk, staff), _only(met, "/desk/", "/sign-in/"))]


@pytest.fixture
def outside(world, walk, client, constituent):
    """The screens of the portal and the front, with a walk of who comes there."""
    portal = reached(constituent, ["/portal/"])
    front = reached(client, ["/", "/verify/?code=XXXX", "/statistics/"])
    assert [*portal.wrong, *front.wrong] == []
    nobody = Walk(walk.browser, walk.address, "")
    return [
        (_walk_of(walk, constituent), _only(portal, "/portal/")),
        (nobody, front.screens),
    ]


def _walk_of(walk: Walk, client: Any) -> Walk:
    return Walk(walk.browser, walk.address, client.cookies["sessionid"].value)


def _only(met: Reached, *beginnings: str) -> dict[str, str]:
    return {n: address for n, address in met.screens.items() if address.startswith(beginnings)}


class _Eye:
    """What one look at one page finds: all rules in the light, those of colours in the dark."""

    def __init__(self) -> None:
        self.found: list[tuple[str, ...]] = []

    def look(self, page: Any, name: str, language: str) -> None:
        page.set_viewport_size({"width": 1280, "height": 900})
        for theme, rules in (("light", AXE_RULES), ("dark", THEME_RULES)):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            self._axe(page, name, language, theme, rules)
        page.set_viewport_size({"width": 320, "height": 900})
        if over := page.evaluate(_WIDE):
            self.found.append((name, language, "sideways", over))
        self.found += [(name, language, "small", each) for each in page.evaluate(_SMALL)[:3]]
        self.found += [(name, language, "policy", each) for each in page.evaluate("window.broken")]

    def _axe(self, page: Any, name: str, language: str, theme: str, rules: dict[str, Any]) -> None:
        for each in page.evaluate(_AXE, rules):
            shown = each["nodes"][0]
            told = shown["html"][:160], shown["failureSummary"][:300]
            self.found.append((name, language, theme, each["id"], *told))


@pytest.fixture
def staff(person):
    """A browser of somebody who may open every page of the desk."""
    found = person("duty_officer")
    for role in ("analyst", "director"):
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    return browser_of(found)


@pytest.fixture
def constituent(world, constituent_client):
    return constituent_client(world.organization, role="constituent_admin")


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize("face", ["desk", "outside"])
@walks
def test_every_screen_is_accessible_narrow_and_keeps_the_policy(language, face, request, walk):
    allowance.renew()
    eye, said = _Eye(), []
    for who, screens in request.getfixturevalue(face):
        with who.page(language, "light", 1280) as page:
            page.add_init_script(AXE_SCRIPT)
            for name, path in screens.items():
                page.goto(walk.address + path)
                eye.look(page, name, language)
        said += [*who.broken, *who.foreign]
    assert "\n".join(map(str, eye.found)) == ""
    assert said == []
    assert reported() == [], "no browser told of a broken policy"


@walks
def test_a_broken_policy_is_heard_of(walk, world):
    """The proof that the silence above means something."""
    allowance.renew()
    with walk.page("en", "light", 1280) as page:
        page.goto(walk.address + "/verify/")
        with page.expect_event("console"):
            page.evaluate(
                "document.body.setAttribute('onclick', 'alert(1)'); document.body.click()"
            )
        assert page.evaluate("window.broken.length") == 1


#: What watches sizes is told of a change with the next picture.
_DRAWN = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


@walks
def test_text_twice_as_large_stays_on_the_page(walk, world):
    wide = {}
    with walk.page("ur", "light", 1280) as page:
        for screen in ("queue", "events", "constituent", "verify"):
            page.goto(walk.address + world.screens[screen])
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            page.evaluate(_DRAWN)
            wide[screen] = page.evaluate(_WIDE)
    assert set(wide.values()) == {""}, wide
