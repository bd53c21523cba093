"""`muhafiz rulebook`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from muhafiz.config.command.ground import as_json, clock, operator, show, table, with_django


@click.group()
def rulebook() -> None:
    """The dated parameters of this jurisdiction."""


@rulebook.command("list")
@as_json
@with_django
def list_values(*, as_json: bool) -> None:
    """Everything that holds today; what is unknown says so."""
    from muhafiz.rulebook.queries import book

    rows = [asdict(one) for one in book(at=clock.now())]
    words = table(
        [{**row, "value": "(unknown)" if row["unknown"] else _short(row["value"])} for row in rows],
        ("key", "value", "standing", "valid_from", "valid_to", "source"),
    )
    show(rows, as_json=as_json, words=words)


@rulebook.command("history")
@click.argument("key")
@as_json
@with_django
def list_history(*, key: str, as_json: bool) -> None:
    """Every value ever entered for a key."""
    from muhafiz.rulebook.queries import history

    rows = [asdict(one) for one in history(key)]
    columns = ("id", "value", "valid_from", "valid_to", "origin", "proposed_by", "approved_by")
    show(rows, as_json=as_json, words=table(rows, columns))


@rulebook.command("propose")
@click.argument("key")
@click.argument("value_json")
@click.option("--source", required=True, help="Where the value comes from.")
@click.option("--standing", type=click.Choice(["S", "I", "U"]), required=True)
@click.option("--note", default="", help="What else should be known.")
@click.option("--from", "valid_from", type=click.DateTime(), help="UTC; left out: since ever.")
@click.option("--to", "valid_to", type=click.DateTime(), help="UTC; left out: until changed.")
@with_django
def propose(*, key: str, value_json: str, **given: Any) -> None:
    """Propose a value, as JSON. It holds once a second person approves it.

    Standing: S stated by the source, I inferred, U uncorroborated.
    """
    from muhafiz.rulebook.actions.proposals import propose_value

    try:
        value = json.loads(value_json)
    except ValueError as error:
        raise click.BadParameter(f"that is no JSON: {error}", param_hint="VALUE_JSON") from error
    for edge in ("valid_from", "valid_to"):
        given[edge] = _utc(given[edge])
    number = propose_value(key=key, value=value, actor=operator(), now=clock.now(), **given)
    click.echo(f"Proposal {number} waits for a second person: muhafiz rulebook approve {number}")


@rulebook.command("proposals")
@as_json
@with_django
def list_proposals(*, as_json: bool) -> None:
    """Proposals that wait for a second person."""
    from muhafiz.rulebook.queries import proposals

    rows = [asdict(one) for one in proposals()]
    show(rows, as_json=as_json, words=table(rows, ("id", "key", "value", "proposed_by", "source")))


@rulebook.command("approve")
@click.argument("proposal", type=int)
@click.option("--reason", default="")
@with_django
def approve(*, proposal: int, reason: str) -> None:
    """Enter a proposed value. Who proposed it cannot."""
    from muhafiz.rulebook.actions.proposals import approve_value

    approve_value(proposal_id=proposal, reason=reason, actor=operator(), now=clock.now())
    click.echo(f"Proposal {proposal} is entered.")


@rulebook.command("reject")
@click.argument("proposal", type=int)
@click.option("--reason", required=True)
@with_django
def reject(*, proposal: int, reason: str) -> None:
    """Turn a proposed value down."""
    from muhafiz.rulebook.actions.proposals import reject_value

    reject_value(proposal_id=proposal, reason=reason, actor=operator(), now=clock.now())
    click.echo(f"Proposal {proposal} is turned down.")


def _short(value: object, most: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
