"""What the desk's rooms write, written in a real browser without any script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from muhafiz.accounts.actions.people import grant_role
from muhafiz.constituency import directory
from muhafiz.constituency.actions.organizations import register_organization
from muhafiz.constituency.queries import current_contacts, organization
from muhafiz.detection import queries as detection
from muhafiz.feeds import queries as feeds
from muhafiz.feeds.actions.feeds import create_feed
from muhafiz.rulebook import queries as rulebook
from tests.feeds.test_replay import BROKEN
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR
from tests.web.test_workbench import list_report
from tests.web.walking import Walk, walks


@pytest.fixture
def worker(person: Any) -> Any:
    """A browser of somebody who may write in every room."""
    found = person("duty_officer")
    for role in ("analyst", "director"):
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    return browser_of(found)


@pytest.fixture
def plain(walk: Walk, worker: Any, world: Any) -> Any:
    """A page without scripts."""
    create_feed(
        name="generic", source="generic", options={"mapping": BROKEN}, actor=OPERATOR,
        now=datetime.now(UTC),
    )  # fmt: skip
    list_report()
    who = Walk(walk.browser, walk.address, worker.cookies["sessionid"].value)
    with who.page("en", "light", 1280, java_script_enabled=False) as page:
        yield page


def press(page: Any, word: str) -> None:
    page.get_by_role("button", name=word, exact=True).first.click()
    page.wait_for_load_state()


@walks
def test_every_room_is_written_in_without_scripts(plain, walk, world):
    mend_a_row_and_a_mapping(plain, walk.address)
    edit_a_constituent(plain, walk.address, world.organization)
    edit_a_policy(plain, walk.address)
    look_after_a_feed(plain, walk.address)
    propose_a_value(plain, walk.address)


def mend_a_row_and_a_mapping(page: Any, address: str) -> None:
    rows = [row for row in feeds.set_aside_rows() if row.feed == "generic"]
    page.goto(f"{address}/desk/set-aside/{rows[0].id}/")
    page.fill("#raw", rows[0].raw.decode().replace("http-2", "8080"))
    press(page, "Try it")
    assert "Nothing was written yet" in page.content()
    press(page, "Read the corrected row")
    assert feeds.set_aside_row(rows[0].id).state == "replayed"
    page.goto(f"{address}/desk/set-aside/{rows[1].id}/mapping/")
    page.fill("#map-source_port", "")
    press(page, "Try it on all that lies aside")
    assert "A trial: nothing was written." in page.content()
    press(page, "Let it hold")
    page.locator("input[name=item]").first.check()
    press(page, "Read again")
    left = [row for row in feeds.set_aside_rows() if row.feed == "generic"]
    assert len(left) == len(rows) - 2
    page.goto(f"{address}/desk/set-aside/group/?feed=generic")
    page.locator("input[name=item]").first.check()
    page.fill("#note", "of no use")
    press(page, "Dismiss")
    assert len([row for row in feeds.set_aside_rows() if row.feed == "generic"]) < len(left)


def edit_a_constituent(page: Any, address: str, number: int) -> None:
    own = f"{address}/desk/constituents/{number}/"
    page.goto(own)
    page.fill("#value", "AS64511")
    page.select_option("#kind", "asn")
    press(page, "Enter it")
    page.get_by_role("link", name="Add a contact").click()
    page.fill("#address", "ciso@power.example")
    press(page, "Keep it")
    press(page, "They answered")
    assert any(contact.confirmed_at for contact in current_contacts([number]))
    page.fill("#until", "2099-01-01")
    page.fill("#inhibit #reason", "maintenance")
    press(page, "Hold letters back")
    press(page, "Lift it")
    found = directory.organization_page(number, viewer=OPERATOR, at=datetime.now(UTC))
    assert "AS64511" in {claim.text for claim in found.claims}
    assert found.inhibitions == ()
    other = register_organization(name_en="Absorbed", actor=OPERATOR, now=datetime.now(UTC))
    page.goto(f"{own}merge/?other={other}")
    press(page, "Merge them")
    assert organization(other).merged_into_id == number


def edit_a_policy(page: Any, address: str) -> None:
    page.goto(f"{address}/desk/policies/default.vulnerable/")
    page.fill("#threshold", "3")
    press(page, "Who would have got what")
    assert "is being replayed" in page.content()
    page.goto(f"{address}/desk/policies/default.vulnerable/")
    page.fill("#resend_days", "11")
    press(page, "Let it hold")
    assert detection.policy_history("default.vulnerable")[0].resend_days == 11


def look_after_a_feed(page: Any, address: str) -> None:
    page.goto(f"{address}/desk/feeds/generic/")
    page.fill("#expected_rows_per_day", "20")
    press(page, "Try the options on the last report")
    assert "rows would be read" in page.content()
    press(page, "Keep it")
    page.locator("#person").select_option(index=1)
    press(page, "Give it to them")
    found = feeds.feed_state("generic", now=datetime.now(UTC))
    assert (found.expected_rows_per_day, bool(found.owner)) == (20, True)


def propose_a_value(page: Any, address: str) -> None:
    page.goto(f"{address}/desk/rulebook/keys/retention.events_days/")
    page.fill("#value", "500")
    page.fill("#source", "an agreement")
    press(page, "Propose it")
    assert [each.value for each in rulebook.proposals()] == [500]
    page.goto(f"{address}/desk/audit/")
    press(page, "Verify the whole log")
    assert "The log is being verified" in page.content()
