"""Notices and their letters, some hundred in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.common.actor import Actor
from muhafiz.common.rows import insert_rows
from muhafiz.constituency.facts import ContactFacts, OrganizationFacts
from muhafiz.detection.composing import Chunk, Composition, House, Issued
from muhafiz.detection.models import DigestRun, Notice
from muhafiz.detection.recipients import contacts, organizations
from muhafiz.detection.rules import Group, Policy
from muhafiz.formats import tlp
from muhafiz.notifications.actions.outbox import enqueue_messages
from muhafiz.notifications.messages import Order
from muhafiz.publications.actions.documents import KeptDraft, keep_documents
from muhafiz.publications.actions.numbers import take_numbers
from muhafiz.release.gate import Audience, Item, Released, release_all
from muhafiz.release.rules import ReleaseRefused

SERIES = "notices"
NO_CONTACT = "no contact"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a transaction of notices needs that can be had before it begins."""

    told: Composition
    refused: Composition
    organizations: dict[int, OrganizationFacts]
    contacts: dict[int, list[ContactFacts]]

    def name(self, organization_id: int) -> str:
        """The organization's English name, for ledger and lists."""
        facts = self.organizations.get(organization_id)
        return facts.name_en if facts else f"organization {organization_id}"


@dataclass(frozen=True, slots=True)
class Built:
    """The notices in some rows of a plan with their attachments: what needs no database."""

    told: Composition
    refused: Composition
    upto: int


def build_notices(chunk: Chunk, policy: Policy, until: datetime, house: House) -> Built:
    """The notices in rows of the decisions "tell" and "refused"; safe in a thread of its own."""
    told, refused = (
        Composition(_of(chunk.rows, decision), policy, until, house)
        for decision in ("tell", "refused")
    )
    told.prepare()
    return Built(told, refused, chunk.upto)


def _of(rows: pa.Table, decision: str) -> pa.Table:
    """The rows of one decision; all of them are not copied."""
    chosen = pc.equal(rows["decision"], decision)
    return rows if pc.all(chosen).as_py() else rows.filter(chosen)


def prepare_notices(built: Built, now: datetime) -> Prepared:
    """Who is told, and their names."""
    owners = [group.organization_id for group in (*built.told.groups, *built.refused.groups)]
    return Prepared(
        told=built.told,
        refused=built.refused,
        organizations=organizations(owners),
        contacts=contacts(owners, now),
    )


def issue_notices(
    prepared: Prepared, run: DigestRun, *, actor: Actor, now: datetime
) -> list[Notice]:
    """Release, number, keep and enqueue; call within a transaction that also moves the run on.

    1. refused rows go to the gate, which says why not; they are listed with its reason;
    2. who has nobody to write to is listed as undeliverable;
    3. the others pass the gate, take numbers, are kept as documents and enqueued.
    """
    refused = _refused(prepared, run, actor, now)
    reachable = [g for g in prepared.told.groups if prepared.contacts.get(g.organization_id)]
    stranded = [g for g in prepared.told.groups if not prepared.contacts.get(g.organization_id)]
    undeliverable = [
        (g, _notice(run, g, "tell", Notice.State.UNDELIVERABLE, now, reason=NO_CONTACT))
        for g in stranded
    ]
    pairs = [(g, _notice(run, g, "tell", Notice.State.RELEASED, now)) for g in reachable]
    for group, notice in (*undeliverable, *pairs):
        notice.digest = prepared.told.digest(group)
    send_notices(prepared, pairs, run.window, actor=actor, now=now)
    notices = [*refused, *(notice for _, notice in (*undeliverable, *pairs))]
    insert_rows(notices)
    return notices


