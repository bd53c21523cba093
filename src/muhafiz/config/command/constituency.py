"""`muhafiz constituency`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from muhafiz.config.command import PARTLY
from muhafiz.config.command.ground import as_json, clock, operator, show, table, with_django


@click.group()
def constituency() -> None:
    """Import who is protected, and look them up."""


@constituency.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@as_json
@with_django
def import_csv(*, file: Path, dry_run: bool, as_json: bool) -> None:
    """Import a CSV file of organizations, networks, domains, AS numbers and contacts.

    Rows that cannot be imported are listed and left out; status 3 then.
    """
    from muhafiz.constituency.actions.imports import apply_import, preview_import

    diff = preview_import(file.read_bytes(), file_name=file.name, now=clock.now())
    answer: dict[str, object] = {
        "additions": diff.additions,
        "changes": diff.changes,
        "unchanged": diff.unchanged,
        "problems": [asdict(problem) for problem in diff.problems],
    }
    words = [f"line {one.line}: {one.detail} ({one.reason})" for one in diff.problems]
    words.append(f"{diff.additions:,} to add, {diff.changes:,} to change, {diff.unchanged:,} alike")
    if not dry_run:
        done = apply_import(diff, actor=operator(), now=clock.now())
        answer["import"] = done.import_id
        words.append(f"Imported. To take it back: muhafiz constituency undo {done.import_id}")
    show(answer, as_json=as_json, words=words)
    sys.exit(PARTLY if diff.problems else 0)


@constituency.command("import-registry")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(["rpsl", "delegated"]), required=True)
@click.option("--source", required=True, help="The registry, for example apnic.")
@click.option("--even-if-shrunk", is_flag=True, help="Also when more than half would end.")
@as_json
@with_django
def import_registry(
    *, file: Path, kind: str, source: str, even_if_shrunk: bool, as_json: bool
) -> None:
    """Bring automatic claims in step with a registry's file; manual ones are never touched.

    Holders are found by the handle given with `constituency handle`. Those that nobody carries are
    listed, the largest first.
    """
    from muhafiz.constituency.actions.registries import import_delegated, import_rpsl

    done = (import_rpsl if kind == "rpsl" else import_delegated)(
        file.read_bytes(),
        source=source,
        file_name=file.name,
        even_if_shrunk=even_if_shrunk,
        actor=operator(),
        now=clock.now(),
    )
    words = [f"line {line}: {why}" for line, why in done.problems]
    words += [f"nobody carries the handle {handle}: {held:,}" for handle, held in done.unmatched]
    words.append(
        f"{done.added:,} claims added, {done.ended:,} ended, {done.unchanged:,} alike. "
        f"To take it back: muhafiz constituency undo {done.import_id}"
    )
    show(asdict(done), as_json=as_json, words=words)
    sys.exit(PARTLY if done.problems else 0)


@constituency.command("handle")
@click.argument("organization_id", type=int)
@click.argument("source")
@click.argument("handle")
@with_django
def name_handle(*, organization_id: int, source: str, handle: str) -> None:
    """Say by which name a registry knows an organization."""
    from muhafiz.constituency.actions.organizations import add_handle

    add_handle(
        organization_id=organization_id,
        source=source,
        handle=handle,
        actor=operator(),
        now=clock.now(),
    )
    click.echo(f"{source} knows organization {organization_id} as {handle}.")


@constituency.command("find")
@click.argument("text", default="")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@with_django
def find(*, text: str, limit: int, as_json: bool) -> None:
    """Organizations by name, network, domain, AS number or contact address."""
    from muhafiz.constituency.directory import search

    page = search(text, viewer=operator(), at=clock.now(), per_page=limit)
    rows = [
        {**asdict(one.facts), "networks": one.networks, "contacts": one.contacts}
        for one in page.rows
    ]
    show(
        rows,
        as_json=as_json,
        words=table(rows, ("id", "name_en", "sector", "networks", "contacts")),
    )


@constituency.command("undo")
@click.argument("import_id", type=int)
@as_json
@with_django
def undo(*, import_id: int, as_json: bool) -> None:
    """Take an import back."""
    from muhafiz.constituency.actions.imports import undo_import

    done = undo_import(import_id, actor=operator(), now=clock.now())
    show(asdict(done), as_json=as_json, words=f"Import {import_id} is taken back: {done}")
