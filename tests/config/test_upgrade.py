"""An installation of an earlier version keeps what it holds and gets what is new."""

from __future__ import annotations

from importlib.resources import files

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from muhafiz.accounts.queries import people
from muhafiz.common.actor import Actor
from muhafiz.config.installation import bring_up_to_date
from muhafiz.rulebook.actions.profile import enter_profile, load_profile
from muhafiz.rulebook.queries import book, value, value_or
from muhafiz.rulebook.rules import read_profile

OPERATOR = Actor.command("test")


def _lacking():
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


def _migrate(targets) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)


@pytest.fixture
def first_version(transactional_db, folders):
    """The database as the first version made it; afterwards as all other tests need it."""
    graph = MigrationExecutor(connection).loader.graph
    newest = graph.leaf_nodes()
    first = [node for node in graph.root_nodes() if node[0] in OURS]
    _migrate(first)
    yield MigrationExecutor(connection).loader.project_state(first).apps
    _migrate(newest)


def _what_it_said_then():
    said = files("muhafiz.rulebook").joinpath("profiles", "pakistan", "cert.toml")
    return read_profile("pakistan", {"cert.toml": said.read_text(encoding="utf-8")})


OURS = ("accounts", "constituency", "detection", "feeds", "jobs", "lake", "notifications")


def test_what_stood_there_stays_and_what_is_new_comes(first_version, now):
    first_version.get_model("accounts", "Person").objects.create(
        email="ayesha@cert.example", name="Ayesha", registered_at=now
    )
    enter_profile("pakistan", _what_it_said_then(), actor=OPERATOR, now=now)
    assert value_or("triage.targets", None, at=now) is None
    assert _lacking()

    told = []
    bring_up_to_date(actor=OPERATOR, now=now, say=told.append)

    assert _lacking() == []
    (person,) = people()
    assert (person.email, person.active) == ("ayesha@cert.example", True)
    assert value("triage.targets", at=now), "the profile's new values hold"
    assert any("pakistan" in line for line in told)


def test_a_second_upgrade_changes_nothing(transactional_db, folders, now):
    load_profile("pakistan", actor=OPERATOR, now=now)
    before = book(at=now)
    bring_up_to_date(actor=OPERATOR, now=now, say=lambda line: None)
    assert book(at=now) == before
