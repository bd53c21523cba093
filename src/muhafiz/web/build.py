"""Makes what the pages need and what no repository should hold: fonts, catalogs, static files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from muhafiz.web.fonts import cut_fonts, write_nastaliq
from muhafiz.web.translations import compile_translations

_CATALOGS = Path(__file__).parent / "locale"


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
    return built
