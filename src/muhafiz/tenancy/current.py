"""On whose behalf this thread reads now: nobody's in particular, or a tenant's.

A *tenant* is an organization with all below it. While one is set, reads of the ORM go to the
connection `portal`, where the database itself shows that tenant's rows only (`tenancy.router`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.db import connections

from muhafiz.common.refusal import Refusal

PORTAL: Final = "portal"
"""The connection on which only the tenant's rows exist."""

_tenant: ContextVar[frozenset[int] | None] = ContextVar("muhafiz_tenant", default=None)


class NotAllowedToConstituents(Refusal):
    """A constituent asked for what is the house's, or somebody else's."""

    text = "This is not open to constituents."


class PortalClosed(Refusal):
    """The database cannot keep tenants apart, so the portal does not open."""

    text = "The portal is closed for now: the platform must be set up again. Your CERT knows how."


class NoTenant(RuntimeError):  # noqa: N818 - named for what is wrong: a mistake in the program
    """Something was asked on the tenants' connection while no tenant was set."""


class WiderTenant(RuntimeError):  # noqa: N818 - as above
    """Within one tenant's reading, another one's was asked for."""


def tenant() -> frozenset[int] | None:
    """The organizations whose rows may be read; None when the house itself reads."""
    return _tenant.get()


@contextmanager
def reading_as(organization_ids: Iterable[int]) -> Iterator[None]:
    """Read as these organizations: whatever the block asks, no other's rows answer.

    It holds for this thread (a thread started within begins without it). Within another
    `reading_as` only some of its organizations can be chosen.

    Raises:
        WiderTenant: an organization that the surrounding tenant does not have.
    """
    chosen = frozenset(organization_ids)
    around = _tenant.get()
    if around is not None and not chosen <= around:
        raise WiderTenant(sorted(chosen - around))
    token = _tenant.set(chosen)
    try:
        yield
    finally:
        _tenant.reset(token)
        _let_go()


@contextmanager
def beyond_tenant(why: str) -> Iterator[None]:
    """Read as the house for a moment, after the caller has checked what the tenant may have.

    For what a tenant's own answer is made from but must not be seen itself: which segments of the
    lake hold its events, where the file of its notice lies. `why` is for the reader of the code;
    tests/tenancy/test_house.py holds the list of all places.
    """
    del why
    token = _tenant.set(None)
    try:
        yield
    finally:
        _tenant.reset(token)


def refuse_under_tenant() -> None:
    """For what no tenant may read, whichever it is.

    Raises:
        NotAllowedToConstituents: a tenant is set.
    """
    if _tenant.get() is not None:
        raise NotAllowedToConstituents


def check_within_tenant(organization_ids: Iterable[int]) -> None:
    """Refuse a question about organizations that are not all the tenant's, or about none named.

    Raises:
        NotAllowedToConstituents: a tenant is set, and this goes beyond it.
    """
    current = _tenant.get()
    if current is None:
        return
    asked = frozenset(organization_ids)
    if not asked or not asked <= current:
        raise NotAllowedToConstituents


def _let_go() -> None:
    """End what the tenant's connection of this thread still holds."""
    for connection in connections.all(initialized_only=True):
        if connection.alias == PORTAL:
            connection.let_go()  # type: ignore[attr-defined]  # both engines have it
