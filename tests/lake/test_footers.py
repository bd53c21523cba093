"""Columns that are not read come back as if they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from muhafiz.formats.events import STORED
from muhafiz.lake import compilation, footers, queries
from muhafiz.lake.actions.compaction import compact_day
from muhafiz.lake.catalogue import event_segments, files_of
from muhafiz.lake.models import Segment
from muhafiz.lake.query import EventQuery
from tests.lake.rows import NOON, host, row


def told(query: EventQuery) -> dict[str, object]:
    return footers.single_values(files_of(event_segments(query)))


def test_only_what_all_rows_of_all_files_share_is_left_unread(lake):
    lake.append([host(1, tlp="RED"), host(2, tlp="RED", malware_name=None)])
    lake.append([host(3, tlp="RED"), host(4, tlp="AMBER")])
    lake.append([host(5, severity="high", malware_name="mirai"), host(6, malware_name="mirai")])
    known = told(EventQuery(report_id=1))
    assert (known["tlp"], known["malware_name"], known["source_port"]) == ("RED", None, 23)
    assert "source_ip" not in known
    assert "tlp" not in told(EventQuery(report_id=2))
    assert told(EventQuery(report_id=3))["malware_name"] == "mirai"
    assert "severity" not in told(EventQuery(report_id=3))  # one NULL, one not
    everywhere = told(EventQuery())
    assert "malware_name" not in everywhere  # NULL in two files, a value in the third
    assert everywhere["feed_code"] == "scan_telnet"


@pytest.mark.parametrize("compacted", [False, True])
def test_pages_are_the_same_whatever_the_footers_tell(lake, monkeypatch, compacted):
    later = NOON + timedelta(hours=1)
    lake.append([host(n, source_asn=64500, source_fqdn="www.example.org") for n in range(3)])
    lake.append([row(time_source=later, malware_name="mirai", source_ip=None, source_port=None)])
    lake.append([host(1, time_source=later)])
    if compacted:
        compact_day(NOON.date(), actor=lake.actor, now=lake.now)
    for query in (EventQuery(), EventQuery(report_id=1), EventQuery(report_id=2, limit=None)):
        quick = queries.scan(query)
        with monkeypatch.context() as patch:
            patch.setattr(queries, "single_values", lambda files: {})
            slow = queries.scan(query)
        assert quick.schema == slow.schema == STORED
        assert quick.to_pylist() == slow.to_pylist()
        assert quick.num_rows


def test_what_is_known_is_not_asked(lake):
    lake.append([host(1), host(2)])
    known = told(EventQuery())
    asked = compilation.page(replace(EventQuery(), limit=None), known).named_selects
    assert {"key", "source_ip", "first_seen", "time_source"} <= set(asked)
    assert not {"tlp", "malware_name", "report_id", "day"} & set(asked)


def test_an_unreadable_footer_tells_nothing(lake):
    lake.append([host(1)])
    path = Path(settings.LAKE) / Segment.objects.get().path
    path.write_bytes(b"PAR1")
    assert told(EventQuery()) == {}
