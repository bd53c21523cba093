"""The event explorer over 10^6, 10^7 events of 90 days, through the real pages, in process.

First answer of the page, its top lists, a filtered page, the next page, one event: medians in
milliseconds, while another process appends 20,000 events a second.

    python benchmarks/explorer.py [--rows N ...] [--json FILE]
"""

# ruff: noqa: PLC0415 - Django must be set up before anything that has models is imported

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import store

SIZES = (1_000_000, 10_000_000)
TARGETS_MS = {"first page, 30 days": 1_000}
ROUNDS = 7


def measure(rows: int) -> dict[str, Any]:
    """One size, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="muhafiz-explorer-") as var:
        store.set_up(var)
        found: dict[str, Any] = {"events": rows}
        store.fill(rows)
        ask = pages()
        found["pages_ms_quiet"] = timed(ask)
        writer = subprocess.Popen(
            [sys.executable, str(Path(store.__file__)), "--writer", var],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        found["pages_ms"] = timed(ask)
        writer.stdin.close()
        found["written_meanwhile"] = int(writer.stdout.readline())
        writer.wait()
    return found


def analyst() -> Any:
    """A signed-in browser of an analyst, in process: every request takes the whole way."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from muhafiz.accounts.actions.people import grant_role, register_person
    from muhafiz.common.actor import Actor
    from muhafiz.web.build import build_static

    build_static()
    operator = Actor.command("benchmark")
    person = register_person(
        email="a@example.org", name="Analyst", language="en", actor=operator, now=store.NOW
    )
    grant_role(person_id=person.id, role="analyst", actor=operator, now=store.NOW)
    rows = get_user_model().objects.filter(pk=person.id)
    rows.update(second_factor=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(rows.get())
    return client


def pages() -> dict[str, Callable[[], Any]]:
    """Each question as a request that a browser would send."""
    from muhafiz.lake import queries
    from muhafiz.lake.query import EventQuery

    client, day = analyst(), timedelta(days=1)
    until = f"{store.NOW + day:%Y-%m-%dT00:00Z}"
    sample = queries.scan(EventQuery(until=store.NOW - 5 * day, limit=500)).to_pylist()
    owned = next(row for row in sample if row["organization_id"] and "." in row["source_ip"])
    network = ".".join(owned["source_ip"].split(".")[:2]) + ".0.0/16"
    mark = queries.next_cursor(queries.scan(EventQuery(until=store.NOW, limit=50)))

    def asked(days: int, words: str = "") -> Callable[[], Any]:
        since = f"{store.NOW + day - days * day:%Y-%m-%dT00:00Z}"
        return got(f"/desk/events/?since={since}&until={until}{words}")

    def got(address: str) -> Callable[[], Any]:
        def answer() -> Any:
            response = client.get(address)
            assert response.status_code == 200, (address, response.status_code)
            return response

        return answer

    return {
        "first page, 30 days": asked(30),
        "first page, 90 days": asked(90),
        "a day by hours and severity": asked(1, "&bands=severity"),
        "top lists, 30 days": asked(30, "&part=top"),
        "one organization, 90 days": asked(90, f"&organization={owned['organization_id']}"),
        "a /16, 90 days": asked(90, f"&cidr={network}"),
        "next page": asked(30, f"&after={mark}"),
        "one event": got(f"/desk/events/{owned['day']}/{owned['key']}/"),
    }


def timed(ask: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds of each."""
    found = {}
    for name, question in ask.items():
        question()
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            question()
            taken.append((time.perf_counter() - started) * 1e3)
        found[name] = round(statistics.median(taken), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return
    results = []
    for rows in chosen.rows or SIZES:
        words = [sys.executable, __file__, "--one", str(rows)]
        run = subprocess.run(words, check=True, capture_output=True, text=True)
        results.append(json.loads(run.stdout.splitlines()[-1]))
    for found in results:
        print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
