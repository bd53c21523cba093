"""A held clock, and jobs that exist for one test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.common.clock import HeldClock
from muhafiz.jobs import registry


@pytest.fixture
def clock(now) -> HeldClock:
    return HeldClock(now)


@pytest.fixture
def declare():
    """Declare a job for this test; `ran` lists the payloads it was run with."""
    names = []

    def declare(name="test.job", act=lambda run, **payload: None, **options):
        ran = []

        def function(run, **payload):
            """A job of the tests."""
            ran.append(payload)
            act(run, **payload)

        names.append(name)
        registry.job(name, **options)(function)
        return ran

    yield declare
    for name in names:
        registry.forget_job(name)


@pytest.fixture
def only(monkeypatch):
    """Let the scheduler see these timed jobs alone."""
    from muhafiz.jobs import scheduler

    def only(*names):
        monkeypatch.setattr(
            scheduler, "declared_jobs", lambda: [registry.find_job(name) for name in names]
        )

    return only


@pytest.fixture
def minute() -> timedelta:
    return timedelta(minutes=1)
