"""Each thing that can be wrong is brought about, found, and said with its mend."""

from __future__ import annotations

import importlib
import re
import stat
from datetime import timedelta
from pathlib import Path

import click
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from muhafiz.accounts.actions.clock import note_clock
from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.audit.actions.entries import record_entry
from muhafiz.audit.actions.heads import keep_signed_head
from muhafiz.common.actor import Actor
from muhafiz.config.command import muhafiz
from muhafiz.feeds.actions.feeds import create_feed
from muhafiz.feeds.actions.silence import watch_feeds
from muhafiz.health import registry
from muhafiz.health.queries import UNSEEN, checkups, findings, startup_faults
from muhafiz.health.registry import Examination, declared_examinations, examination
from muhafiz.health.rules import Ailment
from muhafiz.jobs.actions.claims import claim_job, end_run, keep_lease
from muhafiz.jobs.actions.presence import Presence
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.jobs.models import Job, TimedJob
from muhafiz.jobs.registry import Progress
from muhafiz.keyring import signer
from muhafiz.keyring.actions.certificates import (
    ensure_signing_certificate,
    renew_signing_certificate,
)
from muhafiz.keyring.audit_checks import NOT_WHOLE, VERIFY_JOB
from muhafiz.lake.models import Segment
from muhafiz.rulebook.actions.profile import NoSuchProfile, load_profile
from tests.lake.conftest import Lake
from tests.lake.rows import host

OPERATOR = Actor.command("operator")
pytestmark = pytest.mark.django_db


def codes(now, **_):
    return {each.ailment.code for each in findings(now=now)}


def told(now, code):
    (found,) = [each for each in findings(now=now) if each.ailment.code == code]
    return found


@pytest.fixture
def well(settings, folders, now):
    """An installation with nothing wrong that a test did not ask for."""
    for name in ("REPORTS", "LAKE", "KEYS", "DROP_FOLDER"):
        Path(getattr(settings, name)).mkdir()
    settings.FREE_DISK_PERCENT = 1
    settings.SMTP_URL = "smtp://desk:secret@mail.example.org"
    settings.MAIL_FROM = "cert@cert.example"
    load_profile("pakistan", actor=OPERATOR, now=now)
    ensure_signing_certificate(actor=OPERATOR, now=now)
    person = register_person(email="a@cert.example", name="A", actor=OPERATOR, now=now)
    grant_role(person_id=person.id, role="administrator", actor=OPERATOR, now=now)
    Presence("here:1:abc", now=now)
    keep_signed_head(sign=signer.sign, public_key=signer.public_key(), now=now)


#: Pages are built for the tests of the faces, not for these.
NOT_OURS = {"pages-not-built", "pages-not-rebuilt", "disk-low"}


@pytest.mark.django_db(transaction=True, databases=["default", "portal"])
def test_nothing_is_wrong_where_nothing_is(well, now):
    assert codes(now) - NOT_OURS == set()
    assert {each.code for each in checkups(now=now)} >= {"database", "disk", "work", "lake"}
    assert all(checkup.facts for checkup in checkups(now=now) if checkup.code != "pages")


def ailments():
    for name in sorted({each.look.__module__ for each in declared_examinations()}):
        yield from (
            a for a in vars(importlib.import_module(name)).values() if isinstance(a, Ailment)
        )


def test_codes_are_said_once_and_sentences_end():
    every = list(ailments())
    assert len({each.code for each in every}) == len(every) > 25
    for each in every:
        assert each.what.endswith((".", "}")), each.what
        assert each.mend[-1] in ".`", each.mend


def test_every_command_that_a_mend_names_can_be_typed():
    typed = [word for each in ailments() for word in re.findall(r"`muhafiz ([^`]+)`", each.mend)]
    assert len(typed) > 10
    for words in typed:
        command: click.Command = muhafiz
        for word in words.split():
            if not isinstance(command, click.Group):
                options = {name for p in command.params for name in p.opts}
                assert not word.startswith("--") or word in options, words
                continue
            found = command.get_command(click.Context(command), word)
            assert found is not None, words
            command = found


def test_an_examination_is_declared_once():
    with pytest.raises(ValueError, match="disk"):
        examination("disk", "Disk")(lambda now: [])


