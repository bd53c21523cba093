"""From an empty folder to a platform that can be started; and from one version to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.validators import validate_email

from muhafiz.accounts.actions.entry import issue_entry_link
from muhafiz.accounts.actions.people import BadEmail, grant_role, register_person
from muhafiz.accounts.rules import plain_email
from muhafiz.common.actor import Actor
from muhafiz.config.standard_feeds import make_standard_feeds
from muhafiz.detection.actions.policies import install_default_policies
from muhafiz.keyring.actions.certificates import ensure_signing_certificate
from muhafiz.rulebook.actions.profile import check_profile, load_profile
from muhafiz.rulebook.queries import loaded_profiles
from muhafiz.web.build import build_static

FIRST_LINK_VALID_FOR = timedelta(hours=24)


def bring_up_to_date(*, actor: Actor, now: datetime, say: Callable[[str], None]) -> None:
    """Bring an installation to this version: database, pages, and what its profile says anew.

    A second run changes nothing; values agreed here go before what the profile says.
    """
    _prepare(say)
    for profile in loaded_profiles():
        say(f"Reading the jurisdiction profile “{profile}” again …")
        load_profile(profile, actor=actor, now=now)


def _prepare(say: Callable[[str], None]) -> None:
    say("Bringing the database up to date …")
    settings.VAR.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("migrate", interactive=False, verbosity=0)
    say("Building fonts, translations and style sheets …")
    build_static()


def install(
    *,
    profile: str,
    actor: Actor,
    now: datetime,
    say: Callable[[str], None],
    cadence: str | None = None,
) -> None:
    """Make an installation with a jurisdiction's rulebook, keys, feeds and notice policies.

    Every step is idempotent, so a run that was cut short is simply run again.

    `cadence` overrides how often letters go out (“at_once” in the demonstration).

    1. database and pages; 2. rulebook; 3. the CERT's keys; 4. feeds; 5. notice policies.

    Raises:
        NoSuchProfile: there is none of this name; nothing was made.
    """
    check_profile(profile)
    _prepare(say)
    say(f"Loading the jurisdiction profile “{profile}” …")
    load_profile(profile, actor=actor, now=now)
    say("Making the CERT's keys …")
    ensure_signing_certificate(actor=actor, now=now)
    make_standard_feeds(actor=actor, now=now)
    install_default_policies(actor=actor, now=now, cadence=cadence)


def check_administrator(email: str) -> None:
    """Refuse an address that no administrator can have, before anything is made.

    Raises:
        BadEmail: it is no mail address.
    """
    try:
        validate_email(plain_email(email))
    except ValidationError:
        raise BadEmail(email=email) from None


def admit_administrator(*, email: str, actor: Actor, now: datetime) -> str:
    """Register the first administrator; the answer is a link that lets them in once."""
    person = register_person(email=email, name=email.partition("@")[0], actor=actor, now=now)
    grant_role(person_id=person.id, role="administrator", actor=actor, now=now)
    token = issue_entry_link(email=email, valid_for=FIRST_LINK_VALID_FOR, actor=actor, now=now)
    return f"{settings.PUBLIC_URL}/enter/{token}/"
