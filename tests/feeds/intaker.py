"""A process of its own that takes a report in and reads it: `python -m tests.feeds.intaker FILE`.

Prints "ready", waits for a line, then "kept N" and "done N", or what it refused.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import django


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    from muhafiz.common.actor import Actor
    from muhafiz.common.clock import HeldClock
    from muhafiz.feeds.actions.dropped import ingest_file
    from muhafiz.feeds.actions.processing import process_report
    from muhafiz.feeds.actions.replay import reprocess_report

    actor, now = Actor.job("test"), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    say("ready")
    sys.stdin.readline()
    kept = ingest_file(path=Path(sys.argv[1]), feed="shadowserver", actor=actor, now=now)
    say(f"kept {kept.id}")
    done = process_report(kept.id, actor=actor, clock=HeldClock(now))
    if done.state == "quarantined":  # killed too often before its first progress
        reprocess_report(report_id=kept.id, actor=actor, now=now)
        done = process_report(kept.id, actor=actor, clock=HeldClock(now))
    say(f"{done.state} {kept.id} {done.rows_accepted} {done.rows_set_aside}")


if __name__ == "__main__":
    main()
