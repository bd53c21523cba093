"""Names for things that nobody can guess and everybody can read over the telephone."""

from __future__ import annotations

import secrets
import uuid

# Crockford's base 32: no I, L, O, U, so a code survives being read aloud or copied by hand.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> uuid.UUID:
    """A random identifier (UUID version 4): it tells nothing about how many others exist."""
    return uuid.uuid4()


def new_code(length: int = 12) -> str:
    """A random code of `length` Crockford base-32 characters (5 bits each), in groups of four."""
    drawn = "".join(_ALPHABET[octet % 32] for octet in secrets.token_bytes(length))
    return "-".join(drawn[at : at + 4] for at in range(0, length, 4))
