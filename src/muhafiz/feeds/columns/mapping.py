"""Mappings: which field of a report is which column of an event, kept as data (TOML or JSON).

```toml
[scan_telnet]                       # the report type
title = "Accessible Telnet"
type = "potentially-unwanted-accessible"    # RSIT
identifier = "open-telnet"
severity = "medium"                 # where the row says nothing
map.source_fqdn = ["http_host"]     # event column = names of fields, the first present wins
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
from typing import TYPE_CHECKING, Any

from muhafiz.formats.events import PARSED
from muhafiz.formats.rsit import TAXONOMY_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_OWN = frozenset({"row", "extra", "source_address", "destination_address", "feed_code"})
MAPPABLE = frozenset(PARSED.names) - _OWN - {"classification_taxonomy"}
_KEYS = frozenset(
    {"title", "type", "identifier", "severity", "tlp", "map", "constants", "when", "header",
     "delimiter", "drop"}
)  # fmt: skip


class BadMapping(Exception):  # noqa: N818 - named for what was refused, as all refusals are
    """A mapping's text says something that no mapping can mean."""


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
    that say nothing. `drop`: fields left out of `extra`. `header` and `delimiter` serve
    delimited text.
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

    def on(self, base: Mapping[str, tuple[str, ...]]) -> FieldMapping:
        """This mapping with `base` for the columns of which it says nothing itself."""
        return replace(self, columns={**base, **self.columns})

    def known_fields(self) -> frozenset[str]:
        """Every field name this mapping looks for."""
        return frozenset(name for names in self.columns.values() for name in names)


def read_mapping(code: str, data: Mapping[str, Any]) -> FieldMapping:
    """A mapping from its data; raises BadMapping, naming what is wrong."""
    _check_keys(code, data.keys(), _KEYS)
    columns = {name: _names(value) for name, value in dict(data.get("map", {})).items()}
    constants = {name: str(value) for name, value in dict(data.get("constants", {})).items()}
    _check_keys(code, (*columns, *constants), MAPPABLE)
    for name in ("severity", "tlp"):
        if name in data:
            constants[name] = str(data[name])
    if data.get("type") is not None:
        _check_type(code, data["type"])
    return FieldMapping(
        code=code,
        title=str(data.get("title", "")),
        type=data.get("type"),
        identifier=data.get("identifier"),
        columns=columns,
        constants=constants,
        when=tuple(_when(code, each) for each in data.get("when", ())),
        header=tuple(data["header"]) if data.get("header") else None,
        delimiter=_delimiter(code, data.get("delimiter", ",")),
        drop=frozenset(data.get("drop", ())),
    )


def load_mappings(files: Iterable[Path]) -> dict[str, FieldMapping]:
    """All mappings of these TOML files by report type; a later file replaces an earlier's."""
    found: dict[str, FieldMapping] = {}
    for path in files:
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise BadMapping(f"{path.name}: {wrong}") from wrong
        for code, table in data.items():
            if not isinstance(table, dict):
                raise BadMapping(f"{path.name}: {code} is no table")
            found[code] = read_mapping(code, table)
    return found


def _when(code: str, data: Mapping[str, Any]) -> When:
    _check_keys(code, data.keys(), frozenset({"field", "equals", "type", "identifier"}))
    if not {"field", "equals", "type"} <= data.keys():
        raise BadMapping(f"{code}: a 'when' needs field, equals and type")
    _check_type(code, data["type"])
    equals = tuple(text.lower() for text in _names(data["equals"]))
    return When(data["field"], equals, data["type"], data.get("identifier"))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(each) for each in value)


def _delimiter(code: str, text: str) -> str:
    if len(text) != 1 or text in '"\r\n' or not text.isascii():
        raise BadMapping(f"{code}: {text!r} cannot be a delimiter")
    return text


def _check_type(code: str, name: Any) -> None:
    if name not in TAXONOMY_OF:
        raise BadMapping(f"{code}: {name!r} is no RSIT type")


def _check_keys(code: str, keys: Iterable[str], known: frozenset[str]) -> None:
    unknown = sorted(set(keys) - known)
    if unknown:
        raise BadMapping(f"{code}: {', '.join(unknown)} unknown here")
