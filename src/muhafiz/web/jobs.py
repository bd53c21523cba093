"""What the faces do later: letters that must not tell by their time whom we know."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.db import transaction
from django.urls import reverse

from muhafiz.accounts.actions.clock import note_clock
from muhafiz.accounts.actions.tries import prune_tries
from muhafiz.accounts.queries import person_by_email
from muhafiz.jobs.registry import JobRun, job
from muhafiz.web.signin.letters import send_reset
from muhafiz.web.signin.resets import reset_token

_TRIES_KEPT: Final = timedelta(days=2)


@job("web.send_reset", attempts=3)
@transaction.atomic
def send_reset_letter(run: JobRun, *, email: str) -> None:
    """Send the link for a new password, if the address is somebody's; silent otherwise."""
    found = person_by_email(email)
    if found is None or not found.active:
        return
    number, token = reset_token(found.id)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": number, "key": token})
    send_reset(found, path=path, window=f"job:{run.job_id}", actor=run.actor, now=run.now())


@job("web.prune_tries", every=timedelta(hours=6))
def prune(run: JobRun) -> None:
    """Forget tries to sign in that count no more, and what browsers of ended sessions left."""
    removed = prune_tries(before=run.now() - _TRIES_KEPT)
    ended, _ = Session.objects.filter(expire_date__lt=run.now()).delete()
    run.report(done=removed + ended, note=f"{removed} tries, {ended} sessions removed")


@job("web.note_clock", every=timedelta(hours=1))
def note(run: JobRun) -> None:
    """Keep the latest moment read, so that a clock set back revives no link that has expired."""
    note_clock(run.now())
