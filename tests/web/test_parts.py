"""The page components' values and tags."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.template import Context, Template
from django.test import RequestFactory

from muhafiz.web.parts import Pages, Tab, address, filter_bar, pages, tabs
from muhafiz.web.templatetags.parts import harmless


def shown(source: str, query: str = "", **said: object) -> str:
    request = RequestFactory().get(f"/list/?{query}")
    return Template("{% load web parts %}" + source).render(Context({"request": request, **said}))


def test_an_address_keeps_the_filters_and_forgets_the_place():
    query = QueryDict("state=open&before=17&text=a%26b")
    assert address(query, state="sent") == "?text=a%26b&state=sent"
    assert address(query, state=None) == "?text=a%26b"
    assert address(query, before=12) == "?state=open&text=a%26b&before=12"


def test_pills_say_what_is_in_force_and_lead_out_of_it():
    query = QueryDict("cidr=203.0.113.0/24&type=scanner&sort=-age&before=9&asn=x&empty=")
    bar = filter_bar(
        query,
        {"type": "Class", "cidr": "Network", "asn": "AS number", "empty": "Empty"},
        words={"type": str.upper},
        codes=["cidr"],
        errors=["asn"],
    )
    assert [(p.label, p.value, p.code) for p in bar.pills] == [
        ("Class", "SCANNER", False),
        ("Network", "203.0.113.0/24", True),
    ]
    assert bar.pills[0].without == "?cidr=203.0.113.0%2F24&sort=-age&asn=x&empty="
    assert bar.kept == (("sort", "-age"),)
    assert bar.clear == "?sort=-age"
    assert bar.open


def test_tabs_and_pages_go_on_from_where_the_query_stands():
    query = QueryDict("state=open&before=40")
    assert tabs(query, "state", [("", "All", None), ("open", "Open", 3)], here="open", grave=["open"]) == [
        Tab("?", "All"),
        Tab("?state=open", "Open", 3, here=True, grave=True),
    ]  # fmt: skip
    assert pages(query, older=21) == Pages(first="?state=open", older="?state=open&before=21")
    assert pages(QueryDict()) == Pages()


@pytest.mark.parametrize(
    ("query", "order", "leads"),
    [
        ("", "descending", "?sort=age"),
        ("sort=age&x=1", "ascending", "?x=1&amp;sort=-age"),
        ("sort=name", "none", "?sort=-age"),
    ],
)
def test_a_heading_sorts_and_turns_round(query, order, leads):
    page = shown("{% sortable 'age' 'Age' default='-age' look='num' %}", query)
    assert f'aria-sort="{order}"' in page
    assert f'href="{leads}"' in page


def test_hidden_fields_hand_the_rest_of_the_query_on():
    page = shown("{% kept 'column' %}", 'a="><b>&a=2&column=x&before=3')
    assert page == (
        '<input type="hidden" name="a" value="&quot;&gt;&lt;b&gt;">'
        '<input type="hidden" name="a" value="2">'
    )


@pytest.mark.parametrize(
    ("live", "dead"),
    [
        ("192.0.2.1", "192[.]0[.]2[.]1"),
        ("http://a.example/x.html", "hxxp://a[.]example/x[.]html"),
        ("https://a.example", "hxxps://a[.]example"),
        ("ftp://a.example", "fxp://a[.]example"),
        ("a@b.example", "a[@]b[.]example"),
        ("", ""),
    ],
)
def test_a_harmful_value_is_written_so_that_nothing_follows_it(live, dead):
    assert harmless(live) == dead


def test_the_live_value_lies_behind_a_button():
    page = shown("{% defanged value %}", value="http://evil.example/<b>")
    assert page.index("hxxp://evil[.]example/&lt;b&gt;") < page.index("<summary>")
    assert "http://evil.example/&lt;b&gt;" in page
    assert "href" not in page


def test_a_dialog_holds_its_block_and_needs_no_script():
    page = shown("{% dialog 'close' 'Close these' %}<b>{{ x }}</b>{% enddialog %}", x="<i>")
    assert '<dialog class="dialog" id="close"' in page
    assert "<b>&lt;i&gt;</b>" in page


def test_a_route_that_is_not_there_is_an_empty_address():
    assert shown("{% place 'no-such-route' as x %}[{{ x }}]") == "[]"
    assert shown("{% place 'front' as x %}[{{ x }}]") == "[/]"
