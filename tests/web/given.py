"""A small nation after a day's work, with hostile text in every place a stranger can write to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.config.standard_feeds import make_standard_feeds
from muhafiz.constituency.actions.imports import apply_import, preview_import
from muhafiz.constituency.actions.requests import request_claim
from muhafiz.detection.actions.findings import respond_to_finding
from muhafiz.detection.actions.policies import install_default_policies
from muhafiz.detection.actions.simulations import queue_simulation
from muhafiz.detection.queries import findings, notices
from muhafiz.detection.rules import Policy
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.queries import reports, set_aside_rows
from muhafiz.jobs.registry import JobRun, find_job
from muhafiz.jobs.scheduler import schedule_due
from muhafiz.jobs.worker import run_due
from muhafiz.keyring.actions.certificates import ensure_signing_certificate
from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery
from muhafiz.notifications.queries import letters
from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.triage.actions.bulk import start_bulk
from muhafiz.triage.actions.handover import accept_shift, hand_over_shift, take_over_shift
from muhafiz.triage.actions.items import Order, take_items
from muhafiz.triage.filters import Filter
from muhafiz.triage.queries import items

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
    _work(HeldClock(moment))
    return _named(moment)


#: From stored events to letters sent and items waiting; the other timed jobs run once, at the end.
_STEPS = (
    "detection.digest",
    "notifications.deliver",
    "detection.gather_findings",
    "triage.sweep",
)


def _work(clock: HeldClock) -> None:
    """The jobs of a few minutes, without the dozens that would find nothing to do."""
    steps(clock)
    schedule_due(clock)
    run_due(clock)


def steps(clock: HeldClock) -> None:
    """From what is queued to letters sent and items waiting."""
    run_due(clock)
    for _ in range(2):
        clock.advance(timedelta(minutes=2))
        for name in _STEPS:
            find_job(name).function(JobRun(name, clock))


def _named(moment: datetime) -> World:
    owned = [row for row in scan(EventQuery(limit=50)).to_pylist() if row["organization_id"]]
    event = min(owned, key=lambda row: row["organization_id"])
    report, row = reports(limit=1)[0].id, set_aside_rows(limit=1)[0].id
    letter = str(letters(limit=1)[0].id)
    queue_item = items(Filter(), viewer=Actor.job("triage.sweep"), now=moment).rows[0].id
    screens = {
        "home": "/",
        "verify": "/verify/?code=XXXX",
        "enter": "/enter/abc/",
        "river": "/desk/",
        "queue": "/desk/queue/",
        "queue-open": "/desk/queue/?state=open",
        "queue-groups": "/desk/queue/?state=open&group=yes",
        "queue-nothing": "/desk/queue/?q=zzz&state=open",
        "queue-item": f"/desk/queue/{queue_item}/",
        "queue-runs": "/desk/queue/runs/",
        "handovers": "/desk/handover/",
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


def work_on(world: World) -> None:
    """What people do after the day's work: acts on the queue, a shift that ends, questions.

    It makes what some pages are about: a bulk run with a failure, a handover, a policy tried on
    the past, a constituent's request and an answer of “not ours” that wait to be decided.
    """
    clock = HeldClock(world.moment + timedelta(minutes=5))
    now = clock.now()
    _end_a_shift(clock)
    owner = entered_as(f"Zara {HOSTILE}", "constituent_officer", world.organization, now)
    for value in ("192.0.2.0/24", "198.51.100.0/25"):  # nobody's, and another's
        request_claim(
            organization_id=world.organization, wanted="add", kind="address", value=value,
            note=HOSTILE, actor=owner, now=now,
        )  # fmt: skip
    finding = findings(viewer=owner, organization_id=world.organization, limit=1)[0]
    respond_to_finding(
        finding_id=finding.id, response="not_ours", reason=HOSTILE, actor=owner, now=now
    )
    clock.advance(timedelta(days=1))  # the day's window has closed: there are letters to compare
    queue_simulation(
        policy=Policy("default.vulnerable", "daily", classes="vulnerable/*"),
        title=HOSTILE, days=2, actor=OPERATOR, now=clock.now(),
    )  # fmt: skip
    run_due(clock)


def entered_as(name: str, role: str, organization: int | None, now: datetime) -> Actor:
    """Somebody new with one role."""
    found = register_person(
        email=f"{name.split(maxsplit=1)[0].lower()}@example.org",
        name=name,
        organization_id=organization,
        actor=OPERATOR,
        now=now,
    )
    grant_role(person_id=found.id, role=role, actor=OPERATOR, now=now)
    return replace(found.actor(), roles=frozenset({role}))


def _end_a_shift(clock: HeldClock) -> None:
    """Amna takes two items, one of which Bilal has, and hands over to him; others still wait."""
    now = clock.now()
    amna = entered_as(f"Amna {HOSTILE}", "duty_officer", None, now)
    bilal = entered_as("Bilal", "duty_officer", None, now)
    waiting = [row.id for row in items(Filter(), viewer=amna, now=now).rows]
    take_items({waiting[0]: None}, actor=bilal, now=now)
    take_over_shift(note=HOSTILE, actor=amna, now=now)
    start_bulk(waiting[:2], Order("take"), query="", actor=amna, now=now)
    run_due(clock)
    number = hand_over_shift(note=HOSTILE, to=int(bilal.identifier), actor=amna, now=now)
    accept_shift(handover_id=number, actor=bilal, now=now)
