"""Fills an empty installation with the demonstration nation and a day of its reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.common.actor import Actor
from muhafiz.config.demonstration.nation import Nation, read_nation
from muhafiz.config.demonstration.reports import day_of_reports
from muhafiz.config.installation import install
from muhafiz.constituency.actions.imports import apply_import, preview_import

PROFILE = "pakistan"
MARKER = "demonstration"
"""A file of this name in MUHAFIZ_VAR marks the folder as a demonstration for good."""


def fill(*, actor: Actor, now: datetime, say: Callable[[str], None]) -> None:
    """Make the demonstration: nation, people, and a day of reports laid into the drop folder.

    The reports are not read here: the platform takes them from the folder as it would any other
    day, so that whoever opens the river sees it at work.
    """
    nation = read_nation()
    install(profile=PROFILE, actor=actor, now=now, say=say)
    say("Inventing a nation …")
    for person in nation.people:
        number = register_person(
            email=person.email, name=person.name, language=person.language, actor=actor, now=now
        )
        grant_role(person_id=number, role=person.role, actor=actor, now=now)
    constituents = preview_import(_constituents(nation), file_name="demonstration.csv", now=now)
    apply_import(constituents, actor=actor, now=now)
    say("Laying a day of reports into the drop folder …")
    settings.DROP_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in day_of_reports(nation, now=now):
        beside = settings.DROP_FOLDER / f".{name}.part"
        beside.write_bytes(content)
        beside.rename(settings.DROP_FOLDER / name)


def _constituents(nation: Nation) -> bytes:
    raise NotImplementedError(io, nation)
