"""Mail comes from anybody: whatever its headers look like, it is read or told as malformed."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.feeds.mail_parts import Malformed, take_apart

MAIL = b"""\
From: =?utf-8?B?2YXYrdmB?= <feeds@reporter.example>
Subject: =?utf-8?q?daily=20report?=
Message-ID: <1@reporter.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: text/csv; name="=?utf-8?B?2YXYrQ==?="
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*0*=utf-8''day%20; filename*1="one.csv"

aXAKMTkyLjAuMi4xCg==
--B--
"""
JUNK = [
    *(b"=?", b"?=", b"=?x-none?B?a?=", b"utf-8''", b"%", b"*0*=", b"charset=none"),
    *(b"\x00", b"\x0b", b"\x1c", b"\x85", b"\xff", b"\xe2\x80\xa8", b"\r", b"\n\n"),
    *(b"(", b'"', b"<", b"@", b"[", b";", b":", b"--B\n"),
]


def test_a_mail_is_taken_apart():
    facts = take_apart(MAIL)
    assert (facts.sender, facts.subject) == ("محف <feeds@reporter.example>", "daily report")
    assert [(one.name, one.content) for one in facts.attachments] == [
        ("day one.csv", b"ip\n192.0.2.1\n")
    ]


def test_an_unsound_subject_stands_as_it_is():
    """The standard library raises an error of its own kind here; intake once ended at such a mail."""
    for word in (b"=?utf-8?B?a?=", b"=?\xff?q?x?=", b"=?x-none?q?x?="):
        facts = take_apart(MAIL.replace(b"=?utf-8?q?daily=20report?=", word))
        assert len(facts.attachments) == 1
        assert facts.subject


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_mail_is_read_or_told_as_malformed(data):
    raw = bytearray(MAIL)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 12))] = data.draw(
            st.one_of(st.sampled_from(JUNK), st.binary(max_size=4))
        )
    with contextlib.suppress(Malformed):
        facts = take_apart(bytes(raw))
        assert len(facts.digest) == 64
        assert all(one.content and one.name.isprintable() for one in facts.attachments)
