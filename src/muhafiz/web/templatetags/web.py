"""How pages write icons, identifiers, times, numbers and chips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from muhafiz.detection.letters import type_words
from muhafiz.web.icons import EMBLEM, PATHS, TURNING
from muhafiz.web.labels import (
    AUDIENCES,
    CADENCES,
    DECISIONS,
    GIVEN,
    KINDS,
    ROLES,
    SEVERITIES,
    STATES,
    TAXONOMIES,
)

register = template.Library()

_WHOLE = 20  # characters: an identifier this short is never broken between two lines


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """The icon called `name`; decoration only, so hidden from screen readers."""
    classes = "icon"
    if size:
        classes += f" icon-{size}"
    if name in TURNING:
        classes += " icon-turns"
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg>',
        classes,
        PATHS[name],
    )


@register.simple_tag
def emblem() -> SafeString:
    """The platform's mark."""
    return format_html(
        '<svg class="icon icon-large" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg>',
        EMBLEM,
    )


@register.filter
def ltr(value: object) -> SafeString:
    """An identifier, address, hash: in the fixed font, left to right in every language."""
    if value is None or value == "":
        return SafeString("—")
    look = "mono nowrap" if len(str(value)) <= _WHOLE else "mono"
    return format_html('<bdi dir="ltr" class="{}">{}</bdi>', look, value)


@register.filter
def text(value: object) -> SafeString:
    """Foreign prose, isolated: its direction follows its own letters."""
    if value is None or value == "":
        return SafeString("—")
    return format_html('<bdi dir="auto">{}</bdi>', value)


@register.filter
def number(value: float | None) -> SafeString:
    """A number with its thousands apart and its sign before it, in every language."""
    if value is None:
        return SafeString("—")
    shown = f"{value:,}".replace("-", "\N{MINUS SIGN}")
    return format_html('<bdi dir="ltr">{}</bdi>', shown)


@register.filter
def of(done: int, total: int | None) -> SafeString:
    """How many of how many, the first first in every language."""
    shown = f"{done:,} / {total:,}" if total is not None else f"{done:,}"
    return format_html('<bdi dir="ltr" class="nowrap">{}</bdi>', shown)


@register.filter
def size(value: int | None) -> SafeString:
    """A number of bytes, in binary units."""
    if value is None:
        return SafeString("—")
    amount, unit = float(value), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:  # noqa: PLR2004 - the binary thousand
            break
        amount, unit = amount / 1024, larger
    shown = f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"  # noqa: PLR2004 - three figures suffice
    return format_html('<bdi dir="ltr">{}</bdi>', shown)


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A moment in national time, to the minute; its UTC instant in the machine's attribute."""
    if value is None:
        return SafeString("—")
    local = timezone.localtime(value)
    return format_html(
        '<time dir="ltr" class="nowrap" datetime="{}">{}</time>',
        value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        local.strftime("%Y-%m-%d %H:%M"),
    )


