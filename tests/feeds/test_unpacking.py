from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
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
    ForeignFormat,
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


def tar_of(*entries: tuple[str, bytes], link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo("link.csv")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
    return out.getvalue()


def test_a_tar_is_opened_as_it_is_or_packed():
    raw = tar_of(
        ("a/../one.csv", b"1" * 2_000), ("._one.csv", b"x"), ("two.csv", b"2"), link="/etc/passwd"
    )
    wanted = [(0, "one.csv", b"1" * 2_000), (1, "two.csv", b"2")]
    assert opened(raw, "r.tar") == wanted
    assert opened(gzip.compress(raw), "r.tar.gz") == wanted
    assert opened(zip_of(("r.tar", raw)), "r.zip") == wanted
    packed = tar_of(("one.csv.gz", gzip.compress(b"1")))
    assert opened(gzip.compress(packed), "r.tgz") == [(0, "one.csv", b"1")]


def test_a_tar_in_a_tar_is_too_deep():
    with pytest.raises(ArchiveTooDeep):
        opened(tar_of(("in.tar", tar_of(("a.csv", b"1" * 600)))))


@pytest.mark.parametrize("cut", [700, 1_500, 2_100])
def test_a_tar_cut_short_is_damaged(cut):
    raw = tar_of(("one.csv", b"1" * 900), ("two.csv", b"2" * 900))
    with pytest.raises(ArchiveDamaged):
        opened(raw[:cut])


@pytest.mark.parametrize("flip", [None, 150])
def test_a_tar_whose_members_would_be_lost_unnoticed_is_damaged(flip):
    """Cut where a member begins, or a broken header: `tarfile` takes both for the end."""
    raw = bytearray(tar_of(("one.csv", b"1" * 512), ("two.csv", b"2" * 512)))
    if flip is None:
        del raw[1_024:]
    else:
        raw[1_024 + flip] ^= 1
    with pytest.raises(ArchiveDamaged, match="breaks off"):
        opened(bytes(raw))


def test_a_tars_headers_take_no_memory():
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 60_000_000
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    header = long_name.tobuf(format=tarfile.GNU_FORMAT)
    with pytest.raises(ArchiveDamaged, match="too long"):
        opened(gzip.compress(header + b"a" * 60_000_000))
    with pytest.raises(ArchiveTooLarge, match="entries"):
        opened(gzip.compress(folder.tobuf() * 100_001))


def test_a_tar_of_long_names_and_holes_is_read():
    name = f"{'n' * 300}.csv"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))
        assert opened(gzip.compress(out.getvalue())) == [(0, name[:300], b"abc")]


def test_folders_alone_are_nothing():
    with pytest.raises(ArchiveDamaged, match="holds nothing"):
        opened(zip_of(("folder/", b"")))


def test_a_tar_full_of_nothing_is_a_bomb_too():
    raw = gzip.compress(tar_of(("zeros.csv", b"\0" * 5_000_000)))
    with pytest.raises(ArchiveTooLarge):
        opened(raw, ratio=10, ratio_from=1_000)


def test_what_systems_leave_in_archives_is_no_report():
    raw = zip_of(
        ("__MACOSX/._a.csv", b"\0\5"), ("a.csv", b"1"), (".DS_Store", b"x"), ("d\\Thumbs.db", b"y")
    )
    assert opened(raw) == [(0, "a.csv", b"1")]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7-Zip"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"\xfd7zXZ\x00" + bytes(9), "xz"),
        (b"BZh91AY&SY" + bytes(9), "bzip2"),
        (b"%PDF-1.7\n", "PDF"),
        (zip_of(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")), "spreadsheet"),
        (gzip.compress(b"%PDF-1.7\n", mtime=0), "PDF"),
        (zip_of(("list.pdf", b"%PDF-1.7\n")), "list.pdf"),
    ],
)
def test_what_cannot_be_read_is_refused_by_what_it_is(raw, told):
    with pytest.raises(ForeignFormat, match=told):
        opened(raw, "report.bin")
