"""The event store at 10^5, 10^6, 10^7 events over 90 days and 26 types.

Bytes per event, append speed, the memory taken, and the six questions of the desk (medians, warm)
while another process appends 20,000 events a second.

    python benchmarks/store.py [--rows N ...] [--json FILE]
"""

# ruff: noqa: PLC0415 - Django must be set up before anything that has models is imported

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SIZES = (100_000, 1_000_000, 10_000_000)
TARGETS_MS = {
    "organization, 24 h": 50,
    "a /16, newest 1,000": 250,
    "top 20 of the month": 250,
    "90-day series per class": 250,
    "domain suffix": 500,
    "one key": 25,
}
ROUNDS = 15
WRITER_ROWS = 20_000
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def set_up(var: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muhafiz.config.settings")
    os.environ["MUHAFIZ_VAR"] = var
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def measure(rows: int) -> dict[str, Any]:
    """One size, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="muhafiz-store-") as var:
        set_up(var)
        found: dict[str, Any] = {"events": rows, **fill(rows)}
        found |= one_day(rows)
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found["queries_ms_quiet"] = questions()
        writer = subprocess.Popen(  # a process of its own, as in an installation
            [sys.executable, __file__, "--writer", var],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        found["queries_ms"] = questions()
        writer.stdin.close()
        found["written_meanwhile"] = int(writer.stdout.readline())
        writer.wait()
        started = time.perf_counter()
        found |= {"verify_s": round(verify() and time.perf_counter() - started, 2)}
    return found


def fill(rows: int) -> dict[str, Any]:
    """90 days, one report each; then compaction, which is what a night later holds."""
    from generate import constituency, store_days

    from muhafiz.common.actor import Actor
    from muhafiz.lake.actions.append import append_batch
    from muhafiz.lake.actions.compaction import compact_day, days_to_compact
    from muhafiz.lake.queries import volumes

    actor = Actor.job("benchmark")
    wall = cpu = 0.0
    for report, table in store_days(rows, constituency()):
        clocks = time.perf_counter(), time.process_time()
        append_batch(table, report_id=report, batch_number=0, actor=actor, now=NOW)
        wall += time.perf_counter() - clocks[0]
        cpu += time.process_time() - clocks[1]
    for day in days_to_compact(today=NOW.date()):
        compact_day(day, actor=actor, now=NOW)
    size = sum(day.size_bytes for day in volumes())
    return {
        "append_events_per_s": round(rows / wall),
        "append_cpu_s_per_million": round(cpu / rows * 1e6, 2),
        "bytes_per_event": round(size / rows, 1),
    }


def one_day(rows: int) -> dict[str, Any]:
    """The hot path's worst case: all rows on one day, in batches of 250,000, each key new."""
    import numpy as np
    import pyarrow as pa
    from generate import CHUNK, accepted, constituency

    from muhafiz.common.actor import Actor
    from muhafiz.lake.actions.append import append_prepared, installation_salt, prepare_batch
    from muhafiz.lake.actions.housekeeping import delete_retired_segments, remove_day

    found = constituency()
    networks, random = pa.array(found.networks()), np.random.default_rng(9)
    actor, day = Actor.job("benchmark"), NOW.date() + timedelta(days=400)
    spent = {"prepare": 0.0, "commit": 0.0}
    wall = 0.0
    for number in range(max(1, rows // CHUNK)):
        table = accepted(found, networks, random, min(CHUNK, rows), day, 999_999)
        started, cpu = time.perf_counter(), time.process_time()
        prepared = prepare_batch(table, salt=installation_salt())
        middle = time.process_time()
        append_prepared(prepared, report_id=999_999, batch_number=number, actor=actor, now=NOW)
        spent["prepare"] += middle - cpu
        spent["commit"] += time.process_time() - middle
        wall += time.perf_counter() - started
    remove_day(day, reason="benchmark", actor=actor, now=NOW)
    delete_retired_segments(now=NOW + timedelta(days=1))
    return {
        "one_day_events_per_s": round(rows / wall),
        **{f"one_day_{k}_cpu_s_per_million": round(v / rows * 1e6, 2) for k, v in spent.items()},
    }


def questions() -> dict[str, float]:
    """Median milliseconds of each of the six."""
    import ipaddress

    from muhafiz.lake import queries
    from muhafiz.lake.query import EventQuery

    day = timedelta(days=1)
    sample = queries.scan(EventQuery(until=NOW - 30 * day, limit=2_000)).to_pylist()
    named = next(r for r in sample if r["source_fqdn"] and r["source_fqdn"].startswith("host"))
    owned = next(r for r in sample if r["organization_id"] and "." in r["source_ip"])
    owner = owned["organization_id"]
    network = str(ipaddress.ip_network(f"{owned['source_ip']}/16", strict=False))
    suffix = named["source_fqdn"].split(".", 1)[1]
    month = EventQuery(since=NOW - 30 * day, until=NOW)
    asked: dict[str, Callable[[], object]] = {
        "organization, 24 h": lambda: queries.scan(
            EventQuery(organization_ids=frozenset({owner}), since=NOW - day, until=NOW)
        ),
        "a /16, newest 1,000": lambda: queries.scan(EventQuery(cidr=network, limit=1_000)),
        "top 20 of the month": lambda: queries.top(month, "organization"),
        "90-day series per class": lambda: queries.series(
            EventQuery(since=NOW - 90 * day, until=NOW)
        ),
        "domain suffix": lambda: queries.scan(EventQuery(domain_suffix=suffix)),
        "one key": lambda: queries.event(owned["key"], owned["day"]),
    }
    return {name: _median_ms(ask) for name, ask in asked.items()}


def _median_ms(ask: Callable[[], object]) -> float:
    ask()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1e3)
    return round(statistics.median(taken), 1)


def verify() -> bool:
    from muhafiz.lake.actions.verification import verify as prove

    found = prove(now=NOW, deep=True)
    assert found.proven, found.problems[:5]
    return True


def write_until_told(var: str) -> None:
    """20,000 new events a second on the newest day, until standard input closes."""
    import select

    set_up(var)
    import numpy as np
    import pyarrow as pa
    from generate import accepted, constituency

    from muhafiz.common.actor import Actor
    from muhafiz.lake.actions.append import append_batch

    found = constituency()
    networks, random = pa.array(found.networks()), np.random.default_rng(7)
    number = 0
    day, actor = NOW.date(), Actor.job("writer")
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 1.0)[0]:
        table = accepted(found, networks, random, WRITER_ROWS, day, 1_000_000)
        append_batch(table, report_id=1_000_000, batch_number=number, actor=actor, now=NOW)
        number += 1
    print(number * WRITER_ROWS, flush=True)


def show(results: list[dict[str, Any]]) -> None:
    names = [name for name in results[0] if not name.startswith("queries")]
    for name in names:
        print(f"{name:36}" + "".join(f"{each[name]:>14,}" for each in results))
    for name, target in TARGETS_MS.items():
        line = "".join(f"{each['queries_ms'][name]:>14,}" for each in results)
        print(f"{name + ', ms':36}{line}   target {target}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--writer", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.writer:
        return write_until_told(chosen.writer)
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return None
    results = []
    for rows in chosen.rows or SIZES:
        run = subprocess.run(
            [sys.executable, __file__, "--one", str(rows)],
            check=True,
            capture_output=True,
            text=True,
        )
        results.append(json.loads(run.stdout.splitlines()[-1]))
    show(results)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
