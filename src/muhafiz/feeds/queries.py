"""Reads of feeds: the river's counts, reports, rows set aside, feeds and their silences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from muhafiz.feeds.facts import (
    FeedDay,
    FeedState,
    Position,
    ReportFacts,
    River,
    RiverStage,
    SampleFacts,
    SetAsideChoice,
    SetAsideFacts,
    SetAsideGroup,
)
from muhafiz.feeds.models import Feed, Report, Sample, SetAsideRow
from muhafiz.feeds.places import unpacked

_STATE = Report.State
_SUMS = ("rows_read", "rows_accepted", "rows_set_aside", "rows_open", "rows_owned", "new_events")


def river(*, since: datetime | None = None) -> River:
    """The counts at each stage of the reports received since a moment (None: ever)."""
    reports = Report.objects.order_by()
    if since is not None:
        reports = reports.filter(received_at__gte=since)
    rows = reports.values("feed__source").annotate(
        reports_kept=Count("id"),
        reports_waiting=Count("id", filter=Q(state__in=[_STATE.RECEIVED, _STATE.PROCESSING])),
        reports_done=Count("id", filter=Q(state=_STATE.DONE)),
        reports_failed=Count("id", filter=Q(state=_STATE.FAILED)),
        reports_quarantined=Count("id", filter=Q(state=_STATE.QUARANTINED)),
        bytes_kept=_sum("size"),
        **{f"sum_{name}": _sum(name) for name in _SUMS},
    )
    stages = [_stage(row["feed__source"], dict(row)) for row in rows]
    stages.sort(key=lambda stage: (-stage.rows_read, stage.source))
    return River(since=since, total=_total(stages), sources=tuple(stages))


def reports(
    *,
    states: Sequence[str] = (),
    feed: str | None = None,
    source: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[ReportFacts]:
    """Reports, newest first; `before` is the id that the last page ended with."""
    found = Report.objects.select_related("feed").order_by("-id")
    if states:
        found = found.filter(state__in=states)
    if feed is not None:
        found = found.filter(feed__name=feed)
    if source is not None:
        found = found.filter(feed__source=source)
    if before is not None:
        found = found.filter(pk__lt=before)
    return [_report_facts(report) for report in found[:limit]]


def feeds_after(feed_id: int, *, limit: int) -> list[tuple[int, str, str, str]]:
    """The next feeds by id: (id, name, title, source)."""
    found = Feed.objects.filter(pk__gt=feed_id).order_by("pk")
    return list(found.values_list("pk", "name", "title", "source")[:limit])


def reports_after(report_id: int, *, limit: int) -> list[ReportFacts]:
    """The reports that came after one, oldest first."""
    found = Report.objects.select_related("feed").filter(pk__gt=report_id).order_by("pk")
    return [_report_facts(report) for report in found[:limit]]


def report(report_id: int) -> ReportFacts | None:
    """One report, or None."""
    return reports_by_id([report_id]).get(report_id)


def reports_by_id(report_ids: Iterable[int]) -> dict[int, ReportFacts]:
    """The reports of these ids that exist."""
    found = Report.objects.select_related("feed").filter(pk__in=list(report_ids))
    return {each.pk: _report_facts(each) for each in found}


def accepted_by_report() -> dict[int, int]:
    """Rows accepted of each report that had any: what the lake must account for."""
    found = Report.objects.filter(rows_accepted__gt=0)
    return dict(found.values_list("pk", "rows_accepted"))


def position(report_id: int, row: int) -> Position | None:
    """Where an event's row lies in what was delivered; None when there is no such report."""
    found = Report.objects.filter(pk=report_id).first()
    if found is None:
        return None
    name, first = found.file_name, 1
    for member in found.members:
        if member["first_row"] <= row:
            name, first = member["name"], member["first_row"]
    return Position(report_id, found.file_name, name, row - first + 1)


