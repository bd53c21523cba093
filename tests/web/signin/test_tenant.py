"""A constituent proves again who is there, while the database shows only their own rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from muhafiz.accounts.models import Session
from muhafiz.accounts.queries import invitations

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "portal"])


def test_inviting_from_the_portal_is_grave(world, constituent_client):
    client = constituent_client(world.organization, "constituent_admin")
    assert client.get("/portal/me/").status_code == 200
    Session.objects.update(confirmed_at=datetime.now(UTC) - timedelta(hours=1))
    given = {"email": "new@power.example", "name": "New", "role": "constituent_officer"}
    answer = client.post("/portal/people/invite/", given)
    assert answer["Location"].startswith("/sign-in/confirm/")
    assert invitations() == []
    Session.objects.update(confirmed_at=datetime.now(UTC))
    page = client.get("/sign-in/go-on/").content.decode()
    assert 'action="/portal/people/invite/"' in page
    assert 'value="new@power.example"' in page
    assert client.post("/portal/people/invite/", given).status_code == 302
    [made] = invitations(organization_id=world.organization)
    assert (made.role, made.organization_id) == ("constituent_officer", world.organization)


def test_no_page_is_passed_off_as_one_of_sign_in(world, constituent_client):
    """Those are read as the house, for whoever is there is not known yet."""
    settled = constituent_client(world.organization)
    read = []
    with connections["portal"].execute_wrapper(
        lambda execute, *asked: (read.append(asked[0]), execute(*asked))[1]
    ):
        assert settled.get("/portal/findings/", SCRIPT_NAME="/sign-in").status_code == 200
    assert read


def test_ones_own_views_and_nobody_elses_show_in_the_portal(world, constituent_client):
    client = constituent_client(world.organization)
    given = {"page": "findings", "name": "Mine", "query": "severity=high", "next": "/portal/"}
    assert client.post("/views/save/", given)["Location"] == "/portal/"
    from muhafiz.accounts.queries import person_by_email, saved_views

    viewer = person_by_email(f"constituent_officer-{world.organization}@example.org").actor()
    assert [view.name for view in saved_views("findings", viewer)] == ["Mine"]
