"""Rows as files: small ones as they are, large ones packed, too large ones cut and said so."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.detection import bundling, composing, queries
from muhafiz.detection.bundling import Frame, bundled
from muhafiz.notifications.queries import letter
from tests.detection.given import event
from tests.detection.test_digest import mail, text_of

FRAME = Frame("rows.txt", head=b"head\n", between=b"|", tail=b"\ntail")


def unpacked(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        [name] = pack.namelist()
        assert pack.testzip() is None
        return pack.read(name)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=12), st.integers(0, 200))
def test_packed_or_not_the_rows_and_their_digest_are_the_same(texts, plain):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundling, "PLAIN_BYTES", plain)
        found = bundled([(1, text) for text in texts], FRAME)
        again = bundled([(1, text) for text in texts], FRAME)
    content = unpacked(found.content) if found.packed else found.content
    assert content == b"head\n" + b"|".join(texts) + b"\ntail"
    assert found.digest == hashlib.sha256(content).hexdigest()
    assert (found.rows, found) == (len(texts), again)
    assert found.packed == (len(content) - len("\ntail") > plain and bool(texts))


def test_a_pack_ends_where_its_room_does(monkeypatch):
    monkeypatch.setattr(bundling, "PLAIN_BYTES", 100)
    noise = [hashlib.shake_256(bytes([n])).digest(100_000) for n in range(20)]
    asked = []

    def pieces():
        for text in noise:
            asked.append(text)
            yield 10, text

    found = bundled(pieces(), FRAME, most=350_000)
    assert found.packed
    assert found.rows == 40
    assert len(asked) == 4  # the rest was not even made
    assert unpacked(found.content) == b"head\n" + b"|".join(noise[:4]) + b"\ntail"


def test_what_is_larger_than_its_room_is_packed_even_when_it_is_small():
    """A house that lets one MiB out sends no file of three as it is."""
    text = b"the same line\n" * 1_000
    found = bundled([(1, text)] * 20, FRAME, most=100_000)
    assert found.packed
    assert found.rows == 20
    assert len(found.content) < 100_000


@pytest.fixture
def small(monkeypatch):
    """What is large begins early, so that few rows show it."""
    monkeypatch.setattr(bundling, "PLAIN_BYTES", 20_000)
    monkeypatch.setattr(composing, "_LARGE", 60)
    monkeypatch.setattr(composing, "_PIECE", 20)
    monkeypatch.setattr(composing, "_XARF_PIECE", 7)


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_large_owners_rows_are_packed_and_the_small_ones_are_not(owner, arrive, policy, send):
    """Three owners in one digest: 5 rows, 200 rows, 50 rows; each has its own, in order."""
    owners = [owner("Alpha"), owner("Beta Telecom", language="ur"), owner("Gamma")]
    policy(attach_xarf=True)
    sizes = dict(zip(owners, (5, 200, 50), strict=True))
    arrive(
        [
            event(each, 256 * each + n, source_port=n + 1)
            for each in owners
            for n in range(sizes[each])
        ]
    )
    send()
    for notice in queries.notices():
        [message] = mail(notice)
        rows, programs = (part.get_payload(decode=True) for part in message.iter_attachments())
        names = [part.get_filename() for part in message.iter_attachments()]
        large = notice.organization_id == owners[1]
        assert [name.endswith(".zip") for name in names] == [large, programs[:2] == b"PK"]
        assert large or names[0].endswith(".csv")
        content = unpacked(rows) if large else rows
        programs = unpacked(programs) if programs[:2] == b"PK" else programs
        table = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        places = [int(row["source_port"]) for row in table]
        assert sorted(places) == list(range(1, sizes[notice.organization_id] + 1))
        assert notice.digest == hashlib.sha256(content).hexdigest()
        assert notice.digest in text_of(message)
        assert [each["source_port"] for each in json.loads(programs)] == places
        kept = queries.notice_rows(notice.id)
        assert [row["source_port"] for row in kept] == places


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_letter_that_is_cut_says_how_many_rows_it_holds(
    *, owner, arrive, policy, send, monkeypatch
):
    from muhafiz.detection import recipients

    bank = owner("Alpha Bank")
    policy()
    noise = [hashlib.sha256(n.to_bytes(2)).hexdigest() for n in range(3_000)]
    arrive([event(bank, n, malware_name=noise[n]) for n in range(3_000)])
    monkeypatch.setattr(recipients, "MOST_BYTES", 40_000)
    monkeypatch.setattr(recipients, "value_or", lambda key, default, at: default)
    send()
    [notice] = queries.notices()
    [message] = mail(notice)
    [part] = message.iter_attachments()
    content = unpacked(part.get_payload(decode=True))
    held = content.count(b"\r\n") - 1
    assert 0 < held < 3_000
    assert f"{held} of 3000 rows" in text_of(message)
    assert notice.events == 3_000  # all are told of, and all can be traced
    assert len(queries.notice_rows(notice.id)) == 3_000
    assert notice.digest == hashlib.sha256(content).hexdigest()
    assert letter(notice.letters[0].message_id).size < 120_000
