from __future__ import annotations

import socket

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from muhafiz.notifications.channels import ChannelUnavailable, Envelope
from muhafiz.notifications.channels.smtp import CHANNEL, SmtpSession
from muhafiz.notifications.channels.smtp.address import BadSmtpAddress, smtp_address
from tests.notifications.peers import Mailbox, served, talking

ENVELOPE = Envelope("cert@cert.example", "abuse@org.example", "<1@cert.example>")
LETTER = b"Subject: x\r\n\r\n.dot\r\n..two\r\nend"


def handed(url: str, content: bytes = LETTER):
    session = SmtpSession(smtp_address(url))
    try:
        session.ready()
        return session.hand_over(ENVELOPE, content)
    finally:
        session.close()


def test_addresses_say_how_the_way_is_protected():
    assert smtp_address("smtp://mx.example").port == 587
    assert smtp_address("smtps://mx.example").port == 465
    named = smtp_address("smtp://user%40x:p%3Aw@mx.example:2525")
    assert (named.user, named.password, named.port) == ("user@x", "p:w", 2525)
    assert "p:w" not in repr(named)
    assert smtp_address("smtp+plain://[::1]:25").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mx.example",
        "http://mx.example",
        "smtp://",
        "smtp://mx:99999",
        "smtp+plain://mx.example",
        "smtp+plain://10.0.0.1",
        "smtp+plain://127.0.0.1.example",
    ],
)
def test_other_addresses_are_refused(url, settings):
    with pytest.raises(BadSmtpAddress):
        smtp_address(url)
    settings.SMTP_URL = url
    with pytest.raises(ChannelUnavailable):
        CHANNEL.session()


def test_starttls_with_a_checked_certificate(authority, monkeypatch):
    with served(Mailbox(), tls_context=authority.server, require_starttls=True) as peer:
        url = f"smtp://127.0.0.1:{peer.port}"
        with pytest.raises(ChannelUnavailable, match=r"(?i)certificate"):
            handed(url)
        assert peer.mailbox.taken == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert handed(url).kind == "sent"
        with pytest.raises(ChannelUnavailable, match=r"(?i)certificate"):
            handed(f"smtp://localhost:{peer.port}")  # a trusted certificate for another name
        assert peer.mailbox.taken == [("abuse@org.example", LETTER.replace(b"end", b"end\r\n"))]


def test_tls_from_the_start(authority, monkeypatch):
    with served(Mailbox(), implicit_tls=authority.server) as peer:
        url = f"smtps://127.0.0.1:{peer.port}"
        with pytest.raises(ChannelUnavailable, match=r"(?i)certificate"):
            handed(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert handed(url).kind == "sent"


def test_a_peer_without_starttls_gets_nothing():
    with served(Mailbox()) as peer, pytest.raises(ChannelUnavailable, match="STARTTLS"):
        handed(f"smtp://127.0.0.1:{peer.port}")
    assert peer.mailbox.taken == []


def test_the_password_is_used_and_a_wrong_one_is_told(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    def check(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=good, handled=False)

    options = {"tls_context": authority.server, "auth_required": True, "authenticator": check}
    with served(Mailbox(), **options) as peer:
        assert handed(f"smtp://cert:right@127.0.0.1:{peer.port}").kind == "sent"
        with pytest.raises(ChannelUnavailable, match="535"):
            handed(f"smtp://cert:wrong@127.0.0.1:{peer.port}")


HELLO = [b"220 mx\r\n", b"250-mx\r\n250 OK\r\n"]
OFFERED = [*HELLO, b"250 OK\r\n", b"250 OK\r\n"]  # then: to DATA


@pytest.mark.parametrize(
    ("lines", "after", "kind"),
    [
        ([*HELLO, None], None, "temporary"),
        ([*HELLO, b"250 OK\r\n", None], None, "temporary"),
        ([*OFFERED, None], None, "temporary"),
        ([*OFFERED, b"451 not now\r\n"], None, "temporary"),
        ([*OFFERED, b"354 go\r\n"], b"\r\n.\r\n", "unsure"),
        ([*OFFERED, b"354 go\r\n", b"250 OK\r\n"], b"quit", "sent"),
        ([*OFFERED, b"354 go\r\n", b"550 no\r\n"], b"rset", "permanent"),
        ([*OFFERED, b"354 go\r\n", b"421 closing\r\n"], b"rset", "temporary"),
        ([*OFFERED, b"354 go\r\n", b"nonsense\r\n"], None, "unsure"),
        ([*OFFERED, b"354 go\r\n", b"299 what\r\n"], b"quit", "unsure"),
        ([*OFFERED, b"354 go\r\n", b"x" * 10_000 + b"\r\n"], None, "unsure"),
    ],
)
def test_what_each_break_means(lines, after, kind):
    with talking(lines, after=after) as port:
        assert handed(f"smtp+plain://127.0.0.1:{port}", b"Subject: x\r\n\r\nshort\r\n").kind == kind


def test_a_break_half_way_through_the_letter_is_certainly_not_taken():
    # The peer leaves in the middle of a letter larger than any buffer on the way.
    with talking([*OFFERED, b"354 go\r\n", None]) as port:
        outcome = handed(f"smtp+plain://127.0.0.1:{port}", (b"y" * 900 + b"\r\n") * 30_000)
    assert outcome.kind == "temporary"
    assert "before the end" in outcome.words


@pytest.mark.parametrize(
    "lines",
    [[b"554 go away\r\n"], [b"nonsense\r\n"], [b"220 mx\r\n", b"500 what\r\n", b"502 no\r\n"]],
)
def test_a_peer_that_does_not_let_us_in(lines):
    with talking(lines) as port, pytest.raises(ChannelUnavailable):
        handed(f"smtp+plain://127.0.0.1:{port}")


def test_an_idle_connection_that_was_ended_is_reopened():
    with served(Mailbox()) as peer:
        session = SmtpSession(smtp_address(peer.url))
        session.ready()
        assert session.hand_over(ENVELOPE, LETTER).kind == "sent"
        session._connection.sock.shutdown(socket.SHUT_RDWR)
        session.ready()
        assert session.hand_over(ENVELOPE, LETTER).kind == "sent"
        session.close()
        session.close()
        with pytest.raises(ChannelUnavailable):
            session.hand_over(ENVELOPE, LETTER)
        assert peer.mailbox.connections == 2


def test_a_letter_larger_than_the_peer_takes_is_the_letters_fault():
    with served(Mailbox(), data_size_limit=100) as peer:
        assert handed(peer.url, b"x" * 200).kind == "permanent"
