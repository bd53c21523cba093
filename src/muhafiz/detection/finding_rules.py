"""What becomes of a finding: what its owner may answer, and what time and sightings do to it. Pure.

| state | what it means | leaves by |
|---|---|---|
| open | nobody has answered | an answer; days without sightings |
| acknowledged | somebody works on it | an answer; days without sightings |
| fixed | its owner says it is mended | a sighting after the answer; an answer |
| not_ours | its owner says it is somebody else's; the CERT judges that | the CERT's no; an answer |
| excepted | its owner lives with it until a day | that day; an answer |
| quiet | not seen for days: closed by the platform | a sighting |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from muhafiz.common.refusal import Refusal

State = Literal["open", "acknowledged", "fixed", "not_ours", "excepted", "quiet"]
Answer = Literal["acknowledge", "fixed", "not_ours", "except"]
Review = Literal["", "waiting", "accepted", "rejected"]

STATES: Final[tuple[State, ...]] = (
    "open", "acknowledged", "fixed", "not_ours", "excepted", "quiet",
)  # fmt: skip
#: What still needs somebody.
PENDING: Final[tuple[State, ...]] = ("open", "acknowledged")
ANSWERS: Final[Mapping[str, State]] = {
    "acknowledge": "acknowledged",
    "fixed": "fixed",
    "not_ours": "not_ours",
    "except": "excepted",
}
#: An exception or a denial says why.
REASONED: Final = frozenset({"not_ours", "except"})
#: What the platform or the CERT notes in a finding's history, beside the owner's answers.
NOTED: Final = ("seen_again", "gone_quiet", "exception_over", "accepted", "rejected")
#: How grave a class usually is, for events to which no source gives a severity.
USUAL_SEVERITY: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("c2-server", "privileged-account-compromise", "system-compromise", "burglary", "sabotage"),
        "critical",
    ),
    **dict.fromkeys(
        (
            "infected-system", "malware-distribution", "malware-configuration", "exploit",
            "brute-force", "unprivileged-account-compromise", "application-compromise",
            "unauthorised-information-access", "unauthorised-information-modification",
            "data-leak", "data-loss", "phishing", "vulnerable-system", "ddos", "dos",
            "sniffing", "ids-alert",
        ),
        "high",
    ),
    **dict.fromkeys(
        (
            "ddos-amplifier", "potentially-unwanted-accessible", "information-disclosure",
            "weak-crypto", "scanner", "spam", "masquerade", "social-engineering",
            "unauthorised-use-of-resources", "misconfiguration", "outage", "violence",
        ),
        "medium",
    ),
    **dict.fromkeys(("harmful-speech", "copyright", "other", "undetermined"), "low"),
    "test": "info",
}  # fmt: skip
LONGEST_EXCEPTION_DAYS: Final = 366
_LONGEST_REASON: Final = 2_000


class BadResponse(Refusal):
    """An answer that cannot be understood, or lacks something."""

    text = "This answer cannot be taken: {reason}."


class CannotRespond(Refusal):
    """The finding stands so that this answer has no sense."""

    text = "{number} cannot be answered so: {reason}."


class NoSuchFinding(Refusal):
    """There is none, or none that the viewer may know of."""

    text = "There is no finding {number}."


class CannotJudge(Refusal):
    """Nothing waits to be judged, or no reason was given."""

    text = "{number} cannot be judged: {reason}."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a finding stands. `until`: the first day on which an exception holds no more."""

    state: State
    since: datetime
    last_seen: datetime
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a finding went, and what its history says of it."""

    state: State
    noted: str


def answer_named(text: str) -> Answer:
    """The answer of that name.

    Raises:
        BadResponse: there is none.
    """
    for name in ANSWERS:
        if name == text:
            return name  # type: ignore[return-value]  # the keys are the answers
    raise BadResponse(reason="it is none of acknowledge, fixed, not ours, exception")


def check_response(
    answer: Answer, *, number: str, state: str, review: str, until: date | None, today: date
) -> None:
    """Whether this answer may be given to a finding in this state.

    Raises:
        CannotRespond: the platform has closed it, or the CERT has agreed that it is not theirs.
        BadResponse: an exception without its day, or with one that is past or too far away.
    """
    if state == "quiet":
        raise CannotRespond(number=number, reason="it is closed and needs no answer")
    if state == "not_ours" and review == "accepted":
        raise CannotRespond(number=number, reason="it is settled that it is not yours")
    if answer == "not_ours" and review == "waiting":
        raise CannotRespond(number=number, reason="this answer is under review already")
    if answer == "except":
        _check_until(until, today)
    elif until is not None:
        raise BadResponse(reason="only an exception ends on a day")


def _check_until(until: date | None, today: date) -> None:
    if until is None:
        raise BadResponse(reason="an exception needs the day on which it ends")
    if until <= today:
        raise BadResponse(reason="the day on which it ends must lie ahead")
    if until > today + timedelta(days=LONGEST_EXCEPTION_DAYS):
        raise BadResponse(reason="an exception lasts a year at most")


def checked_reason(answer: Answer, reason: str) -> str:
    """The reason as it is kept.

    Raises:
        BadResponse: it is needed and missing, too long, or holds control characters.
    """
    text = "\n".join(line.strip() for line in reason.strip().splitlines())
    if answer in REASONED and not text:
        raise BadResponse(reason="please say why")
    if len(text) > _LONGEST_REASON:
        raise BadResponse(reason="the reason is longer than 2,000 letters")
    if any(ord(letter) < ord(" ") and letter != "\n" for letter in text):
        raise BadResponse(reason="the reason holds signs that cannot be read")
    return text


def after_sighting(standing: Standing, *, now: datetime, quiet_after: timedelta) -> Moved | None:
    """What a sighting does: reopen what was called mended before it, and what had gone quiet."""
    if standing.state == "fixed" and standing.last_seen > standing.since:
        return Moved("open", "seen_again")
    if standing.state == "quiet" and not _is_quiet(standing, now, quiet_after):
        return Moved("open", "seen_again")
    return None


def after_time(
    standing: Standing, *, today: date, now: datetime, quiet_after: timedelta
) -> Moved | None:
    """What the passing of time does: end exceptions, close what is not seen any more."""
    quiet = _is_quiet(standing, now, quiet_after)
    if standing.state == "excepted" and standing.until is not None and today >= standing.until:
        return Moved("quiet", "gone_quiet") if quiet else Moved("open", "exception_over")
    if standing.state in PENDING and quiet:
        return Moved("quiet", "gone_quiet")
    return None


def _is_quiet(standing: Standing, now: datetime, quiet_after: timedelta) -> bool:
    return standing.last_seen < now - quiet_after


def after_judging(*, number: str, state: str, review: str, reason: str) -> str:
    """The reason of a judgement about “not ours”, as it is kept.

    Raises:
        CannotJudge: nothing waits to be judged, or no reason was given.
    """
    if state != "not_ours" or review != "waiting":
        raise CannotJudge(number=number, reason="nobody waits for a judgement")
    text = " ".join(reason.split())
    if not text:
        raise CannotJudge(number=number, reason="a reason is needed, the owner reads it")
    return text[:_LONGEST_REASON]


@dataclass(frozen=True, slots=True)
class AssetAnswer:
    """The answer that stands for one asset, and when it was given."""

    state: State
    since: datetime
    until: date | None = None


def asset_state(answer: AssetAnswer | None, *, last_seen: datetime, today: date) -> State:
    """How one asset stands; without an answer, or with one that is over, it is open."""
    if answer is None:
        return "open"
    if answer.state == "fixed" and last_seen > answer.since:
        return "open"
    if answer.state == "excepted" and answer.until is not None and today >= answer.until:
        return "open"
    return answer.state


def settled(states: Collection[State]) -> State | None:
    """What all assets' answers together say of the finding; None while one of them is open.

    Different answers together make it acknowledged: somebody has looked at every asset.
    """
    found = set(states)
    if not found or "open" in found:
        return None
    return found.pop() if len(found) == 1 else "acknowledged"
