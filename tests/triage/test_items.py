"""What officers do: who is first has it, reasons are asked for, thousands are moved in portions."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from muhafiz.accounts.rules import NotAllowed
from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.worker import run_due
from muhafiz.triage import rules
from muhafiz.triage.actions.bulk import move_selection, stop_bulk
from muhafiz.triage.actions.items import (
    Moved,
    Order,
    add_note,
    assign_items,
    close_items,
    release_items,
    reopen_items,
    set_waiting,
    take_items,
)
from muhafiz.triage.filters import AllMatching, Chosen, Filter
from muhafiz.triage.models import Item
from muhafiz.triage.queries import failures, history, item, latest_arrival, run

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def first(source, sweep, *keys: str) -> int:
    source.tell(*(keys or ("a",)))
    sweep()
    return Item.objects.order_by("pk").first().pk


def test_a_day_of_one_item(source, sweep, officer, now):
    amna, bilal = officer("amna"), officer("bilal", "analyst")
    pk = first(source, sweep)
    take_items({pk: 1}, actor=amna, now=now)
    add_note(item_id=pk, text="Rang them.", actor=amna, now=now)
    set_waiting({pk: None}, waits_for="organization", until=now + DAY, actor=amna, now=now)
    assign_items({pk: None}, whom=int(bilal.identifier), actor=amna, now=now)
    close_items({pk: None}, reason="resolved", text="Closed port.", actor=bilal, now=now)
    reopen_items({pk: None}, actor=amna, now=now)
    assert item(pk, viewer=amna).owner_name == "Bilal"
    release_items({pk: None}, actor=bilal, now=now)
    found = item(pk, viewer=amna)
    assert (found.state, found.owner, found.closed_at) == ("new", None, None)
    acts = [line.act for line in reversed(history(pk, viewer=amna))]
    assert acts == ["take", "note", "wait", "assign", "close", "reopen", "release"]


def test_taking_twice_is_taking_once(source, sweep, officer, now):
    amna = officer("amna")
    pk = first(source, sweep)
    for _ in range(2):
        assert take_items({pk: None}, actor=amna, now=now).done == [pk]
    assert len(history(pk, viewer=amna)) == 1


def test_of_many_those_that_fit_are_moved_and_the_others_told(source, sweep, officer, now):
    amna, bilal = officer("amna"), officer("bilal")
    first(source, sweep, "a", "b", "c")
    one, two, three = Item.objects.order_by("pk").values_list("pk", flat=True)
    take_items({two: None}, actor=bilal, now=now)
    moved = take_items(dict.fromkeys([one, two, three, 999_999]), actor=amna, now=now)
    assert moved.done == [one, three]
    assert [type(no).__name__ for _pk, no in moved.refused] == ["CannotTake", "NoSuchItem"]


@pytest.mark.parametrize("role", ["auditor", "director", "administrator"])
def test_who_only_reads_moves_nothing(source, sweep, officer, now, role):
    pk = first(source, sweep)
    with pytest.raises(NotAllowed):
        take_items({pk: None}, actor=officer("reader", role), now=now)
    with pytest.raises(NotAllowed):
        add_note(item_id=pk, text="x", actor=officer("writer", role), now=now)


def test_all_that_match_spares_what_came_later(source, sweep, officer, now):
    amna = officer("amna")
    first(source, sweep, *(f"k{at}" for at in range(50)))
    chosen = AllMatching(Filter(), latest_arrival())
    source.tell(*(f"k{at}" for at in range(60)))
    sweep(now - DAY)  # the clock was set back: the later ones bear an earlier time
    order = Order("close", "false_alarm", "Test.")
    moved = move_selection(chosen, order, query="", actor=amna, now=now)
    assert len(moved.done) == 50
    assert Item.objects.exclude(state="closed").count() == 10


def test_thousands_are_moved_in_portions_and_a_cut_run_goes_on(source, sweep, officer, now):
    from muhafiz.triage.actions import bulk

    amna, bilal = officer("amna"), officer("bilal")
    first(source, sweep, *(f"k{at}" for at in range(1_000)))
    taken = list(Item.objects.values_list("pk", flat=True)[:5])
    take_items(dict.fromkeys(taken), actor=bilal, now=now)
    chosen = AllMatching(Filter(), latest_arrival())
    number = move_selection(chosen, Order("take"), query="state=open", actor=amna, now=now)
    assert run(number, viewer=amna).total == 1_000
    bulk._work_portion(number, now)  # a worker that was killed after its first portion
    clock = HeldClock(now)
    run_due(clock)
    found = run(number, viewer=amna)
    assert (found.state, found.done, found.failed, found.position) == ("done", 995, 5, 1_000)
    told = failures(number, viewer=amna)
    assert sorted(one.item_id for one in told) == sorted(taken)
    assert told[0].params["owner"] == "Bilal"
    assert Item.objects.filter(owner=int(amna.identifier)).count() == 995


def test_a_run_stops_when_asked_and_when_its_officer_is_gone(source, sweep, officer, now):
    amna = officer("amna")
    first(source, sweep, *(f"k{at}" for at in range(150)))
    chosen = AllMatching(Filter(), latest_arrival())
    number = move_selection(chosen, Order("take"), query="", actor=amna, now=now)
    stop_bulk(run_id=number, actor=amna, now=now)
    run_due(HeldClock(now))
    found = run(number, viewer=amna)
    assert (found.state, found.done) == ("stopped", 0)


def test_nothing_chosen_is_refused(source, sweep, officer, now):
    with pytest.raises(rules.NothingChosen):
        move_selection(Chosen(()), Order("take"), query="", actor=officer("amna"), now=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_officers_at_once_one_has_it_and_the_other_is_told(source, sweep, officer, now):
    pks = []
    source.tell(*(f"k{at}" for at in range(8)))
    sweep()
    pks = list(Item.objects.order_by("pk").values_list("pk", flat=True))
    officers = [officer("amna"), officer("bilal")]
    start, told = threading.Barrier(2), {}

    def patient(pk: int, actor: Actor) -> Moved:
        while True:
            try:
                return take_items({pk: None}, actor=actor, now=now)
            except OperationalError:  # SQLite in memory does not wait for a lock, as a file does
                time.sleep(0.01)

    def take(actor: Actor) -> None:
        try:
            start.wait(timeout=20)
            told[actor.name] = [patient(pk, actor) for pk in pks]
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(each,)) for each in officers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for at, pk in enumerate(pks):
        won = [name for name, moved in told.items() if moved[at].done == [pk]]
        lost = [moved[at].refused[0][1] for moved in told.values() if moved[at].refused]
        assert len(won) == len(lost) == 1
        assert lost[0].params["owner"] == won[0] == item(pk, viewer=officers[0]).owner_name
