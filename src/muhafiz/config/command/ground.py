"""What every command stands on: Django set up once, an actor, an answer in words or JSON."""

from __future__ import annotations

import functools
import json
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import click

from muhafiz.common.actor import Actor
from muhafiz.common.clock import SystemClock
from muhafiz.config.command import REFUSED

P = ParamSpec("P")
R = TypeVar("R")

clock = SystemClock()
as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def with_django(command: Callable[P, R]) -> Callable[P, R]:
    """Set Django and the logs up before the command's body runs."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        set_django_up()
        with database_in_words():
            return command(*args, **kwargs)

    return run


@contextmanager
def database_in_words() -> Iterator[None]:
    """A database that is empty, old, away, busy or full is said so in a line, with status 1."""
    from django.db import DatabaseError, OperationalError

    try:
        yield
    except DatabaseError as error:
        from muhafiz.health.queries import database_faults

        faults = database_faults(now=clock.now())
        if not faults and not isinstance(error, OperationalError):
            raise
        for fault in faults:
            click.echo(f"{fault.what} {fault.mend}", err=True)
        if not faults:
            reason = str(error).strip().split("\n", 1)[0]
            click.echo(f"The database could not be used: {reason}. Try again.", err=True)
        sys.exit(REFUSED)


def set_django_up() -> None:
    """Load Django with the settings of the environment; a second call does nothing."""
    import django
    from django.conf import settings

    from muhafiz.config.logs import set_logs_up

    os.umask(0o077)  # whatever the platform writes is its own
    set_logs_up(settings.LOG_LEVEL, as_json=settings.LOG_JSON)
    django.setup()


def operator() -> Actor:
    """Whoever sits at the command line, by the account the process runs under.

    Not by LOGNAME or USER: those anybody may set, and a second person is then easily invented.
    """
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        login = f"uid-{os.getuid()}"
    return Actor.command(login)


def show(answer: Any, *, as_json: bool, words: str | Iterable[str]) -> None:
    """Print `answer` as JSON, or `words` (one line each)."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, default=_as_json))
        return
    for line in [words] if isinstance(words, str) else words:
        click.echo(line)


def _as_json(value: object) -> object:
    """Times as ISO 8601, spans as seconds, sets as lists; everything else as its text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return sorted(value, key=str) if isinstance(value, frozenset | set) else str(value)


def visible(text: str) -> str:
    """The text with its control characters written as escapes: strangers wrote some of it."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> list[str]:
    """Rows as plain aligned columns, headed; an empty list says so."""
    if not rows:
        return ["(none)"]
    cells = [
        [visible("" if row.get(name) is None else str(row.get(name))) for name in columns]
        for row in rows
    ]
    widths = [max(len(name), *(len(line[at]) for line in cells)) for at, name in enumerate(columns)]
    heading = [name.replace("_", " ").upper() for name in columns]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in [heading, *cells]
    ]


class Progress:
    """A bar on a terminal; elsewhere a plain line now and then. Nothing when answering in JSON."""

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self._label = label
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._started = self._said = time.monotonic()

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show that `done` of `total` (None: unknown) are done."""
        moment = time.monotonic()
        if self._quiet or moment - self._said < (0.1 if self._terminal else 5.0):
            return
        self._said = moment
        rate = done / max(moment - self._started, 1e-9)
        part = f"{done:,} of {total:,}" if total else f"{done:,}"
        line = f"{self._label}: {part}, {rate:,.0f}/s {note}".rstrip()
        if not self._terminal:
            click.echo(line, err=True)
            return
        filled = int(24 * done / total) if total else 0
        click.echo(f"\r\x1b[K[{'█' * filled}{'·' * (24 - filled)}] {line}", nl=False, err=True)

    def close(self) -> None:
        """Leave the terminal's line."""
        if self._terminal and not self._quiet:
            click.echo("\r\x1b[K", nl=False, err=True)
