"""Urdu is complete, keeps its places, and every catalog compiles."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import PoFileError
from django.utils.translation import gettext, override

from muhafiz.constituency.rules import BadName
from muhafiz.web.reasons import worded
from muhafiz.web.refusals import sentence
from muhafiz.web.translations import SaidTwice, compile_translations, merged
from tests.web import extraction

CATALOGS = sorted((extraction.WEB / "locale" / "ur").glob("*.po"))
#: Said by what is no call with a literal text.
LEFT_OVER = {
    ("reason", "it cannot be read"),
    ("reason", "it is one of {0}"),
    ("reason", "mail came back: there is no such recipient"),
    ("reason", "the mail server says that there is no such recipient"),
}
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


#: Letters of other languages, and signs of English after an Urdu letter.
_STRANGE = re.compile(
    "[\u064a\u0643\u0647\u0629\u0649\u06f0-\u06f9\u0660-\u0669]|[\u0621-\u06d3][?,;](?!\\w)"
)
#: Other words for what has one (docs/developers/look.md).
_OTHER_WORDS = (
    "سیکیورٹی", "پتا", "ربط", "چھانٹی", "چھلنی", "کھاتہ", "خدمت", "خدمات", "شدت", "خاکہ",
    "رمزنگاری", "انھیں", "ہوگا", "ہوگی", "قطاریں", "فیڈیں", "کاما", "فائروال", "سند",
)  # fmt: skip


def urdu_texts():
    for message in catalog():
        if message.id:
            yield from [message.string] if isinstance(message.string, str) else message.string
    muhafiz = extraction.WEB.parent
    for source in (
        extraction.WEB / "plain" / "ur.toml",
        muhafiz / "detection" / "letters" / "ur" / "words.toml",
        muhafiz / "detection" / "letters" / "ur" / "notice.txt",
    ):
        yield from source.read_text(encoding="utf-8").splitlines()


def test_urdu_is_spelled_one_way():
    wrong = [text for text in urdu_texts() if _STRANGE.search(text)]
    assert wrong == []
    words = re.compile("|".join(rf"(?<!\w){word}(?!\w)" for word in _OTHER_WORDS))
    assert [text for text in urdu_texts() if words.search(text)] == []


def test_every_reason_of_a_refusal_has_its_urdu():
    known = catalog()
    missing = {each for each in extraction.reasons() if known.get(each, "reason") is None}
    assert sorted(missing) == []


def test_no_translation_is_left_over():
    used = {(context, text) for context, text, _ in extraction.texts()}
    used |= {("reason", each) for each in extraction.reasons()}
    over = {
        (message.context, message.id if isinstance(message.id, str) else message.id[0])
        for message in catalog()
        if message.id
    } - used
    assert sorted(over - LEFT_OVER, key=str) == []


@pytest.mark.parametrize(
    ("english", "urdu"),
    [
        ("it is empty", "یہ خالی ہے"),
        ("it is longer than 200 letters", "یہ \u2068200\u2069 حروف سے لمبا ہے"),
        ("it expired on 2026-11-22", "اس کی میعاد \u20682026-11-22\u2069 کو ختم ہو گئی"),
        ("it is failed", "اس کی حالت ہے: \u2068ناکام\u2069"),  # noqa: RUF001 - Urdu is meant
        ("nobody has written this", "nobody has written this"),
    ],
)
def test_a_reason_is_told_in_the_readers_language(english, urdu):
    with override("ur"):
        assert worded(english) == urdu
    with override("en"):
        assert worded(english) == english


def test_a_refusal_is_told_whole_in_urdu():
    with override("ur"):
        told = sentence(BadName(value="x" * 3, reason="it is longer than 2 letters"))
    assert re.search("[a-z]{2}", told.replace("xxx", "")) is None


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
