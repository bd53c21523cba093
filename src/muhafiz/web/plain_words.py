"""What a finding is in plain words, and what its owner does first: data, one file a language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "ur")


@dataclass(frozen=True, slots=True)
class Plain:
    """A kind of finding: its name, what it means, what to do first."""

    name: str
    means: str
    act: tuple[str, ...]


@cache
def words(language: str) -> dict[str, Any]:
    """The file of a language; English where there is none."""
    known = language if language in LANGUAGES else "en"
    text = files("muhafiz.web").joinpath(f"plain/{known}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def plain(kind: str, identifier: str, language: str) -> Plain:
    """The words for an RSIT type and a finer identifier; of an unknown type what fits all."""
    told = words(language)
    found = {
        **told["type"].get(kind, told["type"]["other"]),
        **told["identifier"].get(identifier, {}),
    }
    names = {**words("en")["services"], **told["services"]}
    service = names.get(identifier) or names[""]
    return Plain(found["name"].format(service=service), found["means"], tuple(found["act"]))
