"""Messages to an SMTP relay (RFC 5321), TLS required beyond loopback."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from muhafiz.formats.lines import one_line
from muhafiz.notifications.channels import ChannelUnavailable, Envelope, Outcome
from muhafiz.notifications.channels.smtp.address import BadSmtpAddress, SmtpAddress, smtp_address

_STEP_SECONDS: Final = 30.0  # one command and its answer
_VERDICT_SECONDS: Final = 120.0  # the peer's answer to the whole message
_MOST_PER_CONNECTION: Final = 500

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)

#: Everything a dead or talking-nonsense peer makes the library raise.
_PEER_ERRORS: Final = (OSError, smtplib.SMTPException, ValueError)


class SmtpSession:
    """One connection, reused for many messages and reopened when the peer ends it."""

    def __init__(self, address: SmtpAddress) -> None:
        self._address = address
        self._connection: smtplib.SMTP | None = None
        self._handed = 0

    def ready(self) -> None:
        """Have a connection that answers.

        Raises:
            ChannelUnavailable: refused, untrusted certificate, no STARTTLS, wrong password.
        """
        if self._connection is not None and self._handed < _MOST_PER_CONNECTION:
            try:
                if self._handed == 0 or self._connection.noop()[0] == 250:  # noqa: PLR2004 - done
                    return
            except _PEER_ERRORS:
                pass
        self.close()
        try:
            self._connection = self._opened()
        except _PEER_ERRORS as error:
            raise ChannelUnavailable(_told(error)) from error

    def hand_over(self, envelope: Envelope, content: bytes) -> Outcome:
        """MAIL, RCPT, DATA, and what the answers mean.

        1. Before the final dot is written nothing can have been taken: any break is temporary.
        2. From the final dot until a clear answer it may have been taken: a break is unsure.

        Raises:
            ChannelUnavailable: the peer does not let us send at all.
        """
        connection = self._connection
        if connection is None:
            raise ChannelUnavailable("the connection was not opened")
        self._handed += 1
        try:
            refused = self._offered(connection, envelope, len(content))
            if refused is None:
                connection.send(_dotted(content))
        except _PEER_ERRORS as error:
            self.close()
            return Outcome("temporary", f"the connection broke before the end: {_told(error)}")
        if refused is not None:
            self._start_over(connection)
            return refused
        return self._verdict(connection)

    def close(self) -> None:
        """QUIT if the peer still listens."""
        connection, self._connection, self._handed = self._connection, None, 0
        if connection is None:
            return
        try:
            connection.quit()
        except _PEER_ERRORS:
            connection.close()

    def _opened(self) -> smtplib.SMTP:
        where = self._address
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if where.security == "tls":
            connection = smtplib.SMTP_SSL(
                where.host, where.port, timeout=_STEP_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(where.host, where.port, timeout=_STEP_SECONDS)
        try:
            if where.security == "starttls":
                connection.starttls(context=context)  # raises when the peer does not offer it
            connection.ehlo_or_helo_if_needed()
            if where.user:
                connection.login(where.user, where.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _offered(self, connection: smtplib.SMTP, envelope: Envelope, size: int) -> Outcome | None:
        """The peer's refusal of the envelope; None when it waits for the message."""
        options = [f"SIZE={size}"] if connection.has_extn("size") else []
        code, words = connection.mail(envelope.sender, options)
        if code != 250:  # noqa: PLR2004 - done
            return self._sender_refused(code, words)
        code, words = connection.rcpt(envelope.recipient)
        if code not in (250, 251):
            return _refusal(code, words, recipient=True)
        code, words = connection.docmd("DATA")
        return None if code == 354 else _refusal(code, words)  # noqa: PLR2004 - go ahead

    def _sender_refused(self, code: int, words: bytes) -> Outcome:
        """Too large is this message's fault; anything else would befall every message."""
        shown = _shown(code, words)
        if code == 552 or "5.3.4" in shown or "5.2.3" in shown:  # noqa: PLR2004 - too large
            return Outcome("permanent", shown)
        self.close()
        raise ChannelUnavailable(f"the relay refuses our sender address: {shown}")

    def _verdict(self, connection: smtplib.SMTP) -> Outcome:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(_VERDICT_SECONDS)
            connection.send(b".\r\n")
            code, words = connection.getreply()
            if connection.sock is not None:
                connection.sock.settimeout(_STEP_SECONDS)
        except _PEER_ERRORS as error:
            self.close()
            return Outcome("unsure", f"no answer after the end of the message: {_told(error)}")
        if code == 250:  # noqa: PLR2004 - done
            return Outcome("sent", _shown(code, words))
        if code // 100 in (4, 5):
            self._start_over(connection)
            return _refusal(code, words)
        self.close()
        return Outcome("unsure", f"an answer without meaning: {_shown(code, words)}")

    def _start_over(self, connection: smtplib.SMTP) -> None:
        try:
            if connection.rset()[0] == 250:  # noqa: PLR2004 - done
                return
        except _PEER_ERRORS:
            pass
        self.close()


def _refusal(code: int, words: bytes, *, recipient: bool = False) -> Outcome:
    kind = "permanent" if code // 100 == 5 else "temporary"  # noqa: PLR2004 - first digit
    return Outcome(
        "permanent" if kind == "permanent" else "temporary", _shown(code, words), recipient
    )


def _dotted(content: bytes) -> bytes:
    """The message with CR LF line ends, leading dots doubled, ending in a line end."""
    even = _LINE_END.sub(b"\r\n", content)
    quoted = _LEADING_DOT.sub(b"..", even)
    return quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"


def _shown(code: int, words: bytes) -> str:
    return one_line(f"{code} {words.decode('utf-8', 'replace')}", 500)


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _shown(error.smtp_code, words if isinstance(words, bytes) else words.encode())
    return one_line(str(error) or type(error).__name__, 500)


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """The relay of settings.SMTP_URL."""

    name: str = "smtp"

    def configured(self) -> bool:
        """Whether a relay is named."""
        return bool(settings.SMTP_URL)

    def session(self) -> SmtpSession:
        """A way to the relay, not yet opened.

        Raises:
            ChannelUnavailable: the setting names no relay this house may use.
        """
        try:
            return SmtpSession(smtp_address(settings.SMTP_URL))
        except BadSmtpAddress as error:
            raise ChannelUnavailable(str(error)) from error


CHANNEL: Final = SmtpChannel()
