"""An IntelMQ 3.5 chain on the same kind of report, as an outside peer, and ours beside it.

IntelMQ is AGPL: it is run as programs of its own in a virtual environment outside this tree, never
imported, none of it copied. The chain is its file collector, Shadowserver parser, deduplicator, ASN
look-up (pyasn, a file of our 100,000 networks, which also names the network of an event), contact
look-up and file output, all bots at once over a Redis of our own on loopback. The contact look-up
asks a PostgreSQL of our own with the same 100,000 networks: IntelMQ's generic database look-up by
primary key, which cannot tell a network within a network; and, with `--contact-database`, the one
that CERTs run for it, Intevation's contact database (AGPL, from a folder outside this tree), whose
rows are entered as automatic ones, with the index that its link table lacks.

The clock runs from the moment the collector has handed the report on (it then deletes the file) to
the last event in the output file, when all queues are empty. The steady rate leaves out the first
and the last tenth of the events.

    python -m venv /elsewhere/intelmq
    /elsewhere/intelmq/bin/pip install "intelmq==3.5.*" pyasn psycopg2-binary
    git clone https://github.com/Intevation/intelmq-certbund-contact /elsewhere/contacts
    python benchmarks/intelmq_chain.py FOLDER --venv /elsewhere/intelmq --rows 30000 \
        --contact-database /elsewhere/contacts
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import generate
import hot_path
import psycopg
from private_postgresql import private_postgresql

BOTS = (
    ("file-collector", "intelmq.bots.collectors.file.collector_file", "parser"),
    ("parser", "intelmq.bots.parsers.shadowserver.parser", "deduplicator"),
    ("deduplicator", "intelmq.bots.experts.deduplicator.expert", "asn"),
    ("asn", "intelmq.bots.experts.asn_lookup.expert", "contact"),
    ("contact", "intelmq.bots.experts.generic_db_lookup.expert", "output"),
    ("output", "intelmq.bots.outputs.file.output", None),
)
CONTACT_DATABASE_BOT = "intelmq_certbund_contact.bots.experts.certbund_contact.expert"
LESSER_USER = "nobody" if os.getuid() == 0 else None  # IntelMQ refuses to run as root
SETTLED_SECONDS, GIVE_UP_SECONDS = 5, 1_800
QUEUES = [f"{name}-queue" for name, _, _ in BOTS[1:]]


@dataclass(frozen=True)
class Peer:
    """Where IntelMQ is, and which contact look-up its chain has: None is the generic one."""

    venv: Path
    contact_database: Path | None

    def module(self, bot: str) -> str:
        """The module of a bot of the chain."""
        if bot == "contact" and self.contact_database:
            return CONTACT_DATABASE_BOT
        return next(module for name, module, _ in BOTS if name == bot)

    def command(self, bot: str) -> list[str]:
        """What starts a bot."""
        module = self.module(bot)
        if module == CONTACT_DATABASE_BOT:
            started = f"from {module} import BOT; BOT.run()"
            return [str(self.venv / "bin" / "python"), "-c", started, bot]
        return [str(self.venv / "bin" / module), bot]

    @property
    def told(self) -> bytes:
        """What stands in an event whose contact was found."""
        return b'"matches": [{' if self.contact_database else b'"source.abuse_contact"'


def contact_settings(peer: Peer, database: str) -> dict[str, Any]:
    contacts = urlsplit(database)
    login: dict[str, Any] = {
        "host": contacts.hostname, "port": contacts.port, "user": contacts.username,
        "password": "", "sslmode": "disable", "database": contacts.path[1:],
    }  # fmt: skip
    if peer.contact_database:
        return login
    return login | {
        "engine": "postgresql", "table": "contacts", "overwrite": False,
        "match_fields": {"source.network": "network"},
        "replace_fields": {"contact": "source.abuse_contact"},
    }  # fmt: skip


def bot_settings(root: Path, port: int, contact: dict[str, Any]) -> dict[str, Any]:
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
        "contact": contact,
        "output": {"file": str(root / "events.txt"), "hierarchical_output": False},
    }  # fmt: skip


def write_installation(root: Path, peer: Peer, port: int, database: str) -> None:
    for name in ("etc", "in", "var/log", "var/run", "var/lib/bots"):
        (root / name).mkdir(parents=True)
    (fields,) = peer.venv.glob("lib/python*/site-packages/intelmq/etc/harmonization.conf")
    shutil.copy(fields, root / "etc")
    settings = bot_settings(root, port, contact_settings(peer, database))
    runtime: dict[str, Any] = {
        "global": {
            "source_pipeline_host": "127.0.0.1", "source_pipeline_port": port,
            "destination_pipeline_host": "127.0.0.1", "destination_pipeline_port": port,
            "source_pipeline_db": 2, "destination_pipeline_db": 2, "statistics_port": port,
            "statistics_host": "127.0.0.1", "statistics_database": 3,
            "logging_level": "WARNING", "logging_path": str(root / "var/log"),
        },
    }  # fmt: skip
    for name, _, following in BOTS:
        module = peer.module(name)
        kind = module.partition(".bots.")[2].split(".")[0].rstrip("s").capitalize()
        runtime[name] = {
            "bot_id": name, "module": module, "group": kind, "name": name, "enabled": True,
            "run_mode": "continuous", "parameters": settings[name],
        }  # fmt: skip
        if following:
            runtime[name]["parameters"]["destination_queues"] = {"_default": [f"{following}-queue"]}
    (root / "etc/runtime.yaml").write_text(json.dumps(runtime, indent=1))  # JSON is YAML
    (root / "var/lib/bots/shadowserver-schema.json").write_text(json.dumps(schema()))


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


def write_look_ups(root: Path, peer: Peer, database: str, found: generate.Constituency) -> None:
    """Both look-ups know the same networks; an AS number and a contact for each owner."""
    owners = [*found.v4_owner.tolist(), *found.v6_owner.tolist()]
    owned = list(zip(found.networks(), owners, strict=True))
    with (root / "asn.dat").open("w") as out:
        out.writelines(f"{network}\t{4_200_000_000 + owner}\n" for network, owner in owned)
    if peer.contact_database:
        fill_contact_database(peer.contact_database, database, owned)
        return
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE contacts (network text PRIMARY KEY, contact text)")
        with connection.cursor().copy("COPY contacts FROM STDIN") as rows:
            for network, owner in owned:
                rows.write_row((network, f"abuse@o{owner}.example"))
        connection.execute("ANALYZE contacts")


def fill_contact_database(folder: Path, database: str, owned: list[tuple[Any, int]]) -> None:
    """Organizations, contacts and networks as an import from a registry leaves them."""
    source = ("registry", datetime(2026, 11, 23))  # noqa: DTZ001 - its column has no zone
    numbered = list(enumerate(owned, 1))
    owners = sorted({owner for _, owner in owned})
    tables: dict[str, list[tuple[Any, ...]]] = {
        "organisation_automatic (organisation_automatic_id, name, import_source, import_time)": [
            (owner, f"Organization {owner}", *source) for owner in owners
        ],
        "contact_automatic (email, organisation_automatic_id, import_source, import_time)": [
            (f"abuse@o{owner}.example", owner, *source) for owner in owners
        ],
        "network_automatic (network_automatic_id, address, import_source, import_time)": [
            (number, str(network), *source) for number, (network, _) in numbered
        ],
        "organisation_to_network_automatic (organisation_automatic_id, network_automatic_id, "
        "import_source, import_time)": [
            (owner, number, *source) for number, (_, owner) in numbered
        ],
    }
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((folder / "sql" / "initdb.sql").read_bytes())
        for table, rows in tables.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        connection.execute(
            "CREATE INDEX ON organisation_to_network_automatic (network_automatic_id)"
        )
        connection.execute("ANALYZE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, *words: str, then: tuple[str, ...] = ()) -> str:
    """One or two commands of the Redis protocol; one line, the answer to the last."""
    with socket.create_connection(("127.0.0.1", port), 5) as line:
        for command in filter(None, (words, then)):
            said = b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in command)
            line.sendall(b"*%d\r\n" % len(command) + said)
            answer = line.recv(4_096).decode().strip()
        return answer


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


def run_chain(root: Path, peer: Peer, file: Path, found: generate.Constituency) -> dict[str, Any]:
    with private_postgresql() as database:
        if database is None:
            raise SystemExit("IntelMQ chain: PostgreSQL is not installed")
        port = free_port()
        write_installation(root, peer, port, database)
        write_look_ups(root, peer, database, found)
        return run_bots(root, peer, file, port)


def run_bots(root: Path, peer: Peer, file: Path, port: int) -> dict[str, Any]:
    if LESSER_USER:
        for path in (root, *root.rglob("*")):
            shutil.chown(path, LESSER_USER)
    environment = {
        **os.environ,
        "INTELMQ_ROOT_DIR": f"{root}/",
        "PYTHONPATH": str(peer.contact_database or ""),
    }
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
        for name, _, _ in reversed(BOTS):
            if name == "file-collector":
                time.sleep(6)  # the others import and connect; not counted
                shutil.copy(file, root / "in" / file.name)
                if LESSER_USER:
                    shutil.chown(root / "in" / file.name, LESSER_USER)
            log = (root / f"{name}.err").open("wb")
            running.append(
                subprocess.Popen(
                    peer.command(name), env=environment, stdout=log, stderr=log,
                    user=LESSER_USER, cwd=root,
                )
            )  # fmt: skip
            log.close()
        seen = watch(root / "events.txt", root / "in" / file.name, port, peer.told)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(timeout=30)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**seen, "cpu_seconds_with_imports": spent}


def watch(output: Path, dropped: Path, port: int, told: bytes) -> dict[str, Any]:
    """Count the output's lines as they come, reading each byte once, until all queues are empty."""
    wait_until(lambda: not dropped.exists(), 60, "the report's arrival")
    began = time.monotonic()
    wait_until(output.exists, 60, "the first event")
    seen = [(0.0, 0)]  # seconds, events
    owned = 0
    with output.open("rb") as stream:
        while (passed := time.monotonic() - began) < GIVE_UP_SECONDS:
            data = stream.read()
            owned += data.count(told)
            if data:
                seen.append((passed, seen[-1][1] + data.count(b"\n")))
            elif passed - seen[-1][0] > SETTLED_SECONDS and drained(port):
                return {"seconds": seen[-1][0], "events": seen[-1][1], "with_contact": owned,
                        "steady_events_per_second": steady(seen)}  # fmt: skip
            time.sleep(0.25)
    raise SystemExit(f"IntelMQ chain: only {seen[-1][1]} events within {GIVE_UP_SECONDS} s")


