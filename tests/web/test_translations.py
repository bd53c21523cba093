"""Urdu is complete, keeps its places, and every catalog compiles."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import PoFileError, read_po
from django.utils.translation import gettext, override

from muhafiz.web.translations import compile_translations
from tests.web import extraction

PO = extraction.WEB / "locale" / "ur" / "LC_MESSAGES" / "django.po"
_PLACE = re.compile(r"%\(\w+\)s|\{\w*\}")


def catalog():
    with PO.open("rb") as stream:
        return read_po(stream, locale="ur", abort_invalid=True)


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
    folder = tmp_path / "ur" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_bytes(PO.read_bytes())
    built = tmp_path / "built"
    assert len(compile_translations(tmp_path, built)) == 1
    assert compile_translations(tmp_path, built) == []


def test_a_broken_catalog_is_refused(tmp_path):
    folder = tmp_path / "ur" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid "a"\nrubbish\n', encoding="utf-8")
    with pytest.raises(PoFileError):
        compile_translations(tmp_path, tmp_path)
    assert not (folder / "django.mo").exists()
