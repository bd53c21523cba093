"""Feeds are made, changed and given their secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.models import Feed
from muhafiz.feeds.sources import all_sources
from muhafiz.keyring.actions.seals import seal

#: What may be set on a feed by `create_feed` and `change_feed`.
SETTABLE = frozenset(
    {
        "source", "title", "options", "fetch_every", "expected_every", "expected_rows_per_day",
        "file_pattern", "tlp", "owner", "enabled",
    }
)  # fmt: skip


@transaction.atomic
def create_feed(*, name: str, source: str, actor: Actor, now: datetime, **values: Any) -> int:
    """Make a feed; its id. `values` are those of `SETTABLE`; TLP is AMBER unless given.

    Raises:
        BadFeed: the name is taken or not a slug, the source unknown, a value senseless.
    """
    wanted = {"title": name, "tlp": "AMBER", **values, "source": source, "name": name}
    _check(wanted)
    if Feed.objects.filter(name=name).exists():
        raise rules.BadFeed(reason=f"“{name}” exists already")
    feed = Feed.objects.create(created_at=now, fetch_due_at=_first_due(wanted, now), **wanted)
    _audit(actor, now, "feeds.create_feed", name, wanted)
    return feed.pk


@transaction.atomic
def change_feed(*, name: str, actor: Actor, now: datetime, **values: Any) -> None:
    """Change values of a feed (those of `SETTABLE`); what is not named stays.

    Raises:
        UnknownFeed: there is none of this name.
        BadFeed: a value is senseless.
    """
    feed = _feed(name)
    _check({"name": name, "source": feed.source, "tlp": feed.tlp, **values})
    if values.get("enabled") and not feed.enabled:
        feed.last_report_at = now  # its silence is counted from here
    for key, value in values.items():
        setattr(feed, key, value)
    if "fetch_every" in values:
        feed.fetch_due_at = _first_due(values, now)
    feed.save()
    _audit(actor, now, "feeds.change_feed", name, values)


@transaction.atomic
def set_feed_secrets(*, name: str, secrets: Mapping[str, str], actor: Actor, now: datetime) -> None:
    """Replace a feed's secrets (API key, password); kept sealed, never shown again.

    Raises:
        UnknownFeed: there is none of this name.
    """
    feed = _feed(name)
    plain = json.dumps(dict(secrets), sort_keys=True).encode()
    feed.sealed_secrets = seal(plain, context=secrets_context(feed.pk)) if secrets else None
    feed.save(update_fields=["sealed_secrets"])
    _audit(actor, now, "feeds.set_feed_secrets", name, {"names": sorted(secrets)})


def secrets_context(feed_id: int) -> str:
    """What binds sealed secrets to their feed: table, column and row."""
    return f"feeds_feed.sealed_secrets:{feed_id}"


def _feed(name: str) -> Feed:
    feed = Feed.objects.select_for_update().filter(name=name).first()
    if feed is None:
        raise rules.UnknownFeed(feed=name)
    return feed


def _check(values: Mapping[str, Any]) -> None:
    strange = sorted(set(values) - SETTABLE - {"name"})
    if strange:
        raise rules.BadFeed(reason=f"it has no {strange[0]}")
    rules.check_feed(values, all_sources())


def _first_due(values: Mapping[str, Any], now: datetime) -> datetime | None:
    return now if values.get("fetch_every") else None


def _audit(actor: Actor, now: datetime, action: str, name: str, values: Mapping[str, Any]) -> None:
    details = {key: _plain(value) for key, value in values.items() if key != "name"}
    record_entry(actor=actor, now=now, action=action, subject=f"feed:{name}", details=details)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | list | dict | None) else str(value)
