"""From a draft to the bytes that leave, or to the reason why they must not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import zstandard

from muhafiz.formats.lines import one_line
from muhafiz.formats.mail import (
    BadAddress,
    Head,
    Part,
    compose_clear,
    compose_encrypted,
    compose_from_inner,
    compose_inner,
    plain_address,
)
from muhafiz.keyring.actions.seals import seal
from muhafiz.keyring.openpgp import encrypt_and_sign
from muhafiz.keyring.queries import unseal
from muhafiz.keyring.rules import BadCertificate, NoSigningCertificate
from muhafiz.notifications.messages import MessageDraft
from muhafiz.notifications.sender import Sender

_ZSTD_LEVEL: Final = 1
_MOST_BYTES: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Composed:
    """Bytes ready for the outbox.

    `reason` empty: `content` are the very bytes that leave. Otherwise the message is held for this
    reason, and `content` is the unsent inner part, sealed.
    """

    content: bytes
    reason: str
    address: str


def compose(
    draft: MessageDraft,
    *,
    identifier: UUID,
    message_id: str,
    sender: Sender,
    retired: bool,
    now: datetime,
) -> Composed:
    """Build the message; hold it when it cannot or must not go as it is."""
    parts = [Part(a.name, a.media_type, a.content) for a in draft.attachments]
    head = _head(draft, message_id, sender, now)
    try:
        _check_may_go(sender, retired=retired)
        head = replace(head, recipient_address=plain_address(draft.recipient_address))
        if draft.certificate is None:
            content = compose_clear(head, draft.text, parts)
        else:
            inner = compose_inner(head, draft.text, parts)
            content = compose_encrypted(head, encrypt_and_sign(inner, [draft.certificate], at=now))
        return Composed(content, "", head.recipient_address)
    except (BadAddress, BadCertificate, NoSigningCertificate, CannotGo) as held:
        inner = compose_inner(head, draft.text, parts)
        sealed = seal(inner, context=held_context(identifier))
        return Composed(sealed, one_line(str(held), 500), draft.recipient_address)


class CannotGo(Exception):  # noqa: N818 - why a message waits for a person
    """The message must not leave as it is; its text says why."""


def _check_may_go(sender: Sender, *, retired: bool) -> None:
    if retired:
        raise CannotGo("the address takes no more mail")
    if not sender.address:
        raise CannotGo("no sender address is set (MUHAFIZ_MAIL_FROM or cert.mail_from)")


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What the outside of a held message says, once it may go."""

    head: Head
    certificate: str | None


def wrap_held(sealed: bytes, wrapping: Wrapping, *, identifier: UUID, now: datetime) -> bytes:
    """Make the bytes that leave from the sealed inner part of a held message.

    Raises:
        BadCertificate, NoSigningCertificate: it cannot be encrypted and signed.
        BadSeal: the inner part was altered.
    """
    inner = unseal(sealed, context=held_context(identifier))
    if wrapping.certificate is not None:
        armored = encrypt_and_sign(inner, [wrapping.certificate], at=now)
        return compose_encrypted(wrapping.head, armored)
    return compose_from_inner(wrapping.head, inner)


def held_context(identifier: UUID) -> str:
    """Where the inner part of a held message is sealed for."""
    return f"notifications.messagebytes.compressed:{identifier}"


def private_context(identifier: UUID) -> str:
    """Where the bytes of a private message are sealed for."""
    return f"notifications.messagebytes.private:{identifier}"


def packer() -> Callable[[bytes], bytes]:
    """Compresses for the outbox (zstd), one content after another, in one thread only."""
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress


def packed(content: bytes) -> bytes:
    """One content compressed for the outbox."""
    return packer()(content)


def unpacked(compressed: bytes) -> bytes:
    """What was packed.

    Raises:
        zstandard.ZstdError: damaged.
    """
    return zstandard.ZstdDecompressor().decompress(bytes(compressed), max_output_size=_MOST_BYTES)


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _head(draft: MessageDraft, message_id: str, sender: Sender, now: datetime) -> Head:
    return Head(
        message_id=message_id,
        date=now,
        sender_name=sender.name(draft.language),
        sender_address=sender.address,
        recipient_name=draft.recipient_name,
        recipient_address=draft.recipient_address,
        subject=draft.subject,
        language=draft.language,
        reference=draft.sender_reference,
    )
