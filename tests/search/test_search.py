"""Everything is found soon, only by those who may open it, with the same few queries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.organizations import edit_organization, register_organization
from muhafiz.detection.queries import notices
from muhafiz.feeds.queries import reports
from muhafiz.jobs.registry import JobLost
from muhafiz.search.actions.indexing import index_sources
from muhafiz.search.models import Entry, Mark, Term
from muhafiz.search.queries import search
from muhafiz.search.sources import sources
from tests.web.given import OPERATOR, make_world

OFFICER = Actor("person", "1", "Officer", frozenset({"duty_officer", "director"}))
ADMINISTRATOR = Actor("person", "2", "Administrator", frozenset({"administrator"}))
NOBODY = Actor("public", "", "")


@pytest.fixture
def world(db, folders, settings):
    settings.DEMONSTRATION = True
    made = make_world()
    index_sources(now=made.moment)
    return made


def found(text, viewer=OFFICER, **more):
    return {(hit.kind, hit.key) for hit in search(text, viewer=viewer, **more).hits}


def own_viewer(organization):
    return Actor("person", "3", "Theirs", frozenset({"constituent_officer"}), organization)


def test_every_kind_is_found_by_its_names(world):
    number = notices(limit=1)[0]
    report = reports(limit=1)[0]
    assert ("notice", str(number.id)) in found(number.number)
    assert ("notice", str(number.id)) in found(number.number[:-2])
    assert ("report", str(report.id)) in found(report.sha256)
    assert ("report", str(report.id)) in found(report.sha256[:12].upper())
    assert {kind for kind, _ in found("power.example")} >= {"organization", "letter"}
    assert {kind for kind, _ in found("203.0.113.0/24")} == {"organization"}
    assert {kind for kind, _ in found("203.0.113")} == {"organization"}
    assert {kind for kind, _ in found("telnet")} >= {"report", "finding"}


def test_who_is_called_so_stands_before_what_was_written_to_them(world):
    hits = search("quetta", viewer=OFFICER).hits
    assert len({hit.kind for hit in hits}) > 1
    assert hits[0].kind == "organization"


def test_urdu_is_found_whatever_keyboard_wrote_it(world):
    assert found("كوئٹہ واٹر") == found("کوئٹہ واٹر") != set()


def test_all_words_must_be_met(world):
    assert {kind for kind, _ in found("quetta water")} >= {"organization"}
    assert found("quetta nonsense") == set()


def test_an_exact_name_stands_first(world):
    number = notices(limit=1)[0].number
    hits = search(number, viewer=OFFICER).hits
    assert hits[0].kind == "notice"
    assert hits[0].exact


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "'; DROP TABLE search_term; --", "\0"])
def test_odd_questions_find_nothing_odd(world, text):
    assert len(search(text, viewer=OFFICER).hits) <= 30


def test_who_may_not_open_a_thing_does_not_find_it(world):
    assert found("telnet", NOBODY) == set()
    kinds = {kind for kind, _ in found("telnet", ADMINISTRATOR)}
    assert "finding" not in kinds
    assert "notice" not in kinds


def test_a_constituent_finds_its_own_and_nothing_else(world):
    power, water = (
        next(iter(found(name, OFFICER, kind="organization")))[1] for name in ("indus", "quetta")
    )
    theirs = own_viewer(int(water))
    assert found("quetta", theirs) >= {("organization", water)}
    for text in ("indus", "power.example", "203.0.113.0/24", "abuse@power.example", "telnet"):
        hits = search(text, viewer=theirs).hits
        assert all(hit.organization_id == int(water) for hit in hits)
        assert power not in {hit.key for hit in hits if hit.kind == "organization"}
    assert {hit.kind for hit in search("telnet", viewer=theirs).hits} <= {"finding", "notice"}


def test_indexing_twice_changes_nothing(world):
    before = list(Term.objects.order_by("entry_id", "term").values_list("entry", "term", "weight"))
    assert index_sources(now=world.moment) == 0
    after = list(Term.objects.order_by("entry_id", "term").values_list("entry", "term", "weight"))
    assert before == after


def test_what_is_new_or_renamed_is_found_at_once(world):
    made = register_organization(name_en="Brand New Utility", actor=OPERATOR, now=world.moment)
    index_sources(now=world.moment)
    assert ("organization", str(made)) in found("brand new")
    edit_organization(
        organization_id=made, name_en="Quite Another", actor=OPERATOR, now=world.moment
    )
    index_sources(now=world.moment)
    assert ("organization", str(made)) in found("quite another")
    assert found("brand new") == set()


def test_a_full_pass_takes_out_what_is_gone(world):
    Entry.objects.create(kind="report", key="999999", title="gone", round=0)
    Term.objects.create(entry=Entry.objects.get(key="999999"), term="gone", weight=9)
    assert found("gone")
    index_sources(now=world.moment + timedelta(hours=1))
    assert found("gone"), "the next full pass is tomorrow"
    index_sources(now=world.moment + timedelta(days=1, minutes=1))
    assert found("gone") == set()
    assert found("telnet"), "the rest is still there"


def test_a_killed_pass_goes_on_where_it_stood(world):
    def kill(kind, _):
        if kind == "report":
            raise JobLost

    with pytest.raises(JobLost):
        index_sources(now=world.moment, anew=True, progress=kill)
    assert Mark.objects.get(pk="report").passing
    index_sources(now=world.moment)
    assert not Mark.objects.filter(passing=True).exists()
    assert found("telnet")


def test_a_clock_set_back_does_not_stop_the_passes(world):
    index_sources(now=world.moment - timedelta(days=10))
    assert Mark.objects.get(pk="report").full_since == world.moment - timedelta(days=10)


@pytest.mark.parametrize("text", ["telnet", "quetta", "nothing at all"])
def test_the_same_queries_however_much_is_found(world, django_assert_num_queries, text):
    with django_assert_num_queries(2):
        search(text, viewer=OFFICER)


def test_every_source_tells_what_it_must():
    for kind, source in sources().items():
        assert kind == source.KIND
        assert source.PERMISSION
        assert isinstance(source.TENANTS, bool)
