"""Makes what the pages need and what no repository should hold: fonts, catalogs, static files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from muhafiz.web.fonts import cut_fonts, write_nastaliq
from muhafiz.web.translations import compile_translations

_WEB = Path(__file__).parent
_CATALOGS = _WEB / "locale"
_MARK = "built-from"  # in the folder of what was built: of which sources


@dataclass(frozen=True, slots=True)
class Built:
    """How many files one build made anew."""

    fonts: int
    catalogs: int


def build_static() -> Built:
    """Cut the fonts and compile the translations under `BUILT`, collect all under `STATIC_ROOT`.

    A second run makes only what has changed since the first.
    """
    write_nastaliq(settings.BUILT / "static" / "web" / "nastaliq.css")
    built = Built(
        fonts=len(cut_fonts(settings.BUILT / "static" / "fonts")),
        catalogs=len(compile_translations(_CATALOGS, settings.BUILT / "locale")),
    )
    call_command("collectstatic", interactive=False, verbosity=0)
    (settings.BUILT / _MARK).write_text(_sources(), encoding="ascii")
    return built


def is_up_to_date() -> bool:
    """Whether what was built is of the sources that this process would show."""
    try:
        return (settings.BUILT / _MARK).read_text(encoding="ascii") == _sources()
    except FileNotFoundError:
        return False


def _sources() -> str:
    """A digest of the names, sizes and times of all sources; their bytes need not be read."""
    digest = hashlib.sha256()
    for folder in (_CATALOGS, _WEB / "static"):
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            told = path.stat()
            digest.update(f"{path.relative_to(_WEB)} {told.st_size} {told.st_mtime_ns}\n".encode())
    return digest.hexdigest()
