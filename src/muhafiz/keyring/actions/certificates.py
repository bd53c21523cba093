"""The house's own OpenPGP certificate: made, replaced, never shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.keyring.actions.seals import seal
from muhafiz.keyring.models import SigningCertificate
from muhafiz.keyring.openpgp import new_certificate, secret_context
from muhafiz.keyring.queries import OwnCertificate, own_certificate
from muhafiz.keyring.rules import CannotMakeCertificate, NoSigningCertificate
from muhafiz.rulebook.queries import value_or

#: CSAF wants a signing key valid for at least 30 days at all times; two years leave room to renew.
DEFAULT_TERM: Final = timedelta(days=730)
_SHORTEST_TERM: Final = timedelta(days=1)
_LONGEST_TERM: Final = timedelta(days=3653)


@transaction.atomic
def create_signing_certificate(
    *, user_id: str, valid_for: timedelta = DEFAULT_TERM, actor: Actor, now: datetime
) -> OwnCertificate:
    """Make a certificate, seal its secret part, and sign with it from now on.

    The earlier one is retired: it signs no more, what it signed still verifies.

    Raises:
        CannotMakeCertificate: an empty or unprintable name, or a term under a day or over ten
            years.
    """
    if not user_id.strip() or not user_id.isprintable():
        raise CannotMakeCertificate(reason="its name is empty or unprintable")
    if not _SHORTEST_TERM <= valid_for <= _LONGEST_TERM:
        raise CannotMakeCertificate(reason="it must last from one day to ten years")
    made = new_certificate(user_id, valid_for=valid_for)
    SigningCertificate.objects.filter(retired_at=None).update(retired_at=now)
    SigningCertificate.objects.create(
        fingerprint=made.fingerprint,
        user_id=user_id,
        public=made.public,
        sealed_secret=seal(made.secret, context=secret_context(made.fingerprint)),
        made_at=now,
        made_by=str(actor),
        expires_at=made.expires,
    )
    record_entry(
        actor=actor,
        now=now,
        action="keyring.create_signing_certificate",
        subject=f"certificate:{made.fingerprint}",
        details={"user_id": user_id, "expires": made.expires.isoformat()},
    )
    return own_certificate(at=now)


@transaction.atomic
def ensure_signing_certificate(*, actor: Actor, now: datetime) -> OwnCertificate:
    """The current certificate, made from the rulebook's name and address when there is none."""
    try:
        return own_certificate(at=now)
    except NoSigningCertificate:
        return create_signing_certificate(user_id=_own_name(now), actor=actor, now=now)


@transaction.atomic
def renew_signing_certificate(
    *, valid_for: timedelta = DEFAULT_TERM, actor: Actor, now: datetime
) -> OwnCertificate:
    """A new certificate in the rulebook's name and address, in place of the current one.

    Raises:
        CannotMakeCertificate: the term is under a day or over ten years.
    """
    return create_signing_certificate(
        user_id=_own_name(now), valid_for=valid_for, actor=actor, now=now
    )


def _own_name(now: datetime) -> str:
    names = value_or("cert.name", {}, at=now)
    name = names.get("en", "") if isinstance(names, dict) else ""
    address = settings.MAIL_FROM or value_or("cert.mail_from", "", at=now)
    bare = "".join(c for c in str(name) if c.isprintable() and c not in "<>()").strip()
    return f"{bare or 'CERT'} <{address or 'cert@localhost.invalid'}>"
