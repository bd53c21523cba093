"""Every room's jobs are found at start; a broken room stops it."""

from __future__ import annotations

import sys

import pytest
from django.apps import AppConfig, apps

from muhafiz.jobs import registry


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A room of the test's own among the installed ones."""

    def room(jobs: str | None) -> None:
        folder = tmp_path / "strange_room"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        if jobs is not None:
            (folder / "jobs.py").write_text(jobs)
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in [name for name in sys.modules if name.startswith("strange_room")]:
            del sys.modules[name]
        config = AppConfig.create("strange_room")
        monkeypatch.setattr(apps, "get_app_configs", lambda: [config])

    yield room
    registry.forget_job("strange.run")
    for name in [name for name in sys.modules if name.startswith("strange_room")]:
        del sys.modules[name]


def test_a_rooms_jobs_are_found(room):
    room(
        "from muhafiz.jobs.registry import job\n"
        '@job("strange.run")\ndef run(run):\n    """Runs strangely."""\n'
    )
    registry.discover_jobs()
    assert registry.find_job("strange.run").description == "Runs strangely."


def test_a_room_without_jobs_is_passed_by(room):
    room(None)
    registry.discover_jobs()


def test_a_broken_room_stops_the_start(room):
    room("import no_such_module_anywhere\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        registry.discover_jobs()


def test_a_job_must_tell_people_what_it_does(room):
    room(
        "from muhafiz.jobs.registry import job\n"
        '@job("strange.run")\ndef run(run):\n    return None\n'
    )
    with pytest.raises(ValueError, match="docstring"):
        registry.discover_jobs()


def test_two_rooms_cannot_declare_one_name(room):
    room(
        "from muhafiz.jobs.registry import job\n"
        '@job("jobs.prune_jobs")\ndef run(run):\n    """Takes another room\'s name."""\n'
    )
    with pytest.raises(ValueError, match="Two jobs"):
        registry.discover_jobs()
