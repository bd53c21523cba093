"""The CSV attachment and the lines shown in a letter, built a column at a time. Pure.

Cells are made safe by `formats.csv_cells.safe_cell`. Most values are plain and need nothing; one
regular expression over the column finds those that do, and only they go through Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.csv_cells import safe_cell

#: Columns of the attachment in order, what stands in each, and the event's column. The values are
#: live: no brackets in addresses. docs/notices.md carries this table.
CSV_COLUMNS: Final = (
    ("time", "when the source saw it, UTC", "time"),
    ("class", "RSIT class", "classification_taxonomy"),
    ("type", "RSIT type", "classification_type"),
    ("identifier", "finer than the type, the source's word", "classification_identifier"),
    ("severity", "critical, high, medium, low or info, where the source says", "severity"),
    ("source_ip", "your address", "source_ip"),
    ("source_port", "your port", "source_port"),
    ("source_asn", "your autonomous system", "source_asn"),
    ("source_name", "your host name", "source_fqdn"),
    ("source_url", "your web address", "source_url"),
    ("source_account", "your user's account", "source_account"),
    ("destination_ip", "the other side's address", "destination_ip"),
    ("destination_port", "the other side's port", "destination_port"),
    ("destination_name", "the other side's host name", "destination_fqdn"),
    ("destination_url", "the other side's web address", "destination_url"),
    ("transport", "tcp, udp, …", "protocol_transport"),
    ("application", "protocol, e.g. telnet", "protocol_application"),
    ("malware", "name of the malware", "malware_name"),
    ("malware_sha256", "SHA-256 of the malware", "malware_hash_sha256"),
    ("network", "your network, domain or AS that matched", "network"),
    ("first_seen", "first sighting of the day, UTC", "first_seen"),
    ("last_seen", "last sighting of the day, UTC", "last_seen"),
    ("sightings", "how often on that day", "sightings"),
    ("first_told", "when we first wrote about this finding; empty: now", "first_told"),
    ("tlp", "label of this row", "tlp"),
    ("feed", "report type of the source", "feed_code"),
    ("reference", "our report and row, to quote when you ask", ""),
    ("details", "what else the source said, JSON", "extra"),
)  # fmt: skip

HEADER: Final = (",".join(name for name, _, _ in CSV_COLUMNS) + "\r\n").encode()
_PLAIN: Final = r"^[A-Za-z0-9{\[/][ -!#-+\--~]*$"  # nothing to quote, no spreadsheet runs it
_QUOTABLE: Final = r"^[A-Za-z0-9{\[/][ -~]*$"  # a comma or a quote, else harmless
_STRFTIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_SAMPLE: Final = 2_000  # rows that tell whether values repeat
_SHOWN_LETTERS: Final = 100  # of one cell in the letter's text

Texts = Any  # a pyarrow Array or ChunkedArray of large strings; pyarrow has no types


@dataclass(frozen=True, slots=True)
class Lines:
    """One text per row, kept in one buffer: a run of rows costs one slice."""

    texts: pa.LargeStringArray

    def between(self, start: int, stop: int) -> bytes:
        """The UTF-8 bytes of rows `start` to before `stop`, put together."""
        offsets, data = self.texts.buffers()[1:]
        places = memoryview(offsets).cast("q")
        return bytes(memoryview(data)[places[start] : places[stop]]) if stop > start else b""

    def listed(self, start: int, stop: int) -> list[str]:
        """The texts of rows `start` to before `stop`."""
        found: list[str] = self.texts.slice(start, stop - start).to_pylist()
        return found


def csv_lines(rows: pa.Table) -> Lines:
    """Each row of a plan as one CSV line, ended by CR LF; the header is `HEADER`."""
    cells = [_cell(rows, column) for _, _, column in CSV_COLUMNS]
    joined = pc.binary_join_element_wise(
        *cells, _text(","), null_handling="replace", null_replacement=""
    )
    ended = pc.binary_join_element_wise(joined, _text("\r\n"), _text(""))
    return Lines(_one(ended))


def shown_lines(rows: pa.Table) -> Lines:
    """Each row as the letter's text shows it: short, defanged, without invisible characters."""
    where = pc.coalesce(rows["source_url"], rows["source_fqdn"], rows["source_ip"])
    both = pc.and_(pc.is_valid(rows["source_ip"]), pc.is_valid(rows["source_fqdn"]))
    address = pc.if_else(both, _bracketed(rows["source_ip"]), pa.scalar(None, pa.large_string()))
    told = pc.strftime(rows["time"], format="%Y-%m-%d %H:%M UTC")
    port = pc.binary_join_element_wise(_text("port"), _large(rows["source_port"]), _text(" "))
    cells = [
        _large(told),
        _bracketed(where),
        address,
        port,
        _bracketed(rows["classification_identifier"]),
        _bracketed(rows["malware_name"]),
    ]
    joined = pc.binary_join_element_wise(*cells, _text(" | "), null_handling="skip")
    return Lines(_one(joined))


