from __future__ import annotations

import io
from datetime import timedelta

import pytest

from muhafiz.audit.queries import entries
from muhafiz.common.actor import Actor
from muhafiz.feeds import queries
from muhafiz.feeds.actions import fetching
from muhafiz.feeds.actions.feeds import (
    acknowledge_silence,
    change_feed,
    create_feed,
    set_feed_secrets,
)
from muhafiz.feeds.actions.fetching import fetch_feed, queue_due_fetches
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.actions.silence import watch_feeds
from muhafiz.feeds.models import Feed
from muhafiz.feeds.rules import BadFeed, FeedChoice, UnknownFeed, choose_feed, silence
from muhafiz.feeds.sources import CannotFetch, FetchedReport, Source
from tests.feeds.conftest import NAME, telnet_csv

DAY = timedelta(days=1)
DUTY = Actor(kind="person", identifier="7", name="Duty", roles=frozenset({"duty_officer"}))


def state(name, now):
    return next(found for found in queries.feed_states(now=now) if found.name == name)


@pytest.mark.parametrize(
    "values",
    [
        {"source": "no-such-source"},
        {"source": "shadowserver", "tlp": "PINK"},
        {"source": "shadowserver", "expected_every": timedelta(0)},
        {"source": "shadowserver", "colour": "red"},
    ],
)
def test_a_feed_that_makes_no_sense_is_refused(db, actor, now, values):
    with pytest.raises(BadFeed):
        create_feed(name="x", actor=actor, now=now, **values)
    assert not Feed.objects.exists()


def test_secrets_are_sealed_and_never_audited(feed, actor, now):
    set_feed_secrets(
        name=feed, secrets={"api_key": "k-1", "secret": "hunter2"}, actor=actor, now=now
    )
    kept = Feed.objects.get(name=feed)
    assert b"hunter2" not in bytes(kept.sealed_secrets)
    assert fetching._options(kept)["secret"] == "hunter2"
    assert all("hunter2" not in str(entry) for entry in entries())


def test_a_silent_feed_raises_one_alarm_and_clears_it(keep, feed, actor, now):
    change_feed(name=feed, expected_every=DAY, actor=actor, now=now)
    assert watch_feeds(actor=actor, now=now + 2 * DAY) == (0, 0)
    later = now + 2 * DAY + timedelta(seconds=1)
    assert watch_feeds(actor=actor, now=later) == (1, 0)
    assert watch_feeds(actor=actor, now=later + DAY) == (0, 0)
    (silent,) = queries.silent_feeds(now=later)
    assert (silent.silent_since, silent.silent_reason, silent.owner) == (
        now + 2 * DAY, "no-report", "Duty desk",
    )  # fmt: skip
    Feed.objects.update(last_report_at=later)
    assert watch_feeds(actor=actor, now=later) == (0, 1)
    assert queries.silent_feeds(now=later) == []


def test_the_same_bytes_again_are_a_sign_of_life_but_no_rows(keep, feed, process, actor, now):
    """A list that did not change is delivered every day all the same."""
    change_feed(name=feed, expected_every=DAY, actor=actor, now=now)
    process(keep(telnet_csv(3)))
    later = now + 3 * DAY
    assert watch_feeds(actor=actor, now=later) == (1, 0)
    again = keep_report(
        feed=feed, file_name=NAME, raw=telnet_csv(3), received_at=later, actor=actor, now=later,
        door="drop",
    )  # fmt: skip
    assert again.duplicate
    assert watch_feeds(actor=actor, now=later) == (0, 1)
    Feed.objects.update(expected_rows_per_day=1_000, created_at=now - 30 * DAY)
    assert watch_feeds(actor=actor, now=later) == (1, 0)
    assert state(feed, later).silent_reason == "few-rows"


def test_a_clock_set_back_silences_nobody(feed, actor, now):
    change_feed(name=feed, expected_every=DAY, expected_rows_per_day=1_000, actor=actor, now=now)
    assert watch_feeds(actor=actor, now=now - 10 * DAY) == (0, 0)


def test_few_rows_are_an_alarm_after_a_day(now):
    found = {
        "last_report_at": now, "expected_every": None, "expected_rows_per_day": 1_000,
        "now": now,
    }  # fmt: skip
    assert silence(watched_since=now - DAY, rows=99, **found) == (now - DAY, "few-rows")
    assert silence(watched_since=now - DAY, rows=100, **found) is None
    assert silence(watched_since=now - DAY / 2, rows=0, **found) is None


def test_a_weekly_feed_is_not_thin_between_its_reports(keep, feed, process, actor, now):
    """Its rows used to be counted by the day, so that six days of seven raised an alarm."""
    change_feed(
        name=feed, expected_every=7 * DAY, expected_rows_per_day=10, actor=actor, now=now - 8 * DAY
    )
    Feed.objects.update(created_at=now - 30 * DAY)
    process(keep(telnet_csv(8)))
    assert watch_feeds(actor=actor, now=now + 6 * DAY) == (0, 0)
    process(keep(telnet_csv(2, seed=2)))
    Feed.objects.update(expected_rows_per_day=1_000)
    assert watch_feeds(actor=actor, now=now + 6 * DAY) == (1, 0)


