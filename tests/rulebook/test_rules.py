"""Profiles are read whole or refused with every fault told."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from muhafiz.rulebook.actions.profile import profile_names
from muhafiz.rulebook.rules import (
    STANDINGS,
    BadProfile,
    BadValue,
    Draft,
    check_draft,
    known_keys,
    read_profile,
)

GOOD = """
[[value]]
key = "jurisdiction.timezone"
value = "Asia/Karachi"
source = "IANA"
standing = "S"

[[value]]
key = "council.size"
value = 15
valid_from = 2024-08-01
valid_to = 2025-04-01
source = "press"
standing = "U"
"""


def contents(name):
    folder = files("muhafiz.rulebook").joinpath("profiles", name)
    return {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir()}


def test_dates_are_midnights_of_the_jurisdiction():
    draft = read_profile("x", {"a.toml": GOOD})[1]
    assert draft.valid_from == datetime(2024, 7, 31, 19, tzinfo=UTC)
    assert draft.valid_to == datetime(2025, 3, 31, 19, tzinfo=UTC)


FAULTS = {
    "no TOML": ("[[value", "this is no TOML"),
    "misspelt key": (GOOD.replace("council.size", "council.sise"), "Did you mean council.size"),
    "no source": (GOOD.replace('source = "IANA"', 'source = " "'), "where it comes from"),
    "bad standing": (GOOD.replace('standing = "U"', 'standing = "X"'), "S, I or U"),
    "no value": (GOOD.replace("value = 15", ""), "no value and is not marked unknown"),
    "bad zone": (GOOD.replace("Asia/Karachi", "Asia/Karachee"), "no time zone"),
    "wrong kind": (GOOD.replace("value = 15", 'value = "15"'), "whole number"),
    "strange part": (GOOD + 'sauce = "x"\n', "“sauce” is not a part"),
    "backwards": (GOOD.replace("2025-04-01", "2024-01-01"), "ends before it begins"),
    "no date": (GOOD.replace("2024-08-01", '"soon"'), "must be a date"),
    "overlap": (GOOD + GOOD.split("\n\n")[1], "overlap"),
    "no choice": (
        GOOD
        + '[[value]]\nkey = "triage.findings_from"\nvalue = "hgih"\nsource = "x"\nstanding = "I"\n',
        "must be one of info, low, medium",
    ),
    "a row's column": (
        GOOD
        + '[[value]]\nkey = "triage.targets"\nsource = "x"\nstanding = "I"\n'
        + 'value = [{ kind = "*", severity = "high", minutes = 5 }, { kind = "*", severity = "low" }]\n',
        "row 2, minutes: it must be a whole number",
    ),
    "too little": (
        GOOD
        + '[[value]]\nkey = "retention.reports_days"\nvalue = 0\nsource = "x"\nstanding = "I"\n',
        "must be 1 or more",
    ),
    "no number": (
        GOOD
        + '[[value]]\nkey = "notices.number_format"\nvalue = "{year}{number}"\nsource = "x"\nstanding = "I"\n',
        "with something between them",
    ),
    "unknown with value": (GOOD + "unknown = true\n", "marked unknown and has a value"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_by_file_and_place(name):
    text, told = FAULTS[name]
    with pytest.raises(BadProfile, match=told) as refused:
        read_profile("x", {"a.toml": text})
    assert "a.toml" in str(refused.value)


def test_all_faults_are_told_at_once():
    text = GOOD.replace("Asia/Karachi", "Nowhere").replace("value = 15", 'value = "15"')
    with pytest.raises(BadProfile, match="has 2 faults"):
        read_profile("x", {"a.toml": text})


def test_an_empty_profile_is_none():
    with pytest.raises(BadProfile, match="no files"):
        read_profile("x", {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sectors", [{"code": "power"}]),
        ("sectors", [{"code": "a", "name": {"en": "A"}}, {"code": "a", "name": {"en": "B"}}]),
        ("sectors", ["power"]),
        ("sectors", []),
        ("regions", [{"code": "a", "name": {"en": "A"}}]),
        ("regions", [{"code": "a", "name": {"en": "A"}, "column": 0, "row": 1}]),
        (
            "regions",
            [
                {"code": "a", "name": {"en": "A"}, "column": 1, "row": 1},
                {"code": "b", "name": {"en": "B"}, "column": 1, "row": 1},
            ],
        ),
        ("cert.name", {"ur": "پاک"}),
        ("cert.name", "PKCERT"),
        ("jurisdiction.languages", []),
        ("jurisdiction.languages", "en"),
        ("jurisdiction.timezone", 5),
        ("jurisdiction.timezone", "../../etc/passwd"),
        ("council.size", True),
        ("council.size", -1),
        ("council.seats", [1]),
        ("standard.pisf", {}),
        ("cert.hours", " "),
    ],
)
def test_a_value_must_suit_its_key(key, value):
    with pytest.raises(BadValue, match=key):
        check_draft(Draft(key, value, False, None, None, "here", "", "I"))


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_that_ships_is_whole(name):
    drafts = read_profile(name, contents(name))
    keys = {draft.key for draft in drafts}
    assert {"jurisdiction.name", "jurisdiction.timezone", "cert.name", "sectors"} <= keys
    assert all(draft.source and draft.standing in STANDINGS for draft in drafts)
    assert all(draft.note for draft in drafts if draft.unknown)


def test_pakistan_marks_what_nobody_knows_and_guesses_nothing():
    drafts = read_profile("pakistan", contents("pakistan"))
    unknown = {draft.key for draft in drafts if draft.unknown}
    assert {
        "council.quorum",
        "council.meeting_interval_days",
        "reporting.statutory_hours",
        "reporting.severity_scale",
        "reporting.penalties",
    } <= unknown
    clocks = next(draft.value for draft in drafts if draft.key == "reporting.clocks")
    assert {clock["standing"] for clock in clocks} <= set(STANDINGS)
    sectors = next(draft.value for draft in drafts if draft.key == "sectors")
    assert all(sector["name"]["ur"] for sector in sectors)


def test_every_key_says_what_it_means():
    assert all(key.meaning.endswith(".") for key in known_keys().values())
