"""One step of a round of the digest, in a process that may kill itself.

Run by test_kills.py on a database and folders of its own (environment):
`python killed.py prepare|arrive|digest|finish|race|check ROUND STEP`. "arrive" appends events of
every owner, "digest" does and dies (SIGKILL) at the STEP-th step of the digest, "finish" runs it to
the end, "race" does too, but waits for a line on its input first and says what it made. Steps are
counted before and after each commit and each naming of a file.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
from django.conf import settings

django.setup()
settings.MAIL_FROM = "notices@cert.example"
settings.SMTP_URL = ""

from django.core.management import call_command  # noqa: E402 - after Django is ready
from django.db import connection  # noqa: E402 - as above

from muhafiz.common.actor import Actor  # noqa: E402 - as above
from muhafiz.common.clock import HeldClock  # noqa: E402 - as above
from muhafiz.detection import queries  # noqa: E402 - as above
from muhafiz.detection.actions import notices  # noqa: E402 - as above
from muhafiz.detection.actions.policies import write_policy  # noqa: E402 - as above
from muhafiz.detection.rules import Policy  # noqa: E402 - as above
from muhafiz.lake.actions.append import append_batch  # noqa: E402 - as above
from muhafiz.notifications import queries as post  # noqa: E402 - as above
from muhafiz.rulebook.actions.profile import load_profile  # noqa: E402 - as above
from tests.detection.given import accepted, event, person  # noqa: E402 - as above

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ACTOR = Actor.job("killed")
OWNERS = 5
notices.LETTERS_AT_ONCE = 2


def prepare() -> None:
    call_command("migrate", verbosity=0)
    load_profile("pakistan", actor=ACTOR, now=NOW)
    for number in range(1, OWNERS + 1):
        made = person(f"Owner {number}", contact=number != 2, language="en", actor=ACTOR, now=NOW)
        assert made == number
    policy = Policy("all", "at_once", resend_days=0)
    write_policy(policy=policy, title="All", actor=ACTOR, now=NOW)


def arrive(number: int) -> None:
    rows = [event(owner, owner * 1000 + number) for owner in range(1, OWNERS + 1)]
    rows.append(event(1, 9000 + number, tlp="RED"))
    rows = [{**row, "time_source": NOW - timedelta(days=number)} for row in rows]
    table = accepted(rows, report_id=number)
    append_batch(table, report_id=number, batch_number=1, actor=ACTOR, now=NOW)


def digest(number: int, step: int) -> None:
    """Send what is due; die at the given step, 0: never."""
    left = step

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    rename, connected = Path.rename, connection._commit

    def counted_rename(self: Path, target: Path) -> Path:
        count()
        answer = rename(self, target)
        count()
        return answer

    def counted_commit() -> None:
        count()
        connected()
        count()

    Path.rename = counted_rename  # type: ignore[method-assign]
    connection._commit = counted_commit
    clock = HeldClock(NOW + timedelta(hours=number, minutes=not step))
    notices.send_due_notices(actor=ACTOR, clock=clock)


def race(number: int) -> None:
    """Run the digest when told to; print how many notices this process made."""
    clock = HeldClock(NOW + timedelta(hours=number))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    made = notices.send_due_notices(actor=ACTOR, clock=clock).notices
    sys.stdout.write(f"{made}\n")


def check(rounds: int) -> None:
    """Each event in exactly one notice of its owner, each notice in exactly one letter."""
    told: dict[tuple[int, int], int] = {}
    found = queries.notices(limit=100_000)
    for notice in found:
        for row in queries.notice_rows(notice.id):
            assert row["organization_id"] == notice.organization_id
            place = (row["report_id"], row["row"])
            assert place not in told, f"{place} was told twice"
            told[place] = notice.organization_id
    assert len(told) == rounds * (OWNERS + 1), f"{len(told)} rows told after {rounds} rounds"
    letters = post.letters(limit=100_000)
    released = [notice for notice in found if notice.state == "released"]
    assert len(letters) == len(released) >= OWNERS - 1
    numbers = sorted(int(notice.number.split("-")[-1]) for notice in released)
    assert numbers == list(range(1, len(released) + 1)), "a gap in the numbers"
    assert {notice.organization_id for notice in queries.undeliverable(limit=100_000)} == {2}
    keys = {(letter.policy, letter.recipient, letter.window) for letter in letters}
    assert len(keys) == len(letters)


def main() -> None:
    step, number, at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if step == "prepare":
        prepare()
    elif step == "race":
        race(number)
    elif step == "check":
        check(number)
    elif step == "finish":
        digest(number, 0)
    else:
        arrive(number)
        if step == "digest":
            digest(number, at)


main()