def set_aside_groups(
    *, report_id: int | None = None, state: str = SetAsideRow.State.OPEN
) -> list[SetAsideGroup]:
    """Rows set aside, by feed, report type, reason and column, most frequent first."""
    groups = list(
        chosen_rows(SetAsideChoice(report_id=report_id, state=state))
        .order_by()
        .values("report__feed__name", "kind", "reason", "column")
        .annotate(
            count=Sum("rows"),
            reports=Count("report", distinct=True),
            example_id=Min("id"),
            newest_id=Max("id"),
            since=Min("report__received_at"),
        )
    )
    examples = dict(
        SetAsideRow.objects.filter(pk__in=[group["example_id"] for group in groups]).values_list(
            "pk", "detail"
        )
    )
    made = [
        SetAsideGroup(
            feed=group["report__feed__name"],
            kind=group["kind"],
            reason=group["reason"],
            column=group["column"],
            rows=group["count"],
            reports=group["reports"],
            example_id=group["example_id"],
            example_detail=examples.get(group["example_id"], ""),
            newest_id=group["newest_id"],
            since=group["since"],
        )
        for group in groups
    ]
    return sorted(made, key=lambda group: (-group.rows, group.feed, group.kind, group.reason))


def set_aside_rows(
    chosen: SetAsideChoice | None = None,
    *,
    report_id: int | None = None,
    reason: str | None = None,
    state: str = SetAsideRow.State.OPEN,
    after: int = 0,
    limit: int = 100,
) -> list[SetAsideFacts]:
    """Rows set aside in the order they were kept; `after` is the id the last page ended with."""
    choice = chosen or SetAsideChoice(report_id=report_id, reason=reason, state=state)
    found = chosen_rows(choice).select_related("report__feed").filter(pk__gt=after)
    return [_set_aside_facts(row) for row in found.order_by("pk")[:limit]]


def set_aside_by_id(row_ids: Iterable[int]) -> list[SetAsideFacts]:
    """The rows of these ids that exist, by id."""
    found = SetAsideRow.objects.select_related("report__feed").filter(pk__in=list(row_ids))
    return [_set_aside_facts(row) for row in found.order_by("pk")]


def set_aside_extent(chosen: SetAsideChoice) -> tuple[int, int]:
    """How many rows are meant, and the highest id among them."""
    found = chosen_rows(chosen).aggregate(count=Sum("rows"), newest=Max("pk"))
    return found["count"] or 0, found["newest"] or 0


