"""The desk in a real browser: writes without scripts, refreshing, bidi, fonts, print."""

from __future__ import annotations

import re

from tests.web.walking import MARKS

pytestmark = MARKS


def test_every_write_works_without_scripts_in_urdu_on_a_small_screen(walk, world):
    with walk.page("ur", "light", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/desk/set-aside/{world.row}/")
        page.fill("textarea#raw", "still,wrong")
        page.click("form[action$='/edit/'] button[value=try]")
        assert page.locator("[role=status] .note-bad").count() == 1
        page.click("form[action$='/edit/'] button[value=read]")
        assert page.locator("[role=alert]").count() == 1
        assert page.input_value("textarea#raw") == "still,wrong"
        page.fill("input#note", "شور")
        page.click("form[action$='/dismiss/'] button[type=submit]")
        assert "1 سطر خارج کی گئی" in page.content()
        page.goto(f"{walk.address}/desk/audit/")
        page.click("form[action$='/verify/'] button[type=submit]")
        assert "پورے روزنامچے کی تصدیق کر رہا ہے" in page.content()
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
