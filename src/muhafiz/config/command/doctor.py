"""`muhafiz doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from muhafiz.config.command.ground import as_json, clock, set_django_up, show

if TYPE_CHECKING:
    from muhafiz.health.rules import Checkup, Finding


@click.command()
@as_json
@click.option("--all", "with_facts", is_flag=True, help="Also tell what is well, by subject.")
@click.option("--settings", "with_settings", is_flag=True, help="List every setting and its value.")
def doctor(*, as_json: bool, with_facts: bool, with_settings: bool) -> None:
    """Tell what is wrong here, and how to mend it. Status 1 when something does not work."""
    set_django_up()
    from muhafiz.health.queries import checkups
    from muhafiz.health.rules import worst_first

    if with_settings:
        _show_settings(as_json=as_json)
        return
    found = checkups(now=clock.now())
    wrong = worst_first(found)
    if with_facts:
        answer: Any = [_subject(each) for each in found]
        words = [line for each in found for line in _told(each)]
    else:
        answer = [_plain(each) for each in wrong]
        words = [_words(each) for each in wrong]
    show(answer, as_json=as_json, words=words or "All is well.")
    sys.exit(1 if any(each.ailment.weight == "fault" for each in wrong) else 0)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.ailment.code,
        "weight": finding.ailment.weight,
        "what": finding.what,
        "mend": finding.mend,
    }


def _words(finding: Finding) -> str:
    return f"{finding.ailment.weight.upper()}: {finding.what}\n  {finding.mend}"


def _subject(checkup: Checkup) -> dict[str, Any]:
    return {
        "subject": checkup.code,
        "state": checkup.state,
        "findings": [_plain(each) for each in checkup.findings],
        "facts": [str(each) for each in checkup.facts],
    }


def _told(checkup: Checkup) -> list[str]:
    lines = [f"{checkup.word}: {checkup.state}"]
    lines += [f"  {_words(each)}".replace("\n", "\n  ") for each in checkup.findings]
    return [*lines, *(f"  {each}" for each in checkup.facts)]


def _show_settings(*, as_json: bool) -> None:
    from django.conf import settings

    from muhafiz.config.environment import SETTINGS

    values = {
        one.name: "…"
        if one.secret and settings.ENVIRONMENT.text(one.name)
        else settings.ENVIRONMENT.text(one.name)
        for one in SETTINGS
    }
    words = [f"{one.name}={values[one.name]}\n  {one.meaning}" for one in SETTINGS]
    show(values, as_json=as_json, words=words)
