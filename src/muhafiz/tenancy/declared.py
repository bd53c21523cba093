"""Which rows of each table a tenant may see, as `tables.toml` declares it. Pure."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["own", "everyone", "never", "house"]

_WORDS: Mapping[str, Kind] = {"everyone": "everyone", "never": "never", "house": "house"}
_OWNED = re.compile(r"\bown\(([a-z_]+)\)")
_ADDRESSED = re.compile(r"\baddressed\(([a-z_]+)\)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database writes “belongs to the tenant”; `{column}` stands for the column."""

    own: str
    addressed: str


@dataclass(frozen=True, slots=True)
class Declared:
    """Table → what a tenant sees of it, and the SQL predicate where that is its own rows."""

    rows: Mapping[str, str]

    def kind(self, table: str) -> Kind:
        """What is declared of a table; one that is not declared is never seen."""
        row = self.rows.get(table, "never")
        return _WORDS.get(row, "own")

    def tables(self, kind: Kind) -> list[str]:
        """The tables of one kind, in order."""
        return sorted(table for table in self.rows if self.kind(table) == kind)

    def predicate(self, table: str, dialect: Dialect) -> str:
        """Which rows of `table` are the tenant's, in the database's words."""
        text = _OWNED.sub(lambda m: dialect.own.format(column=m[1]), self.rows[table])
        return _ADDRESSED.sub(lambda m: dialect.addressed.format(column=m[1]), text)

    def digest(self) -> str:
        """A name for exactly these declarations."""
        told = "\n".join(f"{table}: {row}" for table, row in sorted(self.rows.items()))
        return hashlib.sha256(told.encode()).hexdigest()


@cache
def declared() -> Declared:
    """The declarations that came with this version."""
    text = files("muhafiz.tenancy").joinpath("tables.toml").read_text(encoding="utf-8")
    return Declared(tomllib.loads(text)["tables"])
