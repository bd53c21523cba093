from __future__ import annotations

import gzip
import io
import os
import zipfile

import pytest

from muhafiz.feeds import queries
from muhafiz.feeds.actions.intake import keep_report, raw_store
from muhafiz.feeds.actions.processing import process_report
from muhafiz.feeds.models import Report, SetAsideRow
from muhafiz.feeds.rules import DiskNearlyFull, UnknownFeed, UnknownReport
from muhafiz.jobs.registry import JobCancelled
from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery
from tests.feeds.conftest import NAME, lake_is_sound, telnet_csv


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".csv", content)
    return out.getvalue()


def test_a_report_is_kept_read_and_stored(keep, process):
    raw = telnet_csv(300, bad=frozenset({7, 250}))
    report = keep(raw)
    done = process(report)
    assert (done.state, done.rows_accepted, done.rows_set_aside) == ("done", 298, 2)
    facts = queries.report(report)
    assert facts.parser == "shadowserver/2"
    assert facts.rows_read == 300
    with raw_store().opened(facts.sha256) as stream:
        assert stream.read() == raw
    assert [row.row for row in queries.set_aside_rows(report_id=report)] == [7, 250]
    assert scan(EventQuery(report_id=report)).num_rows == facts.new_events
    assert lake_is_sound()


def test_the_same_bytes_are_one_report(feed, actor, now):
    first = keep_report(
        feed=feed, file_name=NAME, raw=b"x,y\n", received_at=now, actor=actor, now=now
    )
    again = keep_report(
        feed=feed, file_name="other.csv", raw=b"x,y\n", received_at=now, actor=actor, now=now
    )
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.id == again.id
    assert Report.objects.count() == 1


def test_the_feed_is_guessed_and_the_unknown_is_kept_for_a_person(feed, actor, now):
    known = keep_report(
        feed=None, file_name=NAME, raw=telnet_csv(1), received_at=now, actor=actor, now=now
    )
    strange = keep_report(
        feed=None, file_name="holiday.bin", raw=b"\x00\xff" * 50, received_at=now, actor=actor,
        now=now,
    )  # fmt: skip
    assert known.feed == feed
    assert strange.feed == "unrecognized"
    facts = queries.report(strange.id)
    assert (facts.state, facts.reason) == ("quarantined", "unrecognized")


def test_a_damaged_archive_says_that_it_is_damaged(feed, actor, now):
    """It used to say that no feed recognizes it, and nobody could know why."""
    raw = bytearray(zipped(**{NAME.removesuffix(".csv"): telnet_csv(3)}))
    raw[-30] ^= 0xFF
    kept = keep_report(
        feed=None, file_name="daily.zip", raw=bytes(raw), received_at=now, actor=actor, now=now
    )
    facts = queries.report(kept.id)
    assert (kept.feed, facts.state, facts.reason) == (
        "unrecognized",
        "quarantined",
        "archive-damaged",
    )
    assert "daily.zip" in facts.detail


def test_a_zipped_report_is_guessed_by_its_member(feed, actor, now):
    raw = zipped(**{NAME.removesuffix(".csv"): telnet_csv(3)})
    kept = keep_report(
        feed=None, file_name="daily.zip", raw=raw, received_at=now, actor=actor, now=now
    )
    assert kept.feed == feed


def test_a_feed_that_does_not_exist_takes_nothing(feed, actor, now):
    with pytest.raises(UnknownFeed):
        keep_report(feed="nobody", file_name=NAME, raw=b"x", received_at=now, actor=actor, now=now)
    assert not Report.objects.exists()


def test_members_of_a_zip_are_one_report_with_positions(keep, process):
    one = telnet_csv(10, bad=frozenset({4}))
    two = telnet_csv(5, seed=2, bad=frozenset({5}))
    report = keep(zipped(a=one, folder__b=two), "reports.zip")
    done = process(report)
    assert (done.rows_accepted, done.rows_set_aside) == (13, 2)
    rows = [row.row for row in queries.set_aside_rows(report_id=report)]
    found = [queries.position(report, row) for row in rows]
    assert [(each.member, each.row) for each in found] == [("a.csv", 4), ("b.csv", 5)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (gzip.compress(telnet_csv(3_000))[:-40], "archive-damaged"),
        (zipped(a=telnet_csv(3_000))[:-40], "archive-damaged"),
        (gzip.compress(gzip.compress(gzip.compress(b"x"))), "archive-too-deep"),
        (gzip.compress(b"\0" * (80 << 20)), "archive-too-large"),
        (zipped(a=b"%PDF-1.7\n"), "foreign-format"),
    ],
    ids=["gzip cut short", "zip cut short", "three deep", "bomb", "no text"],
)
def test_a_bad_archive_is_quarantined_whole(keep, process, raw, reason):
    report = keep(raw, "report.bin")
    done = process(report)
    assert (done.state, done.reason, done.rows_accepted) == ("quarantined", reason, 0)
    with raw_store().opened(queries.report(report).sha256) as stream:
        assert stream.read() == raw


