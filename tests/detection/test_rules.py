"""The rules against plain Python doing the same the slow way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.detection.columns import PLAN, ROWS
from muhafiz.detection.files import write_table
from muhafiz.detection.planning import Source, make_plan
from muhafiz.detection.rules import (
    BadPolicy,
    Policy,
    Traits,
    check_policy,
    choose_policy,
    closed_window,
    group_for_notice,
    matches,
)
from muhafiz.detection.sorting import sort_by_policy
from muhafiz.formats import tlp

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_FIRST = datetime(2024, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
_LAST = datetime(2030, 1, 1)  # noqa: DTZ001 - as above
TYPES = [("vulnerable", "weak-crypto"), ("vulnerable", "ddos-amplifier"), ("fraud", "phishing")]
LABELS = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", None, "purple"]

rows_given = st.lists(
    st.fixed_dictionaries(
        {
            "organization_id": st.integers(1, 4),
            "kind": st.sampled_from(TYPES),
            "tlp": st.sampled_from(LABELS),
            "host": st.integers(1, 3),
            "network_id": st.integers(1, 3),
            "feed_code": st.sampled_from(["scan_a", "scan_b", None]),
            "sector": st.sampled_from(["bank", None]),
        }
    ),
    max_size=30,
)


def table(rows, schema=ROWS) -> pa.Table:
    lines = [
        {
            "key": number,
            "day": NOW.date(),
            "report_id": 1,
            "row": number,
            "parser": "x/1",
            "first_seen": NOW,
            "last_seen": NOW,
            "sightings": 1,
            "time": NOW,
            "classification_taxonomy": row["kind"][0],
            "classification_type": row["kind"][1],
            "source_ip": f"198.51.100.{row['host']}",
            "finding": number,
            "decision": "tell",
            **{name: row[name] for name in row if name not in {"kind", "host"}},
        }
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(lines, schema=schema)


@given(rows_given, st.sampled_from(tlp.LABELS[:-1]))
def test_every_row_is_in_exactly_one_notice_of_its_own_organization(rows, label):
    ordered = table(rows, PLAN).sort_by(
        [
            ("organization_id", "ascending"),
            ("classification_taxonomy", "ascending"),
            ("classification_type", "ascending"),
        ]
    )
    groups = group_for_notice(ordered, label)
    lines = ordered.to_pylist()
    seen = []
    for group in groups:
        own = lines[group.start : group.stop]
        assert {line["organization_id"] for line in own} == {group.organization_id}
        assert group.tlp == tlp.strictest([label, *(line["tlp"] for line in own)])
        for part in group.classes:
            kinds = {
                (line["classification_taxonomy"], line["classification_type"])
                for line in lines[part.start : part.stop]
            }
            assert kinds == {(part.taxonomy, part.type)}
            seen += range(part.start, part.stop)
    assert seen == list(range(len(lines)))
    assert len({group.organization_id for group in groups}) == len(groups)


def test_unsorted_rows_are_refused():
    rows = [{"organization_id": n, "kind": TYPES[0], "tlp": "CLEAR", "host": 1} for n in (2, 1)]
    with pytest.raises(ValueError, match="sorted"):
        group_for_notice(table(rows, PLAN), "CLEAR")


policies_given = st.lists(
    st.builds(
        Policy,
        code=st.uuids().map(lambda u: u.hex[:12]),
        cadence=st.just("daily"),
        classes=st.sampled_from(
            ["*", "vulnerable/*", "weak-crypto", "*/phishing", "fraud/phishing"]
        ),
        feed=st.sampled_from(["*", "scan_*", "scan_a"]),
        sector=st.sampled_from(["", "bank"]),
        organization_id=st.sampled_from([None, None, 1, 2]),
    ),
    max_size=6,
    unique_by=lambda policy: policy.code,
)


@given(rows_given, policies_given)
def test_sorting_asks_the_rule_for_each_row(rows, policies):
    parts = sort_by_policy(table(rows), policies)
    assert sum(part.num_rows for part in parts.values()) == len(rows)
    for code, part in parts.items():
        for line in part.to_pylist():
            event = Traits(
                line["classification_taxonomy"],
                line["classification_type"],
                line["feed_code"],
                line["sector"],
                line["organization_id"],
            )
            chosen = choose_policy(policies, event)
            assert (chosen.code if chosen else "") == code
            if chosen is None:
                assert not any(matches(policy, event) for policy in policies)


def test_the_most_specific_policy_wins():
    event = Traits("vulnerable", "weak-crypto", "scan_ssl", "bank", 7)
    order = [
        Policy("own", "daily", organization_id=7),
        Policy("type", "daily", classes="vulnerable/weak-crypto"),
        Policy("class", "daily", classes="vulnerable/*"),
        Policy("feed", "daily", feed="scan_ssl"),
        Policy("feeds", "daily", feed="scan_*"),
        Policy("sector", "daily", sector="bank"),
        Policy("younger", "daily", valid_from=NOW),
        Policy("older", "daily"),
    ]
    for place, policy in enumerate(order):
        assert choose_policy(list(reversed(order[place:])), event) == policy
    assert choose_policy([Policy("other", "daily", classes="fraud/*")], event) is None


@given(
    rows=rows_given,
    earlier=rows_given,
    threshold=st.integers(1, 4),
    resend_days=st.integers(0, 10),
    days_ago=st.integers(0, 12),
)
@settings(max_examples=20)
def test_the_plan_is_what_the_rules_say(
    *, tmp_path_factory, rows, earlier, threshold, resend_days, days_ago
):
    """Against a loop over rows: labels, inhibitions, resending, thresholds."""
    root = tmp_path_factory.mktemp("plan")
    policy = Policy("p", "daily", threshold=threshold, resend_days=resend_days)
    inhibited_owner, inhibited_claim = (3, "weak-crypto"), (2, "phishing")

    def ask(owners, types, claims):
        assert owners <= {1, 2, 3, 4}
        return [inhibited_owner], [inhibited_claim]

    def planned(given, told, when):
        file = write_table("pool", table(given), ROWS, NOW, root)
        return make_plan([Source(root / file.path)], told, policy, when, ask, root=root)

    before = NOW - timedelta(days=days_ago)
    first = planned(earlier, [], before)
    told = {} if first.told is None else dict.fromkeys(_told(root, first), before)
    second = planned(rows, [root / first.told.path] if first.told else [], NOW)
    marks = []
    for row in rows:
        finding = (row["organization_id"], row["kind"], row["host"])
        pair = (row["organization_id"], row["kind"][1]), (row["network_id"], row["kind"][1])
        if tlp.parse(row["tlp"]) == tlp.RED:
            marks.append("refused")
        elif pair[0] == inhibited_owner or pair[1] == inhibited_claim:
            marks.append("inhibited")
        elif finding in told and told[finding] > NOW - timedelta(days=resend_days):
            marks.append("withheld")
        else:
            marks.append("tell")
    due = [r["organization_id"] for r, mark in zip(rows, marks, strict=True) if mark == "tell"]
    expected = [
        "carried" if mark == "tell" and due.count(r["organization_id"]) < threshold else mark
        for r, mark in zip(rows, marks, strict=True)
    ]
    lines = _lines(root / second.plan.path)
    assert [lines[number]["decision"] for number in range(len(rows))] == expected
    carried = 0 if second.carried is None else second.carried.rows
    assert carried == expected.count("carried")


def _lines(path):
    import pyarrow.parquet as pq

    return {line["key"]: line for line in pq.read_table(path).to_pylist()}


def _told(root, planned):
    return {
        (
            line["organization_id"],
            (line["classification_taxonomy"], line["classification_type"]),
            int(line["source_ip"].rpartition(".")[2]),
        )
        for line in _lines(root / planned.plan.path).values()
        if line["decision"] == "tell"
    }


@given(
    st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
    st.sampled_from(["hourly", "daily", "weekly"]),
    st.sampled_from(["Asia/Karachi", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_windows_follow_each_other_without_gap(at, cadence, name):
    zone = ZoneInfo(name)
    window = closed_window(cadence, at, zone)
    assert window.start < window.end <= at
    earlier = closed_window(cadence, window.start, zone)
    assert earlier.end == window.start
    assert earlier.label != window.label
    assert closed_window(cadence, window.end, zone) == window
    if cadence != "hourly":
        assert window.end.astimezone(zone).hour == 0
    if cadence == "weekly":
        assert window.end.astimezone(zone).weekday() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Big Code"},
        {"cadence": "yearly"},
        {"classes": "a b"},
        {"threshold": 0},
        {"resend_days": 400},
        {"tlp": "RED"},
        {"tlp": "amber"},
    ],
)
def test_a_policy_without_sense_is_refused(wrong):
    fields = {"code": "good", "cadence": "daily", **wrong}
    with pytest.raises(BadPolicy):
        check_policy(Policy(**fields))
    check_policy(Policy("good", "daily"))
