"""Many rows at once stand as Django itself would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from muhafiz.common.identifiers import new_id
from muhafiz.common.rows import insert_rows
from muhafiz.detection.models import DigestPolicy, DigestRun
from muhafiz.notifications.models import Message, MessageBytes
from muhafiz.publications.models import Series

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)


def message(number: int) -> Message:
    return Message(
        policy="all", recipient=f"contact:{number}", window="day", ledger_id=number, item="x:1",
        tlp="AMBER", address="a@b.example", language="ur", subject=f"ادارہ %s {number}",
        state="queued", encrypted=number % 2 == 0, message_id=f"<{number}@x>", sender="c@d.example",
        created_at=NOW + timedelta(seconds=number),
        next_attempt_at=None if number % 3 else NOW, claim=new_id() if number % 4 else None,
    )  # fmt: skip


def values(row) -> list[object]:
    return [getattr(row, field.attname) for field in row._meta.concrete_fields]


def test_every_value_comes_back():
    made = [message(number) for number in range(1_300)]  # more than one statement
    contents = [MessageBytes(message_id=m.pk, compressed=bytes([0, 255]) * 9) for m in made]
    insert_rows(made)
    insert_rows(contents)
    assert all(not row._state.adding for row in made)
    stored = {row.pk: row for row in Message.objects.all()}
    assert {pk: values(row) for pk, row in stored.items()} == {m.pk: values(m) for m in made}
    assert bytes(MessageBytes.objects.get(pk=made[7].pk).compressed) == bytes([0, 255]) * 9


def test_keys_are_given_in_the_order_of_the_rows():
    made = [Series(name=f"s{number}", year=2026, last=number) for number in range(1_300)]
    insert_rows(made)
    assert len({row.pk for row in made}) == len(made)
    assert {row.pk: row.last for row in Series.objects.all()} == {r.pk: r.last for r in made}


def test_what_conflicts_is_left_out_only_when_asked():
    first = message(1)
    insert_rows([first])
    insert_rows([message(1), message(2)], ignore_conflicts=True)
    assert sorted(Message.objects.values_list("ledger_id", flat=True)) == [1, 2]
    assert Message.objects.get(ledger_id=1).pk == first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([message(1)])


def test_json_choices_and_references():
    policy = DigestPolicy(code="all", title="All", cadence="daily", valid_from=NOW, created_by="x")
    insert_rows([policy])
    decisions = {"tell": 1, "واقعات": [None, 0.5]}
    run = DigestRun(
        policy=policy, policy_code="all", window="day", window_start=NOW, window_end=NOW,
        sealed_at=NOW, decisions=decisions, state=DigestRun.State.DONE,
    )  # fmt: skip
    insert_rows([run])
    stored = DigestRun.objects.select_related("policy").get(pk=run.pk)
    assert (stored.decisions, stored.state, stored.policy) == (decisions, "done", policy)
    assert DigestRun.objects.filter(decisions__tell=1).exists()


def test_no_rows_are_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows([])
