"""The columns of an event as detection keeps it on its way to a letter.

A pool holds `ROWS`; a plan holds the same with what was decided about each row. This is also what
a notice's rows are traced by: `report_id`, `row` and `parser` lead to the raw bytes, `network_id`
to the claim, the notice's letters to the contact's version.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.events import STORED, TIME

_KEPT: Final = (
    "organization_id", "key", "day", "report_id", "row", "parser",
    "classification_taxonomy", "classification_type", "classification_identifier",
    "severity", "tlp", "sector", "feed_provider", "feed_name", "feed_code",
    "source_ip", "source_port", "source_asn", "source_fqdn", "source_url", "source_account",
    "destination_ip", "destination_port", "destination_asn", "destination_fqdn",
    "destination_url", "protocol_transport", "protocol_application",
    "malware_name", "malware_hash_sha256", "network_id", "network", "network_kind",
    "first_seen", "last_seen", "sightings", "extra",
)  # fmt: skip

ROWS: Final = pa.schema([*(STORED.field(name) for name in _KEPT), pa.field("time", TIME)])

#: tell: stands in the letter; withheld: told lately; carried: waits for the threshold;
#: inhibited: no letters about it for now; refused: its label lets it leave by no door.
DECISIONS: Final = ("tell", "withheld", "carried", "inhibited", "refused")

PLAN: Final = pa.schema(
    [
        *ROWS,
        pa.field("finding", pa.int64(), nullable=False),  # the standing problem, without time
        pa.field("first_told", TIME),  # NULL: never told before
        pa.field("decision", pa.string(), nullable=False),
    ]
)

#: When each finding was told: one row per finding and run, merged now and then.
TOLD: Final = pa.schema(
    [
        pa.field("organization_id", pa.int64(), nullable=False),
        pa.field("finding", pa.int64(), nullable=False),
        pa.field("first_told", TIME, nullable=False),
        pa.field("last_told", TIME, nullable=False),
        pa.field("last_seen", TIME, nullable=False),
    ]
)


def owned_rows(events: pa.Table) -> pa.Table:
    """The rows of `events` (columns of `formats.events.STORED`) that somebody owns, as `ROWS`.

    `time` is the source's time where it gave one, else the time of observation.
    """
    owned = events.filter(pc.is_valid(events["organization_id"]))
    columns = [owned[name] for name in _KEPT]
    columns.append(pc.coalesce(owned["time_source"], owned["time_observation"]))
    return pa.table(columns, names=ROWS.names).cast(ROWS)
