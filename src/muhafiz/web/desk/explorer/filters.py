"""What the explorer's address asks for: query parameters to a typed query, and back again.

A field may stand several times (any of its values), and with "not_" before its name (none of
them). What makes no sense is named beside its field and stays in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.common.actor import Actor
from muhafiz.constituency import directory
from muhafiz.formats.rsit import TAXONOMY_OF
from muhafiz.lake.query import EventQuery, Order, Without
from muhafiz.lake.refusals import BadQuery
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.explorer.spans import FREE, Span, asked_span, stamp
from muhafiz.web.labels import SEVERITIES
from muhafiz.web.refusals import sentence

NOT = "not_"
_MOST_NAMED = 500  # organizations that one name may find
_PORTS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A field that may stand several times: its name, its word, the query's list it fills."""

    name: str
    word: str | Promise
    fills: str
    choices: tuple[str, ...] = ()
    most: int = 0  # above 0: a whole number up to it
    may_leave_out: str = ""  # the list of `Without` that "not_" fills; empty: none

    def read(self, one: Asked) -> Any:
        """The value of a single field; what is empty or wrong gives nothing."""
        if self.most:
            return one.whole(self.name, most=self.most)
        return one.choice(self.name, self.choices) if self.choices else one.text(self.name)


LISTS = (
    Listed(
        "severity", gettext_lazy("Severity"), "severities", tuple(SEVERITIES),
        may_leave_out="severities",
    ),
    Listed("sector", gettext_lazy("Sector"), "sectors", may_leave_out="sectors"),
    Listed(
        "taxonomy", gettext_lazy("Taxonomy"), "classification_taxonomies",
        tuple(sorted(set(TAXONOMY_OF.values()))), may_leave_out="classification_taxonomies",
    ),
    Listed(
        "type", gettext_lazy("Class"), "classification_types", tuple(sorted(TAXONOMY_OF)),
        may_leave_out="classification_types",
    ),
    Listed(
        "identifier", gettext_lazy("Identifier"), "classification_identifiers",
        may_leave_out="classification_identifiers",
    ),
    Listed("network", gettext_lazy("Matched network"), "networks", may_leave_out="networks"),
    Listed("feed", gettext_lazy("Feed code"), "feed_codes", may_leave_out="feed_codes"),
    Listed(
        "port", gettext_lazy("Port"), "source_ports", most=_PORTS, may_leave_out="source_ports"
    ),
    Listed("transport", gettext_lazy("Protocol"), "protocols"),
)  # fmt: skip

