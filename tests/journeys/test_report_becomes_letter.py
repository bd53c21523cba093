"""DESIGN's first journey, with real servers: a Shadowserver report becomes letters to the owners.

A mail with a report waits in Dovecot; the letters are taken by an SMTP server and read by GnuPG.
"""

from __future__ import annotations

import contextlib
import csv
import email
import email.policy
import hashlib
import imaplib
import io
import os
import shutil
import subprocess
import tempfile
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from muhafiz.common.clock import HeldClock
from tests.feeds.imap_server import DOVECOT, dovecot
from tests.notifications.peers import Mailbox, served

pytestmark = [pytest.mark.peer, pytest.mark.django_db]

NAME = "2026-11-22-scan_telnet-pakistan_national-asn.csv"
HEADER = (
    '"timestamp","severity","ip","protocol","port","hostname","tag","asn","geo","region",'
    '"city","naics","hostname_source","sector","banner"'
)
BANK, TELECOM, NOBODY = "198.51.100.", "203.0.113.", "192.0.2."


def line(address: str, number: int, banner: str = "login:") -> str:
    return (
        f'"2026-11-22 00:00:{number % 60:02}","medium",{address},tcp,23,,telnet,64500,PK,'
        f'Islamabad,Islamabad,517311,,"","{banner}"'
    )


def report() -> bytes:
    """Rows 1-12 of the bank (one of them says it is a formula), 13-15 of the telecom, 16-18 of
    nobody, 19 again of the bank, 20 unreadable."""
    lines = [line(f"{BANK}{n}", n) for n in range(1, 12)]
    lines.append(line(f"{BANK}12", 12, banner="=HYPERLINK(1)"))
    lines += [line(f"{TELECOM}{n}", n) for n in range(13, 16)]
    lines += [line(f"{NOBODY}{n}", n) for n in range(16, 19)]
    lines.append(line(f"{BANK}19", 19))
    lines.append('"2026-11-22 00:00:20","medium",198.51.100.20')
    return "\n".join([HEADER, *lines]).encode() + b"\n"


def mail_with(content: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Shadowserver <autoreports@example.org>"
    mail["Subject"] = "[Shadowserver] Pakistan Accessible Telnet Report: 2026-11-22"
    mail["Message-ID"] = "<journey-1@example.org>"
    mail.set_content("The report is attached.")
    mail.add_attachment(content, maintype="text", subtype="csv", filename=NAME)
    return bytes(mail)


class Gpg:
    """GnuPG with a key of the bank's abuse desk."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.run(
            "--passphrase", "", "--pinentry-mode", "loopback", "--quick-generate-key",
            "abuse@bank.example", "future-default", "default", "1y",
        )  # fmt: skip

    def run(self, *arguments: str, given: bytes = b""):
        return subprocess.run(
            ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--yes", *arguments],
            input=given, capture_output=True, check=True, timeout=60,
        )  # fmt: skip

    def certificate(self) -> str:
        return self.run("--armor", "--export", "abuse@bank.example").stdout.decode()

    def read(self, armored: bytes) -> tuple[bytes, str]:
        """Decrypt; the plain bytes and GnuPG's status lines."""
        answer = self.run("--status-fd", "2", "--decrypt", given=armored)
        return answer.stdout, answer.stderr.decode(errors="replace")


@pytest.fixture(scope="module")
def mailbox():
    if not os.access(DOVECOT, os.X_OK):
        pytest.skip("NOT TESTED: the journey needs Debian's dovecot-imapd")
    with tempfile.TemporaryDirectory(prefix="muhafiz-imap-") as name:
        Path(name).chmod(0o755)
        with dovecot(Path(name)) as running:
            yield running


@pytest.fixture(scope="module")
def gpg():
    if shutil.which("gpg") is None:
        pytest.skip("NOT TESTED: the journey needs Debian's gnupg")
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))  # a short path: its sockets need one
    home.chmod(0o700)
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def post():
    with served(Mailbox()) as peer:
        yield peer


@pytest.fixture
def nation(*, db, folders, settings, actor, now, gpg):
    """A rulebook, a key of the house, a feed, two organizations, policies that write at once."""
    from muhafiz.constituency.actions.claims import add_claim
    from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
    from muhafiz.constituency.actions.organizations import register_organization
    from muhafiz.detection.actions.policies import install_default_policies
    from muhafiz.feeds.actions.feeds import create_feed
    from muhafiz.keyring.actions.certificates import ensure_signing_certificate
    from muhafiz.rulebook.actions.profile import load_profile

    by = {"actor": actor, "now": now}
    settings.MAIL_FROM = "notices@cert.example"
    load_profile("pakistan", **by)
    ensure_signing_certificate(**by)
    create_feed(
        name="shadowserver", source="shadowserver", title="Shadowserver", owner="Duty desk", **by
    )
    found = {}
    for name, urdu, network, language, certificate in (
        ("Bank", "بینک", "198.51.100.0/24", "en", gpg.certificate()),
        ("Telecom", "ٹیلی کام", "203.0.113.0/24", "ur", ""),
    ):
        found[name] = register_organization(name_en=name, name_ur=urdu, language=language, **by)
        add_claim(organization_id=found[name], kind="address", value=network, **by)
        details = ContactDetails(
            role="abuse", address=f"abuse@{name.lower()}.example", certificate=certificate
        )
        add_contact(organization_id=found[name], details=details, **by)
    install_default_policies(cadence="at_once", **by)
    return found


