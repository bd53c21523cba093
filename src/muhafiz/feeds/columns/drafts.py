"""From named texts to checked events: the last step, the same for every source.

Every column is read once per distinct text. What must be right sets its row aside when it is
unreadable (address, time, port, AS number); what merely describes (name, country, severity, hash)
stays NULL and its text goes to `extra` as "<column>_given". A row without an address whose domain
name cannot be read is set aside too: nobody could ever own it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns import readings
from muhafiz.feeds.columns.coded import coded, constant, filled, spelled
from muhafiz.feeds.columns.extras import json_objects, merged
from muhafiz.feeds.columns.records import row_bytes
from muhafiz.feeds.sources import ParsedBatch
from muhafiz.formats.addresses import parse_addresses, parse_domains
from muhafiz.formats.events import PARSED
from muhafiz.formats.rsit import TAXONOMY_OF, to_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from muhafiz.feeds.columns.aside import Aside
    from muhafiz.feeds.sources import Block, ParseContext

    _Refuse = Callable[[Any, str, str, "_Column"], None]

_ADDRESSES = {"source_ip": "source_address", "destination_ip": "destination_address"}
_SHOWN = 80
_SAMPLE = 2_000


@dataclass(slots=True)
class Draft:
    """A block's rows on their way to events.

    `rows`: row numbers. `texts`: event column → texts (NULL or empty = nothing). `extra`: one
    JSON object per row, or NULL. `constants`: event column → text where the row says nothing.
    `named`: event column → the report's own name for it. `aside` may hold rows already.
    """

    rows: Any
    texts: dict[str, pa.Array]
    extra: pa.Array
    aside: Aside
    constants: Mapping[str, str | None] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


def plain_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array, without a copy where it is one already."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


@dataclass(slots=True)
class _Column:
    """Distinct texts and each row's place among them; no places where hardly a text repeats."""

    values: pa.Array
    indices: pa.Array | None

    @classmethod
    def of(cls, texts: pa.Array | pa.ChunkedArray) -> _Column:
        """Encode; trim; empty is NULL."""
        array = plain_array(texts)
        if _hardly_repeats(array):
            return cls(readings.empty_to_null(array), None)
        encoded = array.dictionary_encode()
        return cls(readings.empty_to_null(encoded.dictionary), encoded.indices)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.values if self.indices is None else self.indices)

    def text(self, row: int) -> str:
        """One row's text, which must be there."""
        place = row if self.indices is None else self.indices[row].as_py()
        return str(self.values[place].as_py())

    def spread(self, read: pa.Array) -> pa.Array:
        """A reading of the distinct values for all rows; texts stay coded."""
        if self.indices is None:
            return read
        if pa.types.is_string(read.type):
            return coded(read, self.indices)
        return read.take(self.indices)

    def unread(self, read: pa.Array) -> Any:
        """Indexes of the rows whose text is there and was not read."""
        bad = pc.and_(pc.is_valid(self.values), pc.is_null(read))
        if not pc.any(bad).as_py():
            return np.empty(0, np.int64)
        mask = pc.fill_null(self.spread(bad), False)
        return np.flatnonzero(mask.to_numpy(zero_copy_only=False))

    def texts(self) -> pa.Array:
        """The texts of all rows."""
        return self.spread(self.values)


def _hardly_repeats(texts: pa.Array) -> bool:
    """Whether looking for repetitions would cost more than it spares: a guess by a few rows."""
    if not pa.types.is_string(texts.type) or len(texts) < _SAMPLE:
        return False
    sample = texts.slice(len(texts) - _SAMPLE)
    said = sample.filter(pc.not_equal(sample, ""))
    return bool(pc.count_distinct(said).as_py() * 10 > len(said) * 9)


