"""The words of letters to contacts, per language: a folder with `ask.txt` and `words.toml`. Pure.

Plain text only. What comes from outside is put in as a value and never read as a template again.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a contact is asked about itself; dates are texts already, empty means there is none."""

    organization: str
    cert: str
    date: str
    address: str
    name: str
    role: str
    hours: str
    language: str
    fingerprint: str
    key_until: str
    link: str


def write_ask(ask: Ask, language: str) -> tuple[str, str]:
    """Subject and text."""
    words = _words(language)
    key = ask.fingerprint or words["none"]
    if ask.fingerprint and ask.key_until:
        key = words["until"].format(fingerprint=ask.fingerprint, day=ask.key_until)
    values = {
        "address": ask.address,
        "name": ask.name,
        "role": words["roles"][ask.role],
        "hours": ask.hours or words["always"],
        "language": words["languages"][ask.language],
        "key": key,
    }
    facts = [words["facts"][name].format(value=value) for name, value in values.items() if value]
    text = _template(language).format(
        organization=ask.organization,
        cert=ask.cert,
        date=ask.date,
        facts="\n".join(facts),
        link=ask.link,
    )
    return words["subject"].format(organization=ask.organization), text


@cache
def languages() -> frozenset[str]:
    """The languages these letters are written in."""
    folders = resources.files(__package__).iterdir()
    return frozenset(each.name for each in folders if each.joinpath("words.toml").is_file())


@cache
def _words(language: str) -> dict[str, Any]:
    folder = resources.files(__package__).joinpath(language)
    return tomllib.loads(folder.joinpath("words.toml").read_text("utf-8"))


@cache
def _template(language: str) -> str:
    return resources.files(__package__).joinpath(language).joinpath("ask.txt").read_text("utf-8")
