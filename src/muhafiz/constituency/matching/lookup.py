"""One address, name or number looked up, with everybody who claims it."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa

from muhafiz.constituency.matching.build import day_number
from muhafiz.constituency.matching.tables import MatchTables
from muhafiz.formats.addresses import parse_addresses, parse_domains

_ASN = re.compile(r"AS([0-9]{1,10})", re.IGNORECASE | re.ASCII)


def claims_in_order(tables: MatchTables, text: str, day: date) -> list[int]:
    """The ids of the claims to an address, domain or ASN that hold on a day, the winner first."""
    row = _first_row(tables, text.strip())
    number = day_number(day)
    network_ids = tables.facts["network_id"]
    found: dict[int, None] = {}
    while row >= 0:
        if tables.first_day[row] <= number < tables.last_day[row]:
            found[network_ids[row].as_py()] = None
        row = int(tables.following[row])
    return list(found)


def _first_row(tables: MatchTables, text: str) -> int:
    packed = parse_addresses(pa.array([text]))[1][0].as_py()
    if packed is not None and packed.startswith(bytes(10) + b"\xff\xff"):
        return int(tables.rows_of_v4(np.frombuffer(packed[12:], ">u4").astype(np.uint32))[0])
    if packed is not None:
        halves = np.frombuffer(packed, ">u8").astype(np.uint64)
        return int(tables.rows_of_v6(halves[:1], halves[1:])[0])
    asn = _ASN.fullmatch(text)
    if asn:
        return int(tables.rows_of_asns(np.array([int(asn.group(1))], np.int64))[0])
    names = parse_domains(pa.array([text])).drop_null()
    return int(tables.rows_of_domains(names)[0]) if len(names) else -1
