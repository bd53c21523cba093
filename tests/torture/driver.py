"""A whole platform in one process that may be killed at any moment, and is, again and again.

Run as `python driver.py FOLDER KILLS SEED`. A forker loads everything once; each child takes the
reports that lie in FOLDER/incoming, reads them, digests and delivers, until it is killed. What it
was told is accepted, it writes to FOLDER/acknowledged before it goes on. At the end two children
live to the end of the work, and the last writes what it finds to FOLDER/verdict.json.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

START = datetime.now(UTC)
IDLE_SECONDS = 4.0  # of real time: twenty hasty minutes, in which every minute's job comes round
DAY = (START - timedelta(days=1)).strftime("%Y-%m-%d")
OWNED = 6  # the first six /27 of 192.0.2.0/24 have owners, the last two nobody
HEAD = '"timestamp","severity","ip","protocol","port","hostname","tag","asn","geo","banner"'


class HastyClock:
    """Real time, but five minutes pass in a second: leases run out, windows close."""

    def now(self) -> datetime:
        return START + (datetime.now(UTC) - START) * 300


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(seed)
    django.setup()
    load_everything()
    assert life(lambda: prepare(folder)) == 0
    done = 0
    while done < kills:
        if draw.random() < 0.5:
            lay_report(folder, draw)
        status = life(lambda: work(folder), kill_after=draw.uniform(0.01, 1.0))
        assert status == -signal.SIGKILL, f"a child ended by itself with status {status}"
        done += 1
    assert life(lambda: work(folder)) == 0
    assert life(read_again) == 0
    assert life(lambda: work(folder)) == 0
    assert life(lambda: judge(folder)) == 0


def load_everything() -> None:
    """Import what a child needs, so that a fork is a start. Nothing runs before the fork."""
    import muhafiz.detection.jobs
    import muhafiz.feeds.jobs
    import muhafiz.jobs.scheduler
    import muhafiz.jobs.worker
    import muhafiz.notifications.jobs  # noqa: F401


def life(body: Callable[[], None], kill_after: float | None = None) -> int:
    """Fork a child, kill it after so many seconds; its status, or the signal as a negative."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            body()
            status = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare(folder: Path) -> None:
    """Six owners with a contact each, one feed, letters at once."""
    from django.core.management import call_command

    from muhafiz.common.actor import Actor
    from muhafiz.config.standard_feeds import make_standard_feeds
    from muhafiz.constituency.actions.imports import apply_import, preview_import
    from muhafiz.detection.actions.policies import install_default_policies
    from muhafiz.rulebook.actions.profile import load_profile

    call_command("migrate", verbosity=0, interactive=False)
    actor, now = Actor.command("torture"), HastyClock().now()
    load_profile("pakistan", actor=actor, now=now)
    make_standard_feeds(actor=actor, now=now)
    install_default_policies(actor=actor, now=now, cadence="at_once")
    lines = ["organization,record,value,name,sector,language,role"]
    for number in range(OWNED):
        lines.append(f"o{number},organization,,Owner {number},public,en,")
        lines.append(f"o{number},network,192.0.2.{number * 32}/27,,,,")
        lines.append(f"o{number},contact,abuse@o{number}.example.org,,,en,abuse")
    sheet = preview_import("\n".join(lines).encode(), file_name="owners.csv", now=now)
    assert not sheet.problems, sheet.problems
    apply_import(sheet, actor=actor, now=now)
    for name in ("incoming", "taken"):
        (folder / name).mkdir()


