"""Policies on the desk: edited, tried on the past, let hold; notices held; letters settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.common.clock import HeldClock
from muhafiz.detection import queries
from muhafiz.detection.actions.simulations import queue_simulation
from muhafiz.detection.rules import BadPolicy, Policy
from muhafiz.detection.simulation import compare
from muhafiz.jobs.worker import run_due
from muhafiz.notifications import queries as notifications
from tests.web.given import OPERATOR, make_world

pytestmark = pytest.mark.django_db
TYPED = {
    "code": "default.vulnerable", "title": "Weak services", "classes": "vulnerable/*", "feed": "*",
    "cadence": "daily", "tlp": "AMBER", "threshold": "1", "resend_days": "30",
}  # fmt: skip


@pytest.fixture
def director(entered):
    return entered("director")


def test_a_policy_is_edited_and_its_old_version_kept(world, director):
    assert "vulnerable/*" in director.get("/desk/policies/default.vulnerable/").content.decode()
    kept = director.post("/desk/policies/keep/", TYPED | {"resend_days": "9"})
    assert kept["Location"] == "/desk/policies/default.vulnerable/"
    newest, oldest = queries.policy_history("default.vulnerable")
    assert (newest.resend_days, newest.title) == (9, "Weak services")
    assert oldest.valid_to is not None
    assert director.post("/desk/policies/nothing/end/", {"reason": "x"}).status_code == 404
    end = "/desk/policies/default.vulnerable/end/"
    assert director.post(end, {"reason": ""}).status_code == 400
    director.post(end, {"reason": "told otherwise"})
    assert "default.vulnerable" not in {each.code for each in queries.policies()}


@pytest.mark.parametrize(
    "wrong",
    [{"classes": "NOT A GLOB"}, {"threshold": "x"}, {"cadence": "never"}, {"tlp": "RED"},
     {"code": ""}],
)  # fmt: skip
@pytest.mark.parametrize("act", ["keep", "try"])
def test_a_policy_that_cannot_stand_is_said_and_kept(world, director, wrong, act):
    answer = director.post(f"/desk/policies/{act}/", TYPED | wrong | {"title": "My own words"})
    assert answer.status_code == 400
    assert "My own words" in answer.content.decode()
    assert len(queries.policy_history("default.vulnerable")) == 1


def test_the_simulator_says_who_would_have_got_what(world, director):
    answer = director.post("/desk/policies/try/", TYPED | {"threshold": "5", "days": "3"})
    page = answer["Location"]
    assert "is being replayed" in director.get(page).content.decode()
    run_due(HeldClock(datetime.now(UTC) + timedelta(days=1)))
    (tried,) = queries.simulations()
    shown = director.get(page).content.decode()
    assert tried.result["after"] is not None
    assert "Let it hold" in shown
    assert queries.policies() != []
    part = director.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_a_comparison_counts_letters_and_events_of_both_versions(world):
    since, until = world.moment - timedelta(days=1), world.moment + timedelta(days=2)
    found = {each.code: each for each in queries.policies()}["default.vulnerable"]
    holding = Policy(code=found.code, cadence="daily", classes=found.classes, threshold=1)
    same = compare(holding, since=since, until=until)
    assert same.before is not None
    assert {each.letters[1] for each in same.owners} == {1}
    assert same.after.decisions["tell"] == sum(each.events[1] for each in same.owners)
    high = Policy(code=found.code, cadence="daily", classes=found.classes, threshold=10**6)
    none = compare(high, since=since, until=until)
    assert none.after.letters == 0
    assert all(each.change <= 0 for each in none.owners)
    new = Policy(code="new", cadence="daily", classes="vulnerable/*", organization_id=1)
    assert compare(new, since=since, until=until).before is None


def test_a_simulation_needs_sense_and_permission(world, entered):
    actor = OPERATOR
    for days in (0, 400):
        with pytest.raises(BadPolicy):
            queue_simulation(
                policy=Policy("x", "daily"), title="", days=days, actor=actor, now=world.moment
            )
    auditor = entered("auditor")
    assert auditor.get("/desk/policies/").status_code == 200
    assert auditor.post("/desk/policies/keep/", TYPED).status_code == 403
    assert auditor.post("/desk/policies/try/", TYPED).status_code == 403


def test_a_notice_pages_through_all_its_rows(folders, settings, all_roles, monkeypatch):
    from muhafiz.web.desk.views import notices

    settings.DEMONSTRATION = True
    monkeypatch.setattr(notices, "_ROWS", 2)
    world = make_world(rows=3)
    page = all_roles.get(world.screens["notice"]).content.decode()
    assert "?after=2" in page
    more = all_roles.get(f"{world.screens['notice']}?after=2").content.decode()
    assert "3 </bdi>" in more or ">3<" in more
    assert all_roles.get(f"{world.screens['notice']}?after=x").status_code == 400


def test_a_notice_whose_letters_left_cannot_be_held(world, all_roles):
    answer = all_roles.post(f"{world.screens['notice']}hold/", {"reason": "wait"})
    assert answer.status_code == 409
    assert all_roles.post(f"{world.screens['notice']}release/").status_code == 409
    assert all_roles.post("/desk/notices/999999/hold/", {"reason": "x"}).status_code == 404


def test_unsure_letters_are_settled_from_their_list_with_the_risk_told(world, all_roles):
    from muhafiz.notifications.models import Message

    Message.objects.filter(pk=world.letter).update(state="unsure")
    page = all_roles.get("/desk/letters/?state=unsure").content.decode()
    assert "may get the letter twice" in page
    resolve = f"/desk/letters/{world.letter}/resolve/"
    sent = {"note": "they said so", "outcome": "sent", "next": "unsure"}
    assert all_roles.post(resolve, sent)["Location"] == "/desk/letters/?state=unsure"
    assert notifications.letter(Message.objects.get(pk=world.letter).pk).state == "sent"


def test_a_failed_letter_is_sent_again_and_a_queued_one_stopped(world, all_roles):
    from muhafiz.notifications.models import Message

    act = f"/desk/letters/{world.letter}/act/"
    Message.objects.filter(pk=world.letter).update(state="failed")
    assert "Send it again" in all_roles.get(f"/desk/letters/{world.letter}/").content.decode()
    all_roles.post(act, {"act": "retry"})
    assert Message.objects.get(pk=world.letter).state == "queued"
    assert all_roles.post(act, {"act": "cancel", "reason": ""}).status_code == 409
    all_roles.post(act, {"act": "cancel", "reason": "recalled"})
    assert Message.objects.get(pk=world.letter).state == "cancelled"
    assert all_roles.post(act, {"act": "nonsense"}).status_code == 404


def test_lists_ask_as_many_questions_for_many_as_for_few(folders, settings, all_roles):
    settings.DEMONSTRATION = True
    make_world(rows=1)

    def questions(path):
        all_roles.get(path)
        with CaptureQueriesContext(connection) as asked:
            all_roles.get(path)
        return len(asked)

    paths = ("/desk/policies/", "/desk/notices/", "/desk/letters/")
    few = {path: questions(path) for path in paths}
    make_world(rows=3)
    all_roles.post("/desk/policies/try/", TYPED)
    assert {path: questions(path) for path in paths} == few


def test_who_may_not_change_a_policy_reads_it(world, entered):
    page = entered("duty_officer").get("/desk/policies/default.vulnerable/").content.decode()
    assert "vulnerable/*" in page
    assert "Analysts and directors change policies" in page
    assert 'name="threshold"' not in page
