"""Read mail that says other mail was not delivered.

Understands RFC 3464 delivery status notifications (also when a relay mangled their layout), Exim's
X-Failed-Recipients, and qmail's plain report. Anybody can write such a mail, so what it says is a
claim: the reader must match it with a message really sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from typing import Final

from muhafiz.formats.lines import one_line

_MOST_BYTES: Final = 4_000_000
_MOST_PARTS: Final = 100
_MOST_RECIPIENTS: Final = 100
_MOST_TEXT: Final = 200_000
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID: Final = re.compile(
    r"^Message-I[dD]:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,998}>)", re.IGNORECASE | re.MULTILINE
)
_ANGLED: Final = re.compile(r"<[^<>\s]{1,998}>")
_FIELD: Final = re.compile(r"^([A-Za-z-]{1,60}):[ \t]*(.*(?:\r?\n[ \t]+.*)*)", re.MULTILINE)
_QMAIL: Final = re.compile(r"^<([^<>\s]+@[^<>\s]+)>:[ \t]*\r?\n((?:.+\r?\n?)+)", re.MULTILINE)

#: What the standard library's parser was seen to raise on hostile bytes.
_PARSER_ERRORS: Final = (
    AttributeError,
    AssertionError,
    IndexError,
    KeyError,
    LookupError,
    MessageError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One address a peer could not deliver to.

    `permanent` means that trying again is useless; `status` is the enhanced code (RFC 3463) or
    empty; `diagnostic` is the peer's own words, cut to 500 characters.
    """

    address: str
    permanent: bool
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report of failed delivery: of which message, to whom."""

    message_id: str | None
    failures: tuple[FailedRecipient, ...]


def parse_bounce(raw: bytes) -> Bounce | None:
    """The failures that `raw` reports; None when it reports none, however broken it is."""
    try:
        return _parsed(raw[:_MOST_BYTES])
    except _PARSER_ERRORS:
        return None


def _parsed(raw: bytes) -> Bounce | None:
    mail: Message[str, str] = message_from_bytes(raw, policy=policy.compat32)
    parts = list(_parts(mail))
    failures = [one for part in parts for one in _status_failures(part)]
    if not failures:
        failures = _exim_failures(mail, parts) or _qmail_failures(parts)
    if not failures:
        return None
    return Bounce(_original_id(mail, parts), tuple(failures[:_MOST_RECIPIENTS]))


def _parts(mail: Message[str, str]) -> Iterator[Message[str, str]]:
    for count, part in enumerate(mail.walk()):
        if count >= _MOST_PARTS:
            return
        yield part


def _text(part: Message[str, str]) -> str:
    """The part's own text, decoded; of a part that holds messages, their text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        held = [one for one in payload[:_MOST_RECIPIENTS] if isinstance(one, Message)]
        return "\n\n".join(f"{_head(one)}\n{_text(one)}" for one in held)[:_MOST_TEXT]
    decoded = part.get_payload(decode=True)
    if isinstance(decoded, bytes):
        return decoded[:_MOST_TEXT].decode("utf-8", "replace")
    return str(payload)[:_MOST_TEXT]


def _head(mail: Message[str, str]) -> str:
    """The header lines as they came; the library itself writes none that look damaged."""
    lines = (f"{name}: {value}\n" for name, value in mail.raw_items())
    return "".join(lines).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _status_failures(part: Message[str, str]) -> Iterator[FailedRecipient]:
    if part.get_content_type() not in {
        "message/delivery-status",
        "message/global-delivery-status",
    }:
        return
    for block in re.split(r"\r?\n[ \t]*\r?\n", _text(part)):
        fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(block)}
        if fields.get("action", "failed").split()[:1] != ["failed"]:
            continue
        named = fields.get("original-recipient") or fields.get("final-recipient", "")
        diagnostic = fields.get("diagnostic-code", "")
        status = _STATUS.search(fields.get("status", "")) or _STATUS.search(diagnostic)
        for address in {
            found.group().lower(): found.group()
            for found in (
                _ADDRESS.search(named),
                _ADDRESS.search(fields.get("final-recipient", "")),
            )
            if found
        }.values():
            yield _failed(address, status.group() if status else "", diagnostic)


def _exim_failures(
    mail: Message[str, str], parts: list[Message[str, str]]
) -> list[FailedRecipient]:
    named = str(mail.get("X-Failed-Recipients", ""))[:10_000]
    words = next((_text(part) for part in parts if part.get_content_maintype() == "text"), "")
    status = _STATUS.search(words)
    return [
        _failed(address, status.group() if status else "", _words_about(address, words))
        for address in _ADDRESS.findall(named)
    ]


def _qmail_failures(parts: list[Message[str, str]]) -> list[FailedRecipient]:
    failures = []
    for part in parts:
        text = _text(part) if part.get_content_maintype() == "text" else ""
        if "qmail-send program" not in text[:2_000]:
            continue
        for address, words in _QMAIL.findall(text.split("--- Below this line", 1)[0]):
            status = _STATUS.search(words)
            failures.append(_failed(address, status.group() if status else "", words))
    return failures


def _failed(address: str, status: str, diagnostic: str) -> FailedRecipient:
    reply = _REPLY.search(diagnostic)
    first = status[:1] or (reply.group(1) if reply else "")
    return FailedRecipient(
        address=address,
        permanent=first == "5",
        status=status,
        diagnostic=one_line(diagnostic, 500),
    )


def _words_about(address: str, words: str) -> str:
    at = words.lower().find(address.lower())
    return words[at + len(address) : at + len(address) + 500] if at >= 0 else words[:500]


def _original_id(mail: Message[str, str], parts: list[Message[str, str]]) -> str | None:
    for part in parts:
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/global"}:
            found = _MESSAGE_ID.search(_text(part))
            if found:
                return found.group(1)
    for part in parts:
        if part.get_content_maintype() == "text":
            found = _MESSAGE_ID.search(_text(part))
            if found:
                return found.group(1)
    answered = f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}"
    angled = _ANGLED.findall(answered[:10_000])
    return str(angled[-1]) if angled else None
