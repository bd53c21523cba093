"""One batch, one transaction: events to the lake, unreadable rows aside, the report moved on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.keeping import keep_set_aside
from muhafiz.feeds.models import Report
from muhafiz.feeds.reading import Cut, ReadBatch
from muhafiz.lake.actions.append import append_draft, draft_batch
from muhafiz.lake.drafting import write_draft


class Overtaken(Exception):  # noqa: N818 - not an error: another worker has the report
    """Another worker moved the report on since this one looked."""


@transaction.atomic
def commit_batch(report: Report, batch: ReadBatch, *, actor: Actor, now: datetime) -> None:
    """Give the batch to the lake and move the report behind its block, or neither.

    Raises:
        Overtaken: the report no longer stands where this run left it.
    """
    current = locked(report.pk)
    if current.state != Report.State.PROCESSING or current.blocks_done != batch.cut.number:
        raise Overtaken
    if batch.cut.opens_member:
        current.members.append(
            {
                "name": batch.cut.member,
                "first_row": batch.cut.offset + 1,
                "block": batch.cut.number,
                "layout": batch.cut.layout,
            }
        )
    aside = keep_set_aside(current, batch.cut.member, batch.set_aside)
    new_events = append(current, batch, actor=actor, now=now)
    current.blocks_done += 1
    current.rows_read += batch.rows
    current.rows_accepted += batch.accepted
    current.rows_set_aside += aside
    current.rows_open += aside
    current.rows_owned += batch.owned
    current.new_events += new_events
    current.attempts = 0
    current.save()


def append(report: Report, batch: ReadBatch, *, actor: Actor, now: datetime) -> int:
    """Give the batch to the lake under the report's next batch number; how many events were new."""
    if not batch.accepted:
        return 0
    appended = append_draft(
        batch.draft or write_draft(draft_batch(batch.prepared)),
        report_id=report.pk,
        batch_number=report.next_batch,
        actor=actor,
        now=now,
    )
    report.next_batch += 1
    return appended.new_events


def lies_as_it_lay(report: Report, cut: Cut) -> bool:
    """Whether the member is cut by the same rules as when it was read."""
    return any(
        (each["name"], each["first_row"]) == (cut.member, cut.offset + 1)
        and each.get("layout", cut.layout) == cut.layout
        for each in report.members
    )


def locked(report_id: int) -> Report:
    """The report, held until the transaction ends.

    Raises:
        UnknownReport: there is none of this number.
    """
    found = Report.objects.select_for_update().filter(pk=report_id).first()
    if found is None:
        raise rules.UnknownReport(report=report_id)
    return found


def fresh(report_id: int) -> Report:
    """The report as the database has it now.

    Raises:
        UnknownReport: there is none of this number.
    """
    found = Report.objects.select_related("feed").filter(pk=report_id).first()
    if found is None:
        raise rules.UnknownReport(report=report_id)
    return found
