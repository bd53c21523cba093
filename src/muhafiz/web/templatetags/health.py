"""How the desk writes what an examination found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from muhafiz.common.refusal import Refusal
from muhafiz.health.rules import Fact, Finding, Size, Value, plain
from muhafiz.web.desk.work_words import job_word
from muhafiz.web.reasons import worded
from muhafiz.web.refusals import sentence
from muhafiz.web.templatetags.web import ltr, moment, number, size, text

register = template.Library()


@register.filter
def subject_word(word: str) -> str:
    """What was looked at, in the reader's language."""
    return gettext(word)


@register.filter
def what(finding: Finding) -> SafeString:
    """What is wrong."""
    return _told(finding.ailment.what, finding.params)


@register.filter
def mend(finding: Finding) -> SafeString:
    """How to mend it."""
    return _told(finding.ailment.mend, finding.params)


@register.filter
def fact(told: Fact) -> SafeString:
    """What is worth knowing."""
    return _told(told.text, told.params)


def _told(words: str, params: Mapping[str, Value]) -> SafeString:
    """The sentence in the reader's language; what is typed stands left to right, as one piece."""
    shown = {name: _value(name, value) for name, value in params.items()}
    typed = {name: plain(value) for name, value in params.items()}
    parts = gettext(words).split("`")
    return format_html_join(
        "",
        "{}",
        (
            (_typed(part.format(**typed)) if at % 2 else _said(part, shown),)
            for at, part in enumerate(parts)
        ),
    )


def _said(words: str, shown: Mapping[str, SafeString]) -> SafeString:
    return format_html(words, **shown) if shown else conditional_escape(words)


def _typed(command: str) -> SafeString:
    bare = command.translate(dict.fromkeys(map(ord, "\u2066\u2069")))  # it will be copied
    return format_html('<code dir="ltr" class="mono">{}</code>', bare)


def _value(name: str, value: Value) -> SafeString:
    if name == "work":
        return text(job_word(str(value)))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Size):
        return size(value.octets)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Refusal):
        return text(sentence(value))
    said = worded(value) if name == "reason" else value
    return text(said) if " " in said else ltr(said)
