"""Browsers tell of breaches of the policy; strangers cannot fill anything with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from muhafiz.audit.queries import entries
from muhafiz.web import browser_reports
from muhafiz.web.browser_reports import reported, reports_count

pytestmark = pytest.mark.django_db

OLD = "application/csp-report"
NEW = "application/reports+json"


@pytest.fixture(autouse=True)
def _renewed():
    browser_reports.allowance.renew()
    browser_reports.of_one.renew()


def told(**changes: object) -> dict[str, object]:
    report = {
        "document-uri": "https://desk.cert.example/enter/SECRET-TOKEN/?q=SECRET",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://user:SECRET@evil.example/x.js?SECRET",
    }
    return {"csp-report": report | changes}


def send(client, body, kind=OLD):
    return client.post("/csp-report/", json.dumps(body), content_type=kind)


@pytest.mark.parametrize("odd", ["http://a\x00b/", "http://\ud800/", "https://a\x1bb/"])
def test_what_no_database_keeps_is_counted_all_the_same(client, odd):
    assert send(client, told(**{"blocked-uri": odd})).status_code == 204
    assert [row.blocked for row in reported()] == ["?"]


def test_every_page_names_the_place_for_reports(client):
    answer = client.get("/")
    assert "report-uri /csp-report/; report-to policy" in answer["Content-Security-Policy"]
    assert answer["Reporting-Endpoints"] == 'policy="/csp-report/"'


def test_both_forms_are_counted_by_kind_and_no_secret_is_kept(client, capsys):
    assert send(client, told()).status_code == 204
    new = {
        "type": "csp-violation",
        "body": {
            "documentURL": "https://desk.cert.example/enter/other/",
            "effectiveDirective": "script-src-elem",
            "blockedURL": "https://evil.example/y",
        },
    }
    assert send(client, [new, {"type": "deprecation", "body": {}}], NEW).status_code == 204
    (row,) = reported()
    assert (row.directive, row.blocked, row.route, row.count) == (
        "script-src-elem", "https://evil.example", "enter", 2,
    )  # fmt: skip
    assert reports_count() == 2
    assert "SECRET" not in "".join(capsys.readouterr())
    assert [e for e in entries(limit=50) if "polic" in e.action] == []


@pytest.mark.parametrize("blocked", ["inline", "eval", "data", "data:text/html,<b>"])
def test_what_has_no_origin_is_a_word(client, blocked):
    send(client, told(**{"blocked-uri": blocked, "document-uri": "nonsense"}))
    assert reported()[0].blocked in {"inline", "eval", "data"}
    assert reported()[0].route == "?"


@pytest.mark.parametrize(
    "body",
    [None, [], {}, "x", 3, [[]], [None], {"csp-report": 1}, told(**{"effective-directive": "<b>"})],
)
def test_nonsense_is_refused_or_ignored(client, body):
    assert send(client, body).status_code in {204, 400}
    assert reported() == []


def test_a_body_that_is_none_or_too_long_is_refused(client):
    assert client.post("/csp-report/", b"\xff{", content_type=OLD).status_code == 400
    assert client.post("/csp-report/", b"[" * 9000, content_type=OLD).status_code == 400
    assert client.post("/csp-report/", b" " * 20_000, content_type=OLD).status_code == 413
    assert client.get("/csp-report/").status_code == 405


def test_a_flood_is_stopped_and_kinds_are_few(client, monkeypatch):
    monkeypatch.setattr(browser_reports, "MOST_KINDS", 3)
    for at in range(10):
        send(client, told(**{"blocked-uri": f"https://e{at}.example/"}))
    assert len(reported()) == 3
    answers = [send(client, told()).status_code for _ in range(60)]
    assert (answers[0], answers[-1]) == (204, 429)


def test_one_address_does_not_use_up_what_is_everybodys(client):
    for _ in range(60):
        send(client, told())
    assert send(client, told()).status_code == 429
    elsewhere = {"REMOTE_ADDR": "2001:db8:1::1"}
    body = json.dumps(told())
    assert client.post("/csp-report/", body, content_type=OLD, **elsewhere).status_code == 204


def test_the_desk_sees_and_settles_them(client, entered):
    send(client, told())
    desk = entered("administrator")
    page = desk.get("/desk/browser-reports/").content.decode()
    assert "https://evil.example" in page
    answer = desk.post("/desk/browser-reports/settle/", follow=True)
    assert "No page broke its policy" in answer.content.decode()
    assert any(e.action == "web.settle_policy_reports" for e in entries(limit=5))


def test_only_who_runs_the_house_settles_them(client, person):
    from muhafiz.accounts.queries import person_actor
    from muhafiz.accounts.rules import NotAllowed

    auditor = person_actor(person("auditor").id)
    with pytest.raises(NotAllowed):
        browser_reports.settle_reports(actor=auditor, now=datetime.now(UTC))
