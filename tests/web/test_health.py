"""The page of health, and what a browser is told while the database takes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection
from django.test import Client

from muhafiz.health.queries import checkups
from muhafiz.jobs.actions.claims import claim_job, end_run
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.jobs.models import Job
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db
PAGE = "/desk/health/"


def test_the_administrator_reads_what_is_wrong_and_how_to_mend_it(entered, folders, settings):
    settings.FREE_DISK_PERCENT = 101
    page = entered("administrator").get(PAGE).content.decode()
    assert "Nothing more is taken in." in page
    assert '<code dir="ltr" class="mono">MUHAFIZ_FREE_DISK_PERCENT</code>' in page
    assert "No worker is at work" in page
    assert "Everything works" not in page


def test_every_subject_is_shown(entered, folders):
    page = entered("administrator").get(PAGE).content.decode()
    words = [each.word.replace("'", "&#x27;") for each in checkups(now=datetime.now(UTC))]
    assert len(words) > 10
    assert [word for word in words if f'<th scope="row">{word}</th>' not in page] == []


def test_in_urdu_a_command_stays_one_piece_without_unseen_signs(entered, folders):
    browser = entered("administrator")
    browser.cookies["django_language"] = "ur"
    page = browser.get(PAGE).content.decode()
    assert '<code dir="ltr" class="mono">muhafiz serve</code>' in page
    assert "کوئی ورکر کام نہیں کر رہا" in page


def test_why_a_setting_cannot_be_used_is_said_in_urdu_too(entered, folders, settings):
    settings.SMTP_URL = "smtp+plain://mail.example.org"
    browser = entered("administrator")
    assert "goes to 127.0.0.1 or [::1] only" in browser.get(PAGE).content.decode()
    browser.cookies["django_language"] = "ur"
    page = browser.get(PAGE).content.decode()
    assert "goes to 127.0.0.1" not in page
    assert "صرف" in page[page.index("smtp+plain://") :][:300]


def test_a_page_that_shows_more_is_named_to_who_may_open_it(entered, folders):
    now = datetime.now(UTC)
    number = enqueue_job("lake.compact", {}, actor=OPERATOR, now=now)
    Job.objects.filter(pk=number).update(slot=1)
    end_run(claim_job(worker="w", now=now), outcome="failed", error="x", final=True, now=now)
    page = entered("administrator").get(PAGE).content.decode()
    assert f'href="/desk/jobs/{number}/"' in page
    assert "Pack the events of past days" in page


def test_who_has_nothing_to_do_with_it_does_not_see_it(entered):
    assert entered("council_member").get(PAGE).status_code == 403


@pytest.mark.parametrize("where", ["jobs_job", "django_session"])
def test_a_database_that_takes_nothing_is_no_fault_of_ours(entered, folders, where):
    """In a view or before it: a page of its own that asks the database nothing."""

    def locked(execute, sql, *rest):
        if where in sql:
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    browser: Client = entered("administrator")
    browser.raise_request_exception = False
    with connection.execute_wrapper(locked):
        answer = browser.get("/desk/jobs/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert "takes nothing at the moment" in page
    assert "ڈیٹا بیس" in page


def test_what_nobody_foresaw_is_still_told_as_that(entered, folders):
    def broken(execute, sql, *rest):
        if "jobs_job" in sql:
            raise ArithmeticError
        return execute(sql, *rest)

    browser = entered("administrator")
    browser.raise_request_exception = False
    with connection.execute_wrapper(broken):
        answer = browser.get("/desk/jobs/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
