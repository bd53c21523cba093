"""`muhafiz start`, which `make run` calls, and `muhafiz demonstration`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from muhafiz.config.command.ground import clock, operator, set_django_up
from muhafiz.config.environment import Environment

_OFFER = """This installation is empty. Muhafiz can fill it with the demonstration nation: invented
organizations on networks reserved for documentation, in a lane that cannot write to anybody.
A real installation is made with: muhafiz init --profile pakistan --administrator EMAIL
"""


@click.command()
def start() -> None:
    """Set up when empty (offering the demonstration nation), then serve until stopped."""
    environment = Environment.read(os.environ)
    var = environment.folder("MUHAFIZ_VAR")
    empty = not environment.text("DATABASE_URL") and not (var / "muhafiz.sqlite3").exists()
    if empty or (var / _UNFINISHED).exists():
        click.echo(_OFFER, err=True)
        # Without a terminal nobody can answer, and nothing the demonstration does is hard to undo.
        if sys.stdin.isatty() and not click.confirm("Fill it now?", default=True, err=True):
            sys.exit(1)
        _fill(var)
    else:
        set_django_up()
        _upgrade()
    click.echo(f"\n  Open {environment.text('MUHAFIZ_PUBLIC_URL')}/desk/\n", err=True)
    command = [sys.executable, "-m", "muhafiz.config.command", "serve"]
    os.execv(sys.executable, command)  # noqa: S606 - own command: serve takes this process's place


@click.command()
def demonstration() -> None:
    """Fill an empty installation with the demonstration nation."""
    _fill(Environment.read(os.environ).folder("MUHAFIZ_VAR"))


_UNFINISHED = "demonstration.unfinished"


def _fill(var: Path) -> None:
    """Fill `var`; a run cut short leaves a mark, so that the next one finishes the work."""
    if (var / "muhafiz.sqlite3").exists() and not (var / _UNFINISHED).exists():
        click.echo(f"{var} is not empty. Choose another MUHAFIZ_VAR.", err=True)
        sys.exit(1)
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Marked before anything else: from here on the folder can never be taken for a real one.
    (var / "demonstration").touch()
    (var / _UNFINISHED).touch()
    set_django_up()
    from muhafiz.config.demonstration.filling import fill

    fill(actor=operator(), now=clock.now(), say=lambda line: click.echo(line, err=True))
    (var / _UNFINISHED).unlink()


def _upgrade() -> None:
    from muhafiz.config.doctor import startup_faults
    from muhafiz.config.installation import bring_up_to_date

    if startup_faults():
        bring_up_to_date(lambda line: click.echo(line, err=True))
