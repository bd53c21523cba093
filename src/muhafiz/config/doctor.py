"""What is wrong with this installation, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from muhafiz.common.clock import SystemClock
from muhafiz.rulebook.queries import value_or

Weight = Literal["fault", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what is wrong, and the command or setting that mends it.

    A `fault` keeps the platform from starting; a `warning` lets it start. `kind` is "empty" for an
    installation that was never set up.
    """

    weight: Weight
    what: str
    mend: str
    kind: str = ""


def startup_faults() -> list[Finding]:
    """What must be mended before the platform can run."""
    return [found for found in examine() if found.weight == "fault"]


def examine() -> list[Finding]:
    """Everything that can be found without changing anything."""
    found: list[Finding] = []
    for examination in _EXAMINATIONS:
        found.extend(examination())
    return found


def _folders() -> Iterator[Finding]:
    for folder in (settings.VAR, settings.LAKE, settings.KEYS, settings.REPORTS):
        nearest = folder
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        if not os.access(nearest, os.W_OK):
            yield Finding(
                "fault",
                f"{folder} cannot be written.",
                "Give the folder to the user that runs Muhafiz, or set MUHAFIZ_VAR to another.",
            )


def _key_permissions() -> Iterator[Finding]:
    for path in sorted(Path(settings.KEYS).glob("*")):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield Finding("warning", f"{path} can be read by others.", f"Run: chmod 600 {path}")


def _database() -> Iterator[Finding]:
    try:
        pending = MigrationExecutor(connection)
        plan = pending.migration_plan(pending.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(
            "fault",
            f"The database does not answer: {str(error).splitlines()[0]}",
            "Start it, or correct DATABASE_URL.",
        )
        return
    if not plan:
        return
    if pending.loader.applied_migrations:
        yield Finding(
            "fault",
            f"The database lacks {len(plan)} changes of this version.",
            "Back it up, then run: muhafiz upgrade",
        )
    else:
        yield Finding(
            "fault",
            "This installation is empty.",
            "Run: muhafiz init --profile pakistan",
            kind="empty",
        )


def _sqlite_version() -> Iterator[Finding]:
    if sqlite3.sqlite_version_info < (3, 37):
        yield Finding(
            "fault",
            f"SQLite {sqlite3.sqlite_version} is too old.",
            "Use a Python linked with SQLite 3.37 or newer, or PostgreSQL.",
        )


def _free_disk() -> Iterator[Finding]:
    settings.VAR.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(settings.VAR)
    percent = 100 * usage.free / usage.total
    if percent < settings.FREE_DISK_PERCENT:
        yield Finding(
            "warning",
            f"Only {percent:.1f} % of the disk under {settings.VAR} is free; intake has stopped.",
            "Free space, or lower MUHAFIZ_FREE_DISK_PERCENT.",
        )


def _pages() -> Iterator[Finding]:
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        yield Finding(
            "fault",
            "Fonts, translations and style sheets are not built.",
            "Run: muhafiz upgrade",
        )


def _mail() -> Iterator[Finding]:
    if not settings.SMTP_URL and not settings.DEMONSTRATION:
        yield Finding(
            "warning",
            "No mail server is set; letters stay queued.",
            "Set MUHAFIZ_SMTP_URL, for example smtp://user:password@mail.example.org:587.",
        )


def _sender() -> Iterator[Finding]:
    if settings.DEMONSTRATION or settings.MAIL_FROM:
        return
    try:
        known = value_or("cert.mail_from", None, at=SystemClock().now())
    except DatabaseError:  # no tables yet: _database says so
        return
    if not known:
        yield Finding(
            "warning",
            "No sender address is known; letters will be held.",
            "Set MUHAFIZ_MAIL_FROM, or propose cert.mail_from in the rulebook.",
        )


def _lane() -> Iterator[Finding]:
    if settings.DEMONSTRATION and settings.SMTP_URL:
        yield Finding(
            "fault",
            "This is a demonstration, yet a mail server is set.",
            "Unset MUHAFIZ_SMTP_URL, or set up a real installation in another MUHAFIZ_VAR.",
        )


_EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _folders,
    _key_permissions,
    _sqlite_version,
    _database,
    _free_disk,
    _pages,
    _mail,
    _sender,
    _lane,
)
