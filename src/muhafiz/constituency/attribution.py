"""Whose an event is: by address, else by domain, else by ASN, as things stood on its day."""

from __future__ import annotations

import logging
import threading
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from muhafiz.constituency.matching.build import ClaimRow, build_tables
from muhafiz.constituency.matching.cache import SpoiledTables, keep_tables, kept_tables
from muhafiz.constituency.matching.intervals import Rows
from muhafiz.constituency.matching.tables import SINCE_EVER, Days, MatchTables
from muhafiz.constituency.models import Claim, Organization, PastSector, State
from muhafiz.constituency.rules import sector_periods
from muhafiz.formats.events import ACCEPTED, ATTRIBUTION

_LOG = logging.getLogger(__name__)
_MICROSECONDS_A_DAY = 86_400_000_000
_MAPPED = 0xFFFF
_UNBORN = "-"  # before the first change ever
_building = threading.Lock()
_latest: list[MatchTables] = []


def match_tables() -> MatchTables:
    """The tables of the constituency as it stands; one short query when nothing changed.

    Kept in memory, and on disk under the installation's "match" folder for other processes; a
    spoiled file is built anew. A change is seen by every call after its commit.
    """
    token = _token()
    for tables in _latest:
        if tables.token == token:
            return tables
    with _building:
        for tables in _latest:
            if tables.token == token:
                return tables
        tables = _kept(token) or _built()
        _latest[:] = [tables]
    return tables


def attribute(batch: pa.Table, tables: MatchTables, *, encode: bool = False) -> pa.Table:
    """Add the columns of `formats.events.ATTRIBUTION` to a batch of events.

    The day is that of `time_source`, else of `time_observation`, in UTC. An event without an
    address is matched by its domain or ASN only; 0.0.0.0 and :: are no addresses. What nobody
    claims has NULL in all five columns.

    Args:
        batch: has source_address, source_fqdn, source_asn, time_source, and time_observation
            where time_source may be NULL. Attribution columns already there are replaced.
        tables: from `match_tables`; shared freely between threads.
        encode: the strings added are dictionary-encoded, which spares their copying.

    Returns:
        The batch, its columns in the order of `formats.events.ACCEPTED`, others at the end.
    """
    days = _days(batch)
    rows = tables.holding(_rows_by_address(batch, tables), days)
    for search in (_rows_by_domain, _rows_by_asn):
        open_rows = np.flatnonzero((rows < 0) & (days != SINCE_EVER))
        if open_rows.size:
            found = search(batch, open_rows, tables)
            rows[open_rows] = tables.holding(found, days[open_rows])
    facts = _encoded_facts(tables) if encode else tables.facts
    taken = facts.take(pa.array(rows, pa.int32(), mask=rows < 0))
    kept = batch.drop_columns([n for n in ATTRIBUTION.names if n in batch.column_names])
    for name in ATTRIBUTION.names:
        kept = kept.append_column(name, taken[name])
    known = [name for name in ACCEPTED.names if name in kept.column_names]
    return kept.select([*known, *(n for n in kept.column_names if n not in known)])


@lru_cache(maxsize=2)
def _encoded_facts(tables: MatchTables) -> pa.Table:
    facts = tables.facts.combine_chunks()
    return pa.table(
        {
            field.name: facts[field.name].dictionary_encode()
            if pa.types.is_string(field.type)
            else facts[field.name]
            for field in ATTRIBUTION
        }
    )


