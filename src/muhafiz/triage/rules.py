"""When an item is due, what may be done with it, and what a shift hands on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from muhafiz.common.refusal import Refusal

NEW: Final = "new"
TAKEN: Final = "taken"
WAITING: Final = "waiting"
CLOSED: Final = "closed"
STATES: Final = (NEW, TAKEN, WAITING, CLOSED)
OPEN: Final = (NEW, TAKEN, WAITING)

#: Severities by rank: what is worse has the higher one.
SEVERITIES: Final = ("info", "low", "medium", "high", "critical")

#: What an officer may give as the reason of a closing.
REASONS: Final = ("resolved", "false_alarm", "duplicate", "accepted", "elsewhere", "other")
#: Why the platform closes by itself: the cause is gone.
OVER: Final = "over"

#: Whom or what an item may wait for.
WAITS_FOR: Final = ("organization", "colleague", "source", "time")

Act = Literal["take", "release", "assign", "wait", "close", "reopen"]
ACTS: Final[tuple[Act, ...]] = ("take", "release", "assign", "wait", "close", "reopen")

_SOON: Final = 0.25  # the part of its time that is left when a clock is called near
_LONGEST_NOTE: Final = 10_000
_ANY: Final = "*"


class NoSuchItem(Refusal):
    """The queue never held this item, or the viewer may not see it."""

    text = "There is no item {number} in the queue."


class CannotTake(Refusal):
    """Somebody else has it."""

    text = "{number} is with {owner}, who took it before you."


class ItemChanged(Refusal):
    """Somebody did something to the item after the page was drawn."""

    text = "{number} was changed by {by} in the meantime. Look at it again."


class CannotMove(Refusal):
    """The act does not fit the item's state."""

    text = "{number} cannot be moved so: it is {state}."


class ReasonMissing(Refusal):
    """A closing or a wait without its reason."""

    text = "Say why: choose a reason and write at least a few words."


class BadWait(Refusal):
    """The day to look again is past, or farther away than a year."""

    text = "An item can wait until a time between now and a year from now."


class BadNote(Refusal):
    """A note is empty or too long."""

    text = "A note has between 1 and {most} characters."


class CannotAssign(Refusal):
    """The person does not work on the queue."""

    text = "{name} does not work on the queue."


class NothingChosen(Refusal):
    """No item was chosen."""

    text = "Choose at least one item first."


class NotOnDuty(Refusal):
    """Somebody else is on duty."""

    text = "{name} is on duty and hands over the shift, or you take it over with a reason."


class CannotHandOver(Refusal):
    """The shift cannot go to this person."""

    text = "The shift cannot be handed to {name}: {reason}."


class CannotAccept(Refusal):
    """The handover is not this person's to accept, or is settled."""

    text = "Handover {number} cannot be accepted by {name}: {reason}."


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules need to know of an item."""

    number: str
    state: str
    owner: int | None
    owner_name: str
    version: int
    changed_by: str


def rank_of(severity: str) -> int:
    """A severity's rank: 0 for information, 4 for critical; what is unknown counts as medium."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 2


def severity_of(rank: int) -> str:
    """The severity of a rank."""
    return SEVERITIES[max(0, min(rank, len(SEVERITIES) - 1))]


def number_of(identifier: int) -> str:
    """An item's number, as people say it over the telephone."""
    return f"Q-{identifier}"


def target_minutes(targets: Iterable[Mapping[str, Any]], kind: str, severity: str) -> int | None:
    """Minutes within which an item of this kind and severity is to be settled; None: no clock.

    Of the rows that fit, one that names the kind goes before one for all ("*"), and among these
    one that names the severity.
    """
    best: tuple[int, int] | None = None
    for row in targets:
        named_kind, named_severity = row.get("kind", _ANY), row.get("severity", _ANY)
        minutes = row.get("minutes")
        fits = named_kind in {kind, _ANY} and named_severity in {severity, _ANY}
        if not fits or not isinstance(minutes, int) or isinstance(minutes, bool) or minutes < 0:
            continue
        weight = 2 * (named_kind == kind) + (named_severity == severity)
        if best is None or weight > best[0]:
            best = (weight, minutes)
    return None if best is None else best[1]


