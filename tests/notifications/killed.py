"""A process that delivers letters and is killed at every step, then one that is left alive.

Run by test_kills.py: `python killed.py DATABASE SMTP_URL KEYS PLAN`, where PLAN is a JSON list of
[step, nth]: the step before which the nth time the process kills itself with SIGKILL, or
["after", seconds]: it is killed from outside after so long. Prints the states as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import django
from django.conf import settings

django.setup()

from django.db import connections, transaction  # noqa: E402 - after Django is ready

from muhafiz.common.actor import Actor  # noqa: E402 - as above
from muhafiz.notifications.actions.delivery import deliver_due  # noqa: E402 - as above
from muhafiz.notifications.actions.leftovers import (  # noqa: E402 - as above
    list_left_messages,
)
from muhafiz.notifications.models import Message  # noqa: E402 - as above

database, settings.SMTP_URL, settings.KEYS, plan = sys.argv[1:]
connections["default"].settings_dict["NAME"] = database
settings.DEMONSTRATION = False
offset = timedelta(0)
actor = Actor.job("killed")


def clock() -> datetime:
    return datetime.now(UTC) + offset


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(owner: type, name: str, step: str, wanted: tuple[str, int], *, late: bool) -> None:
    """Kill before (or, `late`, right after) the nth call of owner.name."""
    seen: Counter[str] = Counter()
    original = getattr(owner, name)

    def watched(self, *arguments, **named):
        label = step
        if name == "docmd":
            label = f"{step} {arguments[0].lower()}"
        if name == "send":
            label = f"{step} {'dot' if arguments[0] == b'.' + bytes([13, 10]) else 'text'}"
        seen[label] += 1
        hit = (label, seen[label]) == wanted
        if hit and not late:
            die()
        result = original(self, *arguments, **named)
        if hit and late:
            die()
        return result

    setattr(owner, name, watched)


def arm(step: str, nth: int) -> None:
    late = step.startswith("after ")
    wanted = (step.removeprefix("after "), nth)
    for name in ("mail", "rcpt", "docmd", "send", "getreply", "rset"):
        watch(smtplib.SMTP, name, name, wanted, late=late)
    watch(transaction.Atomic, "__exit__", "commit", wanted, late=late)


def deliver(step: str, nth: float) -> None:
    if step == "after":
        threading.Thread(target=lambda: (time.sleep(nth), die()), daemon=True).start()
    elif step != "none":
        arm(step, int(nth))
    list_left_messages(actor=actor, now=clock())
    deliver_due(actor=actor, clock=clock)
    os._exit(0)


killed = 0
for step, nth in [*json.loads(plan), ["none", 0], ["none", 0]]:
    child = os.fork()
    if child == 0:
        deliver(step, nth)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    offset += timedelta(minutes=5)
rows = Message.objects.values_list("message_id", "state")
sys.stdout.write(json.dumps({"killed": killed, "states": dict(rows)}) + "\n")
