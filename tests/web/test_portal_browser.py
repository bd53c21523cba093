"""The portal as it is used at night: a telephone, Urdu, no scripts; or a keyboard alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muhafiz.detection import queries
from tests.web.test_portal import of, portal_of
from tests.web.walking import MARKS, Walk

pytestmark = MARKS


@pytest.fixture
def officer(world: Any, walk: Walk, constituent_client: Any) -> tuple[Walk, Any, Any]:
    """A walk of the power company's administrator, who sees the water works below it."""
    portal = portal_of(world)
    browser = constituent_client(portal.power, "constituent_admin")
    session = browser.cookies["sessionid"].value
    return Walk(walk.browser, walk.address, session), portal, browser


def test_every_write_works_without_scripts_in_urdu_on_a_small_screen(officer):
    walk, portal, _ = officer
    number = portal.number(portal.power)
    until = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    with walk.page("ur", "light", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/portal/")
        page.click(f"a[href='/portal/findings/{number}/#answer']")
        page.click("button[value=acknowledge]")
        assert page.locator(".messages").count() == 1
        page.click("text=کچھ عرصہ اس کے ساتھ گزارا کرنا ہو گا")
        page.fill("#until", until)
        page.fill("#reason", "نیا فائر وال آ رہا ہے")
        page.click("button[value=except]")
        assert page.input_value("#reason") == "نیا فائر وال آ رہا ہے"
        page.click("main button[type=submit]")
        assert queries.finding_by_number(number, viewer=of(portal.power)).state == "excepted"
        page.goto(f"{walk.address}/portal/findings/?state=open")
        page.check("input[name=item]")
        page.click("button[value=fixed]")
        assert page.locator(".messages").count() == 1
        page.goto(f"{walk.address}/portal/networks/")
        page.fill("#value", "203.0.113.9/24")
        page.click("#ask button[type=submit]")
        assert page.locator("[role=alert]").count() == 1
        assert page.input_value("#value") == "203.0.113.9/24"
        page.fill("#value", "198.18.0.0/24")
        page.click("#ask button[type=submit]")
        page.click("form[action$='/withdraw/'] button")
        page.goto(f"{walk.address}/portal/contacts/")
        page.click("form[action$='/confirm/'] button >> nth=0")
        page.goto(f"{walk.address}/portal/contacts/new/")
        page.fill("#address", "night@power.example")
        page.click("form[action$='/add/'] button[type=submit]")
        assert "night@power.example" in page.content()
        page.locator("a", has_text="night@power.example").last.click()
        page.fill("form[action$='/end/'] #reason", "ختم")
        page.click("form[action$='/end/'] button")
        assert page.url.endswith("/portal/contacts/")
        page.goto(f"{walk.address}/portal/people/")
        page.fill("#email", "someone@power.example")
        page.click("form[action$='/invite/'] button[type=submit]")
        page.click("form[action$='/withdraw/'] button")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert walk.foreign == []


def test_the_menu_opens_without_scripts(officer):
    walk, _, _ = officer
    with walk.page("ur", "dark", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/portal/")
        assert not page.is_visible("nav.portal-nav")
        page.click("a.menu")
        page.click("nav.portal-nav a[href='/portal/findings/']")
        assert page.url.endswith("/portal/findings/")


def test_a_finding_is_answered_by_keyboard_alone(officer):
    walk, portal, _ = officer
    with walk.page("en", "light", 1280) as page:
        page.goto(f"{walk.address}/portal/findings/{portal.number(portal.power)}/")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.value") == "fixed":
                break
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector(".messages")
    found = queries.finding_by_number(portal.number(portal.power), viewer=of(portal.power))
    assert found.state == "fixed"
    assert walk.broken == []


def test_main_buttons_are_large_and_the_matter_stands_first(officer):
    walk, portal, _ = officer
    with walk.page("ur", "light", 320) as page:
        page.goto(f"{walk.address}/portal/")
        top = page.locator(".verdict").bounding_box()
        assert top["y"] < 700, "the sentence that says it all is on the first screen"
        for box in page.evaluate(
            "[...document.querySelectorAll('.button-large')].map(e => e.getBoundingClientRect().height)"
        ):
            assert box >= 44
        page.goto(f"{walk.address}/portal/findings/{portal.number(portal.power)}/")
        place = page.locator("th bdi", has_text="203.0.113.1").first
        assert place.evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_on_a_telephone_rows_read_like_cards_and_nothing_is_swiped_for(officer):
    walk, portal, _ = officer
    screens = portal.screens(portal.power)
    with walk.page("ur", "light", 320) as page:
        for name in ("notices", "networks", "people", "finding"):
            page.goto(walk.address + screens[name])
            assert page.locator(".stacks").count(), name
            hidden = page.evaluate(
                "[...document.querySelectorAll('.table-wrap:has(> .stacks)')]"
                ".map(e => e.scrollWidth - e.clientWidth).filter(over => over > 0)"
            )
            assert hidden == [], name


def test_what_is_wrong_now_and_since_last_week_stands_above_the_list(officer):
    walk, _, _ = officer
    with walk.page("en", "light", 1280) as page:
        page.goto(f"{walk.address}/portal/")
        places = [page.locator(f"#{one}").bounding_box()["y"] for one in ("now", "since", "urgent")]
        assert places[0] == places[1] < places[2] < 900


def test_text_twice_as_large_squeezes_nothing(officer):
    walk, _, _ = officer
    with walk.page("ur", "light", 1280) as page:
        page.goto(f"{walk.address}/portal/")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.locator(".portal-seek input").bounding_box()["width"] > 200
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
