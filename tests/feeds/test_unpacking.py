from __future__ import annotations

import contextlib
import gzip
import io
import zipfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.feeds.unpacking import (
    ArchiveDamaged,
    ArchiveTooDeep,
    ArchiveTooLarge,
    CannotUnpack,
    Limits,
    base_name,
    first_head,
    inspect,
    members,
)


def opened(raw: bytes, name: str = "report.csv", **limits: int) -> list[tuple[int, str, bytes]]:
    found = members(io.BytesIO(raw), name, size=len(raw), limits=Limits(**limits))
    return [(member.number, member.name, member.stream.read()) for member in found]


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def test_what_is_not_packed_passes():
    assert opened(b"a,b\n") == [(0, "report.csv", b"a,b\n")]
    assert opened(b"") == [(0, "report.csv", b"")]


def test_a_stream_is_told_by_its_bytes_not_its_name():
    assert opened(gzip.compress(b"x"), "report.csv") == [(0, "report.csv", b"x")]
    assert opened(b"x", "report.csv.gz") == [(0, "report.csv.gz", b"x")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_stream_loses_its_ending(pack):
    assert opened(pack(b"x" * 100), "a.csv.gz") == [(0, "a.csv", b"x" * 100)]
    assert opened(pack(b"x") + pack(b"y"), "a.csv.gz") == [(0, "a.csv", b"xy")]


def test_members_are_numbered_through_and_folders_are_ignored():
    raw = zip_of(
        ("one/", b""), ("one/../../a.csv", b"1"), ("C:\\b.csv", b"2"), ("c.gz", gzip.compress(b"3"))
    )
    assert opened(raw) == [(0, "a.csv", b"1"), (1, "b.csv", b"2"), (2, "c", b"3")]


def test_two_deep_is_the_limit():
    inner = zip_of(("a.csv", b"1"))
    assert opened(zip_of(("in.zip", inner), ("b.csv", b"2"))) == [
        (0, "a.csv", b"1"), (1, "b.csv", b"2"),
    ]  # fmt: skip
    with pytest.raises(ArchiveTooDeep):
        opened(zip_of(("in.zip", zip_of(("in.zip", inner)))))


def test_limits_hold_while_streaming():
    with pytest.raises(ArchiveTooLarge, match="100 bytes"):
        opened(gzip.compress(b"x" * 101), total_bytes=100)
    with pytest.raises(ArchiveTooLarge, match="3 members"):
        opened(zip_of(*((f"{n}.csv", b"x") for n in range(4))), members=3)
    with pytest.raises(ArchiveTooLarge, match="10 times"):
        opened(gzip.compress(b"\0" * 100_000), ratio=10, ratio_from=1_000)


def test_overlapping_members_count_each_time():
    """The same compressed bytes listed many times (a flat bomb) are bounded like any other."""
    archive = bytearray(zip_of(("a.csv", b"\0" * 1_000_000)))
    start = archive.index(b"PK\x01\x02")
    end = archive.index(b"PK\x05\x06")
    entry = bytes(archive[start:end])
    tail = bytearray(archive[end:])
    tail[8:10] = tail[10:12] = (50).to_bytes(2, "little")
    tail[12:16] = (len(entry) * 50).to_bytes(4, "little")
    bomb = bytes(archive[:start]) + entry * 50 + bytes(tail)
    with pytest.raises(ArchiveTooLarge):
        opened(bomb, ratio=400, ratio_from=1 << 20)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lambda b: zip_of(("a", b))])
@given(cut=st.integers(min_value=5, max_value=200))
def test_what_breaks_off_is_damaged(pack, cut):
    raw = pack(bytes(range(256)) * 400)
    with pytest.raises(ArchiveDamaged):
        inspect(io.BytesIO(raw[: max(len(raw) - cut, 8)]), "x", size=len(raw))


@given(
    raw=st.binary(max_size=300),
    start=st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]),
)
def test_rubbish_is_refused_by_name(raw, start):
    with contextlib.suppress(CannotUnpack):  # nothing else may come out
        count, _ = inspect(io.BytesIO(start + raw), "x", size=len(raw))
        assert count >= 1


def test_the_head_of_the_first_member_is_shown():
    assert first_head(io.BytesIO(zip_of(("a.csv", b"1,2"))), "x.zip", size=9) == ("a.csv", b"1,2")
    with pytest.raises(ArchiveDamaged, match=r"x\.zip"):
        first_head(io.BytesIO(b"PK\x03\x04rubbish"), "x.zip", size=9)


def test_a_damaged_archive_within_is_named():
    raw = zip_of(("inner.zip", b"PK\x03\x04broken"))
    with pytest.raises(ArchiveDamaged, match=r"outer\.zip: inner\.zip"):
        inspect(io.BytesIO(raw), "outer.zip", size=len(raw))


@given(path=st.text())
def test_a_base_name_is_harmless(path):
    name = base_name(path)
    assert name
    assert not set(name) & set("/\\\0\n")
    assert name not in {".", ".."}
