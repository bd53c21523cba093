"""What the queue calls things, and how it writes its clocks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.translation import override

from muhafiz.web.desk.queue_words import plain_title, title
from muhafiz.web.templatetags.queue import dial_path, shown_left


@pytest.mark.parametrize(
    ("language", "params", "said"),
    [
        ("en", {"type": "potentially-unwanted-accessible", "identifier": "open-rdp"},
         "Remote Desktop (RDP) is open to the internet"),
        ("en", {"type": "infected-system", "identifier": "qakbot"}, "Infected machines: qakbot"),
        ("en", {"type": "potentially-unwanted-accessible", "identifier": "open-zzz"},
         "Services that should not be open to the Internet: open-zzz"),
        ("en", {"type": "potentially-unwanted-accessible", "identifier": ""},
         "Services that should not be open to the Internet"),
    ],
)  # fmt: skip
def test_a_finding_is_named_as_short_as_it_can_be(language, params, said):
    code = "finding-named" if params["identifier"] else "finding"
    with override(language):
        assert plain_title(code, params) == said


def test_our_own_words_in_a_title_run_in_our_direction():
    service = {"type": "potentially-unwanted-accessible", "identifier": "open-elasticsearch"}
    with override("ur"):
        assert title("finding-named", service).startswith('<bdi dir="rtl">Elasticsearch ')
        told = title("feed-silent", {"feed": "x"})
    assert "<bdi>x</bdi>" in told


def test_why_rows_lie_aside_is_told_in_words():
    assert plain_title("rows-set-aside", {"reason": "number source_port"}) == (
        "Rows cannot be read: A port or AS number out of range (source_port)"
    )
    assert plain_title("rows-set-aside", {"reason": "new-fault"}).endswith("new-fault")


@pytest.mark.parametrize(("part", "path"), [
    (0.25, "M6 6V1A5 5 0 0 1 11.00 6.00Z"), (0.75, "M6 6V1A5 5 0 1 1 1.00 6.00Z"),
    (1.0, "M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1Z"), (0.0, "M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1Z"),
])  # fmt: skip
def test_a_dial_shows_what_is_left(part, path):
    assert dial_path(part) == path


@pytest.mark.parametrize(("seconds", "shown"), [
    (18 * 60, "0:18"), (66 * 3600 + 48 * 60, "66:48"), (-600, "\N{MINUS SIGN}0:10"), (0, "0:00"),
])  # fmt: skip
def test_the_time_left_has_its_sign_before_it(seconds, shown):
    assert shown_left(timedelta(seconds=seconds)) == shown
