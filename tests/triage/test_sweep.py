"""What waits is in the queue once; what is over leaves it; nothing a person did is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.audit.queries import entries
from muhafiz.triage.actions.items import add_note, close_items, set_waiting, take_items
from muhafiz.triage.actions.sweep import SourceFailed
from muhafiz.triage.filters import Filter
from muhafiz.triage.models import Item, ItemNote
from muhafiz.triage.queries import history, item, items
from muhafiz.triage.rules import OVER

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def shown(viewer, now, **wanted):
    return [row.key for row in items(Filter(**wanted), viewer=viewer, now=now).rows]


def test_sweeping_twice_is_sweeping_once(source, sweep, officer, now, book):
    source.tell("a", "b", "c")
    assert sweep().came == 3
    before = list(Item.objects.order_by("id").values())
    again = sweep(now + timedelta(minutes=1))
    assert (again.came, again.changed, again.returned, again.over) == (0, 0, 0, 0)
    assert list(Item.objects.order_by("id").values()) == before


def test_a_key_told_twice_is_one_item(source, sweep):
    source.tell("a", "a", "a")
    assert sweep().came == 1


def test_the_clock_comes_from_the_rulebook_and_counts_from_the_arrival(
    source, sweep, officer, now, book
):
    source.tell("a", severity="critical", since=now - timedelta(days=400))
    sweep()
    found = Item.objects.get()
    assert found.due_at - found.arrived_at == timedelta(minutes=30)
    assert found.arrived_at == now


def test_without_targets_there_is_no_clock(source, sweep):
    source.tell("a")
    sweep()
    assert Item.objects.get().due_at is None


def test_a_worse_severity_moves_the_clock_and_nothing_else_does(source, sweep, now, book):
    source.tell("a", severity="low")
    sweep()
    source.tell("a", severity="low", count=50, since=now - HOUR)
    sweep(now + HOUR)
    assert Item.objects.get().due_at == now + timedelta(minutes=4320)
    source.tell("a", severity="critical")
    sweep(now + HOUR)
    assert Item.objects.get().due_at == now + timedelta(minutes=30)


def test_a_clock_set_back_moves_no_target_and_brings_nothing_twice(source, sweep, now, book):
    source.tell("a")
    sweep()
    due = Item.objects.get().due_at
    assert sweep(now - timedelta(days=2)).came == 0
    assert Item.objects.get().due_at == due
    source.tell("a", "b")
    assert sweep(now - timedelta(days=2)).came == 1
    assert Item.objects.get(key="b").since == now - timedelta(days=2)


def test_what_is_over_is_closed_and_keeps_owner_and_notes(source, sweep, officer, now):
    amna = officer("amna")
    source.tell("a")
    sweep()
    pk = Item.objects.get().pk
    take_items({pk: None}, actor=amna, now=now)
    add_note(item_id=pk, text="Rang them up.", actor=amna, now=now)
    source.tell()
    assert sweep(now + HOUR).over == 1
    found = item(pk, viewer=amna)
    assert (found.state, found.closed_reason, found.owner_name) == ("closed", OVER, "Amna")
    assert [line.act for line in history(pk, viewer=amna)] == ["over", "note", "take"]


def test_what_came_back_is_its_owners_again_with_a_new_clock(source, sweep, officer, now, book):
    amna = officer("amna")
    source.tell("a")
    sweep()
    pk = Item.objects.get().pk
    take_items({pk: None}, actor=amna, now=now)
    source.tell()
    sweep(now + HOUR)
    source.tell("a")
    assert sweep(now + 2 * HOUR).returned == 1
    found = item(pk, viewer=amna)
    assert (found.state, found.owner_name, found.closed_at) == ("taken", "Amna", None)
    assert found.arrived_at == now + 2 * HOUR
    assert found.due_at == now + 4 * HOUR


def test_what_an_officer_closed_stays_closed_until_its_cause_was_gone(source, sweep, officer, now):
    amna = officer("amna")
    source.tell("a")
    sweep()
    pk = Item.objects.get().pk
    close_items({pk: None}, reason="accepted", text="Known.", actor=amna, now=now)
    assert sweep(now + HOUR).returned == 0
    assert item(pk, viewer=amna).closed_reason == "accepted"
    source.tell()
    assert sweep(now + 2 * HOUR).over == 0
    assert item(pk, viewer=amna).closed_reason == "accepted"
    source.tell("a")
    assert sweep(now + 3 * HOUR).returned == 1


def test_what_waits_wakes_at_its_time(source, sweep, officer, now):
    amna = officer("amna")
    source.tell("a")
    sweep()
    pk = Item.objects.get().pk
    set_waiting({pk: None}, waits_for="organization", until=now + HOUR, actor=amna, now=now)
    assert sweep(now + HOUR / 2).woken == 0
    assert sweep(now + HOUR).woken == 1
    assert item(pk, viewer=amna).state == "new"


def test_a_source_that_fails_closes_nothing_and_is_asked_again(source, sweep, officer, now):
    source.tell("a")
    sweep()
    source.broken = True
    with pytest.raises(SourceFailed, match="test"):
        sweep(now + HOUR)
    assert shown(officer("amna"), now) == ["a"]
    source.broken = False
    assert sweep(now + HOUR).over == 0


def test_a_source_is_asked_no_more_often_than_it_says(source, sweep, now):
    source.EVERY = 4 * HOUR
    for at in (now, now + HOUR, now + 4 * HOUR, now + 3 * HOUR):
        sweep(at)
    assert source.asked == 3, "at once, after four hours, and when the clock was set back"


def test_a_sweep_that_was_overtaken_changes_nothing(source, sweep, now):
    from muhafiz.triage.models import SourceMark

    source.tell("a")
    sweep()
    SourceMark.objects.update(sweep=99, asked_at=now - HOUR)
    source.tell()
    assert sweep(now + HOUR).over == 0
    assert Item.objects.get().state == "new"


def test_five_thousand_items_cost_few_questions(source, sweep, now, book, officer):
    source.tell("a")
    with CaptureQueriesContext(connection) as one:
        sweep()
    source.tell(*(f"k{at}" for at in range(5_000)))
    with CaptureQueriesContext(connection) as many:
        assert sweep(now + HOUR).came == 5_000
    assert len(many) <= len(one) + 5_000 // 30 + 5, "a statement holds some thirty rows on SQLite"
    with CaptureQueriesContext(connection) as again:
        sweep(now + 2 * HOUR)
    assert len(again) <= len(one) + 4, "nothing changed: nothing is written"
    source.tell()
    assert sweep(now + 3 * HOUR).over == 5_000
    assert ItemNote.objects.filter(act=OVER).count() == 5_001


def test_every_change_is_in_the_audit_log(source, sweep, officer, now):
    source.tell("a")
    sweep()
    source.tell()
    sweep(now + HOUR)
    told = [entry.action for entry in entries(limit=10)]
    assert "triage.close_item_over" in told


def test_strange_values_are_kept(source, sweep, officer, now):
    source.tell("a", reference="x\0y" * 60, title="t", likeness="l" * 500, severity="odd")
    sweep()
    found = Item.objects.get()
    assert found.rank == 2
    assert len(found.likeness) == 200
