"""Seal a secret for the database; rotate the key that seals."""

from __future__ import annotations

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.keyring.masters import current_master, next_master
from muhafiz.keyring.rules import NONCE_BYTES, SealedParts, join_sealed, key_id


def seal(plain: bytes, *, context: str) -> bytes:
    """Encrypt `plain` (AES-256-GCM, random nonce); it opens only under the same `context`.

    `context` names the place: table, column and row ("feeds.feed.password:17"), so that a value
    copied to another row does not open there.
    """
    key = current_master()
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, plain, context.encode())
    return join_sealed(SealedParts(key_id=key_id(key), nonce=nonce, ciphertext=ciphertext))


@transaction.atomic
def rotate_master_key(*, actor: Actor, now: datetime) -> str:
    """Make a new master key for everything sealed from now on; its id in hex.

    Values sealed earlier stay readable while the earlier key file is kept.
    """
    number, key = next_master()
    name = key_id(key).hex()
    record_entry(
        actor=actor,
        now=now,
        action="keyring.rotate_master_key",
        subject=f"master-key:{number}",
        details={"key_id": name},
    )
    return name
