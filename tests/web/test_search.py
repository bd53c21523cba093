"""The search page: everything from one box, nothing that the viewer may not open."""

from __future__ import annotations

import pytest

from muhafiz.audit.queries import entries
from muhafiz.search.actions.indexing import index_sources
from tests.web.given import HOSTILE


@pytest.fixture
def indexed(world):
    index_sources(now=world.moment)
    return world


def page_of(client, text, **more):
    answer = client.get("/desk/search/", {"q": text, **more})
    return answer, answer.content.decode()


def test_what_is_found_links_to_its_page(indexed, all_roles):
    for text, address in (
        ("quetta", "/desk/constituents/"),
        ("scan_telnet", "/desk/reports/"),
        ("abuse@water.example", "/desk/letters/"),
        ("203.0.113.1", "/desk/events/?cidr=203.0.113.1"),
    ):
        answer, page = page_of(all_roles, text)
        assert answer.status_code == 200
        assert address in page


def test_every_link_of_the_answers_opens(indexed, all_roles):
    import re

    for text in ("telnet", "power", "quetta", "notice"):
        _, page = page_of(all_roles, text)
        listed = page[page.index("<main") :]
        for address in re.findall(r'href="(/desk/[^"]+)"', listed):
            assert all_roles.get(address.replace("&amp;", "&")).status_code == 200, address


def test_an_address_tells_who_claims_it_and_what_was_seen(indexed, all_roles):
    _, page = page_of(all_roles, "203.0.113[.]1")
    assert "is claimed by" in page
    assert "in the last 90 days" in page


def test_hostile_text_stays_text(indexed, all_roles):
    _, page = page_of(all_roles, HOSTILE)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_who_may_not_read_events_is_not_told_of_them(indexed, entered):
    _, page = page_of(entered("programme_manager"), "203.0.113.1")
    assert "in the last 90 days" not in page
    assert "is claimed by" not in page


def test_a_kind_can_be_chosen(indexed, all_roles):
    _, page = page_of(all_roles, "telnet", kind="report")
    assert "/desk/reports/" in page[page.index("<main") :]
    answer, _ = page_of(all_roles, "telnet", kind="nonsense")
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["", "x" * 400, "\0", "zzzz", "٪"])
def test_odd_questions_get_a_page(indexed, all_roles, text):
    answer, page = page_of(all_roles, text)
    assert answer.status_code in (200, 400)
    assert "<h1>" in page


def test_a_search_is_an_entry_of_the_log(indexed, all_roles):
    page_of(all_roles, "quetta")
    [entry, *_] = entries(action="search.search", limit=1)
    assert '"quetta"' in str(entry) or "quetta" in str(entry)
