"""Whatever bytes come, no source raises, no row is lost, positions only rise."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.feeds.columns.coded import spelled_table
from muhafiz.feeds.sources import ParseContext, Source, all_sources, recognize
from muhafiz.formats.events import PARSED, SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = sorted(all_sources())
FILES = {
    "shadowserver": "2026-11-22-scan_telnet-pakistan.csv",
    "generic": "hosts.csv",
    "zeek": "notice.log",
}
HEADS = {
    "shadowserver": b"timestamp,ip,port,tag\n",
    "generic": b"time,ip,port,note\n",
    "zeek": b"#path\tnotice\n#fields\tts\tsrc\tp\tnote\n",
}
PIECES = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b",", b'"', b'""', b"\t", b"\0", b"\xff", b"\x81", b"{", b"}", b"[",
     b"]", b":", b'"ip":', b'"source.ip":', b"192.0.2.1", b"010.1.1.1", b"::1", b"2026-11-22",
     b"NaN", b"1e999", b"\\", b"\\u0000", b"\\ud800", b"#", b"a", b" ", b"\xef\xbb\xbf",
     b"\xff\xfe", b'{"a":1,"a":2}', b'{"Event":{"Attribute":[{"type":"ip-src","value":"x"}]}}']
)  # fmt: skip
ANYTHING = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join))


def context(name: str, rows: int = 3) -> ParseContext:
    return ParseContext(FILES.get(name, "x"), datetime(2026, 11, 23, tzinfo=UTC), rows)


def run(source: Source, raw: bytes, rows: int = 3) -> list[int]:
    """Parse, check what holds for every report, and return the row numbers in order."""
    seen: list[int] = []
    last = 0
    for batch in source.parse(io.BytesIO(raw), context(source.name, rows)):
        batch.events.validate(full=True)
        batch.set_aside.validate(full=True)
        assert spelled_table(batch.events).schema.equals(PARSED)
        assert batch.set_aside.schema.equals(SET_ASIDE)
        accepted = batch.events["row"].to_pylist()
        aside = batch.set_aside["row"].to_pylist()
        assert accepted == sorted(accepted)
        assert aside == sorted(aside)
        numbers = sorted([*accepted, *aside])
        assert numbers == list(range(last + 1, batch.last_row + 1))
        assert len(numbers) <= rows
        assert not [
            each for each in batch.events["extra"].drop_null().to_pylist() if not json.loads(each)
        ]
        last = batch.last_row
        seen += numbers
    return seen


@pytest.mark.parametrize("name", NAMES)
@given(raw=ANYTHING)
@settings(max_examples=60)
def test_any_bytes_are_accounted_for(name: str, raw: bytes) -> None:
    run(all_sources()[name], raw)
    run(all_sources()[name], HEADS.get(name, b"") + raw)
    recognize(FILES.get(name, "x"), raw)


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=5
        ),
        max_size=12,
    )
)
@settings(max_examples=80)
def test_every_quoted_csv_row_is_counted_once(rows: list[list[str]]) -> None:
    def line(fields: Iterable[str]) -> str:
        return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n"

    raw = (line(["timestamp", "ip", "port", "tag"]) + "".join(map(line, rows))).encode()
    broken = [each for each in rows if len(each) != 4 and any("\n" in field for field in each)]
    numbers = run(all_sources()["shadowserver"], raw)
    if not broken:  # a row with too few or too many columns is cut where its lines end
        assert len(numbers) == len(rows)


@given(
    lines=st.lists(
        st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=20
    )
)
@settings(max_examples=80)
def test_every_line_of_json_lines_is_counted_once(lines: list[bytes]) -> None:
    raw = b"\n".join([b'{"source.ip":"192.0.2.1"}', *lines])
    numbers = run(all_sources()["intelmq"], raw)
    assert len(numbers) == 1 + sum(1 for line in lines if line)


@given(raw=st.lists(PIECES, max_size=60).map(b"".join), rows=st.integers(1, 7))
@settings(max_examples=60)
def test_batches_are_the_same_every_time_and_hold_the_same_rows(raw: bytes, rows: int) -> None:
    source = all_sources()["shadowserver"]
    raw = HEADS["shadowserver"] + raw
    first = [
        (b.events.to_pylist(), b.set_aside.to_pylist())
        for b in source.parse(io.BytesIO(raw), context("shadowserver", rows))
    ]
    whole = [
        (b.events.to_pylist(), b.set_aside.to_pylist())
        for b in source.parse(io.BytesIO(raw), context("shadowserver", 1000))
    ]
    assert [e for events, _ in first for e in events] == whole[0][0]
    assert [e for _, aside in first for e in aside] == whole[0][1]
