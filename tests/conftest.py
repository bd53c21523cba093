"""What every test may take: a fixed moment, an actor, folders of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import django
import hypothesis
import pytest

# Before Django reads its settings: tests never touch an installation's folder.
_SCRATCH = tempfile.mkdtemp(prefix="muhafiz-tests-")
for _name in [name for name in os.environ if name.startswith("MUHAFIZ_")]:
    del os.environ[_name]
os.environ["MUHAFIZ_VAR"] = _SCRATCH
# Named here and not in pyproject.toml: there the settings would be read before this file is, and
# every worker of a parallel run would share the first one's folder.
os.environ["DJANGO_SETTINGS_MODULE"] = "muhafiz.config.settings"
django.setup()
# A parallel worker's main module has no file, and Spark's client ends a process without one.
sys.modules["__main__"].__dict__.setdefault("__file__", __file__)

# What a change is judged by must be the same for everybody, on machines of any speed: properties try
# the same examples each time. New ones are sought by `make torture` (--hypothesis-profile=wander).
_calm = hypothesis.settings(
    deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("repeatable", _calm, derandomize=True, database=None)
hypothesis.settings.register_profile("wander", _calm)
hypothesis.settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers inherit this process's environment; its module name would be read before the above."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix(request: pytest.FixtureRequest) -> None:
    """Let several runs share one PostgreSQL server."""
    from django.conf import settings

    suffix = os.environ.get("PYTEST_DB_SUFFIX", "")
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    name = "_".join(part for part in (suffix, worker) if part)
    database = settings.DATABASES["default"]
    if name:
        from pytest_django.fixtures import (
            _set_suffix_to_test_databases,
        )

        _set_suffix_to_test_databases(suffix=name)
    elif "sqlite" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = None


@pytest.fixture
def now() -> datetime:
    """A Monday in the week the product was born."""
    return datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def folders(settings: object, tmp_path: Path) -> Path:
    """Reports, lake, keys and letters of this test alone."""
    for name in ("REPORTS", "LAKE", "KEYS", "EXPORTS", "LETTERS", "DROP_FOLDER"):
        setattr(settings, name, tmp_path / name.lower())
    return tmp_path


@pytest.fixture
def actor() -> object:
    """A person of the duty desk."""
    from muhafiz.common.actor import Actor

    return Actor(
        kind="person", identifier="1", name="Duty Officer", roles=frozenset({"duty_officer"})
    )
