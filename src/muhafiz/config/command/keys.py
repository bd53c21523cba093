"""`muhafiz keys`."""

from __future__ import annotations

import base64
from datetime import timedelta

import click

from muhafiz.config.command.ground import as_json, clock, operator, show, with_django


@click.group()
def keys() -> None:
    """The keys that letters and the audit log are signed with."""


@keys.command("show")
@as_json
@with_django
def show_keys(*, as_json: bool) -> None:
    """Which keys sign now: what to publish, and what the verifier trusts."""
    from muhafiz.keyring.queries import own_certificate
    from muhafiz.keyring.signer import public_key

    own = own_certificate(at=clock.now())
    audit = base64.b64encode(public_key()).decode("ascii")
    answer = {
        "letters": {
            "fingerprint": own.fingerprint,
            "user_id": own.user_id,
            "made_at": own.made_at,
            "expires_at": own.expires_at,
        },
        "audit": {"public_key": audit},
    }
    words = [
        f"Letters: {own.fingerprint}, {own.user_id}, until {own.expires_at:%Y-%m-%d}",
        f"Audit log: {audit}",
    ]
    show(answer, as_json=as_json, words=words)


@keys.command("public")
@with_django
def print_public() -> None:
    """Print the OpenPGP certificate that signs letters, for publishing."""
    from muhafiz.keyring.queries import own_certificate

    click.echo(own_certificate(at=clock.now()).public, nl=False)


@keys.command("renew")
@click.option("--years", type=click.IntRange(1, 10), default=2, show_default=True)
@with_django
def renew(*, years: int) -> None:
    """Make a new key for letters; the former signs no more, and what it signed still verifies."""
    from muhafiz.keyring.actions.certificates import renew_signing_certificate

    made = renew_signing_certificate(
        valid_for=timedelta(days=365 * years), actor=operator(), now=clock.now()
    )
    click.echo(f"{made.fingerprint} signs from now on, until {made.expires_at:%Y-%m-%d}.")
    click.echo("Publish it: muhafiz keys public")
