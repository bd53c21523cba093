"""What was asked for is what the file holds, for who asked, for a day, and never half."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace
from datetime import timedelta

import orjson
import pyarrow.parquet as pq
import pytest

from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.registry import JobCancelled, JobRun
from muhafiz.lake import queries
from muhafiz.lake.actions import exports as acts
from muhafiz.lake.export_files import exports_folder
from muhafiz.lake.export_queries import export, exports
from muhafiz.lake.export_rules import (
    COLUMNS,
    CannotExport,
    CannotHandOut,
    NoSuchExport,
    NothingToExport,
    TooManyExports,
    ceiling,
)
from muhafiz.lake.jobs import expire_exports, write_export
from muhafiz.lake.models import Export
from muhafiz.lake.query import EventQuery
from muhafiz.lake.written_query import read_query, written
from muhafiz.release.queries import holders_of
from tests.lake.rows import NOON, row
from tests.lake.test_queries import CASES

ANALYST = Actor("person", "7", "Analyst", frozenset({"analyst"}))
OTHER = Actor("person", "8", "Other", frozenset({"analyst"}))
COUNTS = {"AMBER": 40, "GREEN": 10}


@pytest.fixture
def stored(lake):
    """Fifty events that may leave, three that may not; one that a spreadsheet would run."""
    rows = [
        row(
            source_ip=f"203.0.113.{number}",
            organization_id=1 + number % 3,
            tlp="GREEN" if number % 5 == 0 else "AMBER",
            malware_name="=cmd|'/c calc'!A0" if number == 7 else 'say "hello", twice',
            time_source=NOON + timedelta(minutes=number),
        )
        for number in range(50)
    ]
    rows += [
        row(source_ip=f"198.51.100.{number}", tlp="RED", malware_name="SECRET", time_source=NOON)
        for number in range(3)
    ]
    lake.append(rows)
    return rows


EVERYTHING = EventQuery(limit=None)


def ask(now, fmt="jsonl", query=EVERYTHING, actor=ANALYST, columns=COLUMNS):
    counts = {c.value: c.events for c in queries.top(query, "tlp")}
    return acts.request_export(
        query, format=fmt, columns=columns, counts=counts, told="all", actor=actor, now=now
    )


def work(public_id, now):
    row = Export.objects.get(public_id=public_id)
    write_export(JobRun("lake.write_export", HeldClock(now)), export_id=row.pk)
    return Export.objects.get(public_id=public_id)


def read(path, fmt):
    if fmt == "parquet":
        return pq.read_table(path).to_pylist()
    if fmt == "jsonl":
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode())))


@pytest.mark.parametrize("fmt", ["csv", "jsonl", "parquet"])
def test_the_file_holds_what_the_scan_shows(stored, now, fmt):
    done = work(ask(now, fmt), now)
    assert (done.state, done.rows, done.left_out, done.tlp) == ("ready", 50, 3, "AMBER")
    handed = acts.hand_out_export(done.public_id, actor=ANALYST, now=now)
    told = read(handed.path, fmt)
    shown = [line for line in queries.scan(EventQuery()).to_pylist() if line["tlp"] != "RED"]
    assert [line["source_ip"] for line in told] == [line["source_ip"] for line in shown]
    assert [str(line["key"]) for line in told] == [str(line["key"]) for line in shown]
    assert b"SECRET" not in handed.path.read_bytes()
    assert handed.path.stat().st_mode & 0o077 == 0


def test_no_cell_runs_in_a_spreadsheet(stored, now):
    done = work(ask(now, "csv"), now)
    told = read(exports_folder() / done.file_name, "csv")
    names = {line["malware_name"] for line in told}
    assert "'=cmd|'/c calc'!A0" in names
    assert 'say "hello", twice' in names


def test_only_the_columns_that_were_chosen(stored, now):
    done = work(ask(now, "csv", columns=("source_ip", "tlp")), now)
    assert set(read(exports_folder() / done.file_name, "csv")[0]) == {"source_ip", "tlp"}


def test_the_ledger_knows_who_has_it(stored, now):
    done = work(ask(now), now)
    acts.hand_out_export(done.public_id, actor=ANALYST, now=now)
    [holder] = holders_of("export", str(done.public_id))
    assert holder.audience_identifier == ANALYST.identifier


def test_nobody_else_has_it(stored, now):
    done = work(ask(now), now)
    for act in (acts.hand_out_export, acts.cancel_export):
        with pytest.raises(NoSuchExport):
            act(done.public_id, actor=OTHER, now=now)
    assert exports(viewer=OTHER, now=now) == []
    assert export(done.public_id, viewer=OTHER, now=now) is None


def test_after_a_day_it_is_gone(stored, now):
    done = work(ask(now), now)
    later = now + timedelta(hours=25)
    with pytest.raises(CannotHandOut):
        acts.hand_out_export(done.public_id, actor=ANALYST, now=later)
    expire_exports(JobRun("lake.expire_exports", HeldClock(later)))
    assert list(exports_folder().iterdir()) == []
    assert export(done.public_id, viewer=ANALYST, now=later).state == "expired"


def test_what_a_killed_run_left_is_swept(stored, now):
    work(ask(now), now)
    left = exports_folder() / "half.part"
    left.write_bytes(b"half")
    expire_exports(JobRun("lake.expire_exports", HeldClock(now)))
    assert left.exists(), "it may be one that is being written"
    os.utime(left, (0, 0))
    expire_exports(JobRun("lake.expire_exports", HeldClock(now)))
    assert not left.exists()


def test_a_killed_export_is_written_anew_and_never_half(stored, now):
    wanted = ask(now)
    number = Export.objects.get(public_id=wanted).pk

    class Killed(JobRun):
        def report(self, **told):
            if told.get("done"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_export(Killed("lake.write_export", HeldClock(now)), export_id=number)
    with pytest.raises(CannotHandOut):
        acts.hand_out_export(wanted, actor=ANALYST, now=now)
    assert work(wanted, now).state == "ready"
    assert len(list(exports_folder().iterdir())) == 1


def test_a_cancelled_one_leaves_nothing(stored, now):
    wanted = ask(now)
    number = Export.objects.get(public_id=wanted).pk

    class Stopped(JobRun):
        def report(self, **told):
            if told.get("done"):
                raise JobCancelled

    with pytest.raises(JobCancelled):
        write_export(Stopped("lake.write_export", HeldClock(now)), export_id=number)
    assert Export.objects.get(pk=number).state == "cancelled"
    assert list(exports_folder().iterdir()) == []


def test_a_full_disk_fails_with_words(stored, now, settings):
    wanted = ask(now)
    settings.FREE_DISK_PERCENT = 101
    number = Export.objects.get(public_id=wanted).pk
    with pytest.raises(Exception, match="disk"):
        write_export(JobRun("lake.write_export", HeldClock(now)), export_id=number)
    told = Export.objects.get(pk=number)
    assert told.state == "failed"
    assert told.reason
    assert list(exports_folder().iterdir()) == []


def test_what_makes_no_sense_is_refused(stored, now):
    with pytest.raises(CannotExport):
        ask(now, "exe")
    with pytest.raises(CannotExport):
        ask(now, columns=("source_address",))
    with pytest.raises(CannotExport):
        ask(now, query=EventQuery(cidr="192.0.2.0/24"))
    with pytest.raises(NothingToExport):
        ask(now, query=EventQuery(cidr="198.51.100.0/24"))
    assert Export.objects.count() == 0


def test_three_at_once_are_enough(stored, now):
    for _ in range(3):
        ask(now)
    with pytest.raises(TooManyExports):
        ask(now)
    ask(now, actor=OTHER)


def test_a_label_nobody_knows_counts_as_red():
    assert ceiling({"AMBER": 2, None: 1, "PURPLE": 4, "RED": 3}) == ("AMBER", 2, 8)
    assert ceiling({}) == ("", 0, 0)


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_written_query_is_read_as_itself(case):
    query = replace(CASES[case][0], since=NOON)
    assert read_query(written(query)) == query