def _days(batch: pa.Table) -> Days:
    """Each event's UTC day since 1970-01-01; an event without any time gets a day before all."""
    times = batch["time_source"]
    if times.null_count and "time_observation" in batch.column_names:
        times = pc.coalesce(times, batch["time_observation"])
    moments = times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    numbers = moments.combine_chunks().fill_null(0).to_numpy(zero_copy_only=False)
    days: Days = (numbers // _MICROSECONDS_A_DAY).astype(np.int32)
    if moments.null_count:
        days[moments.is_null().combine_chunks().to_numpy(zero_copy_only=False)] = SINCE_EVER
    return days


def _rows_by_address(batch: pa.Table, tables: MatchTables) -> Rows:
    column = batch["source_address"].cast(pa.binary(16)).combine_chunks()
    rows = np.full(len(column), -1, np.int32)
    words = np.frombuffer(column.buffers()[1] or b"", ">u4")
    words = words[4 * column.offset : 4 * (column.offset + len(column))].reshape(-1, 4)
    upper_empty = (words[:, 0] | words[:, 1]) == 0
    is_v4 = upper_empty & (words[:, 2] == _MAPPED)
    known = _valid(column)
    v4 = np.flatnonzero(is_v4 & known & (words[:, 3] != 0))
    rows[v4] = tables.rows_of_v4(words[v4, 3].astype(np.uint32))
    v6 = np.flatnonzero(~is_v4 & known & ~(upper_empty & ((words[:, 2] | words[:, 3]) == 0)))
    halves = words[v6].astype(np.uint64)
    rows[v6] = tables.rows_of_v6(
        halves[:, 0] << np.uint64(32) | halves[:, 1], halves[:, 2] << np.uint64(32) | halves[:, 3]
    )
    return rows


def _valid(column: pa.Array) -> npt.NDArray[np.bool_]:
    if not column.null_count:
        return np.ones(len(column), bool)
    valid: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _rows_by_domain(batch: pa.Table, places: npt.NDArray[np.int64], tables: MatchTables) -> Rows:
    names = batch["source_fqdn"].take(pa.array(places)).cast(pa.string()).combine_chunks()
    found = np.full(len(places), -1, np.int32)
    if names.null_count == len(names):
        return found
    found[_valid(names)] = tables.rows_of_domains(names.drop_null())
    return found


def _rows_by_asn(batch: pa.Table, places: npt.NDArray[np.int64], tables: MatchTables) -> Rows:
    numbers = batch["source_asn"].take(pa.array(places)).cast(pa.int64()).combine_chunks()
    filled = numbers.fill_null(0).to_numpy(zero_copy_only=False)  # 0 is no ASN (RFC 7607)
    return tables.rows_of_asns(filled)


def _token() -> str:
    found = State.objects.values_list("token", flat=True).first()
    return str(found) if found else _UNBORN


def _kept(token: str) -> MatchTables | None:
    folder = settings.VAR / "match"
    try:
        return kept_tables(folder, token)
    except (SpoiledTables, OSError) as error:
        _LOG.warning("The match tables in %s are built anew: %r", folder, error)
        return None


def _built() -> MatchTables:
    """Build from the database, again if it changed meanwhile, and keep on disk if possible."""
    token, tables = _token(), None
    while tables is None or tables.token != token:
        tables = build_tables(_claim_rows(), token)
        token = _token()
    if token != _UNBORN:
        try:
            keep_tables(settings.VAR / "match", tables)
        except OSError as error:
            _LOG.warning("The match tables could not be kept on disk: %s", error)
    return tables


def _claim_rows() -> list[ClaimRow]:
    """All claims that were ever meant to hold, each once per sector of its owner."""
    sectors = dict(Organization.objects.values_list("pk", "sector"))
    past: dict[int, list[tuple[date, str]]] = {}
    for owner, gone, sector in PastSector.objects.values_list(
        "organization_id", "valid_to", "sector"
    ):
        past.setdefault(owner, []).append((gone, sector))
    rows: list[ClaimRow] = []
    columns = ("pk", "organization_id", "kind", "text", "origin", "valid_from", "valid_to")
    claims = Claim.objects.filter(withdrawn_at__isnull=True).order_by().values_list(*columns)
    for pk, owner, kind, text, origin, start, end in claims.iterator(chunk_size=20_000):
        if owner not in past:
            rows.append(ClaimRow(pk, owner, sectors[owner], kind, text, origin, start, start, end))
            continue
        for sector, since, until in sector_periods(sectors[owner], past[owner]):
            first = max(filter(None, (start, since)), default=None)
            last = min(filter(None, (end, until)), default=None)
            rows.append(ClaimRow(pk, owner, sector, kind, text, origin, start, first, last))
    return rows
