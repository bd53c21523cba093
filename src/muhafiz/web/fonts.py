"""Type for the pages, cut at build time from the font packages to what the pages need."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

_LATIN = "U+0000-00FF,U+0131,U+0152-0153,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2190-2193"
_LATIN += ",U+2212,U+2215,U+2260,U+2264,U+2265,U+FEFF,U+FFFD"
_ARABIC = "U+0600-06FF,U+0750-077F,U+200C-200F,U+2066-2069,U+FB50-FDFF,U+FE70-FEFC"


@dataclass(frozen=True, slots=True)
class Cut:
    """One file to make: from which package's file, which characters, which weights."""

    name: str
    package: str
    source: str
    characters: str
    weights: tuple[int, int] | None = None  # range kept of a variable font


CUTS = (
    Cut("plex-sans", "fontpkg_ibm_plex_sans", "IBMPlexSans[wdth,wght].ttf", _LATIN, (400, 700)),
    Cut("plex-mono", "fontpkg_ibm_plex_mono", "IBMPlexMono-Regular.ttf", _LATIN),
    Cut("plex-mono-bold", "fontpkg_ibm_plex_mono", "IBMPlexMono-SemiBold.ttf", _LATIN),
    Cut("plex-arabic", "fontpkg_ibm_plex_sans_arabic", "IBMPlexSansArabic-Regular.ttf", _ARABIC),
    Cut(
        "plex-arabic-bold",
        "fontpkg_ibm_plex_sans_arabic",
        "IBMPlexSansArabic-SemiBold.ttf",
        _ARABIC,
    ),
)


def _cut(cut: Cut, source: Path, target: Path) -> None:
    font = TTFont(source)
    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
    options.drop_tables += ["DSIG", "meta"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(cut.characters))
    subsetter.subset(font)
    if cut.weights:
        instancer.instantiateVariableFont(font, {"wdth": 100, "wght": cut.weights}, inplace=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")  # collectstatic skips dot files
    subset.save_font(font, str(beside), options)
    beside.replace(target)


def cut_fonts(folder: Path) -> list[Path]:
    """Make every font file in `folder` that is missing or was cut otherwise; give those made.

    Beside each file lies the digest of what it was made from, so a second run does nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for cut in CUTS:
        with as_file(files(cut.package) / "files" / cut.source) as source:
            recipe = hashlib.sha256(source.read_bytes() + repr(cut).encode()).hexdigest()
            target, mark = folder / f"{cut.name}.woff2", folder / f".{cut.name}.recipe"
            if target.exists() and mark.exists() and mark.read_text() == recipe:
                continue
            _cut(cut, source, target)
            mark.write_text(recipe)
            made.append(target)
    return made
