"""Is this document genuine?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q

from muhafiz.formats import tlp
from muhafiz.formats.lines import one_line
from muhafiz.publications.models import Document, Series
from muhafiz.publications.rules import bare_code


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be told to whoever asks.

    `title` is given only to those who know the code, or for a TLP:CLEAR document: numbers can be
    guessed, codes cannot. `digest` is the SHA-256 in hex.
    """

    outcome: Literal["valid", "withdrawn", "unknown"]
    number: str = ""
    title: str = ""
    digest: str = ""
    kept_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawal_reason: str = ""
    replaced_by: str = ""


def verify(code_or_number: str) -> Verdict:
    """What the press knows of this verify code or document number."""
    text = one_line(code_or_number, 100)
    code = bare_code(text)
    row = Document.objects.filter(verify_code=code).first() if code else None
    knows_code = row is not None
    if row is None:
        row = Document.objects.filter(number=text).first() if text else None
    if row is None:
        return Verdict("unknown")
    tells = knows_code or row.tlp == tlp.CLEAR
    return Verdict(
        outcome="valid" if row.withdrawn_at is None else "withdrawn",
        number=row.number,
        title=row.title if tells else "",
        digest=row.digest,
        kept_at=row.kept_at,
        withdrawn_at=row.withdrawn_at,
        withdrawal_reason=row.withdrawal_reason if tells else "",
        replaced_by=row.replaced_by,
    )


def release_of(code_or_number: str) -> int | None:
    """Under which decision of the gate a document was kept; None when there is no such document."""
    text = one_line(code_or_number, 100)
    code = bare_code(text)
    found = Q(number=text) | Q(verify_code=code) if code else Q(number=text)
    return Document.objects.filter(found).values_list("ledger_id", flat=True).first()


def last_number(series: str, year: int) -> int:
    """The last number given out in this series and year; 0 when none was."""
    row = Series.objects.filter(name=series, year=year).first()
    return row.last if row else 0
