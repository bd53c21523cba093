"""`muhafiz lake`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from muhafiz.config.command.ground import (
    Progress,
    as_json,
    clock,
    operator,
    show,
    table,
    with_django,
)

_COLUMNS = (
    "key",
    "day",
    "time_source",
    "source_ip",
    "source_fqdn",
    "classification_type",
    "organization_id",
    "network",
    "sightings",
)


@click.group()
def lake() -> None:
    """Query and verify stored security events."""


@lake.command("query")
@click.option("--organization", "organization_ids", type=int, multiple=True, help="Its number.")
@click.option("--nobody", is_flag=True, help="Events owned by nobody.")
@click.option("--cidr", help="The source address lies in this network.")
@click.option("--asn", type=int, help="The source's AS number.")
@click.option("--domain", "domain_suffix", help="This name or below it.")
@click.option("--type", "classification_types", multiple=True, help="RSIT type.")
@click.option("--report-type", "feed_codes", multiple=True, help="For example scan_telnet.")
@click.option("--since", type=click.DateTime(), help="UTC, included.")
@click.option("--until", type=click.DateTime(), help="UTC, not included.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.option("--after", help="The page mark that the page before ended with.")
@as_json
@with_django
def query_events(*, as_json: bool, **filters: Any) -> None:
    """List events, newest first. That they were read is written to the audit log."""
    from muhafiz.audit.actions.entries import record_read
    from muhafiz.lake.queries import next_cursor, scan
    from muhafiz.lake.query import EventQuery

    for moment in ("since", "until"):
        filters[moment] = _utc(filters[moment])
    for several in ("organization_ids", "classification_types", "feed_codes"):
        filters[several] = frozenset(filters[several])
    query = EventQuery(**filters)
    asked = {name: str(value) for name, value in filters.items() if value}
    record_read(
        actor=operator(), now=clock.now(), action="lake.read_events", subject="lake", details=asked
    )
    page = scan(query)
    after = next_cursor(page) if page.num_rows == query.limit else None
    rows = [_plain(row) for row in page.to_pylist()]
    words = table(rows, _COLUMNS) + ([f"More: --after {after}"] if after else [])
    show({"events": rows, "after": after}, as_json=as_json, words=words)


@lake.command("verify")
@click.option("--deep", is_flag=True, help="Read every file again and compare its digest.")
@as_json
@with_django
def verify_lake(*, deep: bool, as_json: bool) -> None:
    """Prove that every accepted row is stored once. Status 1 when the proof fails."""
    from muhafiz.feeds import queries as feeds
    from muhafiz.lake import queries as stored
    from muhafiz.lake.actions.verification import verify

    progress = Progress("verifying", quiet=as_json)
    proof = verify(now=clock.now(), deep=deep, progress=progress)
    progress.close()
    faults = [f"{one.subject}: {one.text}" for one in proof.problems]
    # The rooms do not know one another: only here can what intake told be held against the lake.
    told, kept = feeds.accepted_by_report(), stored.accepted_by_report()
    for number in sorted(told.keys() | kept.keys()):
        accepted, stood = told.get(number, 0), kept.get(number, 0)
        if accepted != stood:
            faults.append(f"report:{number}: intake accepted {accepted} rows, the lake {stood}.")
    sums = f"{proof.rows:,} rows of {proof.reports:,} reports in {proof.segments:,} segments"
    words = faults or [f"{sums}: every accepted row is stored once."]
    answer = {"proven": not faults, "rows": proof.rows, "faults": faults}
    show(answer, as_json=as_json, words=words)
    sys.exit(1 if faults else 0)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row with bytes as hexadecimal text, and what it does not say left out."""
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None
    }
