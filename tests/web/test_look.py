"""The specimen page, the palette's commands, the density of rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from muhafiz.audit.queries import entries
from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.search.actions.indexing import index_sources
from muhafiz.web.desk.navigation import GROUPS
from muhafiz.web.desk.specimens import LOOKS, TOLD
from tests.web.extraction import WEB
from tests.web.given import OPERATOR

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


_THEMED = re.compile(r"([^{}]*\[data-theme[^{}]*)\{([^{}]*)\}")
_COLOURS = {"color-scheme", "color", "background", "border-color", "fill", "stroke"}


def test_a_theme_changes_nothing_but_colours():
    """So what does not look at colours is proven for both themes by looking at one."""
    themed = 0
    for sheet in (WEB / "static" / "web").glob("*.css"):
        for selector, body in _THEMED.findall(sheet.read_text("utf-8")):
            names = {line.partition(":")[0].strip() for line in body.split(";") if ":" in line}
            assert names <= _COLOURS, (sheet.name, selector.strip())
            themed += 1
    assert themed > 2


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


@pytest.fixture
def indexed(world):
    index_sources(now=world.moment)
    return world


def lines(client, text):
    told = client.get("/desk/commands/", {"q": text}, headers=JSON).json()["commands"]
    return {each["address"]: each["word"] for each in told}


def test_a_text_leads_to_items_events_owners_and_whatever_the_index_knows(indexed, all_roles):
    item = all_roles.get(indexed.screens["queue-item"]).context["item"]
    for number in (item.number.lower(), item.shown_number):
        assert indexed.screens["queue-item"] in lines(all_roles, number)
    constituent = indexed.screens["constituent"]
    address = lines(all_roles, "203.0.113[.]1")
    assert address["/desk/events/?cidr=203.0.113.1&span=90d"] == "Events of 203.0.113.1"
    assert constituent in address
    assert "/desk/events/?asn=64500&span=90d" in lines(all_roles, "as64500")
    cve = lines(all_roles, "cve-2026-12345")
    assert list(cve.values()) == ["Events of CVE-2026-12345"]
    assert "identifier=CVE-2026-12345&identifier=cve-2026-12345" in next(iter(cve))
    name = all_roles.get(constituent).context["page"].facts.name_en
    assert next(iter(lines(all_roles, name.lower()))) == constituent, "who is called so comes first"
    assert lines(all_roles, "scan_telnet").keys() & {indexed.screens["report"]}
    assert next(iter(lines(all_roles, str(indexed.report)).values())) == f"Report {indexed.report}"


def test_what_the_palette_finds_is_open_to_the_viewer_and_written_down(indexed, entered, all_roles):
    member = entered("council_member")
    for text in ("203.0.113.1", "cve-2026-12345", "telnet", "Q-1"):
        assert lines(member, text) == {}, text
    lines(all_roles, "quetta")
    [entry, *_] = entries(action="search.search", limit=1)
    assert "quetta" in str(entry)


def test_the_brand_leads_everybody_to_a_page_of_their_own(entered):
    for role in ("council_member", "programme_manager", "administrator", "duty_officer"):
        client = entered(role)
        page = client.get("/desk/look/").content.decode()
        assert re.search(r'<a class="brand"\s+href="/begin/"', page), role
        assert client.get("/begin/", follow=True).status_code == 200, role


def test_the_side_names_the_cert_as_people_say_it(entered):
    load_profile("pakistan", actor=OPERATOR, now=datetime.now(UTC))
    page = entered("analyst").get("/desk/look/").content.decode()
    brand = page[page.index('class="brand"') :].split("</a>")[0]
    assert "PKCERT" in brand
    assert 'title="National Cyber Emergency Response Team of Pakistan"' in brand


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
