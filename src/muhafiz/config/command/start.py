"""`muhafiz start`, which `make run` calls, and `muhafiz demonstration`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from functools import partial

import click

from muhafiz.common.refusal import Refusal
from muhafiz.config.command import REFUSED, SENSELESS
from muhafiz.config.command.ground import clock, database_in_words, operator, set_django_up
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
    if _is_empty(environment) or (var / _UNFINISHED).exists():
        click.echo(_OFFER, err=True)
        # Without a terminal nobody can answer, and nothing the demonstration does is hard to undo.
        if sys.stdin.isatty() and not click.confirm("Fill it now?", default=True, err=True):
            sys.exit(1)
        _fill(environment)
    else:
        set_django_up()
        with database_in_words():
            _upgrade()
    click.echo(f"\n  Open {environment.text('MUHAFIZ_PUBLIC_URL')}/ and sign in.\n", err=True)
    try:
        _offer_links()
    except Refusal as no:  # no reason to keep the platform down
        click.echo(f"  No one-time links: {no}\n", err=True)
    command = [sys.executable, "-m", "muhafiz.config.command", "serve"]
    os.execv(sys.executable, command)  # noqa: S606 - own command: serve takes this process's place


@click.command()
def demonstration() -> None:
    """Fill an empty installation with the demonstration nation."""
    _fill(Environment.read(os.environ))


_UNFINISHED = "demonstration.unfinished"
_LINKS_VALID_FOR = timedelta(hours=24)


def _is_empty(environment: Environment) -> bool:
    """Whether nothing was ever set up; on PostgreSQL only the doctor can tell.

    It is asked in a process of its own: the settings are read once, and the mark of the
    demonstration must stand before they are.
    """
    if not environment.text("DATABASE_URL"):
        return not (environment.folder("MUHAFIZ_VAR") / "muhafiz.sqlite3").exists()
    command = [sys.executable, "-m", "muhafiz.config.command", "doctor", "--json"]
    told = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - own command
    if told.returncode == SENSELESS or not told.stdout:
        click.echo(told.stderr, nl=False, err=True)
        sys.exit(told.returncode or REFUSED)
    return any(one["code"] == "empty" for one in json.loads(told.stdout))


def _fill(environment: Environment) -> None:
    """Fill the installation; a run cut short leaves a mark, so that the next one finishes it."""
    var = environment.folder("MUHAFIZ_VAR")
    if not _is_empty(environment) and not (var / _UNFINISHED).exists():
        click.echo("This installation is not empty. Choose another MUHAFIZ_VAR.", err=True)
        sys.exit(1)
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Marked before anything else: from here on the folder can never be taken for a real one.
    (var / "demonstration").touch()
    (var / _UNFINISHED).touch()
    set_django_up()
    from muhafiz.config.demonstration.filling import fill

    fill(actor=operator(), now=clock.now(), say=partial(click.echo, err=True))
    (var / _UNFINISHED).unlink()


def _offer_links() -> None:
    """In the demonstration: a link for one person of each role, which lets in once, only there."""
    from django.conf import settings

    if not settings.DEMONSTRATION:
        return
    from muhafiz.accounts.actions.entry import issue_entry_link
    from muhafiz.accounts.queries import people

    seen: set[str] = set()
    for one in sorted(people(), key=lambda person: person.id):
        role = min(one.roles, default="")
        if role in seen or not role:
            continue
        seen.add(role)
        token = issue_entry_link(
            email=one.email, valid_for=_LINKS_VALID_FOR, actor=operator(), now=clock.now()
        )
        click.echo(f"  {role:<20} {settings.PUBLIC_URL}/enter/{token}/", err=True)
    click.echo("", err=True)


def _upgrade() -> None:
    from muhafiz.config.installation import bring_up_to_date
    from muhafiz.health.queries import startup_faults

    if startup_faults(now=clock.now()):
        say = partial(click.echo, err=True)
        bring_up_to_date(actor=operator(), now=clock.now(), say=say)
