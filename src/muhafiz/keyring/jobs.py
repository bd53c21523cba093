"""The keyring's timed work."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.audit.actions.heads import keep_signed_head
from muhafiz.audit.queries import verdict
from muhafiz.jobs.registry import CannotSucceed, JobRun, job
from muhafiz.keyring import signer
from muhafiz.keyring.audit_checks import NOT_WHOLE, VERIFY_JOB


@job("keyring.sign_audit_head", every=timedelta(minutes=1), attempts=1, lease=timedelta(minutes=2))
def sign_audit_head(run: JobRun) -> None:
    """Sign the audit log's present head, when the log grew since the last one."""
    head = keep_signed_head(sign=signer.sign, public_key=signer.public_key(), now=run.now())
    run.report(done=1, total=1, note=f"{head.size} entries" if head else "nothing new")


@job(VERIFY_JOB, every=timedelta(days=1), attempts=3, lease=timedelta(minutes=10))
def verify_audit(run: JobRun) -> None:
    """Hash the whole audit log again and compare it with its tree and every signed head."""
    found = verdict(progress=lambda done, total: run.report(done=done, total=total))
    if not found.whole:
        run.report(note=NOT_WHOLE)
        raise CannotSucceed(found.finding)
    run.report(
        done=found.entries,
        total=found.entries,
        note=f"whole: {found.entries} entries, {found.heads} signed heads",
    )
