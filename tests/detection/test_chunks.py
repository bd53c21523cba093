"""A plan is cut into chunks of whole organizations, wherever its row groups end."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.detection import composing, files
from muhafiz.detection.columns import PLAN
from muhafiz.detection.composing import chunks
from tests.detection.given import event

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DECISIONS = ("carried", "refused", "tell", "withheld")


def plan(rows: list[tuple[int, str]]) -> pa.Table:
    lines = [
        {
            **event(owner), "organization_id": owner, "decision": decision, "key": place,
            "finding": place, "row": place, "report_id": 1, "sightings": 1, "day": NOW.date(),
            "first_seen": NOW, "last_seen": NOW, "time": NOW,
        }
        for place, (owner, decision) in enumerate(sorted(rows))
    ]  # fmt: skip
    return pa.Table.from_pylist(lines, schema=PLAN)


@given(
    rows=st.lists(st.tuples(st.integers(1, 12), st.sampled_from(DECISIONS)), max_size=60),
    letters=st.integers(1, 5),
    group=st.integers(1, 9),
    most=st.integers(1, 20),
    after=st.integers(-1, 12),
)
@settings(max_examples=60)
def test_each_organization_stands_in_exactly_one_chunk(
    *, tmp_path_factory, rows, letters, group, most, after
):
    folder = tmp_path_factory.mktemp("plan")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "ROW_GROUP", group)
        patch.setattr(composing, "_CHUNK_ROWS", most)
        written = files.write_table("plan", plan(rows), PLAN, NOW, folder)
        found = list(chunks(folder / written.path, after, letters))
    owners = [set(chunk.rows["organization_id"].to_pylist()) for chunk in found]
    keys = [key for chunk in found for key in chunk.rows["key"].to_pylist()]
    outward = [
        place
        for place, (owner, decision) in enumerate(sorted(rows))
        if owner > after and decision in {"tell", "refused"}
    ]
    assert keys == outward  # every row once, in the plan's order
    assert all(len(some) <= letters for some in owners)
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert [chunk.upto for chunk in found] == [max(some) for some in owners]
    assert [chunk.last for chunk in found] == [False] * (len(found) - 1) + [True] * bool(found)
