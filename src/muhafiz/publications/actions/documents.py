"""Keep documents that anybody can check, and withdraw them without erasing them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.identifiers import new_code
from muhafiz.common.rows import insert_rows
from muhafiz.formats.lines import one_line
from muhafiz.publications.models import Document
from muhafiz.publications.rules import CannotKeepDocument, CannotWithdraw
from muhafiz.release.gate import check_released
from muhafiz.release.proof import Released

_DIGEST_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A document to be kept; `digest` is the SHA-256 (hex) of its bytes or facts."""

    number: str
    digest: str
    title: str
    released: Released


def keep_document(
    *, number: str, digest: str, title: str, released: Released, actor: Actor, now: datetime
) -> str:
    """Keep one document; its verify code, as people type it ("7K3M-9QRT-XW2B").

    Raises:
        NotReleased: the gate did not let it out.
        CannotKeepDocument: the number is taken, or number, title or digest is missing.
    """
    return keep_documents([KeptDraft(number, digest, title, released)], actor=actor, now=now)[0]


@transaction.atomic
def keep_documents(drafts: Sequence[KeptDraft], *, actor: Actor, now: datetime) -> list[str]:
    """Keep many; the verify codes stand in the order of `drafts`. One audit entry covers them.

    Raises:
        NotReleased, CannotKeepDocument: as `keep_document`; nothing is kept.
    """
    if not drafts:
        return []
    check_released(draft.released for draft in drafts)
    _check_numbers(drafts)
    codes = [new_code() for _ in drafts]
    covered = hashlib.sha256()
    rows = []
    for draft, code in zip(drafts, codes, strict=True):
        covered.update(f"{draft.number} {draft.digest}\n".encode())
        rows.append(
            Document(
                number=draft.number,
                title=one_line(draft.title, 500),
                digest=draft.digest,
                verify_code=code.replace("-", ""),
                ledger_id=draft.released.ledger_id,
                tlp=draft.released.tlp,
                kept_at=now,
                kept_by=str(actor)[:200],
            )
        )
    insert_rows(rows)
    record_entry(
        actor=actor,
        now=now,
        action="publications.keep_documents",
        subject=f"document:{drafts[0].number}" if len(drafts) == 1 else f"documents:{len(drafts)}",
        details=_covered(drafts, covered.hexdigest()),
    )
    return codes


def _covered(drafts: Sequence[KeptDraft], digest: str) -> dict[str, str | int]:
    """What the audit log is told about a batch."""
    ends = {"first": drafts[0].number, "last": drafts[-1].number}
    return {**ends, "count": len(drafts), "sha256": digest}


@transaction.atomic
def withdraw_document(
    *, number: str, reason: str, replaced_by: str = "", actor: Actor, now: datetime
) -> None:
    """Put a tombstone on a document: its number and digest stay, whoever checks it is told.

    Raises:
        CannotWithdraw: no such document, withdrawn already, or no reason.
    """
    if not reason.strip():
        raise CannotWithdraw(number=number, reason="it needs a reason")
    if replaced_by and not Document.objects.filter(number=replaced_by).exists():
        raise CannotWithdraw(number=number, reason=f"{replaced_by}, its successor, is not kept")
    withdrawn = Document.objects.filter(number=number, withdrawn_at=None).update(
        withdrawn_at=now,
        withdrawn_by=str(actor)[:200],
        withdrawal_reason=reason,
        replaced_by=replaced_by,
    )
    if not withdrawn:
        raise CannotWithdraw(number=number, reason="it is not kept, or is withdrawn already")
    record_entry(
        actor=actor,
        now=now,
        action="publications.withdraw_document",
        subject=f"document:{number}",
        details={"reason": reason, "replaced_by": replaced_by},
    )


def _check_numbers(drafts: Sequence[KeptDraft]) -> None:
    numbers = [draft.number for draft in drafts]
    if len(set(numbers)) != len(numbers):
        raise CannotKeepDocument(number=numbers[0], reason="a number occurs twice in the batch")
    for draft in drafts:
        hexadecimal = set(draft.digest) <= set("0123456789abcdef")
        if not (draft.number and draft.title and hexadecimal):
            raise CannotKeepDocument(
                number=draft.number, reason="number, title or digest is missing"
            )
        if len(draft.digest) != _DIGEST_LENGTH:
            raise CannotKeepDocument(number=draft.number, reason="its digest is no SHA-256")
    for start in range(0, len(numbers), 500):
        taken = Document.objects.filter(number__in=numbers[start : start + 500]).first()
        if taken is not None:
            raise CannotKeepDocument(number=taken.number, reason="its number is taken")
