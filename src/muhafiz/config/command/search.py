"""`muhafiz search`."""

from __future__ import annotations

from dataclasses import asdict

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


@click.group()
def search() -> None:
    """The index behind the search box."""


@search.command("rebuild")
@with_django
def rebuild() -> None:
    """Tell every thing to the index anew, and take out what is gone."""
    from muhafiz.search.actions.indexing import index_sources

    progress = Progress("Things")
    entered = index_sources(
        now=clock.now(), anew=True, progress=lambda kind, done: progress(done, note=kind)
    )
    progress.close()
    click.echo(f"{entered:,} things are in the index.")


@search.command("find")
@click.argument("text")
@as_json
@with_django
def find(*, text: str, as_json: bool) -> None:
    """What the index finds for TEXT."""
    from muhafiz.search.queries import search as find_things

    hits = [asdict(hit) for hit in find_things(text, viewer=operator()).hits]
    show(hits, as_json=as_json, words=table(hits, ("kind", "key", "title", "told")))
