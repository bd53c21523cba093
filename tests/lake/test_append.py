"""One event per thing, place and day; one answer per batch; nothing half stored."""

from __future__ import annotations

import os
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from muhafiz.lake import queries
from muhafiz.lake.actions.append import append_batch, append_prepared, installation_salt
from muhafiz.lake.actions.housekeeping import orphans, remove_orphans
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.answers import Appended
from muhafiz.lake.models import Receipt, Segment
from muhafiz.lake.preparation import prepare_batch
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import BadBatch, DiskNearlyFull
from muhafiz.lake.storage import files_on_disk
from tests.lake.rows import NOON, accepted, host, row

ALL = EventQuery(limit=None)


def test_the_same_thing_seen_again_is_one_event(lake, now):
    first = lake.append([row(), row(time_source=NOON - timedelta(hours=3))])
    again = lake.append([row(time_source=NOON + timedelta(hours=5), severity="high")])
    assert (first.rows, first.new_events, first.sightings) == (2, 1, 1)
    assert (again.rows, again.new_events, again.sightings) == (1, 0, 1)
    [stored] = queries.scan(ALL).to_pylist()
    assert stored["first_seen"] == NOON - timedelta(hours=3)
    assert stored["last_seen"] == NOON + timedelta(hours=5)
    assert stored["sightings"] == 3
    assert stored["severity"] is None  # the representative is the first row
    assert queries.count(ALL) == 1
    assert verify(now=now, deep=True).proven


def test_the_next_day_is_another_event(lake):
    lake.append([row(), row(time_source=NOON + timedelta(days=1))])
    assert sorted(queries.scan(ALL)["day"].to_pylist()) == [date(2026, 11, 20), date(2026, 11, 21)]


def test_a_row_without_time_is_of_the_day_it_was_received(lake):
    lake.append([row(time_source=None)])
    [stored] = queries.scan(ALL).to_pylist()
    assert stored["day"] == date(2026, 11, 21)
    assert stored["time_source"] is None
    assert stored["first_seen"] == stored["last_seen"] == NOON + timedelta(days=1)


def test_every_column_comes_back_as_it_went_in(lake):
    given = row(
        source_fqdn="www.example.org",
        source_asn=4_200_000_000,
        extra='{"banner": "it\'s"}',
        network="203.0.113.0/24",
        severity="low",
    )
    lake.append([given])
    [stored] = queries.scan(ALL).to_pylist()
    assert {name: stored[name] for name in given} == {**given, "report_id": 1}
    assert stored["source_fqdn_reversed"] == "org.example.www"
    assert stored["destination_ip"] is None


def test_a_batch_appended_twice_is_stored_once(lake, actor, now):
    batch = accepted([host(n) for n in range(5)], report_id=7)
    answers = [
        append_batch(batch, report_id=7, batch_number=3, actor=actor, now=now) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert Receipt.objects.count() == 1
    assert len(files_on_disk()) == 1


def test_an_empty_batch_has_a_receipt_and_no_file(lake, now):
    assert lake.append([]) == Appended(rows=0, new_events=0, sightings=0, segment=None)
    assert files_on_disk() == {}
    assert verify(now=now).reports == 1


def test_rows_of_another_report_are_refused(lake, actor, now):
    prepared = prepare_batch(accepted([row()], report_id=2), salt=installation_salt())
    with pytest.raises(BadBatch, match="of report 2, not 9"):
        append_prepared(prepared, report_id=9, batch_number=0, actor=actor, now=now)


def test_a_rolled_back_append_is_not_remembered(lake, now):
    with transaction.atomic():
        lake.append([host(1)])
        lake.append([host(1), host(2)])
        transaction.set_rollback(True)
    lake.append([host(3)])
    assert lake.append([host(1), host(2), host(3)]).new_events == 2
    assert queries.count(ALL) == 3
    assert {problem.kind for problem in verify(now=now, deep=True).problems} <= {"orphan"}


def test_a_nearly_full_disk_stops_the_append_before_it_begins(lake, settings, now):
    settings.FREE_DISK_PERCENT = 101
    with pytest.raises(DiskNearlyFull, match="below 101 %"):
        lake.append([row()])
    assert files_on_disk() == {}
    assert not Segment.objects.exists()
    settings.FREE_DISK_PERCENT = 1
    lake.reports = 0
    assert lake.append([row()]).new_events == 1


@pytest.mark.peer
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tiny file system needs root")
def test_a_disk_that_fills_while_writing_leaves_nothing_behind(lake, tmp_path, settings, now):
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tiny], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount")
    settings.LAKE, settings.FREE_DISK_PERCENT = tiny, 1
    try:
        rows = [host(n, extra=os.urandom(200).hex()) for n in range(2_000)]
        with pytest.raises(DiskNearlyFull):
            lake.append(rows)
        assert files_on_disk() == {}
        assert queries.count(ALL) == 0
        assert lake.append([row()]).new_events == 1
        assert queries.count(ALL) == 1
    finally:
        subprocess.run(["umount", tiny], check=True)


def test_a_file_that_no_row_names_is_removed_once_it_is_old(lake, now):
    lake.append([row()])
    stray = Path(settings.LAKE) / "2026" / "11" / "20" / "stray.parquet"
    stray.write_bytes(b"PAR1")
    aside = stray.with_suffix(".part")
    aside.write_bytes(b"")
    day_before = (now - timedelta(days=2)).timestamp()
    os.utime(stray, (day_before, day_before))
    os.utime(aside, ((now - timedelta(minutes=1)).timestamp(),) * 2)
    assert orphans(now=now) == ["2026/11/20/stray.parquet"]
    assert [problem.kind for problem in verify(now=now).problems] == ["orphan"]
    assert remove_orphans(now=now) == 1
    assert (stray.exists(), aside.exists()) == (False, True)
    assert queries.count(ALL) == 1
