"""How the platform is."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog
from django.db import DatabaseError

from muhafiz.common.refusal import Refusal
from muhafiz.health.registry import Examination, declared_examinations
from muhafiz.health.rules import Ailment, Checkup, Fact, Finding, Value, worst_first

#: The subject whose fault explains that others cannot be looked at.
DATABASE: Final = "database"

UNSEEN = Ailment(
    "unseen",
    "fault",
    "This could not be looked at: {reason}",
    "Look again. If it stays, tell who maintains the platform.",
)

_log = structlog.get_logger(__name__)


def checkups(*, now: datetime) -> list[Checkup]:
    """What every examination found; nothing is changed."""
    made: list[Checkup] = []
    explained = False
    for each in declared_examinations():
        checkup = _checkup(each, now, explained=explained)
        explained |= each.code == DATABASE and checkup.state == "fault"
        made.append(checkup)
    return made


def findings(*, now: datetime) -> list[Finding]:
    """Everything that is wrong, the worst first."""
    return worst_first(checkups(now=now))


def database_faults(*, now: datetime) -> list[Finding]:
    """What is wrong with the database alone: the reason why a command could not be done."""
    (looked,) = [each for each in declared_examinations() if each.code == DATABASE]
    return list(_checkup(looked, now, explained=True).findings)


def startup_faults(*, now: datetime) -> list[Finding]:
    """What must be mended before the platform can run."""
    return [found for found in findings(now=now) if found.ailment.stops]


def _checkup(examination: Examination, now: datetime, *, explained: bool) -> Checkup:
    findings: list[Finding] = []
    facts: list[Fact] = []
    try:
        for told in examination.look(now):
            if isinstance(told, Finding):
                findings.append(told)
            else:
                facts.append(told)
    except DatabaseError as error:
        if not explained:
            findings.append(UNSEEN.found(reason=_reason(error)))
    except Exception as error:  # noqa: BLE001 - one subject must not hide the others
        _log.warning("not looked at", subject=examination.code, exc_info=error)
        findings.append(UNSEEN.found(reason=_reason(error)))
    return Checkup(examination.code, examination.word, tuple(findings), tuple(facts))


def _reason(error: Exception) -> Value:
    """Why, in a line; of what nobody foresaw only its kind, for its words may hold a secret."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, DatabaseError | OSError):
        return str(error).strip().split("\n", 1)[0]
    return type(error).__name__
