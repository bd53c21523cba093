"""A letter's bytes taken apart for reading on the page. Nothing of it is rendered or run."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import MIMEPart


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment as sent."""

    name: str
    media_type: str
    content: bytes

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter for the eye: header lines, its text, its attachments.

    `sealed`: the letter is encrypted, so its text is what the recipient alone can read.
    """

    headers: tuple[tuple[str, str], ...]
    text: str
    attachments: tuple[Attached, ...]
    sealed: bool
    signed: bool


_SHOWN = ("From", "To", "Date", "Subject", "Message-ID")


def opened_letter(raw: bytes) -> Opened:
    """Take a letter's MIME bytes apart (RFC 5322, RFC 3156 for the sealed ones)."""
    message = message_from_bytes(raw, policy=policy.default)
    headers = tuple((name, str(message[name])) for name in _SHOWN if message[name])
    kind = message.get_content_type()
    body = message.get_body(preferencelist=("plain",))
    attachments = tuple(_attached(part) for part in _leaves(message) if part is not body)
    return Opened(
        headers=headers,
        text=_text(body) if body is not None else "",
        attachments=attachments,
        sealed=kind == "multipart/encrypted",
        signed=kind == "multipart/signed",
    )


def _leaves(message: MIMEPart) -> list[MIMEPart]:
    return [part for part in message.walk() if not part.is_multipart()]


def _attached(part: MIMEPart) -> Attached:
    content = part.get_payload(decode=True)
    return Attached(
        name=part.get_filename() or part.get_content_type().replace("/", "."),
        media_type=part.get_content_type(),
        content=content if isinstance(content, bytes) else b"",
    )


def _text(body: MIMEPart) -> str:
    content = body.get_payload(decode=True)
    shown = content if isinstance(content, bytes) else b""
    return shown.decode(body.get_content_charset("utf-8"), "replace")
