from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.formats.bounces import parse_bounce
from muhafiz.formats.lines import one_line
from muhafiz.formats.mail import (
    BadAddress,
    Head,
    Part,
    compose_clear,
    compose_encrypted,
    compose_from_inner,
    compose_inner,
    plain_address,
)

HEAD = Head(
    message_id="<0123@cert.example>",
    date=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    sender_name="National CERT",
    sender_address="cert@cert.example",
    recipient_name="Abuse Desk",
    recipient_address="abuse@org.example",
    subject="53 systems need attention",
    language="en",
    reference="N-2026-00001",
)
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
    "content-language",
    "content-transfer-encoding",
}


def read(raw: bytes):
    return message_from_bytes(raw, policy=policy.default)


def text_of(part):
    return part.get_content().replace("\r\n", "\n")


def test_a_letter_in_urdu_with_attachments_reads_back():
    text = "محترم ساتھیو،\n.\nFrom here\n" + "x" * 2000 + "\n"
    csv = b"a,b\r\n1,2\r\n"
    raw = compose_clear(
        replace(
            HEAD, subject="آپ کے نیٹ ورک میں 53 نظام" * 5, recipient_name="مرکز", language="ur"
        ),
        text,
        [Part("واقعات.csv", "text/csv", csv), Part("x.json", "application/json", b"{}")],
    )
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    mail = read(raw)
    assert mail["Subject"] == "آپ کے نیٹ ورک میں 53 نظام" * 5
    assert mail["To"].addresses[0].display_name == "مرکز"
    assert mail["To"].addresses[0].addr_spec == "abuse@org.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<0123@cert.example>"
    assert mail["Date"].datetime == HEAD.date
    body, first, second = mail.iter_parts()
    assert text_of(body) == text
    assert body["Content-Language"] == "ur"
    assert first.get_filename() == "واقعات.csv"
    assert first.get_content_type() == "text/csv"
    assert first.get_payload(decode=True) == csv
    assert second.get_content() == b"{}"
    assert not mail.defects


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", "7bit"),
        ("mostly plain, a café here\n" * 4, "quoted-printable"),
        ("اردو\n", "base64"),
        ("y" * 3000 + "\n", "quoted-printable"),
    ],
)
def test_text_is_encoded_as_it_needs(text, encoding):
    mail = read(compose_clear(HEAD, text, []))
    assert mail["Content-Transfer-Encoding"] == encoding
    assert text_of(mail) == text


hostile = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "x\r\nBcc: all@example.org",
            "x\nBcc: a@b",
            "x\r\n\r\nbody",
            "=?utf-8?q?x=0D=0ABcc:_a@b?=",
            "=?utf-8?b?DQpCY2M6IGFAYg==?=",
            '"a, b" <evil@example.org>',
            "a\x00b",
            "a\u2028Bcc: x",
            "a\x85b",
            "\ud800",
            "a" * 5000,
            "\u0627" * 500,
            "a, b@c.d",
            "=?utf-8?q?" + "=2C" * 60 + "?=",
        ]
    ),
)


@given(hostile, hostile, hostile, hostile, hostile, hostile, hostile)
def test_no_header_can_be_broken_out_of(  # noqa: PLR0917 - one per header
    subject, sender, recipient, language, reference, name, kind
):
    head = replace(
        HEAD,
        subject=subject,
        sender_name=sender,
        recipient_name=recipient,
        language=language,
        reference=reference,
    )
    parts = [Part(name, kind, b"x")]
    for raw in (compose_clear(head, "text\n", parts), compose_encrypted(head, b"ARMOR\r\n")):
        assert raw.isascii()
        top = raw.split(b"\r\n\r\n", 1)[0]
        names = [
            line.split(b":", 1)[0].decode().lower()
            for line in top.split(b"\r\n")
            if not line.startswith((b" ", b"\t"))
        ]
        assert set(names) <= HEADERS
        assert len(names) == len(set(names))
        mail = read(raw)
        assert [a.addr_spec for a in mail["To"].addresses] == ["abuse@org.example"]
        assert [a.addr_spec for a in mail["From"].addresses] == ["cert@cert.example"]
        assert len(list(mail.iter_parts())) == 2
    attached = list(read(compose_clear(head, "text\n", parts)).iter_parts())[1]
    assert attached.get_payload(decode=True) == b"x"
    assert attached.get_content_maintype() not in {"multipart", "message"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=400))
def test_text_reads_back(text):
    assert text_of(read(compose_clear(HEAD, text, []))) == text + "\n" * bool(text)


def test_a_mail_of_another_subject_cannot_be_opened_from_inside():
    inner = compose_inner(HEAD, "text", [])
    assert text_of(read(compose_from_inner(HEAD, inner))) == "text\n"
    with pytest.raises(ValueError, match="another subject"):
        compose_from_inner(replace(HEAD, subject="other"), inner)


