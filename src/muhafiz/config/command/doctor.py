"""`muhafiz doctor`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from muhafiz.config.command.ground import as_json, set_django_up, show


@click.command()
@as_json
@click.option("--settings", "with_settings", is_flag=True, help="List every setting and its value.")
def doctor(*, as_json: bool, with_settings: bool) -> None:
    """Tell what is wrong here, and how to mend it. Status 1 when something is."""
    set_django_up()
    from muhafiz.config.doctor import examine

    if with_settings:
        _show_settings(as_json=as_json)
        return
    found = examine()
    words = [f"{one.weight.upper()}: {one.what}\n  {one.mend}" for one in found]
    show([asdict(one) for one in found], as_json=as_json, words=words or "All is well.")
    sys.exit(1 if any(one.weight == "fault" for one in found) else 0)


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
