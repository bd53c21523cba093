"""The build makes fonts, catalogs and static files, once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from django.conf import settings

from muhafiz.web import fonts
from muhafiz.web.build import Built, build_static, is_up_to_date
from muhafiz.web.examinations import NOT_REBUILT, pages

ROOT = Path(__file__).parents[2]


def test_a_second_build_makes_nothing():
    build_static()
    assert build_static() == Built(fonts=0, catalogs=0)


def test_what_was_built_from_other_sources_is_told(now):
    """After an upgrade the old style sheets would miss what the new pages name."""
    build_static()
    assert is_up_to_date()
    assert NOT_REBUILT.found() not in pages(now)
    (settings.BUILT / "built-from").write_text("an earlier version", encoding="ascii")
    assert not is_up_to_date()
    assert NOT_REBUILT.found() in pages(now)
    build_static()


def test_fonts_are_cut_small_and_hold_their_letters():
    from fontTools.ttLib import TTFont

    folder = Path(settings.BUILT) / "static" / "fonts"
    for cut in fonts.CUTS:
        made = folder / f"{cut.name}.woff2"
        assert made.read_bytes()[:4] == b"wOF2"
        assert made.stat().st_size < 60_000
    urdu = TTFont(folder / "plex-arabic.woff2").getBestCmap()
    assert {ord(letter) for letter in "ٹڈڑںےہھکگچپژ\u06d4،؛؟۰۱۲۳۴۵۶۷۸۹"} <= set(urdu)


def test_nastaliq_is_used_where_the_system_has_it(tmp_path, monkeypatch):
    sheet = tmp_path / "web" / "nastaliq.css"
    monkeypatch.setattr(fonts, "NASTALIQ", (fonts.Cut("n", "", "/nowhere.ttf", "U+0600-06FF"),) * 2)
    assert fonts.write_nastaliq(sheet)
    assert "@font-face" not in sheet.read_text("utf-8")
    assert not fonts.write_nastaliq(sheet)
    monkeypatch.undo()
    if all(fonts.available(cut) for cut in fonts.NASTALIQ):
        assert fonts.write_nastaliq(sheet)
        assert sheet.read_text("utf-8").count("@font-face") == 2
        made = Path(settings.BUILT) / "static" / "fonts" / "nastaliq.woff2"
        assert made.stat().st_size < 250_000


def test_static_names_carry_their_digest():
    manifest = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text("utf-8"))
    for name in ("web/tokens.css", "fonts/plex-sans.woff2", "django_htmx/htmx-2.min.js"):
        assert manifest["paths"][name] != name
        assert (settings.STATIC_ROOT / manifest["paths"][name]).exists()


def test_nothing_that_is_built_or_foreign_is_kept_in_the_repository():
    kept = subprocess.run(
        ["git", "ls-files", "src/muhafiz/web"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in kept if name.endswith((".woff2", ".ttf", ".mo", ".min.js"))] == []


def test_style_sheets_ask_for_nothing_abroad():
    for sheet in (ROOT / "src/muhafiz/web/static/web").glob("*.css"):
        assert "//" not in sheet.read_text("utf-8").replace("/*", "").replace("*/", ""), sheet