def test_the_outside_of_an_encrypted_mail_tells_only_the_number():
    raw = compose_encrypted(
        HEAD, b"-----BEGIN PGP MESSAGE-----\n\nAA==\n-----END PGP MESSAGE-----\n"
    )
    mail = read(raw)
    assert mail["Subject"] == "N-2026-00001"
    assert b"53 systems" not in raw
    assert mail.get_content_type() == "multipart/encrypted"
    assert mail["Content-Type"].params["protocol"] == "application/pgp-encrypted"
    control, body = mail.iter_parts()
    assert control.get_content_type() == "application/pgp-encrypted"
    assert control.get_payload().strip() == "Version: 1"
    assert body.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a@example.org", "a@example.org"),
        (" A.b+c@EXAMPLE.org ", "A.b+c@example.org"),
        ("a@büro.example", "a@xn--bro-hoa.example"),
    ],
)
def test_addresses_become_ascii(text, plain):
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c.d",
        "a@b\r\nRCPT TO:<x@y>",
        "a>@b.c",
        "<a@b.c>",
        "a@b..c",
        ".a@b.c",
        "a..b@c.d",
        "\u0627@b.c",
        "a" * 65 + "@b.c",
        "a@" + "b" * 64 + ".c",
        "a@" + ("b" * 60 + ".") * 5 + "c",
        'a"b@c.d',
        "a@b@c,d",
        "a@-b.c",
    ],
)
def test_other_addresses_are_refused(text):
    with pytest.raises(BadAddress):
        plain_address(text)


@given(st.text())
def test_whatever_passes_as_an_address_is_harmless(text):
    try:
        address = plain_address(text)
    except BadAddress:
        return
    assert address.isascii()
    assert not set(address) & set('\r\n <>,;:"\\()[]\0')


@given(st.text())
def test_one_line_is_one_line(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 400
    assert "=?" not in line
    assert "\x00" not in line
    assert one_line(line) == line


DSN = b"""\
From: MAILER-DAEMON@mx.example
To: cert@cert.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I could not deliver it.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 123

Final-Recipient: rfc822; abuse@org.example
Original-Recipient: rfc822;Abuse@Org.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.org.example
Diagnostic-Code: smtp; 550 5.1.1 <abuse@org.example>: Recipient address
    rejected: User unknown

--B
Content-Type: message/rfc822

From: cert@cert.example
Message-ID: <0123@cert.example>
Subject: x

text
--B--
"""


def test_a_standard_report_is_read():
    bounce = parse_bounce(DSN)
    assert bounce is not None
    assert bounce.message_id == "<0123@cert.example>"
    [failure] = bounce.failures
    assert failure.address.lower() == "abuse@org.example"
    assert failure.permanent
    assert failure.status == "5.1.1"
    assert "User unknown" in failure.diagnostic


def test_line_ends_do_not_matter():
    assert parse_bounce(DSN.replace(b"\n", b"\r\n")) is not None


@pytest.mark.parametrize(
    ("old", "new", "permanent"),
    [
        (b"Action: failed", b"Action: delayed", None),
        (b"Action: failed", b"Action: delivered", None),
        (b"Status: 5.1.1", b"Status: 4.4.7", False),
        (b"Action: failed", b"Action: failed (gave up)", True),
        (b"message/rfc822", b"text/rfc822-headers", True),
        (b"message/rfc822", b"message/global", True),
        (b"Status: 5.1.1\n", b"", True),
    ],
)
def test_variants_of_the_report(old, new, permanent):
    assert old in DSN
    bounce = parse_bounce(DSN.replace(old, new))
    if permanent is None:
        assert bounce is None
    else:
        assert bounce is not None
        assert bounce.message_id == "<0123@cert.example>"
        assert bounce.failures[0].permanent is permanent


def test_exim_and_qmail_are_understood():
    exim = (
        b"From: Mail Delivery System <Mailer-Daemon@mx>\nX-Failed-Recipients: a@b.example\n"
        b"References: <0123@cert.example>\nContent-Type: text/plain\n\n"
        b"  a@b.example\n    host mx said: 550 5.1.1 no such user here\n"
    )
    bounce = parse_bounce(exim)
    assert bounce is not None
    assert bounce.message_id == "<0123@cert.example>"
    assert bounce.failures[0].status == "5.1.1"
    qmail = (
        b"From: MAILER-DAEMON@q\nContent-Type: text/plain\n\nHi. This is the qmail-send program at q.\n\n"
        b"<a@b.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        b"--- Below this line is a copy of the message.\n\nMessage-ID: <0123@cert.example>\n"
        b"\n<c@d.example>:\nnot a failure\n"
    )
    bounce = parse_bounce(qmail)
    assert bounce is not None
    assert [one.address for one in bounce.failures] == ["a@b.example"]
    assert bounce.message_id == "<0123@cert.example>"


def test_a_line_that_looks_like_two_headers_does_not_hide_the_failure():
    """The standard library refuses to write such a header out again; reading it must not ask for that."""
    damaged = DSN.replace(b"Action: failed", b"X-Note: rfc82\x0bAction: failed\nAction: failed", 1)
    assert damaged != DSN
    bounce = parse_bounce(damaged)
    assert bounce is not None
    assert bounce.failures == parse_bounce(DSN).failures


def test_an_ordinary_mail_is_no_report():
    assert parse_bounce(compose_clear(HEAD, "550 5.1.1 user unknown a@b.example", [])) is None


@given(st.binary(max_size=2000))
def test_garbage_is_no_report(raw):
    parse_bounce(raw)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_report_never_breaks_the_reader(data):
    raw = bytearray(DSN)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        junk = data.draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b"=?", b"?=", b"\x00", b"\xff", b"(", b'"', b"<", b"\n\n", b"--B\n"]
                ),
            )
        )
        raw[at : at + data.draw(st.integers(0, 20))] = junk
    bounce = parse_bounce(bytes(raw))
    assert bounce is None or all(one.address for one in bounce.failures)


def test_endless_nesting_is_survived():
    raw = b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n' * 3000
    assert parse_bounce(raw) is None
    assert parse_bounce(b"Content-Type: message/rfc822\n\n" * 5000) is None
