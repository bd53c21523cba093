"""The longest claimed suffix of a name, against a dictionary asked label by label."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.constituency.matching.suffixes import Suffixes

LABEL = st.text("ab-", min_size=1, max_size=3)
NAME = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
CLAIMED = st.lists(NAME, min_size=1, max_size=30, unique=True)


def oracle(name: str, claimed: list[str], most_labels: int) -> int:
    labels = name.split(".")
    for at in range(max(0, len(labels) - most_labels), len(labels)):
        suffix = ".".join(labels[at:])
        if suffix in claimed:
            return claimed.index(suffix)
    return -1


@given(claimed=CLAIMED, names=st.lists(NAME, max_size=40))
def test_every_name_finds_what_the_dictionary_says(claimed, names):
    most = max(name.count(".") + 1 for name in claimed)
    found = Suffixes.of(pa.array(claimed)).longest(pa.array(names, pa.string()), most)
    assert found.tolist() == [oracle(name, claimed, most) for name in names]


def test_a_slice_of_a_column_is_read_as_it_stands():
    claimed = pa.array(["x.example", "example.org", "y.example"]).slice(1, 1)
    names = pa.array(["x.example", "www.example.org", "anexample.org"]).slice(1)
    assert Suffixes.of(claimed).longest(names, 2).tolist() == [0, -1]


def test_many_pieces_of_letters_are_one_text():
    claimed = [f"host{n}.example" for n in range(9_000)]
    names = [f"www.{name}" for name in reversed(claimed)]
    found = Suffixes.of(pa.array(claimed)).longest(pa.array(names), 2)
    assert found.tolist() == list(range(9_000))[::-1]
