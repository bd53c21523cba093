"""Compiles the translations without the system's gettext.

A language is a folder of catalogs, one per part of the house (`locale/ur/portal.po`), which become
the one `.mo` that Django reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

#: Places for values; what stands in them is isolated by who fills them.
_PLACE = re.compile(r"(%\(\w+\)s|\{\w*\})")
#: Addresses, times, file endings, labels: Latin or digits with signs between them.
_TECHNICAL = re.compile(r"[.+-]?[A-Za-z0-9][A-Za-z0-9_.:/@+~-]*[A-Za-z0-9/]|\.[A-Za-z0-9]")
_SIGNS = frozenset(".:/@+~-")
_LRI, _PDI = "\u2066", "\u2069"


class SaidTwice(ValueError):  # noqa: N818 - named for what is wrong
    """Two catalogs translate one text differently."""


def compile_translations(catalogs: Path, built: Path) -> list[Path]:
    """Write `<language>/LC_MESSAGES/django.mo` below `built` where a catalog is newer; give those.

    Raises:
        PoFileError: a catalog cannot be read; the former `.mo` stays.
        SaidTwice: two catalogs translate one text differently.
    """
    written = []
    for folder in sorted(each for each in catalogs.iterdir() if each.is_dir()):
        sources = sorted(folder.glob("*.po"))
        target = built / folder.name / "LC_MESSAGES" / "django.mo"
        if not sources or _is_newer(target, sources):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        catalog = merged(sources, language=folder.name)
        for message in catalog:
            if message.id:
                strings = message.string
                message.string = (
                    isolated(strings)
                    if isinstance(strings, str)
                    else tuple(isolated(each) for each in strings or ())
                )
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        with beside.open("wb") as stream:
            write_mo(stream, catalog)
        beside.replace(target)
        written.append(target)
    return written


def merged(sources: Sequence[Path], *, language: str) -> Catalog:
    """All catalogs of one language as one.

    Raises:
        PoFileError: a catalog cannot be read.
        SaidTwice: two of them translate one text differently.
    """
    whole = Catalog(locale=language)
    for source in sources:
        with source.open("rb") as stream:
            part = read_po(stream, locale=language, abort_invalid=True)
        for message in part:
            known = whole.get(message.id, message.context) if message.id else None
            if known is not None and known.string != message.string:
                raise SaidTwice(f"{source.name} says “{message.id}” in other words.")
            if message.id:
                whole[message.id] = message
    return whole


def isolated(text: str) -> str:
    """The text with each address, time or label in it isolated left to right (UAX #9).

    Else “2001:db8::/32” within a right-to-left sentence reads “db8::/32:2001”. Twice is once.
    """
    parts = _PLACE.split(text.replace(_LRI, "").replace(_PDI, ""))
    return "".join(
        part if at % 2 else _TECHNICAL.sub(_in_isolation, part) for at, part in enumerate(parts)
    )


def _in_isolation(match: re.Match[str]) -> str:
    found = match.group()
    return f"{_LRI}{found}{_PDI}" if _SIGNS & set(found) else found


def _is_newer(target: Path, sources: Sequence[Path]) -> bool:
    if not target.exists():
        return False
    made = target.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= made for source in sources)
