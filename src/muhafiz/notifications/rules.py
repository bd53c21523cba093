"""When to try again, when to give up, and which answers mean that an address is dead."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from muhafiz.common.refusal import Refusal
from muhafiz.formats.lines import one_line

#: Waits between attempts; the last one repeats.
_WAITS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
#: After so many attempts, close to four days, a message has failed (RFC 5321 section 4.5.4.1).
MOST_ATTEMPTS: Final = 20
#: No wait is longer: one that seems to be comes from a clock that was set back.
LONGEST_WAIT: Final = _WAITS[-1]
#: A message marked "sending" for longer was left so by a crash.
HAND_OVER_LEASE: Final = timedelta(minutes=4)
_CLOCK_SLACK: Final = timedelta(minutes=1)
#: No channel rests longer.
LONGEST_REST: Final = timedelta(minutes=30)

#: Enhanced codes (RFC 3463) that speak of the address, not of the message, policy or a full box.
_DEAD_STATUS: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_VAGUE_STATUS: Final = frozenset({"", "5.0.0", "5.1.0", "5.5.0"})
_DEAD_WORDS: Final = re.compile(
    r"(user|recipient|mailbox|account|address|addressee)\b.{0,40}"
    r"(unknown|not found|no longer|disabled|does ?n[o']t exist|inactive|invalid)"
    r"|(unknown|no such|invalid|bad destination) (local )?(user|recipient|mailbox|account|address)"
    r"|no mailbox here|mailbox unavailable|no such (person|domain)",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


class CannotChangeMessage(Refusal):
    """The message is not in the state this needs, or does not exist."""

    text = "Message {message} cannot be changed: {reason}."


class CannotRestoreAddress(Refusal):
    """The address is not retired, or no reason was given."""

    text = "The address {address} cannot be taken back: {reason}."


def address_key(address: str) -> str:
    """How an address is compared: in lower case, for no host in use tells local parts by case."""
    return one_line(address, 320).lower()


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When to try again after `attempts` failed ones; None to give up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return now + _WAITS[min(max(attempts, 1), len(_WAITS)) - 1]


def is_rest_over(until: datetime | None, now: datetime) -> bool:
    """Whether a channel may be tried; a rest longer than any tells of a clock set back."""
    return until is None or until <= now or until - now > LONGEST_REST


def channel_rest(failures: int) -> timedelta:
    """How long a channel rests after failing so often in a row: 15 s, doubling to 30 minutes."""
    doubled: timedelta = timedelta(seconds=15) * 2 ** min(max(failures, 1) - 1, 10)
    return min(doubled, LONGEST_REST)


def was_left(handed_at: datetime, now: datetime) -> bool:
    """Whether a hand-over begun then was left by a crash.

    One that began in the future tells that the clock went back; nobody can then say how old it is.
    """
    return now - handed_at > HAND_OVER_LEASE or handed_at - now > _CLOCK_SLACK


def status_in(words: str) -> str:
    """The first enhanced status code (RFC 3463) in a peer's words; empty when none."""
    found = _STATUS.search(words)
    return found.group(1) if found else ""


def address_is_dead(status: str, words: str) -> bool:
    """Whether a permanent failure speaks of the address itself.

    A refusal by policy (5.7.x), a full box (5.2.2) or too large a message (5.3.4) does not.
    """
    if status in _DEAD_STATUS:
        return True
    return status in _VAGUE_STATUS and bool(_DEAD_WORDS.search(words))