def finish(draft: Draft, block: Block, context: ParseContext) -> ParsedBatch:
    """Read, check and lay out a draft's columns as a `ParsedBatch` of this block."""
    done = _plain_times(draft, context.received_at)
    columns = {name: _Column.of(texts) for name, texts in draft.texts.items() if name not in done}
    given: dict[str, pa.Array] = {}
    refuse = _Refusing(draft, block)
    _read_addresses(columns, done, refuse)
    _read_strict(columns, done, refuse, context.received_at)
    _read_loose(columns, done, given, refuse)
    _read_classification(columns, done, given, draft)
    for name, column in columns.items():
        done.setdefault(name, column.texts())
    _fill_constants(done, draft, context)
    extra = draft.extra
    if given:
        extra = merged(extra, json_objects(given, len(draft.rows)))
    events = _lay_out(done, draft, extra)
    if len(refuse.rows):
        keep = np.isin(draft.rows, list(refuse.rows), invert=True)
        events = events.filter(pa.array(keep))
    last = block.first_row + block.rows - 1
    return ParsedBatch(events, draft.aside.table(block.apart), last)


def _plain_times(draft: Draft, received_at: datetime) -> dict[str, pa.Array]:
    """The times, read at once, when every row has a sound one; else nothing."""
    texts = draft.texts.get("time_source")
    if texts is None or len(texts) == 0:
        return {}
    if pa.types.is_dictionary(texts.type):
        column = _Column.of(texts)
        times = readings.parse_uniform_times(column.values, received_at)
        times = None if times is None else column.spread(times)
    else:
        times = readings.parse_uniform_times(texts, received_at)
    return {} if times is None or times.null_count else {"time_source": times}


class _Refusing:
    """Sets a draft's rows aside by their index."""

    def __init__(self, draft: Draft, block: Block) -> None:
        self._draft = draft
        self._block = block
        self.rows: set[int] = set()

    def __call__(self, indexes: Any, reason: str, name: str, column: _Column) -> None:
        """Set rows aside because of what `column` says."""
        named = self._draft.named.get(name, name)
        for index in indexes.tolist():
            row = int(self._draft.rows[index])
            text = column.text(index)
            place = int(np.searchsorted(self._block.positions, row))
            detail = f"{text[:_SHOWN]!r} cannot be read as {name}"
            self._draft.aside.add(row, reason, detail, row_bytes(self._block, place), column=named)
            self.rows.add(row)


def _distinct(texts: pa.Array) -> pa.DictionaryArray:
    """Texts that are distinct already, said so that nobody looks for repetitions again."""
    places = pa.array(np.arange(len(texts), dtype=np.int32))
    return pa.DictionaryArray.from_arrays(places, pc.fill_null(texts, ""))


def _read_addresses(
    columns: dict[str, _Column], done: dict[str, pa.Array], refuse: _Refuse
) -> None:
    for name, packed_name in _ADDRESSES.items():
        if name not in columns:
            continue
        column = columns[name]
        texts, packed = parse_addresses(_distinct(column.values))
        refuse(column.unread(packed), "address", name, column)
        done[name], done[packed_name] = column.spread(texts), column.spread(packed)


def _read_strict(
    columns: dict[str, _Column], done: dict[str, pa.Array], refuse: _Refuse, received_at: datetime
) -> None:
    if "time_source" in columns:
        column = columns["time_source"]
        times = readings.parse_times(column.values, received_at)
        refuse(column.unread(times), "time", "time_source", column)
        done["time_source"] = column.spread(times)
    for name in ("source_port", "destination_port", "source_asn", "destination_asn"):
        if name not in columns:
            continue
        column = columns[name]
        if name.endswith("_asn"):  # AS 0 is nobody's (RFC 7607)
            column.values = pc.if_else(pc.equal(column.values, "0"), None, column.values)
            numbers = readings.parse_asns(column.values)
        else:
            numbers = readings.parse_ports(column.values)
        refuse(column.unread(numbers), "number", name, column)
        done[name] = column.spread(numbers)


def _loose(name: str, texts: pa.Array) -> pa.Array | None:
    """The reading of a describing column, or None when its text stays as it is."""
    if name in {"source_fqdn", "destination_fqdn"}:
        return parse_domains(_distinct(texts))
    if name == "source_geolocation_cc":
        return readings.parse_matching(pc.ascii_upper(texts), "[A-Z]{2}")
    if name == "malware_hash_sha256":
        return readings.parse_matching(pc.ascii_lower(texts), "[0-9a-f]{64}")
    if name == "severity":
        return readings.parse_severities(texts)
    if name == "tlp":
        return readings.parse_tlps(texts)
    return pc.ascii_lower(texts) if name == "protocol_transport" else None


