"""`muhafiz lake`."""

from __future__ import annotations

import sys
from datetime import datetime

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
    "key", "day", "time_source", "source_ip", "source_fqdn", "classification_type",
    "organization_id", "network", "sightings",
)  # fmt: skip

since_until = (
    click.option("--since", type=click.DateTime(), help="UTC, included."),
    click.option("--until", type=click.DateTime(), help="UTC, not included."),
)


@click.group()
def lake() -> None:
    """Query and verify stored security events."""


@lake.command("query")
@click.option("--organization", "organizations", type=int, multiple=True, help="Owner's number.")
@click.option("--nobody", is_flag=True, help="Events owned by nobody.")
@click.option("--cidr", help="The source address lies in this network.")
@click.option("--asn", type=int)
@click.option("--domain", help="This name or below it.")
@click.option("--type", "types", multiple=True, help="RSIT type, for example vulnerable-system.")
@click.option("--report-type", "codes", multiple=True, help="For example scan_telnet.")
@click.option("--since", type=click.DateTime(), help="UTC, included.")
@click.option("--until", type=click.DateTime(), help="UTC, not included.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.option("--after", help="The page mark that the page before ended with.")
@as_json
@with_django
def query(
    *,
    organizations: tuple[int, ...],
    types: tuple[str, ...],
    codes: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    **filters: object,
) -> None:
    """List events, newest first. Reading is written to the audit log."""
    from muhafiz.config.reading import read_events

    page = read_events(
        actor=operator(),
        now=clock.now(),
        organization_ids=frozenset(organizations),
        classification_types=frozenset(types),
        feed_codes=frozenset(codes),
        since=_utc(since),
        until=_utc(until),
        **filters,
    )
    words = table(page.rows, _COLUMNS)
    if page.next_page:
        words.append(f"More: --after {page.next_page}")
    show({"events": page.rows, "next": page.next_page}, as_json=as_json, words=words)


@lake.command("verify")
@click.option("--deep", is_flag=True, help="Read every file again and compare its digest.")
@as_json
@with_django
def verify_lake(*, deep: bool, as_json: bool) -> None:
    """Prove that every accepted row is stored once. Status 1 when the proof fails."""
    from muhafiz.config.proof import prove_lake

    progress = Progress("verifying", quiet=as_json)
    proof = prove_lake(deep=deep, progress=progress)
    progress.close()
    words = [*proof.faults, proof.summary]
    show({"faults": proof.faults, "summary": proof.summary}, as_json=as_json, words=words)
    sys.exit(1 if proof.faults else 0)


def _utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if moment is None else moment.replace(tzinfo=UTC)