class TestMachine:
    def test_a_folder_that_cannot_be_written_stops_the_start(self, well, settings, tmp_path, now):
        settings.LAKE = tmp_path / "file" / "lake"
        settings.LAKE.parent.write_text("in the way")
        found = told(now, "closed-folder")
        assert (found.params["setting"], found.ailment.stops) == ("MUHAFIZ_LAKE", True)
        assert found in startup_faults(now=now)

    def test_a_full_disk_is_told_before_and_when_intake_stops(self, well, settings, now):
        settings.FREE_DISK_PERCENT = 101
        assert told(now, "disk-full").ailment.weight == "fault"
        settings.FREE_DISK_PERCENT = 99
        assert codes(now) & {"disk-full", "disk-low"}

    def test_an_old_database_and_an_empty_one(self, well, now):
        applied = MigrationRecorder.Migration.objects
        applied.filter(app="lake").order_by("-id").first().delete()
        assert told(now, "old-database").params["count"] == 1
        applied.all().delete()
        assert told(now, "empty").mend == "Run: muhafiz init --profile pakistan"

    def test_a_database_that_does_not_answer_is_told_once(self, well, now):
        def away(*_):
            raise OperationalError("connection refused\nIs the server running?")

        with connection.execute_wrapper(away):
            assert told(now, "no-database").params["reason"] == "connection refused"
            assert "unseen" not in codes(now)

    def test_what_one_examination_cannot_see_is_told(self, well, now):
        def lost(execute, sql, *rest):
            if "jobs_worker" in sql:
                raise OperationalError("disk I/O error")
            return execute(sql, *rest)

        with connection.execute_wrapper(lost):
            assert told(now, "unseen").params["reason"] == "disk I/O error"

    def test_a_folder_that_cannot_be_looked_at_hides_nothing_else(self, well, settings, now):
        settings.DROP_FOLDER = f"/{'n' * 300}"
        found = [each for each in findings(now=now) if each.ailment is UNSEEN]
        assert found
        assert all("File name too long" in each.what for each in found)
        assert {each.code for each in checkups(now=now)} >= {"feeds", "work", "pages"}

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (NoSuchProfile(name="x", known="y"), "There is no profile x. There are: y."),
            (ValueError("smtp://desk:S3cr-eT@mail"), "ValueError"),
        ],
    )
    def test_one_that_breaks_off_is_told_without_its_secrets(
        self, well, now, monkeypatch, error, reason
    ):
        def broken(_now):
            yield UNSEEN.found(reason="before")
            raise error

        monkeypatch.setitem(registry._EXAMINATIONS, "odd", Examination("odd", "Odd", broken))
        (odd,) = [each for each in checkups(now=now) if each.code == "odd"]
        assert [str(each.params["reason"]) for each in odd.findings] == ["before", reason]

    def test_passwords_that_go_in_the_clear(self, well, settings, now):
        settings.PUBLIC_URL = "http://desk.cert.example"
        assert "not-encrypted" in codes(now)
        settings.PUBLIC_URL = "https://desk.cert.example"
        assert "not-encrypted" not in codes(now)


class TestWork:
    def test_no_worker(self, well, now):
        assert "no-worker" in codes(now + timedelta(minutes=2))
        assert "no-worker" in codes(now - timedelta(days=10)), (
            "a clock set back hides no dead worker"
        )

    def test_no_scheduler(self, well, now):
        TimedJob.objects.create(name="feeds.watch", last_slot=1, highest_slot=1, seen_at=now)
        assert "no-scheduler" not in codes(now)
        assert "no-scheduler" in codes(now + timedelta(minutes=6))

    def test_work_that_waits(self, well, now):
        enqueue_job("feeds.watch", {}, actor=OPERATOR, now=now - timedelta(minutes=30))
        assert told(now, "long-wait").params["minutes"] == 30

    def test_timed_work_that_fails_is_named_and_other_failures_are_counted(self, well, now):
        for name, slot in (("lake.compact", 7), ("feeds.watch", None), ("feeds.watch", None)):
            number = enqueue_job(name, {}, actor=OPERATOR, now=now)
            Job.objects.filter(pk=number).update(slot=slot)
            end_run(claim_job(worker="w", now=now), outcome="failed", final=True, now=now)
        found = told(now, "timed-work-fails")
        assert found.params["work"] == "lake.compact"
        assert found.mend.endswith(f"muhafiz jobs retry {found.route_args['job_id']}")
        assert told(now, "failed-work").params["count"] == 2


class TestKeys:
    def test_keys_that_others_can_read(self, well, settings, now):
        path = Path(settings.KEYS) / "audit-heads.key"
        path.chmod(path.stat().st_mode | stat.S_IRGRP)
        assert told(now, "open-key").mend == f"Run: chmod 600 {path}"

    def test_a_certificate_that_ends_and_one_that_ended(self, well, now):
        assert "certificate-ends" not in codes(now)
        assert "certificate-ends" in codes(now + timedelta(days=700))
        assert "no-certificate" in codes(now + timedelta(days=800))
        later = now + timedelta(days=700)
        renew_signing_certificate(actor=OPERATOR, now=later)

    def test_a_log_whose_head_nobody_signs(self, well, now):
        record_entry(actor=OPERATOR, now=now, action="a.b", subject="c:1")
        assert "audit-not-signed" not in codes(now + timedelta(minutes=5))
        assert "audit-not-signed" in codes(now + timedelta(minutes=11))

    def test_a_log_that_is_not_whole(self, well, now):
        enqueue_job(VERIFY_JOB, {}, actor=OPERATOR, now=now)
        claim = claim_job(worker="w", now=now)
        keep_lease(claim, Progress(1, 2, NOT_WHOLE), now=now)
        end_run(claim, outcome="failed", error="Entry 7 is missing.", final=True, now=now)
        assert told(now, "audit-not-whole").params["reason"] == "Entry 7 is missing."


