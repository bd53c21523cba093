"""The workbench below the desk: marks, trials, samples, whole groups, options refused at entry."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muhafiz.accounts.rules import NotAllowed
from muhafiz.common.actor import Actor
from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import acknowledge_silence, change_feed, create_feed, give_feed
from muhafiz.feeds.actions.groups import dismiss_group, queue_group_replay, replay_group
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.actions.replay import edit_and_replay, reprocess_report
from muhafiz.feeds.actions.samples import (
    accept_sample,
    check_samples,
    forget_sample,
    keep_sample,
    would_differ,
)
from muhafiz.feeds.actions.silence import watch_feeds
from muhafiz.feeds.columns.mapping import BadMapping, FieldMapping, When, read_mapping
from muhafiz.feeds.columns.mapping_data import mapping_data
from muhafiz.feeds.columns.readings import TimeForm
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.feeds.marking import Shape, mark, spans
from muhafiz.feeds.models import Report
from muhafiz.feeds.rules import BadFeed, CannotReplay, CannotReprocess
from muhafiz.feeds.sources.shadowserver import mapping_of, mappings
from muhafiz.feeds.trial import try_options, try_rows, view_row
from muhafiz.feeds.unpacking import CannotUnpack
from muhafiz.jobs.queries import jobs
from muhafiz.jobs.worker import run_due
from tests.feeds.conftest import NAME, telnet_csv
from tests.feeds.test_replay import BROKEN, FIXED, GENERIC

DUTY = Actor(kind="person", identifier="7", name="Duty", roles=frozenset({"duty_officer"}))
AUDITOR = Actor(kind="person", identifier="8", name="Auditor", roles=frozenset({"auditor"}))


@pytest.fixture
def broken(feed, process, actor, now):
    """A report of which every second row's port is no port, by its feed's mapping."""
    create_feed(name="generic", source="generic", options={"mapping": BROKEN}, actor=actor, now=now)
    report = keep_report(
        feed="generic", file_name="list.csv", raw=GENERIC, received_at=now, actor=actor, now=now
    ).id
    process(report)
    return report


CHOSEN = SetAsideChoice(feed="generic", reason="number")


def test_rows_are_grouped_by_feed_type_reason_and_column(broken, keep, process):
    process(keep(telnet_csv(20, bad=frozenset({3, 4}))))
    groups = [(g.feed, g.kind, g.reason, g.column, g.rows) for g in queries.set_aside_groups()]
    assert groups == [
        ("generic", "generic", "number", "port", 4),
        ("shadowserver", "scan_telnet", "column-count", "", 2),
    ]


def test_a_row_shows_its_cells_and_where_the_fault_lies(broken):
    (row, *_) = queries.set_aside_rows(CHOSEN)
    view = view_row(row)
    assert view.before + view.fault + view.after == row.raw
    assert view.fault == b"http-2"
    assert [(c.name, c.text, c.column, c.faulty) for c in view.cells] == [
        ("when", "2026-11-22 02:00:00", "time_source", False),
        ("address", "198.51.100.2", "source_ip", False),
        ("host", "h2.example.org", "", False),
        ("port", "http-2", "source_port", True),
    ]


def test_a_trial_says_what_other_options_would_read_and_writes_nothing(broken, now):
    before = queries.report(broken)
    same = try_rows(CHOSEN, now=now)
    assert (same.total, same.readable, same.still) == (4, 0, 4)
    done = try_rows(CHOSEN, now=now, options={"mapping": FIXED})
    assert (done.total, done.rows, done.readable, done.still) == (4, 4, 4, 0)
    assert done.tried[0].reason == "number"
    assert done.tried[0].event["source_ip"] == "198.51.100.2"
    assert queries.report(broken) == before


def test_a_trial_of_other_bytes(broken, now):
    (row, *_) = queries.set_aside_rows(CHOSEN)
    good = row.raw.replace(b"http-2", b"8080")
    done = try_rows(SetAsideChoice(feed="generic", upto=row.id), now=now, edited={row.id: good})
    assert done.tried[0].event["source_port"] == "8080"


def test_a_group_is_read_again_as_a_job_with_progress(broken, actor, clock, now):
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    number = queue_group_replay(chosen=CHOSEN, actor=DUTY, now=now)
    run_due(clock)
    done = next(job for job in jobs() if job.job_id == number)
    assert (done.state, done.done, done.total) == ("done", 4, 4)
    assert done.note == "4 accepted, 0 still set aside"
    assert queries.report(broken).rows_open == 0
    with pytest.raises(CannotReplay):
        queue_group_replay(chosen=CHOSEN, actor=DUTY, now=now)


def test_a_report_that_is_refused_keeps_no_other_of_the_group_aside(broken, process, actor, now):
    second = keep_report(
        feed="generic", file_name="more.csv", raw=GENERIC + GENERIC[-40:], received_at=now,
        actor=actor, now=now,
    ).id  # fmt: skip
    process(second)
    Report.objects.filter(pk=broken).update(state=Report.State.PROCESSING)
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    with pytest.raises(CannotReprocess):
        replay_group(chosen=CHOSEN, actor=DUTY, clock=lambda: now)
    assert {row.report_id for row in queries.set_aside_rows(CHOSEN)} == {broken}


def test_what_came_after_the_look_is_left_alone(broken, now):
    rows = queries.set_aside_rows(CHOSEN)
    seen = SetAsideChoice(feed="generic", reason="number", upto=rows[1].id)
    assert replay_group(chosen=seen, actor=DUTY, clock=lambda: now).still_open == 2
    assert dismiss_group(chosen=seen, note="not ours", actor=DUTY, now=now) == 2
    assert queries.report(broken).rows_open == 2
    assert queries.set_aside_row(rows[0].id).note == "not ours"
    with pytest.raises(CannotReplay):
        dismiss_group(chosen=seen, note="again", actor=DUTY, now=now)
    with pytest.raises(CannotReplay):
        dismiss_group(chosen=CHOSEN, note=" ", actor=DUTY, now=now)
    with pytest.raises(NotAllowed):
        dismiss_group(chosen=CHOSEN, note="x", actor=AUDITOR, now=now)


def test_a_sample_tells_when_a_mapping_reads_it_otherwise(broken, actor, clock, now):
    change_feed(name="generic", options={"mapping": FIXED}, actor=actor, now=now)
    (row, *_) = queries.set_aside_rows(CHOSEN)
    number = keep_sample(row_id=row.id, note="a host list", actor=DUTY, now=now)
    (kept,) = queries.samples(feed="generic")
    assert (kept.id, kept.expected["source_ip"]) == (number, "198.51.100.2")
    assert would_differ("generic", "generic", {"mapping": FIXED}) == []
    assert len(would_differ("generic", "generic", {"mapping": BROKEN})) == 1
    change_feed(name="generic", options={"mapping": BROKEN}, actor=actor, now=now)
    run_due(clock)  # the change queued the check
    (seen,) = queries.samples()
    assert not seen.holds
    assert seen.found == {"set aside": "number"}
    accept_sample(sample_id=number, actor=DUTY, now=now)
    assert check_samples(now=now) == []
    forget_sample(sample_id=number, actor=DUTY, now=now)
    assert queries.samples() == []
    with pytest.raises(CannotReplay):
        forget_sample(sample_id=number, actor=DUTY, now=now)


def test_a_sample_of_a_headed_report_keeps_its_header(keep, process, now):
    process(keep(telnet_csv(5, bad=frozenset({2}))))
    (row,) = queries.set_aside_rows()
    keep_sample(row_id=row.id, note="", actor=DUTY, now=now)
    (kept,) = queries.samples()
    assert kept.expected == {"set aside": "column-count"}
    assert kept.content.count(b"\n") == 2
    assert view_row(row).fault == b""
    assert view_row(row).offset == len(row.raw)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("generic", {"mapping": {"map": {"no_column": ["a"]}}}),
        ("generic", {"mapping": "text"}),
        ("generic", {"mapping": {"type": "nonsense"}}),
        ("generic", {"mapping": {"time_zone": "Mars/Olympus"}}),
        ("generic", {"mapping": {"time_zone": "../etc/passwd"}}),
        ("generic", {"mapping": {"time_format": "yesterday"}}),
        ("generic", {"mapping": {"time_format": ["%Y-%q"]}}),
        ("generic", {"mapping": {"comment": "\n"}}),
        ("shadowserver", {"overrides": {"scan_telnet": {"type": "nonsense"}}}),
        ("shadowserver", {"overrides": {"scan_telnet": "text"}}),
        ("shadowserver", {"types": "scan_telnet"}),
        ("shadowserver", {"reports": [1]}),
        ("shadowserver", {"overrides": []} | {"mappings": "/nowhere/at/all"}),
        ("zeek", {"types": {"Scan::Port_Scan": "nonsense"}}),
        ("suricata", {"event_types": "alert"}),
        ("n6", {"tlp": "PURPLE"}),
        ("n6", {"provider": 5}),
    ],
)
@pytest.mark.usefixtures("db", "folders")
def test_options_that_no_parser_could_use_are_refused_when_entered(actor, now, source, options):
    with pytest.raises(BadFeed):
        create_feed(name="x", source=source, options=options, actor=actor, now=now)
    create_feed(name="x", source=source, actor=actor, now=now)
    with pytest.raises(BadFeed):
        change_feed(name="x", options=options, actor=actor, now=now)


def test_an_override_goes_before_the_built_in_mapping(keep, process, actor, now):
    code, mapping = mapping_of("scan_telnet", {"overrides": {"scan_telnet": {"type": "other"}}})
    assert (code, mapping.type) == ("scan_telnet", "other")
    assert mapping.columns["source_ip"] == ("src_ip", "ip")
    data = mapping_data(mappings()["scan_telnet"])
    gone = {**data, "map": {**data["map"], "source_asn": []}}
    change_feed(
        name="shadowserver", options={"overrides": {"scan_telnet": gone}}, actor=actor, now=now
    )
    assert process(keep(telnet_csv(3))).rows_accepted == 3


def test_a_silence_has_an_owner_and_can_be_known_of(feed, actor, now):
    change_feed(name=feed, expected_every=timedelta(hours=1), actor=actor, now=now)
    later = now + timedelta(hours=5)
    with pytest.raises(BadFeed):
        acknowledge_silence(name=feed, until=later, note="", actor=DUTY, now=now)
    watch_feeds(actor=actor, now=later)
    until = later + timedelta(hours=4)
    with pytest.raises(BadFeed):
        acknowledge_silence(name=feed, until=later, note="", actor=DUTY, now=later)
    acknowledge_silence(name=feed, until=until, note="they mend it", actor=DUTY, now=later)
    give_feed(name=feed, person_id=7, owner="Duty", actor=DUTY, now=later)
    assert queries.silent_feeds(now=later) == []
    assert len(queries.silent_feeds(now=until)) == 1
    (state,) = queries.silent_feeds(now=later, known=True)
    assert (state.quiet_until, state.quiet_by, state.owner_person) == (until, "Duty", 7)
    with pytest.raises(NotAllowed):
        give_feed(name=feed, person_id=7, owner="Duty", actor=AUDITOR, now=later)


REASONS = ("column-count", "quote", "nul", "encoding", "address", "number", "json", "too-long")
NAMES = st.lists(st.text("abc_", min_size=1, max_size=4), max_size=5, unique=True).map(tuple)


@given(st.binary(max_size=80), st.sampled_from(REASONS), NAMES, st.sampled_from(",;\t|"))
@example(b'{"a": "b', "json", (), ",")
@example(b'"a,b', "quote", ("a",), ",")
@example(b"\xf0\x9f", "encoding", ("a",), ",")
@example(b"", "nul", (), ",")
def test_a_mark_lies_within_the_row(raw, reason, names, delimiter):
    for column in (*names, "a", ""):
        start, end = mark(raw, reason, column, Shape(names, delimiter))
        assert 0 <= start <= end <= len(raw)


@given(st.binary(max_size=80), st.sampled_from(",;"))
def test_cells_and_delimiters_are_the_whole_row(raw, delimiter):
    found = spans(raw, Shape(("a",), delimiter))
    assert found[0][0] == 0
    assert found[-1][1] == len(raw)
    assert all(one[1] + 1 == two[0] for one, two in pairwise(found))


TEXTS = st.text("abcdef_", min_size=1, max_size=8)


@given(
    st.builds(
        FieldMapping,
        code=st.just("x"),
        title=TEXTS,
        type=st.sampled_from((None, "other", "phishing")),
        identifier=st.none() | TEXTS,
        columns=st.dictionaries(
            st.sampled_from(("source_ip", "source_port", "severity")),
            st.lists(TEXTS, max_size=3).map(tuple),
        ),
        constants=st.dictionaries(
            st.sampled_from(("severity", "tlp", "protocol_transport")), st.just("low")
        ).map(lambda found: {**found, **({"tlp": "GREEN"} if "tlp" in found else {})}),
        when=st.lists(
            st.builds(
                When, TEXTS, st.lists(TEXTS, min_size=1, max_size=2).map(tuple), st.just("other")
            ),
            max_size=2,
        ).map(tuple),
        header=st.none() | st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
        delimiter=st.sampled_from(",;|"),
        drop=st.frozensets(TEXTS, max_size=2),
        times=st.builds(
            TimeForm,
            st.lists(st.sampled_from(("%d.%m.%Y", "%H:%M %d %b %Y")), max_size=2).map(tuple),
            st.sampled_from(("UTC", "Asia/Karachi")),
        ),
        comment=st.sampled_from(("", "#", "//")),
    )
)
def test_a_mapping_is_its_data_and_back(mapping):
    assert read_mapping("x", mapping_data(mapping)) == mapping


def test_the_built_in_mappings_are_their_data_and_back():
    for code, mapping in mappings().items():
        assert read_mapping(code, mapping_data(mapping)) == mapping


def test_the_name_of_the_report_tells_its_type():
    assert NAME.startswith("2026-11-22-scan_telnet")


def test_a_mapping_file_that_somebody_broke_is_told_and_ends_nobodys_work(
    keep, process, feed, tmp_path, now
):
    """Its reports used to be tried thrice as if they were at fault, and the row's page failed."""
    own, operator = tmp_path / "own.toml", Actor.command("operator")
    own.write_text('[scan_new]\ntype = "other"\n')
    change_feed(name=feed, options={"mappings": str(tmp_path)}, actor=operator, now=now)
    process(keep(telnet_csv(5, bad=frozenset({2}))))
    (row,) = queries.set_aside_rows()
    keep_sample(row_id=row.id, note="", actor=DUTY, now=now)
    own.write_text('[scan_new]\ntype = "nonsense"\n')
    report = keep(telnet_csv(6))
    done = process(report)
    assert (done.state, done.reason) == ("quarantined", "BadMapping")
    assert "'nonsense' is no RSIT type" in queries.report(report).detail
    view = view_row(row)
    assert view.before + view.fault + view.after == row.raw
    (wrong,) = check_samples(now=now)
    assert "nonsense" in wrong.found["set aside"]
    with pytest.raises(BadMapping):
        try_rows(SetAsideChoice(), now=now)
    own.write_text('[scan_new]\ntype = "other"\n')
    reprocess_report(report_id=report, actor=operator, now=now)
    assert process(report).rows_accepted == 6


def test_a_row_over_several_lines_is_corrected_as_one(keep, process, now):
    raw = (
        telnet_csv(3)
        .replace(b'"login: 2"', b'"login:\n2"')
        .replace(b",telnet,64500", b",telnet,AS", 2)
    )
    process(keep(raw))
    rows = queries.set_aside_rows()
    assert [row.reason for row in rows] == ["number", "number"]
    folded = next(row for row in rows if b"\n" in row.raw)
    good = folded.raw.replace(b",AS", b",64500")
    assert edit_and_replay(row_id=folded.id, raw=good, actor=DUTY, now=now).accepted == 1
    plain = next(row for row in rows if b"\n" not in row.raw)
    with pytest.raises(CannotReplay):
        edit_and_replay(row_id=plain.id, raw=plain.raw + b"\n" + good, actor=DUTY, now=now)


def test_options_are_tried_on_a_report_that_was_refused_and_on_none(feed, keep, process, now):
    assert try_options("nobody", {}, now=now) is None
    process(keep(b"PK\x03\x04 no zip", "list.zip"))
    with pytest.raises(CannotUnpack):
        try_options(feed, {}, now=now)
