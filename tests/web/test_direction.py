"""What is written left to right stays so within Urdu."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext, override

from muhafiz.common.refusal import Refusal
from muhafiz.web.refusals import sentence
from muhafiz.web.translations import isolated

LRI, FSI, PDI = "\u2066", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("یوں لکھیں: 203.0.113.0/24 یا 2001:db8::/32\u06d4", ["203.0.113.0/24", "2001:db8::/32"]),
        ("اصل ڈاک (.eml)", [".eml"]),
        ("یہ TLP:AMBER+STRICT ہے", ["TLP:AMBER+STRICT"]),
        ("”Mon-Fri 09:00-17:00; Sat“", ["Mon-Fri", "09:00-17:00"]),
        ("%(a)s/%(b)s اور {x}.{y}", []),
        ("AS نمبر 30", []),
    ],
)
def test_addresses_times_and_labels_in_a_text_are_isolated(text, parts):
    made = isolated(text)
    assert [part.partition(PDI)[0] for part in made.split(LRI)[1:]] == parts
    assert made.replace(LRI, "").replace(PDI, "") == text
    assert isolated(made) == made


def test_the_compiled_catalog_isolates():
    with override("ur"):
        said = gettext("This is no network. Write it like 203.0.113.0/24 or 2001:db8::/32.")
    assert f"{LRI}2001:db8::/32{PDI}" in said


class _NoSuchThing(Refusal):
    text = "There is no thing {name} of {count}."


def test_what_a_refusal_speaks_of_is_isolated_in_urdu_only():
    refusal = _NoSuchThing(name="2001:db8::1", count=3)
    assert sentence(refusal) == "There is no thing 2001:db8::1 of 3."
    with override("ur"):
        assert sentence(refusal) == f"There is no thing {FSI}2001:db8::1{PDI} of 3."
