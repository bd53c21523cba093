"""Where this installation stands: its national time zone and its CERT's name."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import get_language

from muhafiz.rulebook.queries import value_or


def national_zone(now: datetime) -> ZoneInfo:
    """The rulebook's `jurisdiction.timezone`; UTC where it is unknown."""
    try:
        return ZoneInfo(str(value_or("jurisdiction.timezone", "UTC", at=now)))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def sector_names(now: datetime) -> dict[str, str]:
    """Code → name in the reader's language of the rulebook's sectors, in its order."""
    return _names("sectors", now)


def region_names(now: datetime) -> dict[str, str]:
    """Code → name in the reader's language of the rulebook's regions, in its order."""
    return _names("regions", now)


def _names(key: str, now: datetime) -> dict[str, str]:
    language = get_language() or "en"
    return {
        str(entry["code"]): str(entry["name"].get(language) or entry["name"]["en"])
        for entry in value_or(key, [], at=now)
    }


def cert_name(now: datetime) -> str:
    """The rulebook's `cert.name` in the reader's language; empty where it is unknown."""
    return _worded("cert.name", now)


def cert_ministry(now: datetime) -> str:
    """The rulebook's `cert.ministry` in the reader's language; empty where it is unknown."""
    return _worded("cert.ministry", now)


def _worded(key: str, now: datetime) -> str:
    words = value_or(key, None, at=now)
    if not isinstance(words, dict):
        return ""
    return str(words.get(get_language() or "en") or words.get("en") or "")


def cert_short_name(now: datetime) -> str:
    """The rulebook's `cert.short_name`, as people say it; the full name where there is none."""
    return str(value_or("cert.short_name", "", at=now)) or cert_name(now)
