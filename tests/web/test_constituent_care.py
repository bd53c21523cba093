"""What a large or neglected constituent needs on the desk: all its claims, dead addresses, its end."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.constituency import directory, holdings
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
from muhafiz.constituency.actions.organizations import merge_organizations, register_organization
from muhafiz.constituency.cares import cares_at, dead_contacts
from muhafiz.constituency.models import Claim, Inhibition
from muhafiz.constituency.queries import current_contacts, organization
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.queries import is_retired
from muhafiz.rulebook.actions.profile import load_profile
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def liaison(entered):
    return entered("sector_liaison")


@pytest.fixture
def by():
    return {"actor": OPERATOR, "now": datetime.now(UTC)}


@pytest.fixture
def telecom(by):
    return register_organization(name_en="Great Telecom", **by)


def page(number) -> str:
    return f"/desk/constituents/{number}/"


def words(answer) -> str:
    """What the page says, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", "", answer.content.decode()).split())


def many_claims(owner: int, count: int) -> None:
    now = datetime.now(UTC)
    Claim.objects.bulk_create(
        Claim(
            organization_id=owner,
            kind="address",
            text=f"10.{n // 256}.{n % 256}.0/24",
            origin="manual",
            source="csv",
            created_at=now,
        )
        for n in range(count)
    )


def test_every_claim_of_a_large_owner_is_found_and_can_end(liaison, telecom, by):
    many_claims(telecom, 260)
    add_claim(organization_id=telecom, kind="domain", value="telecom.example", note="main", **by)
    assert "All 261, to be searched" in words(liaison.get(page(telecom)))
    own = f"{page(telecom)}networks/"
    seen = "".join(liaison.get(f"{own}?page={n}").content.decode() for n in (1, 2, 3))
    assert all(f"10.{n // 256}.{n % 256}.0/24" in seen for n in range(260))
    found = liaison.get(f"{own}?text=10.0.250.7").content.decode()  # an address in it
    assert ("10.0.250.0/24" in found, "10.0.249.0/24" in found) == (True, False)
    assert "telecom.example" in liaison.get(f"{own}?kind=domain&text=main").content.decode()
    last = Claim.objects.get(text="10.1.3.0/24")
    back = f"{own}?text=10.1.3."
    answer = liaison.post(
        f"{page(telecom)}claims/{last.id}/",
        {"act": "end", "valid_to": "2026-01-01", "next": back},
    )
    assert answer["Location"] == back
    assert Claim.objects.get(pk=last.id).valid_to == date(2026, 1, 1)
    past = liaison.get(f"{own}?state=past").content.decode()
    assert ("10.1.3.0/24" in past, "10.1.2.0/24" in past) == (True, False)
    held = liaison.get(f"{own}?state=held&text=10.1.3.").content.decode()
    assert "10.1.3.0/24" not in held.partition("<tbody>")[2]


def test_claims_are_listed_at_one_cost(telecom):
    asked = []
    for count in (1, 3):
        Claim.objects.all().delete()
        many_claims(telecom, count)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = holdings.claims_of(telecom, viewer=OPERATOR, at=datetime.now(UTC))
        assert found.total == count
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_another_organizations_claim_is_not_there(liaison, telecom, by):
    other = register_organization(name_en="Other", **by)
    claim = add_claim(organization_id=other, kind="asn", value="AS64500", **by)
    assert liaison.post(f"{page(telecom)}claims/{claim}/", {"act": "end"}).status_code == 404
    assert liaison.get(f"{page(10**6)}networks/").status_code == 404


def test_a_contacts_days_are_shown_and_kept(liaison, telecom, by):
    details = ContactDetails(
        "a@telecom.example", "abuse", valid_from=date(2026, 1, 1), valid_to=date(2099, 5, 1)
    )
    contact = add_contact(organization_id=telecom, details=details, **by)
    own = f"{page(telecom)}contacts/{contact}/"
    form = liaison.get(own).content.decode()
    assert 'value="2026-01-01"' in form
    assert 'value="2099-05-01"' in form
    sent = {"address": "a@telecom.example", "role": "abuse", "name": "Night desk"}
    liaison.post(f"{own}save/", {**sent, "valid_from": "2026-01-01", "valid_to": "2099-05-01"})
    [kept] = current_contacts([telecom])
    assert (kept.name, kept.valid_from, kept.valid_to) == (
        "Night desk", date(2026, 1, 1), date(2099, 5, 1),
    )  # fmt: skip
    wrong = liaison.post(f"{own}save/", {**sent, "valid_to": "soon"})
    assert wrong.status_code == 400
    assert "is no date" in wrong.content.decode()


