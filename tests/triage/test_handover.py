"""A shift goes on signed, with its clocks; what is changed behind its back is seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.accounts.rules import NotAllowed
from muhafiz.triage import duty, rules
from muhafiz.triage.actions.handover import (
    accept_shift,
    hand_over_shift,
    take_over_shift,
    withdraw_handover,
)
from muhafiz.triage.actions.items import set_waiting, take_items
from muhafiz.triage.models import Handover, Item
from muhafiz.triage.queries import item

pytestmark = pytest.mark.django_db


@pytest.fixture
def shift(source, sweep, officer, now, folders):
    """Two officers and three items, of which the first officer has two."""
    amna, bilal = officer("amna"), officer("bilal", "analyst")
    source.tell("a", "b", "c")
    sweep()
    one, two, three = Item.objects.order_by("pk").values_list("pk", flat=True)
    take_items({one: None, two: None}, actor=amna, now=now)
    set_waiting({two: None}, waits_for="colleague", until=None, actor=amna, now=now)
    return amna, bilal, (one, two, three)


def test_a_shift_is_offered_accepted_and_carries_its_items(shift, now):
    amna, bilal, (one, two, three) = shift
    number = hand_over_shift(note="Feed x rings.", to=int(bilal.identifier), actor=amna, now=now)
    assert duty.on_duty() is None
    assert duty.pending().to_name == "Bilal"
    assert accept_shift(handover_id=number, actor=bilal, now=now) == 2
    assert duty.on_duty().to_name == "Bilal"
    assert duty.pending() is None
    stood = [(item(pk, viewer=bilal).owner_name, item(pk, viewer=bilal).state) for pk in (one, two)]
    assert stood == [("Bilal", "taken"), ("Bilal", "waiting")]
    assert item(three, viewer=bilal).owner is None


def test_the_signature_covers_note_and_list_and_holds_later(shift, now, sweep, source):
    amna, bilal, _items = shift
    number = hand_over_shift(note="نوٹ", to=int(bilal.identifier), actor=amna, now=now)
    source.tell()
    sweep(now + timedelta(hours=1))
    proof = duty.proof(number, viewer=bilal)
    assert (proof.holds, proof.ours, proof.agrees) == (True, True, True)
    told = duty.read_body(duty.signed_bytes(number, viewer=bilal)[0])
    assert told["note"] == "نوٹ"
    assert len(told["items"]) == 3
    assert {"letters", "feeds", "at", "from", "to", "seized"} <= set(told)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"note": "All quiet."}, "agrees"),
        ({"to_name": "Somebody"}, "agrees"),
        ({"body": b"muhafiz-shift-handover-1\n{}\n"}, "holds"),
        ({"body": b"rubbish"}, "holds"),
        ({"signature": b"\0" * 64}, "holds"),
        ({"public_key": b"\1" * 32}, "holds"),
    ],
)
def test_what_is_changed_behind_its_back_is_seen(shift, now, change, broken):
    amna, bilal, _items = shift
    number = hand_over_shift(note="Note.", to=int(bilal.identifier), actor=amna, now=now)
    Handover.objects.filter(pk=number).update(**change)
    assert getattr(duty.proof(number, viewer=bilal), broken) is False


def test_only_who_is_on_duty_hands_over_and_only_once(shift, now, officer):
    amna, bilal, _items = shift
    take_over_shift(note="Nobody was here.", actor=amna, now=now)
    with pytest.raises(rules.NotOnDuty, match="Amna"):
        hand_over_shift(note="Mine.", to=int(amna.identifier), actor=bilal, now=now)
    for to, reason in ((int(amna.identifier), "themselves"), (999_999, "cannot be on duty")):
        with pytest.raises(rules.CannotHandOver, match=reason):
            hand_over_shift(note="Note.", to=to, actor=amna, now=now)
    with pytest.raises(rules.BadNote):
        hand_over_shift(note="  ", to=int(bilal.identifier), actor=amna, now=now)
    number = hand_over_shift(note="Note.", to=int(bilal.identifier), actor=amna, now=now)
    with pytest.raises(rules.CannotHandOver, match="waits already"):
        hand_over_shift(note="Again.", to=int(bilal.identifier), actor=amna, now=now)
    with pytest.raises(rules.CannotAccept, match="it is for Bilal"):
        accept_shift(handover_id=number, actor=amna, now=now)
    withdraw_handover(handover_id=number, actor=amna, now=now)
    with pytest.raises(rules.CannotAccept, match="settled"):
        accept_shift(handover_id=number, actor=bilal, now=now)
    assert duty.on_duty().to_name == "Amna"


def test_who_takes_over_alone_says_why_and_leaves_the_items(shift, now):
    amna, bilal, (one, _two, _three) = shift
    take_over_shift(note="First day.", actor=amna, now=now)
    number = take_over_shift(note="She cannot be reached.", actor=bilal, now=now)
    assert duty.on_duty().seized
    assert duty.on_duty().from_name == "Amna"
    assert item(one, viewer=bilal).owner_name == "Amna"
    assert duty.proof(number, viewer=bilal).agrees


@pytest.mark.parametrize("role", ["auditor", "director", "sector_liaison"])
def test_who_is_no_officer_is_never_on_duty(shift, officer, now, role):
    amna, _bilal, _items = shift
    other = officer("other", role)
    with pytest.raises(NotAllowed):
        take_over_shift(note="I would.", actor=other, now=now)
    with pytest.raises(rules.CannotHandOver, match="cannot be on duty"):
        hand_over_shift(note="Note.", to=int(other.identifier), actor=amna, now=now)
