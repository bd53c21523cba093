"""The mailbox where reports and bounces arrive, over IMAP (RFC 9051 subset, by imap-tools)."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

from muhafiz.common.refusal import Refusal

_TIMEOUT_SECONDS = 60
_PORTS = {"imaps": 993, "imap": 143, "imap+plain": 143}


class BadMailbox(Refusal):
    """The mailbox's address makes no sense, or would send a password in the clear."""

    text = "The mailbox address cannot be used: {reason}."


class MailTooLarge(Refusal):
    """A mail is left in the mailbox, flagged, because it is larger than the limit."""

    text = "Mail {uid} has {size} bytes, more than the limit of {limit}."


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """imaps:// (TLS from the start), imap:// (STARTTLS required) or imap+plain:// (loopback)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.folder}"


def read_address(url: str) -> MailboxAddress:
    """The parts of a mailbox's address.

    Raises:
        BadMailbox: another scheme, no host or user, or plain text beyond this machine.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # its words quote what stands there, which may be the password
        raise BadMailbox(
            reason="it has no right host or port; write signs of the password like %2F"
        ) from None
    if parts.scheme not in _PORTS:
        raise BadMailbox(reason="it must begin with imaps://, imap:// or imap+plain://")
    if not parts.hostname or not parts.username:
        raise BadMailbox(reason="it names no host or no user")
    if parts.scheme == "imap+plain" and not _is_loopback(parts.hostname):
        raise BadMailbox(reason="plain text is for this machine only")
    return MailboxAddress(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class OpenMailbox:
    """A mailbox that is logged in, its folder chosen."""

    box: BaseMailBox
    LIMIT_BYTES: ClassVar[int] = 256 << 20

    def unseen(self) -> list[str]:
        """UIDs of mails neither taken nor laid aside, oldest first."""
        return sorted(self.box.uids("UNSEEN UNFLAGGED"), key=int)

    def raw(self, uid: str) -> bytes:
        """The mail's bytes, without marking it seen.

        Raises:
            MailTooLarge: it is larger than the limit; it was not transferred.
            LookupError: it is gone.
        """
        size = self._size(uid)
        if size > self.LIMIT_BYTES:
            raise MailTooLarge(uid=uid, size=size, limit=self.LIMIT_BYTES)
        _, found = self.box.client.uid("fetch", uid, "(BODY.PEEK[])")
        for part in found:
            if isinstance(part, tuple):
                return bytes(part[1])
        raise LookupError(uid)

    def mark_taken(self, uid: str) -> None:
        """Never offer the mail again. It stays in the mailbox, marked as read."""
        self.box.flag(uid, "\\Seen", True)

    def lay_aside(self, uid: str) -> None:
        """Flag the mail for a person; it stays unread and is not offered again."""
        self.box.flag(uid, "\\Flagged", True)

    def _size(self, uid: str) -> int:
        _, found = self.box.client.uid("fetch", uid, "(RFC822.SIZE)")
        for part in found:
            text = part[0] if isinstance(part, tuple) else part
            if isinstance(text, bytes) and b"RFC822.SIZE" in text:
                return int(text.split(b"RFC822.SIZE")[1].split()[0].rstrip(b")"))
        raise LookupError(uid)


@contextmanager
def opened_mailbox(
    address: MailboxAddress, *, tls: ssl.SSLContext | None = None
) -> Iterator[OpenMailbox]:
    """Log in, choose the folder, log out at the end.

    `tls` replaces the system's trust, e.g. for an office with an authority of its own.

    Raises:
        OSError, imap_tools' errors: the server cannot be reached or refuses.
    """
    context = tls or ssl.create_default_context()
    where = {"host": address.host, "port": address.port, "timeout": _TIMEOUT_SECONDS}
    box: BaseMailBox
    if address.scheme == "imaps":
        box = MailBox(**where, ssl_context=context)
    elif address.scheme == "imap":
        box = MailBoxStartTls(**where, ssl_context=context)
    else:
        box = MailBoxUnencrypted(**where)
    with box.login(address.user, address.password, address.folder):
        yield OpenMailbox(box)
