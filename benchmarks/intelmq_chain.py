"""An IntelMQ 3.5 chain on the same kind of report, as an outside peer, and ours beside it.

IntelMQ is AGPL: it is run as programs of its own in a virtual environment outside this tree, never
imported, none of it copied. The chain is its file collector, Shadowserver parser, deduplicator, ASN
look-up (pyasn), contact look-up (SQLite, by ASN) and file output, all bots at once over a Redis of
our own on loopback. The clock runs from the moment the collector has handed the report on (it then
deletes the file) to the last event in the output file.

    python -m venv /elsewhere/intelmq && /elsewhere/intelmq/bin/pip install "intelmq==3.5.*" pyasn
    python benchmarks/intelmq_chain.py FOLDER --venv /elsewhere/intelmq --rows 10000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import generate
import hot_path

BOTS = (
    ("file-collector", "intelmq.bots.collectors.file.collector_file", "parser"),
    ("parser", "intelmq.bots.parsers.shadowserver.parser", "deduplicator"),
    ("deduplicator", "intelmq.bots.experts.deduplicator.expert", "asn"),
    ("asn", "intelmq.bots.experts.asn_lookup.expert", "contact"),
    ("contact", "intelmq.bots.experts.generic_db_lookup.expert", "output"),
    ("output", "intelmq.bots.outputs.file.output", None),
)
LESSER_USER = "nobody" if os.getuid() == 0 else None  # IntelMQ refuses to run as root
SETTLED_SECONDS, GIVE_UP_SECONDS = 5, 900


def bot_settings(root: Path, port: int) -> dict[str, Any]:
    return {
        "file-collector": {
            "path": str(root / "in"), "postfix": ".csv", "delete_file": True,
            "provider": "Shadowserver", "name": "telnet", "rate_limit": 3600,
        },
        "parser": {"auto_update": False, "test_mode": False},
        "deduplicator": {
            "redis_cache_host": "127.0.0.1", "redis_cache_port": port, "redis_cache_db": 6,
            "filter_type": "blacklist", "filter_keys": "raw,time.observation",
        },
        "asn": {"database": str(root / "asn.dat")},
        "contact": {
            "engine": "sqlite", "database": str(root / "contacts.sqlite3"), "table": "contacts",
            "match_fields": {"source.asn": "asn"},
            "replace_fields": {"contact": "source.abuse_contact"}, "overwrite": False,
        },
        "output": {"file": str(root / "events.txt"), "hierarchical_output": False},
    }  # fmt: skip


def write_installation(root: Path, venv: Path, port: int, found: generate.Constituency) -> None:
    for name in ("etc", "in", "var/log", "var/run", "var/lib/bots"):
        (root / name).mkdir(parents=True)
    (fields,) = venv.glob("lib/python*/site-packages/intelmq/etc/harmonization.conf")
    shutil.copy(fields, root / "etc")
    settings = bot_settings(root, port)
    runtime: dict[str, Any] = {
        "global": {
            "source_pipeline_host": "127.0.0.1", "source_pipeline_port": port,
            "destination_pipeline_host": "127.0.0.1", "destination_pipeline_port": port,
            "source_pipeline_db": 2, "destination_pipeline_db": 2, "statistics_port": port,
            "statistics_host": "127.0.0.1", "statistics_database": 3,
            "logging_level": "WARNING", "logging_path": str(root / "var/log"),
        },
    }  # fmt: skip
    for name, module, following in BOTS:
        kind = module.split(".")[2].rstrip("s").capitalize()
        runtime[name] = {
            "bot_id": name, "module": module, "group": kind, "name": name, "enabled": True,
            "run_mode": "continuous", "parameters": settings[name],
        }  # fmt: skip
        if following:
            runtime[name]["parameters"]["destination_queues"] = {"_default": [f"{following}-queue"]}
    (root / "etc/runtime.yaml").write_text(json.dumps(runtime, indent=1))  # JSON is YAML
    (root / "var/lib/bots/shadowserver-schema.json").write_text(json.dumps(schema()))
    write_look_ups(root, found)


def schema() -> dict[str, Any]:
    """What IntelMQ's parser is to make of our columns, in its own configuration's terms."""
    return {
        "scan_telnet": {
            "feed_name": "Accessible-Telnet",
            "file_name": "scan_telnet",
            "constant_fields": {
                "classification.taxonomy": "vulnerable",
                "classification.type": "potentially-unwanted-accessible",
                "classification.identifier": "open-telnet",
                "protocol.application": "telnet",
            },
            "required_fields": [
                ["time.source", "timestamp", "add_UTC_to_timestamp"],
                ["source.ip", "ip", "validate_ip"],
                ["source.port", "port", "convert_int"],
            ],
            "optional_fields": [
                ["protocol.transport", "protocol"],
                ["source.reverse_dns", "hostname"],
                ["extra.", "tag"],
                ["source.asn", "asn", "invalidate_zero"],
                ["source.geolocation.cc", "geo"],
                ["source.geolocation.region", "region"],
                ["source.geolocation.city", "city"],
                ["extra.source.naics", "naics", "invalidate_zero"],
                ["extra.source.sic", "sic", "invalidate_zero"],
                ["extra.", "banner", "validate_to_none"],
            ],
        }
    }


def write_look_ups(root: Path, found: generate.Constituency) -> None:
    numbers = range(4_200_000_000, 4_200_003_000)
    with (root / "asn.dat").open("w") as out:
        for place, network in enumerate(found.networks()[: generate.V4]):
            out.write(f"{network}\t{4_200_000_000 + place % 3_000}\n")
    with sqlite3.connect(root / "contacts.sqlite3") as database:
        database.execute("CREATE TABLE contacts (asn INTEGER PRIMARY KEY, contact TEXT)")
        database.executemany(
            "INSERT INTO contacts VALUES (?, ?)",
            [(asn, f"abuse@as{asn}.example") for asn in (*numbers, 64496)],
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, *words: str) -> str:
    """One command of the Redis protocol, one line of answer."""
    said = b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
    with socket.create_connection(("127.0.0.1", port), 5) as line:
        line.sendall(b"*%d\r\n" % len(words) + said)
        return line.recv(4_096).decode().strip()


def wait_until(done: Any, seconds: float, what: str) -> None:
    limit = time.monotonic() + seconds
    while not done():
        if time.monotonic() > limit:
            raise SystemExit(f"IntelMQ chain: {what} did not happen within {seconds:.0f} s")
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        return ask(port, "PING") == "+PONG"
    except OSError:
        return False


def run_chain(root: Path, venv: Path, file: Path, found: generate.Constituency) -> dict[str, Any]:
    port = free_port()
    write_installation(root, venv, port, found)
    if LESSER_USER:
        for path in (root, *root.rglob("*")):
            shutil.chown(path, LESSER_USER)
    environment = {**os.environ, "INTELMQ_ROOT_DIR": f"{root}/", "PYTHONPATH": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [
        subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
             str(root)],
            stdout=subprocess.DEVNULL,
        )
    ]  # fmt: skip
    try:
        wait_until(lambda: answers(port), 10, "Redis")
        for name, module, _ in reversed(BOTS):
            if name == "file-collector":
                time.sleep(6)  # the others import and connect; not counted
                shutil.copy(file, root / "in" / file.name)
                if LESSER_USER:
                    shutil.chown(root / "in" / file.name, LESSER_USER)
            log = (root / f"{name}.err").open("wb")
            running.append(
                subprocess.Popen(
                    [venv / "bin" / module, name], env=environment, stdout=log, stderr=log,
                    user=LESSER_USER, cwd=root,
                )
            )  # fmt: skip
            log.close()
        seen = watch(root / "events.txt", root / "in" / file.name)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(timeout=30)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**seen, "cpu_seconds_with_imports": spent}


def watch(output: Path, dropped: Path) -> dict[str, Any]:
    wait_until(lambda: not dropped.exists(), 60, "the report's arrival")
    began = last = time.monotonic()
    lines = 0
    while time.monotonic() - began < GIVE_UP_SECONDS:
        now = output.read_bytes().count(b"\n") if output.exists() else 0
        if now != lines:
            lines, last = now, time.monotonic()
        elif lines and time.monotonic() - last > SETTLED_SECONDS:
            return {"seconds": last - began, "events": lines}
        time.sleep(0.1)
    raise SystemExit(f"IntelMQ chain: only {lines} events within {GIVE_UP_SECONDS} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--our-rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = generate.constituency()
    root = chosen.folder / "intelmq"
    shutil.rmtree(root, ignore_errors=True)
    file = generate.write_telnet(chosen.folder / "small", chosen.rows, found)
    theirs = run_chain(root, chosen.venv, file, found)
    their_rate = chosen.rows / theirs["seconds"]
    base = chosen.folder / "base"
    if not base.exists():
        hot_path.in_own_process("prepare", Path("-"), base)
    ours = hot_path.measure(chosen.folder, chosen.our_rows, 1)
    result = {
        "machine": hot_path.this_machine(),
        "intelmq": {**theirs, "rows": chosen.rows, "rows_per_second": their_rate},
        "ours": {key: ours[key] for key in ("rows", "seconds", "events_per_second", "cpu_seconds")},
        "ratio": ours["events_per_second"] / their_rate,
    }
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
