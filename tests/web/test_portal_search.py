"""The portal's search: everything of one's own, and nothing of anybody else's.

On committed rows, so that the database's own separation works as in production.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from muhafiz.audit.queries import entries
from muhafiz.common.actor import Actor
from muhafiz.detection.actions.exposure import gather_findings
from muhafiz.search.actions.indexing import index_sources
from muhafiz.search.models import Entry
from tests.web.canary import CANARY, NETWORK, secrets_of, two
from tests.web.given import HOSTILE

__all__ = ["two"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "portal"])


@pytest.fixture
def indexed(two):
    now = datetime.now(UTC)
    gather_findings(actor=Actor.job("gather"), now=now)
    index_sources(now=now)
    return two


def found(client, text):
    """The page's main part, and where its answers lead."""
    answer = client.get("/portal/search/", {"q": text})
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2].partition("</main")[0]
    return main, set(re.findall(r'href="(/portal/[^"#?]+)', main))


def numbers(owner):
    return [
        entry.title.partition(" ")[0]
        for entry in Entry.objects.using("default").filter(organization_id=owner)
        if entry.kind in {"finding", "notice"}
    ]


def test_one_finds_ones_own_by_number_address_name_and_plain_word(indexed, constituent_client):
    own, _ = indexed
    client = constituent_client(own)
    assert len(numbers(own)) >= 2
    for number in numbers(own):
        main, ways = found(client, number)
        assert number in main
        assert any(way.startswith(("/portal/findings/", "/portal/notices/")) for way in ways)
    for text in ("198.51.100.1", "198.51[.]100.1", "198.51.100.0/25", "h0.water.example"):
        _, ways = found(client, text)
        assert "/portal/networks/" in ways, text
        assert any(way.startswith("/portal/findings/") for way in ways), text
    for text in ("telnet", "internet telnet", "انٹرنیٹ"):
        _, ways = found(client, text)
        assert any(way.startswith("/portal/findings/") for way in ways), text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_a_canary_is_never_found(indexed, constituent_client, language):
    own, other = indexed
    client = constituent_client(own, "constituent_admin")
    client.cookies["django_language"] = language
    secrets = secrets_of(other)
    own_ones = set(numbers(own))
    assert Entry.objects.using("default").filter(organization_id=other).exists()
    theirs = (CANARY, CANARY[:6], f"{CANARY}.example", f"abuse@{CANARY}.example", "پاور")
    for text in (*secrets, *theirs, f"{NETWORK}.1", f"{NETWORK}.0/24"):
        _, ways = found(client, text)
        assert ways == set(), text
    for text in ("telnet", "0.0.0.0/0", "example", "F-", "NOTICES", "internet", "a", "2"):
        main, _ = found(client, text)
        assert [secret for secret in secrets if secret in main] == [], text
        assert set(re.findall(r"\b(?:F-[0-9A-Z]+|NOTICES-[0-9-]+\d)", main)) <= own_ones, text


def test_their_own_people_find_the_canary(indexed, constituent_client):
    """So the test above looks for the right thing."""
    _, other = indexed
    client = constituent_client(other)
    for text in (CANARY, f"{NETWORK}.1", *numbers(other)):
        _, ways = found(client, text)
        assert ways, text


def test_a_search_is_an_entry_of_the_log(indexed, constituent_client):
    own, _ = indexed
    found(constituent_client(own), "telnet")
    [entry, *_rest] = entries(action="search.search", limit=1)
    assert "telnet" in str(entry)


@pytest.mark.parametrize("text", ["", "x" * 400, "\0", "٪", "zzzz", "[", ".....", "a@b", HOSTILE])
def test_odd_questions_get_a_page(indexed, constituent_client, text):
    own, _ = indexed
    answer = constituent_client(own).get("/portal/search/", {"q": text})
    assert answer.status_code in (200, 400)
    assert "<script>alert" not in answer.content.decode()


def test_nothing_found_says_so(indexed, constituent_client):
    own, _ = indexed
    main, ways = found(constituent_client(own), "zzzz")
    assert ways == set()
    assert "Nothing of yours is called so" in main


def test_staff_have_no_portal_search(indexed, all_roles):
    assert all_roles.get("/portal/search/", {"q": "telnet"}).status_code in (302, 403, 404)
