"""`muhafiz accounts`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from muhafiz.config.command import REFUSED
from muhafiz.config.command.ground import as_json, clock, operator, show, table, with_django


@click.group()
def accounts() -> None:
    """People, roles and one-time entry links."""


@accounts.command("list")
@as_json
@with_django
def list_people(*, as_json: bool) -> None:
    """Everybody registered, and their roles."""
    from muhafiz.accounts.queries import people

    rows = [{**asdict(one), "roles": ", ".join(sorted(one.roles))} for one in people(active=None)]
    show(rows, as_json=as_json, words=table(rows, ("id", "email", "name", "roles", "active")))


@accounts.command("add")
@click.argument("email")
@click.option("--name", default="", help="How people call them.")
@click.option("--role", "roles", multiple=True, help="For example duty_officer; may be repeated.")
@click.option("--language", type=click.Choice(["en", "ur"]), default="en", show_default=True)
@click.option("--organization", type=int, help="Number of the constituent whose person it is.")
@with_django
def add_person(
    *, email: str, name: str, roles: tuple[str, ...], language: str, organization: int | None
) -> None:
    """Register a person and give them roles."""
    from muhafiz.accounts.actions.people import grant_role, register_person

    actor, now = operator(), clock.now()
    person = register_person(
        email=email,
        name=name,
        language=language,
        organization_id=organization,
        actor=actor,
        now=now,
    )
    for role in roles:
        grant_role(person_id=person.id, role=role, actor=actor, now=now)
    click.echo(f"{person.email} is registered as number {person.id}.")


@accounts.command("link")
@click.argument("email")
@click.option("--hours", type=click.IntRange(1, 168), default=1, show_default=True)
@with_django
def link(*, email: str, hours: int) -> None:
    """Print a link that lets a person in once."""
    from django.conf import settings

    from muhafiz.accounts.actions.entry import issue_entry_link

    token = issue_entry_link(
        email=email, valid_for=timedelta(hours=hours), actor=operator(), now=clock.now()
    )
    click.echo(f"{settings.PUBLIC_URL}/enter/{token}/")


@accounts.command("clock")
@with_django
def trust_clock() -> None:
    """Take the machine's clock as right after it ran ahead; every open link ends."""
    from muhafiz.accounts.actions.clock import trust_clock

    ended = trust_clock(actor=operator(), now=clock.now())
    click.echo(f"The clock counts from now on. Links that ended: {ended}.")


@accounts.command("unlock")
@click.argument("email")
@with_django
def unlock(*, email: str) -> None:
    """Forget an account's failed tries, so that its person need not wait."""
    from muhafiz.accounts.actions.tries import unlock_account

    unlock_account(email=email, actor=operator(), now=clock.now())
    click.echo(f"{email} may try again.")


@accounts.command("reset")
@click.argument("email")
@click.option("--reason", required=True, help="Kept in the audit log.")
@with_django
def reset(*, email: str, reason: str) -> None:
    """Take a person's password and second factors away, and sign them out everywhere."""
    from muhafiz.accounts.queries import person_by_email
    from muhafiz.web.signin.inviting import take_ways_in_away

    person = person_by_email(email)
    if person is None:
        click.echo(f"Nobody is registered as {email}.", err=True)
        raise SystemExit(REFUSED)
    take_ways_in_away(person_id=person.id, reason=reason, actor=operator(), now=clock.now())
    click.echo(f"{person.email} has no way in now. Make one with: muhafiz accounts link {email}")


@accounts.command("role")
@click.argument("email")
@click.argument("role")
@click.option("--revoke", is_flag=True, help="Take the role away instead.")
@with_django
def role(*, email: str, role: str, revoke: bool) -> None:
    """Give a person a role, or take it away."""
    from muhafiz.accounts.actions.people import grant_role, revoke_role
    from muhafiz.accounts.queries import person_by_email

    person = person_by_email(email)
    if person is None:
        click.echo(f"Nobody is registered as {email}.", err=True)
        raise SystemExit(REFUSED)
    change = revoke_role if revoke else grant_role
    change(person_id=person.id, role=role, actor=operator(), now=clock.now())
    click.echo(f"{person.email}: {role} {'taken away' if revoke else 'given'}.")
