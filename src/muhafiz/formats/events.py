"""The columns of a security event.

Names follow the IntelMQ Data Format with dots as underscores; classification is pure RSIT.
Columns use only types that DuckDB and Spark read alike: addresses as 16 bytes big-endian
(IPv4 mapped, RFC 4291 section 2.5.5.2) beside their text, UTC microseconds, signed integers,
strings. "Nothing" is NULL in every column, never 0 and never an empty string.
"""

from __future__ import annotations

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
ADDRESS = pa.binary(16)

#: What a source's parser gives: one row per accepted row of the report.
PARSED = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # 1-based position in the report
        pa.field("time_source", TIME),  # when the source saw it; NULL when the row does not say
        pa.field("feed_provider", pa.string()),
        pa.field("feed_name", pa.string()),
        pa.field("feed_code", pa.string()),  # the report type, e.g. "scan_telnet"
        pa.field("classification_taxonomy", pa.string()),  # RSIT class
        pa.field("classification_type", pa.string()),  # RSIT type
        pa.field("classification_identifier", pa.string()),  # finer than RSIT, e.g. "open-telnet"
        pa.field("severity", pa.string()),  # critical, high, medium, low, info
        pa.field("tlp", pa.string()),  # CLEAR, GREEN, AMBER, AMBER+STRICT, RED
        pa.field("source_ip", pa.string()),  # canonical text, RFC 5952
        pa.field("source_address", ADDRESS),
        pa.field("source_port", pa.int32()),
        pa.field("source_asn", pa.int64()),
        pa.field("source_fqdn", pa.string()),  # lower case, no final dot, IDNA A-labels
        pa.field("source_url", pa.string()),
        pa.field("source_geolocation_cc", pa.string()),
        pa.field("source_account", pa.string()),
        pa.field("destination_ip", pa.string()),
        pa.field("destination_address", ADDRESS),
        pa.field("destination_port", pa.int32()),
        pa.field("destination_asn", pa.int64()),
        pa.field("destination_fqdn", pa.string()),
        pa.field("destination_url", pa.string()),
        pa.field("protocol_transport", pa.string()),
        pa.field("protocol_application", pa.string()),
        pa.field("malware_name", pa.string()),
        pa.field("malware_hash_sha256", pa.string()),
        pa.field("extra", pa.string()),  # every other column of the row, one JSON object
    ]
)

#: What attribution adds.
ATTRIBUTION = pa.schema(
    [
        pa.field("organization_id", pa.int64()),  # NULL: owned by nobody
        pa.field("sector", pa.string()),  # the owner's sector code at the event's time
        pa.field("network_id", pa.int64()),  # the claim that matched
        pa.field("network", pa.string()),  # its text: "203.0.113.0/24", "example.org", "AS64500"
        pa.field("network_kind", pa.string()),  # address, domain, asn
    ]
)

#: What intake adds: the way back to the raw bytes.
PROVENANCE = pa.schema(
    [
        pa.field("report_id", pa.int64(), nullable=False),
        pa.field("parser", pa.string(), nullable=False),  # "shadowserver/1"
        pa.field("time_observation", TIME, nullable=False),  # when the report was received
    ]
)

#: What the lake accepts.
ACCEPTED = pa.schema([*PARSED, *ATTRIBUTION, *PROVENANCE])

#: What the lake adds and stores.
STORED = pa.schema(
    [
        *ACCEPTED,
        pa.field("key", pa.int64(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),  # UTC day of time_source, else observation
        pa.field("first_seen", TIME, nullable=False),
        pa.field("last_seen", TIME, nullable=False),
        pa.field("sightings", pa.int32(), nullable=False),
        pa.field("source_fqdn_reversed", pa.string()),  # "org.example.www": a suffix is a prefix
    ]
)

#: What could not be read: one row per unreadable row of the report.
SET_ASIDE = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # a stable code, e.g. "column-count"
        pa.field("detail", pa.string(), nullable=False),  # for human eyes, English
        pa.field("column", pa.string()),  # which column is at fault, when one is
        pa.field("raw", pa.binary(), nullable=False),  # the row's bytes as they stood
    ]
)
