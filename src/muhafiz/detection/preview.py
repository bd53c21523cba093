"""Who would get what: the digest's own steps, in a folder that is thrown away. Writes nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

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
    letters = 0
    decisions: Counter[str] = Counter()
    policies = current_policies()
    closing = [policy for policy in policies if policy_code in {None, policy.code}]
    with tempfile.TemporaryDirectory(prefix="muhafiz-preview-") as scratch:
        root = Path(scratch)
        sources = _waiting(closing)
        for code, files in _arrived(policies, at, root).items():
            sources.setdefault(code, []).extend(files)
        told = [located(file.path) for file in ToldFile.objects.filter(retired_at=None)]
        held, set_apart, author = inhibitions(at), excepted(at), house(at)
        shown: list[tuple[str, Composition]] = []
        room = limit
        for policy in closing:
            plan = make_plan(
                sources.get(policy.code, []),
                told,
                policy,
                at,
                held,
                excepted=set_apart,
                root=root,
                memory_mib=settings.LAKE_MEMORY_MIB,
            )
            decisions.update(plan.decisions)
            letters += plan.recipients
            for decision, rows in _first(root / plan.plan.path, room):
                composition = Composition(rows, policy, at, author)
                room -= len(composition.groups)
                shown.append((decision, composition))
    previews = sorted(_previews(shown, at), key=lambda each: each.organization_id)
    return Preview(tuple(previews[:limit]), letters, dict(decisions))


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


def _waiting(policies: Iterable[Policy]) -> dict[str, list[Source]]:
    """The pools that no run has taken yet, by policy."""
    codes = [policy.code for policy in policies]
    waiting: dict[str, list[Source]] = {}
    pools = Pool.objects.filter(policy_code__in=codes, run=None).order_by("pk")
    for pool in pools.prefetch_related("taken"):
        source = Source(located(pool.path), taken_from(pool))
        waiting.setdefault(pool.policy_code, []).append(source)
    return waiting


def _first(plan: Path, owners: int) -> Iterator[tuple[str, pa.Table]]:
    """What a plan tells its first owners, and what it refuses them."""
    if owners > 0:
        for chunk in chunks(plan, -1, owners):
            for decision in ("tell", "refused"):
                yield decision, chunk.rows.filter(pc.equal(chunk.rows["decision"], decision))
            break


def _previews(shown: Sequence[tuple[str, Composition]], at: datetime) -> Iterator[NoticePreview]:
    """The notices of these compositions, with their texts; owners are looked up once for all."""
    owners = [group.organization_id for _, composition in shown for group in composition.groups]
    named, reachable = organizations(owners), contacts(owners, at)
    for decision, composition in shown:
        for group in composition.groups:
            owner, found = named.get(group.organization_id), reachable[group.organization_id]
            would_be = "refused" if decision == "refused" else "released"
            would_be = would_be if found or decision == "refused" else "undeliverable"
            reasons = {"refused": "TLP:RED or no known label", "undeliverable": "no contact"}
            language = languages_of(found)
            classes: Counter[str] = Counter()
            for part in group.classes:
                classes[part.name] += part.stop - part.start
            yield NoticePreview(
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
