"""Timed work: the index follows the rooms."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.jobs.registry import JobRun, job
from muhafiz.search.actions.indexing import index_sources


@job("search.index", every=timedelta(minutes=1), attempts=3, lease=timedelta(minutes=10))
def index(run: JobRun) -> None:
    """Enter what is new into the index; once a day, everything anew."""
    index_sources(now=run.now(), progress=lambda kind, entered: run.report(done=entered, note=kind))
