"""People choose how the platform looks to them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.accounts.choices import plain_density, plain_language
from muhafiz.accounts.models import Person
from muhafiz.accounts.queries import Preferences, preferences
from muhafiz.accounts.rules import plain_name
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor


@transaction.atomic
def set_preferences(
    *, name: str, language: str, density: str, shortcuts: bool, actor: Actor, now: datetime
) -> Preferences:
    """Set the actor's own name, language, density, and whether single keys do things.

    Raises:
        BadPreference: a choice is none.
    """
    own = Person.objects.filter(pk=int(actor.identifier))
    own.update(
        name=plain_name(name) or actor.name,
        language=plain_language(language),
        density=plain_density(density),
        shortcuts=shortcuts,
    )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.set_preferences",
        subject=f"person:{actor.identifier}",
        details={"language": language, "density": density, "shortcuts": shortcuts},
    )
    return preferences(int(actor.identifier))
