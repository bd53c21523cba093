"""A day of reports in the shapes their senders use, about the demonstration nation."""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from muhafiz.config.demonstration.nation import Nation

_SEED = 20261123
_ROWS = 2_400  # a report; a small nation's busy day
_PAST_ROWS, _PAST_DAYS = 24_000, 84  # what a partner tells of the weeks before
# 198.51.100.224/27 and 203.0.113.160-255 belong to nobody.
_UNOWNED = ("198.51.100.224/27", "203.0.113.160/27", "203.0.113.192/26")


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the nation, owned or not."""

    address: str
    name: str
    asn: int


@dataclass(frozen=True, slots=True)
class Day:
    """The day the reports are about, and what they draw from."""

    start: datetime
    hosts: Sequence[Host]
    draw: random.Random

    def moment(self) -> datetime:
        """Some second of the day."""
        return self.start + timedelta(seconds=self.draw.randrange(86_400))

    def host(self) -> Host:
        """Some machine; a few are seen far more often than the rest."""
        return self.hosts[int(len(self.hosts) * self.draw.random() ** 2)]


def day_of_reports(nation: Nation, *, now: datetime) -> Iterator[tuple[str, bytes]]:
    """File names and contents of the reports about the day before `now` (UTC).

    Rows that cannot be read are among them on purpose, and one report comes zipped.
    """
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # Drawn to show, not to hide: the same nation has the same day.
    draw = random.Random(_SEED)  # noqa: S311 - no secret comes from it
    day = Day(start - timedelta(days=1), _hosts(nation, draw), draw)
    stamp = day.start.strftime("%Y-%m-%d")
    for report, row in _SHADOWSERVER.items():
        yield f"{stamp}-{report}-demonstration.csv", _csv([row(day) for _ in range(_ROWS)])
    name = f"{stamp}-scan_rdp-demonstration.csv"
    yield f"{name}.zip", _zip(name, _csv([_rdp(day) for _ in range(_ROWS)]))
    yield f"{stamp}-scan_vnc-demonstration.csv", _damaged(_csv([_vnc(day) for _ in range(200)]))
    yield f"eve-{stamp}.json", _lines(_suricata(day) for _ in range(400))
    yield f"partner-{stamp}.jsonl", _lines(_intelmq(day) for _ in range(300))
    yield f"partner-until-{stamp}.jsonl", _lines(_past(day) for _ in range(_PAST_ROWS))


def _hosts(nation: Nation, draw: random.Random) -> list[Host]:
    found = []
    for organization in nation.organizations:
        network = ipaddress.ip_network(organization.network)
        names = ("www", "mail", "vpn", "portal", "files", "cam", "db", "test")
        for at, address in enumerate(network.hosts()):
            name = f"{names[at % len(names)]}{at // len(names) or ''}.{organization.domain}"
            found.append(Host(str(address), name, organization.asn or 64511))
        found.append(Host(f"{organization.network6}::{draw.randrange(1, 99)}", "", 64511))
    for block in _UNOWNED:
        found += [Host(str(address), "", 64510) for address in ipaddress.ip_network(block).hosts()]
    draw.shuffle(found)
    return found


def _scan(day: Day, *, port: int, tag: str, severity: str, **more: object) -> dict[str, object]:
    host = day.host()
    return {
        "timestamp": day.moment().strftime("%Y-%m-%d %H:%M:%S"),
        "severity": severity,
        "ip": host.address,
        "protocol": "tcp",
        "port": port,
        "hostname": host.name,
        "tag": tag,
        "asn": host.asn,
        "geo": "PK",
        "region": "",
        "city": "",
        "naics": 0,
        **more,
    }


def _telnet(day: Day) -> dict[str, object]:
    banner = day.draw.choice(("login:", "User Access Verification", "BusyBox v1.22.1 login:"))
    return _scan(day, port=23, tag="telnet", severity="high", banner=banner)


def _rdp(day: Day) -> dict[str, object]:
    return _scan(
        day, port=3389, tag="rdp", severity="high", rdp_protocol="RDP", cve20190708_vulnerable="N"
    )


def _vnc(day: Day) -> dict[str, object]:
    return _scan(
        day, port=5900, tag="vnc", severity="medium", product="RealVNC", banner="RFB 003.008"
    )


def _elasticsearch(day: Day) -> dict[str, object]:
    return _scan(
        day,
        port=9200,
        tag="elasticsearch",
        severity="critical",
        version="7.10.2",
        ok="true",
        name="node-1",
    )


def _resolver(day: Day) -> dict[str, object]:
    return _scan(day, port=53, tag="openresolver", severity="medium") | {
        "protocol": "udp",
        "min_amplification": f"{day.draw.uniform(1, 12):.4f}",
        "dns_version": "dnsmasq-2.78",
        "p0f_genre": "",
        "p0f_detail": "",
    }


def _sinkhole(day: Day) -> dict[str, object]:
    host = day.host()
    family = day.draw.choice(("mirai", "qakbot", "socgholish", "andromeda"))
    return {
        "timestamp": day.moment().strftime("%Y-%m-%d %H:%M:%S"),
        "severity": "critical",
        "protocol": "tcp",
        "src_ip": host.address,
        "src_port": day.draw.randrange(1024, 65_536),
        "src_asn": host.asn,
        "src_geo": "PK",
        "src_region": "",
        "src_city": "",
        "src_hostname": host.name,
        "src_naics": 0,
        "src_sector": "",
        "device_vendor": "",
        "device_type": "",
        "device_model": "",
        "dst_ip": "192.0.2.250",
        "dst_port": day.draw.choice((80, 443, 8080)),
        "dst_asn": 64509,
        "dst_geo": "",
        "dst_hostname": "sinkhole.example",
        "public_source": "demonstration",
        "infection": family,
        "family": family,
        "tag": family,
        "application": "http",
        "version": "",
        "event_id": "",
    }


_SHADOWSERVER: dict[str, Callable[[Day], dict[str, object]]] = {
    "scan_telnet": _telnet,
    "scan_elasticsearch": _elasticsearch,
    "scan_dns": _resolver,
    "event4_sinkhole": _sinkhole,
}


def _suricata(day: Day) -> dict[str, object]:
    host = day.host()
    return {
        "timestamp": day.moment().strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "flow_id": day.draw.randrange(2**52),
        "event_type": "alert",
        "src_ip": host.address,
        "src_port": day.draw.randrange(1024, 65_536),
        "dest_ip": "192.0.2.251",
        "dest_port": 443,
        "proto": "TCP",
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": 2_027_865,
            "rev": 4,
            "signature": "ET MALWARE Observed beacon to known command server",
            "category": "A Network Trojan was detected",
            "severity": 1,
        },
    }


def _intelmq(day: Day) -> dict[str, object]:
    host = day.host()
    return {
        "time.source": day.moment().isoformat(),
        "feed.provider": "Partner CERT",
        "feed.name": "Credentials",
        "classification.taxonomy": "information-content-security",
        "classification.type": "data-leak",
        "classification.identifier": "leaked-credentials",
        "source.ip": host.address,
        "source.fqdn": host.name or "host.example",
        "source.account": f"user{day.draw.randrange(900)}@{host.name or 'host.example'}",
    }


#: RSIT class, type, finer name, and how often of a hundred.
_PAST = (
    ("vulnerable", "potentially-unwanted-accessible", "open-telnet", 26),
    ("vulnerable", "vulnerable-system", "unpatched-mail-server", 16),
    ("malicious-code", "infected-system", "qakbot", 18),
    ("intrusion-attempts", "brute-force", "ssh-brute-force", 16),
    ("information-content-security", "data-leak", "leaked-credentials", 12),
    ("fraud", "phishing", "phishing-page", 8),
    ("availability", "ddos", "dns-amplification", 4),
)


def _past(day: Day) -> dict[str, object]:
    """Something of the weeks before: fewer at weekends and long ago, a campaign in between."""
    ago = int(_PAST_DAYS * day.draw.random() ** 1.4) + 1
    if (day.start - timedelta(days=ago)).weekday() in {5, 6} and day.draw.random() < 0.6:  # noqa: PLR2004 - the share that rests
        ago += 2
    weights = [weight * (3 if kind == "brute-force" and 20 < ago < 34 else 1)  # noqa: PLR2004 - two weeks
               for _, kind, _, weight in _PAST]  # fmt: skip
    taxonomy, kind, identifier, _ = day.draw.choices(_PAST, weights)[0]
    host = day.host()
    found: dict[str, object] = {
        "time.source": (day.moment() - timedelta(days=ago)).isoformat(),
        "feed.provider": "Partner CERT",
        "feed.name": "Weeks before",
        "classification.taxonomy": taxonomy,
        "classification.type": kind,
        "classification.identifier": identifier,
        "source.ip": host.address,
        "source.asn": host.asn,
    }
    return found | ({"source.fqdn": host.name} if host.name else {})


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _lines(rows: Iterator[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _zip(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        # A `ZipInfo` of its own carries a fixed date: the hour of packing makes no other day.
        written.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _damaged(report: bytes) -> bytes:
    """The report as a bad line delivered it: rows cut short, times and addresses that are none."""
    lines = report.split(b"\r\n")
    lines[10] = lines[10][: len(lines[10]) // 2].rsplit(b",", 1)[0]
    lines[20] = lines[20].replace(lines[20].split(b",")[0], b'"yesterday noon"', 1)
    lines[30] = lines[30].replace(lines[30].split(b",")[2], b'"010.1.1.1"', 1)
    lines[40] += b',"one","too","many"'
    return b"\r\n".join(lines)
