"""The lake against a dictionary: random appends, repetitions, compactions, erasures."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from muhafiz.lake import queries
from muhafiz.lake.actions import compaction, housekeeping
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.query import EventQuery
from tests.lake.conftest import Lake
from tests.lake.rows import NOON, host

TYPES = ("scanner", "spam", None)
SIGHTING = st.tuples(
    st.integers(0, 11),  # host
    st.integers(0, 2),  # day
    st.integers(0, 11),  # hour: noon and later, the same UTC day
    st.sampled_from(TYPES),
)
STEP = st.one_of(
    st.lists(SIGHTING, max_size=12),
    st.lists(SIGHTING, max_size=12),
    st.just("compact"),
    st.integers(0, 3).map(lambda organization: ("erase", organization)),
    st.just("retain"),
)


def line_of(number: int, day: int, hour: int, kind: str | None) -> dict[str, Any]:
    return host(
        number,
        time_source=NOON + timedelta(days=day, hours=hour),
        classification_type=kind,
        organization_id=number % 4 or None,
    )


class Model:
    """What the lake must say: identity → first, last, sum, the first row."""

    def __init__(self) -> None:
        self.events: dict[tuple[int, int, str | None], list[Any]] = {}

    def append(self, sightings: list[tuple[int, int, int, str | None]]) -> int:
        before = len(self.events)
        for number, day, hour, kind in sightings:
            moment = NOON + timedelta(days=day, hours=hour)
            known = self.events.setdefault((number, day, kind), [moment, moment, 0, moment])
            known[:3] = [min(known[0], moment), max(known[1], moment), known[2] + 1]
        return len(self.events) - before

    def forget(self, chosen: Any) -> int:
        gone = [identity for identity in self.events if chosen(identity)]
        for identity in gone:
            del self.events[identity]
        return len(gone)


def check(model: Model) -> None:
    stored = queries.scan(EventQuery(limit=None)).to_pylist()
    told = {
        (
            int(line["source_ip"].rsplit(".", 1)[1]),
            (line["day"] - NOON.date()).days,
            line["classification_type"],
        ): [line["first_seen"], line["last_seen"], line["sightings"], line["time_source"]]
        for line in stored
    }
    assert len(told) == len(stored)
    assert told == model.events
    assert queries.count(EventQuery()) == len(stored)
    owners = Counter(number % 4 or None for number, _, _ in model.events)
    assert {c.value: c.events for c in queries.top(EventQuery(), "organization")} == owners
    late = Counter(
        (NOON.date() + timedelta(days=day), kind)
        for (_, day, kind), (_, _, _, moment) in model.events.items()
        if moment >= NOON + timedelta(hours=4)
    )
    told_late = queries.series(EventQuery(since=NOON + timedelta(hours=4)))
    assert {(d.day, d.classification_type): d.events for d in told_late} == late


def work(step: Any, lake: Lake, model: Model) -> None:
    if step == "compact":
        for day in compaction.days_to_compact(today=(NOON + timedelta(days=9)).date()):
            compaction.compact_day(day, actor=lake.actor, now=lake.now)
    elif step == "retain":
        for day in housekeeping.days_before(NOON.date() + timedelta(days=1)):
            housekeeping.remove_day(day, reason="age", actor=lake.actor, now=lake.now)
        model.forget(lambda identity: identity[1] == 0)
    elif isinstance(step, tuple):
        gone = housekeeping.erase_organization(
            step[1], reason="asked", actor=lake.actor, now=lake.now
        )
        assert gone == model.forget(lambda identity: identity[0] % 4 == step[1] != 0)
    else:
        answer = lake.append([line_of(*sighting) for sighting in step])
        assert (answer.rows, answer.new_events) == (len(step), model.append(step))


@hypothesis_settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=1, max_size=7), part_rows=st.sampled_from([2, 500_000]))
def test_the_lake_says_what_a_dictionary_says(  # noqa: PLR0917 - fixtures by name
    db, settings, actor, monkeypatch, steps, part_rows
):
    monkeypatch.setattr(compaction, "PART_ROWS", part_rows)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        settings.LAKE = folder
        lake, model = Lake(actor, now), Model()
        for step in steps:
            work(step, lake, model)
            check(model)
        found = verify(now=now, deep=True)
        assert found.proven, found.problems
        housekeeping.delete_retired_segments(now=now + timedelta(days=1))
        check(model)
        transaction.set_rollback(True)
