"""Every screen answers, escapes what strangers wrote, and asks as little of many rows as of few."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.constituency.actions.organizations import add_handle, register_organization
from muhafiz.feeds.queries import set_aside_rows
from tests.web.given import OPERATOR, make_world

pytestmark = pytest.mark.django_db

LISTS = ("reports", "set-aside", "events", "constituents", "notices", "letters", "feeds")


def inline_code(page: str) -> list[object]:
    """What a browser might run or apply from within the page itself."""
    found: list[object] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            told = dict(attrs)
            found.extend(name for name in told if name == "style" or name.startswith("on"))
            if tag in {"style", "iframe", "object", "embed", "base"}:
                found.append(tag)
            if tag == "script" and not str(told.get("src")).startswith("/static/"):
                found.append(attrs)

    Reader().feed(page)
    return found


def test_the_search_for_inline_code_finds_it():
    assert inline_code('<b onclick="x" style="y"></b><script>1</script>') == [
        "onclick", "style", [],
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ur"])
def test_every_screen_shows_hostile_text_as_text(world, all_roles, language):
    all_roles.cookies["django_language"] = language
    seen = 0
    for name, path in world.screens.items():
        page = all_roles.get(path).content.decode()
        seen += "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page, name
        assert "<img" not in page, name
        assert inline_code(page) == [], name
        assert f'lang="{language}"' in page
    assert seen >= 6, "the hostile text must be shown somewhere, else this proves nothing"


def test_every_screen_answers_ok(world, all_roles):
    statuses = {name: all_roles.get(path).status_code for name, path in world.screens.items()}
    assert set(statuses.values()) == {200}, statuses


def test_every_answer_carries_the_policy(world, all_roles, client):
    pages = [all_roles.get(path) for path in world.screens.values()]
    pages += [client.get("/nowhere/"), client.get("/health/"), client.get("/desk/")]
    for page in pages:
        policy = page["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert page["X-Content-Type-Options"] == "nosniff"
        assert page["X-Frame-Options"] == "DENY"
    assert all_roles.get("/desk/")["Cache-Control"] == "no-store"


def test_lists_ask_as_many_questions_for_three_rows_as_for_one(all_roles, folders, settings):
    settings.DEMONSTRATION = True
    one = make_world(rows=1)
    counts = {}
    for name in LISTS:
        all_roles.get(one.screens[name])
        with CaptureQueriesContext(connection) as asked:
            all_roles.get(one.screens[name])
        counts[name] = len(asked)
    three = make_world(rows=3)
    for name in LISTS:
        with CaptureQueriesContext(connection) as asked:
            all_roles.get(three.screens[name])
        assert len(asked) == counts[name], name


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/desk/events/?cidr=not-a-network", "This is no network"),
        ("/desk/events/?since=yesterday", "This is no date"),
        ("/desk/events/?organization=nobody%20so", "No organization is called so"),
        ("/desk/events/?type=%3Cb%3E", "This is not one of the choices"),
        ("/desk/events/?domain=a..b", "is no domain name"),
        ("/desk/events/?after=!!!", "page mark"),
        ("/desk/events/?asn=99999999999", "is no AS number"),
        ("/desk/reports/?state=nonsense", "This is not one of the choices"),
        ("/desk/letters/?before=x:y", "The page mark is not one of ours"),
        ("/desk/jobs/?before=-1", "This must be a whole number"),
        ("/desk/events/?domain=%00", "signs that cannot be read"),
    ],
)
def test_bad_input_is_named_and_kept(all_roles, folders, path, said):
    answer = all_roles.get(path)
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_what_was_typed_stays_in_the_form(all_roles, folders):
    page = all_roles.get("/desk/events/?cidr=not-a-network&domain=example.org").content.decode()
    assert 'value="not-a-network"' in page
    assert 'value="example.org"' in page


def test_raw_bytes_are_a_download_that_nothing_runs(world, all_roles):
    answer = all_roles.get(f"/desk/reports/{world.report}/raw/")
    assert b"<script>alert(1)" in b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    entries = all_roles.get("/desk/audit/?action=feeds.read_raw_report").content.decode()
    assert f"report:{world.report}" in entries


def test_a_letter_shows_its_text_and_gives_its_very_bytes(world, all_roles):
    page = all_roles.get(f"/desk/letters/{world.letter}/").content.decode()
    raw = all_roles.get(f"/desk/letters/{world.letter}/raw/")
    assert raw["Content-Type"] == "message/rfc822"
    assert b"Message-ID: " in raw.content
    assert "The text as sent" in page
    part = all_roles.get(f"/desk/letters/{world.letter}/attachments/0/")
    assert part["Content-Disposition"].startswith("attachment")
    assert all_roles.get(f"/desk/letters/{world.letter}/attachments/99/").status_code == 404


def test_a_row_is_corrected_read_again_and_settled(world, all_roles):
    bad = all_roles.post(f"/desk/set-aside/{world.row}/edit/", {"raw": "still,wrong"})
    assert bad.status_code == 400
    assert "still,wrong" in bad.content.decode()
    good = '"2026-11-22 05:00:00","high","203.0.113.99","tcp","23","a.power.example","telnet",'
    good += '64500,"PK","","",0,"","",""'
    answer = all_roles.post(f"/desk/set-aside/{world.row}/edit/", {"raw": good}, follow=True)
    assert "The corrected row was accepted" in answer.content.decode()
    assert set_aside_rows() == []


def test_a_row_is_dismissed_only_with_a_reason(world, all_roles):
    refused = all_roles.post("/desk/set-aside/dismiss/", {"row": world.row, "note": " "})
    assert refused.status_code == 409
    assert "needs its reason" in refused.content.decode()
    answer = all_roles.post(
        "/desk/set-aside/dismiss/", {"row": world.row, "note": "noise"}, follow=True
    )
    assert "1 row was dismissed." in answer.content.decode()


def test_a_refusal_is_a_problem_document_for_who_asks_for_json(world, all_roles):
    answer = all_roles.post(
        "/desk/set-aside/dismiss/",
        {"row": world.row, "note": ""},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:muhafiz:refusal:CannotReplay"


def test_the_letter_is_verified_by_anyone(world, client, all_roles):
    notice = all_roles.get(world.screens["notice"]).context["notice"]
    assert "We sent this." in client.get("/verify/", {"code": notice.number}).content.decode()
    assert "We sent this." in client.get("/verify/", {"code": notice.verify_code}).content.decode()
    assert "Not ours" in client.get("/verify/", {"code": "CERT-PK-2025-004"}).content.decode()


def test_an_import_is_previewed_written_and_taken_back(world, all_roles):
    from django.core.files.uploadedfile import SimpleUploadedFile

    sheet = (
        b"organization,record,value,name\nnew,organization,,New Bank\nnew,network,192.0.2.0/25,\n"
    )
    sent = {"file": SimpleUploadedFile("new.csv", sheet)}
    preview = all_roles.post("/desk/constituents/import/preview/", sent)
    assert "New Bank" in preview.content.decode()
    assert "New Bank" not in all_roles.get("/desk/constituents/").content.decode()
    seen = {"fingerprint": preview.context["diff"].fingerprint}
    wrong = all_roles.post("/desk/constituents/import/apply/", {"fingerprint": "0"}, follow=True)
    assert "would change something else by now" in wrong.content.decode()
    meanwhile = register_organization(name_en="New Bank", actor=OPERATOR, now=datetime.now(UTC))
    add_handle(
        organization_id=meanwhile, source="csv", handle="new", actor=OPERATOR, now=datetime.now(UTC)
    )
    later = all_roles.post("/desk/constituents/import/apply/", seen, follow=True)
    assert "would change something else by now" in later.content.decode()
    sent = {"file": SimpleUploadedFile("new.csv", sheet.replace(b"new,", b"newer,"))}
    preview = all_roles.post("/desk/constituents/import/preview/", sent)
    seen = {"fingerprint": preview.context["diff"].fingerprint}
    done = all_roles.post("/desk/constituents/import/apply/", seen, follow=True)
    assert "2 added" in done.content.decode()
    assert all_roles.get("/desk/constituents/").content.decode().count(">New Bank<") == 2
    number = done.context["imports"][0].id
    all_roles.post(f"/desk/constituents/import/{number}/undo/")
    assert all_roles.get("/desk/constituents/").content.decode().count(">New Bank<") == 1


def test_an_empty_or_foreign_file_is_refused_in_words(all_roles, folders):
    from django.core.files.uploadedfile import SimpleUploadedFile

    for content in (b"", b"\x00\x01\x02 not a sheet"):
        sent = {"file": SimpleUploadedFile("x.csv", content)}
        answer = all_roles.post("/desk/constituents/import/preview/", sent)
        assert answer.status_code == 400
        assert "error-summary" in answer.content.decode()


def test_a_failed_health_says_only_that(client, db):
    answer = client.get("/health/")
    assert answer.json() == {"healthy": True}