class TestPeople:
    def test_a_clock_set_back(self, well, now):
        note_clock(now)
        assert "clock-went-back" not in codes(now)
        assert "clock-went-back" in codes(now - timedelta(days=10))

    def test_nobody_who_could_let_others_in(self, db, folders, settings, now):
        assert "no-administrator" in codes(now)


class TestMail:
    @pytest.mark.parametrize(
        "wrong",
        [
            ("SMTP_URL", "", "no-mail-server"),
            ("SMTP_URL", "http://mail.example.org", "bad-mail-server"),
            ("SMTP_URL", "smtp+plain://mail.example.org", "bad-mail-server"),
            ("MAIL_FROM", "", "no-sender"),
            ("MAIL_FROM", "other@cert.example", "other-name"),
            ("IMAP_URL", "imap+plain://desk@mail.example.org", "bad-mailbox"),
        ],
    )
    def test_what_the_settings_say(self, well, settings, now, wrong):
        setting, value, code = wrong
        assert code not in codes(now)
        setattr(settings, setting, value)
        assert code in codes(now)

    @pytest.mark.parametrize("password", ["S3cr/eT", "S3cr\u2100", "S3cr@["])
    def test_no_part_of_a_password_is_told(self, well, settings, now, password):
        settings.SMTP_URL = f"smtp://desk:{password}@mail.example.org:587"
        settings.IMAP_URL = f"imaps://desk:{password}@mail.example.org/INBOX"
        found = [told(now, code).what for code in ("bad-mail-server", "bad-mailbox")]
        assert not [each for each in found if "S3" in each]

    def test_a_demonstration_with_a_mail_server_is_never_started(self, well, settings, now):
        settings.DEMONSTRATION = True
        assert told(now, "lane-is-open") in startup_faults(now=now)


class TestFeeds:
    def test_a_silent_feed_is_named_with_the_way_to_it(self, well, now):
        day = timedelta(days=1)
        create_feed(
            name="partner", source="intelmq", title="Partner", expected_every=day,
            actor=OPERATOR, now=now - 3 * day,
        )  # fmt: skip
        watch_feeds(actor=OPERATOR, now=now)
        found = told(now, "silent-feed")
        assert (found.params["feed"], found.route_args) == ("Partner", {"name": "partner"})


class TestLake:
    def test_a_file_that_is_gone(self, well, settings, actor, now):
        Lake(actor, now).append([host(1)])
        assert "lake-unreadable" not in codes(now)
        (Path(settings.LAKE) / Segment.objects.get().path).unlink()
        found = told(now, "lake-unreadable")
        assert "cannot be read" in found.what

    def test_a_proof_that_failed_until_one_holds(self, well, settings, actor, now):
        from muhafiz.common.clock import HeldClock
        from muhafiz.jobs.worker import run_due

        def prove(at):
            enqueue_job("lake.verify", {}, actor=OPERATOR, now=at)
            run_due(HeldClock(at), limit=1)

        Lake(actor, now).append([host(1)])
        file = Path(settings.LAKE) / Segment.objects.get().path
        content = file.read_bytes()
        file.write_bytes(content[:-1])
        prove(now)
        assert "segment" in str(told(now, "lake-not-proven").params["reason"])
        file.write_bytes(content)
        prove(now + timedelta(hours=1))
        assert "lake-not-proven" not in codes(now + timedelta(hours=1))

    def test_nobody_decided_how_long_events_are_kept(self, db, folders, now):
        assert "retention-undecided" in codes(now)


def test_a_map_that_lacks_a_region(well, settings, tmp_path, now):
    settings.REGION_MAP = tmp_path / "map.geojson"
    assert "bad-region-map" in codes(now)
    settings.REGION_MAP.write_text(
        '{"type": "FeatureCollection", "features": [{"properties": {"code": "PK-PB"}, "geometry":'
        ' {"type": "Polygon", "coordinates": [[[70, 30], [71, 30], [71, 31], [70, 30]]]}}]}'
    )
    assert "PK-BA" in str(told(now, "region-left-out").params["regions"])
    assert ContentType.objects.count(), "nothing was changed by looking"
