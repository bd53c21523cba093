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
def open_service(kind: str, identifier: str, language: str) -> str:
    """What is wrong with a service, by its name: “Elasticsearch is open to the internet”.

    Empty where the kind speaks of no service, or the identifier is none that has a name.
    """
    told = words(language)
    name = str(told["type"].get(kind, {}).get("name", ""))
    service = {**words("en")["services"], **told["services"]}.get(identifier)
    return name.format(service=service) if "{service}" in name and identifier and service else ""


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
