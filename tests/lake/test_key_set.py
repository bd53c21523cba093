"""A set of keys answers as Python's own does, whatever comes in whatever portions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.lake.key_set import KeySet, members

_LEAST, _MOST = -(2**63), 2**63 - 1
_EDGES = st.sampled_from([_LEAST, _LEAST + 1, -1, 0, 1, _MOST - 1, _MOST])
_NEAR = st.builds(lambda base, step: base + step, st.sampled_from([0, 2**50]), st.integers(0, 40))
_KEYS = st.one_of(_EDGES, _NEAR, st.integers(_LEAST, _MOST))


def column(keys):
    return np.array(sorted(keys), dtype=np.int64)


@given(st.lists(st.sets(_KEYS, max_size=40), max_size=8), st.sets(_KEYS, max_size=60))
def test_it_holds_what_was_added_and_nothing_else(portions, asked):
    stored, keys = set(), KeySet()
    for portion in portions:
        keys.add(column(portion - stored))
        stored |= portion
    asked |= set(list(stored)[:20])
    assert len(keys) == len(stored)
    assert keys.holds(column(asked)).tolist() == [each in stored for each in sorted(asked)]


def test_it_grows_by_many_portions_without_many_runs():
    drawn = np.random.default_rng(7)
    everything = np.unique(drawn.integers(_LEAST, _MOST, 200_000, dtype=np.int64))
    stored, others = everything[::2], everything[1::2]
    keys = KeySet()
    for portion in np.array_split(drawn.permutation(stored), 97):
        keys.add(np.sort(portion))
    assert len(keys.runs) < 12
    assert len(keys) == len(stored)
    assert keys.holds(stored).all()
    assert not keys.holds(others).any()


def test_keys_that_are_no_hashes_are_told_apart_too():
    """The sieve helps nothing then; the runs answer."""
    keys = KeySet(np.arange(0, 2_000, 2))
    assert keys.holds(np.arange(2_000)).tolist() == [True, False] * 1_000


@given(st.sets(_KEYS, max_size=40), st.sets(_KEYS, max_size=40))
def test_members_of_one_run(run, asked):
    found = members(column(run), column(asked)).tolist()
    assert found == [each in run for each in sorted(asked)]
