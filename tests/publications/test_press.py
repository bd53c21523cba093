from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.audit.queries import entries
from muhafiz.formats.number_format import is_number_format, written_number
from muhafiz.publications.actions.documents import (
    KeptDraft,
    keep_document,
    keep_documents,
    withdraw_document,
)
from muhafiz.publications.actions.numbers import take_number, take_numbers
from muhafiz.publications.models import Document
from muhafiz.publications.queries import last_number, verify
from muhafiz.publications.rules import (
    DEFAULT_FORMAT,
    CannotKeepDocument,
    CannotTakeNumber,
    CannotWithdraw,
    bare_code,
)
from muhafiz.release.gate import release
from muhafiz.release.rules import Audience, Item, NotReleased

DIGEST = "ab" * 32


def let_out(actor, now, number="N-1", label="AMBER"):
    item = Item("notice", number, label, f"Notice {number}", DIGEST, frozenset({7}))
    return release(item, Audience("organization", "7", "Bank Seven"), actor=actor, now=now)


def keep(actor, now, number="N-1", **changes):
    released = changes.pop("released", None) or let_out(actor, now, number)
    facts = {"number": number, "digest": DIGEST, "title": f"Notice {number}", **changes}
    return keep_document(**facts, released=released, actor=actor, now=now)


def test_numbers_follow_each_other_per_series_and_year(db, actor, now):
    def took(*args, at=now):
        return take_numbers(*args, at=at, actor=actor, now=now)

    first = took("notices", 2)
    assert took("notices", 3)[0] > first[1]
    assert last_number("notices", 2026) == 5
    assert len(took("advisories", 1)) == 1
    assert last_number("advisories", 2026) == 1
    took("notices", 1, at=datetime(2027, 6, 1, tzinfo=UTC))
    assert (last_number("notices", 2026), last_number("notices", 2027)) == (5, 1)
    assert entries(action="publications.take_numbers")[0].subject == "series:notices/2027"


def test_the_year_is_the_jurisdictions(db, actor, now, monkeypatch):
    from muhafiz.publications.actions import numbers

    def zoned(key, default, *, at):
        return {"jurisdiction.timezone": "Asia/Karachi"}.get(key, default)

    monkeypatch.setattr(numbers, "value_or", zoned)
    late = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)  # one in the morning, 2027, in Karachi
    assert "2027" in take_number("notices", at=late, actor=actor, now=now)
    monkeypatch.setattr(numbers, "value_or", lambda key, default, *, at: "{year.__class__}")
    assert take_number("notices", at=late, actor=actor, now=now) == "NOTICES-2026-00001"


def test_a_number_goes_back_with_its_transaction(db, actor, now):
    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), transaction.atomic():  # noqa: PT012 - undone on purpose
        lost = take_number("notices", at=now, actor=actor, now=now)
        raise UndoneError
    assert take_number("notices", at=now, actor=actor, now=now) == lost


@pytest.mark.parametrize(
    ("series", "count"), [("", 1), ("A", 1), ("a b", 1), ("a", 0), ("a", 10**7)]
)
def test_senseless_wishes_are_refused(db, actor, now, series, count):
    with pytest.raises(CannotTakeNumber):
        take_numbers(series, count, at=now, actor=actor, now=now)


RACER = """
import os, sys
import django
django.setup()
from datetime import UTC, datetime
from django.conf import settings
from django.db import transaction
from muhafiz.common.actor import Actor
from muhafiz.publications.actions.numbers import take_number
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
class UndoneError(Exception):
    pass
for turn in range(15):
    try:
        with transaction.atomic():
            number = take_number("notices", at=now, actor=Actor.job("racer"), now=now)
            if turn % 4 == 3:
                raise UndoneError
        print(number, flush=True)
    except UndoneError:
        pass
"""


def _as_others_see_it() -> str:
    """The name under which another process reaches this test's database."""
    return str(connection.settings_dict["NAME"])


@pytest.fixture
def shared_database(transactional_db, tmp_path):
    """A database that several processes reach: a file of its own, or PostgreSQL's test database."""
    if connection.vendor != "sqlite":
        yield _as_others_see_it()
        return
    path = tmp_path / "shared.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    yield str(path)


def test_processes_at_once_leave_no_gap(shared_database):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, shared_database], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    took = [line for racer in racers for line in racer.communicate(timeout=120)[0].split()]
    assert all(racer.returncode == 0 for racer in racers)
    numbers = sorted(int(one.rpartition("-")[2]) for one in took)
    assert numbers == list(range(1, 4 * 12 + 1))


