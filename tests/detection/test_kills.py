"""kill -9 before and after every commit and file of the digest: no letter twice, none lost."""

from __future__ import annotations

import pytest

ROUNDS, PACE, KILLS_LEAST = 12, 3, 8  # step 1, 4, 7, … of the digest


@pytest.mark.torture
def test_killed_at_every_step(child):
    assert child("prepare", 0)
    rounds = [*range(1, ROUNDS * PACE, PACE)]
    kills = 0
    for number, at in enumerate(rounds, start=1):
        kills += not child("digest", number, at)
        if number % 4 == 0:  # kills follow each other on unfinished work, too
            assert child("finish", number)
    assert child("finish", len(rounds) + 1)
    assert child("check", len(rounds))
    assert kills >= KILLS_LEAST, "fewer steps than the digest has"