def test_an_alarm_of_another_kind_is_raised_anew(keep, feed, actor, now):
    change_feed(name=feed, expected_every=DAY, expected_rows_per_day=1_000, actor=actor, now=now)
    Feed.objects.update(created_at=now - 30 * DAY, last_report_at=now)
    assert watch_feeds(actor=actor, now=now) == (1, 0)
    assert state(feed, now).silent_reason == "few-rows"
    acknowledge_silence(name=feed, until=now + 9 * DAY, note="known", actor=DUTY, now=now)
    later = now + 3 * DAY
    assert watch_feeds(actor=actor, now=later) == (1, 0)
    assert state(feed, later).silent_reason == "no-report"
    assert [each.name for each in queries.silent_feeds(now=later)] == [feed]
    assert watch_feeds(actor=actor, now=later + DAY) == (0, 0)


def test_a_pattern_beats_a_surer_source_and_a_wrong_pattern_bars():
    feeds = [
        FeedChoice(1, "sure", ""), FeedChoice(2, "unsure", "*-telnet-*"),
        FeedChoice(3, "sure", "nothing*"), FeedChoice(4, "blind", "*"),
    ]  # fmt: skip
    scores = {"sure": 90, "unsure": 10, "blind": 0}
    assert choose_feed(["a-telnet-b.csv"], scores, feeds) == 2
    assert choose_feed(["a-telnet-b.zip", "report.csv"], scores, feeds) == 2
    assert choose_feed(["other.csv"], scores, feeds) == 1
    assert choose_feed(["other.csv"], {}, feeds) is None


@pytest.fixture
def sender(feed, actor, now, monkeypatch):
    """A source of our own whose sender offers what `offered` holds."""
    change_feed(name=feed, fetch_every=timedelta(hours=1), actor=actor, now=now)
    offered: list[tuple[str, bytes]] = []
    asked: list[tuple[object, object]] = []

    def fetch(options, since, until):
        asked.append((since, until))
        for identifier, content in offered:
            if content == b"break":
                raise CannotFetch("the line broke")
            yield FetchedReport(identifier, NAME, io.BytesIO(content))

    plain = fetching.source_named("shadowserver")
    own = Source(
        plain.name, plain.title, plain.version, plain.recognizes, plain.blocks,
        plain.parse_block, fetch,
    )  # fmt: skip
    monkeypatch.setattr(fetching, "source_named", lambda _name: own)
    return offered, asked


def test_a_fetch_keeps_what_is_new_and_moves_the_watermark(feed, sender, actor, now):
    offered, asked = sender
    offered += [("one", telnet_csv(3)), ("two", telnet_csv(3, seed=2))]
    first = fetch_feed(feed=feed, actor=actor, now=now)
    again = fetch_feed(feed=feed, actor=actor, now=now + DAY)
    assert (first.kept, first.known, again.kept, again.known) == (2, 0, 0, 2)
    assert state(feed, now).fetched_until == now + DAY
    assert asked[1] == ((now - DAY).date(), (now + DAY).date())


def test_what_is_known_costs_one_query(feed, sender, actor, now, django_assert_max_num_queries):
    offered, _ = sender
    offered += [(f"r{n}", telnet_csv(1, seed=n)) for n in range(20)]
    assert fetch_feed(feed=feed, actor=actor, now=now).kept == 20
    with django_assert_max_num_queries(6):
        assert fetch_feed(feed=feed, actor=actor, now=now).known == 20


def test_a_broken_fetch_keeps_what_came_and_asks_again(feed, sender, actor, now):
    offered, _ = sender
    offered += [("one", telnet_csv(3)), ("two", b"break")]
    with pytest.raises(CannotFetch):
        fetch_feed(feed=feed, actor=actor, now=now)
    assert state(feed, now).fetched_until is None
    assert len(queries.reports()) == 1


def test_each_feed_is_fetched_on_its_own_schedule(feed, sender, actor, now):
    assert queue_due_fetches(actor=actor, now=now) == 1
    assert queue_due_fetches(actor=actor, now=now + timedelta(minutes=59)) == 0
    assert queue_due_fetches(actor=actor, now=now + timedelta(minutes=60)) == 1
    assert queue_due_fetches(actor=actor, now=now - 10 * DAY) == 1


def test_a_feed_without_an_api_is_not_fetched(db, folders, actor, now):
    create_feed(name="list", source="generic", actor=actor, now=now)
    for name in ("list", "nobody"):
        with pytest.raises(UnknownFeed):
            fetch_feed(feed=name, actor=actor, now=now)
