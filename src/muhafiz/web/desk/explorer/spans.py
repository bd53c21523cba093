"""Which span of time is asked for: a preset, or a free one. Times without a zone are national."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.web.desk.asking import Asked

PRESETS: dict[str, str | Promise] = {
    "24h": gettext_lazy("24 hours"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
    "90d": gettext_lazy("90 days"),
    "all": gettext_lazy("All time"),
}
FREE = "free"
_DEFAULT = "30d"
_DAYS = {"7d": 7, "30d": 30, "90d": 90}
_DATE_LETTERS = len("2026-11-23")


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until` (None: open); `code` is a preset's, or "free"."""

    code: str
    since: datetime | None
    until: datetime | None


def asked_span(asked: Asked, now: datetime, *, default: str = _DEFAULT) -> Span:
    """The span of the fields `since` and `until`, else of the preset in `span`."""
    since = _moment(asked, "since", whole_day=False)
    until = _moment(asked, "until", whole_day=True)
    code = asked.choice("span", tuple(PRESETS), default)
    if since is not None or until is not None:
        return Span(FREE, since, until)
    return preset(code, now)


def preset(code: str, now: datetime) -> Span:
    """A preset's span: whole UTC hours or days, the present one the last."""
    utc = now.astimezone(UTC)
    if code == "all":
        return Span(code, None, None)
    if code == "24h":
        hour = utc.replace(minute=0, second=0, microsecond=0)
        return Span(code, hour - timedelta(hours=23), None)
    today = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(code, today - timedelta(days=_DAYS[code] - 1), None)


def stamp(moment: datetime) -> str:
    """A moment as an address carries it: UTC, as short as it can be."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    exact = bool(utc.second or utc.microsecond)
    return (utc.isoformat() if exact else utc.isoformat(timespec="minutes")) + "Z"


def local_text(moment: datetime | None) -> str:
    """A moment as a form's field of date and time holds it: national time, to the minute."""
    return "" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def _moment(asked: Asked, name: str, *, whole_day: bool) -> datetime | None:
    text = asked.text(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if len(text) == _DATE_LETTERS and whole_day:
            found += timedelta(days=1)
        if found.tzinfo is None:
            found = found.replace(tzinfo=timezone.get_current_timezone())
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        asked.errors[name] = _("This is no date. Write it like 2026-11-23.")
        return None
