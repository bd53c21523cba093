"""Organizations with contacts, events in the lake, digests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from tests.detection.given import accepted, person


@pytest.fixture
def clock(now: datetime) -> HeldClock:
    return HeldClock(now)


@pytest.fixture
def nation(db: None, folders: Path, actor: Actor, now: datetime, settings: Any) -> None:
    from muhafiz.rulebook.actions.profile import load_profile

    settings.MAIL_FROM = "notices@cert.example"
    load_profile("pakistan", actor=actor, now=now)


@pytest.fixture
def owner(nation: None, actor: Actor, now: datetime) -> Callable[..., int]:
    """Register an organization, with an abuse contact unless told otherwise."""

    def make(name: str, *, contact: bool = True, language: str = "en", **details: Any) -> int:
        return person(name, contact=contact, language=language, actor=actor, now=now, **details)

    return make


@pytest.fixture
def arrive(nation: None, actor: Actor, now: datetime) -> Callable[..., None]:
    """Append rows to the lake as one batch of a report."""
    from muhafiz.lake.actions.append import append_batch

    def append(rows: list[dict[str, Any]], *, report: int = 1, batch: int = 1) -> None:
        table = accepted(rows, report_id=report, first=batch * 1000)
        append_batch(table, report_id=report, batch_number=batch, actor=actor, now=now)

    return append


@pytest.fixture
def policy(nation: None, actor: Actor, now: datetime) -> Callable[..., None]:
    """Lay down a policy for everything; at once unless told otherwise."""
    from muhafiz.detection.actions.policies import write_policy
    from muhafiz.detection.rules import Policy

    def lay(code: str = "all", **fields: Any) -> None:
        fields.setdefault("cadence", "at_once")
        write_policy(policy=Policy(code, **fields), title=code, actor=actor, now=now)

    return lay


@pytest.fixture
def send(nation: None, actor: Actor, clock: HeldClock) -> Callable[[], Any]:
    from muhafiz.detection.actions.notices import send_due_notices

    return lambda: send_due_notices(actor=actor, clock=clock)
