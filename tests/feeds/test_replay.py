from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.common.clock import HeldClock
from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import change_feed, create_feed
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.actions.processing import process_report
from muhafiz.feeds.actions.replay import (
    assign_report,
    dismiss_set_aside,
    edit_and_replay,
    replay_set_aside,
    reprocess_report,
)
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.feeds.models import Report
from muhafiz.feeds.rules import CannotReplay, CannotReprocess
from muhafiz.feeds.trial import try_rows
from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery
from tests.feeds.conftest import NAME, lake_is_sound, telnet_csv

#: A list whose ports are partly no ports, so that a mapping which reads them sets rows aside.
GENERIC = b"when;address;host;port\n" + b"".join(
    b"2026-11-22 0%d:00:00;198.51.100.%d;h%d.example.org;%s\n"
    % (n, n, n, b"23" if n % 2 else b"http-%d" % n)
    for n in range(1, 9)
)
FIXED = {
    "delimiter": ";",
    "type": "other",
    "map": {"time_source": ["when"], "source_ip": ["address"]},
}
BROKEN = {**FIXED, "map": {**FIXED["map"], "source_port": ["port"]}}


@pytest.fixture
def read_report(keep, process):
    report = keep(telnet_csv(50, bad=frozenset({5, 30})))
    process(report)
    return report


def test_replay_changes_nothing_while_the_rows_stay_unreadable(read_report, actor, now):
    done = replay_set_aside(report_id=read_report, actor=actor, now=now)
    assert (done.accepted, done.still_open) == (0, 2)
    facts = queries.report(read_report)
    assert (facts.rows_accepted, facts.rows_open) == (48, 2)
    assert lake_is_sound()


def test_an_edited_row_is_read_in_its_place(read_report, actor, now):
    row = queries.set_aside_rows(report_id=read_report)[0]
    line = telnet_csv(5).splitlines()[5]
    done = edit_and_replay(row_id=row.id, raw=line + b"\r\n", actor=actor, now=now)
    assert (done.accepted, done.still_open) == (1, 0)
    facts = queries.report(read_report)
    assert (facts.rows_accepted, facts.rows_set_aside, facts.rows_open) == (49, 2, 1)
    kept = queries.set_aside_row(row.id)
    assert kept.state == "replayed"
    assert kept.raw == row.raw
    assert 5 in scan(EventQuery(report_id=read_report)).column("row").to_pylist()
    with pytest.raises(CannotReplay):
        edit_and_replay(row_id=row.id, raw=line, actor=actor, now=now)
    assert lake_is_sound()


def test_an_edit_is_one_row(read_report, actor, now):
    row = queries.set_aside_rows(report_id=read_report)[0]
    for wrong in (b"", b"\n", b"a,b\nc,d"):
        with pytest.raises(CannotReplay):
            edit_and_replay(row_id=row.id, raw=wrong, actor=actor, now=now)


def test_an_edit_that_is_still_unreadable_keeps_the_row_open(read_report, actor, now):
    row = queries.set_aside_rows(report_id=read_report)[0]
    done = edit_and_replay(row_id=row.id, raw=b"a,b,c", actor=actor, now=now)
    assert (done.accepted, done.still_open) == (0, 1)
    assert queries.set_aside_row(row.id).state == "open"


def test_rows_are_accepted_after_a_mapping_fix(feed, process, actor, now):
    create_feed(name="generic", source="generic", options={"mapping": BROKEN}, actor=actor, now=now)
    report = keep_report(
        feed="generic", file_name="list.csv", raw=GENERIC, received_at=now, actor=actor, now=now
    ).id
    before = process(report)
    assert (before.rows_accepted, before.rows_set_aside) == (4, 4)
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    done = replay_set_aside(report_id=report, actor=actor, now=now)
    assert (done.accepted, done.still_open) == (4, 0)
    again = replay_set_aside(report_id=report, actor=actor, now=now)
    assert (again.accepted, again.still_open) == (0, 0)
    assert queries.report(report).rows_accepted == 8
    assert lake_is_sound()


def listed(raw, mapping, process, actor, now):
    """A report read by this mapping, of the feed "list"."""
    create_feed(name="list", source="generic", options={"mapping": mapping}, actor=actor, now=now)
    report = keep_report(
        feed="list", file_name="l.csv", raw=raw, received_at=now, actor=actor, now=now
    ).id
    process(report)
    return report


def counts(report):
    facts = queries.report(report)
    return (facts.rows_read, facts.rows_accepted, facts.rows_set_aside, facts.rows_open)


COMMENTED = b"address,x\n# note,1\n198.51.100.1,1\n# x,1\n198.51.100.2,1\nbad,1\n"
HEADED = b"address,x\n198.51.100.1,1\n198.51.100.2,1\nbad,1\n"
LISTED = {"type": "other", "map": {"source_ip": ["address"]}}


def test_rows_that_no_longer_lie_where_they_lay_are_not_taken_for_others(feed, process, actor, now):
    """A mapping that knew comments used to count an accepted row twice and to lose another."""
    report = listed(COMMENTED, LISTED, process, actor, now)
    assert counts(report) == (5, 2, 3, 3)
    change_feed(name="list", options={"mapping": {**LISTED, "comment": "#"}}, actor=actor, now=now)
    tried = try_rows(SetAsideChoice(report_id=report), now=now)
    assert {each.still_reason for each in tried.tried} == {"missing"}
    with pytest.raises(CannotReplay, match="no longer lie"):
        replay_set_aside(report_id=report, actor=actor, now=now)
    assert counts(report) == (5, 2, 3, 3)
    change_feed(name="list", options={"mapping": LISTED}, actor=actor, now=now)
    assert replay_set_aside(report_id=report, actor=actor, now=now).still_open == 3
    assert lake_is_sound()


