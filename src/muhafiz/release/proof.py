"""What the gate hands out, and how an outlet knows it is genuine.

Each process draws a secret at start. The gate writes a tag over every field of what it hands out;
an outlet recomputes it. So a copy with another label, an object of the same shape, or one built
around the constructor is told apart. (Code in the same process that sets out to steal the secret
can; the house checks its own imports against that.)
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from muhafiz.release.rules import Audience, Item, NotReleased

_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Released:
    """A thing let out to an audience: the only thing that outlets accept.

    Built by `release.gate` alone; building one anywhere else raises `NotReleased`. It does not
    outlive the process: a job that needs it later asks the gate again.
    """

    ledger_id: int
    item: Item
    audience: Audience
    tlp: str
    released_at: datetime
    tag: bytes

    def __post_init__(self) -> None:
        check_genuine(self)

    def __reduce__(self) -> tuple[object, ...]:
        raise NotReleased(reason="what the gate hands out cannot be packed up and carried off")

    def __init_subclass__(cls) -> None:
        raise NotReleased(reason="no other type stands in for it")


def tag_of(
    ledger_id: int, item: Item, audience: Audience, tlp: str, released_at: datetime
) -> bytes:
    """The gate's mark over these facts; private to this package."""
    facts = repr(
        (
            ledger_id,
            (item.kind, item.identifier, item.tlp, item.title, item.digest),
            sorted(item.organizations),
            (audience.kind, audience.identifier, audience.name),
            tlp,
            released_at.isoformat(),
        )
    )
    return hmac.digest(_SECRET, facts.encode(), hashlib.sha256)


def check_genuine(released: object) -> None:
    """Refuse anything that this process's gate did not hand out.

    Raises:
        NotReleased: another type, or fields that the gate did not mark.
    """
    if type(released) is not Released:
        raise NotReleased(reason=f"a {type(released).__name__} is no released thing")
    try:
        expected = tag_of(
            released.ledger_id,
            released.item,
            released.audience,
            released.tlp,
            released.released_at,
        )
        genuine = isinstance(released.tag, bytes) and hmac.compare_digest(released.tag, expected)
    except AttributeError:
        genuine = False
    if not genuine:
        raise NotReleased(reason="its mark is not the gate's")