def test_a_document_can_be_verified_by_anybody(db, actor, now):
    code = keep(actor, now)
    for typed in (code, code.lower(), code.replace("-", " "), f" {code} "):
        verdict = verify(typed)
        assert (verdict.outcome, verdict.number, verdict.digest) == ("valid", "N-1", DIGEST)
        assert verdict.title == "Notice N-1"
        assert verdict.kept_at == now
    by_number = verify("N-1")
    assert (by_number.outcome, by_number.title) == ("valid", "")  # numbers can be guessed
    assert verify("N-2").outcome == verify("").outcome == verify("\x00").outcome == "unknown"
    assert verify("0000-0000-0000").outcome == "unknown"
    assert entries(action="publications.keep_documents")[0].subject == "document:N-1"


def test_a_withdrawn_document_keeps_its_number_and_tells_why(db, actor, now):
    code = keep(actor, now)
    keep(actor, now, "N-2")
    withdraw_document(number="N-1", reason="wrong owner", replaced_by="N-2", actor=actor, now=now)
    verdict = verify(code)
    assert (verdict.outcome, verdict.withdrawal_reason, verdict.replaced_by) == (
        "withdrawn",
        "wrong owner",
        "N-2",
    )
    assert verify("N-1").withdrawal_reason == ""
    with pytest.raises(CannotKeepDocument):
        keep(actor, now)
    for wish in (
        {"number": "N-1", "reason": "again"},
        {"number": "N-9", "reason": "none"},
        {"number": "N-2", "reason": " "},
        {"number": "N-2", "reason": "x", "replaced_by": "N-9"},
    ):
        with pytest.raises(CannotWithdraw):
            withdraw_document(**wish, actor=actor, now=now)


@pytest.mark.parametrize(
    "change", [{"digest": "x"}, {"digest": "AB" * 32}, {"title": ""}, {"number": ""}]
)
def test_an_unfinished_document_is_not_kept(db, actor, now, change):
    with pytest.raises(CannotKeepDocument):
        keep(actor, now, released=let_out(actor, now), **change)


def test_only_what_the_gate_let_out_is_kept(db, actor, now):
    with pytest.raises(NotReleased):
        keep(actor, now, released=object())
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    "change", [{"digest": "cd" * 32}, {"title": "other"}, {"number": "N-8"}, {"kept_by": "x"}]
)
def test_the_database_itself_refuses_changes(db, actor, now, change):
    keep(actor, now)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Document.objects.filter(number="N-1").update(**change)
    withdraw_document(number="N-1", reason="x", actor=actor, now=now)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Document.objects.filter(number="N-1").update(withdrawn_at=None)


def test_many_are_kept_at_once(db, actor, now):
    released = let_out(actor, now)
    drafts = [KeptDraft(f"N-{n}", DIGEST, "t", released) for n in range(2000)]
    codes = keep_documents(drafts, actor=actor, now=now)
    assert len(set(codes)) == 2000
    assert verify(codes[1999]).number == "N-1999"
    assert keep_documents([], actor=actor, now=now) == []
    with pytest.raises(CannotKeepDocument, match="twice"):
        keep_documents([drafts[0], drafts[0]], actor=actor, now=now)


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        (DEFAULT_FORMAT, True),
        ("PKCERT/{year}/{number:06d}", True),
        ("{number} of {year}", True),
        ("{year:02d}/{number}", True),
        ("{number:03d}/{year:02d}", True),
        ("{year:02d}{number}", False),
        ("{year}{number}", False),
        ("{number}", False),
        ("{year}-{number}-{number}", False),
        ("{year}-{number!r}", False),
        ("{year.__class__}-{number}", False),
        ("{year}-{number}{", False),
        (7, False),
        (None, False),
    ],
)
def test_number_formats(pattern, good):
    assert is_number_format(pattern) is good


@given(
    st.integers(2000, 9999), st.integers(1, 10**7), st.integers(2000, 9999), st.integers(1, 10**7)
)
def test_written_numbers_differ_when_numbers_do(year, number, other_year, other):
    one = written_number(DEFAULT_FORMAT, "n", year, number)
    two = written_number(DEFAULT_FORMAT, "n", other_year, other)
    assert (one == two) == ((year, number) == (other_year, other))


@given(st.text())
def test_codes_are_read_or_not_and_never_break(text):
    code = bare_code(text)
    assert code is None or (len(code) == 12 and bare_code(code) == code)
