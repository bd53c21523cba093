"""What time is over for goes: raw reports, raw mails, the bytes of rows set aside."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from muhafiz.feeds import queries
from muhafiz.feeds.actions.housekeeping import remove_old_drops, remove_old_raw
from muhafiz.feeds.actions.intake import keep_report, raw_store
from muhafiz.feeds.actions.mail import take_mail
from muhafiz.feeds.actions.replay import replay_set_aside
from muhafiz.feeds.models import TakenMail
from muhafiz.feeds.rules import RawMissing
from muhafiz.feeds.trial import view_row
from tests.feeds.conftest import NAME, telnet_csv

YEAR = timedelta(days=365)


def is_kept(sha256: str) -> bool:
    return raw_store().path(sha256).exists()


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run what is done after a commit, as it is outside of tests."""

    def run(act):
        with django_capture_on_commit_callbacks(execute=True):
            return act()

    return run


def test_raw_bytes_go_after_their_time_and_the_row_stays(keep, process, actor, now, committed):
    report = keep(telnet_csv(9, bad=frozenset({4})))
    process(report)
    facts = queries.report(report)
    old = now + YEAR
    assert committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=old)) == 0
    assert is_kept(facts.sha256)
    older = old + timedelta(seconds=1)
    assert committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=older)) == 1
    assert not is_kept(facts.sha256)
    assert queries.report(report).rows_accepted == 8
    with pytest.raises(RawMissing), raw_store().opened(facts.sha256):
        pass
    assert committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=older)) == 0


def test_the_bytes_of_rows_set_aside_go_with_them(keep, process, actor, now, committed):
    """They used to stay for ever, and open, though nobody could read them again."""
    report = keep(telnet_csv(9, bad=frozenset({4})))
    process(report)
    (before,) = queries.set_aside_rows(report_id=report)
    assert before.raw
    later = now + 2 * YEAR
    committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=later))
    after = queries.set_aside_row(before.id)
    assert (after.raw, after.edited, after.state) == (b"", None, "dismissed")
    assert "no longer kept" in after.note
    assert queries.report(report).rows_open == 0
    assert view_row(after).before == b""
    assert replay_set_aside(report_id=report, actor=actor, now=later).still_open == 0


def test_bytes_that_something_younger_shares_stay(keep, feed, actor, now, committed):
    from muhafiz.feeds.actions.feeds import create_feed

    raw = telnet_csv(3)
    keep(raw)
    create_feed(name="other", source="shadowserver", actor=actor, now=now)
    later = now + timedelta(days=100)
    kept = keep_report(
        feed="other", file_name=NAME, raw=raw, received_at=later, actor=actor, now=later
    )
    between = now + YEAR + timedelta(days=1)
    assert committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=between)) == 1
    assert is_kept(kept.sha256)
    end = later + YEAR + timedelta(days=1)
    assert committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=end)) == 1
    assert not is_kept(kept.sha256)


def test_an_old_mail_goes_and_is_still_recognized(feed, actor, now, committed):
    mail = EmailMessage()
    mail["Message-ID"], mail["From"] = "<one@example.org>", "sender@example.org"
    mail.set_content("See the attachment.")
    mail.add_attachment(telnet_csv(3), maintype="text", subtype="csv", filename=NAME)
    take_mail(raw=bytes(mail), actor=actor, now=now)
    kept = TakenMail.objects.get().sha256
    later = now + 2 * YEAR
    committed(lambda: remove_old_raw(keep_days=365, actor=actor, now=later))
    assert not is_kept(kept)
    assert take_mail(raw=bytes(mail), actor=actor, now=later).duplicate


def test_taken_files_leave_the_drop_folder_after_a_week(tmp_path, now):
    for name in ("2026-11-15", "2026-11-20", "notes"):
        (tmp_path / "done" / name).mkdir(parents=True)
    assert remove_old_drops(folder=tmp_path, now=now) == 1
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["2026-11-20", "notes"]
