from __future__ import annotations

import copy
import dataclasses
import pickle
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.audit.queries import entries
from muhafiz.formats import tlp
from muhafiz.release.actions.recall import CannotRecall, recall_item
from muhafiz.release.gate import check_released, release, release_all
from muhafiz.release.proof import Released, tag_of
from muhafiz.release.queries import (
    holders_of,
    holders_of_digest,
    holdings_of,
    is_recalled,
    recalled_among,
    refusals,
)
from muhafiz.release.rules import (
    Audience,
    Item,
    NotReleased,
    RefusedAboutOrganizations,
    RefusedAudience,
    RefusedItem,
    RefusedNobodysStrict,
    RefusedOtherOrganization,
    RefusedRed,
    RefusedTooStrict,
    RefusedUnlabeled,
    ReleaseRefused,
    check_releasable,
)

DIGEST = "ab" * 32
ORG = Audience("organization", "7", "Bank Seven")
STAFF = Audience("staff", "3", "Duty Officer")
PARTNER = Audience("partner", "peer", "Peer CERT")
PUBLIC = Audience("public", "site", "Everybody")


def item(label: str | None = "AMBER", organizations=frozenset({7}), **changes) -> Item:
    return dataclasses.replace(
        Item("notice", "N-1", label, "Notice N-1", DIGEST, frozenset(organizations)), **changes
    )


@pytest.mark.parametrize(
    ("thing", "audience", "refusal"),
    [
        (item("RED"), ORG, RefusedRed),
        (item("RED"), STAFF, RefusedRed),
        (item(None), ORG, RefusedUnlabeled),
        (item("AMBER STRICT"), ORG, RefusedUnlabeled),
        (item("CLEAR", {8}), ORG, RefusedOtherOrganization),
        (item("GREEN", {7, 8}), ORG, RefusedOtherOrganization),
        (item("AMBER+STRICT", ()), ORG, RefusedNobodysStrict),
        (item("AMBER", ()), PARTNER, RefusedTooStrict),
        (item("GREEN", ()), PUBLIC, RefusedTooStrict),
        (item("CLEAR", {7}), PUBLIC, RefusedAboutOrganizations),
        (item("GREEN", {7}), PARTNER, RefusedAboutOrganizations),
        (item("CLEAR", ()), Audience("organization", "", "?"), RefusedAudience),
        (item("CLEAR", ()), Audience("organization", "seven", "?"), RefusedAudience),
        (item("CLEAR", ()), Audience("organization", "-7", "?"), RefusedAudience),
        (item("CLEAR", ()), Audience("anybody", "x", "?"), RefusedAudience),
        (item("CLEAR", (), digest="AB" * 32), PUBLIC, RefusedItem),
        (item("CLEAR", (), digest=""), PUBLIC, RefusedItem),
        (item("CLEAR", (), identifier=""), PUBLIC, RefusedItem),
    ],
)
def test_each_refusal_has_its_reason(thing, audience, refusal):
    with pytest.raises(refusal) as told:
        check_releasable(thing, audience)
    assert str(told.value)


@pytest.mark.parametrize(
    ("thing", "audience", "label"),
    [
        (item("AMBER"), ORG, "AMBER"),
        (item("AMBER+STRICT"), ORG, "AMBER+STRICT"),
        (item("white", ()), ORG, "CLEAR"),
        (item("AMBER", ()), ORG, "AMBER"),
        (item("AMBER+STRICT", {8, 9}), STAFF, "AMBER+STRICT"),
        (item("GREEN", ()), PARTNER, "GREEN"),
        (item("CLEAR", ()), PUBLIC, "CLEAR"),
    ],
)
def test_what_may_leave_leaves_under_its_label(thing, audience, label):
    assert check_releasable(thing, audience) == label


labels = st.one_of(
    st.none(), st.text(max_size=15), st.sampled_from([*tlp.LABELS, "TLP:WHITE", "tlp:red", " RED "])
)
audiences = st.builds(
    Audience,
    st.sampled_from(["organization", "staff", "public", "partner", "", "ORGANIZATION"]),
    st.one_of(st.integers(0, 5).map(str), st.text(max_size=4)),
    st.text(max_size=5),
)
items = st.builds(
    Item,
    st.sampled_from(["notice", "advisory", ""]),
    st.text(max_size=5),
    labels,
    st.text(max_size=10),
    st.sampled_from([DIGEST, "", "x" * 64]),
    st.frozensets(st.integers(0, 5), max_size=3),
)


@given(items, audiences)
def test_the_promises_hold_for_every_item_and_audience(thing, audience):
    try:
        label = check_releasable(thing, audience)
    except ReleaseRefused:
        return
    assert tlp.parse(thing.tlp) != tlp.RED  # RED or unknown leaves by no door
    assert tlp.rank(label) >= tlp.rank(thing.tlp)  # never looser
    assert label in tlp.LABELS
    if audience.kind == "organization":  # never about another
        assert thing.organizations <= {int(audience.identifier)}
    if audience.kind in {"public", "partner"}:
        assert not thing.organizations
        assert tlp.rank(label) <= tlp.rank("GREEN")
    if audience.kind == "public":
        assert label == tlp.CLEAR


