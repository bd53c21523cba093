"""What the checks of the whole audit log found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from muhafiz.jobs.queries import JobFacts, jobs
from muhafiz.jobs.rules import ACTIVE, DONE

VERIFY_JOB: Final = "keyring.verify_audit"
#: The note of a check that found something wrong; one that broke off has none.
NOT_WHOLE: Final = "not whole"

_LOOKED_BACK: Final = 20  # checks


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """One check. `broken`: it ended without an answer; `job` tells its progress or its reason."""

    job: JobFacts
    state: Literal["under-way", "whole", "not-whole", "broken"]


def last_check() -> AuditCheck | None:
    """The check that was asked for last; None when there never was one."""
    return next(iter(_checks()), None)


def last_answer() -> AuditCheck | None:
    """The last check that found the log whole, or not; None when there never was one."""
    return next((check for check in _checks() if check.state in {"whole", "not-whole"}), None)


def _checks() -> list[AuditCheck]:
    return [_check(job) for job in jobs(name=VERIFY_JOB, limit=_LOOKED_BACK)]


def _check(job: JobFacts) -> AuditCheck:
    if job.state in ACTIVE:
        return AuditCheck(job, "under-way")
    if job.state == DONE:
        return AuditCheck(job, "whole")
    return AuditCheck(job, "not-whole" if job.note == NOT_WHOLE else "broken")
