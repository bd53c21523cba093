"""The proof that a list of organizations was set by the platform, for one transaction only.

HMAC-SHA256 (RFC 2104) with a key derived from the web's signing secret. PostgreSQL checks it
itself, so that a statement which sets the list (anybody may set a custom setting) shows no row.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from django.conf import settings

_BLOCK: Final = 64


def sealed(organizations: Iterable[int], challenge: str) -> str:
    """The setting for these organizations in the transaction that gave the challenge."""
    ids = "{" + ",".join(map(str, sorted(organizations))) + "}"
    told = f"{ids}:{challenge}"
    return f"{ids}:{hmac.new(_key('setting'), told.encode(), hashlib.sha256).hexdigest()}"


def pads() -> tuple[bytes, bytes]:
    """The key as the database takes it: XORed with the inner and the outer pad."""
    block = _key("setting").ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def portal_password() -> str:
    """The password of the tenants' role."""
    return _key("password").hex()


def _key(purpose: str) -> bytes:
    told = f"muhafiz.tenancy {purpose}"
    return hmac.new(settings.SECRET_KEY.encode(), told.encode(), hashlib.sha256).digest()
