"""How long counting a day of events into findings takes: `python benchmarks/findings.py [EVENTS]`.

Appends EVENTS rows (10⁶ unless told otherwise) about 5,000 owners to an empty installation, counts
them into findings, then counts again after one more report, as every two minutes of a day.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muhafiz.config.settings")
os.environ["MUHAFIZ_VAR"] = tempfile.mkdtemp(prefix="muhafiz-findings-")

import django
import numpy as np
import pyarrow as pa

django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first

from muhafiz.common.actor import Actor  # noqa: E402 - as above
from muhafiz.detection.actions.exposure import gather_findings  # noqa: E402 - as above
from muhafiz.formats.events import ACCEPTED  # noqa: E402 - as above
from muhafiz.lake.actions.append import append_batch  # noqa: E402 - as above

OWNERS = 5_000
KINDS = ("open-telnet", "open-rdp", "open-vnc", "open-dns-resolver", "open-elasticsearch")
ACTOR = Actor.command("benchmark")


def rows(count: int, day: datetime, report: int, seed: int) -> pa.Table:
    """Accepted rows about random hosts, owners and services."""
    draw = np.random.default_rng(seed)
    hosts = draw.integers(0, 2**24, count)
    octets = [10, hosts >> 16 & 255, hosts >> 8 & 255, hosts & 255]
    texts = [f"10.{a}.{b}.{c}" for a, b, c in zip(*octets[1:], strict=True)]
    packed = [
        b"\0" * 10 + b"\xff\xff" + bytes(four)
        for four in zip([10] * count, *octets[1:], strict=True)
    ]
    given = {
        "row": pa.array(np.arange(count)),
        "time_source": pa.array([day] * count, pa.timestamp("us", tz="UTC")),
        "feed_code": pa.array(["scan"] * count),
        "classification_taxonomy": pa.array(["vulnerable"] * count),
        "classification_type": pa.array(["potentially-unwanted-accessible"] * count),
        "classification_identifier": pa.array(np.take(KINDS, draw.integers(0, 5, count))),
        "severity": pa.array(["medium"] * count),
        "tlp": pa.array(["AMBER"] * count),
        "source_ip": pa.array(texts),
        "source_address": pa.array(packed, pa.binary(16)),
        "source_port": pa.array([23] * count, pa.int32()),
        "organization_id": pa.array(hosts % OWNERS + 1),
        "parser": pa.array(["benchmark/1"] * count),
        "report_id": pa.array([report] * count, pa.int64()),
        "time_observation": pa.array([day] * count, pa.timestamp("us", tz="UTC")),
    }
    columns = [
        given.get(field.name, pa.nulls(count, field.type)).cast(field.type) for field in ACCEPTED
    ]
    return pa.Table.from_arrays(columns, schema=ACCEPTED)


def main(events: int) -> None:
    """Append, count, append a little more, count again."""
    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    day = now - timedelta(hours=20)
    for batch in range(0, events, 250_000):
        table = rows(min(250_000, events - batch), day, 1, batch)
        append_batch(table, report_id=1, batch_number=batch, actor=ACTOR, now=now)
    started, worked = time.perf_counter(), time.process_time()
    first = gather_findings(actor=ACTOR, now=now)
    took, busy = time.perf_counter() - started, time.process_time() - worked
    print(f"{events:,} events: {took:.1f} s ({busy:.1f} s of work), {first.findings:,} findings")
    append_batch(rows(10_000, day, 2, 7), report_id=2, batch_number=1, actor=ACTOR, now=now)
    started, worked = time.perf_counter(), time.process_time()
    gather_findings(actor=ACTOR, now=now + timedelta(minutes=2))
    took, busy = time.perf_counter() - started, time.process_time() - worked
    print(f"after 10,000 more: {took:.1f} s ({busy:.1f} s of work)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
