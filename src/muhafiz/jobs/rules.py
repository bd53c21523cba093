"""When a job runs again, when a timed job is due, what of an error may be kept. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

QUEUED: Final = "queued"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
STATES: Final = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
ACTIVE: Final = (QUEUED, RUNNING)

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_ERROR = 20_000  # characters

#: A clock that reads earlier than this below the latest reading has been set back.
CLOCK_TOLERANCE = timedelta(minutes=1)


def pause_after(attempt: int) -> timedelta:
    """How long to wait after failed attempt `attempt` (from 1): 30 s, doubled, at most 1 hour."""
    doublings: int = 2 ** min(attempt - 1, 20)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


def slot_of(now: datetime, every: timedelta, offset: timedelta = timedelta(0)) -> int:
    """The number of the slot that holds `now`; slots begin at `offset` after multiples of `every`.

    Slots are counted in UTC from 1970, so every process cuts time alike.
    """
    return (now - _EPOCH - offset) // every


def slot_start(slot: int, every: timedelta, offset: timedelta = timedelta(0)) -> datetime:
    """The moment at which slot `slot` begins."""
    return _EPOCH + offset + slot * every


def timed_step(last: int, highest: int, slot: int) -> Literal["run", "anchor", "wait"]:
    """What to do for a timed job whose latest slot was `last` and highest ever `highest`.

    - a later slot: run once, however many slots were missed;
    - an earlier slot: the clock was set back. The work of this stretch of real time was done
      already, so only take the new count (`anchor`) and run from the next slot on: no stall;
    - back at `highest` after such a trip: that slot was worked, so again only take the count.
    """
    if slot == last:
        return "wait"
    if slot < last or slot == highest:
        return "anchor"
    return "run"


def clock_went_back(now: datetime, latest: datetime) -> bool:
    """Whether `now` lies too far before the latest reading to be two machines' difference."""
    return now < latest - CLOCK_TOLERANCE


_SECRETS = (
    # user:password@ in an address
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), "…:…"),
    # password=…, "api_key": "…", Authorization: Bearer …
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|apikey|hmac2?|"
            r"authorization|cookie|private[_-]?key))(\W{1,4})((?:bearer|basic)\s+)?[^\s'\",;)}\]]+"
        ),
        r"\1\2…",
    ),
    (
        re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY[^-]*-----.*?(?:-----END [^-]*-----|\Z)"),
        "…",
    ),
)


def without_secrets(text: str) -> str:
    """`text` with passwords, tokens and keys blanked, its middle cut when it is very long."""
    for pattern, blank in _SECRETS:
        text = pattern.sub(blank, text)
    text = text.replace("\0", "\ufffd")
    if len(text) <= _LONGEST_ERROR:
        return text
    half = _LONGEST_ERROR // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
