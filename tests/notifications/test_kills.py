"""kill -9 between each pair of steps: nothing twice, nothing lost, the doubtful listed."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from tests.notifications.peers import Mailbox, served

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    f"{when}{step}"
    for step in (
        "commit",
        "mail",
        "rcpt",
        "docmd data",
        "send text",
        "send dot",
        "getreply",
    )
    for when in ("", "after ")
]


@pytest.fixture
def shared(tmp_path):
    """Call it once the letters are enqueued: the database as other processes reach it."""

    def name() -> str:
        if connection.vendor != "sqlite":
            return str(connection.settings_dict["NAME"])
        path = tmp_path / "shared.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        return str(path)

    return name


def run(shared, settings, peer, plan):
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, str(script), shared(), peer.url, str(settings.KEYS), json.dumps(plan)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return told["killed"], told["states"]


def check(mailbox, killed, states, letters):
    taken = Counter(
        re.search(rb"^Message-ID: (\S+)", raw, re.MULTILINE).group(1).decode()
        for _, raw in mailbox.taken
    )
    assert len(states) == letters
    assert max(taken.values()) == 1, "a letter was sent twice"
    assert set(states.values()) <= {"sent", "unsure"}, "a letter was lost"
    for message_id, state in states.items():
        if state == "sent":
            assert taken[message_id] == 1, "a letter is called sent and never was"
    unsure = [one for one, state in states.items() if state == "unsure"]
    assert len(unsure) <= killed, "a crash may leave one letter in doubt, no more"
    return unsure


def test_killed_at_every_step(post, settings, shared):
    letters = 60
    for _ in range(letters):
        post.put()
    plan = [[step, nth] for step in STEPS for nth in (1, 2, 4)]
    with served(Mailbox()) as peer:
        killed, states = run(shared, settings, peer, plan)
        unsure = check(peer.mailbox, killed, states, letters)
    assert killed >= 30
    assert unsure


def test_killed_at_any_moment(post, settings, shared):
    letters = 150
    for _ in range(letters):
        post.put()
    drawn = random.Random(20261123)
    plan = [["after", round(drawn.uniform(0.005, 0.25), 4)] for _ in range(20)]
    with served(Mailbox()) as peer:
        killed, states = run(shared, settings, peer, plan)
        check(peer.mailbox, killed, states, letters)
    assert killed >= 5
