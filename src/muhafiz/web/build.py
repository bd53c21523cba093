"""Makes what the pages need and what no repository should hold: fonts, catalogs, static files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command

from muhafiz.web.fonts import cut_fonts
from muhafiz.web.translations import compile_translations

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Built:
    """How many files one build made anew."""

    fonts: int
    catalogs: int


def build_static() -> Built:
    """Cut the fonts, compile the translations, collect the static files under `STATIC_ROOT`.

    A second run makes only what has changed since the first.
    """
    built = Built(
        fonts=len(cut_fonts(_HERE / "static" / "fonts")),
        catalogs=len(compile_translations(_HERE / "locale")),
    )
    call_command("collectstatic", interactive=False, verbosity=0)
    return built