def test_an_encrypted_zip_says_so(keep, process):
    plain = zipped(a=telnet_csv(3))
    locked = bytearray(plain)
    locked[6] |= 1
    locked[plain.index(b"PK\x01\x02") + 8] |= 1
    assert process(keep(bytes(locked))).reason == "archive-encrypted"


def test_nothing_is_acknowledged_when_the_disk_is_nearly_full(feed, actor, now, settings):
    settings.FREE_DISK_PERCENT = 100
    with pytest.raises(DiskNearlyFull):
        keep_report(
            feed=feed, file_name=NAME, raw=b"x" * 100, received_at=now, actor=actor, now=now
        )
    assert not Report.objects.exists()
    assert not [path for path in settings.REPORTS.rglob("*") if path.is_file()]


def test_a_report_resumes_behind_its_last_batch(keep, actor, clock, settings):
    settings.BATCH_ROWS = 100
    report = keep(telnet_csv(1_000, bad=frozenset({150, 950})))

    def stop_at_half(done: int, total: int, note: str) -> None:
        if done * 2 > total:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        process_report(report, actor=actor, clock=clock, progress=stop_at_half)
    half = queries.report(report)
    assert half.state == "failed"
    assert 0 < half.rows_accepted < 998
    done = process_report(report, actor=actor, clock=clock)
    assert (done.state, done.rows_accepted, done.rows_set_aside) == ("done", 998, 2)
    assert lake_is_sound()


def test_a_report_that_kills_its_reader_is_set_apart(keep, process):
    report = keep(telnet_csv(3))
    Report.objects.filter(pk=report).update(state="processing", attempts=3)
    assert process(report).state == "quarantined"


def test_an_unread_report_with_no_raw_bytes_is_set_apart(keep, process):
    report = keep(telnet_csv(3))
    raw_store().remove(queries.report(report).sha256)
    assert (process(report).state, process(report).reason) == ("quarantined", "RawMissing")


def test_a_report_that_does_not_exist(db, process):
    with pytest.raises(UnknownReport):
        process(4711)


def test_a_disk_that_fills_while_writing_leaves_nothing(feed, actor, now, settings):
    class Filling(io.RawIOBase):
        def read(self, size=-1):
            settings.FREE_DISK_PERCENT = 5
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskNearlyFull, match="Nothing was taken in"):
        keep_report(feed=feed, file_name=NAME, raw=Filling(), received_at=now, actor=actor, now=now)
    assert not [path for path in settings.REPORTS.rglob("*") if path.is_file()]


def test_a_crash_between_file_and_row_leaves_a_file_that_is_removed(feed, settings, now):
    from datetime import timedelta

    from muhafiz.feeds.actions.housekeeping import remove_leftovers

    kept = raw_store().keep(b"never told of")
    path = raw_store().path(kept.sha256)
    os.utime(path, (now.timestamp(), now.timestamp()))
    assert remove_leftovers(now=now + timedelta(hours=23)) == 0
    assert remove_leftovers(now=now + timedelta(hours=25)) == 1
    assert not path.exists()


def test_the_river_counts_each_stage(keep, process, now):
    process(keep(telnet_csv(20, bad=frozenset({3}))))
    keep(telnet_csv(5, seed=9))
    river = queries.river()
    total = river.total
    assert (total.reports_kept, total.reports_waiting, total.reports_done) == (2, 1, 1)
    assert (total.rows_read, total.rows_accepted, total.rows_set_aside) == (20, 19, 1)
    assert total.rows_owned + total.rows_unowned == 19
    assert [stage.source for stage in river.sources] == ["shadowserver"]
    assert SetAsideRow.objects.count() == 1