def send_notices(
    prepared: Prepared,
    pairs: Sequence[tuple[Group, Notice]],
    window: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Step 3 for notices that are not saved yet or are saved by the caller afterwards.

    A notice that has a number keeps it. What the gate refuses becomes REFUSED with its reason.
    """
    outcomes = release_all(
        [(_item(group, notice, prepared), _audience(group, prepared)) for group, notice in pairs],
        actor=actor,
        now=now,
    )
    let_out: list[tuple[Group, Notice, Released]] = []
    for (group, notice), outcome in zip(pairs, outcomes, strict=True):
        if isinstance(outcome, ReleaseRefused):
            notice.state, notice.reason = Notice.State.REFUSED, str(outcome)
        else:
            notice.state, notice.reason, notice.tlp = Notice.State.RELEASED, "", outcome.tlp
            let_out.append((group, notice, outcome))
    _number(let_out, prepared, actor, now)
    orders: list[Order] = []
    places: list[tuple[Notice, ContactFacts]] = []
    for group, notice, released in let_out:
        issued = Issued(notice.number, notice.verify_code)
        owner = prepared.organizations.get(group.organization_id)
        for contact in prepared.contacts[group.organization_id]:
            draft = prepared.told.draft(group, owner, contact, issued, now)
            recipient = f"organization:{group.organization_id}/contact:{contact.id}"
            orders.append(Order(released, draft, notice.policy_code, recipient, window))
            places.append((notice, contact))
    messages = enqueue_messages(orders, actor=actor, now=now) if orders else []
    for (notice, contact), message in zip(places, messages, strict=True):
        notice.letters.append(
            {"contact": contact.id, "version": contact.version, "message": str(message)}
        )


def _number(
    let_out: Sequence[tuple[Group, Notice, Released]],
    prepared: Prepared,
    actor: Actor,
    now: datetime,
) -> None:
    """Numbers and verify codes for those that have none yet."""
    fresh = [(group, notice, released) for group, notice, released in let_out if not notice.number]
    if not fresh:
        return
    numbers = take_numbers(SERIES, len(fresh), at=now, actor=actor, now=now)
    drafts = [
        KeptDraft(number, notice.digest, _title(prepared, group), released)
        for number, (group, notice, released) in zip(numbers, fresh, strict=True)
    ]
    codes = keep_documents(drafts, actor=actor, now=now)
    for number, code, (_, notice, _) in zip(numbers, codes, fresh, strict=True):
        notice.number, notice.verify_code = number, code


def _refused(prepared: Prepared, run: DigestRun, actor: Actor, now: datetime) -> list[Notice]:
    """Step 1: the gate is asked, so that its ledger holds the refusal."""
    groups = prepared.refused.groups
    if not groups:
        return []
    notices = [_notice(run, g, "refused", Notice.State.REFUSED, now) for g in groups]
    wanted = []
    for group, notice in zip(groups, notices, strict=True):
        notice.digest = prepared.refused.digest(group)
        label = _worst_label(prepared.refused.rows, group)
        title = _title(prepared, group)
        item = Item(
            kind="notice",
            identifier=str(notice.public_id),
            tlp=label,
            title=title,
            digest=notice.digest,
            organizations=frozenset({group.organization_id}),
        )
        wanted.append((item, _audience(group, prepared)))
    for notice, outcome in zip(notices, release_all(wanted, actor=actor, now=now), strict=True):
        if not isinstance(outcome, ReleaseRefused):
            raise RuntimeError("The gate let out what the plan holds to be RED.")  # noqa: TRY004 - not about a type
        notice.reason = str(outcome)
    return notices


def _worst_label(rows: pa.Table, group: Group) -> str | None:
    """RED where a row says so, else the label nobody knows, None when there is none."""
    labels = pc.unique(rows["tlp"].slice(group.start, group.stop - group.start)).to_pylist()
    known_red = [label for label in labels if tlp.known(label) == tlp.RED]
    return next(iter(known_red or [label for label in labels if label]), None)


def _notice(
    run: DigestRun, group: Group, decision: str, state: str, now: datetime, *, reason: str = ""
) -> Notice:
    classes: dict[str, int] = {}
    for part in group.classes:
        classes[part.name] = classes.get(part.name, 0) + part.stop - part.start
    return Notice(
        organization_id=group.organization_id,
        run=run,
        policy_code=run.policy_code,
        window=run.window,
        decision=decision,
        state=state,
        reason=reason,
        tlp=group.tlp,
        events=group.stop - group.start,
        classes=classes,
        created_at=now,
    )


def _item(group: Group, notice: Notice, prepared: Prepared) -> Item:
    return Item(
        kind="notice",
        identifier=str(notice.public_id),
        tlp=group.tlp,
        title=_title(prepared, group),
        digest=notice.digest,
        organizations=frozenset({group.organization_id}),
    )


def _audience(group: Group, prepared: Prepared) -> Audience:
    return Audience(
        "organization", str(group.organization_id), prepared.name(group.organization_id)
    )


def _title(prepared: Prepared, group: Group) -> str:
    return f"{group.stop - group.start} security events of {prepared.name(group.organization_id)}"
