"""Sign and encrypt with OpenPGP: version 4 keys, which GnuPG 2.2 reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import pysequoia

from muhafiz.keyring.certificates import certificate_facts, usable_certificate
from muhafiz.keyring.queries import current_row, unseal
from muhafiz.keyring.rules import BadCertificate, CertificateFacts, NoSigningCertificate

__all__ = [
    "BadCertificate",
    "CertificateFacts",
    "NoSigningCertificate",
    "certificate_facts",
    "encrypt_and_sign",
    "new_certificate",
    "secret_context",
    "sign_detached",
]


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """A certificate just made; `secret` is to be sealed at once and never logged."""

    fingerprint: str
    public: str
    secret: bytes
    expires: datetime

    def __repr__(self) -> str:
        return f"NewCertificate({self.fingerprint})"


def new_certificate(user_id: str, *, valid_for: timedelta) -> NewCertificate:
    """Make a version 4 certificate (Ed25519 to sign, Curve25519 to encrypt)."""
    secret = pysequoia.Tsk.generate(
        user_id,
        profile=pysequoia.Profile.RFC4880,
        cipher_suite=pysequoia.CipherSuite.Cv25519,
        validity_seconds=int(valid_for.total_seconds()),
    )
    public = secret.extract_certificate()
    expires = public.expiration
    if expires is None:
        raise ValueError("the library made a certificate without an expiry")
    return NewCertificate(public.fingerprint, str(public), bytes(secret), expires)


def secret_context(fingerprint: str) -> str:
    """Where the secret part of a certificate is sealed for."""
    return f"keyring.signingcertificate.sealed_secret:{fingerprint}"


def sign_detached(content: bytes, *, at: datetime) -> str:
    """An armored detached signature over `content` by the house's certificate.

    Raises:
        NoSigningCertificate: none, or expired at `at`.
    """
    signer = _secret(at).signer()
    signature = pysequoia.sign(signer, content, mode=pysequoia.SignatureMode.DETACHED)
    return signature.decode("ascii")


def encrypt_and_sign(content: bytes, certificates: Sequence[str], *, at: datetime) -> bytes:
    """An armored OpenPGP message: `content` signed by the house, encrypted to every certificate.

    Raises:
        BadCertificate: no certificate at all, or one of them cannot be used at `at`.
        NoSigningCertificate: as `sign_detached`.
    """
    if not certificates:
        raise BadCertificate(reason="none was given")
    recipients = [usable_certificate(armored, at=at) for armored in certificates]
    return pysequoia.encrypt(content, recipients=recipients, signer=_secret(at).signer())


def _secret(at: datetime) -> pysequoia.Tsk:
    row = current_row(at=at)
    return _opened(row.fingerprint, bytes(row.sealed_secret))


@lru_cache(maxsize=2)
def _opened(fingerprint: str, sealed: bytes) -> pysequoia.Tsk:
    return pysequoia.Tsk.from_bytes(unseal(sealed, context=secret_context(fingerprint)))
