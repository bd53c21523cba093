"""Whether stored events can be asked for, and what they take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from muhafiz.common.refusal import Refusal
from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, Size, fact
from muhafiz.jobs.queries import JobFacts, jobs
from muhafiz.jobs.rules import DONE, FAILED
from muhafiz.lake.jobs import NOT_PROVEN as NOT_PROVEN_NOTE
from muhafiz.lake.jobs import VERIFY_DEEP_JOB, VERIFY_JOB
from muhafiz.lake.queries import try_engine, volumes
from muhafiz.rulebook.queries import value_or

ENGINE = Ailment(
    "lake-engine",
    "fault",
    "The lake does not answer: {reason}",
    "Start the Spark Connect server where MUHAFIZ_LAKE lies under the same path, correct "
    "MUHAFIZ_SPARK_REMOTE, or unset it.",
)
UNREADABLE = Ailment(
    "lake-unreadable",
    "fault",
    "The newest file of the lake cannot be read: {reason}",
    "Put it back from the backup, then run: `muhafiz lake verify --deep`",
)
NOT_PROVEN = Ailment(
    "lake-not-proven",
    "fault",
    "It is not proven that every accepted row is stored once: {reason}",
    "Run: `muhafiz lake verify --deep`, and put back from the backup what it names.",
    route="job",
)
UNDECIDED = Ailment(
    "retention-undecided",
    "warning",
    "Nobody has decided how long events are kept; nothing is deleted.",
    "Propose retention.events_days in the rulebook.",
    route="rulebook",
)

_SHOWN = 300  # letters of what a check found
_LOOKED_BACK = 20  # proofs


@examination("lake", "Event lake")
def lake(now: datetime) -> Iterator[Finding | Fact]:
    """The engine, the newest file, the last proofs, and what the events take."""
    try:
        try_engine()
    except Refusal as no:
        ailment = ENGINE if settings.SPARK_REMOTE else UNREADABLE
        yield ailment.found(reason=no)
    proven = None
    for name in (VERIFY_DEEP_JOB, VERIFY_JOB):
        last = _last_answer(name)
        if last is not None and last.state == FAILED:
            yield NOT_PROVEN.found(
                reason=last.error.strip()[:_SHOWN], route_args={"job_id": last.job_id}
            )
        elif last is not None:
            proven = max(proven or last.queued_at, last.queued_at)
    if value_or("retention.events_days", None, at=now) is None:
        yield UNDECIDED.found()
    days = volumes()
    yield fact(
        "Events: {events}. Days: {days}. Files: {files}, {size}.",
        events=sum(day.events for day in days),
        days=len(days),
        files=sum(day.segments for day in days),
        size=Size(sum(day.size_bytes for day in days)),
    )
    if proven is not None:
        yield fact(
            "Every accepted row was last proven to be stored once at {moment}.", moment=proven
        )


def _last_answer(name: str) -> JobFacts | None:
    """The last proof that came to an answer, whichever; one that broke off is none."""
    return next(
        (
            each
            for each in jobs(name=name, limit=_LOOKED_BACK)
            if each.state == DONE or (each.state == FAILED and each.note == NOT_PROVEN_NOTE)
        ),
        None,
    )
