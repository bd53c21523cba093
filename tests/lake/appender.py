"""A process of its own that appends: `python -m tests.lake.appender WHAT FROM TO`.

Prints "ready", waits for a line on standard input, then one line per acknowledged report.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import django


def main() -> None:
    what, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    django.setup()

    from muhafiz.common.actor import Actor
    from muhafiz.lake.actions.append import append_batch
    from muhafiz.lake.actions.compaction import compact_day
    from muhafiz.lake.refusals import CannotCompact
    from tests.lake.rows import NOON, accepted, host

    actor = Actor.job("test")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for report in range(first, last):
        now = datetime.now(UTC)
        start = 0 if what == "same" else report * 3 % 40
        rows = [host(n % 50) for n in range(start, start + (50 if what == "same" else 20))]
        answer = append_batch(
            accepted(rows, report_id=report), report_id=report, batch_number=0, actor=actor, now=now
        )
        if what == "compacting" and report % 3 == 0:
            try:
                compact_day(NOON.date(), actor=actor, now=now)
            except CannotCompact:
                sys.stdout.write("moved\n")
        sys.stdout.write(f"{report} {answer.new_events} {answer.sightings}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
