"""`muhafiz audit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from muhafiz.config.command import SENSELESS
from muhafiz.config.command.ground import (
    Progress,
    as_json,
    clock,
    operator,
    show,
    with_django,
)


@click.group()
def audit() -> None:
    """Export and verify the audit log."""


@audit.command("export")
@click.argument("file", type=click.File("wb"), default="-")
@with_django
def export_log(*, file: BinaryIO) -> None:
    """Write the whole log with its signed heads, for the stand-alone verifier.

    That it was exported is the last entry of the export.
    """
    from muhafiz.audit.actions.entries import record_read
    from muhafiz.audit.queries import export

    record_read(actor=operator(), now=clock.now(), action="audit.export", subject="audit")
    progress = Progress("exporting")
    head = export(file, progress=progress)
    progress.close()
    click.echo(f"{head.size:,} entries, root {head.root.hex()}", err=True)


@audit.command("verify")
@click.option("--export", "exported", type=click.Path(exists=True, dir_okay=False))
@click.option("--key", "keys", multiple=True, help="With --export: trusted public key.")
@click.option("--head", "heads", multiple=True, help="With --export: a head kept earlier.")
@as_json
def verify_log(
    *, exported: str | None, keys: tuple[str, ...], heads: tuple[str, ...], as_json: bool
) -> None:
    """Compute the whole tree again and compare it with every signed head.

    With --export FILE the file is checked instead, with nothing but the file. Status 1 when an
    entry was altered, removed or added behind the platform's back.
    """
    if exported is None:
        _verify_stored(as_json=as_json)
    elif as_json:
        _verify_export(exported, keys, heads)
    else:
        from muhafiz.audit.verifier import main

        told = [part for key in keys for part in ("--key", key)]
        told += [part for head in heads for part in ("--head", head)]
        sys.exit(main([exported, *told]))


def _verify_export(exported: str, keys: tuple[str, ...], heads: tuple[str, ...]) -> None:
    """What the stand-alone verifier finds, as JSON."""
    from muhafiz.audit.verifier import Check, check_log, read_head, read_key

    try:
        check = Check(keys={read_key(key) for key in keys})
        for head in heads:
            read_head(head, check)
        with Path(exported).open("rb") as stream:
            check_log(stream, check)
    except (OSError, ValueError, LookupError, TypeError) as trouble:
        click.echo(f"Cannot check: {trouble}", err=True)
        sys.exit(SENSELESS)
    answer = {
        "log": check.log,
        "size": check.size,
        "root": check.root(),
        "heads": check.heads,
        "keys": sorted(check.seen_keys),
        "faults": check.findings,
    }
    show(answer, as_json=True, words="")
    sys.exit(1 if check.findings else 0)


@with_django
def _verify_stored(*, as_json: bool) -> None:
    from muhafiz.audit.queries import current_head, verify

    progress = Progress("verifying", quiet=as_json)
    faults = verify(progress=progress)
    progress.close()
    head = current_head()
    words = list(faults) or [f"{head.size:,} entries stand as written; root {head.root.hex()}"]
    answer = {"size": head.size, "root": head.root.hex(), "faults": list(faults)}
    show(answer, as_json=as_json, words=words)
    sys.exit(1 if faults else 0)
