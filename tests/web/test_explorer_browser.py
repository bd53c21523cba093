"""The explorer in a real browser: the brush by keys and by clicks, and all of it without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.walking import MARKS

pytestmark = MARKS

_SINCE = re.compile(r"[?&]since=\d{4}-\d\d-\d\dT00%3A00Z&until=\d{4}-\d\d-\d\dT00%3A00Z")


@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_brush_is_drawn_with_keys_and_with_clicks(walk: Any, world: Any, language: str):
    with walk.page(language, "dark", 1440) as page:
        page.goto(f"{walk.address}/desk/events/?type=potentially-unwanted-accessible")
        page.wait_for_selector(".tops")
        bars = page.locator("[data-slot]")
        bars.first.focus()
        page.keyboard.press("End")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowLeft")
        assert page.locator(".slot-in").count() == 3
        assert page.is_visible("[data-brush-told]")
        page.keyboard.press("Escape")
        assert page.locator(".slot-in").count() == 0
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_url(_SINCE)
        assert "type=potentially-unwanted-accessible" in page.url
        page.goto(f"{walk.address}/desk/events/")
        bars.nth(20).click()
        bars.nth(25).click()
        page.wait_for_url(_SINCE)
    assert walk.broken == []


def test_without_scripts_bars_lists_and_filters_are_links_and_forms(walk: Any, world: Any):
    with walk.page("ur", "light", 320, java_script_enabled=False) as page:
        page.goto(f"{walk.address}/desk/events/")
        narrow = page.locator("[data-slot]").last.get_attribute("href")
        page.goto(f"{walk.address}/desk/events/{narrow}")
        assert page.locator("tbody tr[data-row]").count() >= 0
        page.goto(f"{walk.address}/desk/events/")
        page.click("#top a")
        page.click(".bars-name a >> nth=0")
        assert page.locator(".pill").count() == 1
        page.click(".pill a")
        page.wait_for_function("() => !document.querySelector('.pill')")
        page.goto(f"{walk.address}/desk/events/")
        page.locator(".filter-bar summary").first.click()
        page.fill("#cidr", "not a network")
        page.click(".filter-bar button[type=submit]")
        assert page.locator("[role=alert]").count() == 1
        assert page.input_value("#cidr") == "not a network"
