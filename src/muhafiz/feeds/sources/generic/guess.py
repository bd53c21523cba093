"""A guess at a mapping, from a report's first lines: offered to a person, who decides.

A column is guessed by its name, and only if the values agree; a column whose name says nothing
is guessed by its values alone (addresses, times, URLs, domain names). Comments before the rows are
told from them; the last may hold the columns' names. A form of time is guessed where only one fits:
where day and month could be either, a person must say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns import readings
from muhafiz.feeds.columns.chunks import decode_head, decode_row
from muhafiz.feeds.columns.csv_rows import column_names
from muhafiz.feeds.columns.hosts import hosts_of_urls, read_addresses, read_names, refanged
from muhafiz.feeds.columns.splitting import split_row
from muhafiz.formats.addresses import parse_addresses, parse_domains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OWNING = frozenset({"source_ip", "source_fqdn", "source_url", "source_asn"})
"""The columns by which an event can find its owner."""
_LINES = 200
_AGREE = 0.8
_DELIMITERS = (",", "\t", ";", "|")
EARLIEST_YEAR = 1990
# With what comments begin; "sep=" is how spreadsheets tell each other the delimiter.
_COMMENTS = ("#", "; ", "//", "sep=")
# What stands behind the dot in a column's name: "host.name" is no domain.
_WORDS = frozenset(
    {
        "address", "asn", "cc", "city", "code", "count", "country", "date", "description", "domain",
        "fqdn", "hash", "host", "id", "identifier", "ip", "key", "kind", "label", "md5", "name",
        "network", "number", "port", "protocol", "reason", "sector", "sha1", "sha256", "source",
        "status", "tag", "time", "timestamp", "type", "uri", "url", "value", "version",
    }
)  # fmt: skip
_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y",
    "%Y/%m/%d",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMS = (
    *(day + clock for day in _DAYS for clock in _CLOCKS),
    "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y", "%Y%m%d%H%M%S",
)  # fmt: skip
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)

# Names that people give to these columns, best first.
_HINTS: dict[str, tuple[str, ...]] = {
    "time_source": (
        "timestamp", "time", "datetime", "date_time", "date", "first_seen", "last_seen", "seen",
        "detected_at", "event_time", "ts", "time.source",
    ),
    "source_ip": (
        "source_ip", "src_ip", "ip", "ip_address", "ipaddress", "source", "src", "address",
        "host_ip", "victim_ip", "source.ip", "ipv4", "ipv6",
    ),
    "source_port": ("source_port", "src_port", "port", "sport", "source.port"),
    "source_asn": ("source_asn", "src_asn", "asn", "as", "as_number", "source.asn"),
    "source_fqdn": (
        "source_fqdn", "fqdn", "domain", "hostname", "host", "domain_name", "src_hostname",
        "source.fqdn",
    ),
    "source_url": ("source_url", "url", "uri", "link", "source.url"),
    "source_geolocation_cc": ("country", "cc", "country_code", "geo", "source.geolocation.cc"),
    "destination_ip": ("destination_ip", "dst_ip", "dest_ip", "destination", "dst"),
    "destination_port": ("destination_port", "dst_port", "dest_port", "dport"),
    "protocol_transport": ("protocol", "proto", "transport"),
    "protocol_application": ("application", "service", "app_proto"),
    "malware_name": ("malware", "malware_name", "family", "infection", "threat"),
    "malware_hash_sha256": ("sha256", "hash_sha256", "malware.hash.sha256"),
    "severity": ("severity", "priority", "risk"),
    "tlp": ("tlp",),
    "classification_type": ("classification.type", "classification", "rsit", "category"),
}  # fmt: skip
_NAMES = frozenset(name for names in _HINTS.values() for name in names)
_BY_VALUES = ("source_ip", "time_source", "source_url", "source_fqdn")


@dataclass(frozen=True, slots=True)
class Guess:
    """A mapping as data, and for each guessed column why: its name, its values, or both."""

    mapping: dict[str, Any]
    why: dict[str, str]


def guess_mapping(head: bytes) -> Guess:
    """Guess delimiter, header, comments and columns from a report's first bytes."""
    text = decode_row(decode_head(head)) or ""
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()][: _LINES + 1]
    if len(lines) > 1 and not text.endswith("\n") and len(head) > len(lines[0]):
        lines = lines[:-1] if len(lines) > 2 else lines  # noqa: PLR2004 - the last may be cut
    mark = _comment(lines)
    comments = list(takewhile(lambda line: mark and line.startswith(mark), lines))
    lines = [line for line in lines if not (mark and line.startswith(mark))]
    delimiter = max(_DELIMITERS, key=lambda sign: _regularity(lines, sign))
    rows = [fields for line in lines if (fields := split_row(line, delimiter)) is not None]
    frame: dict[str, Any] = {"delimiter": delimiter, "header": None, "comment": mark}
    if not rows:
        return Guess({"map": {}, **frame}, {})
    names, header = _names(rows, comments, mark, delimiter)
    body = [row for row in rows[int(header is None) :] if len(row) == len(names)]
    columns = {name: [row[at] for row in body] for at, name in enumerate(names)}
    found, why = _guess_columns(columns)
    if "time_source" not in found and (told := _guess_time(columns, found)):
        name, form = told
        found["time_source"], frame["time_format"] = [name], [form]
        why["time_source"] = f"the values of {name} are written as {form}"
    return Guess({"map": found, **frame, "header": header}, why)


