"""The work of feeds that waits in the queue or comes by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

from muhafiz.feeds.actions import dropped, fetching, housekeeping, intake, mail, processing, replay
from muhafiz.feeds.actions.batches import Overtaken
from muhafiz.feeds.actions.feeds import SAMPLES_JOB
from muhafiz.feeds.actions.groups import REPLAY_GROUP_JOB, replay_group
from muhafiz.feeds.actions.samples import check_samples
from muhafiz.feeds.actions.silence import watch_feeds
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.feeds.sources import CannotFetch
from muhafiz.jobs.registry import CannotSucceed, JobRun, job
from muhafiz.rulebook.queries import value_or

_KEEP_DAYS = 365


@job(intake.PROCESS_JOB, attempts=8, lease=timedelta(minutes=10))
def process_report(run: JobRun, *, report_id: int) -> None:
    """Read a report: its rows become events with owners, or are set aside."""

    def progress(done: int, total: int, note: str) -> None:
        run.report(done=done, total=total, note=note)

    try:
        processing.process_report(report_id, actor=run.actor, clock=run.clock, progress=progress)
    except Overtaken:
        run.report(done=1, total=1, note="Another worker reads this report.")


@job(replay.REPLAY_JOB, attempts=3, lease=timedelta(minutes=30))
def replay_set_aside(run: JobRun, *, report_id: int) -> None:
    """Read the open set-aside rows of a report again, with today's mappings."""
    done = replay.replay_set_aside(report_id=report_id, actor=run.actor, now=run.now())
    run.report(done=1, total=1, note=done.note())


@job(REPLAY_GROUP_JOB, attempts=3, lease=timedelta(minutes=30))
def replay_chosen(run: JobRun, *, chosen: dict[str, Any]) -> None:
    """Read a group of set-aside rows again, with today's mappings."""
    replay_group(
        chosen=SetAsideChoice(**chosen),
        actor=run.actor,
        clock=run.now,
        tick=lambda done, total, note: run.report(done=done, total=total, note=note),
    )


@job(SAMPLES_JOB, every=timedelta(days=1), attempts=3)
def look_at_samples(run: JobRun, *, feed: str | None = None) -> None:
    """Read the rows kept as samples with today's mappings, and note what is read otherwise."""
    wrong = check_samples(
        feed=feed, now=run.now(), tick=lambda done, total: run.report(done=done, total=total)
    )
    run.report(note=f"{len(wrong)} read otherwise than they must be")


@job("feeds.collect_drop_folder", every=timedelta(seconds=30), attempts=3)
def collect_drop_folder(run: JobRun) -> None:
    """Take in the files that were laid in the drop folder."""
    dropped.take_drop_folder(
        folder=settings.DROP_FOLDER,
        actor=run.actor,
        now=run.now(),
        tick=lambda done, name: run.report(done=done, note=name),
    )


@job("feeds.collect_mail", every=timedelta(minutes=1), attempts=3)
def collect_mail(run: JobRun) -> None:
    """Take in the mails that wait in the mailbox: reports and bounces."""
    if not settings.IMAP_URL:
        return
    mail.collect_mail(
        url=settings.IMAP_URL,
        actor=run.actor,
        now=run.now(),
        tick=lambda done, total: run.report(done=done, total=total, note=""),
    )


@job("feeds.collect", every=timedelta(minutes=5), attempts=3)
def collect(run: JobRun) -> None:
    """Queue the fetch of every feed whose schedule says so."""
    fetching.queue_due_fetches(actor=run.actor, now=run.now())


@job(fetching.FETCH_JOB, attempts=5, lease=timedelta(minutes=30))
def fetch(run: JobRun, *, feed: str) -> None:
    """Fetch what is new of one feed from its sender."""
    fetching.fetch_feed(
        feed=feed,
        actor=run.actor,
        now=run.now(),
        tick=lambda done, name: run.report(done=done, note=name),
    )


@job(fetching.TRY_JOB, attempts=1, lease=timedelta(minutes=10))
def try_fetch(run: JobRun, *, feed: str, options: dict[str, Any]) -> None:
    """Ask a feed's sender with other options and look at one report; nothing is kept."""
    try:
        note = fetching.try_fetch(feed=feed, options=options, now=run.now())
    except CannotFetch as refused:
        raise CannotSucceed(str(refused)) from refused
    run.report(done=1, total=1, note=note)


@job("feeds.watch", every=timedelta(minutes=15), attempts=3)
def watch(run: JobRun) -> None:
    """Raise an alarm for feeds that fell silent, and end it when they speak again."""
    watch_feeds(actor=run.actor, now=run.now())


@job("feeds.keep_house", every=timedelta(hours=6), attempts=3)
def keep_house(run: JobRun) -> None:
    """Remove what crashes left behind and raw reports whose time is over."""
    now = run.now()
    housekeeping.remove_leftovers(now=now)
    housekeeping.remove_old_drops(folder=settings.DROP_FOLDER, now=now)
    days = value_or("retention.reports_days", _KEEP_DAYS, at=now)
    if isinstance(days, int):
        housekeeping.remove_old_raw(keep_days=days, actor=run.actor, now=now)
