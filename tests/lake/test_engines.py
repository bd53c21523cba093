"""The engine beyond this process: which one is asked, and what becomes of its faults."""

from __future__ import annotations

import time

import pytest
from sqlglot import exp

from muhafiz.health.rules import Finding
from muhafiz.lake import queries
from muhafiz.lake.engines import duckdb, spark
from muhafiz.lake.engines.choice import chosen
from muhafiz.lake.examinations import lake as examine_lake
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import EngineFailed, EngineUnreachable
from tests.lake.rows import host
from tests.lake.servers import free_port, sail_server

pytestmark = pytest.mark.filterwarnings("ignore:.RETRIES_EXCEEDED")


def test_the_setting_chooses(settings, sail):
    assert chosen() is duckdb
    settings.SPARK_REMOTE = sail
    assert chosen() is spark


def test_a_server_that_is_away_is_told_soon_and_asked_again_once_it_is_back(lake, settings):
    lake.append([host(n) for n in range(20)])
    port = free_port()
    settings.SPARK_REMOTE = f"sc://127.0.0.1:{port}"
    began = time.monotonic()
    with pytest.raises(EngineUnreachable, match=str(port)):
        queries.scan(EventQuery())
    assert time.monotonic() - began < 30  # the client's own patience is ten minutes
    for _ in range(2):  # the second server knows nothing of the first one's session
        with sail_server(port):
            assert queries.scan(EventQuery()).num_rows == 20
            queries.try_engine()
        with pytest.raises(EngineUnreachable):
            queries.scan(EventQuery())
    spark.disconnect(settings.SPARK_REMOTE)


def test_what_the_engine_cannot_do_is_a_sentence(engine):
    if engine is spark:
        with pytest.raises(EngineFailed, match=r"(?i)no_such_function"):
            engine.run(exp.select(exp.func("no_such_function")), {}, {}, seconds=30)


def test_questions_leave_nothing_behind(lake, settings, sail):
    settings.SPARK_REMOTE = sail
    lake.append([host(n) for n in range(20)])
    lake.append([host(n) for n in range(5)])
    assert queries.scan(EventQuery()).num_rows == 20
    assert spark.connected(sail).catalog.listTables() == []


def test_the_doctor_asks_the_engine(lake, settings, sail, now):
    settings.SPARK_REMOTE = sail
    assert "lake-engine" not in _found(now)
    settings.SPARK_REMOTE = f"sc://127.0.0.1:{free_port()}"
    assert "lake-engine" in _found(now)
    spark.disconnect(settings.SPARK_REMOTE)


def _found(now):
    told = examine_lake(now)
    return [each.ailment.code for each in told if isinstance(each, Finding)]
