"""`muhafiz feeds`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from muhafiz.config.command.ground import as_json, clock, operator, show, table, with_django

_COLUMNS = ("name", "source", "enabled", "last_report_at", "silent_since", "reports", "rows_read")


@click.group()
def feeds() -> None:
    """Where reports come from."""


@feeds.command("list")
@as_json
@with_django
def list_feeds(*, as_json: bool) -> None:
    """Every feed, what it delivered in the last day, and since when it is silent."""
    from muhafiz.feeds.queries import feed_states

    rows = [asdict(state) for state in feed_states(now=clock.now())]
    show(rows, as_json=as_json, words=table(rows, _COLUMNS))


@feeds.command("sources")
@as_json
@with_django
def list_sources(*, as_json: bool) -> None:
    """Every kind of report that can be read."""
    from muhafiz.feeds.sources import all_sources

    rows = [
        {"name": one.name, "title": one.title, "version": one.version, "api": one.fetch is not None}
        for one in all_sources().values()
    ]
    show(rows, as_json=as_json, words=table(rows, ("name", "title", "version", "api")))


@feeds.command("add")
@click.argument("name")
@click.option("--source", required=True, help="What reads its reports; see `feeds sources`.")
@click.option("--title", help="What people call it.")
@click.option("--tlp", help="For rows that carry no label; AMBER unless given.")
@click.option("--owner", help="Who is asked when it falls silent.")
@click.option("--pattern", "file_pattern", help="File names that are its own, for example *-x.csv.")
@click.option("--fetch-every", "fetch_minutes", type=click.IntRange(1), help="Minutes.")
@click.option("--expect-every", "expect_minutes", type=click.IntRange(1), help="Minutes.")
@click.option("--expect-rows", "expected_rows_per_day", type=click.IntRange(1), help="A day.")
@click.option("--options", "options_json", help="The source's options, as a JSON object.")
@with_django
def add_feed(*, name: str, source: str, options_json: str | None, **values: Any) -> None:
    """Make a feed. Its secrets are given apart: `feeds secrets NAME KEY…`."""
    from muhafiz.feeds.actions.feeds import create_feed

    for option, minutes in (("fetch_every", "fetch_minutes"), ("expected_every", "expect_minutes")):
        number = values.pop(minutes)
        values[option] = timedelta(minutes=number) if number else None
    if options_json is not None:
        values["options"] = _object(options_json)
    given = {key: value for key, value in values.items() if value is not None}
    create_feed(name=name, source=source, actor=operator(), now=clock.now(), **given)
    click.echo(f"{name} is there.")


@feeds.command("change")
@click.argument("name")
@click.option("--title", help="What people call it.")
@click.option("--tlp", help="For rows that carry no label.")
@click.option("--pattern", "file_pattern", help="File names that are its own, for example *-x.csv.")
@click.option("--fetch-every", "fetch_minutes", type=click.IntRange(0), help="Minutes; 0: never.")
@click.option("--expect-every", "expect_minutes", type=click.IntRange(0), help="Minutes; 0: never.")
@click.option("--expect-rows", "expected_rows_per_day", type=click.IntRange(0), help="A day.")
@click.option("--options", "options_json", help="The source's options, in place of those it had.")
@with_django
def alter_feed(*, name: str, options_json: str | None, **values: Any) -> None:
    """Change a feed; what is not named stays."""
    from muhafiz.feeds.actions.feeds import change_feed

    given: dict[str, Any] = {}
    for option, minutes in (("fetch_every", "fetch_minutes"), ("expected_every", "expect_minutes")):
        number = values.pop(minutes)
        if number is not None:
            given[option] = timedelta(minutes=number) if number else None
    given |= {key: value for key, value in values.items() if value is not None}
    if options_json is not None:
        given["options"] = _object(options_json)
    change_feed(name=name, actor=operator(), now=clock.now(), **given)
    click.echo(f"{name} is changed.")


@feeds.command("guess")
@click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@as_json
def guess(*, path: Path, as_json: bool) -> None:
    """Guess how a delimited file is to be read, for `feeds add --options`; nothing is kept."""
    from muhafiz.feeds.sources import HEAD_BYTES
    from muhafiz.feeds.sources.generic import guess_mapping
    from muhafiz.feeds.unpacking import first_head

    with path.open("rb") as raw:
        _, head = first_head(raw, path.name, size=path.stat().st_size, length=HEAD_BYTES)
    found = guess_mapping(head)
    rows = [
        {"column": column, "field": ", ".join(names), "why": found.why[column]}
        for column, names in found.mapping["map"].items()
    ]
    options = json.dumps({"mapping": found.mapping}, ensure_ascii=False)
    answer = {"mapping": found.mapping, "why": found.why}
    show(answer, as_json=as_json, words=[*table(rows, ("column", "field", "why")), "", options])


@feeds.command("secrets")
@click.argument("name")
@click.argument("keys", nargs=-1, required=True)
@with_django
def set_secrets(*, name: str, keys: tuple[str, ...]) -> None:
    """Keep a feed's secrets, sealed, in place of those it had.

    Each is asked for, or read from a line of standard input.
    """
    from muhafiz.feeds.actions.feeds import set_feed_secrets

    secrets = {key: _secret(key) for key in keys}
    set_feed_secrets(name=name, secrets=secrets, actor=operator(), now=clock.now())
    click.echo(f"{', '.join(keys)} of {name} kept.")


@feeds.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@with_django
def switch_feed(*, name: str, state: str) -> None:
    """Take reports of a feed again, or no longer."""
    from muhafiz.feeds.actions.feeds import change_feed

    change_feed(name=name, enabled=state == "on", actor=operator(), now=clock.now())
    click.echo(f"{name} is {state}.")


@feeds.command("set-aside")
@click.option("--report", "report_id", type=int, help="Only of this report.")
@as_json
@with_django
def list_set_aside(*, report_id: int | None, as_json: bool) -> None:
    """Rows that could not be read, by reason."""
    from muhafiz.feeds.queries import set_aside_groups

    rows = [asdict(group) for group in set_aside_groups(report_id=report_id)]
    columns = ("reason", "column", "rows", "reports", "example_detail")
    show(rows, as_json=as_json, words=table(rows, columns))


@feeds.command("replay")
@click.argument("report_id", type=int)
@as_json
@with_django
def replay(*, report_id: int, as_json: bool) -> None:
    """Read a report's set-aside rows again, with today's mappings."""
    from muhafiz.feeds.actions.replay import replay_set_aside

    done = replay_set_aside(report_id=report_id, actor=operator(), now=clock.now())
    show(asdict(done), as_json=as_json, words=f"{done.note()}.")


@feeds.command("samples")
@click.option("--feed", help="Only those of this feed.")
@as_json
@with_django
def samples(*, feed: str | None, as_json: bool) -> None:
    """Read the rows kept as samples with today's mappings; status 1 when one is read otherwise."""
    from muhafiz.feeds.actions.samples import check_samples
    from muhafiz.feeds.queries import samples as kept

    wrong = check_samples(feed=feed, now=clock.now())
    found = [
        {"sample": one.id, "feed": one.feed, "type": one.kind, "column": column}
        | {"expected": expected, "found": read}
        for one in wrong
        for column, expected, read in one.differences
    ]
    told = f"{len(kept(feed=feed))} samples, {len(wrong)} read otherwise."
    columns = ("sample", "feed", "type", "column", "expected", "found")
    show(found, as_json=as_json, words=[told, *table(found, columns)] if found else told)
    if wrong:
        sys.exit(1)


def _secret(key: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(key, hide_input=True))
    return sys.stdin.readline().rstrip("\n")


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"that is no JSON: {error}", param_hint="--options") from error
    if not isinstance(given, dict):
        raise click.BadParameter("that is no JSON object", param_hint="--options")
    return given
