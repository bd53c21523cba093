"""What reaches nobody is known: to the sender, who tries again, and to the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.notifications.actions.letters import cancel_message
from muhafiz.notifications.models import Message
from muhafiz.notifications.queries import lost_letters, undelivered
from muhafiz.triage.sources import sources

pytestmark = pytest.mark.django_db


def put(post, item: str, *states: str) -> list[str]:
    """Letters of one thing, in these states; their ids."""
    ids = []
    for state in states:
        post.wait(seconds=1)
        ids.append(post.put())
        Message.objects.filter(pk=ids[-1]).update(item=item, state=state)
    return ids


def test_one_way_that_is_open_is_enough(post):
    since = post.clock.now()
    lost = put(post, "notice:a", "failed", "cancelled", "held")
    for number, alive in enumerate(("queued", "sending", "sent", "unsure")):
        put(post, f"notice:alive-{number}", "failed", alive)
    put(post, "notice:stopped", "cancelled")
    [invitation] = put(post, "invitation:b", "failed")
    assert undelivered("notice", since=since) == ["a"]
    assert undelivered("invitation", since=since) == ["b"]
    assert [each.id for each in lost_letters(since=since)] == [lost[2], invitation]
    assert lost_letters(since=since + timedelta(minutes=1)) == []


def test_the_queue_tells_of_it_once_for_each_thing(post):
    [letter, _] = put(post, "notice:a", "failed", "failed")
    put(post, "notice:b", "held")
    found = {each.title: each for each in sources()["undelivered-letter"].waiting(post.clock.now())}
    assert set(found) == {"letter-failed", "letter-held"}
    assert found["letter-failed"].organization_id == 7
    assert found["letter-failed"].reference == "N-1"
    assert str(letter) != found["letter-failed"].key  # the latest of them
    for number in Message.objects.filter(item="notice:b").values_list("pk", flat=True):
        cancel_message(message=number, reason="Not this.", actor=post.actor, now=post.clock.now())
    left = sources()["undelivered-letter"].waiting(post.clock.now() + timedelta(hours=1))
    assert [each.title for each in left] == ["letter-failed"]
