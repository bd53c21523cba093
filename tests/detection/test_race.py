"""Two digests at the same moment, in two processes: each event once, each letter once."""

from __future__ import annotations

import subprocess

ROUNDS = 3


def test_two_digests_race(child, command):
    assert child("prepare", 0)
    made = []
    for number in range(1, ROUNDS + 1):
        assert child("arrive", number)
        racers = [
            subprocess.Popen(
                **command("race", number),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n", racer.stderr.read()
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        answers = [racer.communicate(timeout=120) for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0], answers
        made.append(sum(int(told) for told, _ in answers))
    assert child("finish", ROUNDS + 1)
    assert child("check", ROUNDS)
    assert all(made), "a race nobody ran"
