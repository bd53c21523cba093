"""Every table says what a tenant sees of it."""

from __future__ import annotations

import re

from django.apps import apps

from muhafiz.tenancy.declared import declared


def _tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_models(include_auto_created=True)}


def test_every_table_has_a_line_in_tables_toml():
    missing = sorted(_tables() - set(declared().rows))
    assert missing == [], "Say in tenancy/tables.toml what a tenant sees of these tables."


def test_every_line_has_a_table():
    assert sorted(set(declared().rows) - _tables()) == []


def test_predicates_speak_of_tables_that_a_tenant_sees():
    for table in declared().tables("own"):
        for other in re.findall(r"(?i)\bfrom (\w+)", declared().rows[table]):
            assert declared().kind(other) == "own", f"{table} looks at {other}"


def test_a_table_without_a_line_is_seen_by_no_tenant():
    assert declared().kind("somebody_elses") == "never"
