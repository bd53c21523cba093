from __future__ import annotations

import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from muhafiz.audit.actions.entries import record_read
from muhafiz.audit.canonical import head_text
from muhafiz.audit.queries import current_head, signed_heads
from muhafiz.common.clock import HeldClock
from muhafiz.jobs.registry import JobRun
from muhafiz.keyring import signer
from muhafiz.keyring.jobs import sign_audit_head


def test_signatures_verify_and_the_key_stays_the_owners(folders, settings):
    signature = signer.sign(b"head")
    assert signer.verifies(signer.public_key(), b"head", signature)
    assert not signer.verifies(signer.public_key(), b"tail", signature)
    assert not signer.verifies(b"x", b"head", signature)
    key = Path(settings.KEYS) / "audit-heads.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.peer
def test_openssl_verifies_with_the_exported_key(folders, tmp_path):
    (tmp_path / "m").write_bytes(b"head")
    (tmp_path / "s").write_bytes(signer.sign(b"head"))
    (tmp_path / "k").write_text(signer.public_key_pem())
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "k", "-rawin", "-in", "m",
         "-sigfile", "s"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip


def test_the_job_signs_what_grew_and_only_that(transactional_db, folders, actor, now):
    clock = HeldClock(now)
    run = JobRun("keyring.sign_audit_head", clock)
    record_read(actor=actor, now=now, action="test.read", subject="test:1")
    before = len(signed_heads())
    sign_audit_head(run)
    head = signed_heads(limit=1)[0]
    assert len(signed_heads()) == before + 1
    assert head.size == current_head().size
    text = head_text(head.log, head.size, head.root, now)
    assert signer.verifies(signer.public_key(), text, head.signature)
    clock.advance(timedelta(minutes=1))
    sign_audit_head(run)
    assert len(signed_heads()) == before + 1
