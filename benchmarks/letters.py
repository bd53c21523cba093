"""Letters composed from stored events: 10^5 letters from 10^7 events, and smaller.

Every organization owns 100 events on average, of eight classes, over one day; every other contact
reads Urdu. Measured apart: gathering from the lake, planning, composing (numbers, gate, documents,
final MIME bytes in the outbox, audit: all durable). Each size runs in a process and a folder of its
own. `--encrypted` gives that share (percent) of contacts an OpenPGP certificate.

    python benchmarks/letters.py [--events N ...] [--encrypted PERCENT] [--json FILE]
"""

# ruff: noqa: PLC0415 - Django must be set up before its rooms are imported

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SIZES = (100_000, 1_000_000, 10_000_000)
PER_LETTER = 100
BATCH = 250_000
TARGET_SECONDS = 300
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def set_up(var: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muhafiz.config.settings")
    os.environ["MUHAFIZ_VAR"] = var
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.MAIL_FROM = "notices@cert.example"
    call_command("migrate", verbosity=0)


def measure(events: int, encrypted: int) -> dict[str, Any]:
    """One size, in this process."""
    from muhafiz.common.actor import Actor
    from muhafiz.common.clock import HeldClock

    actor = Actor.command("bench")
    with tempfile.TemporaryDirectory(prefix="muhafiz-letters-") as var:
        set_up(var)
        letters = events // PER_LETTER
        make_organizations(letters, encrypted, actor)
        fill(events, letters, actor)
        found: dict[str, Any] = {"events": events, "letters": letters, "encrypted_%": encrypted}
        found["peak_before_mib"] = peak_mib()
        found |= digest(actor, HeldClock(NOW + timedelta(days=1)))
        found["peak_mib"] = peak_mib()
        check(events, letters)
        return found


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def make_organizations(count: int, encrypted: int, actor: Any) -> None:
    """Straight into the tables: what is measured begins after registration."""
    from muhafiz.constituency.models import Contact, ContactVersion, Organization
    from muhafiz.keyring.actions.certificates import ensure_signing_certificate
    from muhafiz.keyring.queries import own_certificate
    from muhafiz.rulebook.actions.profile import load_profile

    load_profile("pakistan", actor=actor, now=NOW)
    ensure_signing_certificate(actor=actor, now=NOW)
    certificate = own_certificate(at=NOW).public  # any certificate that can encrypt
    for start in range(1, count + 1, 10_000):
        numbers = range(start, min(start + 10_000, count + 1))
        Organization.objects.bulk_create(
            [
                Organization(
                    pk=n, name_en=f"Organization {n}", name_ur=f"ادارہ {n}", created_at=NOW
                )
                for n in numbers
            ]
        )
        Contact.objects.bulk_create(
            [
                Contact(pk=n, organization_id=n, origin="manual", source="bench", created_at=NOW)
                for n in numbers
            ]
        )
        ContactVersion.objects.bulk_create(
            [
                ContactVersion(
                    contact_id=n, version=1, role="abuse", created_at=NOW, created_by="bench",
                    address=f"abuse@organization{n}.example", language=("en", "ur")[n % 2],
                    certificate=certificate if n % 100 < encrypted else "",
                )
                for n in numbers
            ]
        )  # fmt: skip


def fill(events: int, letters: int, actor: Any) -> None:
    """The lake, in reports of one batch each."""
    import numpy as np

    from muhafiz.lake.actions.append import append_batch

    random = np.random.default_rng(1)
    for report, start in enumerate(range(0, events, BATCH), start=1):
        rows = min(BATCH, events - start)
        table = accepted(random, rows, letters, report)
        append_batch(table, report_id=report, batch_number=1, actor=actor, now=NOW)


def accepted(random: Any, rows: int, letters: int, report: int) -> Any:
    """Attributed rows of one report."""
    import numpy as np
    import pyarrow as pa

    from muhafiz.formats.events import ACCEPTED

    classes = np.array(
        [
            ("vulnerable", "potentially-unwanted-accessible", "open-telnet"),
            ("vulnerable", "ddos-amplifier", "open-dns"),
            ("vulnerable", "weak-crypto", "poodle"),
            ("vulnerable", "vulnerable-system", "cve-2026-1234"),
            ("malicious-code", "infected-system", "mirai"),
            ("malicious-code", "c2-server", "qakbot"),
            ("information-gathering", "scanner", "ssh-scan"),
            ("intrusion-attempts", "brute-force", "rdp"),
        ]
    )
    kind = random.integers(0, len(classes), rows)
    owner = random.integers(1, letters + 1, rows)
    host = random.integers(0, 256, rows)
    word = (owner.astype(np.uint64) << np.uint64(8) | host.astype(np.uint64)) + np.uint64(16 << 24)
    octets = [(word >> np.uint64(s) & np.uint64(255)).astype(str) for s in (24, 16, 8, 0)]
    text = octets[0]
    for octet in octets[1:]:
        text = np.char.add(np.char.add(text, "."), octet)
    raw = np.zeros((rows, 2), dtype=np.uint64)
    raw[:, 1] = word | np.uint64(0xFFFF00000000)
    seen = int(NOW.timestamp() * 1e6) - random.integers(0, 3_600_000_000, rows)
    given = {
        "row": pa.array(np.arange(1, rows + 1)),
        "time_source": pa.array(seen).cast(ACCEPTED.field("time_source").type),
        "time_observation": pa.array(seen).cast(ACCEPTED.field("time_source").type),
        "feed_provider": pa.repeat("Shadowserver", rows),
        "feed_code": pa.repeat("scan_telnet", rows),
        "classification_taxonomy": pa.array(classes[kind, 0]),
        "classification_type": pa.array(classes[kind, 1]),
        "classification_identifier": pa.array(classes[kind, 2]),
        "severity": pa.repeat("medium", rows),
        "tlp": pa.repeat("AMBER", rows),
        "source_ip": pa.array(text),
        "source_address": pa.Array.from_buffers(
            pa.binary(16), rows, [None, pa.py_buffer(raw.astype(">u8").tobytes())]
        ),
        "source_port": pa.array(random.integers(1, 65536, rows).astype("i4")),
        "protocol_transport": pa.repeat("tcp", rows),
        "organization_id": pa.array(owner),
        "network_id": pa.array(owner),
        "network": pa.repeat("16.0.0.0/8", rows),
        "network_kind": pa.repeat("address", rows),
        "report_id": pa.repeat(report, rows),
        "parser": pa.repeat("shadowserver/1", rows),
        "extra": pa.repeat('{"tag":"telnet","banner":"login:, Password"}', rows),
    }
    return pa.table({f.name: given.get(f.name, pa.nulls(rows, f.type)) for f in ACCEPTED}).cast(
        ACCEPTED
    )


def digest(actor: Any, clock: Any) -> dict[str, float]:
    """The four steps, each timed."""
    from muhafiz.detection.actions import notices, windows
    from muhafiz.detection.actions.policies import write_policy
    from muhafiz.detection.rules import Policy

    write_policy(policy=Policy("all", "daily"), title="All", actor=actor, now=NOW)
    found: dict[str, float] = {}
    begun = started = time.perf_counter()
    windows.gather_arrivals(actor=actor, now=clock.now())
    found["gather_s"], started = time.perf_counter() - started, time.perf_counter()
    [run] = windows.seal_windows(actor=actor, now=clock.now())
    windows.plan_run(run, actor=actor, now=clock.now())
    found["plan_s"], started = time.perf_counter() - started, time.perf_counter()
    notices.compose_run(run, actor=actor, clock=clock)
    found["compose_s"] = time.perf_counter() - started
    found["seconds"] = time.perf_counter() - begun
    return {name: round(value, 1) for name, value in found.items()}


def check(events: int, letters: int) -> None:
    """Nothing lost, nothing double: the letters' events are the lake's."""
    from django.db.models import Sum

    from muhafiz.detection.models import Notice
    from muhafiz.lake.queries import count
    from muhafiz.lake.query import EventQuery
    from muhafiz.notifications.queries import counts_by_state

    told = Notice.objects.aggregate(told=Sum("events"))["told"]
    assert told == count(EventQuery(limit=None)), (told, events)
    owners = Notice.objects.values("organization_id").distinct().count()
    assert owners == Notice.objects.count() == counts_by_state()["queued"], owners
    assert abs(owners - letters) <= letters * 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="*", default=SIZES)
    parser.add_argument("--encrypted", type=int, default=0)
    parser.add_argument("--json")
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        print(json.dumps(measure(chosen.inside, chosen.encrypted)))
        return
    results = []
    for events in chosen.events:
        command = [sys.executable, __file__, "--inside", str(events)]
        command += ["--encrypted", str(chosen.encrypted)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append(json.loads(answer.stdout.splitlines()[-1]))
        print(results[-1], flush=True)
    if chosen.json:
        with Path(chosen.json).open("w", encoding="utf-8") as stream:
            json.dump(results, stream, indent=2)
    largest = results[-1]
    verdict = "met" if largest["seconds"] <= TARGET_SECONDS else "MISSED"
    print(f"target {TARGET_SECONDS} s at {SIZES[-1]} events: {largest['seconds']} s, {verdict}")


if __name__ == "__main__":
    main()
