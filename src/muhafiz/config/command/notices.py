"""`muhafiz notices`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from uuid import UUID

import click

from muhafiz.config.command import REFUSED
from muhafiz.config.command.ground import (
    Progress,
    as_json,
    clock,
    operator,
    show,
    table,
    with_django,
)


@click.group()
def notices() -> None:
    """Preview and send letters to constituents."""


@notices.command("list")
@click.option("--organization", "organization_id", type=int, help="Only to this one.")
@click.option("--state", help="released, held, cancelled, undeliverable or refused.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@with_django
def list_notices(
    *, organization_id: int | None, state: str | None, limit: int, as_json: bool
) -> None:
    """Notices, the latest first."""
    from muhafiz.detection.queries import notices as made

    rows = [asdict(one) for one in made(organization_id=organization_id, state=state, limit=limit)]
    columns = ("id", "number", "organization_id", "policy_code", "state", "events", "created_at")
    show(rows, as_json=as_json, words=table(rows, columns))


@notices.command("preview")
@click.option("--policy", help="Only this policy's letters.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--text", "with_text", is_flag=True, help="Show the letters' texts.")
@as_json
@with_django
def preview(*, policy: str | None, limit: int, with_text: bool, as_json: bool) -> None:
    """Who would get what, if every policy's window closed now. Writes nothing."""
    from muhafiz.detection.preview import preview_notices

    found = preview_notices(at=clock.now(), policy_code=policy, limit=limit)
    rows = [asdict(one) for one in found.notices]
    columns = ("organization_name", "policy_code", "would_be", "tlp", "events", "language")
    words = table(rows, columns)
    if with_text:
        words += [f"\n--- {one.organization_name}\n{one.text}" for one in found.notices]
    words.append(f"{found.letters:,} organizations would be told; events: {found.decisions}")
    answer = {"notices": rows, "letters": found.letters, "events": found.decisions}
    show(answer, as_json=as_json, words=words)


@notices.command("send")
@click.option("--organization", "organization_id", type=int, help="All that waits for this one.")
@as_json
@with_django
def send(*, organization_id: int | None, as_json: bool) -> None:
    """Compose the letters whose windows have closed; the outbox delivers them.

    With --organization: tell one organization at once, before its windows close.
    """
    from muhafiz.detection.actions.notices import send_due_notices, send_now

    if organization_id is not None:
        ids = send_now(organization_id=organization_id, actor=operator(), clock=clock)
        show({"notices": ids}, as_json=as_json, words=f"{len(ids)} notices are in the outbox.")
        return
    progress = Progress("composing", quiet=as_json)
    sent = send_due_notices(actor=operator(), clock=clock, progress=progress)
    progress.close()
    words = (
        f"{sent.gathered:,} events gathered; {sent.notices:,} notices released, "
        f"{sent.undeliverable:,} with nobody to write to, {sent.refused:,} refused."
    )
    show(asdict(sent), as_json=as_json, words=words)


@notices.command("trace")
@click.argument("notice_id", type=int)
@as_json
@with_django
def trace(*, notice_id: int, as_json: bool) -> None:
    """Each row of a notice: report, row, parser, matched network."""
    from muhafiz.detection.queries import contact_versions, notice, notice_rows

    facts = notice(notice_id)
    if facts is None:
        click.echo(f"There is no notice {notice_id}.", err=True)
        sys.exit(REFUSED)
    rows = notice_rows(notice_id)
    contacts = [
        {"message": str(letter.message_id), "contact": letter.contact_id,
         "version": letter.contact_version, "address": getattr(contact, "address", None)}
        for letter, contact in contact_versions(notice_id)
    ]  # fmt: skip
    columns = ("report_id", "row", "parser", "source_ip", "source_fqdn", "network", "network_id")
    words = [*table(rows, columns), "", *table(contacts, ("contact", "version", "address"))]
    answer = {"notice": asdict(facts), "rows": [_plain(row) for row in rows], "letters": contacts}
    show(answer, as_json=as_json, words=words)


@notices.command("who")
@click.argument("text")
@as_json
@with_django
def who(*, text: str, as_json: bool) -> None:
    """Who has this fact? TEXT is a notice's number, verify code or checksum."""
    from muhafiz.publications.queries import release_of
    from muhafiz.release.queries import decision, holders_of, holders_of_digest

    kept = release_of(text)
    found = decision(kept) if kept is not None else None
    held = (
        holders_of(found.item_kind, found.item_identifier)
        if found is not None
        else holders_of_digest(text.strip().lower())
    )
    rows = [asdict(one) for one in held]
    columns = ("audience_name", "tlp", "item_title", "decided_at", "decided_by", "recalled_at")
    show(rows, as_json=as_json, words=table(rows, columns))
    sys.exit(0 if rows else REFUSED)


@notices.command("recall")
@click.argument("notice_id", type=int)
@click.option("--reason", required=True, help="Why; its recipients read it.")
@with_django
def recall(*, notice_id: int, reason: str) -> None:
    """Take a notice back and tell everybody who was told."""
    from muhafiz.detection.actions.recalling import recall_notice
    from muhafiz.detection.queries import notice

    if notice(notice_id) is None:
        click.echo(f"There is no notice {notice_id}.", err=True)
        sys.exit(REFUSED)
    told = recall_notice(notice_id=notice_id, reason=reason, actor=operator(), now=clock.now())
    click.echo(f"Notice {notice_id} is withdrawn; {told} letters say so.")


@notices.command("unsure")
@as_json
@with_django
def list_unsure(*, as_json: bool) -> None:
    """Messages that a crash left between sending and sent."""
    from muhafiz.notifications.queries import unsure

    rows = [asdict(one) for one in unsure()]
    show(rows, as_json=as_json, words=table(rows, ("id", "address", "subject", "reason")))


@notices.command("resolve")
@click.argument("message", type=click.UUID)
@click.argument("outcome", type=click.Choice(["sent", "send_again"]))
@click.option("--note", required=True, help="How that is known, e.g. from the server's log.")
@with_django
def resolve(*, message: UUID, outcome: str, note: str) -> None:
    """Decide about an unsure message: it was sent, or it goes out once more."""
    from muhafiz.notifications.actions.letters import resolve_unsure

    resolve_unsure(
        message=message,
        outcome="sent" if outcome == "sent" else "send_again",
        note=note,
        actor=operator(),
        now=clock.now(),
    )
    click.echo(f"{message}: {outcome}.")


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in row.items() if not isinstance(value, bytes)}
