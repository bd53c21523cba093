"""The words of letters, per language: a folder with `notice.txt`, `recall.txt`, `words.toml`. Pure.

Plain text only. What comes from outside (names, lines of events) is put in as a value and never
read as a template again.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Section:
    """One class of a notice: its RSIT class and type, how many events, the lines shown."""

    taxonomy: str
    type: str
    events: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with it: the first `rows` of the notice's events, packed when large."""

    name: str
    kind: str  # csv, xarf
    rows: int
    packed: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says. `until` and `date` are texts already; digest is the CSV's SHA-256."""

    number: str
    organization: str
    cert: str
    tlp: str
    date: str
    until: str
    at_once: bool
    events: int
    repeated: int
    sections: tuple[Section, ...]
    files: tuple[File, ...]
    digest: str
    verify_code: str
    verify_url: str
    fingerprint: str  # empty: the house has no OpenPGP key


@dataclass(frozen=True, slots=True)
class Recall:
    """What a letter says that takes a notice back. `date` and `sent` are texts already."""

    number: str
    organization: str
    cert: str
    tlp: str
    date: str
    sent: str
    reason: str
    verify_url: str


def languages() -> list[str]:
    """The languages letters are written in."""
    folders = resources.files(__package__).iterdir()
    return sorted(each.name for each in folders if each.joinpath("words.toml").is_file())


def language_for(wanted: str) -> str:
    """The language of a letter to somebody who wants `wanted` (BCP 47): that one, or English."""
    short = wanted.partition("-")[0].lower()
    return short if short in languages_known() else FALLBACK


@cache
def languages_known() -> frozenset[str]:
    """`languages`, looked up once."""
    return frozenset(languages())


def write_letter(letter: Letter, language: str) -> tuple[str, str]:
    """Subject and text."""
    words = _words(language)
    facts = {"number": letter.number, "tlp": letter.tlp, "organization": letter.organization}
    opening = words["opening_at_once" if letter.at_once else "opening"]
    text = _template(language, "notice.txt").format(
        **facts,
        tlp_meaning=words["tlp"][letter.tlp],
        cert=letter.cert,
        date=letter.date,
        opening=opening.format(until=letter.until),
        summary="\n".join(_summary_line(section, words) for section in letter.sections),
        repeated=words["repeated"].format(count=letter.repeated) if letter.repeated else "",
        sections="\n".join(_section(section, words) for section in letter.sections),
        attachments=_attachments(letter, words),
        verify_code=letter.verify_code,
        verify_url=letter.verify_url,
        digest=letter.digest,
        key=words["key"].format(fingerprint=letter.fingerprint) if letter.fingerprint else "",
    )
    return words["subject"].format(**facts, events=letter.events), text


def write_recall(recall: Recall, language: str) -> tuple[str, str]:
    """Subject and text."""
    words = _words(language)
    facts = asdict(recall)
    text = _template(language, "recall.txt").format(**facts, tlp_meaning=words["tlp"][recall.tlp])
    return words["recall_subject"].format(**facts), text


def type_title(name: str, language: str) -> str:
    """What an RSIT type is called in letters; so that pages call it the same."""
    return type_words(name, language) or type_words("undetermined", language)


def type_words(name: str, language: str) -> str:
    """The same; nothing for what RSIT does not know."""
    titles = _words(language_for(language))["titles"]
    return str(titles.get(name, ""))


def _summary_line(section: Section, words: dict[str, Any]) -> str:
    line: str = words["summary_line"].format(title=_title(section, words), events=section.events)
    return line


def _section(section: Section, words: dict[str, Any]) -> str:
    lines = [f"  {line}" for line in section.lines]
    if section.events > len(lines):
        lines.append(words["more"].format(count=section.events - len(lines)))
    text: str = words["section"].format(
        title=_title(section, words),
        name=f"{section.taxonomy}/{section.type}",
        events=section.events,
        meaning=_by_class(words["meanings"], section),
        advice=_by_class(words["advice"], section),
        lines="\n".join(lines),
    )
    return text


def _attachments(letter: Letter, words: dict[str, Any]) -> str:
    lines = []
    for file in letter.files:
        facts = {"name": file.name, "rows": file.rows, "events": letter.events}
        lines.append(words[f"attachment_{file.kind}"].format(**facts))
        if file.packed:
            lines.append(words["attachment_packed"])
        if file.rows < letter.events:
            lines.append(words["attachment_cut"].format(**facts))
    return "\n".join(lines)


def _title(section: Section, words: dict[str, Any]) -> str:
    title: str = words["titles"].get(section.type) or words["titles"]["undetermined"]
    return title


def _by_class(texts: dict[str, str], section: Section) -> str:
    return texts.get(section.type) or texts.get(section.taxonomy) or texts["other"]


@cache
def _words(language: str) -> dict[str, Any]:
    folder = resources.files(__package__).joinpath(language)
    return tomllib.loads(folder.joinpath("words.toml").read_text("utf-8"))


@cache
def _template(language: str, name: str) -> str:
    return resources.files(__package__).joinpath(language).joinpath(name).read_text("utf-8")
