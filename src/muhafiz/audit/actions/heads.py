"""Signed heads: what makes a cut tail or a rewritten log visible to whoever kept one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from muhafiz.audit.canonical import head_text
from muhafiz.audit.models import SignedHead
from muhafiz.audit.queries import HeadFacts, current_head
from muhafiz.common.refusal import Refusal


class CannotKeepHead(Refusal):
    """The signer's answer does not fit its key."""

    text = "The signature over the audit head of {size} entries does not verify with its key."


# durable: a head is signed only over what is committed, never over what may yet be rolled back.
@transaction.atomic(durable=True)
def keep_signed_head(
    *, sign: Callable[[bytes], bytes], public_key: bytes, now: datetime
) -> HeadFacts | None:
    """Sign the tree's present head and keep it; None when nothing grew since the last one.

    `sign` returns the 64-byte Ed25519 signature over the bytes it is given, `public_key` are the
    key's 32 raw bytes. No entry is written: a head is itself part of the log.

    Raises:
        CannotKeepHead: the signature does not verify; nothing is kept.
    """
    head = current_head()
    last = SignedHead.objects.order_by("-id").first()
    if last is not None and last.size == head.size and bytes(last.public_key) == public_key:
        return None
    text = head_text(head.log, head.size, head.root, now)
    signature = sign(text)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        raise CannotKeepHead(size=head.size) from None
    SignedHead.objects.create(
        size=head.size, root=head.root, at=now, public_key=public_key, signature=signature
    )
    return HeadFacts(head.log, head.size, head.root, now, public_key, signature)
