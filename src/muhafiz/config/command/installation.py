"""`muhafiz init` and `muhafiz upgrade`."""

from __future__ import annotations

import sys

import click

from muhafiz.config.command.ground import clock, operator, with_django


@click.command()
@click.option("--profile", required=True, help="Jurisdiction profile, for example pakistan.")
@click.option("--administrator", metavar="EMAIL", help="Whom to let in first.")
@with_django
def init(profile: str, administrator: str | None) -> None:
    """Set up an empty installation: database, rulebook, keys, feeds, notice policies, pages.

    A run that was cut short is simply run again.
    """
    from muhafiz.config.installation import admit_administrator, check_administrator, install

    if administrator:
        check_administrator(administrator)
    install(profile=profile, actor=operator(), now=clock.now(), say=_say)
    if administrator:
        link = admit_administrator(email=administrator, actor=operator(), now=clock.now())
        click.echo(f"This link lets {administrator} in once, within 24 hours:\n{link}")
    click.echo("Done. Start with: muhafiz serve")


@click.command()
@with_django
def upgrade() -> None:
    """Bring database, rulebook and pages up to this version. Back up first."""
    from muhafiz.config.installation import bring_up_to_date
    from muhafiz.health.queries import startup_faults

    bring_up_to_date(actor=operator(), now=clock.now(), say=_say)
    faults = startup_faults(now=clock.now())
    for fault in faults:
        click.echo(f"{fault.what} {fault.mend}", err=True)
    sys.exit(1 if faults else 0)


def _say(line: str) -> None:
    click.echo(line, err=True)
