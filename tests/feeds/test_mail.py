from __future__ import annotations

import gzip
import os
import ssl
import tempfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import change_feed
from muhafiz.feeds.actions.mail import collect_mail, take_mail
from muhafiz.feeds.actions.replay import reprocess_report
from muhafiz.feeds.mailbox import BadMailbox, OpenMailbox, read_address
from muhafiz.feeds.models import TakenMail
from muhafiz.feeds.rules import BadFeed, DiskNearlyFull, is_sender
from tests.feeds.conftest import NAME, telnet_csv
from tests.feeds.imap_server import DOVECOT, dovecot

BOUNCE = b"""\
From: Mail Delivery System <mailer-daemon@example.org>
To: cert@example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-1@example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

The mail could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; abuse@example.org
Action: failed
Status: 5.1.1

--B--
"""


def report_mail(*attachments: tuple[str, bytes], message_id: str = "<m1@example.org>") -> bytes:
    mail = EmailMessage()
    mail["From"] = "Shadowserver <autoreports@example.org>"
    mail["Subject"] = "[Shadowserver] خبر"
    mail["Message-ID"] = message_id
    mail.set_content("Reports are attached.")
    for name, content in attachments:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(mail)


@pytest.fixture(scope="module")
def server():
    if not os.access(DOVECOT, os.X_OK):
        pytest.skip("NOT TESTED: mail intake needs Debian's dovecot-imapd")
    with tempfile.TemporaryDirectory(prefix="muhafiz-imap-") as name:
        Path(name).chmod(0o755)
        with dovecot(Path(name)) as running:
            yield running


@pytest.fixture
def mailbox(server, feed):
    server.empty()
    return server


@pytest.fixture
def collect(mailbox, actor, now):
    return lambda scheme="imap+plain": collect_mail(
        url=mailbox.url(scheme), actor=actor, now=now, tls=mailbox.authority
    )


@pytest.mark.peer
@pytest.mark.parametrize("scheme", ["imaps", "imap", "imap+plain"])
def test_attachments_become_reports(mailbox, collect, scheme):
    packed = gzip.compress(telnet_csv(4, seed=2), mtime=0)
    mailbox.deliver(report_mail((NAME, telnet_csv(3)), (f"{NAME}.gz", packed)))
    found = collect(scheme)
    assert (found.mails, found.reports) == (1, 2)
    assert {report.feed for report in queries.reports()} == {"shadowserver"}
    assert {report.door for report in queries.reports()} == {"mail"}
    assert b"\\Seen" in mailbox.flags()[0]
    assert collect(scheme).mails == 0


@pytest.mark.peer
def test_the_same_mail_twice_is_one(mailbox, collect):
    mail = report_mail((NAME, telnet_csv(3)))
    for relay in (b"one", b"two"):
        mailbox.deliver(b"Received: from " + relay + b".example.org\r\n" + mail)
    found = collect()
    assert (found.mails, found.reports) == (2, 1)
    assert TakenMail.objects.count() == 1


@pytest.mark.peer
def test_a_mail_stays_unread_until_it_is_acknowledged(mailbox, collect, settings):
    mailbox.deliver(report_mail((NAME, telnet_csv(3))))
    settings.FREE_DISK_PERCENT = 100
    with pytest.raises(DiskNearlyFull):
        collect()
    assert b"\\Seen" not in mailbox.flags()[0]
    assert not TakenMail.objects.exists()
    settings.FREE_DISK_PERCENT = 1
    assert collect().reports == 1


@pytest.mark.peer
def test_a_mail_that_is_too_large_is_laid_aside(mailbox, collect, monkeypatch):
    monkeypatch.setattr(OpenMailbox, "LIMIT_BYTES", 2_000)
    mailbox.deliver(report_mail((NAME, telnet_csv(300))))
    mailbox.deliver(report_mail((NAME, telnet_csv(1)), message_id="<m2@example.org>"))
    found = collect()
    assert (found.mails, found.laid_aside) == (1, 1)
    assert b"\\Flagged" in mailbox.flags()[0]
    assert collect().laid_aside == 0


@pytest.mark.peer
def test_an_unknown_authority_is_not_trusted(mailbox, actor, now):
    with pytest.raises(ssl.SSLError):
        collect_mail(url=mailbox.url("imaps"), actor=actor, now=now)


def test_a_bounce_goes_to_the_post_office(feed, actor, now):
    taken = take_mail(raw=BOUNCE, actor=actor, now=now)
    assert (taken.outcome, taken.reports) == ("bounce", ())
    assert take_mail(raw=BOUNCE, actor=actor, now=now).duplicate


def test_a_mail_without_a_report_is_noted(feed, actor, now):
    taken = take_mail(raw=report_mail(), actor=actor, now=now)
    assert taken.outcome == "nothing"
    assert queries.reports() == []


