"""Feeds, reports and their rows, as format-true telnet scans."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock

HEADER = (
    '"timestamp","severity","ip","protocol","port","hostname","tag","asn","geo","region",'
    '"city","naics","hostname_source","sector","banner"'
)
NAME = "2026-11-22-scan_telnet-pakistan_national-asn.csv"


def telnet_csv(rows: int, *, seed: int = 1, bad: frozenset[int] = frozenset()) -> bytes:
    """A telnet scan of `rows` rows; the rows in `bad` (from 1) have too few columns."""
    draw = random.Random(seed)
    lines = [HEADER]
    for row in range(1, rows + 1):
        address = f"198.51.{draw.randrange(100, 104)}.{draw.randrange(256)}"
        if row in bad:
            lines.append(f'"2026-11-22 00:00:{row % 60:02}","medium",{address}')
            continue
        lines.append(
            f'"2026-11-22 {row // 3600 % 24:02}:{row // 60 % 60:02}:{row % 60:02}","medium",'
            f"{address},tcp,{draw.randrange(1, 65536)},host{row}.example.org,telnet,64500,PK,"
            f'Islamabad,Islamabad,517311,ptr,"Telecommunications","login: {row}"'
        )
    return "\n".join(lines).encode() + b"\n"


def lake_is_sound() -> bool:
    """Every accepted row is stored once, every segment is whole."""
    from muhafiz.lake.actions.verification import verify

    found = verify(now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC), deep=True)
    return found.proven


@pytest.fixture
def clock(now: datetime) -> HeldClock:
    return HeldClock(now)


@pytest.fixture
def feed(db: None, folders: Path, actor: Actor, now: datetime) -> str:
    from muhafiz.feeds.actions.feeds import create_feed

    create_feed(
        name="shadowserver", source="shadowserver", title="Shadowserver", owner="Duty desk",
        actor=actor, now=now,
    )  # fmt: skip
    return "shadowserver"


@pytest.fixture
def keep(feed: str, actor: Actor, now: datetime) -> Callable[..., int]:
    """Keep a report of the feed; its number."""
    from muhafiz.feeds.actions.intake import keep_report

    def kept(raw: bytes, file_name: str = NAME) -> int:
        return keep_report(
            feed=feed, file_name=file_name, raw=raw, received_at=now, actor=actor, now=now
        ).id

    return kept


@pytest.fixture
def process(actor: Actor, clock: HeldClock) -> Callable[[int], object]:
    from muhafiz.feeds.actions.processing import process_report

    return lambda report_id: process_report(report_id, actor=actor, clock=clock)
