"""What is true of feeds and reports whatever stores them: guesses, silence, tries, refusals."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from muhafiz.common.refusal import Refusal

#: A report is quarantined when this many tries in a row made no progress.
ATTEMPTS = 3
#: Two batches are in work at once: larger ones would take more than 1 GiB at their peak.
BATCH_ROWS_MOST = 125_000
#: A feed is silent after this many times its expected gap.
SILENT_GAPS = 2
#: A feed is thin when a day brings less than this share of the expected rows.
THIN_SHARE = 0.1
#: The catch-all feed of reports that no feed recognizes: kept, quarantined, to be assigned.
UNRECOGNIZED = "unrecognized"
#: Why a report waits that came by mail from none of its feed's senders.
UNKNOWN_SENDER = "unknown-sender"

_DAY = timedelta(days=1)
_ADDRESS = re.compile(r"""[^\s<>()"',;:]*@[^\s<>()"',;:]*""")
_LONGEST_FROM = 300  # a longer one is not kept whole

TLPS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")


class UnknownFeed(Refusal):
    """No feed has this name, or the feed is switched off."""

    text = "There is no feed “{feed}” that takes reports."


class BadFeed(Refusal):
    """A feed's description makes no sense."""

    text = "The feed cannot be kept: {reason}."


class UnknownReport(Refusal):
    """No report has this number."""

    text = "There is no report {report}."


class DiskNearlyFull(Refusal):
    """Nothing is acknowledged while the disk that keeps reports is nearly full."""

    text = "The disk is nearly full ({free} % free, {needed} % needed). Nothing was taken in."


class NoSource(Refusal):
    """The feed's source is not installed, or the feed has none."""

    text = "No source called “{source}” is installed to read this report."


class RawMissing(Refusal):
    """The raw bytes are gone: removed by retention, or lost."""

    text = "The raw bytes {digest} are no longer kept."


class CannotReplay(Refusal):
    """The rows asked for are not there or already settled."""

    text = "Nothing can be replayed: {reason}."


class CannotReprocess(Refusal):
    """The report is being read now."""

    text = "Report {report} is being read at this moment."


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """What a guess needs to know of a feed."""

    id: int
    source: str
    file_pattern: str


def choose_feed(
    names: Sequence[str], scores: Mapping[str, int], feeds: Iterable[FeedChoice]
) -> int | None:
    """The feed a nameless delivery belongs to.

    `names` are those of the file as it came and of what it holds; `scores` says how sure each
    source is (0 to 100) that it can read the bytes. A file pattern that matches one of the names
    beats none, then the surer source, then the older feed. None: no feed can read it.
    """
    ranked = [
        (_pattern_rank(feed.file_pattern, names), scores.get(feed.source, 0), -feed.id)
        for feed in feeds
    ]
    able = [entry for entry in ranked if entry[0] >= 0 and entry[1] > 0]
    return -max(able)[2] if able else None


def _pattern_rank(pattern: str, names: Sequence[str]) -> int:
    """2: the pattern matches; 1: none is set; -1: it is set and does not match."""
    if not pattern:
        return 1
    found = any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names)
    return 2 if found else -1


def is_sender(from_header: str, senders: Sequence[str]) -> bool:
    """Whether a mail's From names these senders (globs, "*@example.org") and nobody else.

    Where none are named, everybody is one. Of the name shown beside the address nobody can tell,
    once it is decoded, where it ends: an address within it must be a sender's too.
    """
    if not senders:
        return True
    named = _ADDRESS.findall(from_header.lower())
    known = all(any(fnmatch.fnmatchcase(each, one.lower()) for one in senders) for each in named)
    return bool(named) and known and len(from_header) <= _LONGEST_FROM


def volume_window(expected_every: timedelta | None) -> timedelta:
    """Over how long a feed's rows are counted: a day, or the gap usual between two reports."""
    return max(_DAY, expected_every or _DAY)


def silence(
    *,
    watched_since: datetime,
    last_report_at: datetime | None,
    rows: int,
    expected_every: timedelta | None,
    expected_rows_per_day: int | None,
    now: datetime,
) -> tuple[datetime, str] | None:
    """Since when a feed has been silent and why ("no-report", "few-rows"); None: it is well.

    `watched_since` is when the feed was made or switched on: it is owed that long before anybody
    calls it silent. `rows` counts those of the `volume_window` before `now`.
    """
    if expected_every is not None:
        due = (last_report_at or watched_since) + expected_every * SILENT_GAPS
        if now > due:
            return due, "no-report"
    window = volume_window(expected_every)
    least = (expected_rows_per_day or 0) * (window / _DAY) * THIN_SHARE
    if rows < least and watched_since <= now - window:
        return now - window, "few-rows"
    return None


def check_feed(values: Mapping[str, Any], sources: Iterable[str]) -> None:
    """A feed's values make sense.

    Raises:
        BadFeed: no name, an unknown source, an unknown TLP, a schedule of nothing.
    """
    if not values.get("name"):
        raise BadFeed(reason="it has no name")
    source = values.get("source", "")
    if source and source not in sources:
        raise BadFeed(reason=f"no source is called “{source}”")
    if values.get("tlp") not in TLPS:
        raise BadFeed(reason=f"“{values.get('tlp')}” is no TLP label")
    for name in ("fetch_every", "expected_every"):
        length = values.get(name)
        if length is not None and length <= timedelta(0):
            raise BadFeed(reason=f"{name} must be longer than nothing")


def is_poison(attempts: int) -> bool:
    """Whether a report that was tried `attempts` times without progress is to be set apart."""
    return attempts >= ATTEMPTS