def _comment(lines: Sequence[str]) -> str:
    """With what the lines begin that are no rows; "" when there are none."""
    first = lines[0] if lines else ""
    return next((mark for mark in _COMMENTS if first.startswith(mark)), "").strip()


def _names(
    rows: Sequence[Sequence[str]], comments: Sequence[str], mark: str, delimiter: str
) -> tuple[tuple[str, ...], list[str] | None]:
    """The columns' names; and the same as a header where no line of the rows tells them."""
    if _is_header(rows[0]):
        return column_names(rows[0]), None
    last = split_row(comments[-1].removeprefix(mark).strip(), delimiter) if comments else None
    named = last is not None and len(last) == len(rows[0]) > 1 and _is_header(last)
    names = column_names(last if named and last is not None else ["" for _ in rows[0]])
    return names, list(names)


def _is_header(fields: Sequence[str]) -> bool:
    if any(name in _NAMES for name in column_names(fields)):
        return True
    return not any(_looks_like_data(value) for value in fields)


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How alike the lines' numbers of columns are, then how many columns there are."""
    counts = [len(fields) for line in lines[:20] if (fields := split_row(line, delimiter))]
    if not counts or max(counts) == 1:
        return (0.0, 0)
    usual = max(set(counts), key=counts.count)
    return (counts.count(usual) / len(lines[:20]), usual)


def _looks_like_data(value: str) -> bool:
    if re.fullmatch(r"\s*(\d[\d.:/ TZ+-]*|[0-9a-fA-F:]*::?[0-9a-fA-F:.]+)", value):
        return True
    plain = refanged(pa.array([value.strip()]))
    name = parse_domains(plain)[0].as_py()
    return bool(
        hosts_of_urls(plain)[0].as_py()
        or parse_addresses(plain)[1][0].as_py()
        or (name and name.rsplit(".", 1)[1] not in _WORDS)
    )


def _guess_columns(
    columns: dict[str, list[str]],
) -> tuple[dict[str, list[str]], dict[str, str]]:
    found: dict[str, list[str]] = {}
    why: dict[str, str] = {}
    free = dict(columns)
    for target, hints in _HINTS.items():
        named = next((name for name in hints if name in free), None)
        if named is not None and _agrees(target, free[named]) is not False:
            found[target], why[target] = [named], f"the column is called {named}"
            del free[named]
    for target in _BY_VALUES:
        if target in found:
            continue
        fitting = next((name for name, values in free.items() if _agrees(target, values)), None)
        if fitting is not None:
            found[target], why[target] = [fitting], f"the values of {fitting} look like it"
            del free[fitting]
    return found, why


def _guess_time(
    columns: dict[str, list[str]], taken: dict[str, list[str]]
) -> tuple[str, str] | None:
    """A column of times and the one form that they are written in."""
    used = {name for names in taken.values() for name in names}
    hints = _HINTS["time_source"]
    free = sorted(
        set(columns) - used, key=lambda name: (name not in hints, list(columns).index(name))
    )
    for name in free:
        values = [value.strip() for value in columns[name] if value.strip()]
        fitting = [form for form in _FORMS if values and all(_fits(v, form) for v in values)]
        if len(fitting) == 1:
            return name, fitting[0]
    return None


def _fits(value: str, form: str) -> bool:
    try:
        return datetime.strptime(value, form).year >= EARLIEST_YEAR  # noqa: DTZ007 - only its form
    except ValueError:
        return False


def _agrees(target: str, values: list[str]) -> bool | None:
    """Whether most values can be read as `target`; None when there are none to judge by."""
    read = _READERS.get(target)
    texts = readings.empty_to_null(pa.array(values, pa.string())).drop_null()
    if read is None or len(texts) == 0:
        return None
    good = len(texts) - read(texts).null_count
    return bool(good >= _AGREE * len(texts))


_READERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "time_source": lambda texts: readings.parse_times(texts, _LATEST),
    "source_ip": lambda texts: read_addresses(texts)[1],
    "destination_ip": lambda texts: read_addresses(texts)[1],
    "source_port": readings.parse_ports,
    "destination_port": readings.parse_ports,
    "source_asn": readings.parse_asns,
    "source_fqdn": read_names,
    "source_url": lambda texts: hosts_of_urls(refanged(texts)),
    "source_geolocation_cc": lambda texts: readings.parse_matching(
        pc.ascii_upper(texts), "[A-Z]{2}"
    ),
    "severity": readings.parse_severities,
}