def test_other_rules_that_cut_the_same_rows_harm_nothing(feed, process, actor, now):
    report = listed(HEADED, LISTED, process, actor, now)
    assert counts(report) == (3, 2, 1, 1)
    change_feed(
        name="list",
        options={"mapping": {"type": "other", "map": {"source_fqdn": ["x"]}, "comment": "#"}},
        actor=actor,
        now=now,
    )
    assert replay_set_aside(report_id=report, actor=actor, now=now).still_open == 1
    (row,) = queries.set_aside_rows(report_id=report)
    assert (row.row, row.reason) == (3, "domain")


def test_a_report_stopped_in_its_midst_does_not_go_on_among_other_rows(
    feed, process, actor, now, settings
):
    settings.BATCH_ROWS = 2
    report = listed(COMMENTED, LISTED, process, actor, now)
    Report.objects.filter(pk=report).update(state=Report.State.FAILED, blocks_done=2)
    change_feed(name="list", options={"mapping": {**LISTED, "comment": "#"}}, actor=actor, now=now)
    assert process(report).state == "quarantined"
    assert "no longer lie" in queries.report(report).detail


@pytest.mark.parametrize(
    "mapping", [LISTED, {**LISTED, "header": ["address", "x"]}, {**LISTED, "delimiter": ","}]
)
def test_a_report_that_nobody_could_read_is_read_anew(feed, process, actor, now, mapping):
    """Its header used to stay aside as a copy of its last row."""
    wrong = {"type": "other", "map": {"source_ip": ["ip"]}, "delimiter": ";"}
    report = listed(HEADED, wrong, process, actor, now)
    assert counts(report) == (4, 0, 4, 4)
    change_feed(name="list", options={"mapping": mapping}, actor=actor, now=now)
    done = replay_set_aside(report_id=report, actor=actor, now=now)
    assert done.rows == 4
    assert (done.read_anew == 4) == ("header" not in mapping)
    process(report)
    # Where the mapping names the columns, the first line is a row as before, and nothing moved.
    assert counts(report) == ((4, 2, 4, 2) if "header" in mapping else (3, 2, 1, 1))
    assert queries.set_aside_rows(report_id=report)[-1].raw == b"bad,1"
    assert lake_is_sound()


def test_a_dismissal_needs_its_reason_and_is_kept(read_report, actor, now):
    rows = [row.id for row in queries.set_aside_rows(report_id=read_report)]
    with pytest.raises(CannotReplay):
        dismiss_set_aside(row_ids=rows, note=" ", actor=actor, now=now)
    assert dismiss_set_aside(row_ids=rows, note="test rows", actor=actor, now=now) == 2
    assert dismiss_set_aside(row_ids=rows, note="test rows", actor=actor, now=now) == 0
    assert queries.report(read_report).rows_open == 0
    assert queries.set_aside_groups() == []
    assert queries.set_aside_groups(state="dismissed")[0].rows == 2


def test_reprocessing_counts_nothing_twice(read_report, process, actor, now):
    reprocess_report(report_id=read_report, actor=actor, now=now)
    process(read_report)
    Report.objects.filter(pk=read_report).update(state="failed")
    reprocess_report(report_id=read_report, actor=actor, now=now)
    done = process(read_report)
    assert (done.state, done.rows_accepted, done.rows_set_aside) == ("done", 48, 2)
    assert lake_is_sound()


def test_a_report_under_way_is_left_alone(read_report, actor, now):
    Report.objects.filter(pk=read_report).update(state="processing")
    with pytest.raises(CannotReprocess):
        reprocess_report(report_id=read_report, actor=actor, now=now)
    with pytest.raises(CannotReprocess):
        replay_set_aside(report_id=read_report, actor=actor, now=now)


def test_a_report_nobody_recognized_is_assigned(feed, process, actor, now):
    raw = telnet_csv(4).replace(b'"timestamp"', b'"moment"')
    kept = keep_report(feed=None, file_name=NAME, raw=raw, received_at=now, actor=actor, now=now)
    if kept.feed == feed:
        pytest.fail("without a timestamp column no feed may claim the report")
    assign_report(report_id=kept.id, feed=feed, actor=actor, now=now)
    assert process(kept.id).state == "done"
    assert queries.report(kept.id).feed == feed
    with pytest.raises(CannotReplay):
        assign_report(report_id=kept.id, feed=feed, actor=actor, now=now)


def test_set_aside_rows_are_grouped_by_reason(read_report):
    (group,) = queries.set_aside_groups()
    assert (group.reason, group.rows, group.reports) == ("column-count", 2, 1)
    assert "columns" in group.example_detail


def test_rows_from_a_future_that_was_none_are_read_when_the_clock_is_right(
    feed, process, actor, now
):
    """A clock ten days behind sets every row aside; they used to stay aside for ever."""
    behind = now - timedelta(days=10)
    report = keep_report(
        feed=feed, file_name=NAME, raw=telnet_csv(5), received_at=behind, actor=actor, now=behind
    ).id
    done = process_report(report, actor=actor, clock=HeldClock(behind))
    assert (done.rows_accepted, done.rows_set_aside) == (0, 5)
    assert {row.reason for row in queries.set_aside_rows()} == {"time"}
    assert replay_set_aside(report_id=report, actor=actor, now=behind).accepted == 0
    assert replay_set_aside(report_id=report, actor=actor, now=now).accepted == 5
    assert lake_is_sound()
