"""The Ed25519 key (RFC 8032) that signs the audit log's heads: a file, not a database row.

Whoever can write the database can then not sign a head that was never reached.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from muhafiz.keyring.keyfiles import make_once

_SEED_BYTES = 32


def sign(message: bytes) -> bytes:
    """The 64-byte signature over `message`; the key is made at first use."""
    return _private().sign(message)


def public_key() -> bytes:
    """The public key, 32 raw bytes."""
    return _private().public_key().public_bytes_raw()


def public_key_pem() -> str:
    """The public key as PEM (SubjectPublicKeyInfo), as openssl reads it."""
    pem = (
        _private()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem.decode("ascii")


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of `public` (32 raw bytes) signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private() -> Ed25519PrivateKey:
    path = Path(settings.KEYS) / "audit-heads.key"
    if not path.exists():
        make_once(path, secrets.token_bytes(_SEED_BYTES))
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
