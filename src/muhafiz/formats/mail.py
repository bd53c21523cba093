"""Build mail by MIME (RFC 5322, 2045 to 2047, 2231) and PGP/MIME (RFC 3156).

Bytes are 7-bit with CR LF line ends, so no relay needs to change them. No header can be broken out
of: control characters become blanks before the standard library sees them, and names keep only
characters that need no quoting.

The bytes are laid out here from the standard library's encoders, not by its EmailMessage: that
takes 2 ms a mail, while 100,000 letters wait; in early 3.11 releases it loses blanks between
encoded words of Urdu, folds quoted names wrongly, and writes a line end hidden in an encoded word
as a real one (so "=?" is broken up as well).
"""

from __future__ import annotations

import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import numpy as np

from muhafiz.formats.lines import LONE_SURROGATES, one_line

_FOLD_AT: Final = 74
_LINE_LENGTH: Final = 76
_LINE_MOST: Final = 900  # RFC 5322 allows 998
_NAME_SPECIALS: Final = re.compile(r'[()<>\[\]:;@\\,."=?]+')
_FILE_SPECIALS: Final = re.compile(r'[/\\:*?"<>|]+')
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_LOCAL_MOST: Final = 64  # octets, RFC 5321 section 4.5.3.1.1
_ADDRESS_MOST: Final = 254  # octets, so that <address> fits the path of RFC 5321
_NAME_MOST: Final = 120
_CR_LF: Final = np.frombuffer(b"\r\n", np.uint8)
_ASCII: Final = bytes(range(128))
_WORD_BYTES: Final = 45  # in one encoded word: 60 letters of base64, 72 with what is around them


class BadAddress(ValueError):  # noqa: N818 - named for what is bad
    """No mail address that this house writes to."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What the headers say. Addresses are ASCII, as `plain_address` gives them.

    `reference` stands in for the subject on the outside of an encrypted mail.
    """

    message_id: str
    date: datetime
    sender_name: str
    sender_address: str
    recipient_name: str
    recipient_address: str
    subject: str
    language: str
    reference: str = ""


@lru_cache(maxsize=4_096)
def plain_address(text: str) -> str:
    """The address in ASCII, its domain in lower case and IDNA A-labels.

    Raises:
        BadAddress: no address, or its local part is not ASCII (SMTPUTF8 is not used here).
    """
    local, at, domain = text.strip().rpartition("@")
    if not at:
        raise BadAddress(f"“{_shown(text)}” has no @")
    if not local.isascii():
        raise BadAddress(f"“{_shown(text)}” needs SMTPUTF8 before the @")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadAddress(f"“{_shown(text)}” has no domain after the @") from None
    labels = ascii_domain.split(".")
    fits = len(local) <= _LOCAL_MOST and len(local) + 1 + len(ascii_domain) <= _ADDRESS_MOST
    if not (fits and _LOCAL.fullmatch(local) and all(map(_LABEL.fullmatch, labels))):
        raise BadAddress(f"“{_shown(text)}” is no mail address")
    return f"{local}@{ascii_domain}"


def compose_clear(head: Head, text: str, parts: Sequence[Part]) -> bytes:
    """A mail anybody on its way can read."""
    return _headers(head, one_line(head.subject)) + _content(head, text, parts)


def compose_inner(head: Head, text: str, parts: Sequence[Part]) -> bytes:
    """What is to be encrypted: the content with the true subject in protected headers."""
    subject = _header("Subject", one_line(head.subject))
    return subject + _content(head, text, parts, protected=True)


def compose_from_inner(head: Head, inner: bytes) -> bytes:
    """The clear mail whose content was laid aside by `compose_inner`."""
    content = inner.removeprefix(_header("Subject", one_line(head.subject)))
    if content == inner:
        raise ValueError("the content laid aside belongs to another subject")
    return _headers(head, one_line(head.subject)) + content


def compose_encrypted(head: Head, armored: bytes) -> bytes:
    """The multipart/encrypted mail (RFC 3156 section 4) around an armored OpenPGP message."""
    control = (
        b"Content-Type: application/pgp-encrypted\r\n"
        b"Content-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n"
    )
    body = (
        b'Content-Type: application/octet-stream; name="encrypted.asc"\r\n'
        b"Content-Description: OpenPGP encrypted message\r\n"
        b'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
    ) + b"\r\n".join(armored.splitlines())
    subtype = b'encrypted; protocol="application/pgp-encrypted"'
    return _headers(head, one_line(head.reference) or "...") + _multipart(subtype, (control, body))


def _content(head: Head, text: str, parts: Sequence[Part], *, protected: bool = False) -> bytes:
    mark = b'; protected-headers="v1"' if protected else b""
    if not parts:
        return _text_part(text, head.language, mark)
    files = [_file_part(part) for part in parts]
    return _multipart(b"mixed", (_text_part(text, head.language), *files), mark)


