"""The index follows the rooms: new things soon, everything anew once a day.

Each source is read on from its mark (`follow`): what is new is found within a minute. What changes
or goes later is caught by a full pass (`pass_anew`): every thing is told again, and an entry that
the pass did not meet is taken out. A portion is one transaction with its mark, so a killed run goes
on where it stood. Nothing here is a fact: the whole index can be thrown away and built anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from muhafiz.common.rows import insert_rows
from muhafiz.search.models import Entry, Mark, Term
from muhafiz.search.sources import Draft, Source, sources

PORTION = 500
FULL_EVERY = timedelta(days=1)

Progress = Callable[[str, int], None]


def index_sources(*, now: datetime, anew: bool = False, progress: Progress | None = None) -> int:
    """Read every source on, and through where a full pass is due (`anew`: in any case).

    Returns how many things were entered. What `progress` raises ends the run between portions.
    """
    entered = 0
    for kind, source in sources().items():
        Mark.objects.get_or_create(pk=kind)
        while count := _follow(source):
            entered += count
            _tell(progress, kind, entered)
        if _begin_pass(kind, now, anew=anew):
            while (passed := _pass_on(source)) is not None:
                entered += passed
                _tell(progress, kind, entered)
    return entered


def _tell(progress: Progress | None, kind: str, entered: int) -> None:
    if progress is not None:
        progress(kind, entered)


@transaction.atomic
def _follow(source: Source) -> int:
    mark = Mark.objects.select_for_update().get(pk=source.KIND)
    drafts, on = source.told(mark.mark, PORTION)
    enter(source.KIND, drafts, round_number=mark.round)
    if on != mark.mark:
        Mark.objects.filter(pk=mark.pk).update(mark=on)
    return len(drafts) if on != mark.mark else 0


@transaction.atomic
def _begin_pass(kind: str, now: datetime, *, anew: bool) -> bool:
    """Whether a full pass is under way, begun now or before; a mark of the future is due."""
    mark = Mark.objects.select_for_update().get(pk=kind)
    if mark.passing and not anew:
        return True
    if mark.full_since is None and not anew:  # the first reading was a full one
        Mark.objects.filter(pk=kind).update(full_since=now)
        return False
    since = mark.full_since
    if not anew and since is not None and timedelta(0) <= now - since < FULL_EVERY:
        return False
    Mark.objects.filter(pk=kind).update(
        full_since=now, full_mark="", round=mark.round + 1, passing=True
    )
    return True


@transaction.atomic
def _pass_on(source: Source) -> int | None:
    """One portion of the pass; None when it is through and what it did not meet is out."""
    mark = Mark.objects.select_for_update().get(pk=source.KIND)
    drafts, on = source.told(mark.full_mark, PORTION)
    enter(source.KIND, drafts, round_number=mark.round)
    if on != mark.full_mark:
        Mark.objects.filter(pk=mark.pk).update(full_mark=on)
        return len(drafts)
    gone = Entry.objects.filter(kind=source.KIND, round__lt=mark.round)
    Term.objects.filter(entry__in=gone).delete()
    gone.delete()
    Mark.objects.filter(pk=mark.pk).update(passing=False)
    return None


@transaction.atomic
def enter(kind: str, drafts: Sequence[Draft], *, round_number: int) -> None:
    """Lay things into the index, in bulk; what is there of them already is replaced."""
    newest = {draft.key: draft for draft in drafts}
    known = dict(Entry.objects.filter(kind=kind, key__in=list(newest)).values_list("key", "pk"))
    fresh = [_entry(kind, one, round_number) for key, one in newest.items() if key not in known]
    insert_rows(fresh)
    stale = [_entry(kind, newest[key], round_number, pk=pk) for key, pk in known.items()]
    Entry.objects.bulk_update(stale, _TOLD, batch_size=PORTION)
    Term.objects.filter(entry__in=list(known.values())).delete()
    insert_rows(
        [
            Term(entry_id=row.pk, term=term, weight=weight)
            for row in (*fresh, *stale)
            for term, weight in newest[row.key].terms.items()
        ]
    )


_TOLD = (
    "title", "title_ur", "told", "args", "organization_id", "owner_finds", "moment", "round",
)  # fmt: skip


def _entry(kind: str, draft: Draft, round_number: int, *, pk: int | None = None) -> Entry:
    return Entry(
        pk=pk,
        kind=kind,
        key=draft.key,
        title=draft.title[:300],
        title_ur=draft.title_ur[:300],
        told=draft.told[:300],
        args=dict(draft.args),
        organization_id=draft.organization_id,
        owner_finds=sources()[kind].TENANTS and draft.owner_finds,
        moment=draft.moment,
        round=round_number,
    )
