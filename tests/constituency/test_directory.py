"""What the desk reads, for whom, and at what cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.constituency import directory, queries
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
from muhafiz.constituency.actions.inhibitions import inhibit_letters
from muhafiz.constituency.cares import care_of, cares_at, count_unconfirmed, unconfirmed_contacts


@pytest.fixture
def filled(organization, actor, now):
    """Make n organizations in a chain, each with claims, a contact and an inhibition."""

    def fill(count: int, first: int = 0) -> list[int]:
        made: list[int] = []
        for number in range(first, first + count):
            pk = organization(
                f"Office {number:03}", sector="power", parent_id=made[-1] if made else None,
                handles=[("apnic", f"H{number}")],
            )  # fmt: skip
            for kind, value in (
                ("address", f"10.0.{number}.0/24"),
                ("domain", f"office{number}.example"),
                ("asn", "64500"),
            ):
                add_claim(organization_id=pk, kind=kind, value=value, actor=actor, now=now)
            add_contact(
                organization_id=pk, details=ContactDetails(f"a{number}@office.example", "abuse"),
                actor=actor, now=now,
            )  # fmt: skip
            inhibit_letters(
                organization_id=pk, until=now + timedelta(days=1), reason="test",
                actor=actor, now=now,
            )  # fmt: skip
            made.append(pk)
        return made

    return fill


def count_of(ask) -> int:
    ask()  # match tables are built once
    with CaptureQueriesContext(connection) as asked:
        ask()
    return len(asked)


def test_costs_do_not_grow_with_rows(filled, actor, now) -> None:
    first, _ = filled(2)
    questions = {
        "search": lambda: directory.search("office", viewer=actor, at=now),
        "address": lambda: directory.search("10.0.0.1", viewer=actor, at=now),
        "page": lambda: directory.organization_page(first, viewer=actor, at=now),
        "conflicts": lambda: directory.conflicts(viewer=actor, at=now),
        "contacts": lambda: queries.contacts_for(range(1, 50), at=now),
        "inhibited": lambda: queries.inhibited(range(1, 50), ["x"], now),
        "history": lambda: directory.history(first, viewer=actor),
    }
    few = {name: count_of(ask) for name, ask in questions.items()}
    for number in (2, 3, 4):
        filled(1, number)
    assert {name: count_of(ask) for name, ask in questions.items()} == few
    assert max(few.values()) <= 14


def test_search_finds_by_name_handle_network_and_address(filled, actor, now) -> None:
    made = filled(3)

    def found(text: str, **options: object) -> list[int]:
        page = directory.search(text, viewer=actor, at=now, **options)
        return [row.facts.id for row in page.rows]

    assert found("OFFICE 00") == made
    assert found("h1") == [made[1]]
    assert found("10.0.2.") == [made[2]]
    assert found("10.0.2.77") == [made[2]]
    assert found("www.office1.example") == [made[1]]
    assert found("AS64500") == made
    assert found("192.0.2.1") == []
    assert found("%") == []
    assert found("", sector="telecom") == []
    assert found("", retired=True) == []


def test_pages(filled, actor, now) -> None:
    made = filled(5)
    page = directory.search(viewer=actor, at=now, page=2, per_page=2)
    assert [row.facts.id for row in page.rows] == made[2:4]
    assert (page.number, page.pages, page.total) == (2, 3, 5)
    row = page.rows[0]
    assert (row.networks, row.domains, row.asns, row.contacts) == (1, 1, 1, 1)
    assert directory.search(viewer=actor, at=now, page=99, per_page=2).number == 3
    assert directory.search("nobody", viewer=actor, at=now).pages == 1


def test_the_page_of_an_organization(filled, actor, now) -> None:
    made = filled(3)
    page = directory.organization_page(made[1], viewer=actor, at=now)
    assert [one.id for one in page.ancestors] == [made[0]]
    assert [one.id for one in page.children] == [made[2]]
    assert (page.claims_total, len(page.contacts), len(page.inhibitions)) == (3, 1, 1)
    assert page.handles == (("apnic", "H1"),)
    (conflict,) = page.conflicts
    assert (conflict.text, len(conflict.claims)) == ("AS64500", 3)
    assert directory.organization_page(999, viewer=actor, at=now) is None


def test_a_constituent_sees_its_own_part_only(filled, actor, now) -> None:
    top, own, below = filled(3)
    viewer = replace(actor, organization_id=own)
    listed = directory.search(viewer=viewer, at=now)
    assert [row.facts.id for row in listed.rows] == [own, below]
    assert directory.search("10.0.0.1", viewer=viewer, at=now).total == 0
    assert directory.owners_of("10.0.0.1", viewer=viewer, at=now) == []
    assert directory.organization_page(top, viewer=viewer, at=now) is None
    assert directory.history(top, viewer=viewer) == []
    page = directory.organization_page(own, viewer=viewer, at=now)
    assert page.ancestors == ()
    seen = {claim.organization_id for conflict in page.conflicts for claim in conflict.claims}
    assert seen == {own, below}
    assert page.conflicts[0].winner is None


def test_who_has_only_a_contact_that_ended_has_none(organization, actor, now) -> None:
    bank = organization("Bank")
    ended = ContactDetails("abuse@bank.example", "abuse", valid_to=now.date())
    add_contact(organization_id=bank, details=ended, actor=actor, now=now)
    cares = cares_at(now)
    missing = care_of("contact", cares, viewer=actor, at=now)
    [row] = directory.search(viewer=actor, at=now, narrowed=missing, cares=cares).rows
    assert (row.facts.id, row.contacts, row.unconfirmed) == (bank, 0, 0)
    assert unconfirmed_contacts(viewer=actor, cares=cares) == []
    assert count_unconfirmed(viewer=actor, cares=cares) == 0
