"""Prepared batches written down before any row names their files.

`draft_batch` asks which events are new: it needs the database, and the order of the batches.
`write_draft` then needs neither, and may run in any thread. A draft that is never committed is let
go of with `discard_drafts`; what a crash leaves, the job removes that removes orphans.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from muhafiz.lake.facts import event_facts, resighting_facts
from muhafiz.lake.known_keys import Answer, KnownKeys
from muhafiz.lake.layout import file_bytes
from muhafiz.lake.models import SegmentKind
from muhafiz.lake.preparation import PreparedBatch, PreparedDay
from muhafiz.lake.storage import WrittenFile, check_free_disk, remove_files, write_file


@dataclass(slots=True)
class Commitment:
    """Whether a draft's rows were given to the database."""

    made: bool = False


@dataclass(slots=True)
class DayDraft:
    """One day's events, and which of them are stored already.

    The state for which that was answered may be yet to come: it holds once all that it `rests_on`
    is committed.
    """

    prepared: PreparedDay
    answer: Answer
    rests_on: list[Commitment]
    commitment: Commitment = field(default_factory=Commitment)
    files: list[tuple[WrittenFile, dict[str, Any]]] = field(default_factory=list)
    """What was written: the file and the fields of its segment."""

    def write(self) -> None:
        """Write new events and further sightings as files of their own."""
        day, known = self.prepared.day, self.answer.known
        if not known.all():
            events = self.prepared.events(~known if known.any() else None)
            facts = {"kind": SegmentKind.EVENTS, **event_facts(events)}
            self.files.append((write_file(day, file_bytes(events)), facts))
        if known.any():
            again = self.prepared.resightings(known)
            facts = {"kind": SegmentKind.RESIGHTINGS, **resighting_facts(again)}
            self.files.append((write_file(day, file_bytes(again)), facts))

    def discard(self) -> None:
        """Remove the files."""
        remove_files([file.path for file, _ in self.files])
        self.files.clear()


@dataclass(slots=True)
class Draft:
    """A batch on its way into the lake."""

    rows: int
    report_id: int | None  # None: no rows
    days: list[DayDraft]


def draft_batch(
    prepared: PreparedBatch, index: KnownKeys, *, coming: Sequence[Draft] = ()
) -> Draft:
    """Look up which events are new. `coming`: drafts to be committed before this one, in order.

    Raises:
        SegmentUnreadable: the day's stored keys cannot be read.
    """
    days = []
    for day in prepared.days:
        before = [each for draft in coming for each in draft.days if each.prepared.day == day.day]
        answer = index.look_up(day.day, day.keys, [each.answer.new for each in before])
        days.append(DayDraft(day, answer, [each.commitment for each in before]))
    return Draft(prepared.rows, prepared.report_id, days)


def write_draft(draft: Draft) -> Draft:
    """Write the draft's files; all are on the disk when this returns, or none.

    Raises:
        DiskNearlyFull: too little of the disk is free.
    """
    check_free_disk()
    try:
        for day in draft.days:
            day.write()
    except BaseException:
        discard_drafts([draft])
        raise
    return draft


def discard_drafts(drafts: Iterable[Draft]) -> None:
    """Remove the files of drafts that will not be committed, as far as the disk lets us."""
    for draft in drafts:
        for day in draft.days:
            with contextlib.suppress(OSError):
                day.discard()
