"""`muhafiz constituency`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from muhafiz.config.command import PARTLY
from muhafiz.config.command.ground import as_json, clock, operator, show, with_django


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


@constituency.command("undo")
@click.argument("import_id", type=int)
@as_json
@with_django
def undo(*, import_id: int, as_json: bool) -> None:
    """Take an import back."""
    from muhafiz.constituency.actions.imports import undo_import

    done = undo_import(import_id, actor=operator(), now=clock.now())
    show(asdict(done), as_json=as_json, words=f"Import {import_id} is taken back: {done}")
