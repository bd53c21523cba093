"""Reading what people type into filters: every mistake is named, nothing typed is lost."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

_LONGEST = 300


@dataclass
class Asked:
    """What stands in a form: raw texts by field, and what is wrong with which."""

    raw: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The field's text, trimmed; NUL bytes and overlong texts are errors."""
        found = self.raw.get(name, "").strip()
        if len(found) > _LONGEST or "\0" in found:
            self.errors[name] = _("This is too long or holds signs that cannot be read.")
            return ""
        return found

    def whole(self, name: str, *, most: int = 2**63 - 1) -> int | None:
        """The field as a whole number from 0; None when empty or wrong."""
        found = self.text(name)
        if not found:
            return None
        if found.isascii() and found.isdigit() and len(found) < 20 and int(found) <= most:  # noqa: PLR2004 - 64 bits
            return int(found)
        self.errors[name] = _("This must be a whole number.")
        return None

    def network(self, name: str) -> str | None:
        """The field as a network or address; None when empty or wrong."""
        found = self.text(name)
        if not found:
            return None
        try:
            return str(ipaddress.ip_network(found, strict=False))
        except ValueError:
            self.errors[name] = _(
                "This is no network. Write it like 203.0.113.0/24 or 2001:db8::/32."
            )
            return None

    def day(self, name: str) -> datetime | None:
        """The beginning of the field's day in national time, as UTC; None when empty or wrong."""
        found = self.text(name)
        if not found:
            return None
        try:
            day = datetime.strptime(found, "%Y-%m-%d").replace(tzinfo=UTC).date()
            zone = timezone.get_current_timezone()
            return datetime.combine(day, time.min, tzinfo=zone).astimezone(ZoneInfo("UTC"))
        except (ValueError, OverflowError):
            self.errors[name] = _("This is no date. Write it like 2026-11-23.")
            return None

    def date(self, name: str) -> date | None:
        """The field as a date; None when empty or wrong."""
        found = self.text(name)
        if not found:
            return None
        try:
            return datetime.strptime(found, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            self.errors[name] = _("This is no date. Write it like 2026-11-23.")
            return None

    def prose(self, name: str, *, longest: int = 2_000) -> str:
        """The field's text of several lines, trimmed."""
        found = self.raw.get(name, "").replace("\r\n", "\n").strip()
        if len(found) > longest or "\0" in found:
            self.errors[name] = _("This is too long or holds signs that cannot be read.")
            return ""
        return found

    def choice(self, name: str, choices: tuple[str, ...], default: str = "") -> str:
        """The field as one of `choices`; `default` when empty or wrong."""
        found = self.text(name)
        if not found:
            return default
        if found not in choices:
            self.errors[name] = _("This is not one of the choices.")
            return default
        return found

    @property
    def status(self) -> int:
        """400 when something is wrong, else 200."""
        return 400 if self.errors else 200