def _read_loose(
    columns: dict[str, _Column],
    done: dict[str, pa.Array],
    given: dict[str, pa.Array],
    refuse: _Refuse,
) -> None:
    for name, column in columns.items():
        read = _loose(name, column.values)
        if read is None:
            continue
        done[name] = column.spread(read)
        unread = column.unread(read)
        if not unread.size:
            continue
        if name == "source_fqdn":
            refuse(_without_address(unread, done), "domain", name, column)
        shown = np.zeros(column.rows, dtype=bool)
        shown[unread] = True
        given[f"{name}_given"] = pc.if_else(pa.array(shown), spelled(column.texts()), None)


def _without_address(indexes: Any, done: Mapping[str, pa.Array]) -> Any:
    if "source_address" not in done:
        return indexes
    missing = done["source_address"].is_null().to_numpy(zero_copy_only=False)
    return indexes[missing[indexes]]


def _read_classification(
    columns: dict[str, _Column],
    done: dict[str, pa.Array],
    given: dict[str, pa.Array],
    draft: Draft,
) -> None:
    """Words to RSIT types; a word that RSIT lacks is the identifier.

    Where the row has an identifier of its own, the word goes to `extra`.
    """
    if "classification_type" not in columns:
        return
    column = columns["classification_type"]
    default = draft.constants.get("classification_type")
    words = [to_type(word) if word is not None else None for word in column.values.to_pylist()]
    types = pa.array([default if each is None else each.type for each in words], pa.string())
    finer = pa.array([None if each is None else each.identifier for each in words], pa.string())
    done["classification_type"] = column.spread(types)
    identifier = spelled(column.spread(finer))
    if "classification_identifier" in columns:
        own = spelled(columns["classification_identifier"].texts())
        if len(own.drop_null()) and len(finer.drop_null()):
            given["classification_type_given"] = pc.if_else(pc.is_valid(own), identifier, None)
        identifier = pc.coalesce(own, identifier)
    done["classification_identifier"] = identifier


def _fill_constants(done: dict[str, pa.Array], draft: Draft, context: ParseContext) -> None:
    """Constants where rows say nothing; the feed's own words win over the mapping's."""
    options = context.options
    constants: dict[str, str | None] = dict(draft.constants)
    for name, option in (
        ("feed_provider", "provider"),
        ("feed_name", "feed"),
        ("feed_code", "code"),
        ("tlp", "tlp"),
    ):
        if options.get(option):
            given = str(options[option])
            constants[name] = readings.read_tlp(given) if name == "tlp" else given
    for name, text in constants.items():
        if text is None:
            continue
        done[name] = _filled(done.get(name), name, text, len(draft.rows))


def _filled(column: pa.Array | None, name: str, text: str, rows: int) -> pa.Array:
    kind = PARSED.field(name).type
    if pa.types.is_integer(kind):
        number = pa.scalar(int(text), kind)
        return pa.repeat(number, rows) if column is None else pc.fill_null(column, number)
    return constant(text, rows) if column is None else filled(column, text)


def _lay_out(done: dict[str, pa.Array], draft: Draft, extra: pa.Array) -> pa.Table:
    rows = len(draft.rows)
    done["row"] = pa.array(draft.rows, pa.int64())
    done["extra"] = extra
    if "classification_type" in done:
        types = done["classification_type"].dictionary_encode()
        taxonomies = [TAXONOMY_OF.get(each) for each in types.dictionary.to_pylist()]
        done["classification_taxonomy"] = coded(pa.array(taxonomies, pa.string()), types.indices)
    arrays = [done[f.name] if f.name in done else pa.nulls(rows, f.type) for f in PARSED]
    fields = [field.with_type(array.type) for field, array in zip(PARSED, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
