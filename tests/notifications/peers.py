"""A gate's leave, a post office, and mail servers of every temper."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from muhafiz.common.clock import HeldClock
from muhafiz.notifications.actions.delivery import Delivery, deliver_due
from muhafiz.notifications.actions.outbox import enqueue_message
from muhafiz.notifications.messages import MessageDraft
from muhafiz.release.gate import release
from muhafiz.release.rules import Audience, Item

DIGEST = "ab" * 32


def draft(**changes: Any) -> MessageDraft:
    facts: dict[str, Any] = {
        "recipient_address": "abuse@org.example",
        "recipient_name": "Abuse Desk",
        "language": "en",
        "subject": "53 systems need attention",
        "text": "Dear colleagues,\n\nplease look.\n",
        "sender_reference": "N-1",
    }
    return MessageDraft(**{**facts, **changes})


@dataclass
class Post:
    """The post office as a caller sees it, with a clock that tests move."""

    actor: Any
    clock: HeldClock
    taken: int = 0

    def let_out(self, number: str = "N-1", label: str = "AMBER"):
        item = Item("notice", number, label, f"Notice {number}", DIGEST, frozenset({7}))
        audience = Audience("organization", "7", "Bank Seven")
        return release(item, audience, actor=self.actor, now=self.clock.now())

    def put(self, window: str | None = None, **changes: Any):
        self.taken += 1
        return enqueue_message(
            released=self.let_out(),
            draft=draft(**changes),
            policy="digest:1",
            recipient="organization:7",
            window=window or f"w{self.taken}",
            actor=self.actor,
            now=self.clock.now(),
        )

    def deliver(self, limit: int | None = None) -> Delivery:
        return deliver_due(actor=self.actor, clock=self.clock.now, limit=limit)

    def wait(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


@dataclass
class Mailbox:
    """An SMTP peer's hooks and what it took."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    connections: int = 0

    def _next(self, step: str, default: str) -> str:
        queue = self.answers.get(step, [])
        if not queue:
            return default
        return queue.pop(0) if len(queue) > 1 else queue[0]

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._next("MAIL", "250 OK")
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._next("RCPT", "250 OK")
        if answer == "drop":
            server.transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self._next("DATA", "250 taken")
        if answer in {"take and drop", "drop"}:
            if answer == "take and drop":
                self.taken.append((envelope.rcpt_tos[0], envelope.original_content))
            server.transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            self.taken.append((envelope.rcpt_tos[0], envelope.original_content))
        return answer


@dataclass
class Peer:
    mailbox: Mailbox
    port: int

    @property
    def url(self) -> str:
        return f"smtp+plain://127.0.0.1:{self.port}"


class _Served(Controller):
    """A server on a port that the system chooses."""

    def _trigger_server(self) -> None:
        port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as greeted:
            greeted.recv(1) if self.ssl_context is None else None


@contextlib.contextmanager
def served(mailbox: Mailbox, **options: Any) -> Iterator[Peer]:
    ssl_context = options.pop("implicit_tls", None)
    controller = _Served(
        mailbox, hostname="127.0.0.1", port=0, ssl_context=ssl_context, server_kwargs=options
    )
    controller.start()
    try:
        yield Peer(mailbox, controller.server.sockets[0].getsockname()[1])
    finally:
        controller.stop()


@dataclass(frozen=True)
class Authority:
    """A throw-away certificate authority and a server certificate for 127.0.0.1."""

    file: Path
    server: ssl.SSLContext


def made_authority(folder: Path) -> Authority:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away CA")])
    today = dt.datetime.now(dt.UTC)

    def begun(subject, public):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=2))
        )

    ca = (
        begun(name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    server = (
        begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx")]), key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        server.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    return Authority(folder / "ca.pem", context)


@contextlib.contextmanager
def talking(lines: list[bytes | None], *, after: bytes | None = None) -> Iterator[int]:
    """A peer that says `lines` in turn, whatever it hears; None ends the connection.

    `after`: instead of ending, wait until this was heard, then end the connection.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    _say(connection, list(lines), after)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def _say(connection: socket.socket, lines: list[bytes | None], after: bytes | None) -> None:
    connection.settimeout(10)
    seen = b""
    for line in lines:
        if line is None:
            return
        connection.sendall(line)
        heard = connection.recv(65536)
        if not heard:
            return
        seen += heard
    while after is not None and after not in seen:
        heard = connection.recv(65536)
        if not heard:
            return
        seen = seen[-1000:] + heard
