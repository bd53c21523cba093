from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.formats import tlp

labels = st.one_of(st.none(), st.text(max_size=12), st.sampled_from([*tlp.LABELS, "WHITE"]))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("CLEAR", "CLEAR"),
        ("tlp:clear", "CLEAR"),
        ("WHITE", "CLEAR"),
        ("TLP:WHITE", "CLEAR"),
        (" green ", "GREEN"),
        ("TLP: AMBER", "AMBER"),
        ("tlp:amber+strict", "AMBER+STRICT"),
        ("RED", "RED"),
        (None, "RED"),
        ("", "RED"),
        ("AMBER STRICT", "RED"),
        ("AMBER+", "RED"),
        ("TLP:", "RED"),
        ("EX:CHR", "RED"),
        ("CLEARED", "RED"),
        ("CLEAR\u200b", "RED"),
        ("\uff23LEAR", "RED"),
    ],
)
def test_reads_labels_and_takes_the_unknown_for_red(text, label):
    assert tlp.parse(text) == label


def test_amber_strict_is_stricter_than_amber():
    assert tlp.rank("AMBER") < tlp.rank("AMBER+STRICT") < tlp.rank("RED")
    assert not tlp.within("AMBER+STRICT", tlp.AMBER)


def test_nothing_known_is_red():
    assert tlp.strictest([]) == "RED"
    assert tlp.strictest(["CLEAR", None]) == "RED"


@given(labels, labels)
def test_tightening_never_loosens(present, wanted):
    result = tlp.tighten(present, wanted)
    assert tlp.rank(result) >= tlp.rank(present)
    assert tlp.rank(result) >= tlp.rank(wanted)
    assert result in {tlp.parse(present), tlp.parse(wanted)}


@given(st.lists(labels, max_size=6), labels)
def test_one_more_label_never_loosens_a_collection(some, another):
    if some:
        assert tlp.rank(tlp.strictest([*some, another])) >= tlp.rank(tlp.strictest(some))


@given(st.text())
def test_only_the_five_names_are_known(text):
    found = tlp.known(text)
    assert found is None or found in tlp.LABELS
    if found is None:
        assert tlp.parse(text) == "RED"
