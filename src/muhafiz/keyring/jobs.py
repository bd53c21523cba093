"""The keyring's timed work."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.audit.actions.heads import keep_signed_head
from muhafiz.jobs.registry import JobRun, job
from muhafiz.keyring import signer


@job("keyring.sign_audit_head", every=timedelta(minutes=1), attempts=1, lease=timedelta(minutes=2))
def sign_audit_head(run: JobRun) -> None:
    """Sign the audit log's present head, when the log grew since the last one."""
    head = keep_signed_head(sign=signer.sign, public_key=signer.public_key(), now=run.now())
    run.report(done=1, total=1, note=f"{head.size} entries" if head else "nothing new")