def due_time(arrived_at: datetime, minutes: int | None) -> datetime | None:
    """When an item is due that arrived then; None: it has no clock."""
    return None if minutes is None else arrived_at + timedelta(minutes=minutes)


def is_overdue(due_at: datetime | None, now: datetime) -> bool:
    """Whether the clock has run out."""
    return due_at is not None and due_at < now


def clock_look(arrived_at: datetime, due_at: datetime | None, now: datetime) -> str:
    """How a clock stands: "none", "over", "near" (a quarter of its time is left), "good"."""
    if due_at is None:
        return "none"
    if due_at < now:
        return "over"
    return "near" if now >= near_since(arrived_at, due_at) else "good"


def near_since(arrived_at: datetime, due_at: datetime) -> datetime:
    """From when on a clock is called near."""
    return due_at - (due_at - arrived_at) * _SOON


def time_left(arrived_at: datetime, due_at: datetime, now: datetime) -> float:
    """The part of an item's time that is left: 1 on its arrival, 0 from its target on."""
    whole = (due_at - arrived_at).total_seconds()
    left = (due_at - now).total_seconds()
    return max(0.0, min(left / whole, 1.0)) if whole > 0 else 0.0


def reaches(act: Act, state: str) -> bool:
    """Whether an act fits a state."""
    fitting = {
        "take": OPEN,
        "assign": OPEN,
        "release": (TAKEN, WAITING),
        "wait": OPEN,
        "close": OPEN,
        "reopen": (CLOSED,),
    }
    return state in fitting[act]


def state_after(act: Act, owner: int | None) -> str:
    """The state that an act leads to, for the owner that the item then has."""
    settled = {"take": TAKEN, "assign": TAKEN, "release": NEW, "wait": WAITING, "close": CLOSED}
    return settled.get(act) or (TAKEN if owner is not None else NEW)


def check_act(act: Act, standing: Standing, *, person: int | None, seen: int | None) -> None:
    """Refuse an act that does not fit, or that somebody else got in before.

    `person` acts (None: the platform); `seen` is the version that the person was shown (None: not
    told). To take what another has is refused; to assign is the deliberate way to take over.

    Raises:
        CannotTake, ItemChanged, CannotMove: as above.
    """
    number = standing.number
    if act == "take" and standing.owner not in {None, person} and standing.state != CLOSED:
        raise CannotTake(number=number, owner=standing.owner_name or "…")
    if not reaches(act, standing.state):
        raise CannotMove(number=number, state=standing.state)
    # Taking what is still free harms nobody, whatever else was changed meanwhile.
    if act != "take" and seen is not None and seen != standing.version:
        raise ItemChanged(number=number, by=standing.changed_by or "…")


def check_reason(act: Act, reason: str, text: str) -> None:
    """Refuse a closing or a wait that does not say why.

    Raises:
        ReasonMissing: the reason is not one of the choices, or nothing is written.
    """
    choices = {"close": REASONS, "wait": WAITS_FOR}.get(act)
    if choices is None:
        return
    if reason not in choices or (act == "close" and not text.strip()):
        raise ReasonMissing


def check_until(until: datetime | None, now: datetime) -> None:
    """Refuse a day to look again that has no sense.

    Raises:
        BadWait: it is past, or more than a year away.
    """
    if until is not None and not now < until <= now + timedelta(days=366):
        raise BadWait


def clean_note(text: str, *, needed: bool = True) -> str:
    """A note as it is kept: trimmed, line ends alike, no signs that databases refuse.

    Raises:
        BadNote: it is empty though needed, or too long.
    """
    kept = text.replace("\r\n", "\n").replace("\0", "\ufffd").strip()
    kept = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept)
    if (needed and not kept) or len(kept) > _LONGEST_NOTE:
        raise BadNote(most=_LONGEST_NOTE)
    return kept
