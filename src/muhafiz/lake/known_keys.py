"""Which event keys a day already has: remembered between appends, read from segments when not.

One index per process and lake. What other processes append is read from their segments only. It
never decides alone: the append's conditional update fails unless the
day's version is the one the answer was given for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from muhafiz.lake.identity import Int64s, Mask
from muhafiz.lake.key_set import KeySet, members
from muhafiz.lake.models import Day, Segment, SegmentKind
from muhafiz.lake.refusals import SegmentUnreadable
from muhafiz.lake.storage import lake_folder, whole_path

MOST_KEYS = 20_000_000  # 200 MB: the least recently used days are forgotten beyond it


@dataclass(frozen=True, slots=True)
class DayState:
    """The day as it was when an answer was given."""

    day: date
    version: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Which of the keys asked about the day has, the others as a set, and the state for which."""

    known: Mask
    new: KeySet
    state: DayState


@dataclass(slots=True)
class _Known:
    """One day's keys up to `version`; `witness` is a segment of that version."""

    epoch: int
    version: int = 0
    witness: str | None = None
    keys: KeySet = field(default_factory=KeySet)


class KnownKeys:
    """The days that this process remembers of one lake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._days: OrderedDict[date, _Known] = OrderedDict()

    def look_up(self, day: date, keys: Int64s, coming: Sequence[KeySet] = ()) -> Answer:
        """Which of `keys` (each once) the day has.

        `coming`: the new keys of appends that will be committed before this one, in order.

        Raises:
            SegmentUnreadable: a segment of the day cannot be read.
        """
        order = np.argsort(keys)
        needles = keys[order]
        with self._lock:
            state, fresh = self._refresh(day)
            known = self._days.get(day)
            found = known.keys.holds(needles) if known else _in_segments(fresh, needles)
            self._forget()
        for each in coming:
            found |= each.holds(needles)
        mask = np.empty(len(keys), dtype=np.bool_)
        mask[order] = found
        state = replace(state, version=state.version + len(coming))
        return Answer(mask, KeySet(needles[~found]), state)

    def remember(self, state: DayState, new: KeySet, witness: str) -> None:
        """Keys just committed on top of `state`; ignored when that is not what is remembered."""
        with self._lock:
            known = self._days.get(state.day)
            if known and (known.version, known.epoch) == (state.version, state.epoch):
                for run in new.runs:
                    known.keys.add(run)
                known.version, known.witness = state.version + 1, witness

    def _refresh(self, day: date) -> tuple[DayState, list[Segment]]:
        row, _ = Day.objects.get_or_create(day=day)
        state = DayState(day, row.version, row.epoch)
        known = self._days.pop(day, None)
        if known is None or known.epoch != row.epoch or not _still_true(known):
            known = _Known(epoch=row.epoch)
        fresh = _live(day, after=known.version, until=row.version)
        if len(known.keys) + sum(segment.rows for segment in fresh) > MOST_KEYS:
            return state, _live(day, after=0, until=row.version)  # too many to remember
        for segment in fresh:
            known.keys.add(_segment_keys(segment))
        if row.version != known.version:
            known.version, known.witness = row.version, _witness(day, row.version)
        self._days[day] = known
        return state, fresh

    def _forget(self) -> None:
        while len(self._days) > 1 and sum(len(k.keys) for k in self._days.values()) > MOST_KEYS:
            self._days.popitem(last=False)


def _live(day: date, *, after: int, until: int) -> list[Segment]:
    return list(
        Segment.objects.filter(
            day=day,
            kind=SegmentKind.EVENTS,
            retired_at=None,
            version__gt=after,
            version__lte=until,
        )
    )


def _still_true(known: _Known) -> bool:
    """Whether the history remembered was committed (a roll-back may have taken it away)."""
    return known.version == 0 or (
        known.witness is not None and Segment.objects.filter(path=known.witness).exists()
    )


def _witness(day: date, version: int) -> str | None:
    found = Segment.objects.filter(day=day, version=version).order_by("-id").first()
    return found.path if found else None


def _segment_keys(segment: Segment) -> Int64s:
    try:
        with pq.ParquetFile(whole_path(segment.path)) as file:
            keys: Int64s = file.read(["key"]).column("key").to_numpy()
    except (OSError, pa.ArrowException) as wrong:
        raise SegmentUnreadable(segment=segment.pk, path=segment.path, reason=str(wrong)) from wrong
    return np.sort(keys)


def _in_segments(segments: Sequence[Segment], needles: Int64s) -> Mask:
    found = np.zeros(len(needles), dtype=np.bool_)
    for segment in segments:
        found |= members(_segment_keys(segment), needles)
    return found


_INDEXES: dict[tuple[str, bytes], KnownKeys] = {}
_INDEXES_LOCK = threading.Lock()


def known_keys(salt: bytes) -> KnownKeys:
    """This process's index of the lake with this salt, in the configured folder."""
    with _INDEXES_LOCK:
        return _INDEXES.setdefault((str(lake_folder()), salt), KnownKeys())
