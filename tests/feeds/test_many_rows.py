"""A report of nothing but bad rows: the first are kept one by one, the others as places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.feeds import queries
from muhafiz.feeds.actions import keeping
from muhafiz.feeds.actions.feeds import change_feed, create_feed
from muhafiz.feeds.actions.groups import dismiss_group, queue_group_replay, replay_group
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.actions.replay import (
    dismiss_set_aside,
    edit_and_replay,
    replay_set_aside,
)
from muhafiz.feeds.actions.samples import keep_sample
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.feeds.models import SetAsideRow
from muhafiz.feeds.places import faults, packed, unpacked
from muhafiz.feeds.rules import CannotReplay
from muhafiz.feeds.trial import try_rows, view_row
from muhafiz.jobs.queries import jobs
from muhafiz.jobs.worker import run_due
from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery
from tests.feeds.conftest import lake_is_sound, telnet_csv
from tests.feeds.test_replay import BROKEN, FIXED
from tests.feeds.test_workbench import DUTY

ROWS = 40
CHOSEN = SetAsideChoice(feed="generic", reason="number")


def listing(rows: int = ROWS) -> bytes:
    """A list of hosts whose ports are no ports; every tenth has no address either."""
    lines = [
        f"2026-11-22 00:{n % 60:02}:00;{'nowhere' if n % 10 == 0 else f'198.51.100.{n % 250}'};"
        f"h{n}.example.org;http-{n}"
        for n in range(1, rows + 1)
    ]
    return "\n".join(["when;address;host;port", *lines, ""]).encode()


@pytest.fixture
def few(feed, monkeypatch, settings):
    """Small batches, and two rows of each fault kept one by one."""
    monkeypatch.setattr(keeping, "ONE_BY_ONE", 2)
    settings.BATCH_ROWS = 11


@pytest.fixture
def many(few, process, actor, now):
    """A report of forty bad rows in four batches."""
    create_feed(name="generic", source="generic", options={"mapping": BROKEN}, actor=actor, now=now)
    report = keep_report(
        feed="generic", file_name="list.csv", raw=listing(), received_at=now, actor=actor, now=now
    ).id
    assert process(report).rows_set_aside == ROWS
    return report


def test_only_the_first_rows_of_a_fault_are_kept_one_by_one(many):
    kept = list(SetAsideRow.objects.filter(reason="number").order_by("row"))
    assert [row.row for row in kept if row.places is None] == [1, 2]
    assert [row.rows for row in kept if row.places is not None] == [8, 10, 10, 6]
    assert sum(row.rows for row in kept) == 36
    assert SetAsideRow.objects.count() < ROWS / 2


def test_all_of_them_are_counted(many):
    facts = queries.report(many)
    assert (facts.rows_read, facts.rows_set_aside, facts.rows_open) == (ROWS, ROWS, ROWS)
    groups = [(group.reason, group.rows, group.reports) for group in queries.set_aside_groups()]
    assert groups == [("number", 36, 1), ("address", 4, 1)]
    assert queries.set_aside_extent(CHOSEN)[0] == 36
    rows = queries.set_aside_rows(CHOSEN)
    assert [(row.row, row.rows, row.last) for row in rows[:3]] == [(1, 1, 1), (2, 1, 2), (3, 8, 11)]


def test_all_of_them_are_read_again_after_a_mapping_fix(many, actor, now):
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    done = replay_set_aside(report_id=many, actor=actor, now=now)
    assert (done.accepted, done.still_open) == (36, 4)
    facts = queries.report(many)
    assert (facts.rows_accepted, facts.rows_open) == (36, 4)
    rows = scan(EventQuery(report_id=many)).column("row").to_pylist()
    assert sorted(rows) == [n for n in range(1, ROWS + 1) if n % 10]
    assert [(group.rows, group.reason) for group in queries.set_aside_groups()] == [(4, "address")]
    assert queries.set_aside_groups(state="replayed")[0].rows == 36
    again = replay_set_aside(report_id=many, actor=actor, now=now)
    assert (again.accepted, again.still_open) == (0, 4)
    assert lake_is_sound()


def test_what_stays_aside_has_its_new_fault(many, actor, now):
    """The addresses are read from the column of the hosts: another fault, and for some none."""
    other = {**BROKEN, "map": {"source_fqdn": ["host"], "source_port": ["port"]}}
    change_feed(name="generic", options={"mapping": other}, actor=actor, now=now)
    assert replay_set_aside(report_id=many, actor=actor, now=now).accepted == 0
    (group,) = queries.set_aside_groups()
    assert (group.reason, group.rows) == ("number", ROWS)
    assert queries.report(many).rows_open == ROWS


def test_a_part_of_those_that_stand_together_may_be_read(many, actor, now):
    odd = {"field": "port", "equals": ["http-5"], "type": "phishing"}
    kept = {**FIXED, "map": {**FIXED["map"], "source_port": ["strange"]}, "when": [odd]}
    change_feed(name="generic", options={"mapping": kept}, actor=actor, now=now)
    third = queries.set_aside_rows(CHOSEN)[2]
    done = replay_set_aside(report_id=many, rows=[third.row], actor=actor, now=now)
    assert (done.accepted, done.still_open) == (8, 0)
    assert queries.set_aside_row(third.id).state == "replayed"
    assert queries.report(many).rows_open == ROWS - 8


def test_rows_that_split_into_read_and_unread(few, process, actor, now):
    lines = [f"198.51.100.{n};{'x' if n % 3 else ''}{n};{n % 2}" for n in range(1, 13)]
    raw = "\n".join(["address;port;asn", *lines, ""]).encode()
    plain = {"delimiter": ";", "type": "other", "map": {"source_ip": ["nothing"]}}
    strict = {**plain, "map": {"source_ip": ["address"], "source_port": ["port"]}}
    wrong = {**plain, "map": {"source_ip": ["asn"], "source_port": ["port"]}}
    create_feed(name="list", source="generic", options={"mapping": wrong}, actor=actor, now=now)
    report = keep_report(
        feed="list", file_name="list.csv", raw=raw, received_at=now, actor=actor, now=now
    ).id
    assert process(report).rows_set_aside == 12
    assert [(g.reason, g.rows) for g in queries.set_aside_groups()] == [("address", 12)]
    change_feed(name="list", options={"mapping": strict}, actor=actor, now=now)
    assert replay_set_aside(report_id=report, actor=actor, now=now).accepted == 4
    assert [(g.reason, g.rows) for g in queries.set_aside_groups()] == [("number", 8)]
    assert [(g.reason, g.rows) for g in queries.set_aside_groups(state="replayed")] == [
        ("address", 4)
    ]
    rows = scan(EventQuery(report_id=report)).column("row").to_pylist()
    assert sorted(rows) == [3, 6, 9, 12]
    assert lake_is_sound()


def test_a_group_of_them_is_read_again_as_a_job(many, actor, clock, now):
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    number = queue_group_replay(chosen=CHOSEN, actor=DUTY, now=now)
    run_due(clock)
    done = next(job for job in jobs() if job.job_id == number)
    assert (done.state, done.done, done.total) == ("done", 36, 36)
    assert queries.report(many).rows_open == 4


def test_a_group_of_them_is_dismissed_at_once(many, now):
    assert dismiss_group(chosen=CHOSEN, note="not ours", actor=DUTY, now=now) == 36
    assert queries.report(many).rows_open == 4
    rest = [row.id for row in queries.set_aside_rows()]
    assert dismiss_set_aside(row_ids=rest, note="nor these", actor=DUTY, now=now) == 4
    assert queries.report(many).rows_open == 0


def test_a_trial_reads_them_one_by_one_too(many, now):
    done = try_rows(CHOSEN, now=now, options={"mapping": FIXED})
    assert (done.total, done.rows, done.readable) == (36, 36, 36)
    assert [each.row for each in done.tried] == [n for n in range(1, ROWS + 1) if n % 10]


def test_one_that_stands_for_many_is_seen_but_not_edited(many, actor, now):
    row = queries.set_aside_rows(CHOSEN)[2]
    assert row.rows == 8
    assert view_row(row).fault == b"http-3"
    with pytest.raises(CannotReplay, match="many"):
        edit_and_replay(row_id=row.id, raw=b"a;b;c;d", actor=actor, now=now)
    assert keep_sample(row_id=row.id, note="", actor=DUTY, now=now)


def test_a_replay_that_is_overtaken_settles_nothing_twice(many, actor, now):
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    seen: list[int] = []

    def meanwhile(accepted: int, total: int, note: str) -> None:
        if not seen:
            seen.append(replay_set_aside(report_id=many, actor=actor, now=now).accepted)

    with pytest.raises(CannotReplay):
        replay_group(chosen=CHOSEN, actor=DUTY, clock=lambda: now, tick=meanwhile)
    assert queries.report(many).rows_accepted == 36
    assert lake_is_sound()


def test_long_rows_leave_less_room(keep, process, monkeypatch):
    monkeypatch.setattr(keeping, "BYTES_ONE_BY_ONE", 5_000)
    raw = telnet_csv(20, bad=frozenset(range(1, 21)))
    lines = [line + b"," + b"x" * 1_000 if n else line for n, line in enumerate(raw.split(b"\n"))]
    process(keep(b"\n".join(lines[:-1]) + b"\n"))
    kept = SetAsideRow.objects.order_by("row")
    assert sum(row.rows for row in kept) == 20
    assert kept.filter(places__isnull=True).count() == 5


@given(st.sets(st.integers(1, 10**12), min_size=1, max_size=200))
def test_places_are_kept_and_found_again(places):
    rising = np.array(sorted(places), np.int64)
    assert unpacked(packed(rising)).tolist() == rising.tolist()


def test_a_million_neighbors_take_little():
    assert len(packed(np.arange(1, 1_000_001))) < 50_000


def test_faults_keep_the_order_of_the_rows():
    from muhafiz.feeds.columns.aside import Aside

    aside = Aside()
    for row, (reason, column) in enumerate([("nul", None), ("address", "ip")] * 3, 1):
        aside.add(row, reason, "", b"x", column=column)
    found = [(each.reason, each.column, each.places.tolist()) for each in faults(aside.table())]
    assert found == [("nul", "", [1, 3, 5]), ("address", "ip", [2, 4, 6])]
