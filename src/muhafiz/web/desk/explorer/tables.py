"""The explorer's table: which columns it has, and each row's cells with their pivots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.explorer.pills import narrowed
from muhafiz.web.desk.explorer.wording import Wording
from muhafiz.web.parts import Column
from muhafiz.web.templatetags.parts import harmless

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `look` says how the template writes `value`; `pivot` narrows to it."""

    look: str
    value: Any
    pivot: str = ""
    sub: str = ""
    code: str = ""  # stands after `sub`, read left to right


@dataclass(frozen=True, slots=True)
class Kind:
    """One column that the table can show: its word and how a row fills it."""

    word: str | Promise
    fill: Callable[[_Line], Cell]
    number: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A row with what its cells need."""

    row: Row
    params: QueryDict
    wording: Wording

    def pivot(self, name: str, value: object) -> str:
        return narrowed(self.params, name, value) if value is not None else ""


def _plain(column: str, field: str = "") -> Callable[[_Line], Cell]:
    """The column as an identifier; a pivot when a filter's `field` takes it."""

    def fill(line: _Line) -> Cell:
        value = line.row[column]
        return Cell("code", value, line.pivot(field, value) if field else "")

    return fill


def _of_look(look: str, column: str, field: str = "") -> Callable[[_Line], Cell]:
    def fill(line: _Line) -> Cell:
        value = line.row[column]
        return Cell(look, value, line.pivot(field, value) if field else "")

    return fill


def _worded(column: str, field: str) -> Callable[[_Line], Cell]:
    """The column in the reader's words."""

    def fill(line: _Line) -> Cell:
        value = line.row[column]
        if value is None:
            return Cell("code", None)
        told = line.wording.told(field, value)
        return Cell("code" if told.code else "words", told.words, line.pivot(field, value))

    return fill


def _harmless(column: str) -> Callable[[_Line], Cell]:
    def fill(line: _Line) -> Cell:
        value = line.row[column]
        return Cell("code", None if value is None else harmless(value))

    return fill


def _what(line: _Line) -> Cell:
    row = line.row
    kind = row["classification_type"]
    words = line.wording.told("type", kind).words if kind else ""
    finer = row["classification_identifier"]
    address = reverse("event", args=(row["day"].isoformat(), row["key"]))
    sub = words if finer else ""
    return Cell("event", finer or words or _("unnamed"), address, sub, row["feed_code"] or "")


def _where(line: _Line) -> Cell:
    row = line.row
    port = "" if row["source_port"] is None else str(row["source_port"])
    if row["source_ip"] is not None:
        return Cell("where", row["source_ip"], line.pivot("cidr", row["source_ip"]), port)
    return Cell("where", row["source_fqdn"], line.pivot("domain", row["source_fqdn"]), port)


def _owner(line: _Line) -> Cell:
    number = line.row["organization_id"]
    if number is None:
        return Cell("nobody", None, narrowed(line.params, "nobody", "yes"))
    name = line.wording.told("organization", number).words
    return Cell("owner", name, line.pivot("organization", number), line.row["network"] or "")


def _destination(line: _Line) -> Cell:
    row = line.row
    value = row["destination_ip"] or row["destination_fqdn"]
    port = "" if row["destination_port"] is None else str(row["destination_port"])
    pivot = line.pivot("destination", row["destination_ip"])
    return Cell("where", None if value is None else harmless(value), pivot, port)


COLUMNS: dict[str, Kind] = {
    "severity": Kind(gettext_lazy("Severity"), _of_look("severity", "severity", "severity")),
    "what": Kind(gettext_lazy("What"), _what),
    "where": Kind(gettext_lazy("Where"), _where),
    "owner": Kind(gettext_lazy("Owner"), _owner),
    "tlp": Kind(gettext_lazy("TLP"), _of_look("tlp", "tlp")),
    "seen": Kind(gettext_lazy("Seen"), _of_look("number", "sightings"), number=True),
    "first": Kind(gettext_lazy("First"), _of_look("moment", "first_seen")),
    "last": Kind(gettext_lazy("Last"), _of_look("moment", "last_seen")),
    "taxonomy": Kind(gettext_lazy("Taxonomy"), _worded("classification_taxonomy", "taxonomy")),
    "type": Kind(gettext_lazy("Class"), _worded("classification_type", "type")),
    "identifier": Kind(
        gettext_lazy("Identifier"), _plain("classification_identifier", "identifier")
    ),
    "feed": Kind(gettext_lazy("Feed"), _plain("feed_code", "feed")),
    "sector": Kind(gettext_lazy("Sector"), _worded("sector", "sector")),
    "network": Kind(gettext_lazy("Matched network"), _plain("network", "network")),
    "asn": Kind(gettext_lazy("AS number"), _plain("source_asn", "asn")),
    "name": Kind(gettext_lazy("Host name"), _plain("source_fqdn", "domain")),
    "url": Kind(gettext_lazy("Web address"), _harmless("source_url")),
    "country": Kind(gettext_lazy("Country"), _plain("source_geolocation_cc")),
    "port": Kind(gettext_lazy("Port"), _plain("source_port", "port")),
    "transport": Kind(gettext_lazy("Protocol"), _plain("protocol_transport", "transport")),
    "application": Kind(gettext_lazy("Application"), _plain("protocol_application")),
    "destination": Kind(gettext_lazy("Destination"), _destination),
    "malware": Kind(gettext_lazy("Malware"), _plain("malware_name")),
    "report": Kind(gettext_lazy("Report"), _plain("report_id", "report")),
    "received": Kind(gettext_lazy("Received"), _of_look("moment", "time_observation")),
}
USUAL = ("severity", "what", "where", "owner", "tlp", "seen", "first", "last")


def asked_columns(params: QueryDict, asked: Asked) -> tuple[str, ...]:
    """The columns that the address asks for, in the table's order; the usual ones when none."""
    texts = [*params.getlist("column"), *params.get("columns", "").split(",")]
    wanted = {text.strip() for text in texts if text.strip()}
    if wanted - COLUMNS.keys():
        asked.errors["column"] = _("This is not one of the choices.")
        return USUAL
    return tuple(code for code in COLUMNS if code in wanted) or USUAL


def choices(shown: Sequence[str]) -> list[Column]:
    """Every column, for the choice of them."""
    return [Column(code, kind.word, code in shown) for code, kind in COLUMNS.items()]


def table(
    rows: Sequence[Row],
    shown: Sequence[str],
    params: QueryDict,
    wording: Wording,
) -> list[list[Cell]]:
    """The rows as cells."""
    kinds = [COLUMNS[code] for code in shown]
    lines = [_Line(row, params, wording) for row in rows]
    return [[kind.fill(line) for kind in kinds] for line in lines]


def heads(shown: Sequence[str]) -> list[tuple[str, Kind]]:
    """The shown columns with their codes."""
    return [(code, COLUMNS[code]) for code in shown]


def time_of(row: Row) -> datetime:
    """The event's time: the source's, else the observation's."""
    found: datetime = row["time_source"] or row["time_observation"]
    return found
