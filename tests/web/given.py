"""A small nation after a day's work, with hostile text in every place a stranger can write to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.config.standard_feeds import make_standard_feeds
from muhafiz.constituency.actions.imports import apply_import, preview_import
from muhafiz.detection.actions.policies import install_default_policies
from muhafiz.detection.queries import notices
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.queries import reports, set_aside_rows
from muhafiz.jobs.scheduler import schedule_due
from muhafiz.jobs.worker import run_due
from muhafiz.keyring.actions.certificates import ensure_signing_certificate
from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery
from muhafiz.notifications.queries import letters
from muhafiz.rulebook.actions.profile import load_profile

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
OPERATOR = Actor.command("operator")
_QUOTED = HOSTILE.replace('"', '""')

CONSTITUENTS = f"""organization,record,value,name,name_ur,sector,parent,language,role
power,organization,,"Indus Power {_QUOTED}",سندھ پاور,,,en,
power,network,203.0.113.0/24,,,,,,
power,domain,power.example,,,,,,
power,contact,abuse@power.example,"Desk {_QUOTED}",,,,en,abuse
water,organization,,Quetta City Water,کوئٹہ واٹر,,power,ur,
water,network,198.51.100.0/24,,,,,,
water,contact,abuse@water.example,Desk,,,,ur,abuse
"""

_HEADER = (
    "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo,region,city,naics,"
    "hostname_source,banner,device_vendor\n"
)


def telnet_report(rows: int, day: datetime) -> bytes:
    """A Shadowserver report of open telnet services, one row of which has too few columns."""
    lines = [
        f'"{day:%Y-%m-%d} 01:02:{at:02d}","high","{net}.{at + 1}","tcp",23,"h{at}.power.example",'
        f'"telnet",64500,"PK","Sindh","Karachi",0,"","{_QUOTED}","{_QUOTED}"\n'
        for at in range(rows)
        for net in ("203.0.113", "198.51.100", "192.0.2")
    ]
    return (_HEADER + "".join(lines) + f'"too few","{_QUOTED}"\n').encode()


@dataclass(frozen=True)
class World:
    """The numbers of what was made, for addresses."""

    screens: dict[str, str]
    moment: datetime
    organization: int
    report: int
    row: int
    letter: str


def make_world(*, rows: int = 3) -> World:
    """Work one day: load, import, take a report in, find owners, write and send letters."""
    moment = datetime.now(UTC).replace(microsecond=0)
    load_profile("pakistan", actor=OPERATOR, now=moment)
    ensure_signing_certificate(actor=OPERATOR, now=moment)
    make_standard_feeds(actor=OPERATOR, now=moment)
    install_default_policies(actor=OPERATOR, now=moment, cadence="at_once")
    diff = preview_import(CONSTITUENTS.encode(), file_name=f"{HOSTILE}.csv", now=moment)
    apply_import(diff, actor=OPERATOR, now=moment)
    day = moment - timedelta(days=1)
    keep_report(
        feed="shadowserver",
        file_name=f"{day:%Y-%m-%d}-scan_telnet-<b>evil.csv",
        raw=telnet_report(rows, day),
        received_at=moment,
        actor=OPERATOR,
        now=moment,
    )
    clock = HeldClock(moment)
    for _ in range(4):
        run_due(clock)
        clock.advance(timedelta(minutes=2))
        schedule_due(clock)
    run_due(clock)
    return _named(moment)


def _named(moment: datetime) -> World:
    event = next(r for r in scan(EventQuery(limit=50)).to_pylist() if r["organization_id"])
    report, row = reports(limit=1)[0].id, set_aside_rows(limit=1)[0].id
    letter = str(letters(limit=1)[0].id)
    screens = {
        "home": "/",
        "verify": "/verify/?code=XXXX",
        "enter": "/enter/abc/",
        "river": "/desk/",
        "reports": "/desk/reports/",
        "report": f"/desk/reports/{report}/",
        "set-aside": "/desk/set-aside/",
        "row": f"/desk/set-aside/{row}/",
        "events": "/desk/events/",
        "event": f"/desk/events/{event['day']}/{event['key']}/",
        "constituents": "/desk/constituents/",
        "constituent": f"/desk/constituents/{event['organization_id']}/",
        "import": "/desk/constituents/import/",
        "notices": "/desk/notices/",
        "notice": f"/desk/notices/{notices(limit=1)[0].id}/",
        "notice-preview": "/desk/notices/preview/",
        "letters": "/desk/letters/",
        "letter": f"/desk/letters/{letter}/",
        "feeds": "/desk/feeds/",
        "jobs": "/desk/jobs/",
        "audit": "/desk/audit/",
        "rulebook": "/desk/rulebook/",
    }
    return World(screens, moment, event["organization_id"], report, row, letter)
