"""Match tables on disk: found again, thrown away when spoiled, never in the way."""

from __future__ import annotations

import shutil
import threading
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from muhafiz.constituency import attribution
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.matching.build import ClaimRow, build_tables
from muhafiz.constituency.matching.cache import (
    SpoiledTables,
    keep_tables,
    kept_tables,
    tables_path,
)
from muhafiz.constituency.matching.lookup import claims_in_order

ROWS = [
    ClaimRow(1, 7, "power", "address", "203.0.113.0/24", "manual", None, None, None),
    ClaimRow(
        2, 8, "", "address", "2001:db8::/32", "automatic", date(2026, 1, 1), date(2026, 1, 1), None
    ),
    ClaimRow(3, 8, "", "domain", "b.example.org", "automatic", None, None, None),
    ClaimRow(4, 9, "", "domain", "example.org", "automatic", None, None, None),
    ClaimRow(5, 9, "", "asn", "AS64500", "automatic", None, None, date(2026, 1, 1)),
]


def test_kept_tables_are_the_same(tmp_path: Path) -> None:
    tables = build_tables(ROWS, "one")
    keep_tables(tmp_path, tables)
    again = kept_tables(tmp_path, "one")
    for name in tables.__slots__:
        before, after = getattr(tables, name), getattr(again, name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            assert np.array_equal(before, after)
        elif isinstance(before, pa.Array | pa.Table):
            assert before.equals(after)
        else:
            assert before == after


def test_an_empty_constituency_can_be_kept(tmp_path: Path) -> None:
    keep_tables(tmp_path, build_tables([], "none"))
    assert claims_in_order(kept_tables(tmp_path, "none"), "203.0.113.1", date(2026, 1, 1)) == []


def test_every_byte_is_guarded(tmp_path: Path) -> None:
    keep_tables(tmp_path, build_tables(ROWS, "one"))
    path = tables_path(tmp_path, "one")
    good = path.read_bytes()
    for place in range(0, len(good), 97):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(SpoiledTables):
            kept_tables(tmp_path, "one")
        path.write_bytes(good[:place])
        with pytest.raises(SpoiledTables):
            kept_tables(tmp_path, "one")


def test_old_versions_are_let_go(tmp_path: Path) -> None:
    for token in "abcd":
        keep_tables(tmp_path, build_tables(ROWS, token))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.match", "d.match"]
    assert kept_tables(tmp_path, "a") is None


def test_one_name_is_looked_up_with_everybody_who_claims_it() -> None:
    tables = build_tables(ROWS, "one")
    day = date(2026, 6, 1)
    assert claims_in_order(tables, " 203.0.113.9", day) == [1]
    assert claims_in_order(tables, "2001:db8::9", day) == [2]
    assert claims_in_order(tables, "2001:db8::9", date(2025, 12, 31)) == []
    assert claims_in_order(tables, "x.B.example.org.", day) == [3, 4]
    assert claims_in_order(tables, "as64500", day) == []
    assert claims_in_order(tables, "AS64500", date(2025, 12, 31)) == [5]
    assert claims_in_order(tables, "nonsense", day) == []


@pytest.fixture
def claimed(organization, actor, now) -> int:
    owner = organization("Owner")
    add_claim(organization_id=owner, kind="asn", value="64500", actor=actor, now=now)
    return owner


def asn_owner() -> int | None:
    tables = attribution.match_tables()
    ids = claims_in_order(tables, "AS64500", date(2026, 11, 23))
    return ids[0] if ids else None


def test_a_spoiled_file_is_built_anew(claimed: int, settings) -> None:
    claim = asn_owner()
    (path,) = (settings.VAR / "match").glob("*.match")
    attribution._latest.clear()
    path.write_bytes(path.read_bytes()[:100])
    assert asn_owner() == claim
    attribution._latest.clear()
    assert kept_tables(settings.VAR / "match", path.stem) is not None


def test_another_process_reads_what_was_kept(claimed: int, monkeypatch) -> None:
    claim = asn_owner()
    attribution._latest.clear()
    monkeypatch.setattr(attribution, "build_tables", None)  # to build again would fail
    assert asn_owner() == claim


def test_a_folder_that_cannot_be_written_is_no_obstacle(claimed: int, settings) -> None:
    shutil.rmtree(settings.VAR / "match", ignore_errors=True)
    (settings.VAR / "match").write_text("in the way")
    attribution._latest.clear()
    with pytest.raises(OSError, match="match"):
        (settings.VAR / "match").mkdir()
    assert asn_owner() is not None


def test_a_change_is_seen_at_once(claimed: int, organization, actor, now) -> None:
    first = attribution.match_tables()
    assert attribution.match_tables() is first
    other = organization("Other")
    assert attribution.match_tables() is first  # it claims nothing yet
    add_claim(organization_id=other, kind="asn", value="64501", actor=actor, now=now)
    assert attribution.match_tables() is not first


def test_threads_share_one_table() -> None:
    tables = build_tables(ROWS, "one")
    batch = pa.table(
        {
            "time_source": pa.array([1_790_000_000_000_000] * 4, pa.timestamp("us", tz="UTC")),
            "source_address": pa.array(
                [bytes(10) + b"\xff\xff\xcb\x00\x71\x05", None, None, None], pa.binary(16)
            ),
            "source_fqdn": ["x", "www.example.org", "a.b.example.org", None],
            "source_asn": pa.array([None, 1, 2, 64500]),
        }
    )
    found: list[list[int | None]] = []

    def work() -> None:
        found.extend(
            attribution.attribute(batch, tables)["network_id"].to_pylist() for _ in range(50)
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1, 4, 3, None]] * 200


def test_bytes_that_are_no_address_match_nothing() -> None:
    everything = [
        ClaimRow(number, 1, "", "address", text, "manual", None, None, None)
        for number, text in ((1, "0.0.0.0/0"), (2, "::/0"), (3, "203.0.113.0/24"))
    ]
    mapped = bytes(10) + b"\xff\xff"
    packed = [
        mapped + bytes(4),
        bytes(16),
        mapped + b"\xcb\x00\x71\x05",
        mapped + b"\xcb\x00\x71\x05",
    ]
    # The third value is NULL although an address lies in its bytes.
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), 4, [pa.py_buffer(bytes([0b1011])), pa.py_buffer(b"".join(packed))]
    )
    batch = pa.table(
        {
            "time_source": pa.array([1_790_000_000_000_000] * 4, pa.timestamp("us", tz="UTC")),
            "source_address": column,
            "source_fqdn": pa.nulls(4, pa.string()),
            "source_asn": pa.nulls(4, pa.int64()),
        }
    )
    found = attribution.attribute(batch, build_tables(everything, "t"))
    assert found["network_id"].to_pylist() == [None, None, None, 3]
