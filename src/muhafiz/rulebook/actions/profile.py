"""Loading a jurisdiction's profile."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.rulebook.models import Value
from muhafiz.rulebook.queries import PROFILE
from muhafiz.rulebook.rules import Draft, read_profile


class NoSuchProfile(Refusal):
    """The package has no profile of this name."""

    text = "There is no profile {name}. There are: {known}."


def profile_names() -> list[str]:
    """The profiles that came with this version."""
    folder = files("muhafiz.rulebook").joinpath("profiles")
    return sorted(item.name for item in folder.iterdir() if item.is_dir() and item.name[0] != "_")


def check_profile(name: str) -> None:
    """Refuse a profile that did not come with this version.

    Raises:
        NoSuchProfile: there is none of this name.
    """
    if name not in profile_names():
        raise NoSuchProfile(name=name, known=", ".join(profile_names()))


@transaction.atomic
def load_profile(name: str, *, actor: Actor, now: datetime) -> int:
    """Enter a profile's values that are not in the rulebook yet; returns how many.

    Loading again enters nothing. A newer version of the profile enters what it says anew; what
    was agreed here by two people always goes before it, so nothing of that is overwritten.

    1. read and check every file; 2. enter what is new; 3. audit entry.

    Raises:
        NoSuchProfile: there is none of this name.
        BadProfile: it has faults; nothing is entered.
    """
    check_profile(name)
    folder = files("muhafiz.rulebook").joinpath("profiles", name)
    contents = {
        item.name: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    }
    return enter_profile(name, read_profile(name, contents), actor=actor, now=now)


@transaction.atomic
def enter_profile(name: str, drafts: list[Draft], *, actor: Actor, now: datetime) -> int:
    """Enter the checked values of a profile that are not there yet; returns how many."""
    origin = f"{PROFILE}{name}"
    new = _new(origin, drafts)
    for draft in new:
        Value.objects.create(
            key=draft.key,
            value=draft.value_text(),
            unknown=draft.unknown,
            valid_from=draft.valid_from,
            valid_to=draft.valid_to,
            source=draft.source,
            note=draft.note,
            standing=draft.standing,
            origin=origin,
            digest=draft.digest(),
            proposed_by=origin,
            approved_by=str(actor),
            entered_at=now,
        )
    if new:
        record_entry(
            actor=actor,
            now=now,
            action="rulebook.load_profile",
            subject=origin,
            details={draft.key: draft.digest() for draft in new},
        )
    return len(new)


def _new(origin: str, drafts: list[Draft]) -> list[Draft]:
    """The values of every key of which the profile now says something else than it said last."""
    said: dict[str, list[str]] = {}
    rows = Value.objects.filter(origin=origin).order_by("id").values_list("key", "digest")
    for key, digest in rows:
        said.setdefault(key, []).append(digest)
    says: dict[str, list[str]] = {}
    for draft in drafts:
        says.setdefault(draft.key, []).append(draft.digest())
    changed = {key for key, told in says.items() if said.get(key, [])[-len(told) :] != told}
    return [draft for draft in drafts if draft.key in changed]
