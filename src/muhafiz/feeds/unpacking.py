"""Opens what reports come packed in: zip, gzip and Zstandard, at most two deep.

What a stream is, its first bytes tell, never its name. Of a member's path only the base name is
used. Limits are kept while streaming, so a bomb costs its limit and not its size. An archive is
walked once to its end by `inspect` before its first row is read: it is taken whole or refused
whole, and a refused one stays kept as it came.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import BinaryIO, ClassVar, cast

import zstandard

from muhafiz.common.refusal import Refusal

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENDINGS = (".gz", ".zst", ".zip")
_ENCRYPTED = 0x1


class CannotUnpack(Refusal):
    """A packed report that is refused whole; its raw bytes stay kept."""

    reason: ClassVar[str] = "cannot-unpack"


class ArchiveDamaged(CannotUnpack):
    """Its structure, a checksum or its end is wrong."""

    reason = "archive-damaged"
    text = "“{name}” is damaged: {detail}."


class ArchiveEncrypted(CannotUnpack):
    """It needs a password."""

    reason = "archive-encrypted"
    text = "“{name}” is encrypted. Ask the sender for it without a password."


class ArchiveTooLarge(CannotUnpack):
    """It unpacks to more than the limits allow: a bomb, or a limit set too low."""

    reason = "archive-too-large"
    text = "“{name}” unpacks to more than {limit}."


class ArchiveTooDeep(CannotUnpack):
    """An archive in an archive in an archive."""

    reason = "archive-too-deep"
    text = "“{name}” is packed more than {depth} times over."


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one report may unpack to."""

    total_bytes: int = 64 << 30  # over all members
    ratio: int = 400  # unpacked to delivered bytes, over all members; checked past `ratio_from`
    ratio_from: int = 64 << 20
    members: int = 1_000
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Member:
    """One stream of a report, ready to be parsed. `number` counts from 0."""

    number: int
    name: str
    stream: BinaryIO


@dataclass(slots=True)
class _Spent:
    """What unpacking this report has cost so far."""

    limits: Limits
    delivered: int
    name: str
    unpacked: int = 0
    members: int = field(default=0)

    def take(self, count: int) -> None:
        """Account for `count` more unpacked bytes.

        Raises:
            ArchiveTooLarge: a limit is passed.
        """
        self.unpacked += count
        limits = self.limits
        if self.unpacked > limits.total_bytes:
            raise ArchiveTooLarge(name=self.name, limit=f"{limits.total_bytes} bytes")
        allowed = max(limits.ratio_from, limits.ratio * max(self.delivered, 1))
        if self.unpacked > allowed:
            raise ArchiveTooLarge(name=self.name, limit=f"{limits.ratio} times its size")

    def open_member(self) -> int:
        """Account for one more member and give its number."""
        if self.members >= self.limits.members:
            raise ArchiveTooLarge(name=self.name, limit=f"{self.limits.members} members")
        self.members += 1
        return self.members - 1


class _Watched(io.RawIOBase):
    """Reads a decompressor, counting bytes and turning its errors into refusals."""

    def __init__(self, inner: BinaryIO, spent: _Spent) -> None:
        super().__init__()
        self._inner = inner
        self._spent = spent

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            chunk = self._inner.read(len(view))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError) as error:
            raise ArchiveDamaged(name=self._spent.name, detail=_plain(error)) from error
        self._spent.take(len(chunk))
        view[: len(chunk)] = chunk
        return len(chunk)


def is_packed(head: bytes) -> bool:
    """Whether bytes that begin with `head` are an archive or a compressed stream."""
    return head.startswith((_GZIP, _ZSTD, *_ZIP))


def members(
    stream: BinaryIO, file_name: str, *, size: int, limits: Limits | None = None
) -> Iterator[Member]:
    """The streams within a report of `size` delivered bytes, in order, each to be read to its end.

    `stream` must be seekable when it is a zip. A report that is not packed is its own one member.
    Folders within a zip are passed over.

    Raises:
        CannotUnpack: damaged, encrypted, too large or too deep; raised while streaming.
    """
    limits = limits or Limits()
    spent = _Spent(limits, size, base_name(file_name))
    yield from _open(_peekable(stream), base_name(file_name), spent, limits.depth)


def inspect(
    stream: BinaryIO, file_name: str, *, size: int, limits: Limits | None = None
) -> tuple[int, int]:
    """Walk a report to its end without keeping it: (members, unpacked bytes).

    Raises:
        CannotUnpack: as `members`, but before anything was made of its rows.
    """
    count = total = 0
    for member in members(stream, file_name, size=size, limits=limits):
        count += 1
        while chunk := member.stream.read(_CHUNK):
            total += len(chunk)
    return count, total


def first_head(
    stream: BinaryIO, file_name: str, *, size: int, length: int = 65_536
) -> tuple[str, bytes]:
    """Name and first unpacked bytes of the first member, for guessing what a report is.

    The name as delivered and no bytes when the report cannot be unpacked.
    """
    try:
        for member in members(stream, file_name, size=size):
            return member.name, member.stream.read(length)
    except CannotUnpack:
        pass
    return base_name(file_name), b""


def base_name(path: str) -> str:
    """The last part of a path of either system, without control characters; never empty."""
    name = PureWindowsPath(path.replace("/", "\\")).name
    name = "".join(character for character in name if character.isprintable()).strip(". ")
    return name[:300] or "unnamed"


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK)


def _open(stream: io.BufferedReader, name: str, spent: _Spent, depth: int) -> Iterator[Member]:
    head = stream.peek(4)[:4]
    if not is_packed(head):
        yield Member(spent.open_member(), name, stream)
        return
    if depth == 0:
        raise ArchiveTooDeep(name=spent.name, depth=spent.limits.depth)
    if head.startswith(_ZIP):
        yield from _open_zip(stream, name, spent, depth)
        return
    inner = _gzip(stream) if head.startswith(_GZIP) else _zstd(stream)
    watched = io.BufferedReader(_Watched(inner, spent), _CHUNK)
    yield from _open(watched, _without_ending(name), spent, depth - 1)


def _gzip(stream: io.BufferedReader) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))


def _zstd(stream: io.BufferedReader) -> BinaryIO:
    """All frames; window capped so that a frame cannot ask for gigabytes of memory."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    return cast("BinaryIO", decompressor.stream_reader(stream, read_across_frames=True))


def _open_zip(
    stream: io.BufferedReader, name: str, spent: _Spent, depth: int
) -> Iterator[Member]:
    seekable = stream if stream.seekable() else io.BytesIO(stream.read())
    try:
        archive = zipfile.ZipFile(seekable)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ArchiveDamaged(name=spent.name, detail=_plain(error)) from error
    with archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            watched = io.BufferedReader(_Watched(_entry(archive, entry, spent), spent), _CHUNK)
            yield from _open(watched, base_name(entry.filename), spent, depth - 1)
    if not archive.infolist():
        raise ArchiveDamaged(name=spent.name, detail="it holds nothing")


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, spent: _Spent) -> BinaryIO:
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveEncrypted(name=spent.name)
    try:
        return cast("BinaryIO", archive.open(entry))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ArchiveDamaged(name=spent.name, detail=_plain(error)) from error


def _without_ending(name: str) -> str:
    for ending in _ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _plain(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