@pytest.fixture
def travelled(*, nation, mailbox, post, settings, actor, now):
    """The whole way, each step by the job that works it."""
    from muhafiz.feeds.actions.mail import collect_mail
    from muhafiz.jobs.scheduler import schedule_due
    from muhafiz.jobs.worker import run_due

    settings.SMTP_URL = post.url
    settings.IMAP_URL = ""
    with contextlib.suppress(imaplib.IMAP4.error):  # it is empty already
        mailbox.empty()
    mailbox.deliver(mail_with(report()))
    collected = collect_mail(url=mailbox.url("imap+plain"), actor=actor, now=now)
    assert (collected.mails, collected.reports) == (1, 1)
    clock = HeldClock(now)
    for _ in range(3):
        clock.advance(timedelta(minutes=2))
        schedule_due(clock)
        run_due(clock)
    return nation


def taken(post) -> dict[str, bytes]:
    return dict(post.mailbox.taken)


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def csv_of(message) -> tuple[bytes, list[dict[str, str]]]:
    [attachment] = [a for a in message.iter_attachments() if a.get_content_type() == "text/csv"]
    content = attachment.get_payload(decode=True)
    return content, list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def decrypted(gpg: Gpg, raw: bytes):
    """The inner message of a PGP/MIME letter (RFC 3156), its signature checked."""
    outer = parsed(raw)
    assert outer.get_content_type() == "multipart/encrypted"
    _, body = outer.iter_parts()
    plain, told = gpg.read(body.get_payload(decode=True))
    assert "GOODSIG" in told
    return parsed(plain)


def test_the_report_becomes_one_letter_for_each_owner(travelled, post, gpg):
    from muhafiz.detection import queries
    from muhafiz.keyring.queries import own_certificate

    letters = taken(post)
    assert sorted(letters) == ["abuse@bank.example", "abuse@telecom.example"]
    assert len(post.mailbox.taken) == 2
    notices = {n.organization_id: n for n in queries.notices()}
    bank, telecom = notices[travelled["Bank"]], notices[travelled["Telecom"]]
    assert bank.number != telecom.number
    gpg.run("--import", given=own_certificate(at=bank.created_at).public.encode())

    assert BANK.encode() not in letters["abuse@bank.example"]  # encrypted
    message = decrypted(gpg, letters["abuse@bank.example"])
    content, rows = csv_of(message)
    assert [row["source_ip"] for row in rows] == sorted([f"{BANK}{n}" for n in (*range(1, 13), 19)])
    assert hashlib.sha256(content).hexdigest() == bank.digest
    assert bank.digest in message.get_body(("plain",)).get_content()
    assert BANK.encode() not in letters["abuse@telecom.example"]

    message = parsed(letters["abuse@telecom.example"])
    _, rows = csv_of(message)
    assert [row["source_ip"] for row in rows] == [f"{TELECOM}{n}" for n in range(13, 16)]
    text = message.get_body(("plain",)).get_content()
    assert "خلاصہ" in text
    assert telecom.number in text
    assert f"{TELECOM}13".replace(".", "[.]") in text
    assert NOBODY.encode() not in b"".join(letters.values())


def test_each_row_traces_back_to_report_parser_network_and_contact(travelled):
    from muhafiz.constituency import queries as constituency
    from muhafiz.detection import queries
    from muhafiz.feeds import queries as feeds

    lines = report().decode().splitlines()
    for notice in queries.notices():
        owner = notice.organization_id
        for row in queries.notice_rows(notice.id):
            came = feeds.report(row["report_id"])
            assert came.file_name == NAME
            assert row["parser"].startswith("shadowserver/")
            place = feeds.position(row["report_id"], row["row"])
            assert row["source_ip"] in lines[place.row]  # line 0 is the header
            claim = constituency.claims([row["network_id"]])[row["network_id"]]
            assert claim.organization_id == owner
            assert claim.text == row["network"]
        [(letter, contact)] = queries.contact_versions(notice.id)
        assert (contact.organization_id, contact.version) == (owner, letter.contact_version)


def test_the_verify_code_answers_and_the_log_is_whole(travelled, tmp_path, actor, now):
    from muhafiz.audit import verifier
    from muhafiz.audit.queries import entries, export
    from muhafiz.detection import queries
    from muhafiz.publications.queries import verify
    from muhafiz.release.queries import holders_of

    for notice in queries.notices():
        verdict = verify(notice.verify_code)
        assert (verdict.outcome, verdict.number) == ("valid", notice.number)
        assert verdict.digest == notice.digest
        [holder] = holders_of("notice", str(notice.public_id))
        assert holder.audience_identifier == str(notice.organization_id)
    assert verify("AAAA-AAAA-AAAA").outcome == "unknown"
    with (tmp_path / "log.jsonl").open("wb") as stream:
        export(stream)
    assert verifier.main([str(tmp_path / "log.jsonl")]) == 0
    actions = {entry.action for entry in entries(limit=1000)}
    assert {"feeds.take_mail", "lake.append_batch", "detection.compose_notices"} <= actions


def test_the_same_report_again_sends_nothing(travelled, mailbox, post, actor, now):
    from muhafiz.feeds.actions.mail import collect_mail
    from muhafiz.jobs.scheduler import schedule_due
    from muhafiz.jobs.worker import run_due

    again = parsed(mail_with(report()))
    again.replace_header("Message-ID", "<journey-2@example.org>")
    mailbox.deliver(bytes(again))
    collect_mail(url=mailbox.url("imap+plain"), actor=actor, now=now)
    clock = HeldClock(now + timedelta(hours=2))
    schedule_due(clock)
    run_due(clock)
    assert len(post.mailbox.taken) == 2
