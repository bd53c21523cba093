"""Files first, rows after: drafts that are committed in turn, out of turn, or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from muhafiz.lake import queries
from muhafiz.lake.actions.append import (
    append_draft,
    draft_batch,
    installation_salt,
    prepare_batch,
)
from muhafiz.lake.actions.housekeeping import orphans, remove_orphans
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.drafting import discard_drafts, write_draft
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import DiskNearlyFull
from muhafiz.lake.storage import files_on_disk
from tests.lake.rows import accepted, host

ALL = EventQuery(limit=None)
REPORT = 900


def written(rows, coming=()):
    prepared = prepare_batch(accepted(rows, report_id=REPORT), salt=installation_salt())
    return write_draft(draft_batch(prepared, coming))


@pytest.fixture
def append(lake, actor, now):
    def commit(draft, number):
        return append_draft(draft, report_id=REPORT, batch_number=number, actor=actor, now=now)

    return commit


def test_a_draft_knows_what_those_before_it_will_have_stored(append, now):
    first = written([host(1), host(2)])
    second = written([host(2), host(3)], [first])
    third = written([host(1), host(3), host(4)], [first, second])
    before = files_on_disk()
    answers = [append(draft, at) for at, draft in enumerate((first, second, third))]
    assert [answer.new_events for answer in answers] == [2, 1, 1]
    assert files_on_disk() == before  # the transactions wrote rows only
    assert queries.count(ALL) == 4
    assert verify(now=now, deep=True).proven


def test_a_draft_whose_forerunner_never_came_looks_again(append, lake, now):
    first = written([host(1), host(2)])
    second = written([host(2), host(3)], [first])
    discard_drafts([first])
    lake.append([host(9)])  # takes the place in the day's history that the first would have had
    assert append(second, 0).new_events == 2
    assert queries.count(ALL) == 3
    assert verify(now=now, deep=True).proven


def test_an_append_between_look_up_and_commit_is_seen(append, lake, now):
    first = written([host(1), host(2)])
    second = written([host(3), host(4)], [first])
    lake.append([host(2), host(4)])
    assert append(first, 0).new_events == 1
    assert append(second, 1).new_events == 1
    assert queries.count(ALL) == 4
    assert verify(now=now, deep=True).proven


def test_a_commit_rolled_back_leaves_orphans_and_no_memory(append, now):
    first = written([host(1)])
    with transaction.atomic():
        append(first, 0)
        transaction.set_rollback(True)
    assert append(written([host(1)]), 0).new_events == 1
    assert len(files_on_disk()) == 2
    assert verify(now=now, deep=True).proven


def test_what_a_crash_leaves_between_writing_and_committing_is_swept(append, now):
    written([host(1), host(2)])
    assert queries.count(ALL) == 0
    much_later = datetime.now(UTC) + timedelta(days=2)
    assert len(orphans(now=much_later)) == 1
    remove_orphans(now=much_later)
    assert files_on_disk() == {}
    assert append(written([host(1)]), 0).new_events == 1


def test_drafts_let_go_of_leave_nothing(append):
    drafts = [written([host(1)]), written([host(1), host(2)])]
    discard_drafts(drafts)
    assert files_on_disk() == {}


def test_the_same_batch_again_is_answered_and_its_files_removed(append):
    answer = append(written([host(1)]), 0)
    before = files_on_disk()
    assert append(written([host(1)]), 0) == answer
    assert files_on_disk() == before


def test_a_nearly_full_disk_is_told_before_anything_is_written(append, settings):
    settings.FREE_DISK_PERCENT = 101
    with pytest.raises(DiskNearlyFull):
        written([host(1)])
    assert files_on_disk() == {}
