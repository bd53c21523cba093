"""The latest moment that this installation has read from its clock.

A link that has expired would open the door again if the clock were set back. So the latest moment
is kept, by every link and every sign-in, and hourly by a job; links are refused to an earlier one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from muhafiz.accounts.models import (
    AddressChange,
    EntryClock,
    EntryLink,
    Invitation,
    Session,
    Tries,
)
from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.formats.lines import one_line

_TOLERANCE: Final = timedelta(minutes=1)  # two machines' clocks may differ by this much


class ClockWentBack(Refusal):
    """The machine's clock reads earlier than it did: an expired link could pass for a valid one."""

    text = "The clock of this machine was set back (it has already read {latest}). Set it right."


@transaction.atomic
def note_clock(now: datetime) -> datetime:
    """Keep the moment, if it is the latest so far; the latest."""
    mark, _ = EntryClock.objects.get_or_create(pk=1, defaults={"latest": now})
    EntryClock.objects.filter(pk=1, latest__lt=now).update(latest=now)
    return max(mark.latest, now)


def read_clock(now: datetime) -> None:
    """Keep the latest moment seen, and refuse an earlier one.

    Raises:
        ClockWentBack: the clock cannot be trusted.
    """
    latest = note_clock(now)
    if now < latest - _TOLERANCE:
        raise ClockWentBack(latest=f"{latest:%Y-%m-%d %H:%M} UTC")


@transaction.atomic
def trust_clock(*, actor: Actor, now: datetime) -> int:
    """Take this moment as right though a later one was read; how many open links ended thereby.

    For a clock that once ran ahead. Every link made so far is worth nothing from now on, so that
    none can come back to life. What it left of the future goes as well: sessions, which would
    outlast every shift, and counted tries, for which people would wait until then.

    Raises:
        NotAllowed: the actor may not.
    """
    check_may(actor, "people.edit")
    EntryClock.objects.update_or_create(pk=1, defaults={"latest": now})
    ended = EntryLink.objects.filter(used_at=None).update(used_at=now)
    ended += Invitation.objects.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
    ended += AddressChange.objects.filter(used_at=None).update(used_at=now)
    sessions = Session.objects.filter(ended_at=None, opened_at__gt=now).update(
        ended_at=now, ended_by=one_line(str(actor), 100), ended_why="clock set right"
    )
    Tries.objects.filter(latest__gt=now).delete()
    record_entry(
        actor=actor,
        now=now,
        action="accounts.trust_clock",
        subject="accounts",
        details={"links": ended, "sessions": sessions},
    )
    return ended
