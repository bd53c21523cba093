"""Compiles the translations without the system's gettext."""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_translations(catalogs: Path, built: Path) -> list[Path]:
    """Write a `.mo` below `built` for each newer `.po` below `catalogs`; give those written.

    Raises:
        PoFileError: a catalog cannot be read; the former `.mo` stays.
    """
    written = []
    for source in sorted(catalogs.glob("*/LC_MESSAGES/*.po")):
        target = (built / source.relative_to(catalogs)).with_suffix(".mo")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as stream:
            catalog = read_po(stream, locale=source.parent.parent.name, abort_invalid=True)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        with beside.open("wb") as stream:
            write_mo(stream, catalog)
        beside.replace(target)
        written.append(target)
    return written
