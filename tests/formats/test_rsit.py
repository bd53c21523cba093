"""The taxonomy is exactly RSIT's, and other words find their way into it."""

from __future__ import annotations

import pytest

from muhafiz.formats.rsit import CLASSES, TAXONOMY_OF, to_type


def test_eleven_classes_and_thirty_nine_types_each_in_one_class() -> None:
    assert len(CLASSES) == 11
    assert sum(len(types) for types in CLASSES.values()) == 39
    assert len(TAXONOMY_OF) == 39
    assert TAXONOMY_OF["unauthorised-use-of-resources"] == "fraud"


@pytest.mark.parametrize("word", ["blacklist", "dga-domain", "malware", "proxy", "tor"])
def test_words_of_intelmq_that_rsit_lacks_stay_as_identifier(word: str) -> None:
    found = to_type(word)
    assert found.type in TAXONOMY_OF
    assert found.identifier == word
    assert word not in TAXONOMY_OF


def test_a_spelling_is_no_identifier() -> None:
    found = to_type("unauthorized-use-of-resources")
    assert (found.type, found.identifier) == ("unauthorised-use-of-resources", None)


def test_types_are_read_in_any_case() -> None:
    assert to_type(" C2_Server ").type == "c2-server"
    assert to_type("c2-server").taxonomy == "malicious-code"


@pytest.mark.parametrize("word", ["", None, "   "])
def test_nothing_is_undetermined(word: str | None) -> None:
    assert to_type(word).type == "undetermined"
    assert to_type(word).identifier is None


def test_an_unknown_word_is_undetermined_and_kept() -> None:
    found = to_type("gremlins")
    assert (found.type, found.taxonomy, found.identifier) == ("undetermined", "other", "gremlins")
