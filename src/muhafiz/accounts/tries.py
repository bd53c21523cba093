"""How often one may try to sign in. Pure.

Tries are counted before a password's hash is computed, so that guessing costs the guesser and not
the platform, and parallel guesses cannot slip past. A wait is measured from the latest try: a clock
that was set back only makes it longer.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from muhafiz.common.refusal import Refusal


class TooManyTries(Refusal):
    """So many tries went before that one must wait. The same words for accounts that exist not."""

    text = "Too many tries. Try again in {minutes} min."


class CodeUsed(Refusal):
    """A one-time code came a second time."""

    text = "This code was used already. Wait for the next one."


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tries are free, how long one waits after them, and when they are forgotten.

    Each further try doubles the wait, up to `longest`.
    """

    free: int
    wait: timedelta
    longest: timedelta
    forgotten: timedelta


#: For one account, from wherever.
ACCOUNT: Final = Allowance(5, timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=24))
#: From one address, whatever the account: an office shares one.
ADDRESS: Final = Allowance(30, timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=1))
#: Letters asked for, for one account and from one address.
LETTERS: Final = Allowance(5, timedelta(minutes=15), timedelta(hours=6), timedelta(hours=24))

#: A one-time code is refused the second time for so long.
CODE_REMEMBERED: Final = timedelta(minutes=10)


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address; of IPv6 the /64, which is one subscriber's.

    What is no address counts as it is written.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def tries_key(kind: str, value: str) -> str:
    """What tries are counted under: a digest, for people type secrets into the wrong field."""
    plain = value.strip().lower()[:1000]
    return hashlib.sha256(f"{kind}\0{plain}".encode("utf-8", "replace")).hexdigest()


def counted(count: int, latest: datetime, allowance: Allowance, now: datetime) -> int:
    """The tries that still count."""
    return 0 if now - latest >= allowance.forgotten else count


def wait_after(count: int, allowance: Allowance) -> timedelta:
    """How long one waits after so many tries."""
    if count < allowance.free:
        return timedelta(0)
    doubled: timedelta = allowance.wait * 2 ** min(count - allowance.free, 20)
    return min(doubled, allowance.longest)


def check_tries(count: int, latest: datetime, allowance: Allowance, now: datetime) -> None:
    """Refuse a try that comes too soon.

    Raises:
        TooManyTries: with the minutes to wait.
    """
    left = latest + wait_after(count, allowance) - now
    if left > timedelta(0):
        raise TooManyTries(minutes=int(left.total_seconds() // 60) + 1)
