"""Every class has words in both languages, and they say the same things."""

from __future__ import annotations

import pytest

from muhafiz.feeds.sources.shadowserver import mappings
from muhafiz.formats.rsit import TAXONOMY_OF
from muhafiz.web.plain_words import plain, words


def test_both_languages_know_the_same_kinds():
    for part in ("type", "identifier"):
        english, urdu = words("en")[part], words("ur")[part]
        assert english.keys() == urdu.keys()
        for name in english:
            assert english[name].keys() == urdu[name].keys(), name
            if "act" in english[name]:
                assert len(english[name]["act"]) == len(urdu[name]["act"]), name


def test_every_type_of_the_taxonomy_is_told():
    assert set(words("en")["type"]) == set(TAXONOMY_OF)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_every_kind_has_words(language):
    for kind in (*TAXONOMY_OF, "", "never-heard-of"):
        for identifier in ("", "open-telnet", "never-heard-of"):
            found = plain(kind, identifier, language)
            assert found.name
            assert found.act
            assert "{" not in found.name


def test_urdu_is_urdu():
    assert all(
        any("؀" <= sign <= "ۿ" for sign in each["name"]) for each in words("ur")["type"].values()
    )


def test_every_open_service_that_reports_tell_of_has_its_name():
    open_kinds = {"potentially-unwanted-accessible", "ddos-amplifier"}
    told = {found.identifier for found in mappings().values() if found.type in open_kinds}
    assert told - words("en")["services"].keys() == set()
