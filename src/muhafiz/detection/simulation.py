"""What a policy would have done with the past, against what holds. Writes nothing.

The digest's own steps run over past windows in a folder that is thrown away. Windows go by the
receipt of reports; a policy that writes at once is shown by the hour. Nothing counts as told before
the beginning, so the first days tell more than they did.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from muhafiz.detection.arrivals import events_of
from muhafiz.detection.asset_answers import excepted
from muhafiz.detection.columns import ROWS, owned_rows
from muhafiz.detection.facts import SimulatedWindow
from muhafiz.detection.files import write_table
from muhafiz.detection.planning import Planned, Source, make_plan
from muhafiz.detection.recipients import contacts, inhibitions, zone
from muhafiz.detection.rules import Policy, Window, closed_window
from muhafiz.detection.sorting import sort_by_policy
from muhafiz.detection.stored import current_policies
from muhafiz.lake.query import EventQuery

#: Called with (windows done, windows in all).
Tick = Callable[[int, int], None]
_OWNERS_KEPT = 500


@dataclass(frozen=True, slots=True)
class OwnerDifference:
    """One organization: letters and events told as it holds and as edited."""

    organization_id: int
    letters: tuple[int, int]
    events: tuple[int, int]
    recipients: tuple[str, ...]  # addresses, as of now; empty: nobody to write to

    @property
    def change(self) -> int:
        """How many letters more (or fewer) they would have got."""
        return self.letters[1] - self.letters[0]


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the policy over the whole time."""

    windows: int
    letters: int
    organizations: int
    decisions: dict[str, int]  # events by decision


@dataclass(frozen=True, slots=True)
class Comparison:
    """The policy as it holds (None: it is new) against the policy as edited."""

    before: Side | None
    after: Side
    owners: tuple[OwnerDifference, ...]  # the largest differences first
    owners_total: int
    unreachable: int  # of those the edited policy tells, organizations without an address


@dataclass
class _Told:
    """Letters and events per organization while windows go by."""

    windows: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    letters: Counter[int] = field(default_factory=Counter)
    events: Counter[int] = field(default_factory=Counter)

    def take(self, plan: Path) -> None:
        """Count one window's plan."""
        rows = pq.read_table(plan, columns=["organization_id"], filters=[("decision", "=", "tell")])
        for line in pc.value_counts(rows["organization_id"]).to_pylist():
            self.letters[line["values"]] += 1
            self.events[line["values"]] += line["counts"]

    @property
    def side(self) -> Side:
        """The sums."""
        total = sum(self.letters.values())
        return Side(self.windows, total, len(self.letters), dict(self.decisions))


def simulate(policy: Policy, *, since: datetime, until: datetime) -> list[SimulatedWindow]:
    """What a policy would have done if it were the only one: each window between two moments."""
    with tempfile.TemporaryDirectory(prefix="muhafiz-simulation-") as scratch:
        return [
            SimulatedWindow(window.label, plan.recipients, plan.decisions)
            for window, plan in _replayed([policy], policy, since, until, Path(scratch))
        ]


def compare(
    policy: Policy,
    *,
    since: datetime,
    until: datetime,
    tick: Tick = lambda _done, _total: None,
) -> Comparison:
    """Who would have got what under `policy` instead of the one of its code that holds.

    Each is taken among all the other policies in force, so that an event which another policy
    speaks of more closely stays with that one. What other policies would tell is not counted.
    """
    others = [each for each in current_policies() if each.code != policy.code]
    holding = [each for each in current_policies() if each.code == policy.code]
    sides = [*holding, policy]
    lengths = [len(_windows(each, since, until)) for each in sides]
    told: list[_Told] = []
    for place, each in enumerate(sides):
        done = sum(lengths[:place])
        told.append(_told([*others, each], each, since, until, done, sum(lengths), tick))
    return _compared(told[0] if holding else None, told[-1], until)


def _told(  # noqa: PLR0917 - one side of the comparison, and how far it has come
    policies: Sequence[Policy],
    policy: Policy,
    since: datetime,
    until: datetime,
    done: int,
    total: int,
    tick: Tick,
) -> _Told:
    found = _Told()
    with tempfile.TemporaryDirectory(prefix="muhafiz-simulation-") as scratch:
        root = Path(scratch)
        for _window, plan in _replayed(policies, policy, since, until, root):
            found.windows += 1
            found.decisions.update(plan.decisions)
            if plan.plan.rows:
                found.take(root / plan.plan.path)
            tick(done + found.windows, total)
    return found


def _compared(before: _Told | None, after: _Told, at: datetime) -> Comparison:
    old = before or _Told()
    owners = old.letters.keys() | after.letters.keys()
    reachable = contacts(owners, at)
    differences = [
        OwnerDifference(
            organization_id=owner,
            letters=(old.letters[owner], after.letters[owner]),
            events=(old.events[owner], after.events[owner]),
            recipients=tuple(contact.address for contact in reachable[owner]),
        )
        for owner in owners
    ]
    differences.sort(key=lambda each: (-abs(each.change), -each.letters[1], each.organization_id))
    return Comparison(
        before=before.side if before else None,
        after=after.side,
        owners=tuple(differences[:_OWNERS_KEPT]),
        owners_total=len(differences),
        unreachable=sum(bool(each.letters[1]) and not each.recipients for each in differences),
    )


def _windows(policy: Policy, since: datetime, until: datetime) -> list[Window]:
    """The policy's windows between two moments, the oldest first."""
    cadence = "hourly" if policy.cadence == "at_once" else policy.cadence
    moments, windows = zone(until), []
    window = closed_window(cadence, until, moments)
    while window.end > since:
        windows.append(window)
        window = closed_window(cadence, window.start, moments)
    return windows[::-1]


def _replayed(
    policies: Sequence[Policy], policy: Policy, since: datetime, until: datetime, root: Path
) -> Iterator[tuple[Window, Planned]]:
    """Each window of `policy`, chosen among `policies`, with the plan it would have had."""
    told: list[Path] = []
    carried: list[Path] = []
    for window in _windows(policy, since, until):
        query = EventQuery(
            received_since=max(window.start, since), received_until=window.end, limit=None
        )
        pools = [
            root / write_table("pool", part, ROWS, until, root).path
            for events in events_of(query)
            for code, part in sort_by_policy(owned_rows(events), policies).items()
            if code == policy.code
        ]
        plan = make_plan(
            [Source(path) for path in (*carried, *pools)],
            told,
            policy,
            window.end,
            inhibitions(until),
            excepted=excepted(until),
            root=root,
            memory_mib=settings.LAKE_MEMORY_MIB,
        )
        told += [root / plan.told.path] if plan.told else []
        carried = [root / plan.carried.path] if plan.carried else []
        yield window, plan
