"""Which answer stands for each asset of some findings, and what the answers say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, time

from django.db.models import Q

from muhafiz.constituency.queries import portions
from muhafiz.detection.finding_rules import ANSWERS, AssetAnswer, State, asset_state, settled
from muhafiz.detection.models import Finding, Response
from muhafiz.detection.recipients import quiet_after, zone
from muhafiz.lake.exposures import assets, labels
from muhafiz.lake.query import EventQuery
from muhafiz.release.rules import may_be_given


def standing_answers(finding_ids: Collection[int]) -> dict[int, dict[str, AssetAnswer]]:
    """Finding → asset → the answer that stands.

    The latest one counts; an answer about the whole finding overrides those about its assets.
    """
    found: dict[int, dict[str, AssetAnswer]] = defaultdict(dict)
    for portion in portions(finding_ids):
        rows = Response.objects.filter(finding_id__in=portion).order_by("finding_id", "at", "pk")
        for finding, kind, asset, at, until in rows.values_list(
            "finding_id", "kind", "asset", "at", "until"
        ):
            if kind in ANSWERS and not asset:
                found[finding].clear()
            elif kind in ANSWERS:
                found[finding][asset] = AssetAnswer(ANSWERS[kind], at, until)
    return dict(found)


def excepted(at: datetime) -> Callable[[set[int]], list[tuple[int, str, str, str | None]]]:
    """What owners live with until a day ahead, or what the CERT agreed is not theirs, for plans."""
    today = at.astimezone(zone(at)).date()

    def ask(owners: set[int]) -> list[tuple[int, str, str, str | None]]:
        whole = Q(state="excepted", until__gt=today) | Q(state="not_ours", review="accepted")
        parts = Q(responses__kind="except", responses__until__gt=today) & ~Q(responses__asset="")
        found: list[tuple[int, str, str, str | None]] = []
        for portion in portions(owners):
            rows = Finding.objects.filter(organization_id__in=portion)
            found += [(*_key(row), None) for row in rows.filter(whole)]
            partly = {row.pk: row for row in rows.filter(parts).distinct()}
            found += [
                (*_key(partly[pk]), asset)
                for pk, answers in standing_answers(partly).items()
                for asset, answer in answers.items()
                if answer.state == "excepted" and answer.until is not None and answer.until > today
            ]
        return found

    return ask


def _key(row: Finding) -> tuple[int, str, str]:
    return row.organization_id, row.classification_type, row.classification_identifier


def window_start(now: datetime) -> datetime:
    """From when on an asset counts as there now."""
    return datetime.combine((now - quiet_after(now)).astimezone(UTC).date(), time(), UTC)


def settled_states(finding_ids: Iterable[int], *, now: datetime) -> dict[int, State | None]:
    """What the answers about its assets say of each finding; None while an asset is open."""
    rows = {
        (row.organization_id, row.classification_type, row.classification_identifier): row.pk
        for portion in portions(finding_ids)
        for row in Finding.objects.filter(pk__in=portion)
    }
    answers = standing_answers(set(rows.values()))
    today = now.astimezone(zone(now)).date()
    states: dict[int, set[State]] = {pk: set() for pk in rows.values()}
    query = EventQuery(
        organization_ids=frozenset(owner for owner, _, _ in rows),
        since=window_start(now),
        limit=None,
    )
    allowed = frozenset(label for label in labels(query) if may_be_given(label, "organization"))
    found = assets(query, allowed, identifiers={identifier for _, _, identifier in rows})
    for line in found.to_pylist():
        pk = rows.get((line["organization_id"], line["type"], line["identifier"]))
        if pk is not None:
            answer = answers.get(pk, {}).get(line["asset"])
            states[pk].add(asset_state(answer, last_seen=line["last_seen"], today=today))
    return {pk: settled(found) for pk, found in states.items()}
