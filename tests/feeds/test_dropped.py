from __future__ import annotations

import os

import pytest

from muhafiz.feeds import queries
from muhafiz.feeds.actions.dropped import ingest_file, take_drop_folder
from muhafiz.feeds.rules import DiskNearlyFull
from tests.feeds.conftest import NAME, telnet_csv


@pytest.fixture
def drop(feed, settings):
    settings.DROP_FOLDER.mkdir()
    return settings.DROP_FOLDER


@pytest.fixture
def lay(drop, now):
    def lay_down(name: str, content: bytes, age: float = 60):
        path = drop / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (now.timestamp() - age, now.timestamp() - age))
        return path

    return lay_down


@pytest.fixture
def take(drop, actor, now):
    return lambda: take_drop_folder(folder=drop, actor=actor, now=now)


def test_a_whole_file_is_taken_and_moved(lay, take, drop, now):
    path = lay(NAME, telnet_csv(3))
    assert take().taken == 1
    assert not path.exists()
    assert (drop / "done" / f"{now:%Y-%m-%d}" / NAME).read_bytes() == telnet_csv(3)
    (report,) = queries.reports()
    assert (report.feed, report.door, report.state) == ("shadowserver", "drop", "received")
    assert take() == take()


def test_a_file_still_being_written_waits(lay, take):
    half = lay(NAME, telnet_csv(3)[:40], age=2)
    for name in ("a.csv.part", ".hidden", "b.csv.tmp", "~c.csv"):
        lay(name, b"x")
    assert take().waiting == 1
    assert half.exists()
    assert queries.reports() == []


def test_a_file_that_grows_while_it_is_read_waits(lay, take, settings, monkeypatch):
    path = lay(NAME, telnet_csv(3))
    from muhafiz.feeds.actions import dropped

    really = dropped._age

    def grown_at_the_last_moment(found, moment):
        with path.open("ab") as more:
            more.write(b"one more row\n")
        return really(found, moment)

    monkeypatch.setattr(dropped, "_age", grown_at_the_last_moment)
    assert take().waiting == 1
    assert path.exists()
    assert queries.reports() == []
    assert not [each for each in settings.REPORTS.rglob("*") if each.is_file()]


def test_a_folder_names_its_feed_and_a_wrong_one_fails_with_the_reason(lay, take, drop, now):
    lay(f"shadowserver/{NAME}", telnet_csv(3))
    lay(f"nobody/{NAME}", telnet_csv(4))
    found = take()
    assert (found.taken, found.failed) == (1, 1)
    failed = drop / "failed" / f"{now:%Y-%m-%d}"
    assert (failed / NAME).read_bytes() == telnet_csv(4)
    assert "nobody" in (failed / f"{NAME}.reason.txt").read_text()


def test_the_same_file_again_is_recognized(lay, take):
    lay(NAME, telnet_csv(3))
    take()
    lay(NAME, telnet_csv(3))
    assert take().duplicates == 1
    assert len(queries.reports()) == 1


def test_links_are_not_followed(drop, take, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    (drop / NAME).symlink_to(secret)
    (drop / "linked").symlink_to(tmp_path)
    assert take().taken == 0
    assert queries.reports() == []


def test_a_full_disk_leaves_the_file_where_it_is(lay, take, settings):
    path = lay(NAME, telnet_csv(3))
    settings.FREE_DISK_PERCENT = 100
    with pytest.raises(DiskNearlyFull):
        take()
    assert path.exists()
    settings.FREE_DISK_PERCENT = 1
    assert take().taken == 1


def test_a_file_is_ingested_from_the_command_line(feed, tmp_path, actor, now):
    path = tmp_path / NAME
    path.write_bytes(telnet_csv(3))
    kept = ingest_file(path=path, feed=None, actor=actor, now=now)
    assert (kept.feed, kept.duplicate) == (feed, False)
    assert path.exists()


#: Names that no person would give, and programs do.
STRANGE = [
    b"\xff\xfe-scan_telnet.csv", b"n" * 250 + b".csv", "\u0631\u067e\u0648\u0631\u0679.csv".encode(),
    b"-rf.csv", b"two\nlines.csv", b"red\x1b[31m.csv", b" ", b"%s{0}.csv",
]  # fmt: skip


def test_no_name_of_a_file_holds_the_others_up(lay, drop, actor, clock):
    """A name that is no UTF-8 used to end the job at each look, and with it all intake."""
    from muhafiz.jobs.actions.queue import enqueue_job
    from muhafiz.jobs.queries import jobs
    from muhafiz.jobs.worker import run_due

    for number, name in enumerate(STRANGE):
        lay(os.fsdecode(name), telnet_csv(3, seed=number))
        lay(f"nobody/{os.fsdecode(name)}", telnet_csv(4, seed=number))
    lay(os.fsdecode(b"f\xffeed/one.csv"), telnet_csv(2))
    lay("zuletzt.csv", telnet_csv(5))
    number = enqueue_job("feeds.collect_drop_folder", {}, actor=actor, now=clock.now())
    run_due(clock)
    assert next(job.state for job in jobs() if job.job_id == number) == "done"
    assert len(queries.reports()) == len(STRANGE) + 1
    failed = list((drop / "failed").glob("*/*.reason.txt"))
    assert len(failed) == len(STRANGE) + 1
    assert not [path for path in drop.rglob("*.csv") if path.parent in {drop, drop / "nobody"}]
    assert all(report.file_name.isprintable() for report in queries.reports())


def test_a_file_that_cannot_be_moved_holds_nobody_up(lay, take, drop, monkeypatch, caplog):
    from pathlib import Path

    really = Path.rename

    def stuck(self, target):
        if self.name == "a.csv":
            raise PermissionError(13, "Permission denied")
        return really(self, target)

    lay("a.csv", telnet_csv(3))
    lay("b.csv", telnet_csv(4))
    monkeypatch.setattr(Path, "rename", stuck)
    found = take()
    assert (found.taken, found.waiting) == (1, 1)
    assert "a.csv stays in the drop folder" in caplog.text
    monkeypatch.undo()
    assert take().duplicates == 1
    assert len(queries.reports()) == 2