def _multipart(subtype: bytes, parts: Sequence[bytes], mark: bytes = b"") -> bytes:
    boundary = b"=_" + secrets.token_hex(16).encode()
    lead = b'Content-Type: multipart/%s%s;\r\n boundary="%s"\r\n\r\n' % (subtype, mark, boundary)
    open_ = b"--" + boundary + b"\r\n"
    return lead + b"".join(open_ + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def _text_part(text: str, language: str, mark: bytes = b"") -> bytes:
    lines = LONE_SURROGATES.sub("\ufffd", text).replace("\x00", "").splitlines()
    raw = "\r\n".join([*lines, ""]).encode()
    if raw.isascii() and all(len(line) <= _LINE_MOST for line in lines):
        encoding, body = b"7bit", raw
    elif len(raw[:2000].translate(None, _ASCII)) * 6 < min(len(raw), 2000):
        encoding, body = b"quoted-printable", binascii.b2a_qp(raw, istext=True)
    else:
        encoding, body = b"base64", _base64(raw)
    tagged = language.encode() if _LANGUAGE.fullmatch(language) else b"und"
    return (
        b'Content-Type: text/plain; charset="utf-8"%s\r\n'
        b"Content-Language: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n" % (mark, tagged, encoding)
    ) + body


def _file_part(part: Part) -> bytes:
    kind = part.media_type.lower()
    if not _MEDIA_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    if kind.startswith("text/"):
        kind += '; charset="utf-8"'
    name = _FILE_SPECIALS.sub("_", one_line(part.name, _NAME_MOST)) or "attachment"
    plain, extended = f'filename="{name}"', f"filename*=utf-8''{quote(name, safe='')}"  # RFC 2231
    shown = plain if name.isascii() else extended
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {shown}\r\n\r\n"
    ).encode() + _base64(part.content)


def _base64(content: bytes) -> bytes:
    """In lines of 76, each ended by CR LF."""
    encoded = np.frombuffer(binascii.b2a_base64(content, newline=False), np.uint8)
    whole = len(encoded) // _LINE_LENGTH
    lines = np.empty((whole, _LINE_LENGTH + 2), np.uint8)
    lines[:, :_LINE_LENGTH] = encoded[: whole * _LINE_LENGTH].reshape(whole, _LINE_LENGTH)
    lines[:, _LINE_LENGTH:] = _CR_LF
    rest = encoded[whole * _LINE_LENGTH :].tobytes()
    return lines.tobytes() + (rest + b"\r\n" if rest else b"")


def _headers(head: Head, subject: str) -> bytes:
    return b"".join(
        (
            _mailbox(head.sender_name, head.sender_address, "From"),
            _mailbox(head.recipient_name, head.recipient_address, "To"),
            _header("Subject", subject),
            _date(head.date),
            _header("Message-ID", one_line(head.message_id)),
            b"Auto-Submitted: auto-generated\r\n",  # RFC 3834: no vacation notes in answer
            b"MIME-Version: 1.0\r\n",
        )
    )


@lru_cache(maxsize=16)
def _date(moment: datetime) -> bytes:
    return _header("Date", format_datetime(moment))


def _header(name: str, value: str) -> bytes:
    return f"{name}: {_folded(name, value)}\r\n".encode("ascii")


def _folded(name: str, value: str) -> str:
    """`value` as header text: folded at blanks, in encoded words (RFC 2047) beyond ASCII."""
    if value.isascii() and len(name) + len(value) <= _FOLD_AT:
        return value
    if value.isascii():
        return Header(value, "us-ascii", _LINE_LENGTH, header_name=name).encode(linesep="\r\n")
    return _encoded_words(value, _WORD_BYTES - 3 * ((len(name) + 4) // 4))


def _encoded_words(value: str, first: int) -> str:
    """`value` in base64 words, one a line, the first of at most `first` bytes; no letter is cut."""
    words: list[bytearray] = [bytearray()]
    for letter in value:
        octets = letter.encode()
        most = first if len(words) == 1 else _WORD_BYTES
        if len(words[-1]) + len(octets) > most:
            words.append(bytearray())
        words[-1] += octets
    encoded = (binascii.b2a_base64(word, newline=False).decode() for word in words)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in encoded)


@lru_cache(maxsize=4_096)
def _mailbox(name: str, address: str, header: str) -> bytes:
    bare = " ".join(_NAME_SPECIALS.sub(" ", one_line(name, _NAME_MOST)).split())
    spec = plain_address(address)
    if not bare:
        return f"{header}: {spec}\r\n".encode("ascii")
    shown = _folded(header, bare)
    last = shown.rpartition("\r\n")[2]
    gap = " " if len(header) + len(last) + len(spec) < _FOLD_AT - 3 else "\r\n "
    return f"{header}: {shown}{gap}<{spec}>\r\n".encode("ascii")


def _shown(text: str) -> str:
    return one_line(text, 100)
