"""Whatever stands in the tables, a tenant gets exactly the rows that belong to its organizations."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muhafiz.constituency.queries import organization_and_below
from muhafiz.tenancy.current import reading_as
from muhafiz.tenancy.declared import declared
from tests.tenancy.given import DATABASES, model_of, owner

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)

#: How a row leads to its organization, for tables without such a column.
_LEADS = {
    "constituency_organization": "pk",
    "constituency_contactversion": "contact__organization_id",
    "notifications_message": "recipient",
    "notifications_messagebytes": "message__recipient",
}


def _organization_of(table: str, row: object) -> int | None:
    found: object = row
    for step in _LEADS.get(table, "organization_id").split("__"):
        found = getattr(found, step)
    if isinstance(found, str):
        found = int(found.partition("/")[0].removeprefix("organization:"))
    return found


def _filled() -> list[str]:
    """The declared tables that `owner` puts rows into."""
    return [t for t in declared().tables("own") if model_of(t).objects.using("default").exists()]


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(-1, 5), min_size=1, max_size=6), st.integers(0, 5))
def test_a_tenant_gets_its_rows_and_no_other(parents, chosen):
    made: list[int] = []
    for place, above in enumerate(parents):
        parent = made[above % len(made)] if above >= 0 and made else None
        made.append(owner(f"o{place}", parent).id)
    mine = organization_and_below(made[chosen % len(made)])
    assert len(_filled()) >= 8
    for table in _filled():
        model = model_of(table)
        every = model.objects.using("default")
        wanted = {row.pk for row in every if _organization_of(table, row) in mine}
        with reading_as(mine):
            assert {row.pk for row in model.objects.all()} == wanted, table
            assert model.objects.count() == len(wanted), table
