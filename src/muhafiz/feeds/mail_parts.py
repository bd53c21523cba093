"""What a mail holds for intake: its identity, its attachments, and whether it is a bounce.

Mail comes from anybody, so nothing in it is believed: headers are read leniently, every part is
optional, and whatever the parser cannot bear is told as `Malformed`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

_PARTS = 1_000
_SKIPPED = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "text/calendar",
    }
)
_HEADER_LENGTH = 400


class Malformed(ValueError):  # noqa: N818 - the mail's fault, told as it is
    """The mail cannot be taken apart."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MailFacts:
    """A mail taken apart. `digest` is of its Message-ID and content: the same mail twice is one."""

    digest: str
    message_id: str
    sender: str
    subject: str
    is_bounce: bool  # a delivery status notification (RFC 3464)
    attachments: tuple[Attachment, ...]


def mail_digest(raw: bytes, message_id: str = "") -> str:
    """What tells two mails apart: SHA-256 over Message-ID and body, hexadecimal.

    The headers that relays add on the way do not count, so a second copy is the same mail.
    """
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    counted = body if message_id else raw
    return hashlib.sha256(message_id.encode() + b"\0" + counted).hexdigest()


def take_apart(raw: bytes) -> MailFacts:
    """The mail's facts.

    Raises:
        Malformed: it cannot be taken apart.
    """
    try:
        mail = message_from_bytes(raw)
        message_id = _text(mail, "Message-ID").strip()
        return MailFacts(
            digest=mail_digest(raw, message_id),
            message_id=message_id[:1_000],
            sender=_text(mail, "From")[:_HEADER_LENGTH],
            subject=_text(mail, "Subject")[:_HEADER_LENGTH],
            is_bounce=_is_bounce(mail),
            attachments=tuple(_attachments(mail)),
        )
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
        RecursionError,
        MessageError,
    ) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _is_bounce(mail: Message) -> bool:
    kind = mail.get_content_type()
    report = str(mail.get_param("report-type") or "").lower()
    if kind == "multipart/report" and report == "delivery-status":
        return True
    return any(part.get_content_type() == "message/delivery-status" for part in _parts(mail))


def _attachments(mail: Message) -> Iterator[Attachment]:
    for number, part in enumerate(_parts(mail)):
        kind = part.get_content_type()
        name = part.get_filename()
        if part.is_multipart() or kind in _SKIPPED or kind.startswith("image/"):
            continue
        if not name and part.get_content_disposition() != "attachment" and _is_prose(kind):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content.strip():
            yield Attachment(_decoded(str(name or f"part-{number}")), content)


def _parts(mail: Message) -> Iterator[Message]:
    for number, part in enumerate(mail.walk()):
        if number >= _PARTS:
            raise Malformed(f"more than {_PARTS} parts")
        yield part


def _is_prose(kind: str) -> bool:
    return kind.startswith(("text/", "message/"))


def _text(mail: Message, name: str) -> str:
    return _decoded(str(mail.get(name) or ""))


def _decoded(text: str) -> str:
    """An encoded header (RFC 2047) as one line of text; as it stands when it is unsound."""
    with contextlib.suppress(ValueError, LookupError, MessageError):
        text = str(make_header(decode_header(text)))
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(mark if mark.isprintable() else " " for mark in text).strip()
