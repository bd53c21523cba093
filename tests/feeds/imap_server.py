"""A real Dovecot on loopback, in a folder of its own, for one test module."""

from __future__ import annotations

import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
USER, PASSWORD = "reports", "correct horse"

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_login_user = {login}
default_internal_user = {me}
default_internal_group = {group}
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
  chroot =
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class ImapServer:
    plain_port: int
    tls_port: int
    authority: ssl.SSLContext

    def url(self, scheme: str = "imap+plain") -> str:
        port = self.tls_port if scheme == "imaps" else self.plain_port
        return f"{scheme}://{USER}:correct%20horse@127.0.0.1:{port}/INBOX"

    def client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.plain_port)
        client.login(USER, PASSWORD)
        return client

    def deliver(self, raw: bytes) -> None:
        with self.client() as client:
            client.append("INBOX", None, None, raw)

    def empty(self) -> None:
        with self.client() as client:
            _, (count,) = client.select("INBOX")
            if count and int(count):
                client.store("1:*", "+FLAGS", "\\Deleted")
                client.expunge()

    def flags(self) -> list[bytes]:
        with self.client() as client:
            client.select("INBOX", readonly=True)
            _, found = client.fetch("1:*", "(FLAGS)")
            return [line for line in found if line]


@contextlib.contextmanager
def dovecot(folder: Path) -> Iterator[ImapServer]:
    plain, tls = _free_port(), _free_port()
    me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    owner = _mail_owner(me)
    (folder / "home").mkdir()
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    os.chown(folder / "home", owner.pw_uid, owner.pw_gid)
    _certificate(folder)
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (folder / "dovecot.conf").write_text(
        CONFIG.format(
            folder=folder, me=me, group=group, uid=owner.pw_uid, gid=owner.pw_gid, plain=plain,
            tls=tls,
            login=_login_user(me),
        )
    )  # fmt: skip
    with (folder / "stderr").open("wb") as errors:
        server = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
    try:
        _wait(plain, server, folder)
        authority = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        yield ImapServer(plain, tls, authority)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=10)


def _login_user(me: str) -> str:
    """Dovecot run by root wants a lesser user for its login processes."""
    for name in ("dovenull", "nobody"):
        with contextlib.suppress(KeyError):
            if os.getuid() == 0:
                return pwd.getpwnam(name).pw_name
    return me


def _mail_owner(me: str) -> pwd.struct_passwd:
    """Nor does it give root's own mail to anybody."""
    return pwd.getpwnam("nobody" if os.getuid() == 0 else me)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(100):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as line:
            if line.recv(100).startswith(b"* OK"):
                return
        time.sleep(0.05)
    log = folder / "dovecot.log"
    told = log.read_text() if log.exists() else (folder / "stderr").read_text()
    raise RuntimeError(f"dovecot did not start: {told}")


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    import ipaddress

    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
