"""A guess at a mapping, from a report's first lines: offered to a person, who decides.

A column is guessed by its name, and only if the values agree; a column whose name says nothing
is guessed by its values alone (addresses, times, URLs, domain names).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns import readings
from muhafiz.feeds.columns.chunks import decode_head, decode_row
from muhafiz.feeds.columns.csv_rows import column_names, split_row
from muhafiz.formats.addresses import parse_addresses, parse_domains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OWNING = frozenset({"source_ip", "source_fqdn", "source_url", "source_asn"})
"""The columns by which an event can find its owner."""
_LINES = 200
_AGREE = 0.8
_DELIMITERS = (",", "\t", ";", "|")
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
_BY_VALUES = ("source_ip", "time_source", "source_url", "source_fqdn")


@dataclass(frozen=True, slots=True)
class Guess:
    """A mapping as data, and for each guessed column why: its name, its values, or both."""

    mapping: dict[str, Any]
    why: dict[str, str]


def guess_mapping(head: bytes) -> Guess:
    """Guess delimiter, header and columns from a report's first bytes."""
    text = decode_row(decode_head(head)) or ""
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()][: _LINES + 1]
    if len(lines) > 1 and not text.endswith("\n") and len(head) > len(lines[0]):
        lines = lines[:-1] if len(lines) > 2 else lines  # noqa: PLR2004 - the last may be cut
    delimiter = max(_DELIMITERS, key=lambda mark: _regularity(lines, mark))
    rows = [fields for line in lines if (fields := split_row(line, delimiter)) is not None]
    if not rows:
        return Guess({"map": {}, "delimiter": delimiter, "header": None}, {})
    headed = not any(_looks_like_data(value) for value in rows[0])
    names = column_names(rows[0] if headed else ["" for _ in rows[0]])
    body = [row for row in rows[int(headed) :] if len(row) == len(names)]
    columns = {name: [row[at] for row in body] for at, name in enumerate(names)}
    found, why = _guess_columns(columns)
    header = None if headed else list(names)
    return Guess({"map": found, "delimiter": delimiter, "header": header}, why)


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How alike the lines' numbers of columns are, then how many columns there are."""
    counts = [len(fields) for line in lines[:20] if (fields := split_row(line, delimiter))]
    if not counts or max(counts) == 1:
        return (0.0, 0)
    usual = max(set(counts), key=counts.count)
    return (counts.count(usual) / len(lines[:20]), usual)


def _looks_like_data(value: str) -> bool:
    return bool(
        re.fullmatch(r"\s*(\d[\d.:/ TZ+-]*|[0-9a-fA-F:]*::?[0-9a-fA-F:.]+|https?://.*)", value)
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
    "source_ip": lambda texts: parse_addresses(texts)[1],
    "destination_ip": lambda texts: parse_addresses(texts)[1],
    "source_port": readings.parse_ports,
    "destination_port": readings.parse_ports,
    "source_asn": readings.parse_asns,
    "source_fqdn": parse_domains,
    "source_url": lambda texts: readings.parse_matching(texts, r"[a-z][a-z0-9+.-]*://.+"),
    "source_geolocation_cc": lambda texts: readings.parse_matching(
        pc.ascii_upper(texts), "[A-Z]{2}"
    ),
    "severity": readings.parse_severities,
}
