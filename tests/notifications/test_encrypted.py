"""GnuPG, as a recipient would use it, opens what was delivered."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pysequoia
import pytest

from muhafiz.common.clock import HeldClock
from muhafiz.keyring.actions.certificates import create_signing_certificate
from muhafiz.keyring.rules import BadCertificate
from muhafiz.notifications.actions.letters import mend_held
from muhafiz.notifications.messages import Attachment
from muhafiz.notifications.queries import letter, letter_bytes

pytestmark = [pytest.mark.peer, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def present_post(post):
    post.clock = HeldClock(datetime.now(UTC))  # GnuPG lives in the machine's own time
    return post


@pytest.fixture
def own(present_post):
    return create_signing_certificate(
        user_id="Test CERT <cert@cert.example>",
        actor=present_post.actor,
        now=present_post.clock.now(),
    )


@pytest.fixture
def gpg(gpg_home):
    def run(*arguments, given=b""):
        return subprocess.run(
            ["gpg", "--homedir", str(gpg_home), "--batch", "--no-tty", "--yes", *arguments],
            input=given,
            capture_output=True,
            check=True,
            timeout=60,
        )

    return run


@pytest.fixture
def recipient(gpg):
    gpg(
        "--passphrase", "", "--pinentry-mode", "loopback", "--quick-generate-key",
        "Abuse <abuse@org.example>", "future-default", "default", "1y",
    ) if not gpg("--list-keys").stdout else None  # fmt: skip
    return gpg("--armor", "--export", "abuse@org.example").stdout.decode()


def opened(gpg, raw):
    """What GnuPG finds inside, and its status lines."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.get_content_type() == "multipart/encrypted"
    _, body = mail.iter_parts()
    told = gpg("--status-fd", "2", "--decrypt", given=body.get_payload(decode=True))
    return mail, message_from_bytes(told.stdout, policy=policy.default), told.stderr


def test_gnupg_opens_and_verifies_the_delivered_letter(present_post, own, gpg, recipient, peer):
    gpg("--import", given=own.public.encode())
    csv = b"ip\r\n203.0.113.7\r\n"
    one = present_post.put(
        certificate=recipient,
        subject="خفیہ 203.0.113.0/24",
        text="محترم ساتھیو\n",
        language="ur",
        attachments=(Attachment("events.csv", "text/csv", csv),),
    )
    assert letter(one).encrypted
    present_post.deliver()
    [(_, raw)] = peer.mailbox.taken
    assert raw == letter_bytes(one)
    outside, inside, status = opened(gpg, raw)
    assert b"DECRYPTION_OKAY" in status
    assert b"GOODSIG" in status
    assert own.fingerprint.upper().encode() in status
    assert outside["Subject"] == "N-1"
    assert b"203.0.113" not in raw
    assert inside["Subject"] == "خفیہ 203.0.113.0/24"
    text, attached = inside.iter_parts()
    assert text.get_content() == "محترم ساتھیو\r\n"
    assert attached.get_payload(decode=True) == csv


@pytest.mark.parametrize("kind", ["expired", "revoked", "secret"])
def test_an_unusable_certificate_holds_the_letter(  # noqa: PLR0917 - fixtures
    present_post, own, gpg, recipient, peer, kind
):
    gpg("--import", given=own.public.encode())
    secret = pysequoia.Tsk.generate(
        "Bad <abuse@org.example>", validity_seconds=3600 if kind == "expired" else None
    )
    certificate = secret.extract_certificate()
    if kind == "expired":
        present_post.wait(hours=2)
    if kind == "revoked":
        revocation = certificate.revoke(secret.certifier())
        certificate = pysequoia.Cert.from_bytes(bytes(certificate) + bytes(revocation))
    bad = str(secret) if kind == "secret" else str(certificate)
    one = present_post.put(certificate=bad)
    assert letter(one).state == "held"
    assert (kind if kind != "secret" else "disclosed") in letter(one).reason
    present_post.deliver()
    assert peer.mailbox.taken == []
    known = {"message": one, "actor": present_post.actor, "now": present_post.clock.now()}
    with pytest.raises(BadCertificate):
        mend_held(certificate=bad, **known)
    assert letter(one).state == "held"
    mend_held(certificate=recipient, **known)
    present_post.deliver()
    [(_, raw)] = peer.mailbox.taken
    _, inside, status = opened(gpg, raw)
    assert inside.get_content() == "Dear colleagues,\r\n\r\nplease look.\r\n"
    assert b"DECRYPTION_OKAY" in status


def test_without_an_own_certificate_an_encrypted_letter_is_held(present_post, recipient):
    one = present_post.put(certificate=recipient)
    assert letter(one).state == "held"
    assert "sign" in letter(one).reason
