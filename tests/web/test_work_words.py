"""What the house writes of its own work has words in both languages; the rest stays as it is."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from muhafiz.jobs.registry import declared_jobs, discover_jobs
from muhafiz.web.desk.work_words import CHANGES, JOBS, job_word, told, window_word

_MARKUP = re.compile(r"<[^>]+>")


def test_every_work_of_the_house_has_words():
    discover_jobs()
    names = {job.name for job in declared_jobs()}
    assert {name for name in names if not name.startswith("test")} <= JOBS.keys()


def test_what_nobody_wrote_words_for_stays_as_it_is():
    assert job_word("later.work") == "later.work"
    assert told("2026-11-23-scan.csv") == '<bdi dir="auto">2026-11-23-scan.csv</bdi>'
    assert window_word("never heard") == '<bdi dir="ltr" class="mono">never heard</bdi>'


@pytest.mark.parametrize(
    ("noted", "urdu"),
    [
        ("5 columns where the header has 14", "5 خانے، جبکہ عنوان میں 14 ہیں"),
        ("'<b>' cannot be read as source_ip", "”&lt;b&gt;“ کو source_ip کے طور پر نہیں پڑھا جا سکتا"),
        ("1 came, 0 came back, 2 woke, 3 changed, 4 over",
         "1 نئے، 0 لوٹے، 2 جاگے، 3 بدلے، 4 ختم ہوئے"),
        ("nothing new", "کچھ نیا نہیں"),
    ],
)  # fmt: skip
def test_notes_and_faults_are_told_in_urdu_with_values_left_to_right(noted, urdu):
    with override("ur"):
        shown = told(noted)
    assert re.sub("[\u2066-\u2069]", "", _MARKUP.sub("", shown)) == urdu
    assert shown.count('<bdi dir="ltr">') == len(re.findall(r"\d+|'.*'|source_ip", noted))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("4 at once", "sent at once"),
        ("at-once 2026-11-23T09:00:00.0Z", "sent at once"),
        ("now 3 55", "sent by hand"),
        ("day 2026-11-23", "day 2026-11-23"),
        ("week 2026-11-16 let go 2026-11-24T01:02:03", "week from 2026-11-16"),
        ("hour 2026-11-23T08:00Z", "hour 2026-11-23 08:00Z"),
    ],
)
def test_windows_are_named_as_people_name_them(label, words):
    assert _MARKUP.sub("", window_word(label)) == words


def test_changes_have_words():
    assert all(str(word) for word in CHANGES.values())
