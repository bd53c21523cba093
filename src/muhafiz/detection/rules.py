"""Which policy holds for an event, when its windows close, what makes one notice. Pure.

The most specific policy wins. Policies are compared by, in this order:

1. it names the organization;
2. its class: an exact "taxonomy/type" or type, else the longer literal part of the glob;
3. its feed: exact, else the longer literal part of the glob;
4. it names the sector;
5. the one valid later; then the code that comes first in the alphabet.

So exactly one policy holds for an event, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.common.refusal import Refusal
from muhafiz.formats import tlp

CADENCES: Final = ("at_once", "hourly", "daily", "weekly")
_GLOB = re.compile(r"[a-z0-9_*/.-]{1,100}")
_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_DAYS_MOST: Final = 365
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BadPolicy(Refusal):
    """The policy has no meaning."""

    text = "The policy cannot stand: {reason}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy as a value; the fields' meaning stands in docs/notices.md."""

    code: str
    cadence: str
    classes: str = "*"
    feed: str = "*"
    sector: str = ""
    organization_id: int | None = None
    threshold: int = 1
    resend_days: int = 7
    attach_xarf: bool = False
    tlp: str = tlp.AMBER
    valid_from: datetime = field(default=_EPOCH)


@dataclass(frozen=True, slots=True)
class Window:
    """A closed window: from `start` to before `end`; `label` names it in the outbox."""

    start: datetime
    end: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What policies look at in an event."""

    taxonomy: str | None
    type: str | None
    feed: str | None
    sector: str | None
    organization_id: int


def check_policy(policy: Policy) -> None:
    """Whether a policy makes sense.

    Raises:
        BadPolicy: it does not, and why.
    """
    reasons = {
        "its code must be small letters, digits, dots and hyphens.": _CODE.fullmatch(policy.code),
        f"its cadence must be one of {', '.join(CADENCES)}.": policy.cadence in CADENCES,
        "its class must be a glob of small letters, digits, hyphens, / and *.": _GLOB.fullmatch(
            policy.classes
        ),
        "its feed must be a glob of small letters, digits, hyphens and *.": _GLOB.fullmatch(
            policy.feed
        ),
        "its threshold must be at least 1.": policy.threshold >= 1,
        f"its resend days must lie between 0 and {_DAYS_MOST}.": (
            0 <= policy.resend_days <= _DAYS_MOST
        ),
        "its TLP must be CLEAR, GREEN, AMBER or AMBER+STRICT.": (
            policy.tlp in tlp.LABELS and policy.tlp != tlp.RED
        ),
    }
    for reason, holds in reasons.items():
        if not holds:
            raise BadPolicy(reason=reason)


def glob_matches(glob: str, text: str | None) -> bool:
    """Whether `text` has the shape of `glob`, where * stands for any characters."""
    if glob == "*":
        return True
    if text is None:
        return False
    pattern = ".*".join(re.escape(part) for part in glob.split("*"))
    return re.fullmatch(pattern, text) is not None


def matches(policy: Policy, event: Traits) -> bool:
    """Whether the policy speaks of the event."""
    named = f"{event.taxonomy}/{event.type}" if "/" in policy.classes else event.type
    return (
        (policy.organization_id is None or policy.organization_id == event.organization_id)
        and (not policy.sector or policy.sector == event.sector)
        and glob_matches(policy.classes, named)
        and glob_matches(policy.feed, event.feed)
    )


def choose_policy(policies: Iterable[Policy], event: Traits) -> Policy | None:
    """The policy that holds for the event; None when none speaks of it."""
    found = [policy for policy in policies if matches(policy, event)]
    return min(found, key=_precedence) if found else None


def _precedence(policy: Policy) -> tuple[object, ...]:
    """Smallest first: the most specific."""
    return (
        policy.organization_id is None,
        *_vagueness(policy.classes),
        *_vagueness(policy.feed),
        not policy.sector,
        -policy.valid_from.timestamp(),
        policy.code,
    )


def _vagueness(glob: str) -> tuple[bool, int]:
    return ("*" in glob, -len(glob.replace("*", "")))


def closed_window(cadence: str, at: datetime, zone: ZoneInfo) -> Window:
    """The last window that has closed at `at`, by the wall clock of `zone`.

    A window of cadence `at_once` closes at `at` itself. On the days when clocks change an hourly
    window keeps its 60 minutes and a daily one has 23 or 25 hours.
    """
    if cadence == "at_once":
        return Window(at, at, f"at-once {at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    if cadence == "hourly":
        local = at.astimezone(zone)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        end = at.astimezone(UTC) - past
        start = end - timedelta(hours=1)
        return Window(start, end, f"hour {start.astimezone(UTC):%Y-%m-%dT%H:%MZ}")
    day = at.astimezone(zone).date()
    if cadence == "weekly":
        day -= timedelta(days=day.weekday())
        first = day - timedelta(days=7)
        label = f"week {first.isoformat()}"
    else:
        first = day - timedelta(days=1)
        label = f"day {first.isoformat()}"
    start, end = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (first, day))
    return Window(start, end, label)


@dataclass(frozen=True, slots=True)
class ClassGroup:
    """One class within a notice: rows `start` to before `stop` of the table."""

    taxonomy: str
    type: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        """As policies and counts name it: "taxonomy/type"."""
        return f"{self.taxonomy}/{self.type}"


@dataclass(frozen=True, slots=True)
class Group:
    """One notice: one organization's rows `start` to before `stop`, classes within."""

    organization_id: int
    start: int
    stop: int
    tlp: str  # the strictest of its rows and of the policy
    classes: tuple[ClassGroup, ...]


