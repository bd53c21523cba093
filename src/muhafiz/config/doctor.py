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
from muhafiz.common.refusal import Refusal
from muhafiz.lake.queries import try_engine
from muhafiz.rulebook.queries import value_or
from muhafiz.tenancy.examination import why_closed
from muhafiz.web.regions import BadRegionMap, region_shapes

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


def _distributed_engine() -> Iterator[Finding]:
    if not settings.SPARK_REMOTE:
        return
    try:
        try_engine()
    except DatabaseError:  # no tables yet: _database says so
        return
    except Refusal as no:
        yield Finding(
            "warning",
            str(no),
            "Start the Spark Connect server where MUHAFIZ_LAKE lies under the same path, correct "
            "MUHAFIZ_SPARK_REMOTE, or unset it.",
        )


def _region_map() -> Iterator[Finding]:
    path = settings.REGION_MAP
    if path is None:
        return
    try:
        shapes = region_shapes(path, path.stat().st_mtime_ns if path.exists() else 0)
        named = {str(each["code"]) for each in value_or("regions", [], at=SystemClock().now())}
    except DatabaseError:  # no tables yet: _database says so
        return
    except BadRegionMap as fault:
        yield Finding("warning", str(fault), "Correct the file, or unset MUHAFIZ_REGION_MAP.")
        return
    if missing := sorted(named - set(shapes.middles)):
        yield Finding(
            "warning",
            f"The map of regions has no shape of {', '.join(missing)}.",
            "Give each feature the region's code as property “code”.",
        )


def _tenants() -> Iterator[Finding]:
    """Looked at once there are tables."""
    try:
        ready = "accounts_person" in connection.introspection.table_names()
    except DatabaseError:  # _database says so
        return
    why = why_closed() if ready else None
    if why is not None:
        yield Finding(
            "warning",
            f"The constituents' portal stays closed: the database does not keep them apart ({why})",
            "Run: muhafiz upgrade, as a database user with CREATEROLE; or have a role made that "
            "owns nothing, name it in MUHAFIZ_PORTAL_DATABASE_URL, and run: muhafiz upgrade",
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
    _distributed_engine,
    _region_map,
    _tenants,
)