def chosen_rows(chosen: SetAsideChoice) -> QuerySet[SetAsideRow]:
    """The rows that a choice means, in no order."""
    wanted = {
        "state": chosen.state,
        "report__feed__name": chosen.feed,
        "kind": chosen.kind,
        "reason": chosen.reason,
        "column": chosen.column,
        "report_id": chosen.report_id,
        "pk__lte": chosen.upto,
        "row": chosen.row,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return SetAsideRow.objects.filter(**given)


def samples(*, feed: str | None = None, kind: str | None = None) -> list[SampleFacts]:
    """The rows kept as samples, those that are read differently now first."""
    found = Sample.objects.select_related("feed").order_by("pk")
    if feed is not None:
        found = found.filter(feed__name=feed)
    if kind is not None:
        found = found.filter(kind=kind)
    return sorted((sample_facts(row) for row in found), key=lambda each: each.holds)


def sample_facts(row: Sample) -> SampleFacts:
    """A row as others see it."""
    return SampleFacts(
        id=row.pk,
        feed=row.feed.name,
        kind=row.kind,
        file_name=row.file_name,
        content=bytes(row.content),
        expected=row.expected,
        found=row.found,
        note=row.note,
        kept_at=row.kept_at,
        kept_by=row.kept_by,
        checked_at=row.checked_at,
    )


def set_aside_row(row_id: int) -> SetAsideFacts | None:
    """One row set aside, or None."""
    found = SetAsideRow.objects.select_related("report__feed").filter(pk=row_id).first()
    return _set_aside_facts(found) if found else None


def feed_states(*, now: datetime, window: timedelta = timedelta(days=1)) -> list[FeedState]:
    """Every feed by name, with what it delivered in the window before `now`."""
    recent = Q(reports__received_at__gt=now - window)
    found = Feed.objects.order_by("name").annotate(
        window_reports=Count("reports", filter=recent),
        window_rows=Coalesce(Sum("reports__rows_read", filter=recent), 0),
    )
    return [_feed_state(feed) for feed in found]


def silent_feeds(*, now: datetime, known: bool = False) -> list[FeedState]:
    """Feeds whose silence alarm stands, the longest silent first.

    Those of which somebody said that they know of it are left out until that time, unless `known`.
    """
    silent = [state for state in feed_states(now=now) if state.silent_since and state.enabled]
    waiting = [state for state in silent if known or not state.is_known(now)]
    return sorted(waiting, key=lambda state: (state.silent_since or now, state.name))


def feed_state(name: str, *, now: datetime) -> FeedState | None:
    """One feed as it stands; None when there is none of this name."""
    return next((state for state in feed_states(now=now) if state.name == name), None)


def feed_days(*, now: datetime, days: int = 14) -> dict[str, list[FeedDay]]:
    """What each feed brought on each UTC day before `now`, the oldest first; one query."""
    first = now.date() - timedelta(days=days - 1)
    rows = (
        Report.objects.filter(received_at__gte=datetime.combine(first, time.min, UTC))
        .order_by()
        .annotate(day=TruncDate("received_at", tzinfo=UTC))
        .values_list("feed__name", "day")
        .annotate(reports=Count("id"), rows=_sum("rows_read"), aside=_sum("rows_set_aside"))
    )
    seen = {(name, day): (reports, read, aside) for name, day, reports, read, aside in rows}
    every = [first + timedelta(days=at) for at in range(days)]
    return {
        name: [FeedDay(day, *seen.get((name, day), (0, 0, 0))) for day in every]
        for name in Feed.objects.values_list("name", flat=True)
    }


def feed_names() -> list[str]:
    """The feeds that take reports, by name."""
    found = Feed.objects.filter(enabled=True).exclude(source="").order_by("name")
    return list(found.values_list("name", flat=True))


def _sum(name: str) -> Coalesce:
    return Coalesce(Sum(name), 0)


def _stage(source: str, row: dict[str, Any]) -> RiverStage:
    counts = {name: int(row[f"sum_{name}"]) for name in _SUMS}
    return RiverStage(
        source=source,
        reports_kept=row["reports_kept"],
        reports_waiting=row["reports_waiting"],
        reports_done=row["reports_done"],
        reports_failed=row["reports_failed"],
        reports_quarantined=row["reports_quarantined"],
        bytes_kept=int(row["bytes_kept"]),
        rows_unowned=counts["rows_accepted"] - counts["rows_owned"],
        **counts,
    )


def _total(stages: Sequence[RiverStage]) -> RiverStage:
    names = [name for name in RiverStage.__dataclass_fields__ if name != "source"]
    sums = {name: sum(getattr(stage, name) for stage in stages) for name in names}
    return RiverStage(source="", **sums)


def _report_facts(report: Report) -> ReportFacts:
    return ReportFacts(
        id=report.pk,
        feed=report.feed.name,
        source=report.feed.source,
        file_name=report.file_name,
        sha256=report.sha256,
        size_bytes=report.size,
        door=report.door,
        received_at=report.received_at,
        state=report.state,
        reason=report.reason,
        detail=report.detail,
        parser=report.parser,
        rows_read=report.rows_read,
        rows_accepted=report.rows_accepted,
        rows_set_aside=report.rows_set_aside,
        rows_open=report.rows_open,
        rows_owned=report.rows_owned,
        new_events=report.new_events,
        started_at=report.started_at,
        finished_at=report.finished_at,
    )


def _set_aside_facts(row: SetAsideRow) -> SetAsideFacts:
    return SetAsideFacts(
        id=row.pk,
        report_id=row.report_id,
        file_name=row.report.file_name,
        feed=row.report.feed.name,
        kind=row.kind,
        row=row.row,
        rows=row.rows,
        last=row.row if row.places is None else int(unpacked(bytes(row.places))[-1]),
        reason=row.reason,
        detail=row.detail,
        column=row.column,
        raw=bytes(row.raw),
        edited=None if row.edited is None else bytes(row.edited),
        state=row.state,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        note=row.note,
    )


def _feed_state(feed: Any) -> FeedState:
    return FeedState(
        id=feed.pk,
        name=feed.name,
        title=feed.title,
        source=feed.source,
        owner=feed.owner,
        enabled=feed.enabled,
        tlp=feed.tlp,
        fetch_every=feed.fetch_every,
        expected_every=feed.expected_every,
        expected_rows_per_day=feed.expected_rows_per_day,
        last_report_at=feed.last_report_at,
        fetched_until=feed.fetched_until,
        silent_since=feed.silent_since,
        silent_reason=feed.silent_reason,
        owner_person=feed.owner_person,
        quiet_until=feed.quiet_until,
        quiet_by=feed.quiet_by,
        quiet_note=feed.quiet_note,
        options=feed.options,
        file_pattern=feed.file_pattern,
        reports=feed.window_reports,
        rows_read=feed.window_rows,
    )
