"""The specimen page, the palette's commands, the density of rows."""

from __future__ import annotations

import pytest

from muhafiz.web.desk.navigation import GROUPS
from muhafiz.web.desk.specimens import LOOKS, TOLD

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


def test_each_component_stands_in_both_languages_and_both_themes(all_roles):
    page = all_roles.get("/desk/look/").content.decode()
    assert page.count('class="specimen"') == len(TOLD) * len(LOOKS)
    for language, theme in LOOKS:
        assert page.count(f'lang="{language}" dir=') >= len(TOLD)
        assert f'data-theme="{theme}"' in page
    assert "{% include &quot;web/tabs.html&quot;" in page
    assert "انتہائی سنگین" in page


def test_commands_are_the_pages_that_the_viewer_may_open(entered):
    told = entered("council_member").get("/desk/commands/", headers=JSON).json()["commands"]
    assert not any(each["address"] == "/desk/events/" for each in told)
    told = entered("analyst").get("/desk/commands/", headers=JSON).json()["commands"]
    assert any(each["address"] == "/desk/events/" for each in told)
    assert {each["method"] for each in told} == {"get", "post"}
    pages = {each["address"] for each in told if each["method"] == "get"}
    assert len(pages) >= len([entry for group in GROUPS for entry in group.entries]) - 3


def test_commands_are_found_in_urdu_and_in_english(entered):
    client = entered("analyst")
    client.cookies["django_language"] = "ur"
    told = client.get("/desk/commands/", headers=JSON).json()["commands"]
    events = next(each for each in told if each["address"] == "/desk/events/")
    assert (events["word"], events["also"]) == ("واقعات", "Events")


def test_a_number_leads_to_what_it_names_and_only_that(world, all_roles):
    notice = all_roles.get(world.screens["notice"]).context["notice"]
    asked = {
        notice.number.lower(): world.screens["notice"],
        str(world.report): world.screens["report"],
        world.letter: world.screens["letter"],
    }
    for text, address in asked.items():
        told = all_roles.get("/desk/commands/", {"q": text}, headers=JSON).json()["commands"]
        assert address in {each["address"] for each in told}, text
    told = all_roles.get("/desk/commands/", {"q": "99999999"}, headers=JSON).json()["commands"]
    assert told == []


def test_a_number_opens_nothing_that_the_viewer_may_not_see(world, entered):
    client = entered("council_member")
    for text in (str(world.report), world.letter):
        assert client.get("/desk/commands/", {"q": text}, headers=JSON).json() == {"commands": []}


def test_without_scripts_the_box_leads_to_a_page(entered):
    page = entered("analyst").get("/desk/commands/", {"q": "event <b>"}).content.decode()
    assert "Nothing is called so" in page
    page = entered("duty_officer").get("/desk/commands/", {"q": "EVENTS"}).content.decode()
    assert 'href="/desk/events/"' in page


def test_density_is_kept_and_the_page_too(entered):
    client = entered("analyst")
    answer = client.post("/desk/density/", {"density": "compact", "next": "/desk/events/?a=1"})
    assert answer["Location"] == "/desk/events/?a=1"
    assert 'data-density="compact"' in client.get("/desk/look/").content.decode()
    refused = client.post("/desk/density/", {"density": '"><b>', "next": "//evil.example"})
    assert refused.status_code == 400