def group_for_notice(rows: pa.Table, policy_tlp: str) -> list[Group]:
    """The notices in `rows`, which must be sorted by organization, taxonomy and type.

    Every row belongs to exactly one group, that of its own organization.

    Raises:
        ValueError: the rows are not sorted, or one has no organization.
    """
    if rows.num_rows == 0:
        return []
    owners = rows["organization_id"].to_numpy()
    if rows["organization_id"].null_count or np.any(owners[1:] < owners[:-1]):
        raise ValueError("The rows must be sorted by organization, and all be owned.")
    names = [_texts(rows, "classification_taxonomy"), _texts(rows, "classification_type")]
    codes = [pc.dictionary_encode(column).combine_chunks() for column in names]
    changed = owners[1:] != owners[:-1]
    for code in codes:
        kind = code.indices.to_numpy()
        changed = changed | (kind[1:] != kind[:-1])
    edges = [0, *(np.flatnonzero(changed) + 1).tolist(), rows.num_rows]
    labels = _labels(rows)
    groups: list[Group] = []
    parts: list[ClassGroup] = []
    for start, stop in pairwise(edges):
        taxonomy, kind_name = (code[start].as_py() for code in codes)
        parts.append(ClassGroup(taxonomy, kind_name, start, stop))
        if stop == rows.num_rows or owners[stop] != owners[start]:
            groups.append(_closed_group(int(owners[start]), parts, labels, policy_tlp))
            parts = []
    return groups


def _closed_group(
    owner: int, parts: Sequence[ClassGroup], labels: np.ndarray, policy_tlp: str
) -> Group:
    start, stop = parts[0].start, parts[-1].stop
    strictest = tlp.LABELS[max(int(labels[start:stop].max()), tlp.rank(policy_tlp))]
    return Group(owner, start, stop, strictest, tuple(parts))


def _labels(rows: pa.Table) -> np.ndarray:
    """The rank of each row's label; that of RED when it is missing or unknown."""
    encoded = pc.dictionary_encode(_texts(rows, "tlp")).combine_chunks()
    ranks = np.array([tlp.rank(label) for label in encoded.dictionary.to_pylist()], dtype=np.int64)
    found: np.ndarray = ranks[encoded.indices.to_numpy()]
    return found


def _texts(rows: pa.Table, name: str) -> pa.ChunkedArray:
    return pc.fill_null(rows[name], "")


def is_lost(states: Iterable[str]) -> bool:
    """Whether letters in these states of the outbox reach nobody unless something is done.

    None is on its way, has left, or may have left; a letter that a person stopped does not count.
    """
    found = set(states)
    return bool(found & {"failed", "held"}) and found <= {"failed", "held", "cancelled"}
