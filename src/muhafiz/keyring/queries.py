"""Open what was sealed; know the house's own certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muhafiz.keyring.masters import master_named
from muhafiz.keyring.models import SigningCertificate
from muhafiz.keyring.rules import BadSeal, NoSigningCertificate, split_sealed

__all__ = ["OwnCertificate", "own_certificate", "unseal"]


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """The certificate that the house signs with; `public` is armored, for anybody."""

    fingerprint: str
    user_id: str
    public: str
    made_at: datetime
    expires_at: datetime


def unseal(sealed: bytes, *, context: str) -> bytes:
    """What was sealed under this `context`.

    Raises:
        BadSeal: damaged, sealed for another place, or by a key that is not here.
    """
    parts = split_sealed(bytes(sealed))
    key = master_named(parts.key_id)
    try:
        return AESGCM(key).decrypt(parts.nonce, parts.ciphertext, context.encode())
    except InvalidTag:
        raise BadSeal(reason="it was altered, or sealed for another place") from None


def own_certificate(*, at: datetime) -> OwnCertificate:
    """The certificate that signs at this moment.

    Raises:
        NoSigningCertificate: there is none, or the latest has expired.
    """
    row = current_row(at=at)
    return OwnCertificate(
        fingerprint=row.fingerprint,
        user_id=row.user_id,
        public=row.public,
        made_at=row.made_at,
        expires_at=row.expires_at,
    )


def current_row(*, at: datetime) -> SigningCertificate:
    """The row of the current certificate, for this package.

    Raises:
        NoSigningCertificate: as above.
    """
    row = SigningCertificate.objects.filter(retired_at=None).order_by("-made_at", "-id").first()
    if row is None:
        raise NoSigningCertificate(reason="none was made yet")
    if row.expires_at <= at:
        raise NoSigningCertificate(reason=f"{row.fingerprint} expired on {row.expires_at:%Y-%m-%d}")
    return row
