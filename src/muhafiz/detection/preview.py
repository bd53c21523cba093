"""Who would get what: the digest's own steps, in a folder that is thrown away. Writes nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from muhafiz.detection.arrivals import arrivals_after
from muhafiz.detection.asset_answers import excepted
from muhafiz.detection.composing import Composition, chunks, languages_of
from muhafiz.detection.facts import NoticePreview, Preview
from muhafiz.detection.files import located
from muhafiz.detection.gathering import files_by_report, gather_reports
from muhafiz.detection.models import GatheredReport, Pool, Position, ToldFile
from muhafiz.detection.planning import Source, make_plan
from muhafiz.detection.recipients import contacts, house, inhibitions, organizations
from muhafiz.detection.rules import Policy
from muhafiz.detection.stored import current_policies, taken_from


def preview_notices(*, at: datetime, policy_code: str | None = None, limit: int = 20) -> Preview:
    """The notices there would be if every window (or one policy's) closed at `at`.

    `limit` bounds how many are shown with their text; the counts are over all.
    """
    shown: list[NoticePreview] = []
    letters = 0
    decisions: Counter[str] = Counter()
    policies = current_policies()
    with tempfile.TemporaryDirectory(prefix="muhafiz-preview-") as scratch:
        root = Path(scratch)
        arrived = _arrived(policies, at, root)
        for policy in policies:
            if policy_code not in {None, policy.code}:
                continue
            sources = [*_waiting(policy.code), *arrived.get(policy.code, [])]
            told = [located(file.path) for file in ToldFile.objects.filter(retired_at=None)]
            plan = make_plan(
                sources, told, policy, at, inhibitions(at), excepted=excepted(at), root=root
            )
            decisions.update(plan.decisions)
            letters += plan.recipients
            shown += _shown(root / plan.plan.path, policy, at, limit - len(shown))
    return Preview(tuple(shown), letters, dict(decisions))


def _arrived(policies: Sequence[Policy], at: datetime, root: Path) -> dict[str, list[Source]]:
    """What the lake has and no pool holds yet, sorted by policy."""
    position = Position.objects.filter(pk=1).first()
    arrived = arrivals_after(position.audit_index if position else -1)
    known = files_by_report(
        (entry.report_id, located(_standing(entry.pool)))
        for entry in GatheredReport.objects.filter(report_id__in=arrived.reports).select_related(
            "pool__run"
        )
    )
    sorted_files: dict[str, list[Source]] = {}
    for file in gather_reports(arrived.reports, policies, known, at, root):
        sorted_files.setdefault(file.policy_code, []).append(Source(root / file.written.path))
    return sorted_files


def _standing(pool: Pool) -> str:
    return pool.run.path if pool.run is not None and pool.run.path else pool.path


def _waiting(code: str) -> Iterable[Source]:
    pools = Pool.objects.filter(policy_code=code, run=None).order_by("pk")
    return [Source(located(pool.path), taken_from(pool)) for pool in pools]


def _shown(plan: Path, policy: Policy, at: datetime, limit: int) -> list[NoticePreview]:
    """The first `limit` notices of a plan with their texts."""
    shown: list[NoticePreview] = []
    if limit <= 0:
        return shown
    author = house(at)
    for chunk in chunks(plan, -1, limit):
        for decision in ("tell", "refused"):
            rows = chunk.rows.filter(pc.equal(chunk.rows["decision"], decision))
            shown += _previews(Composition(rows, policy, at, author), decision, at)
        break
    return sorted(shown, key=lambda each: each.organization_id)[:limit]


def _previews(composition: Composition, decision: str, at: datetime) -> list[NoticePreview]:
    owners = [group.organization_id for group in composition.groups]
    named, reachable = organizations(owners), contacts(owners, at)
    previews = []
    for group in composition.groups:
        owner, found = named.get(group.organization_id), reachable[group.organization_id]
        would_be = "refused" if decision == "refused" else "released"
        would_be = would_be if found or decision == "refused" else "undeliverable"
        reasons = {"refused": "TLP:RED or no known label", "undeliverable": "no contact"}
        language = languages_of(found)
        classes: Counter[str] = Counter()
        for part in group.classes:
            classes[part.name] += part.stop - part.start
        previews.append(
            NoticePreview(
                organization_id=group.organization_id,
                organization_name=owner.name(language) if owner else str(group.organization_id),
                policy_code=composition.policy.code,
                would_be=would_be,
                reason=reasons.get(would_be, ""),
                tlp=group.tlp,
                events=group.stop - group.start,
                classes=dict(classes),
                recipients=tuple(contact.address for contact in found),
                language=language,
                text=composition.text(group, owner, language) if decision == "tell" else "",
            )
        )
    return previews
