"""What people choose for themselves, and the views they keep."""

from __future__ import annotations

import pytest

from muhafiz.accounts import queries
from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.actions.preferences import set_preferences
from muhafiz.accounts.actions.views import forget_view, save_view
from muhafiz.accounts.choices import (
    BadPreference,
    BadViewName,
    BadViewQuery,
    CannotShareView,
    NoSuchView,
    TooManyViews,
)
from muhafiz.audit.queries import entries
from muhafiz.common.actor import Actor

ROOT = Actor.command("root")


@pytest.fixture
def joined(db, now):
    def made(name: str, role: str = "analyst", organization_id: int | None = None) -> Actor:
        found = register_person(
            email=f"{name}@cert.example",
            name=name,
            organization_id=organization_id,
            actor=ROOT,
            now=now,
        )
        if role:
            grant_role(person_id=found.id, role=role, actor=ROOT, now=now)
        return queries.person_actor(found.id)

    return made


def test_preferences_begin_with_the_defaults_and_are_kept(joined, now):
    actor = joined("a")
    assert queries.preferences(int(actor.identifier)) == queries.Preferences()
    assert queries.preferences(999_999) == queries.Preferences()
    kept = set_preferences(
        name="Ayesha", language="ur", density="compact", shortcuts=False, actor=actor, now=now
    )
    assert kept == queries.Preferences("ur", "compact", False)
    assert queries.person(int(actor.identifier)).name == "Ayesha"
    assert entries(limit=1)[0].action == "accounts.set_preferences"


@pytest.mark.parametrize("wrong", [{"language": "fr"}, {"density": "tiny"}])
def test_a_preference_that_is_no_choice_changes_nothing(joined, now, wrong):
    actor = joined("a")
    given = {"name": "A", "language": "en", "density": "compact", "shortcuts": True}
    with pytest.raises(BadPreference):
        set_preferences(**given | wrong, actor=actor, now=now)
    assert queries.preferences(int(actor.identifier)) == queries.Preferences()


def view(actor, now, **changes):
    given = {"page": "queue", "name": "Mine", "query": "state=new", "shared": False} | changes
    return save_view(**given, actor=actor, now=now)


def test_a_view_is_its_owners_until_shared_and_only_its_owner_removes_it(joined, now):
    a, b = joined("a"), joined("b", "director")
    number = view(a, now)
    assert [v.mine for v in queries.saved_views("queue", a)] == [True]
    assert queries.saved_views("queue", b) == []
    assert queries.saved_views("events", a) == []
    assert view(a, now, query="state=old", shared=True) == number, "the same name, the same view"
    [seen] = queries.saved_views("queue", b)
    assert (seen.query, seen.shared, seen.mine) == ("state=old", True, False)
    with pytest.raises(NoSuchView):
        forget_view(view_id=number, actor=b, now=now)
    forget_view(view_id=number, actor=a, now=now)
    assert queries.saved_views("queue", b) == []


def test_shared_views_stay_within_their_own_house(joined, now):
    staff = joined("staff")
    ours, others = (joined(n, "constituent_officer", o) for n, o in (("x", 7), ("y", 8)))
    view(staff, now, name="Staff", shared=True)
    view(ours, now, name="Ours", shared=True)
    assert [v.name for v in queries.saved_views("queue", staff)] == ["Staff"]
    assert [v.name for v in queries.saved_views("queue", ours)] == ["Ours"]
    assert queries.saved_views("queue", others) == []


def test_what_cannot_be_kept_is_refused(joined, now):
    actor = joined("a")
    for name in ("", " \n", "x" * 81):
        with pytest.raises(BadViewName):
            view(actor, now, name=name)
    for changes in ({"page": "../x"}, {"query": "x" * 2001}, {"query": "a\nb"}):
        with pytest.raises(BadViewQuery):
            view(actor, now, **changes)
    with pytest.raises(CannotShareView):
        view(joined("nobody", ""), now, shared=True)
    for at in range(40):
        view(actor, now, name=f"v{at}")
    with pytest.raises(TooManyViews):
        view(actor, now, name="one more")
    view(actor, now, name="v1", query="again")


def test_views_are_read_at_the_same_cost(joined, now, django_assert_num_queries):
    actor = joined("a")
    view(actor, now)
    with django_assert_num_queries(1):
        queries.saved_views("queue", actor)
    view(actor, now, name="b")
    view(actor, now, name="c")
    with django_assert_num_queries(1):
        assert len(queries.saved_views("queue", actor)) == 3
