"""A small nation to try the constituency on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from muhafiz.common.actor import Actor


@pytest.fixture(autouse=True)
def _own_folders(settings: object, tmp_path: Path) -> None:
    from muhafiz.constituency import attribution

    settings.VAR = tmp_path
    settings.KEYS = tmp_path / "keys"
    attribution._latest.clear()


@pytest.fixture
def nation(db: None, actor: Actor, now: datetime) -> None:
    """The rulebook of the profile: sectors, time zone, languages."""
    from muhafiz.rulebook.actions.profile import load_profile

    load_profile("pakistan", actor=actor, now=now)


@pytest.fixture
def organization(nation: None, actor: Actor, now: datetime):
    """Register an organization by its English name and return its id."""
    from muhafiz.constituency.actions.organizations import register_organization

    def register(name: str, **details: object) -> int:
        return register_organization(name_en=name, actor=actor, now=now, **details)

    return register
