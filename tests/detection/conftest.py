"""Organizations with contacts, events in the lake, digests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house

from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from tests.detection.given import accepted, person
from tests.notifications.peers import Mailbox, Peer, served


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


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of the test's own, of the engine that this run tests."""
    database = house.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        yield ""
        return
    import psycopg

    name = f"test_kills_{os.getpid()}"
    reach = {name: database[name.upper()] for name in ("host", "port", "user", "password")}
    where = f"{database['HOST']}:{database['PORT'] or 5432}"
    with psycopg.connect(dbname="postgres", autocommit=True, **reach) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"postgresql://{database['USER']}:{database['PASSWORD']}@{where}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Callable[..., dict[str, Any]]:
    """How killed.py is started on a database and folders of this test alone."""
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "MUHAFIZ_VAR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "muhafiz.config.settings",
        "PYTHONPATH": str(root),
    }
    script = str(Path(__file__).with_name("killed.py"))

    def start(step: str, number: int, at: int = 0) -> dict[str, Any]:
        arguments = [sys.executable, script, step, str(number), str(at)]
        return {"args": arguments, "env": environment, "text": True}

    return start


@pytest.fixture
def child(command: Callable[..., dict[str, Any]]) -> Callable[..., bool]:
    """Run a step of killed.py; whether it came to its end. It may fail only by the kill."""

    def run(step: str, number: int, at: int = 0) -> bool:
        started = command(step, number, at)
        done = subprocess.run(**started, capture_output=True, timeout=120, check=False)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
        return done.returncode == 0

    return run


@pytest.fixture
def contact(nation: None, actor: Actor, clock: HeldClock) -> Callable[..., int]:
    """Enter a contact of an organization; its id."""
    from muhafiz.constituency.actions.contacts import ContactDetails, add_contact

    def add(owner: int, name: str, role: str = "abuse", **more: Any) -> int:
        details = ContactDetails(role=role, address=f"{name}@org.example", **more)
        return add_contact(organization_id=owner, details=details, actor=actor, now=clock.now())

    return add


@pytest.fixture
def peer(settings: Any) -> Iterator[Peer]:
    """A mail server on loopback that takes the platform's letters."""
    with served(Mailbox()) as found:
        settings.SMTP_URL = found.url
        yield found
