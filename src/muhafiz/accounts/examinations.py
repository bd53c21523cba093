"""Whether sign-in can trust the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.accounts.models import EntryClock
from muhafiz.accounts.queries import people
from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, fact

CLOCK_WENT_BACK = Ailment(
    "clock-went-back",
    "fault",
    "The clock of this machine was set back: it has already read {latest}. Links of letters open "
    "nothing until it does again.",
    "Set the clock right. If it once ran ahead and is right now: `muhafiz accounts clock`",
)
NO_ADMINISTRATOR = Ailment(
    "no-administrator",
    "warning",
    "Nobody who may sign in is an administrator.",
    "Run: `muhafiz accounts add EMAIL --role administrator`, then: `muhafiz accounts link EMAIL`",
)

_TOLERANCE = timedelta(minutes=1)  # two machines' clocks may differ by this much


@examination("people", "Sign-in")
def sign_in(now: datetime) -> Iterator[Finding | Fact]:
    """The clock that links are judged by, and somebody who can let others in."""
    mark = EntryClock.objects.filter(pk=1).first()
    if mark is not None and now < mark.latest - _TOLERANCE:
        yield CLOCK_WENT_BACK.found(latest=mark.latest)
    active = people()
    if not any("administrator" in each.roles for each in active):
        yield NO_ADMINISTRATOR.found()
    yield fact("People who may sign in: {count}.", count=len(active))
