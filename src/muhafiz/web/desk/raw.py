"""A report's bytes as delivered, read in pieces; each reading is an entry of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_read
from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.facts import ReportFacts

_PIECE = 64 * 1024
_WIDE = 16  # bytes on a line
_AROUND = 3  # lines before and after the fault


@dataclass(frozen=True, slots=True)
class HexLine:
    """Sixteen bytes: where they lie, and each as hexadecimal, as letter, and whether at fault."""

    offset: str
    cells: tuple[tuple[str, str, bool], ...]


def hex_lines(raw: bytes, start: int, length: int) -> list[HexLine]:
    """The bytes around a fault, a few lines of them."""
    first = max(0, start // _WIDE - _AROUND) * _WIDE
    last = min(len(raw), (start // _WIDE + _AROUND + 1) * _WIDE)
    lines = []
    for offset in range(first, last, _WIDE):
        cells = tuple(
            (f"{byte:02x}", _letter(byte), start <= at < start + length)
            for at, byte in enumerate(raw[offset : min(offset + _WIDE, last)], offset)
        )
        lines.append(HexLine(f"{offset:06x}", cells))
    return lines


def _letter(byte: int) -> str:
    return chr(byte) if 0x20 < byte < 0x7F else "·"  # noqa: PLR2004 - ASCII's visible signs


def record_reading(report: ReportFacts, *, actor: Actor, now: datetime) -> None:
    """Write down that somebody took a report's raw bytes."""
    with transaction.atomic():
        record_read(
            actor=actor, now=now, action="feeds.read_raw_report", subject=f"report:{report.id}"
        )


def pieces(report: ReportFacts) -> Iterator[bytes]:
    """The bytes, a piece at a time, so that memory stays flat whatever the report's size."""
    with raw_store().opened(report.sha256) as stream:
        while piece := stream.read(_PIECE):
            yield piece
