"""The queue in a real browser: keys alone, thousands at once, no scripts, both languages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from muhafiz.accounts.actions.preferences import set_preferences
from muhafiz.accounts.queries import PersonFacts, person_actor
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.worker import run_due
from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.triage.actions.items import take_items
from muhafiz.triage.actions.sweep import sweep_sources
from muhafiz.triage.filters import Filter
from muhafiz.triage.queries import items
from tests.triage.conftest import JOB, Told
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR
from tests.web.walking import AXE_RULES, MARKS, Walk

pytestmark = MARKS

LOOKS = tuple((language, theme) for language in ("en", "ur") for theme in ("light", "dark"))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, folders: object) -> Told:
    source = Told()
    for module in ("actions.sweep", "queries"):
        monkeypatch.setattr(f"muhafiz.triage.{module}.sources", lambda: {"test": source})
    return source


@pytest.fixture
def desk(
    plain_static: None, told: Told, person: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Walk, PersonFacts]]:
    """A browser of a duty officer."""
    from playwright.sync_api import sync_playwright

    load_profile("pakistan", actor=OPERATOR, now=datetime.now(UTC))
    officer = person("duty_officer")
    session = browser_of(officer).cookies["sessionid"].value
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield Walk(browser, live_server.url, session), officer
        browser.close()


def sweep(told: Told, number: int, at: datetime | None = None, **said: Any) -> list[int]:
    told.tell(*(f"k{each:05d}" for each in range(number)), **said)
    now = at or datetime.now(UTC)
    sweep_sources(actor=JOB, now=now)
    return [row.id for row in items(Filter(), viewer=JOB, now=now, limit=20_000).rows]


def standing(page: Any) -> str:
    return str(page.evaluate("document.activeElement.closest('[data-row]')?.id ?? ''"))


def test_twenty_items_are_taken_with_keys_alone_and_one_stays_on_the_row(desk, told):
    walk, officer = desk
    found = sweep(told, 25)
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/queue/")
        for pk in found[:20]:
            page.keyboard.press("j")
            assert standing(page) == f"item-{pk}"
            with page.expect_navigation():
                page.keyboard.press("t")
            assert standing(page) == f"item-{pk}"
        taken = items(Filter(owner=str(officer.id)), viewer=JOB, now=datetime.now(UTC))
        assert [row.id for row in taken.rows] == found[:20]
        # Closing by keys: the row goes, and one stands on the one that followed it.
        with page.expect_navigation():
            page.keyboard.press("c")
        page.wait_for_selector("input[name=reason]:focus")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.type("done, just t and c typed")
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
        assert standing(page) == f"item-{found[20]}"
    now = datetime.now(UTC)
    set_preferences(
        name=officer.name, language="en", density="compact", shortcuts=False,
        actor=person_actor(officer.id), now=now,
    )  # fmt: skip
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/queue/")
        for key in "jt":
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert standing(page) == ""
        left = items(Filter(owner=str(officer.id)), viewer=JOB, now=now)
        assert len(left.rows) == 19
    assert walk.broken == []


def test_twelve_rows_stand_in_the_first_screen_with_their_numbers_and_clocks(desk, told):
    walk, _officer = desk
    sweep(told, 40, severity="critical", params={"feed": "shadowserver"})
    with walk.page("en", "light", 1440) as page:
        page.set_viewport_size({"width": 1440, "height": 860})
        page.goto(f"{walk.address}/desk/queue/")
        seen = page.evaluate(
            """[...document.querySelectorAll('[data-row]')].filter(row =>
              row.getBoundingClientRect().bottom <= innerHeight
              && [...row.querySelectorAll('.reference, .target')].every(e => e.checkVisibility()
                && e.getBoundingClientRect().right <= innerWidth)).length"""
        )
        assert seen >= 12
        bar = page.locator(".bulk").bounding_box()
        assert bar["height"] <= 42, "one slim line"
        page.set_viewport_size({"width": 320, "height": 700})
        clock = page.locator(".target").first.bounding_box()
        assert clock["x"] + clock["width"] <= 320, "on a telephone the clock is in sight"


def test_these_rows_and_all_that_match_are_told_apart(desk, told):
    walk, _officer = desk
    sweep(told, 40)
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/queue/?state=open")
        bar, all_of_them = page.locator(".bulk"), page.locator("input[name=scope]")
        assert bar.locator("button:enabled").count() == 0
        page.keyboard.press("j")
        page.keyboard.press("x")
        assert "1 chosen" in bar.inner_text()
        page.check("[data-bulk-page]")
        assert "25 chosen" in bar.inner_text()
        assert not all_of_them.is_checked()
        all_of_them.check()
        assert "40 chosen" in bar.inner_text()
        page.uncheck("[data-row] >> nth=3 >> input")
        assert not all_of_them.is_checked(), "who leaves one out means the others of this page"
        assert "24 chosen" in bar.inner_text()
        page.click("button[value=take]")
        assert "24 items taken." in page.inner_text(".messages")
    assert walk.broken == []


def test_clocks_go_on_while_the_page_stands_open(desk, told):
    walk, _officer = desk
    sweep(told, 1, severity="critical", params={"feed": "shadowserver"})
    with walk.page("en", "light", 1440) as page:
        page.clock.install(time=datetime.now(UTC))
        page.goto(f"{walk.address}/desk/queue/")
        target, hands = page.locator("[data-row] .target"), page.locator("[data-hands='0']")
        before, time = target.inner_text(), hands.inner_text()
        dial = page.locator("[data-row] .dial path").get_attribute("d")
        assert "target-good" in target.get_attribute("class")
        page.clock.fast_forward("20:00")
        assert hands.inner_text() != time
        assert target.inner_text() != before
        assert page.locator("[data-row] .dial path").get_attribute("d") != dial
        assert "20m" in page.locator("[data-row] td time").inner_text()
        page.clock.fast_forward("03:00:00")
        assert "target-over" in target.get_attribute("class")
        assert target.locator("bdi").inner_text().startswith("\N{MINUS SIGN}")
        assert "Overdue by" in target.text_content()
        assert target.locator(".unseen").get_attribute("hidden") is None
    assert walk.broken == []


def test_what_is_typed_to_close_one_item_is_not_put_to_another(desk, told):
    walk, _officer = desk
    first, second = sweep(told, 2)
    queue = f"{walk.address}/desk/queue/"
    with walk.page("en", "light", 1440) as page:
        page.goto(queue)
        page.keyboard.press("j")
        with page.expect_navigation():
            page.keyboard.press("c")
        page.check("input[name=reason][value=false_alarm]")
        page.fill("textarea#text", "ten minutes of typing")
        asked = page.url
        # The session ends while the officer writes; the page that asks them in says what is kept.
        page.context.clear_cookies(name="sessionid")
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
        assert "What you were writing is kept" in page.inner_text("main > .note")
        page.context.add_cookies(
            [{"name": "sessionid", "value": walk.session, "url": walk.address}]
        )
        page.goto(queue)
        page.click("main > .note a")
        assert page.url == asked
        assert page.input_value("textarea#text") == "ten minutes of typing"
        assert page.is_checked("input[name=reason][value=false_alarm]")
        assert "is back" in page.inner_text("form .note")
        page.goto(f"{queue}confirm/?act=close&item={second}.1")
        assert page.input_value("textarea#text") == ""
        page.click("textarea#text")
        page.keyboard.type("of the second")
        page.goto(queue)
        page.go_back()
        assert page.input_value("textarea#text") == "of the second"
        page.click("textarea#text")
        page.goto(asked)
        page.click("button[type=reset]")
        assert page.input_value("textarea#text") == ""
        page.fill("textarea#text", "done after all")
        page.check("input[name=reason][value=resolved]")
        page.click("main button.button-main")
        assert page.locator(f"#item-{first}").count() == 0
        page.goto(asked)
        assert page.input_value("textarea#text") == "", "what was taken is forgotten"
    assert walk.broken == []


def test_an_items_page_leads_back_to_the_list_it_was_opened_from(desk, told):
    walk, _officer = desk
    found = sweep(told, 30)
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/queue/?state=open&sort=-number")
        page.click("text=Older")
        page.keyboard.press("j")
        row = standing(page)
        with page.expect_navigation():
            page.keyboard.press("o")
        page.fill("textarea#text", "rang them")
        page.click("form[action$='/note/'] button")
        page.click("button[value=take]")
        assert standing(page) == row == f"item-{found[4]}"
        assert "sort=-number" in page.url
        assert page.locator("[data-row]").count() == 5, "the second page, as it was left"
    assert walk.broken == []


def test_the_queue_is_printed_with_its_filters_and_labels(desk, told):
    walk, _officer = desk
    sweep(told, 3)
    with walk.page("en", "light", 1440, forced_colors="active") as page:
        page.goto(f"{walk.address}/desk/queue/")
        page.emulate_media(media="print")
        assert page.locator("[data-row] .target:visible").count() == 3
        assert page.locator("[data-row] .tlp:visible").count() == 3
        assert "me or nobody" in page.inner_text(".queue-bar")
        assert not page.is_visible(".bulk")
        assert not page.is_visible("[data-row] .tick")


def test_all_that_match_are_closed_by_a_run_that_one_may_leave(desk, told, person):
    walk, _officer = desk
    found = sweep(told, 130)
    take_items({found[0]: None}, actor=person_actor(person("analyst").id), now=datetime.now(UTC))
    with walk.page("en", "light", 1440) as page:
        page.goto(f"{walk.address}/desk/queue/?state=open")
        assert "All 130 that match the filters" in page.inner_text(".bulk")
        page.check("input[name=scope][value=all]")
        page.click("button[value=take]")
        assert "All 130 items that match the filters" in page.inner_text("main")
        sweep(told, 140)
        page.click("main button[type=submit].button-main")
        assert "You may leave this page" in page.inner_text("#run")
        address = page.url
        page.goto(f"{walk.address}/desk/queue/runs/")
        run_due(HeldClock(datetime.now(UTC) + timedelta(seconds=5)))
        page.goto(address)
        told_text = page.inner_text("#run")
        assert "129 of 130 moved, 1 could not be" in told_text
        assert "is with The analyst, who took it before you" in told_text
    new = items(Filter(state="new"), viewer=JOB, now=datetime.now(UTC))
    assert len(new.rows) == 10
    assert walk.broken == []


def test_every_write_works_without_scripts_in_urdu_on_a_small_screen(desk, told, person):
    walk, _officer = desk
    person("analyst")
    first, second, *_rest = sweep(told, 3)
    with walk.page("ur", "light", 320, java_script_enabled=False) as page:
        queue = f"{walk.address}/desk/queue/"
        page.goto(queue)
        page.check(f"#item-{first} input[name=item]")
        page.click(".bulk button[value=take]")
        assert page.locator(f"#item-{first}.here").count() == 1
        page.check(f"#item-{second} input[name=item]")
        page.click(".bulk button[value=close]")
        page.fill("textarea#text", "حل ہو گیا")
        page.click("main button.button-main")
        assert page.locator("[role=alert]").count() == 1
        assert page.input_value("textarea#text") == "حل ہو گیا"
        page.check("input[name=reason][value=resolved]")
        page.click("main button.button-main")
        assert page.locator(f"#item-{second}").count() == 0
        page.goto(f"{queue}{first}/")
        page.fill("textarea#text", "فون کیا")
        page.click("form[action$='/note/'] button")
        assert "فون کیا" in page.inner_text(".way")
        page.goto(f"{walk.address}/desk/handover/")
        page.fill("textarea#reason", "پہلا دن")
        page.click("form[action$='/take/'] button")
        page.goto(f"{walk.address}/desk/handover/")
        page.select_option("select#to", label="The analyst")
        page.fill("textarea#note", "سب ٹھیک")
        page.click("form[action$='/give/'] button")
        assert "دستخط درست ہے" in page.inner_text("main")
        page.click("form[action$='/withdraw/'] button")
        page.fill("input#view-name", "x") if page.locator("input#view-name").count() else None
    assert items(Filter(state="taken"), viewer=JOB, now=datetime.now(UTC)).rows[0].id == first


def test_the_screens_reflow_speak_both_languages_and_please_axe(desk, told, monkeypatch):
    from axe_playwright_python.sync_playwright import Axe

    walk, officer = desk
    at = datetime.now(UTC) - timedelta(minutes=40)
    first = sweep(told, 4, at, severity="critical", params={"feed": "shadowserver"})[0]
    take_items({first: None}, actor=person_actor(officer.id), now=at)
    axe, wrong = Axe(), []
    screens = ("queue/", f"queue/{first}/", "queue/?state=open&group=yes", "handover/",
               "queue/?q=zzz&state=open", "queue/runs/")  # fmt: skip
    for language, theme in LOOKS:
        for width in (320, 1440):
            with walk.page(language, theme, width, bypass_csp=True) as page:
                for screen in screens:
                    page.goto(f"{walk.address}/desk/{screen}")
                    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    if over > 0:
                        wrong.append((screen, language, width, over))
                    if width == 320:
                        continue
                    for each in axe.run(page, options=AXE_RULES).response["violations"]:
                        shown = each["nodes"][0]
                        wrong.append((screen, language, theme, each["id"], shown["html"][:160]))
                    if screen == "queue/" and language == "ur":
                        wrong += _backwards(page)
                    _keep(page, f"{screen}{language}-{theme}")
    assert wrong == []


def _backwards(page: Any) -> list[Any]:
    """Targets whose minus sign does not stand left of its digits, by the places of the glyphs."""
    places = page.evaluate(
        """[...document.querySelectorAll('.target-over bdi')].map(each => {
          const text = each.firstChild, range = document.createRange();
          const left = at => { range.setStart(text, at); range.setEnd(text, at + 1);
            return range.getBoundingClientRect().left; };
          return [each.textContent, left(0), left(1)];
        })"""
    )
    if not places:
        return ["no overdue target was shown"]
    return [each for each in places if each[0][0] != "\N{MINUS SIGN}" or each[1] >= each[2]]


def _keep(page: Any, name: str) -> None:
    """A picture for people, where one was asked for."""
    if folder := os.environ.get("QUEUE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name.replace('/', '_').replace('?', '_')}.png")
