"""However a tenant's connection is asked, no other organization's row answers."""

from __future__ import annotations

import sqlite3
import threading

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction
from django.db.models import Count, Exists, OuterRef, Subquery

from muhafiz.common.refusal import Refusal
from muhafiz.detection.files import located
from muhafiz.feeds.raw_store import RawStore
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.tenancy.current import (
    NotAllowedToConstituents,
    NoTenant,
    PortalClosed,
    WiderTenant,
    beyond_tenant,
    check_within_tenant,
    reading_as,
    refuse_under_tenant,
    tenant,
)
from muhafiz.tenancy.examination import why_closed
from tests.tenancy.given import DATABASES, MOMENT, Owner, make, model_of, owner

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)


@pytest.fixture
def two() -> tuple[Owner, Owner]:
    return owner("mine"), owner("theirs")


def names(rows) -> set[str]:
    return {str(row[0]) for row in rows}


def ask(sql: str, params: list[object] | None = None) -> list[tuple]:
    with connections["portal"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def test_the_orm_shows_own_rows_only(two):
    mine, _ = two
    contacts = model_of("constituency_contactversion").objects
    letters = model_of("notifications_messagebytes").objects
    notices = model_of("detection_notice").objects
    with reading_as([mine.id]):
        assert [row.pk for row in notices.all()] == [mine.notice]
        assert notices.count() == 1
        assert notices.filter(pk=two[1].notice).first() is None
        assert [row.address for row in contacts.select_related("contact__organization")] == [
            "abuse@mine.example"
        ]
        assert [bytes(row.compressed) for row in letters.select_related("message")] == [b"mine"]
    assert notices.count() == 2


def test_joins_prefetches_aggregates_and_subqueries(two):
    mine, theirs = two
    organizations = model_of("constituency_organization").objects
    notices = model_of("detection_notice").objects
    with reading_as([mine.id]):
        [row] = organizations.prefetch_related("claims", "contacts__versions")
        assert [claim.text for claim in row.claims.all()] == ["mine.example"]
        assert [v.address for c in row.contacts.all() for v in c.versions.all()]
        counted = organizations.annotate(n=Count("claims")).values_list("pk", "n")
        assert list(counted) == [(mine.id, 1)]
        assert organizations.aggregate(n=Count("pk"))["n"] == 1
        theirs_there = notices.filter(organization_id=theirs.id)
        assert not theirs_there.exists()
        assert not notices.filter(Exists(theirs_there)).exists()
        asked = organizations.annotate(
            last=Subquery(notices.filter(organization_id=OuterRef("pk")).values("number")[:1])
        )
        assert [row.last for row in asked] == [f"N-{mine.id}"]
        assert organizations.filter(claims__text="theirs.example").count() == 0
        raw = notices.raw("SELECT * FROM detection_notice")
        assert [row.pk for row in raw] == [mine.notice]
        both = notices.filter(organization_id=mine.id).union(theirs_there)
        assert [row.pk for row in both] == [mine.notice]
        assert len(list(notices.iterator(chunk_size=1))) == 1


def test_an_organization_below_is_seen_with_the_one_above(two):
    mine, theirs = two
    below = owner("below", mine.id)
    with reading_as([mine.id, below.id]):
        assert model_of("detection_notice").objects.count() == 2
        with reading_as([below.id]):
            assert model_of("detection_notice").objects.count() == 1
        assert model_of("detection_notice").objects.count() == 2
        with pytest.raises(WiderTenant), reading_as([theirs.id]):
            pass
    with reading_as([]):
        assert model_of("detection_notice").objects.count() == 0


def test_sql_by_hand_shows_own_rows_only(two):
    mine, _ = two
    with reading_as([mine.id]):
        for sql in (
            "SELECT name_en FROM constituency_organization",
            "WITH x AS (SELECT * FROM constituency_organization) SELECT name_en FROM x",
            (
                "WITH constituency_claim AS (SELECT name_en FROM constituency_organization) "
                "SELECT * FROM constituency_claim"
            ),
            (
                "SELECT name_en FROM constituency_organization UNION SELECT text FROM constituency_claim"
                " WHERE text NOT LIKE 'mine%'"
            ),
            "SELECT max(name_en) FROM constituency_organization",
            "SELECT (SELECT max(name_en) FROM constituency_organization)",
            "SELECT o.name_en FROM constituency_organization o LEFT JOIN constituency_claim c ON 1=1",
        ):
            assert names(ask(sql)) == {"mine"}, sql
        assert ask("SELECT count(*) FROM constituency_organization") == [(1,)]
        assert ask("SELECT 1 FROM constituency_organization") == [(1,)]
        assert ask("SELECT count(*) FROM rulebook_value") == [(0,)]


_NEVER = (
    "SELECT * FROM audit_entry",
    "SELECT count(*) FROM audit_entry",
    "SELECT 1 FROM feeds_report",
    "SELECT EXISTS (SELECT 1 FROM jobs_job)",
    "SELECT session_data FROM django_session",
    "SELECT * FROM (SELECT * FROM keyring_signingcertificate) x",
    "WITH audit_entry AS (SELECT * FROM feeds_report) SELECT * FROM audit_entry",
    "DELETE FROM detection_notice",
    "UPDATE detection_notice SET number = 'x'",
    "INSERT INTO constituency_organization (name_en) VALUES ('x')",
    "WITH gone AS (DELETE FROM detection_notice RETURNING 1) SELECT * FROM gone",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "CREATE TEMP VIEW constituency_claim AS SELECT 1",
    "DROP TABLE detection_notice",
    "EXPLAIN SELECT 1",
)
_NEVER_SQLITE = (
    "SELECT name_en FROM main.constituency_organization",
    "SELECT count(*) FROM main.constituency_organization",
    "SELECT EXISTS (SELECT 1 FROM main.detection_notice)",
    (
        "WITH constituency_organization AS (SELECT * FROM main.constituency_organization) "
        "SELECT * FROM constituency_organization"
    ),
    (
        "WITH constituency_organization AS MATERIALIZED (SELECT * FROM main.constituency_organization) "
        "SELECT count(*) FROM constituency_organization"
    ),
    "SELECT * FROM (SELECT * FROM main.constituency_organization) AS constituency_organization",
    (
        "SELECT name_en FROM constituency_organization WHERE id IN "
        "(SELECT organization_id FROM main.detection_notice)"
    ),
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM temp.sqlite_schema",
    "SELECT * FROM pragma_table_list",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM dbstat",
    "PRAGMA database_list",
    "PRAGMA query_only = OFF",
    "ATTACH DATABASE ':memory:' AS other",
    "DETACH DATABASE main",
    "VACUUM INTO '/tmp/stolen'",
    "SELECT load_extension('x')",
    "BEGIN IMMEDIATE",
)


def test_what_is_refused_on_both(two):
    with reading_as([two[0].id]):
        for sql in _NEVER:
            with pytest.raises((DatabaseError, Refusal)):
                pytest.fail(f"{sql}: {ask(sql)}")
            assert ask("SELECT name_en FROM constituency_organization") == [("mine",)]
    assert model_of("detection_notice").objects.count() == 2


def test_no_way_past_the_shadows(two):
    if connections["default"].vendor != "sqlite":
        pytest.skip("SQLite's own ways")
    with reading_as([two[0].id]):
        for sql in _NEVER_SQLITE:
            with pytest.raises((DatabaseError, Refusal)):
                pytest.fail(f"{sql}: {ask(sql)}")
        raw = connections["portal"].connection  # also without Django's cursor
        for sql in _NEVER_SQLITE[:-1]:
            with pytest.raises(sqlite3.Error):
                pytest.fail(f"{sql}: {raw.execute(sql).fetchall()}")


def _as_role(sql: str) -> list[tuple]:
    """On a connection of the tenants' role, past Django's guard."""
    connection = connections["portal"]
    with psycopg.connect(**connection.get_connection_params()) as raw:
        return raw.execute(sql).fetchall()


def test_no_way_past_the_policies(two):
    if connections["default"].vendor != "postgresql":
        pytest.skip("PostgreSQL's own ways")
    mine, theirs = two
    all_names = "SELECT name_en FROM constituency_organization"
    with reading_as([mine.id]):
        [(told,)] = ask("SELECT current_setting('muhafiz.organizations')")
        for sql in (  # the list is sealed: another one, or an older one, shows nothing
            f"SELECT set_config('muhafiz.organizations', '{{{theirs.id}}}', true)",
            f"SELECT set_config('muhafiz.organizations', '{told.replace(str(mine.id), str(theirs.id))}', true)",
            "SELECT set_config('muhafiz.organizations', '', true)",
        ):
            ask(sql)
            assert ask(all_names) == [], sql
            connections["portal"].let_go()
            assert ask(all_names) == [("mine",)]
    assert _as_role(all_names) == []
    elsewhere = f"SELECT set_config('muhafiz.organizations', '{told}', true); {all_names}"
    with psycopg.connect(**connections["portal"].get_connection_params(), autocommit=True) as raw:
        for sql in (
            "SET ROLE postgres",
            "SET SESSION AUTHORIZATION postgres",
            "SET default_transaction_read_only = off; DELETE FROM detection_notice",
            "SELECT * FROM muhafiz_tenancy.seal",
            "SELECT rolpassword FROM pg_authid",
            "COPY detection_notice TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
            "SET row_security = off; SELECT * FROM detection_notice",
            "ALTER TABLE detection_notice DISABLE ROW LEVEL SECURITY",
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        ):
            with pytest.raises(psycopg.Error):
                pytest.fail(f"{sql}: {raw.execute(sql).fetchall()}")
            raw.rollback()
        raw.execute("RESET ROLE")
        raw.execute("SET ROLE NONE")
        raw.execute("SET row_security = on")
        assert raw.execute(all_names).fetchall() == []
        cursor = raw.execute(elsewhere)
        cursor.nextset()
        assert cursor.fetchall() == []
        stats = "SELECT * FROM pg_stats WHERE tablename = 'constituency_organization'"
        assert raw.execute(stats).fetchall() == []


def test_a_random_name_leads_nowhere_from_outside_its_shadow(two):
    if connections["default"].vendor != "sqlite":
        pytest.skip("SQLite's own ways")
    with reading_as([two[0].id]):
        ask("SELECT 1")
        raw = connections["portal"].connection
        raw.set_authorizer(None)
        [name] = raw.execute(
            "SELECT name FROM sqlite_temp_master WHERE sql LIKE '%main.\"detection_notice\" WHERE%'"
        ).fetchone()
        connections["portal"].close()
        connections["portal"].connection = None
        ask("SELECT 1")
        with pytest.raises(DatabaseError):  # another connection has other names
            ask(f'SELECT * FROM "{name}"')


def test_in_threads_each_sees_its_own(two):
    seen: dict[str, object] = {}
    start = threading.Barrier(2)

    def look(name: str, who: Owner) -> None:
        try:
            with reading_as([who.id]):
                for _ in range(20):
                    start.wait(5)
                    found = list(model_of("detection_notice").objects.values_list("pk", flat=True))
                    seen.setdefault(name, found)
                    assert found == [who.notice]
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            seen[name] = error
        finally:
            for connection in connections.all(initialized_only=True):
                connection.close()

    threads = [
        threading.Thread(target=look, args=pair) for pair in zip(("a", "b"), two, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": [two[0].notice], "b": [two[1].notice]}


def test_after_an_exception_the_next_tenant_sees_its_own(two):
    mine, theirs = two
    with pytest.raises(DatabaseError), reading_as([mine.id]):
        ask("SELECT nothing FROM constituency_organization")
    with reading_as([theirs.id]):
        assert ask("SELECT name_en FROM constituency_organization") == [("theirs",)]
        with pytest.raises(DatabaseError):
            ask("SELECT nothing FROM constituency_organization")
        assert ask("SELECT name_en FROM constituency_organization") == [("theirs",)]
    assert tenant() is None


def test_a_statement_prepared_for_one_tenant_serves_another_its_own(two):
    mine, theirs = two
    sql = "SELECT name_en FROM constituency_organization"
    for _ in range(10):  # psycopg prepares after five; SQLite keeps every statement
        for who, name in ((mine, "mine"), (theirs, "theirs")):
            with reading_as([who.id]):
                assert ask(sql) == [(name,)]


def test_without_a_tenant_the_connection_answers_nothing(two):
    with pytest.raises(NoTenant):
        ask("SELECT 1")
    with pytest.raises(NoTenant):
        list(model_of("detection_notice").objects.using("portal"))
    with reading_as([two[0].id]):
        cursor = connections["portal"].cursor()
    try:  # a cursor kept too long sees nothing either
        cursor.execute("SELECT name_en FROM constituency_organization")
        assert cursor.fetchall() == []
    finally:
        cursor.close()
        connections["portal"].let_go()


def test_a_table_that_is_never_a_tenants_is_refused_before_it_is_asked(two):
    with reading_as([two[0].id]), pytest.raises(NotAllowedToConstituents):
        model_of("feeds_report").objects.exists()


def test_writes_go_to_the_house_and_are_seen_at_once(two):
    mine, _ = two
    with reading_as([mine.id]):
        notice = model_of("detection_notice").objects.get()
        assert notice._state.db == "portal"
        notice.number = "N-changed"
        notice.save()
        assert model_of("detection_notice").objects.get().number == "N-changed"
        make("constituency_handle", organization_id=mine.id, source="csv", handle="h")
        assert model_of("constituency_organization").objects.get().handles.count() == 1


def test_an_action_reads_where_it_writes(two):
    with reading_as([two[0].id]), transaction.atomic():
        assert model_of("detection_notice").objects.count() == 2


def test_refusals_by_hand(two):
    check_within_tenant([])
    refuse_under_tenant()
    with reading_as([1, 2]):
        check_within_tenant([1])
        for asked in ([], [3], [1, 3]):
            with pytest.raises(NotAllowedToConstituents):
                check_within_tenant(asked)
        with pytest.raises(NotAllowedToConstituents):
            refuse_under_tenant()
        with beyond_tenant("a test"):
            refuse_under_tenant()
            assert tenant() is None
        assert tenant() == {1, 2}


def test_the_lake_is_asked_about_ones_own_only():
    with reading_as([1, 2]):
        assert lake.count(EventQuery(organization_ids=frozenset({1}))) == 0
        for query in (
            EventQuery(),
            EventQuery(organization_ids=frozenset({1, 3})),
            EventQuery(organization_ids=frozenset({1}), nobody=True),
            EventQuery(keys=frozenset({7})),
        ):
            for ask_lake in (lake.scan, lake.count, lake.series, lambda q: list(lake.scan_days(q))):
                with pytest.raises(NotAllowedToConstituents):
                    ask_lake(query)
        for closed in (lake.volumes, lake.accepted_by_report):
            with pytest.raises(NotAllowedToConstituents):
                closed()
        with pytest.raises(NotAllowedToConstituents):
            lake.event(7, MOMENT.date())


def test_files_of_everybody_are_closed(tmp_path):
    with reading_as([1]):
        with pytest.raises(NotAllowedToConstituents):
            located("2026-11/plan.parquet")
        with (
            pytest.raises(NotAllowedToConstituents),
            RawStore(tmp_path, free_percent=1).opened("ab" * 32),
        ):
            pass


def test_the_doctor_finds_the_portal_open_or_says_why_not(monkeypatch):
    assert why_closed() is None
    connection = connections["portal"]
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at_all")
    monkeypatch.setitem(connection.settings_dict, "USER", "nobody_at_all")
    if connection.vendor == "sqlite":
        connection.connection = None  # a database in memory is not closed
    assert why_closed()
    with reading_as([1]), pytest.raises(PortalClosed):
        ask("SELECT 1")


def test_the_portal_does_not_open_where_security_was_taken_off(two):
    if connections["default"].vendor != "postgresql":
        pytest.skip("PostgreSQL's own ways")
    take_off = "ALTER TABLE detection_notice DISABLE ROW LEVEL SECURITY"
    put_on = "ALTER TABLE detection_notice ENABLE ROW LEVEL SECURITY"
    with connections["default"].cursor() as cursor:
        cursor.execute(take_off)
        try:
            assert "detection_notice" in str(why_closed())
        finally:
            cursor.execute(put_on)
    assert why_closed() is None


def test_setting_up_again_puts_security_back_on(two):
    if connections["default"].vendor != "postgresql":
        pytest.skip("PostgreSQL's own ways")
    from muhafiz.tenancy.policies import protect

    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE detection_notice NO FORCE ROW LEVEL SECURITY")
    protect()
    assert why_closed() is None


def test_what_is_sent_piece_by_piece_is_made_within_the_tenant(two):
    from django.http import StreamingHttpResponse
    from django.test import RequestFactory

    from muhafiz.common.actor import Actor
    from muhafiz.web.tenant import TenantMiddleware

    def answer(_request):
        rows = model_of("detection_notice").objects.order_by("pk")
        return StreamingHttpResponse(f"{tenant()} {row.pk}," for row in rows.iterator(chunk_size=1))

    request = RequestFactory().get("/portal/")
    request.viewer = Actor("person", "1", "x", frozenset(), two[0].id)
    sent = b"".join(TenantMiddleware(answer)(request).streaming_content).decode()
    assert sent == f"{frozenset({two[0].id})} {two[0].notice},"
    assert tenant() is None