#: Single fields → the query's field.
SINGLE = {
    "cidr": "cidr",
    "destination": "destination_cidr",
    "asn": "asn",
    "domain": "domain_suffix",
    "report": "report_id",
    "after": "after",
}
FIELDS = (
    "organization", *(each.name for each in LISTS), *SINGLE, "nobody", "span", "since", "until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of an address. `query` is None when some of it makes no sense."""

    asked: Asked
    span: Span
    query: EventQuery | None


def read_query(
    params: QueryDict, *, viewer: Actor, now: datetime, limit: int | None = None
) -> Reading:
    """The query of an address; every mistake is named in `asked.errors`."""
    asked = Asked(params)
    span = asked_span(asked, now, default="all" if params.get("report") else "30d")
    order: Order = "oldest" if asked.choice("order", ("newest", "oldest")) == "oldest" else "newest"
    nobody = asked.choice("nobody", ("yes", "no"))
    parts: dict[str, Any] = {
        "organization_ids": _owners(params, asked, viewer, now),
        "nobody": nobody == "yes",
        "cidr": asked.network("cidr"),
        "destination_cidr": asked.network("destination"),
        "asn": asked.whole("asn"),
        "domain_suffix": asked.text("domain") or None,
        "report_id": asked.whole("report"),
        "after": asked.text("after") or None,
        "since": span.since,
        "until": span.until,
    }
    for each in LISTS:
        parts[each.fills] = _values(params, asked, each.name, each.read)
    left_out = _left_out(params, asked, nobody=nobody == "no")
    _name_mistakes(asked, parts)
    if asked.errors:
        return Reading(asked, span, None)
    return Reading(asked, span, EventQuery(**parts, without=left_out, order=order, limit=limit))


def params_of(query: EventQuery) -> list[tuple[str, str]]:
    """The query's fields as an address carries them: what `read_query` takes back."""
    found = [("organization", str(number)) for number in sorted(query.organization_ids)]
    found += _listed(query)
    found += [
        (name, str(getattr(query, field)))
        for name, field in SINGLE.items()
        if getattr(query, field) is not None
    ]
    if query.nobody or query.without.nobody:
        found.append(("nobody", "yes" if query.nobody else "no"))
    for name, moment in (("since", query.since), ("until", query.until)):
        if moment is not None:
            found.append((name, stamp(moment)))
    if query.since is None and query.until is None:
        found.append(("span", "all"))
    if query.order != "newest":
        found.append(("order", query.order))
    return found


def is_free(reading: Reading) -> bool:
    """Whether the span was typed or drawn, not a preset."""
    return reading.span.code == FREE


def _listed(query: EventQuery) -> list[tuple[str, str]]:
    left = query.without
    found = [(f"{NOT}organization", str(number)) for number in sorted(left.organization_ids)]
    found += [(f"{NOT}asn", str(number)) for number in sorted(left.asns)]
    for each in LISTS:
        found += [(each.name, str(value)) for value in sorted(getattr(query, each.fills))]
        if each.may_leave_out:
            values = sorted(getattr(left, each.may_leave_out))
            found += [(NOT + each.name, str(value)) for value in values]
    return found


def _values(
    params: QueryDict, asked: Asked, name: str, read: Callable[[Asked], Any], field: str = ""
) -> frozenset[Any]:
    """Every value of a field that stands several times; `field` is where it stands."""
    found = set()
    for text in params.getlist(field or name):
        one = Asked({name: text})
        value = read(one)
        if one.errors:
            asked.errors[field or name] = one.errors[name]
        elif value is not None and value != "":
            found.add(value)
    return frozenset(found)


def _left_out(params: QueryDict, asked: Asked, *, nobody: bool) -> Without:
    lists = {
        each.may_leave_out: _values(params, asked, each.name, each.read, NOT + each.name)
        for each in LISTS
        if each.may_leave_out
    }
    for name, fills in (("organization", "organization_ids"), ("asn", "asns")):
        lists[fills] = _values(params, asked, name, partial(Asked.whole, name=name), NOT + name)
    return Without(nobody=nobody, **lists)


def _owners(params: QueryDict, asked: Asked, viewer: Actor, now: datetime) -> frozenset[int]:
    """The organizations of the numbers, or all those that a name or a network finds."""
    found: set[int] = set()
    for text in params.getlist("organization"):
        one = Asked({"organization": text})
        name = one.text("organization")
        if name.isascii() and name.isdigit():
            number = one.whole("organization")
            found |= set() if number is None else {number}
        elif name:
            page = directory.search(name, viewer=viewer, at=now, per_page=_MOST_NAMED)
            found |= {row.facts.id for row in page.rows}
            if not page.rows:
                one.errors["organization"] = _("No organization is called so.")
        asked.errors |= one.errors
    return frozenset(found)


def _name_mistakes(asked: Asked, parts: dict[str, Any]) -> None:
    """Each field that the lake would refuse gets the lake's own words."""
    fields = {field: name for name, field in SINGLE.items()}
    for field, value in parts.items():
        if field in {"since", "until"} or value is None:
            continue
        _try(asked, fields.get(field, field), {field: value})
    if "since" not in asked.errors and "until" not in asked.errors:
        _try(asked, "since", {"since": parts["since"], "until": parts["until"]})


def _try(asked: Asked, name: str, part: dict[str, Any]) -> None:
    try:
        EventQuery(**part)
    except BadQuery as refusal:
        asked.errors.setdefault(name, sentence(refusal))
