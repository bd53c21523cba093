"""Type for the pages, cut at build time from the font packages to what the pages need."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    """One file to make: from which package's file, which characters, which weights.

    Without a package `source` is the path of a file that the operating system may have.
    """

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

#: Nastaliq, the hand in which Urdu is read: in no package of Python's, but in Debian's
#: fonts-noto-core. Where it is installed at build time, the public pages use it.
_NOTO = "/usr/share/fonts/truetype/noto/NotoNastaliqUrdu-"
NASTALIQ = (
    Cut("nastaliq", "", f"{_NOTO}Regular.ttf", _ARABIC),
    Cut("nastaliq-bold", "", f"{_NOTO}Bold.ttf", _ARABIC),
)

_FACE = """  @font-face {{
    font-family: "Nastaliq";
    src: url("../fonts/{name}.woff2") format("woff2");
    font-weight: {weight};
    font-display: swap;
    unicode-range: {characters};
  }}
"""
#: Nastaliq stands aslant and needs room above and below, or its letters are cut off.
_USE = """  html[lang="ur"] .front {
    --sans: "Nastaliq", "Plex Arabic", "Plex Sans", system-ui, sans-serif;
    --leading: 2.15;
    --leading-title: 1.95;
    --leading-table: 2.1;
    font-family: var(--sans);
    line-height: var(--leading);
  }
}
@layer parts {
  html[lang="ur"] .front .chip { line-height: 2.15; padding-block: 0; }
  html[lang="ur"] .front .button, html[lang="ur"] .front .field label { line-height: 2.15; }
"""


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


@contextmanager
def _opened(cut: Cut) -> Iterator[Path]:
    if not cut.package:
        yield Path(cut.source)
        return
    with as_file(files(cut.package) / "files" / cut.source) as source:
        yield source


def available(cut: Cut) -> bool:
    """Whether the file to cut from is here; those of packages always are."""
    return bool(cut.package) or Path(cut.source).is_file()


def cut_fonts(folder: Path) -> list[Path]:
    """Make every font file in `folder` that is missing or was cut otherwise; give those made.

    Beside each file lies the digest of what it was made from, so a second run does nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for cut in (*CUTS, *(each for each in NASTALIQ if available(each))):
        with _opened(cut) as source:
            recipe = hashlib.sha256(source.read_bytes() + repr(cut).encode()).hexdigest()
            target, mark = folder / f"{cut.name}.woff2", folder / f".{cut.name}.recipe"
            if target.exists() and mark.exists() and mark.read_text() == recipe:
                continue
            _cut(cut, source, target)
            mark.write_text(recipe)
            made.append(target)
    return made


def write_nastaliq(sheet: Path) -> bool:
    """Write the style sheet that puts Nastaliq to use, or an empty one; whether it changed."""
    text = "/* Nastaliq is not installed: public Urdu is set in Plex Sans Arabic. */\n"
    if all(available(cut) for cut in NASTALIQ):
        ranges = _ARABIC.replace(",", ", ")
        faces = zip(NASTALIQ, ("400", "600 700"), strict=True)
        text = "".join(
            _FACE.format(name=cut.name, weight=weight, characters=ranges) for cut, weight in faces
        )
        text = f"@layer tokens {{\n{text}{_USE}}}\n"
    if sheet.exists() and sheet.read_text("utf-8") == text:
        return False
    sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet.write_text(text, "utf-8")
    return True
