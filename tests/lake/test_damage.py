"""A damaged file is named, the rest answers, and nothing launders it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from muhafiz.lake import queries
from muhafiz.lake.actions import housekeeping
from muhafiz.lake.actions.compaction import compact_day, days_to_compact
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.models import Contribution, Receipt, Segment
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import SegmentUnreadable
from tests.lake.rows import NOON, host, row

DAMAGES = {
    "missing": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"PAR1" + bytes(500) + b"PAR1"),
}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x55
    path.write_bytes(content)


@pytest.fixture
def damaged(lake, request) -> Segment:
    """Two days of events; the earlier one's file is harmed."""
    lake.append([host(n) for n in range(20)])
    lake.append([host(n, time_source=NOON + timedelta(days=2)) for n in range(20)])
    return Segment.objects.earliest("id")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_segment_is_named_and_the_others_answer(damaged, engine, now, damage):
    DAMAGES[damage](Path(settings.LAKE) / damaged.path)
    with pytest.raises(SegmentUnreadable, match=f"Segment {damaged.pk} .*{damaged.path}"):
        queries.scan(EventQuery(limit=None))
    assert queries.scan(EventQuery(since=NOON + timedelta(days=1))).num_rows == 20
    problems = verify(now=now, deep=damage == "garbage").problems
    assert [(p.kind, p.subject) for p in problems] == [("segment", f"segment:{damaged.pk}")]


def test_a_flipped_bit_is_found_by_the_deep_check_and_never_rewritten(damaged, lake, now):
    flip(Path(settings.LAKE) / damaged.path)
    lake.append([host(50)])
    assert verify(now=now).proven  # the cheap check looks at sizes
    assert not verify(now=now, deep=True).proven
    with pytest.raises(SegmentUnreadable):
        compact_day(damaged.day, actor=lake.actor, now=now)
    assert Segment.objects.filter(retired_at=None).count() == 3


def test_verify_finds_what_is_not_accounted_for(lake, now):
    lake.append([row(), host(1)])
    lake.append([row()])
    assert verify(now=now, deep=True).proven
    Receipt.objects.filter(report_id=1).update(rows=3)
    assert [p.subject for p in verify(now=now).problems] == ["report:1"]
    Receipt.objects.filter(report_id=1).update(rows=2)
    Contribution.objects.filter(report_id=2).update(report_id=1)
    found = verify(now=now, deep=True)
    assert {p.kind for p in found.problems} == {"report", "segment"}


def test_verify_finds_an_event_stored_twice_and_a_sighting_without_event(lake, now):
    lake.append([row()])
    lake.append([row(), row()])
    events, _ = Segment.objects.order_by("id")
    Segment.objects.filter(pk=events.pk).update(retired_at=now)
    texts = " ".join(p.text for p in verify(now=now, deep=True).problems)
    assert "1 re-sightings have no event" in texts
    Segment.objects.filter(pk=events.pk).update(retired_at=None)
    copy = Path(settings.LAKE) / "copy.parquet"
    copy.write_bytes((Path(settings.LAKE) / events.path).read_bytes())
    events.pk, events.path = None, "copy.parquet"
    events.save(force_insert=True)
    texts = " ".join(p.text for p in verify(now=now, deep=True).problems)
    assert "1 keys have more than one event" in texts


def test_readers_in_flight_survive_a_compaction(lake, now):
    lake.append([host(n) for n in range(5)])
    lake.append([host(n) for n in range(3, 9)])
    before = [Path(settings.LAKE) / segment.path for segment in Segment.objects.all()]
    assert days_to_compact(today=now.date()) == [NOON.date()]
    assert compact_day(NOON.date(), actor=lake.actor, now=now) == 2
    assert all(path.exists() for path in before)
    assert housekeeping.delete_retired_segments(now=now + timedelta(minutes=59)) == 0
    assert housekeeping.delete_retired_segments(now=now + timedelta(minutes=61)) == 3
    assert not any(path.exists() for path in before)
    assert days_to_compact(today=now.date()) == []
    assert queries.count(EventQuery()) == 9
    assert verify(now=now, deep=True).proven


def test_erased_means_gone_from_the_disk(lake, now):
    secret = "marker-7f3a9c"
    lake.append([host(1, extra=f'{{"note": "{secret}"}}'), host(2)])
    lake.append([host(1), host(2)])
    assert housekeeping.erase_marker(secret, reason="asked", actor=lake.actor, now=now) == 1
    housekeeping.delete_retired_segments(now=now + timedelta(hours=2))
    files = [path for path in Path(settings.LAKE).rglob("*") if path.is_file()]
    assert len(files) == 2
    stored = queries.scan(EventQuery(limit=None)).to_pylist()
    assert [(line["source_ip"], line["sightings"]) for line in stored] == [("198.51.100.2", 2)]
    assert verify(now=now, deep=True).proven
    assert lake.append([host(1)]).new_events == 1  # forgotten, not remembered as known
    with pytest.raises(ValueError, match="four"):
        housekeeping.erase_marker("x", reason="slip", actor=lake.actor, now=now)