def work(folder: Path) -> None:
    """What a platform does: take reports in, work the queue, until there is nothing left."""
    from muhafiz.common.actor import Actor
    from muhafiz.feeds.actions.intake import keep_report
    from muhafiz.jobs.scheduler import schedule_due
    from muhafiz.jobs.worker import run_due

    clock, actor = HastyClock(), Actor.job("torture")
    for path in sorted((folder / "incoming").glob("*.csv")):
        now = clock.now()
        keep_report(
            feed="shadowserver",
            file_name=path.name,
            raw=path.read_bytes(),
            received_at=now,
            actor=actor,
            now=now,
        )
        with (folder / "acknowledged").open("a") as told:
            told.write(path.name + "\n")
            told.flush()
            os.fsync(told.fileno())
        path.rename(folder / "taken" / path.name)
    busy_at = time.monotonic()
    while time.monotonic() - busy_at < IDLE_SECONDS:
        schedule_due(clock)
        run_due(clock)
        if work_waits():
            busy_at = time.monotonic()
        time.sleep(0.02)


def work_waits() -> bool:
    """Whether anything is yet to be read, told or delivered."""
    from muhafiz.feeds.queries import reports
    from muhafiz.notifications.queries import counts_by_state

    messages = counts_by_state()
    unread = any(
        report.state in {"received", "processing", "failed"} for report in reports(limit=500)
    )
    return unread or messages["queued"] > 0 or messages["sending"] > 0


def read_again() -> None:
    """What a person does with reports that were set apart for having been cut off too often."""
    from muhafiz.common.actor import Actor
    from muhafiz.feeds.actions.replay import reprocess_report
    from muhafiz.feeds.queries import reports

    for report in reports(states=["quarantined"], limit=10_000):
        assert report.reason == "no-progress", report
        reprocess_report(
            report_id=report.id, actor=Actor.command("torture"), now=HastyClock().now()
        )


def lay_report(folder: Path, draw: random.Random, rows: int = 60) -> None:
    """A telnet report about the owners' hosts and others', some rows unreadable."""
    number = draw.getrandbits(40)
    start = datetime.fromisoformat(f"{DAY}T00:00:00+00:00")
    lines = [HEAD]
    for _ in range(rows):
        moment = start + timedelta(seconds=draw.randrange(86_400))
        address = f"192.0.2.{draw.randrange(256)}" if draw.random() > 0.05 else "no.such.address"
        port = draw.randrange(1, 65_536)
        lines.append(
            f'"{moment:%Y-%m-%d %H:%M:%S}","high","{address}","tcp",{port},"","telnet",64500,"PK",""'
        )
    beside = folder / "incoming" / f".{number:x}"
    beside.write_text("\r\n".join([*lines, ""]))
    beside.rename(folder / "incoming" / f"{DAY}-scan_telnet-{number:x}.csv")


def judge(folder: Path) -> None:
    """Write what the platform says of itself, for the test to hold against what came in and out."""
    from muhafiz.audit.queries import verify as audit_faults
    from muhafiz.detection.queries import counts_by_state as notices
    from muhafiz.feeds.queries import reports
    from muhafiz.lake.actions.verification import verify
    from muhafiz.lake.queries import scan_days
    from muhafiz.lake.query import EventQuery
    from muhafiz.notifications.queries import counts_by_state, letter_bytes, unsure

    now = HastyClock().now()
    proof = verify(now=now, deep=True)
    events = [row for day in scan_days(EventQuery(limit=None)) for row in day.to_pylist()]
    verdict = {
        # A kill may leave a file that no row names; a job removes it in time.
        "lake": [one.text for one in proof.problems if one.kind != "orphan"],
        "audit": list(audit_faults()),
        "reports": {
            one.file_name: [one.state, one.rows_accepted, one.rows_set_aside]
            for one in reports(limit=100_000)
        },
        "events": [[row["source_ip"], row["source_port"], row["sightings"]] for row in events],
        "owned": [
            [row["source_ip"], row["source_port"]] for row in events if row["organization_id"]
        ],
        "sightings": sum(row["sightings"] for row in events),
        "messages": counts_by_state(),
        "notices": notices(),
        "unsure": [(letter_bytes(one.id) or b"").decode() for one in unsure(limit=10_000)],
        "twice": [key for key, n in Counter(row["key"] for row in events).items() if n > 1],
    }
    (folder / "verdict.json").write_text(json.dumps(verdict, default=str))


if __name__ == "__main__":
    main()
