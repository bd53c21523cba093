"""Take in what registries say: automatic claims and contacts, kept in step with the registry."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.common.rows import insert_rows
from muhafiz.constituency.actions.applying import plain_values, supersede, write_versions
from muhafiz.constituency.actions.planning import Values
from muhafiz.constituency.actions.trail import (
    JSON,
    hold_constituency,
    leave_trail,
    renew_matching,
)
from muhafiz.constituency.models import (
    Claim,
    Contact,
    ContactVersion,
    Handle,
    Import,
    ImportChange,
)
from muhafiz.constituency.registers import (
    Holding,
    Register,
    read_delegated_register,
    read_rpsl_register,
)
from muhafiz.constituency.rules import BadContact, check_address, check_name
from muhafiz.formats.delegated import BadDelegated

_PORTION = 2_000
_FEW = 10
Key = tuple[int, str, str]  # organization, kind, text


class UnreadableRegister(Refusal):
    """A registry file that is not what it should be, or not all of it."""

    text = "This registry file cannot be used: {reason}"


class RegisterShrank(Refusal):
    """A registry file that would end more than half of what the registry gave before."""

    text = (
        "{file_name} would end {ending} of {standing} claims from {source}. "
        "If that is right, import it once more and say so."
    )


@dataclass(frozen=True, slots=True)
class RegistryImported:
    """What a registry import did; `import_id` undoes it.

    `unmatched` are the handles of holders that no organization is known by, the largest first,
    with the number of networks and ASNs they hold: candidates for `add_handle`.
    """

    import_id: int
    added: int
    ended: int
    unchanged: int
    contacts_added: int
    contacts_ended: int
    unmatched: tuple[tuple[str, int], ...]
    problems: tuple[tuple[int, str], ...]  # (line, why)


def import_delegated(
    content: bytes,
    *,
    source: str,
    file_name: str,
    even_if_shrunk: bool = False,
    actor: Actor,
    now: datetime,
) -> RegistryImported:
    """Bring automatic claims in step with a RIR's delegated-extended file.

    Holders are matched by their opaque id as a handle of `source` ("apnic").

    Raises:
        UnreadableRegister: it is no such file, or was cut short.
        RegisterShrank: more than half would end, and `even_if_shrunk` is not said.
    """
    try:
        register = read_delegated_register(content)
    except BadDelegated as error:
        raise UnreadableRegister(reason=str(error)) from None
    run = Import(kind="delegated", source=source, file_name=file_name)
    return _import(run, content, register, even_if_shrunk=even_if_shrunk, actor=actor, now=now)


def import_rpsl(
    content: bytes,
    *,
    source: str,
    file_name: str,
    even_if_shrunk: bool = False,
    actor: Actor,
    now: datetime,
) -> RegistryImported:
    """Bring automatic claims and abuse contacts in step with a dump of registry objects.

    Holders are matched by `org:`, else by `mnt-by:`, as handles of `source` ("ripe").

    Raises:
        UnreadableRegister: it holds no network and no ASN at all.
        RegisterShrank: more than half would end, and `even_if_shrunk` is not said.
    """
    register = read_rpsl_register(content)
    if not register.holdings:
        raise UnreadableRegister(reason="It holds no network and no ASN.")
    run = Import(kind="rpsl", source=source, file_name=file_name)
    return _import(run, content, register, even_if_shrunk=even_if_shrunk, actor=actor, now=now)


@transaction.atomic
def _import(
    run: Import,
    content: bytes,
    register: Register,
    *,
    even_if_shrunk: bool,
    actor: Actor,
    now: datetime,
) -> RegistryImported:
    hold_constituency()
    run.source = check_name(run.source, 64).lower()
    run.file_name = run.file_name[:255]
    run.digest = hashlib.sha256(content).hexdigest()
    run.created_at, run.created_by = now, actor.name[:128]
    run.save()
    wanted, unmatched = _wanted(register.holdings, run.source)
    step = _Step(run, actor, now)
    unchanged = step.claims(wanted, even_if_shrunk=even_if_shrunk)
    if run.kind == "rpsl":
        step.contacts(register.mailboxes)
    ImportChange.objects.bulk_create(step.journal, batch_size=_PORTION)
    counts = {**step.counts, "unchanged": unchanged}
    Import.objects.filter(pk=run.pk).update(counts=counts)
    renew_matching()
    details: dict[str, JSON] = {"file": run.file_name, "sha256": run.digest, **counts}
    leave_trail(
        step.owners, f"import_{run.kind}", f"import:{run.pk}", details, actor=actor, now=now
    )
    return RegistryImported(run.pk, **counts, unmatched=unmatched, problems=register.problems)


def _wanted(
    holdings: Iterable[Holding], source: str
) -> tuple[dict[Key, date | None], tuple[tuple[str, int], ...]]:
    """What the file gives to organizations that are known, and the handles that nobody has."""
    known = _handles(source)
    wanted: dict[Key, date | None] = {}
    unmatched: Counter[str] = Counter()
    for holding in holdings:
        owner = next((known[handle] for handle in holding.handles if handle in known), None)
        if owner is not None:
            wanted[owner, holding.kind, holding.text] = holding.day
        elif holding.handles:
            unmatched[holding.handles[0]] += 1
    return wanted, tuple(unmatched.most_common())


def _handles(source: str) -> dict[str, int]:
    rows = Handle.objects.filter(source=source, organization__retired_at__isnull=True)
    return dict(rows.values_list("handle", "organization_id"))


class _Step:
    """One register being followed; manual entries and other sources are never touched."""

    def __init__(self, run: Import, actor: Actor, now: datetime) -> None:
        self.run, self.actor, self.now = run, actor, now
        self.today = now.date()
        self.journal: list[ImportChange] = []
        self.owners: set[int] = set()
        self.counts = dict.fromkeys(("added", "ended", "contacts_added", "contacts_ended"), 0)

    def claims(self, wanted: Mapping[Key, date | None], *, even_if_shrunk: bool) -> int:
        """Add what is new, end what is gone; returns how many stay as they are."""
        ours = Claim.objects.filter(
            origin="automatic",
            source=self.run.source,
            withdrawn_at__isnull=True,
            made_by__kind=self.run.kind,
        )
        before = list(ours.values_list("pk", "organization_id", "kind", "text", "valid_to"))
        standing = {(o, k, t): pk for pk, o, k, t, end in before if end is None}
        gone = {key: pk for key, pk in standing.items() if key not in wanted}
        if len(gone) > max(_FEW, len(standing) // 2) and not even_if_shrunk:
            self._refuse(len(gone), len(standing))
        self._end_claims(gone)
        seen_texts = {(kind, text) for _, _, kind, text, _ in before}
        seen_owners = {owner for _, owner, *_ in before}
        new = {key: day for key, day in wanted.items() if key not in standing}
        rows = [
            Claim(
                organization_id=owner,
                kind=kind,
                text=text,
                valid_from=self.today
                if (kind, text) in seen_texts
                else day or (self.today if owner in seen_owners else None),
                origin="automatic",
                source=self.run.source,
                created_at=self.now,
                made_by=self.run,
            )
            for (owner, kind, text), day in new.items()
        ]
        insert_rows(rows)
        self.owners |= {owner for owner, _, _ in new}
        self.counts |= {"added": len(new), "ended": len(gone)}
        return len(standing) - len(gone)

    def _refuse(self, ending: int, standing: int) -> NoReturn:
        raise RegisterShrank(
            file_name=self.run.file_name,
            source=self.run.source,
            ending=ending,
            standing=standing,
        )

    def _end_claims(self, gone: Mapping[Key, int]) -> None:
        ids = list(gone.values())
        for start in range(0, len(ids), _PORTION):
            Claim.objects.filter(pk__in=ids[start : start + _PORTION]).update(valid_to=self.today)
        self.owners |= {owner for owner, _, _ in gone}
        end: Values = {"valid_to": self.today}
        for pk in ids:
            self._note("claim", pk, {"valid_to": None}, end)

    def contacts(self, mailboxes: Mapping[str, tuple[str, ...]]) -> None:
        """Keep one abuse contact per organization and mailbox that the registry names."""
        known = _handles(self.run.source)
        wanted = {
            (known[handle], address)
            for handle, boxes in mailboxes.items()
            if handle in known
            for address in _sound(boxes)
        }
        there = {
            (version.contact.organization_id, version.address): version
            for version in ContactVersion.objects.filter(
                superseded_at__isnull=True,
                contact__withdrawn_at__isnull=True,
                contact__origin="automatic",
                contact__source=self.run.source,
            ).select_related("contact")
        }
        gone = [v for key, v in there.items() if key not in wanted and v.valid_to is None]
        back = [v for key, v in there.items() if key in wanted and v.valid_to is not None]
        self._redate([(v, self.today) for v in gone] + [(v, None) for v in back])
        self._make_contacts(sorted(wanted - set(there)))
        self.counts |= {
            "contacts_added": len(wanted - set(there)) + len(back),
            "contacts_ended": len(gone),
        }

    def _redate(self, changed: list[tuple[ContactVersion, date | None]]) -> None:
        numbers = supersede([version.contact_id for version, _ in changed], self.now)
        written = []
        for version, valid_to in changed:
            after: Values = {
                "role": version.role,
                "address": version.address,
                "valid_from": version.valid_from,
                "valid_to": valid_to,
            }
            self._note(
                "contact", version.contact_id, {**after, "valid_to": version.valid_to}, after
            )
            self.owners.add(version.contact.organization_id)
            written.append((version.contact_id, numbers[version.contact_id] + 1, after))
        write_versions(written, by=self.actor.name, now=self.now)

    def _make_contacts(self, new: list[tuple[int, str]]) -> None:
        rows = [
            Contact(
                organization_id=owner,
                origin="automatic",
                source=self.run.source,
                created_at=self.now,
                made_by=self.run,
            )
            for owner, _ in new
        ]
        Contact.objects.bulk_create(rows, batch_size=_PORTION)
        written: list[tuple[int, int, Values]] = [
            (row.pk, 1, {"role": "abuse", "address": address})
            for row, (_, address) in zip(rows, new, strict=True)
        ]
        write_versions(written, by=self.actor.name, now=self.now)
        self.owners |= {owner for owner, _ in new}

    def _note(self, table: str, row: int, before: Values, after: Values) -> None:
        self.journal.append(
            ImportChange(
                run=self.run,
                table=table,
                row=row,
                before=plain_values(before),
                after=plain_values(after),
            )
        )


def _sound(boxes: Iterable[str]) -> Iterable[str]:
    for box in boxes:
        try:
            yield check_address(box)
        except BadContact:
            continue  # registries hold addresses that nobody can write to
