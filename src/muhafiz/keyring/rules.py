"""What the keyring refuses, and how a sealed value is laid out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from muhafiz.common.refusal import Refusal

#: First byte of every sealed value.
SEAL_VERSION: Final = 1
KEY_ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class BadSeal(Refusal):
    """A sealed value is damaged, was moved elsewhere, or its key is gone."""

    text = "This sealed value cannot be opened: {reason}."


class BadCertificate(Refusal):
    """An OpenPGP certificate that nothing may be encrypted to."""

    text = "This OpenPGP certificate cannot be used: {reason}."


class NoSigningCertificate(Refusal):
    """The house has no OpenPGP certificate of its own, or it has expired."""

    text = "There is no usable OpenPGP certificate to sign with: {reason}."


class CannotMakeCertificate(Refusal):
    """A certificate was asked for with a useless name or a useless term."""

    text = "This OpenPGP certificate cannot be made: {reason}."


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says about itself; `fingerprint` in lower-case hex, `expires` in UTC."""

    fingerprint: str
    user_ids: tuple[str, ...]
    expires: datetime | None
    can_encrypt: bool


@dataclass(frozen=True, slots=True)
class SealedParts:
    """A sealed value taken apart; `key_id` names the master key."""

    key_id: bytes
    nonce: bytes
    ciphertext: bytes


def key_id(key: bytes) -> bytes:
    """The name of a master key: it tells keys apart and nothing about them."""
    return hashlib.sha256(b"muhafiz master key\0" + key).digest()[:KEY_ID_BYTES]


def join_sealed(parts: SealedParts) -> bytes:
    """The bytes of a sealed value: version, key id, nonce, ciphertext with its tag."""
    return bytes([SEAL_VERSION]) + parts.key_id + parts.nonce + parts.ciphertext


def split_sealed(sealed: bytes) -> SealedParts:
    """Take a sealed value apart.

    Raises:
        BadSeal: too short, or of a version nobody knows.
    """
    least = 1 + KEY_ID_BYTES + NONCE_BYTES + _TAG_BYTES
    if len(sealed) < least:
        raise BadSeal(reason="it is too short")
    if sealed[0] != SEAL_VERSION:
        raise BadSeal(reason=f"its version is {sealed[0]}")
    nonce_at = 1 + KEY_ID_BYTES
    return SealedParts(
        key_id=sealed[1:nonce_at],
        nonce=sealed[nonce_at : nonce_at + NONCE_BYTES],
        ciphertext=sealed[nonce_at + NONCE_BYTES :],
    )
