"""What is typed and what is indexed become the same terms."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.search.rules import MOST_NEEDLES, NAME, WORD, fold, needles, terms, whole_name


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("كراچي", "کراچی"),  # Arabic kaf and yeh
        ("ه", "ہ"),
        ("آزاد", "ازاد"),
        ("مُحافِظ", "محافظ"),  # marks
        ("محـــافظ", "محافظ"),  # tatweel
        ("می\u200cخواہم", "میخواہم"),  # joiners
        ("۱۲۳", "123"),
        ("١٢٣", "123"),
        ("ﻛﺮاﭼﯽ", "کراچی"),  # presentation forms
        ("STRASSE", "straße"),
        ("Ｆullwidth", "fullwidth"),
    ],
)
def test_readers_take_these_for_the_same(typed, stands):
    assert fold(typed) == fold(stands)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("203[.]0[.]113[.]5", "203.0.113.5"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("hxxps://Evil[.]Example/path?q=1", "evil.example"),
        ("user[at]example[dot]org", "user@example.org"),
        ("CVE-2026-00012", "cve-2026-00012"),
        ("F-48207", "f-48207"),
        ("AB" * 32, None),  # one word already
        ("مثال.پاکستان", "xn--mgbh0fb.xn--mgbai9azgqp6j"),
        ("example.org,", "example.org"),
    ],
)
def test_names_stay_whole(typed, whole):
    asked = needles(typed)
    assert asked == [whole] if whole else [typed.lower()]


@given(st.ip_addresses())
def test_an_address_is_found_however_it_is_written(address):
    index = terms(names=[str(address)])
    written = address.exploded if isinstance(address, ipaddress.IPv6Address) else str(address)
    [needle] = needles(written)
    assert index[needle] == NAME


def test_a_name_is_found_by_what_it_is_part_of():
    index = terms(names=["www.mail.example.org"])
    for asked in ("www.mail.example.org", "mail.example.org", "example.org", "mail"):
        [needle] = needles(asked)
        assert any(term.startswith(needle) for term in index)


def test_a_mail_address_is_found_by_its_host():
    index = terms(mentions=["abuse@power.example"])
    assert {"abuse@power.example", "power.example"} <= set(index)


def test_the_heaviest_weight_counts():
    assert terms(names=["power"], words=["power grid"], mentions=["grid"]) == {
        "power": NAME,
        "grid": WORD,
    }


@given(st.text(max_size=2000))
def test_a_question_is_bounded(text):
    asked = needles(text)
    assert len(asked) <= MOST_NEEDLES
    assert all(needle and len(needle) <= 200 and "\0" not in needle for needle in asked)


@given(st.text(max_size=200))
def test_what_is_indexed_is_found_by_itself(text):
    index = terms(words=[text])
    for needle in needles(text):
        assert any(term.startswith(needle) for term in index)


@pytest.mark.parametrize("text", ["", " ", "-", "::::", "...", "@", "10.1.1.999", "a" * 5000])
def test_odd_questions_do_no_harm(text):
    needles(text)
    whole_name(text)
