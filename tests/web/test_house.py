"""Audit, jobs, workers and rulebook on the desk."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.audit import queries as audit
from muhafiz.audit import verifier
from muhafiz.common.clock import HeldClock
from muhafiz.jobs import queries as jobs
from muhafiz.jobs.actions.claims import claim_job, end_run, keep_lease
from muhafiz.jobs.actions.presence import EVERY, Presence
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.jobs.models import Worker
from muhafiz.jobs.registry import Progress
from muhafiz.jobs.worker import run_due
from muhafiz.keyring.audit_checks import NOT_WHOLE, VERIFY_JOB, last_answer
from muhafiz.rulebook import queries as rulebook
from muhafiz.rulebook.actions.profile import load_profile
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db
KEY = "/desk/rulebook/keys/retention.events_days/"


@pytest.fixture
def profile(db):
    load_profile("pakistan", actor=OPERATOR, now=datetime.now(UTC))


def test_the_log_is_verified_as_a_job(world, all_roles):
    before = len(jobs.jobs(name=VERIFY_JOB))
    assert all_roles.post("/desk/audit/verify/")["Location"] == "/desk/audit/"
    assert "being verified" in all_roles.get("/desk/audit/").content.decode()
    all_roles.post("/desk/audit/verify/")
    assert len(jobs.jobs(name=VERIFY_JOB)) == before + 1, "once however often it is asked"
    run_due(HeldClock(datetime.now(UTC) + timedelta(days=1)))
    assert "The log is whole" in all_roles.get("/desk/audit/").content.decode()


def test_a_check_that_broke_off_says_nothing_about_the_log(world, all_roles):
    """A worker that was killed is no reason to call the log altered."""
    later = datetime.now(UTC) + timedelta(days=1)
    number = enqueue_job(VERIFY_JOB, {}, actor=OPERATOR, now=later)
    claim = claim_job(worker="w", now=later)
    assert claim.job_id == number
    end_run(claim, outcome="failed", error="Traceback: the disk is gone", final=True, now=later)
    page = all_roles.get("/desk/audit/").content.decode()
    assert "did not come to its end" in page
    assert "not whole" not in page
    assert last_answer().state == "whole", "of the check before it"


def test_a_log_that_is_not_whole_is_said_so(world, all_roles):
    later = datetime.now(UTC) + timedelta(days=1)
    enqueue_job(VERIFY_JOB, {}, actor=OPERATOR, now=later)
    claim = claim_job(worker="w", now=later)
    keep_lease(claim, Progress(1, 2, NOT_WHOLE), now=later)
    end_run(claim, outcome="failed", error="Entry 7 is missing.", final=True, now=later)
    page = all_roles.get("/desk/audit/").content.decode()
    assert "The log is not whole:" in page
    assert "Entry 7 is missing." in page
    assert last_answer().state == "not-whole"


def test_entries_are_searched_by_action_subject_actor_text_and_time(world, all_roles):
    def found(query):
        return all_roles.get(f"/desk/audit/?{query}").content.decode()

    assert "feeds.keep_report" in found("action=feeds.*")
    assert "constituency" not in found("action=feeds.*").split("<tbody>")[1]
    assert "feeds.keep_report" in found("subject=report:*")
    assert "feeds.keep_report" in found("actor=operator")
    assert "feeds.keep_report" in found("text=telnet")
    assert "Give a day to look further back" in found("text=telnet")
    assert "No such entry" in found("since=2099-01-01")
    assert "No such entry" in found("until=2001-01-01")
    assert all_roles.get("/desk/audit/?since=soon").status_code == 400


def test_an_entry_shows_the_proof_that_it_stands_in_the_tree(world, all_roles):
    page = all_roles.get("/desk/audit/3/").content.decode()
    assert "leads to its root" in page
    proof = audit.inclusion(3, most=10**6)
    assert proof.holds
    assert proof.root.hex() in page
    assert audit.inclusion(3, most=1) is None
    assert audit.inclusion(10**9, most=10**12) is None
    assert all_roles.get("/desk/audit/999999999/").status_code == 404


def test_the_export_is_what_the_verifier_takes(world, all_roles, tmp_path):
    answer = all_roles.get("/desk/audit/export/")
    content = b"".join(answer.streaming_content)
    lines = content.splitlines()
    assert json.loads(lines[0])["kind"] == "log"
    assert json.loads(lines[-1])["size"] == audit.current_head().size
    kept = tmp_path / "audit.jsonl"
    kept.write_bytes(content)
    assert verifier.main([str(kept)]) == 0
    assert audit.entries(action="audit.export")
    assert io.BytesIO(content).readable()


def test_a_worker_says_that_it_lives_and_on_what_it_works(all_roles, folders):
    now = datetime.now(UTC)
    worker = Presence("here:1:abc", now=now)
    worker.tell(7, now=now)
    worker.tell(7, now=now + EVERY / 2)
    assert Worker.objects.get().seen_at == now, "written only when something changed, or is due"
    worker.tell(None, now=now + EVERY)
    (found,) = jobs.workers(now=now)
    assert (found.ran, found.state(now), found.job) == (1, "idle", None)
    assert found.state(now + timedelta(minutes=5)) == "lost"
    page = all_roles.get("/desk/jobs/").content.decode()
    assert "here:1:abc" in page
    worker.leave(now=now)
    assert jobs.workers(now=now)[0].state(now) == "stopped"
    Presence("here:2:def", now=now + timedelta(days=3))
    assert [each.name for each in Worker.objects.all()] == ["here:2:def"]


@pytest.mark.django_db(transaction=True)
def test_a_running_worker_stands_in_the_table(folders):
    from muhafiz.jobs.worker import work

    stop = threading.Event()
    stop.set()
    work(HeldClock(datetime.now(UTC)), stop)
    assert Worker.objects.count() == 0, "it never began"


def test_jobs_are_filtered_by_state_and_work(world, all_roles):
    page = all_roles.get("/desk/jobs/?name=feeds.process_report").content.decode()
    assert "feeds.process_report" in page
    assert all_roles.get("/desk/jobs/?state=failed").status_code == 200
    assert all_roles.get("/desk/jobs/?state=x").status_code == 400


def test_a_change_takes_two_people(profile, entered):
    director, secretary = entered("director"), entered("council_secretary")
    sent = {"value": "400", "source": "a gazette", "standing": "S", "valid_from": "2026-01-01"}
    assert director.post(f"{KEY}propose/", sent).status_code == 302
    (proposed,) = rulebook.proposals()
    decide = f"/desk/rulebook/proposals/{proposed.id}/"
    own = director.post(decide, {"act": "approve"})
    assert own.status_code == 409
    assert "does not decide" in own.content.decode()
    assert secretary.post(decide, {"act": "reject"}).status_code == 400
    assert secretary.post(decide, {"act": "approve"}).status_code == 302
    assert rulebook.value("retention.events_days", at=datetime.now(UTC)) == 400
    assert "a gazette" in director.get(KEY).content.decode()


def test_a_proposal_can_be_rejected_with_a_reason(profile, entered):
    director, secretary = entered("director"), entered("council_secretary")
    director.post(f"{KEY}propose/", {"unknown": "1", "note": "ask", "source": "x", "standing": "I"})
    (proposed,) = rulebook.proposals()
    secretary.post(f"/desk/rulebook/proposals/{proposed.id}/", {"act": "reject", "reason": "no"})
    assert rulebook.proposals() == []
    assert "Rejected" in director.get(KEY).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"value": "many"}, {"value": '"text"'}, {"source": ""}, {"valid_from": "soon"},
     {"standing": "X"}],
)  # fmt: skip
def test_a_value_that_cannot_be_is_said_and_kept(profile, entered, wrong):
    sent = {"value": "400", "source": "a gazette", "standing": "S", "note": "typed note"} | wrong
    answer = entered("director").post(f"{KEY}propose/", sent)
    assert answer.status_code == 400
    assert "typed note" in answer.content.decode()
    assert rulebook.proposals() == []


def test_the_rulebook_is_searched_and_shows_what_is_missing(profile, entered):
    director = entered("director")
    assert (
        "retention.events_days" in director.get("/desk/rulebook/?text=retention").content.decode()
    )
    assert director.get("/desk/rulebook/?only=unknown").status_code == 200
    assert director.get("/desk/rulebook/?only=nonsense").status_code == 400
    assert director.get("/desk/rulebook/keys/no.such/").status_code == 404
    assert director.post("/desk/rulebook/keys/no.such/propose/").status_code == 404
    assert entered("auditor").post(f"{KEY}propose/", {}).status_code == 403


def test_lists_ask_as_many_questions_for_many_as_for_few(world, all_roles):
    def questions(path):
        all_roles.get(path)
        with CaptureQueriesContext(connection) as asked:
            all_roles.get(path)
        return len(asked)

    paths = ("/desk/audit/", "/desk/jobs/", "/desk/rulebook/")
    now = datetime.now(UTC)
    Presence("w:0", now=now).tell(1, now=now)
    few = {path: questions(path) for path in paths}
    for number in range(1, 4):
        Presence(f"w:{number}", now=now).tell(number, now=now)
        b"".join(all_roles.get("/desk/audit/export/").streaming_content)
    assert {path: questions(path) for path in paths} == few