def test_a_dead_address_is_seen_and_taken_back(liaison, telecom, by):
    contact = add_contact(
        organization_id=telecom, details=ContactDetails("Gone@telecom.example", "abuse"), **by
    )
    add_contact(organization_id=telecom, details=ContactDetails("ok@telecom.example", "ciso"), **by)
    retire_address(
        address="gone@telecom.example", reason="mail came back", evidence="5.1.1 unknown", **by
    )
    shown = liaison.get(page(telecom)).content.decode()
    assert shown.count("5.1.1 unknown") == 1
    assert "Great Telecom" in liaison.get("/desk/constituents/?care=dead").content.decode()
    told = liaison.get("/desk/liaison/").content.decode()
    assert "5.1.1 unknown" in told
    [(owner, each, why)] = dead_contacts(viewer=OPERATOR, cares=cares_at(by["now"]))
    assert (owner.id, each.id, why.evidence) == (telecom, contact, "5.1.1 unknown")
    own = f"{page(telecom)}contacts/{contact}/restore/"
    assert liaison.post(own, {"reason": ""}).status_code == 400
    assert is_retired("gone@telecom.example")
    assert liaison.post(own, {"reason": "They mended it."}).status_code == 302
    assert not is_retired("gone@telecom.example")
    assert "Great Telecom" not in liaison.get("/desk/constituents/?care=dead").content.decode()
    assert liaison.post(own, {"reason": "Again."}).status_code == 400


def test_a_registrys_name_is_entered(liaison, telecom, by):
    other = register_organization(name_en="Other", handles=[("apnic", "ORG-O1-AP")], **by)
    sent = {"source": "APNIC", "handle": "org-gt1-ap"}
    liaison.post(f"{page(telecom)}handles/", sent)
    found = directory.organization_page(telecom, viewer=OPERATOR, at=by["now"])
    assert found.handles == (("apnic", "ORG-GT1-AP"),)
    taken = liaison.post(f"{page(telecom)}handles/", {**sent, "handle": "ORG-O1-AP"})
    assert taken.status_code == 400
    assert organization(other)


def test_an_organization_is_let_go(liaison, telecom, by):
    claim = add_claim(organization_id=telecom, kind="asn", value="AS64500", **by)
    child = register_organization(name_en="Child", parent_id=telecom, **by)
    own = f"{page(telecom)}retire/"
    refused = liaison.post(own, {"since": "2026-01-01"})
    assert refused.status_code == 400
    assert "stand below it" in refused.content.decode()
    liaison.post(f"{page(child)}retire/", {"since": "2026-01-01"})
    assert liaison.post(own, {"since": "2026-01-01"}).status_code == 302
    assert organization(telecom).retired
    assert Claim.objects.get(pk=claim).valid_to == date(2026, 1, 1)
    assert "Great Telecom" not in liaison.get("/desk/constituents/").content.decode()


def test_facts_are_kept_all_or_none(liaison, telecom, by):
    load_profile("pakistan", **by)
    child = register_organization(name_en="Child", parent_id=telecom, **by)
    own = f"{page(telecom)}save/"
    sent = {"name_en": "Renamed", "language": "en", "sector": "telecom", "region": "PK-SD"}
    refused = liaison.post(own, {**sent, "parent": child})  # it would stand below itself
    assert refused.status_code == 400
    found = organization(telecom)
    assert (found.name_en, found.sector, found.region) == ("Great Telecom", "", "")
    assert 'value="PK-SD" selected' in refused.content.decode()  # what was typed stays
    liaison.post(own, {**sent, "parent": ""})
    found = organization(telecom)
    assert (found.name_en, found.sector, found.region) == ("Renamed", "telecom", "PK-SD")
    assert "Sindh" in liaison.get(page(telecom)).content.decode()


def test_many_inhibitions_do_not_bury_the_page(liaison, telecom, by):
    small = register_organization(name_en="Small", **by)
    many_claims(small, 40)
    Inhibition.objects.create(
        organization_id=small, until=by["now"] + timedelta(days=9), reason="police",
        created_at=by["now"], created_by="x",
    )  # fmt: skip
    merge_organizations(kept_id=telecom, absorbed_id=small, since=by["now"].date(), **by)
    shown = words(liaison.get(page(telecom)))
    assert shown.count("police") == 12
    assert "The first 12 of 40 are shown." in shown
    hidden = Inhibition.objects.filter(claim__organization=telecom).order_by("-pk").first()
    liaison.post(f"{page(telecom)}inhibitions/{hidden.pk}/")
    hidden.refresh_from_db()
    assert hidden.lifted_at is not None
    assert liaison.post(f"{page(telecom)}inhibitions/{hidden.pk}/").status_code == 404
