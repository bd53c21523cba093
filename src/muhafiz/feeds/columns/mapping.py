"""Mappings: which field of a report is which column of an event, kept as data (TOML or JSON).

```toml
[scan_telnet]                       # the report type
title = "Accessible Telnet"
type = "potentially-unwanted-accessible"    # RSIT
identifier = "open-telnet"
severity = "medium"                 # where the row says nothing
map.source_fqdn = ["http_host"]     # event column = names of fields, the first that speaks wins
time_format = "%d.%m.%Y %H:%M"      # where times are not ISO 8601 (as Python's strptime has it)
time_zone = "Asia/Karachi"          # of times that name none
constants.protocol_application = "telnet"   # where the row says nothing
[[scan_telnet.when]]                # rows whose field is this value are of another kind
field = "tag"
equals = ["botnet-c2"]
type = "c2-server"
identifier = "c2"
```
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from muhafiz.common.refusal import Refusal
from muhafiz.feeds.columns.readings import MAX_PORT, PLAIN, TimeForm, read_tlp
from muhafiz.formats.events import PARSED
from muhafiz.formats.rsit import TAXONOMY_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_OWN = frozenset({"row", "extra", "source_address", "destination_address", "feed_code"})
MAPPABLE = frozenset(PARSED.names) - _OWN - {"classification_taxonomy"}
SEVERITIES = ("critical", "high", "medium", "low", "info")
CONSTANT = frozenset(
    {"feed_provider", "feed_name", "severity", "tlp", "protocol_transport", "protocol_application",
     "malware_name", "source_port", "destination_port", "source_geolocation_cc"}
)  # fmt: skip
_KEYS = frozenset(
    {"title", "type", "identifier", "severity", "tlp", "map", "constants", "when", "header",
     "delimiter", "drop", "time_format", "time_zone", "comment"}
)  # fmt: skip
_COMMENT_LONGEST = 8
_ANY_DAY = datetime(2026, 11, 22, 13, 7, 9, tzinfo=UTC)


class BadMapping(Refusal):
    """A mapping's text says something that no mapping can mean."""

    text = "The feed's mapping cannot be used: {reason}."


@dataclass(frozen=True, slots=True)
class When:
    """Rows whose `field` is one of `equals` (case ignored) are of this type instead."""

    field: str
    equals: tuple[str, ...]
    type: str
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """How one report type becomes events.

    `columns`: event column → field names, best first. `constants`: event column → text for rows
    that say nothing. `drop`: fields left out of `extra`. `times`: how times are written.
    `header`, `delimiter` and `comment` (lines that begin so are no rows) serve delimited text.
    """

    code: str
    title: str = ""
    type: str | None = None
    identifier: str | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    when: tuple[When, ...] = ()
    header: tuple[str, ...] | None = None
    delimiter: str = ","
    drop: frozenset[str] = frozenset()
    times: TimeForm = PLAIN
    comment: str = ""

    def on(self, base: Mapping[str, tuple[str, ...]]) -> FieldMapping:
        """This mapping with `base` for the columns of which it says nothing itself."""
        return replace(self, columns={**base, **self.columns})

    def known_fields(self) -> frozenset[str]:
        """Every field name this mapping looks for."""
        return frozenset(name for names in self.columns.values() for name in names)


def read_mapping(code: str, data: Mapping[str, Any]) -> FieldMapping:
    """A mapping from its data; raises BadMapping, naming what is wrong."""
    _check_keys(code, data.keys(), _KEYS)
    columns = {name: _names(value) for name, value in table_of(code, data, "map").items()}
    _check_keys(code, columns, MAPPABLE)
    if data.get("type") is not None:
        _check_type(code, data["type"])
    return FieldMapping(
        code=code,
        title=str(data.get("title", "")),
        type=data.get("type"),
        identifier=_word(data.get("identifier")),
        columns=columns,
        constants=_constants(code, data),
        when=tuple(_when(code, each) for each in _list(code, data, "when")),
        header=tuple(map(str, _list(code, data, "header"))) or None,
        delimiter=_delimiter(code, data.get("delimiter", ",")),
        drop=frozenset(map(str, _list(code, data, "drop"))),
        times=_times(code, data),
        comment=_comment(code, data.get("comment", "")),
    )


