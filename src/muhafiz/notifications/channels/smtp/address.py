"""What MUHAFIZ_SMTP_URL says."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

Security = Literal["starttls", "tls", "plain"]

_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+plain": ("plain", 25),
}


class BadSmtpAddress(ValueError):  # noqa: N818 - named for what is bad
    """The setting names no SMTP peer this house may use."""


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where the relay is, how the way there is protected, and who we are to it."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


def smtp_address(url: str) -> SmtpAddress:
    """Read `smtp://`, `smtps://` or `smtp+plain://user:password@host:port`.

    smtp requires STARTTLS, smtps speaks TLS from the start; both check the certificate. smtp+plain
    goes to loopback only.

    Raises:
        BadSmtpAddress: another scheme, no host, a bad port, or plain to another machine.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its words quote what stands there, which may be the password
        raise BadSmtpAddress(
            "MUHAFIZ_SMTP_URL has no right host or port. Write signs of the password like %2F."
        ) from None
    if parts.scheme not in _SCHEMES:
        raise BadSmtpAddress("MUHAFIZ_SMTP_URL must begin with smtp://, smtps:// or smtp+plain://.")
    security, default_port = _SCHEMES[parts.scheme]
    if not parts.hostname:
        raise BadSmtpAddress("MUHAFIZ_SMTP_URL names no host.")
    if security == "plain" and not _is_loopback(parts.hostname):
        raise BadSmtpAddress("smtp+plain:// goes to 127.0.0.1 or [::1] only; use smtp:// here.")
    return SmtpAddress(
        host=parts.hostname,
        port=port or default_port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