def _cell(rows: pa.Table, column: str) -> Texts:
    if not column:
        return pc.binary_join_element_wise(
            _large(rows["report_id"]), _large(rows["row"]), _text("-")
        )
    values = rows[column]
    if values.null_count == rows.num_rows:
        return pa.scalar(None, pa.large_string())
    if pa.types.is_timestamp(values.type):
        return _moments(values)
    if pa.types.is_integer(values.type):
        return _large(values)
    return _by_distinct(values, _guarded)


def _by_distinct(values: Texts, change: Callable[[Texts], Texts]) -> Texts:
    """`change(values)`; where values repeat, each distinct one is changed once."""
    sample = values.slice(0, _SAMPLE)
    if pc.count_distinct(sample).as_py() > len(sample) // 2:
        return change(values)
    encoded = _one(pc.dictionary_encode(values))
    return _one(change(encoded.dictionary)).take(encoded.indices)


def _moments(values: Texts) -> Texts:
    """Moments as ISO 8601 texts, whole seconds, UTC; each distinct second is written once."""
    seconds = pc.cast(values, pa.timestamp("s", "UTC"), safe=False)
    encoded = _one(pc.dictionary_encode(seconds))
    return _large(pc.strftime(encoded.dictionary, _STRFTIME)).take(encoded.indices)


def _guarded(texts: Texts) -> Texts:
    """Texts as CSV cells: safe, and quoted where they must be."""
    values = _large(texts)
    plain = pc.fill_null(pc.match_substring_regex(values, _PLAIN), True)
    plain = pc.or_(plain, pc.equal(pc.fill_null(values, ""), ""))
    if pc.all(plain).as_py():
        return values
    quotable = pc.fill_null(pc.match_substring_regex(values, _QUOTABLE), True)
    doubled = pc.replace_substring(values, '"', '""')
    quoted = pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text(""))
    answer = pc.if_else(plain, values, quoted)
    if pc.all(pc.or_(plain, quotable)).as_py():
        return answer
    odd = pc.and_(pc.invert(plain), pc.invert(quotable))
    return _mapped(answer, values, odd, _odd_cell)


def _mapped(answer: Texts, values: Texts, chosen: Texts, change: Callable[[str], str]) -> Texts:
    """`answer`, but where `chosen` the changed value; each distinct value is changed once."""
    encoded = pc.dictionary_encode(pc.filter(values, chosen))
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    changed = pa.array([change(v) for v in encoded.dictionary.to_pylist()], pa.large_string())
    return pc.replace_with_mask(_one(answer), _one(chosen), changed.take(encoded.indices))


def _odd_cell(text: str) -> str:
    doubled = safe_cell(text).replace('"', '""')
    return f'"{doubled}"'


def _bracketed(values: Texts) -> Texts:
    """Defanged: no program makes a link of it, no invisible character hides in it."""
    shown = pc.replace_substring_regex(_large(values), r"[\pC\p{Zl}\p{Zp}]", "?")
    shown = pc.utf8_slice_codeunits(shown, 0, _SHOWN_LETTERS)
    shown = pc.replace_substring_regex(shown, r"(?i)^http", "hxxp")
    return pc.replace_substring_regex(shown, r"([.:@])", r"[\1]")


def _large(values: Texts) -> Texts:
    return pc.cast(values, pa.large_string())


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _one(values: Texts) -> pa.Array:
    """One array with offsets that begin at its own buffer's beginning."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # no chunk at all
        values = pa.array([], values.type)
    return values if values.offset == 0 else pa.concat_arrays([values])
