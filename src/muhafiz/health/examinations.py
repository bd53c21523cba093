"""The machine that the platform runs on: folders, disk, database, addresses."""

from __future__ import annotations

import ipaddress
import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from muhafiz.health.queries import DATABASE
from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, Size, fact
from muhafiz.tenancy.examination import why_closed

CLOSED_FOLDER = Ailment(
    "closed-folder",
    "fault",
    "{folder} cannot be written.",
    "Give the folder to the user that runs the platform, or name another in {setting}.",
    stops=True,
)
DISK_FULL = Ailment(
    "disk-full",
    "fault",
    "Only {free} ({percent} %) are free under {folder}. Nothing more is taken in.",
    "Free space, or lower `MUHAFIZ_FREE_DISK_PERCENT`. What waits is taken in by itself then.",
)
DISK_LOW = Ailment(
    "disk-low",
    "warning",
    "{free} ({percent} %) are free under {folder}. Below {limit} % nothing more is taken in.",
    "Free space, or move the folder to a larger disk.",
)
FEW_FILES = Ailment(
    "few-files",
    "fault",
    "The file system under {folder} can hold only {files} more files.",
    "Remove files that are not needed, or move the folder to another file system.",
)
OLD_SQLITE = Ailment(
    "old-sqlite",
    "fault",
    "SQLite {version} is too old.",
    "Use a Python that is linked with SQLite 3.37 or newer, or PostgreSQL.",
    stops=True,
)
NO_DATABASE = Ailment(
    "no-database",
    "fault",
    "The database does not answer: {reason}",
    "Start it, or correct DATABASE_URL.",
    stops=True,
)
EMPTY = Ailment(
    "empty",
    "fault",
    "This installation is empty.",
    "Run: `muhafiz init --profile pakistan`",
    stops=True,
)
OLD_DATABASE = Ailment(
    "old-database",
    "fault",
    "The database is older than this version. Changes that it lacks: {count}.",
    "Back it up, then run: `muhafiz upgrade`",
    stops=True,
)
NOT_ENCRYPTED = Ailment(
    "not-encrypted",
    "warning",
    "People reach {address} without encryption: passwords can be read on the way.",
    "Put a web server with TLS before the platform, and its address into MUHAFIZ_PUBLIC_URL.",
)
PORTAL_CLOSED = Ailment(
    "portal-closed",
    "warning",
    "The constituents' portal stays closed: the database does not keep them apart ({reason}).",
    "Run: `muhafiz upgrade`, as a database user with CREATEROLE. Or have a role made that owns "
    "nothing, name it in MUHAFIZ_PORTAL_DATABASE_URL, and run: `muhafiz upgrade`",
)

_OLDEST_SQLITE = (3, 37)
_FEWEST_FILES = 10_000


@examination("platform", "Platform")
def software(now: datetime) -> Iterator[Fact]:
    """What runs here."""
    del now
    yield fact(
        "Muhafiz {version} on Python {python}, {system}.",
        version=version("muhafiz"),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
    )
    if settings.DEMONSTRATION:
        yield fact("This is a demonstration: no letter leaves the machine.")


@examination("folders", "Folders")
def folders(now: datetime) -> Iterator[Finding | Fact]:
    """Whether the platform can write where it must."""
    del now
    for setting, folder in _folders():
        place = _nearest(folder)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            yield CLOSED_FOLDER.found(folder=str(folder), setting=setting)
    yield fact("Everything the platform writes lies under {folder}.", folder=str(settings.VAR))


@examination("disk", "Disk")
def disk(now: datetime) -> Iterator[Finding | Fact]:
    """Room on every file system that is written to, counted once each."""
    del now
    seen: set[int] = set()
    for _, folder in _folders():
        place = _nearest(folder)
        device = place.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield from _room(place)


def _room(place: Path) -> Iterator[Finding | Fact]:
    usage, limit = shutil.disk_usage(place), settings.FREE_DISK_PERCENT
    free, folder = Size(usage.free), str(place)
    percent = round(100 * usage.free / max(usage.total, 1), 1)
    if percent < limit:
        yield DISK_FULL.found(free=free, percent=percent, folder=folder)
    elif percent < 2 * limit:
        yield DISK_LOW.found(free=free, percent=percent, folder=folder, limit=limit)
    files = os.statvfs(place)
    if files.f_files and files.f_favail < min(_FEWEST_FILES, files.f_files // 20):
        yield FEW_FILES.found(folder=folder, files=files.f_favail)
    yield fact(
        "{free} of {total} are free under {folder}.",
        free=free,
        total=Size(usage.total),
        folder=folder,
    )


@examination(DATABASE, "Database")
def database(now: datetime) -> Iterator[Finding | Fact]:
    """Whether it answers and is of this version; others rest on it."""
    del now
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        yield OLD_SQLITE.found(version=sqlite3.sqlite_version)
    try:
        pending = MigrationExecutor(connection)
        plan = pending.migration_plan(pending.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield NO_DATABASE.found(reason=str(error).strip().split("\n", 1)[0])
        return
    if plan and not pending.loader.applied_migrations:
        yield EMPTY.found()
    elif plan:
        yield OLD_DATABASE.found(count=len(plan))
    else:
        yield _kind_of_database()


def _kind_of_database() -> Fact:
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        files = (name, name.with_name(f"{name.name}-wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        return fact("SQLite {version}, {size}.", version=sqlite3.sqlite_version, size=Size(size))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database())"
        )
        told, size = cursor.fetchone()
    return fact("PostgreSQL {version}, {size}.", version=str(told), size=Size(int(size)))


@examination("addresses", "Addresses")
def addresses(now: datetime) -> Iterator[Finding | Fact]:
    """Whether the address that people are given leads here, and how safely."""
    del now
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme != "https" and not _is_this_machine(address.hostname or ""):
        yield NOT_ENCRYPTED.found(address=settings.PUBLIC_URL)
    yield fact(
        "People reach the platform at {address}; its web process listens on {bind}.",
        address=settings.PUBLIC_URL,
        bind=settings.BIND,
    )


@examination("portal", "Constituents' portal")
def portal(now: datetime) -> Iterator[Finding | Fact]:
    """Whether the database keeps constituents apart; looked at once there are tables."""
    del now
    if connection.in_atomic_block:
        return  # reads go over the house's connection then: there is nothing to look at
    if "accounts_person" not in connection.introspection.table_names():
        return
    why = why_closed()
    if why is None:
        yield fact("The database keeps constituents apart, below the pages' own checks.")
    else:
        yield PORTAL_CLOSED.found(reason=why)


def _folders() -> Iterator[tuple[str, Path]]:
    yield "MUHAFIZ_VAR", Path(settings.VAR)
    yield "MUHAFIZ_LAKE", Path(settings.LAKE)
    yield "MUHAFIZ_KEYS", Path(settings.KEYS)
    yield "MUHAFIZ_VAR", Path(settings.REPORTS)
    yield "MUHAFIZ_DROP_FOLDER", Path(settings.DROP_FOLDER)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that exists: there it would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