def test_an_attachment_nobody_recognizes_is_kept_for_a_person(feed, actor, now):
    taken = take_mail(raw=report_mail(("a.bin", b"\x00\x01\x02" * 99)), actor=actor, now=now)
    assert taken.outcome == "reports"
    assert queries.report(taken.reports[0].id).state == "quarantined"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 500,
        b"From: =?utf-8?b?!!!?=\r\nContent-Type: multipart/mixed; boundary=\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 60,
        (
            b"Content-Type: text/plain; charset=no-such\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename*=zz'x'%ff\r\n\r\n!!!!"
        ),
        b"From: " + b"a" * 100_000 + b"\r\n\r\n",
        b"Message-ID: <\xff\xfe>\r\nSubject: \xff\r\n\r\n",
    ],
    ids=["empty", "nuls", "no boundary", "nested", "charset", "long", "bytes"],
)
def test_malformed_mail_never_crashes(feed, actor, now, raw):
    taken = take_mail(raw=raw, actor=actor, now=now)
    assert taken.outcome in {"nothing", "malformed", "reports"}
    assert take_mail(raw=raw, actor=actor, now=now).duplicate


def test_a_mail_of_too_many_parts_is_kept_in_quarantine(feed, actor, now):
    many = b"--a\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 1_100
    raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + many + b"--a--\r\n"
    taken = take_mail(raw=raw, actor=actor, now=now)
    assert taken.outcome == "malformed"
    assert queries.report(taken.reports[0].id).reason == "malformed-mail"


@pytest.mark.parametrize(
    "url",
    [
        "http://u@h/",
        "imaps://host/INBOX",
        "imap+plain://u:p@mail.example.org/INBOX",
        "imaps://u@h:x/",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(BadMailbox):
        read_address(url)


def test_a_password_is_never_shown():
    assert "secret" not in repr(read_address("imaps://me:secret@mail.example.org/INBOX"))


@pytest.mark.parametrize(
    ("senders", "state"),
    [
        ([], "received"),
        (["*@example.org"], "received"),
        (["AUTOREPORTS@example.org", "x@y"], "received"),
        (["*@shadowserver.org"], "quarantined"),
        (["shadowserver*"], "quarantined"),  # the name shown beside the address counts for nothing
    ],
)
def test_a_feed_may_say_who_sends_its_mails(feed, actor, now, senders, state):
    change_feed(name=feed, options={"senders": senders}, actor=actor, now=now)
    take_mail(raw=report_mail((NAME, telnet_csv(3))), actor=actor, now=now)
    (report,) = queries.reports()
    assert (report.feed, report.state) == (feed, state)
    if state == "quarantined":
        assert report.reason == "unknown-sender"
        assert "autoreports@example.org" in report.detail
        reprocess_report(report_id=report.id, actor=actor, now=now)  # a person has looked
        assert queries.report(report.id).state == "received"


@pytest.mark.parametrize(
    ("shown", "trusted"),
    [
        ("a@s.example", True),
        ("Reports <A@S.example>", True),
        ('"a@s.example" <a@s.example>', True),
        ('"a@s.example" <evil@x.example>', False),
        ("a@s.example, <evil@x.example>", False),  # what an encoded name looks like, decoded
        ("a@s.example> <evil@x.example>", False),
        ('a@s.example <"evil one"@x.example>', False),
        (f"a@s.example {'x' * 300}", False),  # the rest may be cut off
        ("Reports", False),
        ("", False),
    ],
)
def test_a_name_beside_the_address_is_no_sender(shown, trusted):
    assert is_sender(shown, ["*@s.example"]) is trusted


def test_the_right_sender_ends_the_doubt_about_the_same_bytes(feed, process, actor, now):
    """It used to be a second delivery of what waits in quarantine, and nobody read it."""
    change_feed(name=feed, options={"senders": ["x@y"]}, actor=actor, now=now)
    raw = report_mail((NAME, telnet_csv(3)))
    take_mail(raw=raw, actor=actor, now=now)
    (waiting,) = queries.reports()
    assert queries.feed_state(feed, now=now).last_report_at is None  # a forgery is no sign of life
    trusted = raw.replace(b"autoreports@example.org", b"x@y").replace(b"<m1@", b"<m2@")
    assert take_mail(raw=trusted, actor=actor, now=now).reports[0].duplicate
    assert queries.report(waiting.id).state == "received"
    assert queries.feed_state(feed, now=now).last_report_at == now
    assert process(waiting.id).rows_accepted == 3
    take_mail(raw=raw.replace(b"<m1@", b"<m3@"), actor=actor, now=now)
    assert queries.report(waiting.id).state == "done"


def test_senders_that_are_no_list_are_refused(feed, actor, now):
    with pytest.raises(BadFeed):
        change_feed(name=feed, options={"senders": "*@example.org"}, actor=actor, now=now)
