"""Urdu is complete, keeps its places, and every catalog compiles."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import PoFileError
from django.utils.translation import gettext, override

from muhafiz.web.translations import SaidTwice, compile_translations, merged
from tests.web import extraction

CATALOGS = sorted((extraction.WEB / "locale" / "ur").glob("*.po"))
_PLACE = re.compile(r"%\(\w+\)s|\{\w*\}")


def catalog():
    return merged(CATALOGS, language="ur")


def test_every_text_has_its_urdu():
    known = catalog()
    missing = []
    for context, text, plural in sorted(extraction.texts(), key=str):
        message = known.get(text, context)
        words = [] if message is None else message.string
        words = [words] if isinstance(words, str) else words
        if not words or not all(words) or (plural and len(words) != 2):
            missing.append(text)
    assert missing == []


def test_urdu_keeps_every_place():
    wrong = []
    for message in catalog():
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        words = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = set(_PLACE.findall(ids[-1]))
        wrong += [word for word in words if set(_PLACE.findall(word)) != wanted]
    assert wrong == []


def test_the_extraction_finds_what_a_page_says():
    found = extraction.texts()
    assert (None, "Rows on their way to their owners", None) in found
    assert ("report", "Being read", None) in found
    assert (None, "%(shown)s report kept", "%(shown)s reports kept") in found
    assert (None, "There is no report {report}.", None) in found


def test_a_compiled_catalog_speaks_urdu():
    with override("ur"):
        assert gettext("River") == "دریا"


def test_compiling_twice_writes_nothing_new(tmp_path):
    (tmp_path / "ur").mkdir()
    for source in CATALOGS:
        (tmp_path / "ur" / source.name).write_bytes(source.read_bytes())
    built = tmp_path / "built"
    assert compile_translations(tmp_path, built) == [built / "ur" / "LC_MESSAGES" / "django.mo"]
    assert compile_translations(tmp_path, built) == []


def test_catalogs_of_one_language_become_one(tmp_path):
    said = {"a": "الف", "b": "ب"}
    for name, words in said.items():
        (tmp_path / f"{name}.po").write_text(
            f'msgid "{name}"\nmsgstr "{words}"\n', encoding="utf-8"
        )
    whole = merged(sorted(tmp_path.glob("*.po")), language="ur")
    assert {message.id: message.string for message in whole if message.id} == said


def test_one_text_in_two_wordings_is_refused(tmp_path):
    for name in ("first", "second"):
        (tmp_path / f"{name}.po").write_text(f'msgid "a"\nmsgstr "{name}"\n', encoding="utf-8")
    with pytest.raises(SaidTwice, match="second"):
        merged(sorted(tmp_path.glob("*.po")), language="ur")


def test_a_broken_catalog_is_refused(tmp_path):
    (tmp_path / "ur").mkdir()
    (tmp_path / "ur" / "house.po").write_text('msgid "a"\nrubbish\n', encoding="utf-8")
    with pytest.raises(PoFileError):
        compile_translations(tmp_path, tmp_path / "built")
    assert not list((tmp_path / "built").rglob("*.mo"))
