"""Which segments a query must open: the rest is ruled out by what their rows say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from django.db.models import Q, QuerySet

from muhafiz.lake.engines import SegmentFile
from muhafiz.lake.models import Segment, SegmentKind
from muhafiz.lake.query import EventQuery
from muhafiz.lake.storage import whole_path
from muhafiz.tenancy.current import beyond_tenant, check_within_tenant, refuse_under_tenant

_Ordered = TypeVar("_Ordered", str, bytes)
_BLOCKS = ("organization_counts", "class_counts")  # fetched only by the questions that add them


def check_asker(query: EventQuery) -> None:
    """Let a tenant ask about its own events only. Every question to the lake passes here.

    Raises:
        NotAllowedToConstituents: a tenant asks about others, about nobody's, or names no owner.
    """
    check_within_tenant(query.organization_ids)
    if query.nobody:
        refuse_under_tenant()


def event_segments(query: EventQuery, *, with_counts: bool = False) -> list[Segment]:
    """Live event segments that may hold an answer, oldest day first.

    Raises:
        NotAllowedToConstituents: a tenant asks about others than itself.
    """
    check_asker(query)
    with beyond_tenant("a segment holds everybody's events; the question was checked"):
        return _event_segments(query, with_counts=with_counts)


def _event_segments(query: EventQuery, *, with_counts: bool) -> list[Segment]:
    found = _live(SegmentKind.EVENTS, *query.days())
    found = found.filter(_times(query) & _numbers(query)).order_by("day", "id")
    if not with_counts:
        found = found.defer(*_BLOCKS)
    return [segment for segment in found if _may_hold(segment, query)]


def resighting_segments(days: Iterable[date]) -> list[Segment]:
    """Live re-sighting segments of these days that are not folded into the events yet."""
    wanted = set(days)
    if not wanted:
        return []
    with beyond_tenant("re-sightings are joined to events that were asked for by their owner"):
        found = _live(SegmentKind.RESIGHTINGS, min(wanted), max(wanted)).filter(folded=False)
        return [segment for segment in found.defer(*_BLOCKS) if segment.day in wanted]


def files_of(segments: Iterable[Segment]) -> list[SegmentFile]:
    """Where they lie."""
    return [SegmentFile(segment.pk, whole_path(segment.path)) for segment in segments]


def _live(kind: SegmentKind, first: date | None, last: date | None) -> QuerySet[Segment]:
    found = Segment.objects.filter(kind=kind, retired_at=None)
    if first is not None:
        found = found.filter(day__gte=first)
    if last is not None:
        found = found.filter(day__lte=last)
    return found


def _times(query: EventQuery) -> Q:
    wanted = Q()
    if query.since is not None:
        wanted &= Q(time_max__gte=query.since)
    if query.until is not None:
        wanted &= Q(time_min__lt=query.until)
    if query.received_since is not None:
        wanted &= Q(received_max__gte=query.received_since)
    if query.received_until is not None:
        wanted &= Q(received_min__lt=query.received_until)
    return wanted


def _numbers(query: EventQuery) -> Q:
    wanted = Q()
    if query.organization_ids or query.nobody:
        owner = Q(has_nobody=True) if query.nobody else Q(pk__in=())
        if query.organization_ids:
            owner |= Q(
                organization_min__lte=max(query.organization_ids),
                organization_max__gte=min(query.organization_ids),
            )
        wanted &= owner
    if query.asn is not None:
        wanted &= Q(asn_min__lte=query.asn, asn_max__gte=query.asn)
    if query.keys:
        wanted &= Q(key_min__lte=max(query.keys), key_max__gte=min(query.keys))
    if query.report_id is not None:
        wanted &= Q(contributions__report_id=query.report_id)
    return wanted


def _may_hold(segment: Segment, query: EventQuery) -> bool:
    """The ranges that the database would compare by its own collation."""
    span = query.address_range()
    if span is not None and not _overlaps(
        span, _bytes(segment.address_min), _bytes(segment.address_max)
    ):
        return False
    name = query.suffix_reversed()
    if name is not None and not _overlaps(
        (name, name + "/"), segment.fqdn_reversed_min, segment.fqdn_reversed_max
    ):
        return False
    return not query.feed_codes or not query.feed_codes.isdisjoint(segment.feeds())


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


def _overlaps(
    span: tuple[_Ordered, _Ordered], least: _Ordered | None, most: _Ordered | None
) -> bool:
    if least is None or most is None:
        return False
    return span[0] <= most and least <= span[1]
