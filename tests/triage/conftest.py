"""Officers of the desk, and a source whose telling the test decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.common.actor import Actor
from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.triage import sources as found
from muhafiz.triage.actions.sweep import Swept, sweep_sources
from muhafiz.triage.waiting import Waiting

OPERATOR = Actor.command("operator")
JOB = Actor.job("triage.sweep")


class Told:
    """A source that tells what it is told to tell."""

    KIND = "test"
    PERMISSION = "queue.read"
    EVERY = timedelta(0)

    def __init__(self) -> None:
        self.things: list[Waiting] = []
        self.asked = 0
        self.broken = False

    def waiting(self, now: datetime) -> Iterator[Waiting]:
        self.asked += 1
        if self.broken:
            raise RuntimeError("the room is shut")
        return iter(list(self.things))

    def tell(self, *keys: str, **told: Any) -> None:
        first = Waiting(key="", title="feed-silent", severity="high", params={"feed": "f"})
        self.things = [replace(first, key=key, **told) for key in keys]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    everywhere = SimpleNamespace(sources=lambda: {"test": told})
    for module in ("actions.sweep", "queries"):
        monkeypatch.setattr(f"muhafiz.triage.{module}.sources", everywhere.sources)
    assert found.sources()
    return told


@pytest.fixture
def sweep(now: datetime) -> Callable[..., Swept]:
    return lambda at=None: sweep_sources(actor=JOB, now=at or now)


@pytest.fixture
def officer(db: None, now: datetime) -> Callable[..., Actor]:
    """Register somebody of the desk and give them as the one who acts."""

    def made(name: str, role: str = "duty_officer") -> Actor:
        person = register_person(
            email=f"{name}@cert.example", name=name.title(), language="en", actor=OPERATOR, now=now
        )
        grant_role(person_id=person.id, role=role, actor=OPERATOR, now=now)
        return Actor("person", str(person.id), person.name, frozenset({role}))

    return made


@pytest.fixture
def book(db: None, now: datetime) -> None:
    load_profile("pakistan", actor=OPERATOR, now=now)