def test_a_release_is_a_row_and_an_entry(db, actor, now):
    released = release(item(), ORG, actor=actor, now=now)
    [holder] = holders_of("notice", "N-1")
    assert (holder.id, holder.tlp, holder.audience_name) == (
        released.ledger_id,
        "AMBER",
        "Bank Seven",
    )
    assert holder.decided_at == now
    assert holders_of_digest(DIGEST) == holdings_of("organization", "7") == [holder]
    [entry] = entries(action="release.release", limit=1)
    assert entry.subject == f"release:{released.ledger_id}"
    check_released([released])


def test_a_refusal_is_a_row_too(db, actor, now):
    with pytest.raises(RefusedRed):
        release(item("RED"), ORG, actor=actor, now=now)
    assert holders_of("notice", "N-1") == []
    [refused] = refusals(since=now)
    assert (refused.refusal, refused.tlp) == ("RefusedRed", "RED")
    assert "TLP:RED" in refused.refusal_text


def test_hostile_text_is_kept_harmless(db, actor, now):
    bad = item("A\x00\ud800", title="x\x00y\r\nz\ud800", identifier="a\x00b")
    [refused] = release_all([(bad, Audience("x\x00", "\x00", "\ud800"))], actor=actor, now=now)
    assert isinstance(refused, ReleaseRefused)
    assert refusals(since=now)[0].item_title == "x y z\ufffd"


def test_bulk_keeps_order_and_one_refusal_stops_nobody(db, actor, now):
    wanted = [
        (item(organizations={n}, identifier=str(n)), Audience("organization", str(n), f"Org {n}"))
        for n in range(1, 30)
    ]
    wanted[5] = (item("RED", {5}, identifier="red"), wanted[5][1])
    outcomes = release_all(wanted, actor=actor, now=now)
    assert isinstance(outcomes[5], RefusedRed)
    assert [one.item.identifier for one in outcomes if isinstance(one, Released)] == [
        str(n) for n in range(1, 30) if n != 6
    ]
    check_released(one for one in outcomes if isinstance(one, Released))
    assert release_all([], actor=actor, now=now) == []


def test_outlets_reject_look_alikes(db, actor, now):
    genuine = release(item(), ORG, actor=actor, now=now)
    fields = {f.name: getattr(genuine, f.name) for f in dataclasses.fields(genuine)}
    with pytest.raises(NotReleased):
        Released(**{**fields, "tag": b"x" * 32})
    for change in (
        {"tlp": "CLEAR"},
        {"ledger_id": genuine.ledger_id + 1},
        {"audience": PUBLIC},
        {"item": item(title="another")},
        {"item": item(digest="cd" * 32)},
        {"released_at": now + timedelta(seconds=1)},
    ):
        with pytest.raises(NotReleased):
            dataclasses.replace(genuine, **change)
    with pytest.raises(NotReleased):
        pickle.dumps(genuine)
    with pytest.raises(NotReleased):
        copy.deepcopy(genuine)
    with pytest.raises(NotReleased):
        type("Child", (Released,), {})
    hollow = object.__new__(Released)
    bent = object.__new__(Released)
    for name, value in {**fields, "tlp": "CLEAR"}.items():
        object.__setattr__(bent, name, value)
    for fake in (SimpleNamespace(**fields), hollow, bent, None, "released", fields):
        with pytest.raises(NotReleased):
            check_released([fake])


def test_what_was_rolled_back_or_recalled_is_not_released(db, actor, now):
    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), transaction.atomic():  # noqa: PT012 - undone on purpose
        lost = release(item(), ORG, actor=actor, now=now)
        raise UndoneError
    with pytest.raises(NotReleased):
        check_released([lost])
    released = release(item(), ORG, actor=actor, now=now)
    told = recall_item(
        item_kind="notice", identifier="N-1", reason="wrong owner", actor=actor, now=now
    )
    assert [row.audience_identifier for row in told] == ["7"]
    assert told[0].recall_reason == "wrong owner"
    assert is_recalled(released.ledger_id)
    assert recalled_among([released.ledger_id, 10**9]) == {released.ledger_id}
    with pytest.raises(NotReleased):
        check_released([released])
    assert len(holders_of("notice", "N-1")) == 1  # they still have it
    for reason in ("again", " "):
        with pytest.raises(CannotRecall):
            recall_item(item_kind="notice", identifier="N-1", reason=reason, actor=actor, now=now)


def test_a_mark_is_no_other_items_mark(actor, now):
    one = tag_of(1, item(), ORG, "AMBER", now)
    assert one != tag_of(1, item(organizations={7, 8}), ORG, "AMBER", now)
    assert one == tag_of(1, item(), ORG, "AMBER", now)


@pytest.mark.parametrize("count", [10_000])
def test_many_are_released_in_a_breath(db, actor, now, count):
    wanted = [
        (item(organizations={n}, identifier=str(n)), Audience("organization", str(n), "Org"))
        for n in range(count)
    ]
    started = time.process_time()
    outcomes = release_all(wanted, actor=actor, now=now)
    spent = time.process_time() - started
    check_released(outcomes)
    assert spent < 6  # 10⁵ in well under a minute
