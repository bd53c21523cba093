"""Feeds are made, changed and given their secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.models import Feed, Sample
from muhafiz.feeds.sources import all_sources
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.keyring.actions.seals import seal

#: What may be set on a feed by `create_feed` and `change_feed`.
SETTABLE = frozenset(
    {
        "source", "title", "options", "fetch_every", "expected_every", "expected_rows_per_day",
        "file_pattern", "tlp", "owner", "owner_person", "enabled",
    }
)  # fmt: skip

SAMPLES_JOB = "feeds.check_samples"


@transaction.atomic
def create_feed(*, name: str, source: str, actor: Actor, now: datetime, **values: Any) -> int:
    """Make a feed; its id. `values` are those of `SETTABLE`; TLP is AMBER unless given.

    Raises:
        BadFeed: the name is taken or not a slug, the source unknown, a value senseless.
    """
    wanted = {"title": name, "tlp": "AMBER", **values, "source": source, "name": name}
    _check(wanted)
    check_typed(source, wanted.get("options") or {}, standing={}, actor=actor)
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
    standing = {"source": feed.source, "tlp": feed.tlp, "options": feed.options}
    _check({"name": name, **standing, **values})
    if "options" in values:
        source = values.get("source", feed.source)
        check_typed(source, values["options"], standing=feed.options, actor=actor)
    if values.get("enabled") and not feed.enabled:
        feed.last_report_at = now  # its silence is counted from here
    for key, value in values.items():
        setattr(feed, key, value)
    if "fetch_every" in values:
        feed.fetch_due_at = _first_due(values, now)
    feed.save()
    if "options" in values and Sample.objects.filter(feed=feed).exists():
        enqueue_job(SAMPLES_JOB, {"feed": name}, actor=actor, now=now)
    _audit(actor, now, "feeds.change_feed", name, values)


@transaction.atomic
def acknowledge_silence(
    *, name: str, until: datetime, note: str, actor: Actor, now: datetime
) -> None:
    """Say that somebody knows of a feed's silence: it is nobody's work again before `until`.

    Raises:
        UnknownFeed: there is none of this name.
        BadFeed: it is not silent, or `until` does not lie ahead.
    """
    check_may(actor, "feeds.watch")
    feed = _feed(name)
    if feed.silent_since is None:
        raise rules.BadFeed(reason="it is not silent")
    if until <= now:
        raise rules.BadFeed(reason="the time must lie ahead")
    feed.quiet_until, feed.quiet_by, feed.quiet_note = until, actor.name[:200], note[:500]
    feed.save(update_fields=["quiet_until", "quiet_by", "quiet_note"])
    values = {"until": until, "note": note}
    _audit(actor, now, "feeds.acknowledge_silence", name, values)


@transaction.atomic
def give_feed(*, name: str, person_id: int | None, owner: str, actor: Actor, now: datetime) -> None:
    """Say who looks after a feed: a person of the desk, and the name shown for them.

    Raises:
        UnknownFeed: there is none of this name.
    """
    check_may(actor, "feeds.watch")
    feed = _feed(name)
    feed.owner_person, feed.owner = person_id, owner[:200]
    feed.save(update_fields=["owner_person", "owner"])
    _audit(actor, now, "feeds.give_feed", name, {"owner": owner, "person": person_id})


@transaction.atomic
def change_mapping(
    *, name: str, kind: str, data: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    """Read a report type of a feed by another mapping from now on; what was read stays.

    Raises:
        UnknownFeed: there is none of this name.
        BadFeed: its source has no mappings to change, or this one cannot be read.
    """
    check_may(actor, "feeds.edit")
    options = options_with(name, kind, data)
    change_feed(name=name, options=options, actor=actor, now=now)


def options_with(name: str, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A feed's options with another mapping of one report type. Writes nothing.

    Raises:
        UnknownFeed: there is none of this name.
        BadFeed: its source has no mappings to change, or this one cannot be read.
    """
    feed = Feed.objects.filter(name=name).first()
    if feed is None:
        raise rules.UnknownFeed(feed=name)
    source = all_sources().get(feed.source)
    if source is None or source.mapped is None:
        raise rules.BadFeed(reason=f"the mappings of “{feed.source}” are part of the program")
    options = source.mapped.changed(kind, feed.options, data)
    check_options(feed.source, options)
    return options


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
    check_options(values["source"], values.get("options") or {})


def check_options(source: str, options: Mapping[str, Any]) -> None:
    """The source could read a report with these options.

    Raises:
        BadFeed: it could not, and why.
    """
    if not isinstance(options, dict):
        raise rules.BadFeed(reason="its options are a table")
    for name in ("provider", "feed", "code", "tlp", "report"):
        if not isinstance(options.get(name, ""), str):
            raise rules.BadFeed(reason=f"its option {name} is a text")
    senders = options.get("senders", [])
    if not isinstance(senders, list) or not all(isinstance(one, str) and one for one in senders):
        raise rules.BadFeed(reason="its option senders is a list of texts")
    if options.get("tlp", "RED") not in rules.TLPS:
        raise rules.BadFeed(reason=f"“{options['tlp']}” is no TLP label")
    found = all_sources().get(source)
    if found is not None and found.check is not None:
        try:
            found.check(options)
        except BadMapping as wrong:
            raise rules.BadFeed(reason=wrong.params["reason"]) from wrong


def check_typed(
    source: str, options: Mapping[str, Any], *, standing: Mapping[str, Any], actor: Actor
) -> None:
    """Refuse options that only the machine's operator sets, unless they stand so already.

    Raises:
        BadFeed: somebody at a browser would change one.
    """
    found = all_sources().get(source)
    if actor.kind != "person" or found is None:
        return
    for name in sorted(found.machine):
        if options.get(name) != standing.get(name):
            raise rules.BadFeed(reason=f"its option {name} is set by command")


def _first_due(values: Mapping[str, Any], now: datetime) -> datetime | None:
    return now if values.get("fetch_every") else None


def _audit(actor: Actor, now: datetime, action: str, name: str, values: Mapping[str, Any]) -> None:
    details = {key: _plain(value) for key, value in values.items() if key != "name"}
    record_entry(actor=actor, now=now, action=action, subject=f"feed:{name}", details=details)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | list | dict | None) else str(value)
