"""Forms of the portal that name another organization's rows change nothing of theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.queries import invitations, people, person_actor
from muhafiz.accounts.rules import matrix
from muhafiz.constituency.actions.requests import request_claim
from muhafiz.tenancy.current import reading_as
from muhafiz.tenancy.declared import declared
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.tenancy.given import model_of
from tests.web.canary import COMMITTED, Seen, body, secrets_of
from tests.web.given import OPERATOR
from tests.web.samples import SAMPLES, address

pytestmark = COMMITTED
WRITES = [name for name, (_, method) in PORTAL.items() if method == "POST"]


def rows_of(organization: int) -> dict[str, list[tuple]]:
    """Everything that is this organization's, by table."""
    with reading_as([organization]):
        return {
            table: sorted(map(repr, model_of(table).objects.values_list()))
            for table in declared().tables("own")
        }


def filled(organization: int) -> dict[str, object]:
    """Every field that any form of the portal has, all naming this organization's rows."""
    names = ("number", "finding_id", "contact_id", "claim_id", "request_id", "person_id")
    found = {name: str(SAMPLES[name](organization) or 0) for name in names}
    return {
        **found,
        "organization": str(organization), "organization_id": str(organization),
        "part": str(organization), "item": found["number"], "finding": found["number"],
        "query": f"part={organization}&organization={organization}",
        "response": "acknowledge", "reason": "because", "checked": "yes",
        "until": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}",
        "wanted": "add", "kind": "address", "value": "45.91.17.0/25", "note": "n",
        "email": f"person-{organization}@example.org", "role": "abuse", "name": "Somebody",
        "language": "en", "address": "new@water.example", "hours": "",
    }  # fmt: skip


@pytest.fixture
def peopled(two):
    """Both have a second person and a request that waits."""
    now = datetime.now(UTC)
    for organization in two:
        found = register_person(
            email=f"person-{organization}@example.org", name="Second",
            organization_id=organization, actor=OPERATOR, now=now,
        )  # fmt: skip
        grant_role(person_id=found.id, role="constituent_admin", actor=OPERATOR, now=now)
        request_claim(
            organization_id=organization, wanted="add", kind="domain",
            value=f"more-{organization}.example", actor=person_actor(found.id), now=now,
        )  # fmt: skip
    return two


def post(client, where: str, fields: dict[str, object]):
    client.raise_request_exception = False
    return client.post(where, fields)


@pytest.mark.parametrize("changes", [{}, {"scope": "all"}, {"wanted": "end", "response": "except"}])
def test_fields_that_name_anothers_rows_change_nothing_of_theirs(
    peopled, constituent_client, changes
):
    own, other = peopled
    client = constituent_client(own, "constituent_admin")
    before, secrets, fields = rows_of(other), secrets_of(other), filled(other) | changes
    typed = " ".join(map(str, fields.values()))
    for route in WRITES:
        answer = post(client, address(route, own), fields)
        assert answer.status_code < 500, route
        told = body(answer)
        assert [each for each in secrets if each not in typed and each in told] == [], route
        assert rows_of(other) == before, route
    page = Seen(client, [each for each in secrets if each not in typed])
    page.walk(iter(["/portal/", "/portal/people/", "/portal/networks/", "/portal/contacts/"]))
    assert page.found == []


def test_the_same_fields_change_ones_own(peopled, constituent_client):
    """So that the test above attacks what can be done at all."""
    own, _ = peopled
    client = constituent_client(own, "constituent_admin")
    changed = set()
    for route in WRITES:
        before = rows_of(own)
        post(client, address(route, own), filled(own) | {"email": f"x-{route}@water.example"})
        if rows_of(own) != before:
            changed.add(route)
    assert changed >= {
        "portal-answer", "portal-answer-many", "portal-request", "portal-request-withdraw",
        "portal-contact-add", "portal-contact-confirm", "portal-contact-end",
        "portal-person-invite", "portal-person-suspend",
    }  # fmt: skip


def test_no_form_of_the_portal_gives_a_role_of_the_staff(peopled, constituent_client):
    own, other = peopled
    client = constituent_client(own, "constituent_admin")
    for role in sorted(matrix().roles):
        for organization in ("", str(other), str(own)):
            fields = filled(own) | {"role": role, "organization": organization}
            email = f"{role.replace('_', '-')}-{organization}@water.example"
            post(client, "/portal/people/invite/", fields | {"email": email})
    made = invitations(limit=200)
    assert len(made) > 20
    assert {each.organization_id for each in made} == {own}
    assert {each.role for each in made} <= matrix().constituents
    assert all(each.roles <= matrix().constituents for each in people(organization_id=own))
