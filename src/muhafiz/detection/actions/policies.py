"""Setting down who is told what, and how often."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.detection.models import DigestPolicy, Watermark
from muhafiz.detection.rules import BadPolicy, Policy, check_policy, closed_window
from muhafiz.rulebook import queries as rulebook

#: What `install_default_policies` lays down. Urgent classes within the hour, weaknesses weekly
#: reminders, everything else once a day: nothing is left without a policy.
DEFAULTS = (
    ("default.all", "Everything else", Policy("default.all", "daily")),
    (
        "default.malicious",
        "Infected and abused machines",
        Policy("default.malicious", "hourly", classes="malicious-code/*", resend_days=3),
    ),
    (
        "default.intrusions",
        "Intrusions",
        Policy("default.intrusions", "at_once", classes="intrusions/*", resend_days=1),
    ),
    (
        "default.leaks",
        "Stolen and leaked data",
        Policy("default.leaks", "at_once", classes="information-content-security/*", resend_days=1),
    ),
    (
        "default.vulnerable",
        "Open and vulnerable services",
        Policy("default.vulnerable", "daily", classes="vulnerable/*", resend_days=30),
    ),
)


class NoSuchPolicy(Refusal):
    """There is no policy of that code, or it was ended."""

    text = "There is no policy “{code}”."


def install_default_policies(
    *, actor: Actor, now: datetime, cadence: str | None = None
) -> list[str]:
    """Lay down the default policies that are not there yet; the codes laid down.

    A default that was edited or ended stays as it is. `cadence` overrides theirs, e.g. "at_once"
    for a demonstration.
    """
    laid = []
    present = set(DigestPolicy.objects.values_list("code", flat=True))
    for code, title, policy in DEFAULTS:
        if code not in present:
            chosen = replace(policy, cadence=cadence or policy.cadence)
            write_policy(policy=chosen, title=title, actor=actor, now=now)
            laid.append(code)
    return laid


@transaction.atomic
def write_policy(*, policy: Policy, title: str, actor: Actor, now: datetime) -> int:
    """Open a policy, or the next version of the one with the same code; its id.

    The events that already wait for the old version's window are told by the new version.
    `policy.valid_from` is not heeded: the version holds from `now`.

    Raises:
        BadPolicy: it makes no sense.
    """
    check_policy(policy)
    _close(policy.code, now)
    fields = {key: value for key, value in asdict(policy).items() if key != "valid_from"}
    row = DigestPolicy.objects.create(
        **fields, title=title, valid_from=now, created_by=str(actor)[:200]
    )
    zone = ZoneInfo(str(rulebook.value_or("jurisdiction.timezone", "UTC", at=now)))
    # Its first window is the one that is open now: nothing closes behind its back.
    Watermark.objects.get_or_create(
        policy_code=policy.code,
        defaults={"sealed_until": closed_window(policy.cadence, now, zone).end},
    )
    record_entry(
        actor=actor,
        now=now,
        action="detection.write_policy",
        subject=f"policy:{policy.code}",
        details={"version": row.pk, "title": title, **fields},
    )
    return row.pk


@transaction.atomic
def end_policy(*, code: str, reason: str, actor: Actor, now: datetime) -> None:
    """End a policy. Events that wait for it are sorted anew by those that remain.

    Raises:
        NoSuchPolicy: there is none, or it was ended before.
        BadPolicy: no reason is given.
    """
    if not reason.strip():
        raise BadPolicy(reason="ending it needs a reason.")
    if not _close(code, now):
        raise NoSuchPolicy(code=code)
    record_entry(
        actor=actor,
        now=now,
        action="detection.end_policy",
        subject=f"policy:{code}",
        details={"reason": reason},
    )


def _close(code: str, now: datetime) -> int:
    return DigestPolicy.objects.filter(code=code, valid_to=None).update(valid_to=now)
