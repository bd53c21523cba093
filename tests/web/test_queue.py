"""The queue's pages: what they ask, refuse, keep and say; every write a plain form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from muhafiz.accounts.actions.views import save_view
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.worker import run_due
from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.triage.actions.sweep import sweep_sources
from muhafiz.triage.filters import Filter
from muhafiz.triage.queries import items
from tests.triage.conftest import JOB, Told
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, folders: object) -> Told:
    source = Told()
    for module in ("actions.sweep", "queries"):
        monkeypatch.setattr(f"muhafiz.triage.{module}.sources", lambda: {"test": source})
    load_profile("pakistan", actor=OPERATOR, now=datetime.now(UTC))
    return source


def sweep(at: datetime | None = None) -> list[int]:
    now = at or datetime.now(UTC)
    sweep_sources(actor=JOB, now=now)
    return [row.id for row in items(Filter(), viewer=JOB, now=now, limit=10_000).rows]


def page(client, path: str = "/desk/queue/", **asked: object) -> str:
    return client.get(path, asked).content.decode()


def test_nothing_waits_says_what_will_appear(entered, told):
    assert "appear here within a minute" in page(entered("duty_officer"))
    assert "No clock has run out" in page(entered("analyst"), overdue="yes")


@pytest.mark.parametrize("role", ["duty_officer", "analyst"])
def test_the_queue_is_where_a_day_begins(role):
    from muhafiz.common.actor import Actor
    from muhafiz.web.desk.navigation import first_page

    assert first_page(Actor("person", "1", "N", frozenset({role}))) == "/desk/queue/"


def test_the_list_asks_as_much_of_three_rows_as_of_one(entered, told):
    client = entered("duty_officer")
    counts = []
    for keys in ("a", "abc"):
        told.tell(*keys)
        pk = sweep()[0]
        client.post("/desk/queue/act/", {"act": "take", "item": pk})
        for path in ("/desk/queue/", "/desk/queue/?state=open&group=yes", "/desk/queue/counts/",
                     "/desk/handover/", f"/desk/queue/{pk}/"):  # fmt: skip
            client.get(path)
            with CaptureQueriesContext(connection) as asked:
                client.get(path)
            counts.append(len(asked))
    half = len(counts) // 2
    assert counts[:half] == counts[half:]


def test_pages_by_key_show_every_item_once_and_go_back(entered, told):
    client = entered("duty_officer")
    told.tell(*(f"k{at:03d}" for at in range(60)))
    sweep()
    seen, path, back = [], "/desk/queue/", ""
    while path:
        answer = client.get(path)
        rows = [row.key for row in answer.context["page"].rows]
        seen += rows
        found = answer.context["pages"].older
        back = answer.context["pages"].newer if not found else back
        path = f"/desk/queue/{found}" if found else ""
    assert sorted(seen) == sorted({f"k{at:03d}" for at in range(60)})
    before = client.get(f"/desk/queue/{back}").context["page"].rows
    assert [row.key for row in before] == seen[25:50]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"state": "nonsense"}, "State: This is not one of the choices"),
        ({"severity": "<b>"}, "not one of the choices"),
        ({"organization": "x"}, "must be a whole number"),
        ({"owner": "somebody"}, "must be a whole number"),
        ({"sort": "color"}, "not one of the choices"),
        ({"q": "a\0b"}, "signs that cannot be read"),
        ({"after": "-1"}, "must be a whole number"),
    ],
)
def test_bad_input_is_named(entered, told, asked, said):
    answer = entered("analyst").get("/desk/queue/", asked)
    assert answer.status_code == 400
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("reference", "shown"),
    [("F-6546980", "F-6546980"), ("C-3", "C-3"), ("R-12", "R-12"), ("column-count", ""),
     ("misp-events", ""), ("AS64510", ""), ("", ""), ("DETECTION-2026-000001", "")],
)  # fmt: skip
def test_what_is_no_number_is_not_shown_as_one(entered, told, reference, shown):
    told.tell("a", reference=reference)
    pk = sweep()[0]
    [row] = entered("analyst").get("/desk/queue/").context["page"].rows
    assert row.shown_number == (shown or f"Q-{pk}")


def test_hostile_text_is_text(entered, told):
    told.tell("a", params={"feed": "<script>alert(1)</script>{0.__class__}"})
    pk = sweep()[0]
    client = entered("duty_officer")
    for path in ("/desk/queue/", f"/desk/queue/{pk}/", f"/desk/queue/{pk}/preview/"):
        shown = page(client, path)
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{0.__class__}" in shown


def test_who_is_second_is_told_who_has_it(entered, told):
    first, second = entered("duty_officer"), entered("analyst")
    told.tell("a")
    pk = sweep()[0]
    first.post("/desk/queue/act/", {"act": "take", "item": f"{pk}.1"})
    answer = second.post("/desk/queue/act/", {"act": "take", "item": f"{pk}.1"}, follow=True)
    assert f"Q-{pk} is with The duty_officer, who took it before you." in answer.content.decode()


def test_a_closing_asks_for_its_reason_and_keeps_what_was_typed(entered, told):
    client = entered("duty_officer")
    told.tell("a", "b")
    chosen = sweep()
    form = {"act": "close", "item": [f"{pk}.1" for pk in chosen], "next": "/desk/queue/?state=open"}
    asked = client.post("/desk/queue/act/", form, follow=True)
    assert asked.status_code == 200
    assert "2 chosen items" in asked.content.decode()
    form |= {"confirmed": "yes", "text": "بند کیا <b>"}
    refused = client.post("/desk/queue/act/", form)
    assert refused.status_code == 400
    assert "Say why" in refused.content.decode()
    assert 'href="#reason"' in refused.content.decode()
    halved = client.post("/desk/queue/act/", form | {"reason": "resolved", "text": " "})
    assert 'href="#text"' in halved.content.decode(), "the half that is missing is named"
    assert "بند کیا &lt;b&gt;</textarea>" in refused.content.decode()
    done = client.post("/desk/queue/act/", form | {"reason": "resolved"})
    assert done["Location"] == f"/desk/queue/?state=open&item={chosen[-1]}"
    assert items(Filter(), viewer=JOB, now=datetime.now(UTC)).rows == ()
    assert "2 items closed." in page(client)


def test_what_changed_meanwhile_is_not_closed_over_somebodys_head(entered, told):
    client, other = entered("duty_officer"), entered("analyst")
    told.tell("a")
    pk = sweep()[0]
    other.post("/desk/queue/act/", {"act": "take", "item": f"{pk}.1"})
    form = {"act": "close", "item": f"{pk}.1", "confirmed": "yes", "reason": "other",
            "text": "Five lines\nof reasons"}  # fmt: skip
    answer = client.post("/desk/queue/act/", form)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "was changed by The analyst in the meantime" in shown
    assert "Five lines\nof reasons</textarea>" in shown, "what was typed is there for another try"
    assert f'name="item" value="{pk}.2"' in shown, "who saw it may now close it knowingly"
    again = client.post("/desk/queue/act/", form | {"item": f"{pk}.2"}, follow=True)
    assert "1 item closed." in again.content.decode()


def test_what_is_asked_before_an_act_has_an_address(entered, told):
    client = entered("duty_officer")
    told.tell("a", "b")
    first, second = sweep()
    back = "/desk/queue/?state=open"
    form = {"act": "wait", "item": [f"{first}.1", f"{second}.1"], "next": back}
    address = client.post("/desk/queue/act/", form)["Location"]
    assert address.startswith("/desk/queue/confirm/?")
    for _again in range(2):
        shown = client.get(address).content.decode()
        assert "2 chosen items" in shown
        assert f'name="item" value="{second}.1"' in shown
        assert f'name="next" value="{back}"' in shown
    all_of_them = form | {"scope": "all", "query": "state=open", "as_of": "9", "item": []}
    address = client.post("/desk/queue/act/", all_of_them)["Location"]
    assert "All 2 items that match the filters" in client.get(address).content.decode()


@pytest.mark.parametrize(
    "query", ["", "act=close", "act=nonsense&item=1", "act=close&item=x", "act=take&scope=all"]
)
def test_an_address_without_sense_asks_nothing(entered, told, query):
    answer = entered("duty_officer").get(f"/desk/queue/confirm/?{query}", follow=True)
    assert "Choose at least one item first." in answer.content.decode()
    assert answer.redirect_chain == [("/desk/queue/", 302)]


def test_more_items_than_an_address_holds_are_asked_for_all_the_same(entered, told):
    client = entered("duty_officer")
    told.tell(*(f"k{at}" for at in range(70)))
    form = {"act": "close", "item": [f"{pk}.1" for pk in sweep()]}
    asked = client.post("/desk/queue/act/", form)
    assert asked.status_code == 200
    assert "70 chosen items" in asked.content.decode()


def test_an_act_beside_the_list_leads_back_to_its_filters(entered, told):
    client = entered("duty_officer")
    told.tell("a")
    pk = sweep()[0]
    here = "/desk/queue/?state=open&sort=-age"
    assert client.get(here).context["act_next"] == here
    preview = f"/desk/queue/{pk}/preview/"
    for url, led in (
        (f"http://testserver{here}", here),
        (f"https://evil.example{here}", ""),
        ("http://testserver/desk/events/", ""),
    ):
        answer = client.get(preview, headers={"hx-request": "true", "hx-current-url": url})
        assert answer.context["act_next"] == led
    form = {"act": "take", "item": f"{pk}.1", "next": here}
    assert client.post("/desk/queue/act/", form)["Location"] == f"{here}&item={pk}"


class _Other(Told):
    KIND = "silent-feed"


def test_the_list_says_of_which_kinds_it_is_made(entered, told, monkeypatch):
    client, other = entered("duty_officer"), _Other()
    told.tell("a", "b", "c", likeness="one")
    sweep()
    assert "queue-kinds" not in page(client), "one kind alone needs no way to itself"
    for module in ("actions.sweep", "queries"):
        monkeypatch.setattr(
            f"muhafiz.triage.{module}.sources", lambda: {"test": told, other.KIND: other}
        )
    other.tell("x")
    sweep()
    answer = client.get("/desk/queue/")
    kinds = {part.kind: (part.items, part.groups) for part, _address in answer.context["makeup"]}
    assert kinds == {"test": (3, 1), "silent-feed": (1, 1)}
    assert answer.context["number_of_groups"] == 2
    [address] = [way for part, way in answer.context["makeup"] if part.kind == "silent-feed"]
    there = client.get(f"/desk/queue/{address}")
    assert [row.kind for row in there.context["page"].rows] == ["silent-feed"]
    assert there.context["number_of_groups"] == 1
    back = [way for part, way in there.context["makeup"] if part.kind == "silent-feed"]
    assert "kind" not in back[0], "pressed again it leads back to all kinds"


def test_a_group_says_how_many_nobody_has(entered, told):
    client = entered("duty_officer")
    told.tell("a", "b", "c", likeness="one")
    client.post("/desk/queue/act/", {"act": "take", "item": sweep()[0]})
    [group] = client.get("/desk/queue/?state=open&group=yes").context["groups"]
    assert (group.items, group.free, group.organizations) == (3, 2, 0)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"act": "close"},
        {"act": "nonsense", "item": "1"},
        {"act": "take", "item": ["x", "-1", "9" * 30, ""]},
        {"act": "take", "scope": "all", "query": "state=nonsense", "as_of": "1"},
        {"act": "take", "scope": "all", "query": "state=open"},
        {"act": "take", "scope": "all", "query": "state=open", "as_of": "x"},
    ],
)
def test_a_form_without_sense_moves_nothing(entered, told, form):
    told.tell("a")
    sweep()
    answer = entered("duty_officer").post("/desk/queue/act/", form, follow=True)
    assert "Choose at least one item first." in answer.content.decode()
    assert items(Filter(state="new"), viewer=JOB, now=datetime.now(UTC)).rows


def test_a_form_leads_back_to_us_alone(entered, told):
    told.tell("a")
    pk = sweep()[0]
    form = {"act": "take", "item": pk, "next": "https://evil.example/"}
    assert entered("duty_officer").post("/desk/queue/act/", form)["Location"].startswith("/desk/")


def test_all_that_match_states_the_number_honours_filters_and_spares_what_came_later(
    entered, told, person
):
    client = entered("duty_officer")
    told.things = []
    many = [("low", f"l{at}") for at in range(230)] + [("high", f"h{at}") for at in range(40)]
    told.tell("x")
    told.things = [replace(told.things[0], key=key, severity=level) for level, key in many]
    sweep()
    shown = client.get("/desk/queue/?state=open&severity=high")
    assert 'All <bdi dir="ltr">40</bdi> that match the filters' in shown.content.decode()
    shown = client.get("/desk/queue/?state=open&severity=low")
    form = {
        "scope": "all", "act": "close", "query": shown.context["query"],
        "as_of": shown.context["arrival"], "next": "/desk/queue/",
    }  # fmt: skip
    told.things.append(replace(told.things[0], key="late"))
    sweep()
    asked = client.post("/desk/queue/act/", form, follow=True).content.decode()
    assert "All 270 items that match the filters" in asked
    assert 'Close items (<bdi dir="ltr">270</bdi>)' in asked
    started = client.post(
        "/desk/queue/act/", form | {"confirmed": "yes", "reason": "resolved", "text": "Done."}
    )
    assert started["Location"].startswith("/desk/queue/runs/")
    before = page(client, started["Location"])
    assert "You may leave this page" in before
    assert 'max="270"' in before
    # Somebody takes one before the run begins: it closes all the same, and that is told.
    clock = HeldClock(datetime.now(UTC) + timedelta(seconds=5))
    run_due(clock)
    after = page(client, started["Location"])
    assert '<bdi dir="ltr">270</bdi> of <bdi dir="ltr">270</bdi> moved' in after
    left = items(Filter(), viewer=JOB, now=clock.now()).rows
    assert [row.key for row in left] == ["late"]


def test_what_a_run_could_not_move_is_listed_with_the_reason(entered, told):
    client, other = entered("duty_officer"), entered("analyst")
    told.tell(*(f"k{at}" for at in range(150)))
    chosen = sweep()
    other.post("/desk/queue/act/", {"act": "take", "item": [str(pk) for pk in chosen[:3]]})
    shown = client.get("/desk/queue/?state=open")
    form = {
        "scope": "all", "act": "take", "query": shown.context["query"], "confirmed": "yes",
        "as_of": shown.context["arrival"],
    }  # fmt: skip
    run = client.post("/desk/queue/act/", form)["Location"]
    run_due(HeldClock(datetime.now(UTC) + timedelta(seconds=5)))
    told_page = page(client, run)
    assert "147" in told_page
    assert told_page.count("is with The analyst, who took it before you") == 3
    assert "Done" in page(client, "/desk/queue/runs/")


def test_a_run_that_was_stopped_leaves_the_rest(entered, told):
    client = entered("duty_officer")
    told.tell(*(f"k{at}" for at in range(150)))
    sweep()
    shown = client.get("/desk/queue/?state=open")
    form = {
        "scope": "all", "act": "take", "query": shown.context["query"], "confirmed": "yes",
        "as_of": shown.context["arrival"],
    }  # fmt: skip
    run = client.post("/desk/queue/act/", form)["Location"]
    client.post(f"{run}stop/")
    run_due(HeldClock(datetime.now(UTC) + timedelta(seconds=5)))
    assert "Stopped" in page(client, run)
    assert items(Filter(state="taken"), viewer=JOB, now=datetime.now(UTC)).rows == ()


def test_after_an_act_one_stands_on_the_same_row_or_the_next(entered, told):
    client = entered("duty_officer")
    told.tell("a", "b", "c")
    first, second, _third = sweep()
    answer = client.post("/desk/queue/act/", {"act": "take", "item": second}, follow=True)
    assert answer.context["chosen_row"] == second
    form = {"act": "close", "item": first, "confirmed": "yes", "reason": "other", "text": "x"}
    answer = client.post("/desk/queue/act/", form, follow=True)
    assert answer.context["chosen_row"] == second
    assert "autofocus" in answer.content.decode()


def test_a_wait_has_a_time_that_makes_sense(entered, told):
    client = entered("duty_officer")
    told.tell("a")
    pk = sweep()[0]
    form = {"act": "wait", "item": pk, "confirmed": "yes", "reason": "organization"}
    for until, said in (
        ("soon", "This is no time"),
        ("2020-01-01T10:00", "between now and a year"),
    ):
        answer = client.post("/desk/queue/act/", form | {"until": until})
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert f'value="{until}"' in answer.content.decode()
    ahead = datetime.now(UTC) + timedelta(days=2)
    client.post("/desk/queue/act/", form | {"until": f"{ahead:%Y-%m-%dT%H:%M}"})
    shown = page(client, state="waiting")
    assert "The organization answers" in shown


def test_an_item_is_assigned_only_to_who_works_on_the_queue(entered, person, told):
    client, auditor = entered("duty_officer"), person("auditor")
    told.tell("a")
    pk = sweep()[0]
    form = {"act": "assign", "item": pk, "confirmed": "yes"}
    for whom in ("", str(auditor.id), "999999"):
        answer = client.post("/desk/queue/act/", form | {"whom": whom})
        assert answer.status_code == 400
        assert "does not work on the queue" in answer.content.decode()


def test_a_note_too_long_comes_back_as_typed(entered, told):
    client = entered("duty_officer")
    told.tell("a")
    pk = sweep()[0]
    answer = client.post(f"/desk/queue/{pk}/note/", {"text": "x" * 10_001})
    assert answer.status_code == 400
    assert "x" * 10_001 in answer.content.decode()
    client.post(f"/desk/queue/{pk}/note/", {"text": "Rang them up."})
    assert "Rang them up." in page(client, f"/desk/queue/{pk}/")


def test_groups_lead_to_their_items(entered, told):
    client = entered("duty_officer")
    told.tell("a", "b", likeness="same & alike")
    sweep()
    shown = page(client, state="open", group="yes")
    assert "like=same%20%26%20alike" in shown
    assert (
        len(client.get("/desk/queue/?state=open&like=same%20%26%20alike").context["page"].rows) == 2
    )


def test_saved_views_are_tabs_with_counts(entered, person, told):
    told.tell("a", "b", severity="critical")
    sweep()
    officer = person("duty_officer")
    save_view(page="queue", name="Grave ones", query="state=open&severity=critical", shared=True,
              actor=replace(officer.actor(), roles=frozenset({"duty_officer"})), now=datetime.now(UTC))  # fmt: skip
    answer = browser_of(officer).get("/desk/queue/")
    tab = next(tab for tab in answer.context["tabs"] if tab.word == "Grave ones")
    assert tab.count == 2
    assert "severity=critical" in tab.address


def test_a_saved_view_keeps_its_order_and_its_groups(entered, told):
    told.tell("a", "b", severity="critical")
    sweep()
    client = entered("duty_officer")
    asked = "state=open&severity=critical&sort=-age&group=yes"
    shown = client.get(f"/desk/queue/?{asked}&item=1&before=9")
    form = {"page": "queue", "name": "Old and grave", "query": shown.context["view_query"]}
    client.post("/views/save/", form)
    answer = client.get("/desk/queue/")
    tab = next(tab for tab in answer.context["tabs"] if tab.word == "Old and grave")
    assert QueryDict(tab.address.partition("?")[2]) == QueryDict(asked)
    for path in (tab.address, tab.address.replace("/queue/?", "/queue/counts/?")):
        tabs = client.get(path).context["tabs"]
        assert [each.word for each in tabs if each.here] == ["Old and grave"]
    tabs = client.get("/desk/queue/?state=open&severity=critical").context["tabs"]
    assert not [each for each in tabs if each.here], "another order is another view"
    assert [view.name for view in answer.context["own_views"]] == ["Old and grave"]


def test_what_came_meanwhile_is_told_without_a_reload(entered, told):
    client = entered("duty_officer")
    told.tell("a")
    sweep()
    seen = client.get("/desk/queue/").context["arrival"]
    assert "came meanwhile" not in page(client, "/desk/queue/counts/", as_of=seen)
    told.tell("a", "b", "c")
    sweep(datetime.now(UTC) + timedelta(minutes=5))
    assert "2</bdi> items came meanwhile" in page(client, "/desk/queue/counts/", as_of=seen)


def test_in_urdu_a_target_stands_left_to_right(entered, told):
    client = entered("duty_officer")
    client.cookies["django_language"] = "ur"
    told.tell("a", severity="critical")
    sweep(datetime.now(UTC) - timedelta(minutes=40))
    assert '<bdi dir="ltr" class="nowrap">\N{MINUS SIGN}0:10</bdi>' in page(client)


@pytest.mark.parametrize("role", ["administrator", "advisory_editor", "council_member"])
def test_who_may_not_read_the_queue_does_not(entered, told, role):
    assert entered(role).get("/desk/queue/").status_code == 403


def test_who_only_reads_has_no_buttons_and_moves_nothing(entered, told):
    told.tell("a")
    pk = sweep()[0]
    client = entered("auditor")
    assert 'name="act"' not in page(client)
    assert client.post("/desk/queue/act/", {"act": "take", "item": pk}).status_code == 403


def test_items_of_a_closed_room_are_not_shown(entered, told, monkeypatch):
    told.tell("a")
    pk = sweep()[0]
    monkeypatch.setattr(Told, "PERMISSION", "audit.read")
    client = entered("duty_officer")
    assert client.get(f"/desk/queue/{pk}/").status_code == 404
    assert client.get("/desk/queue/").context["total"] == 0
    answer = client.post("/desk/queue/act/", {"act": "take", "item": pk}, follow=True)
    assert "There is no item" in answer.content.decode()


def test_a_handover_of_many_items_folds_them(entered, told):
    client = entered("duty_officer")
    told.tell(*(f"k{at}" for at in range(30)))
    found = sweep()
    path = client.post("/desk/handover/take/", {"reason": "The day begins."}).url
    answer = client.get(path)
    assert len(answer.context["shown_items"]) == 25
    shown = answer.content.decode()
    assert all(f"/desk/queue/{pk}/" in shown for pk in found)
    assert 'and <bdi dir="ltr">5</bdi> more</summary>' in shown


def test_a_handover_tells_what_became_of_its_items_in_one_question(entered, told):
    counts = []
    for role, keys in (("duty_officer", "a"), ("analyst", "abcd")):
        client = entered(role)
        told.tell(*keys)
        pk = sweep()[-1]
        client.post("/desk/queue/act/", {"act": "take", "item": pk})
        path = client.post("/desk/handover/take/", {"reason": "The day begins."}).url
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            before = client.get(path)
        counts.append(len(asked))
        assert before.context["closed_since"] == 0
    assert counts[0] == counts[1]
    form = {"act": "close", "item": pk, "confirmed": "yes", "reason": "resolved", "text": "x"}
    client.post("/desk/queue/act/", form)
    after = client.get(path)
    assert after.context["closed_since"] == 1
    shown = next(one for one in after.context["shown_items"] if one["id"] == pk)
    assert (shown["state"], shown["today"].state) == ("taken", "closed")
    assert shown["today"].owner_name in after.content.decode()
