"""Who gets in, and where nobody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from muhafiz.accounts.actions.entry import issue_entry_link
from muhafiz.accounts.rules import matrix
from muhafiz.web.desk.permissions import ROUTES
from muhafiz.web.desk.urls import urlpatterns
from muhafiz.web.doors import ROUTES as DOORS
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.given import OPERATOR
from tests.web.matrix import snapshot, somebody_who_may_all
from tests.web.samples import address as sample

pytestmark = pytest.mark.django_db

_GIVEN = {
    "report_id": 1, "row_id": 1, "import_id": 1, "organization_id": 1, "notice_id": 1, "job_id": 1,
    "letter_id": "00000000-0000-4000-8000-000000000000",
    "export_id": "00000000-0000-4000-8000-000000000000", "number": 0, "day": "2026-11-22",
    "key": "1",
}  # fmt: skip


def address(name: str) -> str:
    forms, *_ = get_resolver().reverse_dict[name]
    return reverse(name, kwargs={part: _GIVEN.get(part, 1) for part in forms[0][1]})


def asked(client: Client, name: str):
    method = client.post if ROUTES[name][1] == "POST" else client.get
    answer = method(address(name))
    if answer.streaming:
        b"".join(answer.streaming_content)  # as a server does; its file would stay open
    return answer


def test_every_route_has_a_row_and_every_row_a_route():
    assert {pattern.name for pattern in urlpatterns} == set(ROUTES)
    assert {permission for permission, _ in ROUTES.values()} <= set(matrix().permissions)


def test_nobody_is_sent_to_the_front(client):
    for name in ROUTES:
        answer = asked(client, name)
        assert (answer.status_code, answer["Location"]) == (302, "/"), name


def test_a_part_that_asks_after_its_session_ended_sends_the_page_away(client):
    answer = client.get("/desk/live/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/")


def test_somebody_without_a_role_gets_403_everywhere(entered):
    client = entered("")
    for name in ROUTES:
        assert asked(client, name).status_code == 403, name


@pytest.mark.parametrize("role", sorted(matrix().roles))
def test_each_role_opens_what_the_matrix_says(role, entered, person, folders):
    if role in matrix().constituents:
        pytest.skip("constituents' people have no desk")
    client = entered(role)
    for name, (permission, method) in ROUTES.items():
        if method == "GET":
            answer = asked(client, name)
            allowed = role in matrix().permissions[permission]
            assert (answer.status_code != 403) == allowed, name


def test_a_read_route_takes_no_post_and_a_write_route_no_get(entered, folders):
    client = entered("duty_officer")
    for name, (permission, method) in ROUTES.items():
        if "duty_officer" in matrix().permissions[permission]:
            other = client.get if method == "POST" else client.post
            assert other(address(name)).status_code == 405, name


def test_every_write_needs_the_forms_secret(world):
    for routes, organization in ((ROUTES, None), (PORTAL, world.organization)):
        client = somebody_who_may_all(organization, enforce_csrf_checks=True)
        before = snapshot()
        for name, (_, method) in routes.items():
            if method == "POST":
                answer = client.post(sample(name, organization))
                assert answer.status_code == 403, name
                assert "out of date" in answer.content.decode(), name
        for name, (_, methods) in DOORS.items():
            if "POST" in methods and name != "policy-report":  # a browser's own report has none
                assert client.post(sample(name, organization)).status_code == 403, name
        assert snapshot() == before


def test_a_link_lets_in_once_and_opening_it_uses_nothing_up(person, client):
    found, now = person("duty_officer"), datetime.now(UTC)
    token = issue_entry_link(
        email=found.email, valid_for=timedelta(hours=1), actor=OPERATOR, now=now
    )
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    for _ in range(2):
        assert client.get(f"/enter/{token}/").status_code == 200
    answer = client.post(f"/enter/{token}/")
    assert answer["Location"] == "/desk/queue/"
    assert client.cookies["sessionid"].value != before
    assert "planted" not in client.session
    again = Client().post(f"/enter/{token}/")
    assert again.status_code == 409
    assert "ask for a new one" in again.content.decode()


def test_leaving_ends_the_session_on_the_server(entered):
    client = entered("duty_officer")
    key = client.cookies["sessionid"].value
    client.post("/leave/")
    other = Client()
    other.cookies["sessionid"] = key
    assert other.get("/desk/").status_code == 302


def test_demonstration_doors_exist_only_there(person, client, settings):
    found = person("analyst")
    door = f"/enter-as/{found.id}/"
    settings.DEMONSTRATION = False
    assert client.post(door).status_code == 404
    assert "Enter the demonstration" not in client.get("/").content.decode()
    settings.DEMONSTRATION = True
    assert client.get(door).status_code == 405
    assert door in client.get("/").content.decode()
    assert client.post(door)["Location"] == "/desk/queue/"


def test_a_person_whose_desk_begins_elsewhere_lands_there(person, client, settings):
    settings.DEMONSTRATION = True
    door = f"/enter-as/{person('council_secretary').id}/"
    assert client.post(door)["Location"] == "/desk/rulebook/"


def test_language_and_theme_keep_the_page(client):
    answer = client.post("/language/", {"language": "ur", "next": "/verify/?code=a"})
    assert answer["Location"] == "/verify/?code=a"
    page = client.get("/verify/").content.decode()
    assert 'dir="rtl"' in page
    assert "خط کی تصدیق" in page
    answer = client.post("/theme/", {"theme": "dark", "next": "/verify/"})
    assert answer["Location"] == "/verify/"
    assert 'data-theme="dark"' in client.get("/").content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:1"])
def test_no_switch_leads_elsewhere(client, elsewhere):
    for door, given in (("/theme/", {"theme": "dark"}), ("/language/", {"language": "ur"})):
        assert client.post(door, given | {"next": elsewhere})["Location"] == "/"


def test_a_theme_that_is_none_is_not_kept(client):
    assert "theme" not in client.post("/theme/", {"theme": '"><b>'}).cookies


@pytest.mark.parametrize(
    "path", ["/", "/verify/", "/statistics/", "/health/", "/sign-in/", "/sign-in/forgotten/sent/"]
)
def test_public_pages_answer_head_as_they_answer_get(client, path):
    """RFC 9110 asks it of every resource; whoever watches whether the site is up asks so."""
    asked = client.get(path)
    assert client.head(path).status_code == asked.status_code


def test_letters_are_verified_so_often_a_minute_and_no_more(client):
    asked = [client.get(f"/verify/?code=N-{at}").status_code for at in range(31)]
    assert asked == [200] * 30 + [429]
    assert client.get("/verify/").status_code == 200, "the page itself stays open"
    assert client.get("/verify/?code=N-1", REMOTE_ADDR="198.51.100.9").status_code == 200
    first = [
        client.get("/verify/?code=N-1", REMOTE_ADDR=f"2001:db8:0:1::{at:x}").status_code
        for at in range(31)
    ]
    assert first[-1] == 429, "a /64 is one subscriber"
