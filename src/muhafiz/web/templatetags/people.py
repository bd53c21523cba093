"""How pages of signing in write keys, codes and what a browser needs for a passkey."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings

from muhafiz.web.labels import WAYS

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """A value for a module to read from an attribute."""
    return json.dumps(value, default=_plain, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value)} is no JSON.")


@register.simple_tag
def other_house() -> str:
    """What the other house is called that may sign people in; empty when none does."""
    providers = getattr(settings, "SOCIALACCOUNT_PROVIDERS", {})
    configured = providers.get("openid_connect", {}).get("APPS", [])
    return str(configured[0]["name"]) if configured else ""


@register.filter
def in_fours(secret: str) -> str:
    """A key in groups of four, for typing."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


#: What a browser's own description holds, and what people call it; the first that fits.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser(described: str) -> str:
    """What people call the browser and its system; its own description when that is not known."""
    name = next((called for sign, called in _BROWSERS if sign in described), "")
    if not name and "Version/" in described and "Safari/" in described:
        name = "Safari"
    system = next((called for sign, called in _SYSTEMS if sign in described), "")
    return ", ".join(part for part in (name, system) if part) or described[:60] or "—"


@register.filter
def way_word(code: str) -> str:
    """How somebody signed in."""
    return str(WAYS.get(code, code))


@register.filter
def as_file(lines: Iterable[str]) -> str:
    """Lines as a file that the browser already has: the address of a download."""
    return "data:text/plain;charset=utf-8," + quote("\r\n".join(lines) + "\r\n")
