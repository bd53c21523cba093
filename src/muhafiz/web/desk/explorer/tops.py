"""Top lists: the most frequent values of a field, each a way to narrow to it or leave it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.lake import queries as lake
from muhafiz.lake.answers import Counted
from muhafiz.lake.query import EventQuery, Grouping
from muhafiz.web.desk.explorer.pills import left_out, narrowed
from muhafiz.web.desk.explorer.wording import Told, Wording, wording

_SHOWN = 8
_SECONDS = 10.0

LISTS: dict[Grouping, tuple[str, str | Promise]] = {
    "organization": ("organization", gettext_lazy("Organizations")),
    "type": ("type", gettext_lazy("Classes")),
    "identifier": ("identifier", gettext_lazy("Identifiers")),
    "network": ("network", gettext_lazy("Networks")),
    "asn": ("asn", gettext_lazy("AS numbers")),
    "feed": ("feed", gettext_lazy("Feeds")),
    "sector": ("sector", gettext_lazy("Sectors")),
    "port": ("port", gettext_lazy("Ports")),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: its words, its events, its share of the largest (percent), its two pivots."""

    words: str
    code: bool
    events: int
    share: float
    narrow: str
    leave_out: str


@dataclass(frozen=True, slots=True)
class TopList:
    """The most frequent values of one field."""

    name: str
    word: str | Promise
    bars: tuple[Bar, ...]


def top_lists(query: EventQuery, params: QueryDict, now: datetime) -> list[TopList]:
    """Every list of these events.

    Raises:
        QueryTooSlow, QueryTooBig, LakeBusy, SegmentUnreadable: as the lake says.
    """
    counted = {by: lake.top(query, by, _SHOWN, seconds=_SECONDS) for by in LISTS}
    owners = {each.value for each in counted["organization"] if isinstance(each.value, int)}
    names = wording(now, owners)
    return [
        TopList(by, word, tuple(_bars(counted[by], by, field, params, names)))
        for by, (field, word) in LISTS.items()
        if any(each.value is not None for each in counted[by]) or by == "organization"
    ]


def _bars(
    counted: Sequence[Counted],
    by: Grouping,
    field: str,
    params: QueryDict,
    names: Wording,
) -> list[Bar]:
    most = max((each.events for each in counted), default=1)
    bars = []
    for each in counted:
        told = _told(by, each.value, names)
        narrow, leave_out = _pivots(by, field, each.value, params)
        share = round(100 * each.events / most, 1)
        bars.append(Bar(told.words, told.code, each.events, max(share, 0.5), narrow, leave_out))
    return bars


def _told(by: Grouping, value: int | str | None, names: Wording) -> Told:
    if value is None:
        return Told(_("nobody") if by == "organization" else _("none"))
    return names.told(by, value)


def _pivots(
    by: Grouping, field: str, value: int | str | None, params: QueryDict
) -> tuple[str, str]:
    """Addresses that narrow to the value and that leave it out; empty where none can."""
    if value is not None:
        return narrowed(params, field, value), left_out(params, field, value)
    if by == "organization":
        return narrowed(params, "nobody", "yes"), narrowed(params, "nobody", "no")
    return "", ""
