"""Who may be given what: the rules of the one door out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from muhafiz.common.refusal import Refusal
from muhafiz.formats import tlp

AudienceKind = Literal["organization", "staff", "public", "partner"]

#: The strictest label each kind of audience may be given (TLP 2.0). RED is in no row: it leaves by
#: no door. AMBER ends with the recipient's organization and its clients, so no partner gets it.
_LIMIT: dict[str, str] = {
    "organization": tlp.AMBER_STRICT,
    "staff": tlp.AMBER_STRICT,
    "partner": tlp.GREEN,
    "public": tlp.CLEAR,
}


class ReleaseRefused(Refusal):
    """The gate does not let this thing go to this audience."""

    text = "This may not be released."


class RefusedRed(ReleaseRefused):
    """The thing is TLP:RED."""

    text = "“{title}” is TLP:RED, which leaves by no door."


class RefusedUnlabeled(ReleaseRefused):
    """The thing has no TLP label, or one that nobody knows."""

    text = "“{title}” has no known TLP label (“{label}”), so it counts as TLP:RED."


class RefusedTooStrict(ReleaseRefused):
    """The label is stricter than this audience may be given."""

    text = "“{title}” is TLP:{label}; {audience} may be given at most TLP:{limit}."


class RefusedOtherOrganization(ReleaseRefused):
    """The thing tells about an organization other than the audience."""

    text = "“{title}” tells about another organization than {audience}."


class RefusedAboutOrganizations(ReleaseRefused):
    """The thing tells about organizations, and the audience is none of them."""

    text = "“{title}” tells about organizations and may not be given to {audience}."


class RefusedNobodysStrict(ReleaseRefused):
    """AMBER+STRICT stays with the organization it is about, and this is about none."""

    text = "“{title}” is TLP:AMBER+STRICT and is not about {audience}."


class RefusedAudience(ReleaseRefused):
    """The audience is not named well enough to know who it is."""

    text = "Nobody knows who the audience “{audience}” ({kind}) is."


class RefusedItem(ReleaseRefused):
    """The thing is not named well enough to be found again."""

    text = "The thing “{title}” has no kind, no identifier or no SHA-256 digest."


class NotReleased(Refusal):
    """An outlet was given something that no gate let out, or that was recalled since."""

    text = "This was not let out by the gate: {reason}."


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be released.

    Attributes:
        kind: What it is ("notice", "advisory").
        identifier: Which one.
        tlp: Its label as known; None or an unknown text counts as RED.
        title: For human eyes, in the ledger and in refusals.
        digest: SHA-256 in hex (lower case) of the facts it tells.
        organizations: Whose facts it tells; empty when it tells about none in particular.
    """

    kind: str
    identifier: str
    tlp: str | None
    title: str
    digest: str
    organizations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to be given it; for an organization `identifier` is its number as decimal text."""

    kind: AudienceKind
    identifier: str
    name: str


def may_be_given(label: str | None, kind: AudienceKind) -> bool:
    """Whether something under this label may go to such an audience; without a known one, never."""
    known = tlp.known(label)
    return known is not None and tlp.within(known, _LIMIT[kind])


def check_releasable(item: Item, audience: Audience) -> str:
    """The label under which `item` goes to `audience`.

    Raises:
        ReleaseRefused: one of its kinds, saying why not.
    """
    _check_named(item, audience)
    label = tlp.known(item.tlp)
    if label is None:
        raise RefusedUnlabeled(title=item.title, label=item.tlp or "")
    if label == tlp.RED:
        raise RefusedRed(title=item.title)
    limit = _LIMIT[audience.kind]
    if not tlp.within(label, limit):
        raise RefusedTooStrict(title=item.title, label=label, audience=audience.name, limit=limit)
    if audience.kind == "organization":
        _check_own(item, audience, label)
    elif audience.kind != "staff" and item.organizations:
        raise RefusedAboutOrganizations(title=item.title, audience=audience.name)
    return label


def _check_named(item: Item, audience: Audience) -> None:
    if not (item.kind and item.identifier and _is_sha256(item.digest)):
        raise RefusedItem(title=item.title)
    named = bool(audience.identifier) and audience.kind in _LIMIT
    if audience.kind == "organization":
        named = named and audience.identifier.isascii() and audience.identifier.isdigit()
    if not named:
        raise RefusedAudience(audience=audience.name, kind=audience.kind)


def _check_own(item: Item, audience: Audience, label: str) -> None:
    own = int(audience.identifier)
    if item.organizations - {own}:
        raise RefusedOtherOrganization(title=item.title, audience=audience.name)
    if label == tlp.AMBER_STRICT and own not in item.organizations:
        raise RefusedNobodysStrict(title=item.title, audience=audience.name)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)  # noqa: PLR2004 - hex digits of SHA-256