@register.filter
def moments(value: datetime | None) -> SafeString:
    """A moment to the second, in national time and in UTC."""
    if value is None:
        return SafeString("—")
    local, utc = timezone.localtime(value), value.astimezone(UTC)
    return format_html(
        '<time dir="ltr" datetime="{}"><span class="nowrap">{}</span> '
        '<span class="quiet nowrap">{} UTC</span></time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        utc.strftime("%H:%M:%S" if utc.date() == local.date() else "%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def day(value: date | None) -> SafeString:
    """A date, year first."""
    if value is None:
        return SafeString("—")
    shown = value.isoformat()
    return format_html('<time dir="ltr" class="nowrap" datetime="{}">{}</time>', shown, shown)


@register.filter
def told(value: date | str) -> SafeString:
    """A row's name: a day as a day, words as words."""
    return day(value) if isinstance(value, date) else text(value)


@register.inclusion_tag("web/twin.html")
def twin(
    label: str, heads: Sequence[str], rows: Iterable[tuple[date | str, Sequence[int | None]]]
) -> dict[str, Any]:
    """A chart's numbers as a table; `heads`: what the rows are, then each column's word."""
    return {"label": label, "heads": heads, "rows": rows}


@register.inclusion_tag("web/severity.html")
def severity(code: str | None) -> dict[str, Any]:
    """The severity as bars, word and colour."""
    word, level = SEVERITIES.get(code or "", (code or "—", 0))
    heights = [(at, 12 - 3 * at, 3 * at, at <= level) for at in (1, 2, 3, 4)]
    return {"code": code or "none", "word": word, "bars": [(4 * a - 4, *r) for a, *r in heights]}


@register.simple_tag
def tlp(label: str | None) -> SafeString:
    """The Traffic Light Protocol's label, as FIRST writes it, never translated."""
    shown = (label or "RED").upper().removeprefix("TLP:")
    look = shown.split("+", maxsplit=1)[0].lower()
    return format_html('<bdi dir="ltr" class="tlp tlp-{}">TLP:{}</bdi>', look, shown)


@register.simple_tag
def state(code: str) -> SafeString:
    """A state as a chip."""
    word, look = STATES.get(code, (code, "plain"))
    return format_html('<span class="chip chip-{}">{}</span>', look, word)


@register.filter
def role(code: str) -> str:
    """What a role is called."""
    return str(ROLES.get(code, code))


@register.filter
def taxonomy(code: str | None) -> str:
    """What a class of the Reference Security Incident Taxonomy is called."""
    return str(TAXONOMIES.get(code or "unknown", code))


@register.filter
def rsit(code: str | None) -> str:
    """What an RSIT type is called, alone ("phishing") or after its class ("fraud/phishing")."""
    name = (code or "undetermined").rpartition("/")[2]
    return type_words(name, get_language() or "en") or str(code)


@register.filter
def kind(code: str) -> str:
    """What a kind of claim or contact is called."""
    return str(KINDS.get(code, code))


@register.filter
def given(code: str) -> str:
    """What kind of thing the release gate decided about."""
    return str(GIVEN.get(code, code))


@register.filter
def audience(code: str) -> str:
    """What kind of recipient the release gate was asked about."""
    return str(AUDIENCES.get(code, code))


@register.filter
def named(organization: Any, language: str) -> str:
    """An organization's name in the reader's language."""
    return str(organization.name(language))


@register.simple_tag
def clock(now: datetime) -> SafeString:
    """National time and UTC, side by side."""
    local, utc = timezone.localtime(now), now.astimezone(UTC)
    national = "" if local.tzname() == "UTC" else format_html("{}  ", _hands(local))
    return format_html(
        '<time dir="ltr" datetime="{}">{}{}</time>',
        utc.strftime("%Y-%m-%dT%H:%MZ"),
        national,
        _hands(utc),
    )


def _hands(at: datetime) -> SafeString:
    """Hours and minutes, which a script moves on; the zone says by how much it is ahead of UTC."""
    ahead = at.utcoffset() or timedelta(0)
    return format_html(
        '<span data-hands="{}">{}</span> {}',
        int(ahead.total_seconds()) // 60,
        at.strftime("%H:%M"),
        at.tzname(),
    )


@register.simple_tag(takes_context=True)
def waiting(context: Context, name: str) -> SafeString:
    """How much work waits, beside a line of the side list; nothing when none does."""
    count = (context.get("waits") or {}).get(name, 0)
    return format_html('<span class="waits">{}</span>', number(count)) if count else SafeString("")


@register.inclusion_tag("web/chart/drawing.html")
def chart(drawing: Any, title: str, look: str = "", *, rtl: bool = False) -> dict[str, Any]:
    """A drawing as SVG; `title` is what a screen reader says in its place."""
    return {"drawing": drawing, "title": title, "look": look, "rtl": rtl}


@register.inclusion_tag("web/chart/series.html")
def series(drawing: Any, title: str) -> dict[str, Any]:
    """Bars over time, each a link to its span; `title` names the group for a screen reader."""
    return {"drawing": drawing, "title": title}


@register.inclusion_tag("web/empty.html")
def empty(
    icon_name: str, title: str, words: str, address: str = "", act: str = ""
) -> dict[str, str]:
    """What will appear here, and the one thing to do about it."""
    return {"icon": icon_name, "title": title, "words": words, "address": address, "act": act}


@register.filter
def entry(values: Mapping[str, Any], name: str) -> Any:
    """The entry of a mapping under a name that the template holds."""
    return values.get(name, "")


@register.filter
def severity_word(code: str) -> str:
    """What a severity is called."""
    return str(SEVERITIES.get(code, (code,))[0])


@register.filter
def utc_hour(value: datetime) -> SafeString:
    """The beginning of an hour, in UTC."""
    shown = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return format_html('<time dir="ltr" class="nowrap" datetime="{}Z">{}</time>', shown, shown)


@register.filter
def state_word(code: str) -> str:
    """What a state is called."""
    return str(STATES.get(code, (code,))[0])


@register.filter
def excerpt(raw: bytes) -> str:
    """The beginning of foreign bytes, readable whatever they are."""
    shown = bytes(raw[:120]).decode("utf-8", "backslashreplace").replace("\0", "␀")
    return shown + ("…" if len(raw) > 120 else "")  # noqa: PLR2004 - one line of a table


@register.filter
def cadence(code: str) -> str:
    """How often a policy writes."""
    return str(CADENCES.get(code, code))


@register.filter
def decision(code: str) -> str:
    """What a digest decides about an event."""
    return str(DECISIONS.get(code, code))