def drained(port: int) -> bool:
    """Whether nothing waits before any bot, nor is in its hands."""
    names = [f"{name}{part}" for name in QUEUES for part in ("", "-internal")]
    return all(ask(port, "SELECT", "2", then=("LLEN", name)) == ":0" for name in names)


def steady(seen: list[tuple[float, int]]) -> float:
    """Events per second between the first and the last tenth of them."""
    last = seen[-1][1]
    middle = [each for each in seen if last * 0.1 <= each[1] <= last * 0.9]
    (first_at, first), (last_at, last) = middle[0], middle[-1]
    return (last - first) / (last_at - first_at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--contact-database", type=Path)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--our-rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = generate.constituency()
    file = generate.write_telnet(chosen.folder / "small", chosen.rows, found)
    peers = {"generic look-up": Peer(chosen.venv, None)}
    if chosen.contact_database:
        peers["contact database"] = Peer(chosen.venv, chosen.contact_database)
    base = chosen.folder / "base"
    if not base.exists():
        hot_path.in_own_process("prepare", Path("-"), base)
    ours = hot_path.measure(chosen.folder, chosen.our_rows, 1)
    result = {
        "machine": hot_path.this_machine(),
        "ours": {key: ours[key] for key in ("rows", "seconds", "events_per_second", "cpu_seconds")},
    }
    for name, peer in peers.items():
        root = chosen.folder / "intelmq"
        shutil.rmtree(root, ignore_errors=True)
        theirs = run_chain(root, peer, file, found)
        rate = chosen.rows / theirs["seconds"]
        result[f"IntelMQ, {name}"] = {
            **theirs, "rows": chosen.rows, "rows_per_second": rate,
            "ratio": ours["events_per_second"] / rate,
        }  # fmt: skip
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
