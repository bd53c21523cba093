"""What a value may be, and how a profile is read. Pure."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from muhafiz.common.refusal import Refusal
from muhafiz.formats.number_format import is_number_format

#: How well a value is founded: stated by its source, inferred, uncorroborated.
STANDINGS = {"S": "stated by the source", "I": "inferred", "U": "uncorroborated"}
_GRID = 24  # places in a row or column of the schematic grid
_PARTS = frozenset(
    {"key", "value", "unknown", "valid_from", "valid_to", "source", "note", "standing"}
)


class UnknownValue(Refusal):
    """The rulebook says that this is not known, or does not speak of it."""

    text = "The rulebook has no known value for {key} on {day}: {reason}"


class BadValue(Refusal):
    """The value does not suit its key."""

    text = "{key}: {problem}"


class BadProfile(Refusal):
    """The profile cannot be loaded; every fault is listed."""

    text = "The profile {name} has {count} faults:\n{faults}"


class CannotApprove(Refusal):
    """The proposal is not this person's to decide, or is decided."""

    text = "Proposal {proposal_id} on {key} cannot be decided by {name}: {reason}."


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key: the kind of its values, and what they mean.

    `least`: of whole numbers; `choices`: the only texts; `columns`: what every row of a list of
    tables must hold, by kind.
    """

    name: str
    kind: str
    meaning: str
    least: int = 0
    choices: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A value yet to be entered. Times are UTC; None is open."""

    key: str
    value: Any
    unknown: bool
    valid_from: datetime | None
    valid_to: datetime | None
    source: str
    note: str
    standing: str

    def value_text(self) -> str:
        """The value as canonical JSON; "null" when unknown."""
        return json.dumps(self.value, sort_keys=True, ensure_ascii=False, allow_nan=False)

    def digest(self) -> str:
        """SHA-256 (hex) over everything the value says."""
        parts = [
            self.key,
            self.value_text(),
            self.unknown,
            self.valid_from and self.valid_from.isoformat(),
            self.valid_to and self.valid_to.isoformat(),
            self.source,
            self.note,
            self.standing,
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


@cache
def known_keys() -> Mapping[str, Key]:
    """Every key that the platform knows (`keys.toml`)."""
    text = files("muhafiz.rulebook").joinpath("keys.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)["keys"]
    return {
        name: Key(
            name,
            part["kind"],
            part["meaning"],
            part.get("least", 0),
            tuple(part.get("choices", ())),
            part.get("columns", {}),
        )
        for name, part in found.items()
    }


def check_draft(draft: Draft) -> None:
    """Refuse a value that does not suit its key, or does not say where it comes from.

    Raises:
        BadValue: with the first fault.
    """
    fault = next(iter(_faults(draft)), None)
    if fault is not None:
        raise BadValue(key=draft.key, problem=fault)


def _faults(draft: Draft) -> Iterable[str]:
    key = known_keys().get(draft.key)
    if key is None:
        near = difflib.get_close_matches(draft.key, known_keys(), n=1)
        yield "there is no such key." + (f" Did you mean {near[0]}?" if near else "")
    elif not draft.unknown:
        fault = _KINDS[key.kind](draft.value) or _bounds(key, draft.value)
        if fault:
            yield fault
    if draft.unknown and draft.value is not None:
        yield "it is marked unknown and has a value all the same."
    if not draft.source.strip():
        yield "it does not say where it comes from (source)."
    if draft.standing not in STANDINGS:
        yield f"its standing must be S, I or U, not “{draft.standing}”."
    if draft.valid_from and draft.valid_to and draft.valid_from >= draft.valid_to:
        yield "it ends before it begins."


def _bounds(key: Key, value: Any) -> str:
    """What the key asks beyond its kind; `value` is of that kind."""
    if key.least and value < key.least:
        return f"it must be {key.least} or more."
    if key.choices and value not in key.choices:
        return f"it must be one of {', '.join(key.choices)}."
    for at, row in enumerate(value, start=1) if key.columns else ():
        for column, kind in key.columns.items():
            fault = _KINDS[kind](row.get(column))
            if fault:
                return f"row {at}, {column}: {fault}"
    return ""


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "it must be a text."


def _whole(value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return "" if good else "it must be a whole number, 0 or more."


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "it must be true or false."


def _names(value: Any) -> str:
    good = isinstance(value, dict) and "en" in value and not any(map(_text, value.values()))
    return "" if good else "it must be a text per language, English (en) among them."


def _texts(value: Any) -> str:
    good = isinstance(value, list) and value and not any(map(_text, value))
    return "" if good else "it must be a list of texts."


def _timezone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return f"“{value}” is no time zone of the IANA list."
    return ""


def _coded(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return "it must be a list of entries with a code and names."
    codes = [part.get("code") for part in value if isinstance(part, dict)]
    if len(codes) != len(value) or any(map(_text, codes)):
        return "every entry needs a code."
    if len(set(codes)) != len(codes):
        return "two entries have the same code."
    unnamed = [str(part["code"]) for part in value if _names(part.get("name"))]
    return f"these entries lack an English name: {', '.join(unnamed)}." if unnamed else ""


def _regions(value: Any) -> str:
    if fault := _coded(value):
        return fault
    places = [(part.get("column"), part.get("row")) for part in value]
    if any(_whole(part) or not 1 <= part <= _GRID for place in places for part in place):
        return f"every region needs a column and a row of the grid, from 1 to {_GRID}."
    return "two regions stand in one place of the grid." if len(set(places)) < len(places) else ""


def _number_format(value: Any) -> str:
    told = "it must write {number} and {year}, with something between them."
    return "" if is_number_format(value) else told


def _rows(value: Any) -> str:
    good = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
    return "" if good else "it must be a list of tables."


def _table(value: Any) -> str:
    return "" if isinstance(value, dict) and value else "it must be a table."


_KINDS: Mapping[str, Callable[[Any], str]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "names": _names,
    "texts": _texts,
    "timezone": _timezone,
    "sectors": _coded,
    "regions": _regions,
    "number_format": _number_format,
    "rows": _rows,
    "table": _table,
}


def read_profile(name: str, contents: Mapping[str, str]) -> list[Draft]:
    """The values of a profile's TOML files (file name → text), in order.

    Dates are midnights in the profile's own `jurisdiction.timezone`.

    Raises:
        BadProfile: with every fault, by file and place.
    """
    faults: list[str] = []
    drafts: list[tuple[str, Draft]] = []
    for file_name, text in sorted(contents.items()):
        try:
            entries = tomllib.loads(text).get("value", [])
        except tomllib.TOMLDecodeError as fault:
            faults.append(f"{file_name}: this is no TOML: {fault}.")
            continue
        for at, entry in enumerate(entries, start=1):
            place = f"{file_name}, value {at} ({entry.get('key', 'without a key')})"
            draft = _draft(entry, place, faults)
            if draft is not None:
                drafts.append((place, draft))
    faults += _overlaps(drafts)
    if not contents:
        faults.append("it has no files.")
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise BadProfile(name=name, count=len(faults), faults=listed)
    return _in_utc([draft for _, draft in drafts])


def _draft(entry: Mapping[str, Any], place: str, faults: list[str]) -> Draft | None:
    before = len(faults)
    strange = sorted(set(entry) - _PARTS)
    faults += [f"{place}: “{part}” is not a part of a value." for part in strange]
    if "value" not in entry and entry.get("unknown") is not True:
        faults.append(f"{place}: it has no value and is not marked unknown.")
    for part in ("valid_from", "valid_to"):
        if not isinstance(entry.get(part), date | None):
            faults.append(f"{place}: {part} must be a date such as 2023-10-12.")
    if len(faults) > before:
        return None
    draft = Draft(
        key=str(entry.get("key", "")),
        value=entry.get("value"),
        unknown=entry.get("unknown") is True,
        valid_from=_moment(entry.get("valid_from")),
        valid_to=_moment(entry.get("valid_to")),
        source=str(entry.get("source", "")),
        note=str(entry.get("note", "")),
        standing=str(entry.get("standing", "")),
    )
    faults += [f"{place}: {fault}" for fault in _faults(draft)]
    return draft


def _moment(day: date | None) -> datetime | None:
    if day is None or isinstance(day, datetime):
        return day and (day if day.tzinfo else day.replace(tzinfo=UTC))
    return datetime.combine(day, time(), tzinfo=UTC)


def _overlaps(drafts: list[tuple[str, Draft]]) -> list[str]:
    faults = []
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for at, (place, draft) in enumerate(drafts):
        for other_place, other in drafts[:at]:
            if other.key == draft.key and max(
                draft.valid_from or first, other.valid_from or first
            ) < min(draft.valid_to or last, other.valid_to or last):
                faults.append(f"{place}: its dates overlap those of {other_place}.")
    return faults


def _in_utc(drafts: list[Draft]) -> list[Draft]:
    zones = [d.value for d in drafts if d.key == "jurisdiction.timezone" and not d.unknown]
    zone = ZoneInfo(zones[0]) if zones else ZoneInfo("UTC")

    def shifted(moment: datetime | None) -> datetime | None:
        return moment and moment.replace(tzinfo=zone).astimezone(UTC)

    return [
        replace(d, valid_from=shifted(d.valid_from), valid_to=shifted(d.valid_to)) for d in drafts
    ]


def check_decider(
    *, proposal_id: int, key: str, proposer: str, decider: str, name: str, state: str
) -> None:
    """Refuse who decides on their own proposal, or on one that is decided.

    Raises:
        CannotApprove: with the reason.
    """
    reason = ""
    if state != "proposed":
        reason = f"it is {state} already"
    elif proposer == decider:
        reason = "whoever proposes a change does not decide on it"
    if reason:
        raise CannotApprove(proposal_id=proposal_id, key=key, name=name, reason=reason)
