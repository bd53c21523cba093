"""The states of a CERT's mandate and the ways between them. Pure.

nominated → recommended (by the Council) → cabinet → notified (in the gazette) → operational;
operational ⇄ suspended; revoked from anywhere, for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from muhafiz.common.refusal import Refusal

KINDS: Final = ("national", "sectoral", "government", "cii", "organizational")
NOMINATED, RECOMMENDED, CABINET, NOTIFIED = "nominated", "recommended", "cabinet", "notified"
OPERATIONAL, SUSPENDED, REVOKED = "operational", "suspended", "revoked"

#: From each state, the states that may follow.
STEPS: Final[Mapping[str, frozenset[str]]] = {
    NOMINATED: frozenset({RECOMMENDED, REVOKED}),
    RECOMMENDED: frozenset({CABINET, REVOKED}),
    CABINET: frozenset({NOTIFIED, REVOKED}),
    NOTIFIED: frozenset({OPERATIONAL, REVOKED}),
    OPERATIONAL: frozenset({SUSPENDED, REVOKED}),
    SUSPENDED: frozenset({OPERATIONAL, REVOKED}),
    REVOKED: frozenset(),
}

# Where days begin first, a gazette's day begins this long before UTC's.
_AHEAD_OF_UTC = timedelta(hours=14)

#: States in which a gazette has given the mandate and nothing has taken it away.
MANDATED: Final = frozenset({NOTIFIED, OPERATIONAL})


class BadCert(Refusal):
    """A CERT cannot be entered so."""

    text = "This CERT cannot be entered: {problem}."


class CannotMove(Refusal):
    """The mandate cannot take this step."""

    text = "{name} cannot become {state}: {reason}."


@dataclass(frozen=True, slots=True)
class Gazette:
    """Where a notification stands: the gazette's number and date."""

    number: str
    date: date


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a CERT shows before it operates.

    The address of its published profile (RFC 2350), the fingerprint of its key, a contact that
    answers 24/7, and when it answered the last ping.
    """

    profile: str
    key_fingerprint: str
    contact: str
    ping_answered_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A step to take, with what it rests on."""

    state: str
    effective_at: datetime
    gazette: Gazette | None = None
    readiness: Readiness | None = None
    reason: str = ""


def check_cert(*, kind: str, sector: str, names: Mapping[str, str]) -> None:
    """Refuse a CERT without a kind, an English name, or (if sectoral) a sector.

    Raises:
        BadCert: with the problem.
    """
    problem = ""
    if kind not in KINDS:
        problem = f"its kind must be one of {', '.join(KINDS)}"
    elif not names.get("en", "").strip():
        problem = "it needs an English name"
    elif (kind == "sectoral") != bool(sector):
        problem = "a sectoral CERT has a sector, and no other has"
    if problem:
        raise BadCert(problem=problem)


def check_step(*, name: str, current: str, since: datetime, step: Step) -> None:
    """Refuse a step that the law or the order of things does not allow.

    Raises:
        CannotMove: with the reason.
    """
    reason = _objection(current, since, step)
    if reason:
        raise CannotMove(name=name, state=step.state, reason=reason)


def _objection(current: str, since: datetime, step: Step) -> str:
    if step.state not in STEPS:
        return "there is no such state"
    if step.state not in STEPS[current]:
        return f"it is {current}"
    if step.effective_at < since:
        return f"it has been {current} only since {since:%Y-%m-%d}"
    return _unfounded(current, step)


def _unfounded(current: str, step: Step) -> str:
    """What the step would have to rest on and does not."""
    if step.state == NOTIFIED:
        return _gazette_objection(step)
    if step.state == OPERATIONAL and current == NOTIFIED:
        return _readiness_objection(step)
    if step.state in {SUSPENDED, REVOKED} and not step.reason.strip():
        return "the reason is missing"
    return ""


def _gazette_objection(step: Step) -> str:
    if step.gazette is None or not step.gazette.number.strip():
        return "the gazette's number and date are missing"
    if step.gazette.date > (step.effective_at + _AHEAD_OF_UTC).date():
        return "a gazette of a later day cannot have notified it"
    return ""


def _readiness_objection(step: Step) -> str:
    shown = step.readiness
    if shown is None:
        return "profile, key, contact and ping are missing"
    texts = {
        "profile": shown.profile,
        "key": shown.key_fingerprint,
        "24/7 contact": shown.contact,
    }
    missing = [what for what, text in texts.items() if not text.strip()]
    if missing:
        return f"it has shown no {', no '.join(missing)}"
    if shown.ping_answered_at > step.effective_at:
        return "it has not answered a ping yet"
    return ""


def may_act_as_sectoral(*, kind: str, state: str) -> bool:
    """Whether a CERT in this state has the powers of a sectoral CERT: off until notified."""
    return kind == "sectoral" and state in MANDATED
