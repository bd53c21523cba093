"""More of everything that a list can show: a further row of each kind, made by the actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from muhafiz.accounts.actions.invitations import invite_person
from muhafiz.accounts.actions.sessions import open_session
from muhafiz.accounts.actions.views import save_view
from muhafiz.accounts.queries import person
from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.constituency.actions.imports import apply_import, preview_import
from muhafiz.constituency.actions.inhibitions import inhibit_letters
from muhafiz.constituency.actions.requests import request_claim
from muhafiz.detection.actions.findings import respond_to_finding
from muhafiz.detection.actions.notices import send_now
from muhafiz.detection.actions.policies import write_policy
from muhafiz.detection.actions.simulations import queue_simulation
from muhafiz.detection.queries import findings
from muhafiz.detection.rules import Policy
from muhafiz.feeds.actions.feeds import create_feed
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.actions.samples import keep_sample
from muhafiz.feeds.queries import set_aside_rows
from muhafiz.jobs.worker import run_due
from muhafiz.lake.actions.exports import request_export
from muhafiz.lake.queries import EventQuery, scan
from muhafiz.rulebook.actions.proposals import propose_value
from muhafiz.triage.actions.bulk import start_bulk
from muhafiz.triage.actions.handover import accept_shift, hand_over_shift, take_over_shift
from muhafiz.triage.actions.items import Order
from muhafiz.triage.filters import Filter
from muhafiz.triage.queries import items
from muhafiz.web.browser_reports import keep_reports
from tests.web.given import OPERATOR, World, entered_as, steps

_HEADER = "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo\n"
_KINDS = ("scan_rdp", "scan_mongodb", "scan_vnc")  # other classes, other findings and notices


def grow(world: World, turn: int, *, viewer: Actor) -> None:
    """One more of everything, the same at each `turn` (1 to 3); `viewer` is who will look."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10 * turn)
    _constituents(turn, now)
    _intake(turn, now)
    clock = HeldClock(now)
    run_due(clock)
    send_now(organization_id=world.organization, actor=OPERATOR, clock=clock)
    steps(clock)
    _answers(world, turn, clock.now())
    _desk(turn, viewer, clock)
    _people(world, turn, viewer, clock.now())
    steps(clock)


def _constituents(turn: int, now: datetime) -> None:
    name = f"works-{turn}"
    lines = [
        "organization,record,value,name,name_ur,sector,parent,language,role",
        f"{name},organization,,{name.title()} Works,,public,power,en,",
        f"{name},network,100.64.{turn}.0/24,,,,,,",
        f"{name},domain,{name}.example,,,,,,",
        f"{name},contact,abuse@{name}.example,Desk,,,,en,abuse",
        f"power,network,100.64.{turn + 8}.0/24,,,,,,",
        f"power,contact,second{turn}@power.example,Desk,,,,en,ciso",
    ]
    diff = preview_import("\n".join(lines).encode(), file_name=f"{name}.csv", now=now)
    apply_import(diff, actor=OPERATOR, now=now)


def _intake(turn: int, now: datetime) -> None:
    feed = f"feed-{turn}"
    create_feed(name=feed, source="shadowserver", actor=OPERATOR, now=now)
    day = now - timedelta(days=1)
    networks = ("203.0.113", "198.51.100", f"100.64.{turn}", f"198.18.{turn}")
    rows = [
        f"{day:%Y-%m-%d} 02:00:0{at},critical,{net}.{at + 9},tcp,{3000 + turn},h.power.example,rdp,{64500 + turn},PK\n"
        for at in range(3)
        for net in networks
    ]
    raw = _HEADER + "".join(rows) + f"too few {turn}\nnever,,not-an-address,,,,,,\n"
    keep_report(
        feed=feed, file_name=f"{day:%Y-%m-%d}-{_KINDS[turn - 1]}-growth.csv", raw=raw.encode(),
        received_at=now, actor=OPERATOR, now=now,
    )  # fmt: skip


def _answers(world: World, turn: int, now: datetime) -> None:
    owner = entered_as(f"Owner{turn} of it", "constituent_admin", world.organization, now)
    request_claim(
        organization_id=world.organization, wanted="add", kind="domain", value=f"n{turn}.example",
        note="", actor=owner, now=now,
    )  # fmt: skip
    inhibit_letters(
        organization_id=world.organization, classes=f"type-{turn}", until=now + timedelta(days=9),
        reason="known", actor=OPERATOR, now=now,
    )  # fmt: skip
    for finding in findings(viewer=owner, organization_id=world.organization, limit=50):
        if finding.state == "open":
            respond_to_finding(
                finding_id=finding.id, response="not_ours", reason="no", actor=owner, now=now
            )
            return


def _desk(turn: int, viewer: Actor, clock: HeldClock) -> None:
    now = clock.now()
    policy = Policy(f"extra.{turn}", "daily", classes="vulnerable/*")
    write_policy(policy=policy, title=f"Extra {turn}", actor=OPERATOR, now=now)
    queue_simulation(policy=policy, title=f"Extra {turn}", days=2, actor=OPERATOR, now=now)
    keep_sample(row_id=set_aside_rows(limit=1)[0].id, note=f"{turn}", actor=OPERATOR, now=now)
    director = replace(viewer, roles=frozenset({"director"}))
    propose_value(
        key="triage.findings_from", value="high", source="test", standing="I", actor=director,
        now=now, note=f"{turn}",
    )  # fmt: skip
    officer = entered_as(f"Next{turn} officer", "duty_officer", None, now)
    waiting = [row.id for row in items(Filter(), viewer=officer, now=now).rows]
    take_over_shift(note="on duty", actor=officer, now=now)
    start_bulk(waiting[:2], Order("take"), query="", actor=officer, now=now)
    other = entered_as(f"After{turn} officer", "duty_officer", None, now)
    number = hand_over_shift(note="all", to=int(other.identifier), actor=officer, now=now)
    accept_shift(handover_id=number, actor=other, now=now)
    keep_reports([("img-src", f"https://bad{turn}.example", "river")], now=now)
    _export(turn, viewer, now)
    run_due(clock)


def _export(turn: int, viewer: Actor, now: datetime) -> None:
    asked = EventQuery(limit=None)
    found = scan(asked).column("tlp").value_counts().to_pylist()
    counts = {each["values"]: each["counts"] for each in found}
    columns = ("source_ip", "tlp")
    request_export(
        asked, format="csv", columns=columns, counts=counts, told=f"{turn}", actor=viewer, now=now
    )


def _people(world: World, turn: int, viewer: Actor, now: datetime) -> None:
    for organization, role in ((None, "analyst"), (world.organization, "constituent_officer")):
        invite_person(
            email=f"{role}{turn}@new.example", name="New", role=role, language="en",
            organization_id=organization, actor=OPERATOR, now=now,
        )  # fmt: skip
    for page in ("queue", "events", "constituents"):
        save_view(
            page=page, name=f"View {turn}", query="state=open", shared=True, actor=viewer, now=now
        )
    own = person(int(viewer.identifier))
    assert own is not None
    open_session(
        person_id=own.id, key=f"key-{turn}", way="password", address="192.0.2.1", browser="Other",
        actor=viewer, now=now,
    )  # fmt: skip