def _times(code: str, data: Mapping[str, Any]) -> TimeForm:
    formats = _names(data["time_format"]) if data.get("time_format") else ()
    for form in formats:
        try:
            datetime.strptime(_ANY_DAY.strftime(form), form)  # noqa: DTZ007 - only whether it can
        except ValueError as wrong:
            raise BadMapping(reason=f"{code}: {form!r} is no form of a time") from wrong
        if "%" not in form:
            raise BadMapping(reason=f"{code}: {form!r} is no form of a time")
    zone = str(data.get("time_zone") or PLAIN.zone)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise BadMapping(reason=f"{code}: {zone!r} is no time zone") from wrong
    return TimeForm(formats, zone)


def _comment(code: str, text: Any) -> str:
    if not isinstance(text, str) or len(text) > _COMMENT_LONGEST or not text.isprintable():
        raise BadMapping(reason=f"{code}: {text!r} cannot begin a comment")
    return text.strip()


def _constants(code: str, data: Mapping[str, Any]) -> dict[str, str]:
    constants = {name: str(value) for name, value in table_of(code, data, "constants").items()}
    constants.update({name: str(data[name]) for name in ("severity", "tlp") if name in data})
    _check_keys(code, constants, CONSTANT)
    for name, text in constants.items():
        if name == "severity" and text not in SEVERITIES:
            raise BadMapping(reason=f"{code}: {text!r} is no severity")
        if name.endswith("_port") and not (text.isdecimal() and int(text) <= MAX_PORT):
            raise BadMapping(reason=f"{code}: {text!r} is no port")
        if name == "tlp":
            constants[name] = read_tlp(text)
    return constants


def load_mappings(files: Iterable[Path]) -> dict[str, FieldMapping]:
    """All mappings of these TOML files by report type; a later file replaces an earlier's."""
    found: dict[str, FieldMapping] = {}
    for path in files:
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise BadMapping(reason=f"{path.name}: {wrong}") from wrong
        for code, table in data.items():
            if not isinstance(table, dict):
                raise BadMapping(reason=f"{path.name}: {code} is no table")
            found[code] = read_mapping(code, table)
    return found


def _when(code: str, data: Mapping[str, Any]) -> When:
    if not isinstance(data, dict):
        raise BadMapping(reason=f"{code}: a 'when' is a table")
    _check_keys(code, data.keys(), frozenset({"field", "equals", "type", "identifier"}))
    if not {"field", "equals", "type"} <= data.keys():
        raise BadMapping(reason=f"{code}: a 'when' needs field, equals and type")
    _check_type(code, data["type"])
    equals = tuple(text.lower() for text in _names(data["equals"]))
    return When(str(data["field"]), equals, data["type"], _word(data.get("identifier")))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def _word(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def table_of(code: str, data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The table called `name` in `data`, empty when it is not there; raises BadMapping."""
    value = data.get(name) or {}
    if not isinstance(value, dict):
        raise BadMapping(reason=f"{code}: {name} is a table")
    return value


def _list(code: str, data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, (list, tuple)):
        raise BadMapping(reason=f"{code}: {name} is a list")
    return list(value)


def _delimiter(code: str, text: Any) -> str:
    if not isinstance(text, str) or len(text) != 1 or text in '"\r\n' or not text.isascii():
        raise BadMapping(reason=f"{code}: {text!r} cannot be a delimiter")
    return text


def _check_type(code: str, name: Any) -> None:
    if not isinstance(name, str) or name not in TAXONOMY_OF:
        raise BadMapping(reason=f"{code}: {name!r} is no RSIT type")


def _check_keys(code: str, keys: Iterable[str], known: frozenset[str]) -> None:
    unknown = sorted(set(keys) - known)
    if unknown:
        raise BadMapping(reason=f"{code}: {', '.join(unknown)} unknown here")
