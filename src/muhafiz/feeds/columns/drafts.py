"""From named texts to checked events: the last step, the same for every source.

Every column is read once per distinct text. What must be right sets its row aside when it is
unreadable (the source's address, port and AS number, the time); what merely describes (name,
country, severity, hash, the other side) stays NULL and its text goes to `extra` as
"<column>_given". A row without an address whose domain name cannot be read is set aside too: nobody
could ever own it. A row that names its host only in a URL or a mail account is that host's.
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
from muhafiz.feeds.columns.hosts import (
    domains_of_accounts,
    hosts_of_urls,
    read_addresses,
    read_names,
    whole_urls,
)
from muhafiz.feeds.columns.records import row_bytes
from muhafiz.feeds.columns.texts import Column, distinct
from muhafiz.feeds.sources import ParsedBatch
from muhafiz.formats.addresses import parse_addresses, parse_domains
from muhafiz.formats.events import PARSED
from muhafiz.formats.rsit import TAXONOMY_OF, to_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from muhafiz.feeds.columns.aside import Aside
    from muhafiz.feeds.sources import Block, ParseContext

    _Refuse = Callable[[Any, str, str, "Column"], None]

_ADDRESSES = {"source_ip": "source_address", "destination_ip": "destination_address"}
_SHOWN = 80


@dataclass(slots=True)
class Draft:
    """A block's rows on their way to events.

    `rows`: row numbers. `texts`: event column → texts (NULL or empty = nothing). `extra`: one
    JSON object per row, or NULL. `constants`: event column → text where the row says nothing.
    `named`: event column → the report's own name for it. `aside` may hold rows already. `times`:
    how the report writes its times.
    """

    rows: Any
    texts: dict[str, pa.Array]
    extra: pa.Array
    aside: Aside
    constants: Mapping[str, str | None] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    times: readings.TimeForm = readings.PLAIN


def finish(draft: Draft, block: Block, context: ParseContext) -> ParsedBatch:
    """Read, check and lay out a draft's columns as a `ParsedBatch` of this block."""
    done = _plain_times(draft, context.received_at) if draft.times.is_plain else {}
    columns = {name: Column.of(texts) for name, texts in draft.texts.items() if name not in done}
    given: dict[str, pa.Array] = {}
    refuse = _Refusing(draft, block)
    _complete_urls(columns)
    _read_addresses(columns, done, given, refuse)
    _read_strict(columns, done, given, refuse, (context.received_at, draft.times))
    _read_loose(columns, done, given, refuse)
    _read_classification(columns, done, given, draft)
    for name, column in columns.items():
        done.setdefault(name, column.texts())
    _find_hosts(done)
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
        column = Column.of(texts)
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

    def __call__(self, indexes: Any, reason: str, name: str, column: Column) -> None:
        """Set rows aside because of what `column` says."""
        named = self._draft.named.get(name, name)
        for index in indexes.tolist():
            row = int(self._draft.rows[index])
            text = column.text(index)
            place = int(np.searchsorted(self._block.positions, row))
            detail = f"{text[:_SHOWN]!r} cannot be read as {name}"
            self._draft.aside.add(row, reason, detail, row_bytes(self._block, place), column=named)
            self.rows.add(row)


def _complete_urls(columns: dict[str, Column]) -> None:
    """URLs of which a report tells only the path become whole ones."""
    for side in ("source", "destination"):
        name, hosts = f"{side}_url", columns.get(f"{side}_fqdn")
        if name not in columns:
            continue
        applications = columns.get("protocol_application")
        whole = whole_urls(
            spelled(columns[name].texts()),
            None if hosts is None else spelled(hosts.texts()),
            None if applications is None else spelled(applications.texts()),
        )
        if whole is not None:
            columns[name] = Column.of(whole)


def _read_addresses(
    columns: dict[str, Column],
    done: dict[str, pa.Array],
    given: dict[str, pa.Array],
    refuse: _Refuse,
) -> None:
    for name, packed_name in _ADDRESSES.items():
        if name not in columns:
            continue
        column = columns[name]
        texts, packed = read_addresses(column.values)
        done[name], done[packed_name] = column.spread(texts), column.spread(packed)
        unread = column.unread(packed)
        if name == "source_ip":
            refuse(unread, "address", name, column)
        elif unread.size:
            given[f"{name}_given"] = _shown(column, unread)
    if "source_fqdn" in columns:
        _fill_address(done, columns["source_fqdn"].values, columns["source_fqdn"].spread)


def _fill_address(
    done: dict[str, pa.Array], texts: pa.Array, spread: Callable[[pa.Array], pa.Array]
) -> None:
    """Addresses among other texts, for the rows that have none of their own."""
    packed = done.get("source_address")
    if packed is not None and not packed.null_count:
        return
    found, found_packed = parse_addresses(distinct(texts))
    if found.null_count == len(found):
        return
    more, more_packed = spelled(spread(found)), spread(found_packed)
    done["source_address"] = more_packed if packed is None else pc.coalesce(packed, more_packed)
    own = done.get("source_ip")
    done["source_ip"] = more if own is None else pc.coalesce(spelled(own), more)


def _find_hosts(done: dict[str, pa.Array]) -> None:
    """Whom a row speaks of that says it only within its URL or its account's mail address."""
    if (urls := done.get("source_url")) is not None and urls.null_count < len(urls):
        encoded = urls if pa.types.is_dictionary(urls.type) else urls.dictionary_encode()
        hosts = hosts_of_urls(encoded.dictionary)
        _fill_address(done, hosts, lambda read: read.take(encoded.indices))
        names = parse_domains(distinct(hosts)).take(encoded.indices)
        own = done.get("source_fqdn")
        done["source_fqdn"] = names if own is None else pc.coalesce(spelled(own), names)
    if (accounts := done.get("source_account")) is not None:
        texts = spelled(accounts)
        domains = domains_of_accounts(texts)
        own = spelled(done.get("source_fqdn", pa.nulls(len(texts), pa.string())))
        if (packed := done.get("source_address")) is not None:
            domains = pc.if_else(pc.is_valid(packed), None, domains)
        done["source_fqdn"] = pc.coalesce(own, domains)


def _read_strict(
    columns: dict[str, Column],
    done: dict[str, pa.Array],
    given: dict[str, pa.Array],
    refuse: _Refuse,
    times_as: tuple[datetime, readings.TimeForm],
) -> None:
    if "time_source" in columns and "time_source" not in done:
        column = columns["time_source"]
        times = readings.parse_times(column.values, *times_as)
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
        unread = column.unread(numbers)
        if name.startswith("source_"):
            refuse(unread, "number", name, column)
        elif unread.size:
            given[f"{name}_given"] = _shown(column, unread)
        done[name] = column.spread(numbers)


def _loose(name: str, texts: pa.Array) -> pa.Array | None:
    """The reading of a describing column, or None when its text stays as it is."""
    if name in {"source_fqdn", "destination_fqdn"}:
        return read_names(texts)
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
    columns: dict[str, Column],
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
        given[f"{name}_given"] = _shown(column, unread)


def _shown(column: Column, indexes: Any) -> pa.Array:
    """The texts of these rows alone."""
    shown = np.zeros(column.rows, dtype=bool)
    shown[indexes] = True
    return pc.if_else(pa.array(shown), spelled(column.texts()), None)


def _without_address(indexes: Any, done: Mapping[str, pa.Array]) -> Any:
    if "source_address" not in done:
        return indexes
    missing = done["source_address"].is_null().to_numpy(zero_copy_only=False)
    return indexes[missing[indexes]]


def _read_classification(
    columns: dict[str, Column],
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
