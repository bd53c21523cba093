"""DuckDB reads the segments in this process: one in-memory database, a cursor per question."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from django.conf import settings
from sqlglot import exp

from muhafiz.lake.engines import SegmentFile
from muhafiz.lake.engines.blame import blame
from muhafiz.lake.refusals import QueryTooBig, QueryTooSlow

dialect = "duckdb"

_lock = threading.Lock()
_databases: dict[int, duckdb.DuckDBPyConnection] = {}  # by process: a fork must open its own


def run(
    question: exp.Expr,
    files: Mapping[str, Sequence[SegmentFile]],
    tables: Mapping[str, pa.Table],
    *,
    seconds: float,
) -> pa.Table:
    """See `engines.Engine.run`."""
    sql = question.transform(_reads_files(files)).sql(dialect=dialect)
    cursor = _database().cursor()
    try:
        for name, table in tables.items():
            cursor.register(name, table)
        with _limited(cursor, seconds):
            return cursor.execute(sql).to_arrow_table()
    except duckdb.InterruptException as stopped:
        raise QueryTooSlow(seconds=seconds) from stopped
    except duckdb.OutOfMemoryException as full:
        raise QueryTooBig(memory_mib=settings.LAKE_MEMORY_MIB) from full
    except duckdb.Error as wrong:
        blame(files, wrong)
        raise
    finally:
        cursor.close()


def _reads_files(files: Mapping[str, Sequence[SegmentFile]]) -> Callable[[exp.Expr], exp.Expr]:
    """A rewriting of table names into `read_parquet([…])`.

    The paths are literals, which the renderer escapes: handed over as a parameter, each is looked
    at for a tenth of a millisecond.
    """

    def rewrite(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Table) or node.name not in files:
            return node
        plain = exp.PropertyEQ(this=exp.to_identifier("hive_partitioning"), expression=exp.false())
        literals = [exp.Literal.string(str(file.path)) for file in files[node.name]]
        paths = exp.Array(expressions=literals)
        read = exp.Anonymous(this="read_parquet", expressions=[paths, plain])
        return exp.Table(this=read, alias=exp.TableAlias(this=exp.to_identifier(node.name)))

    return rewrite


def _database() -> duckdb.DuckDBPyConnection:
    with _lock:
        found = _databases.get(os.getpid())
        if found is None:
            _databases.clear()
            found = _databases[os.getpid()] = _opened()
        return found


def _opened() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(
        config={
            "memory_limit": f"{settings.LAKE_MEMORY_MIB}MiB",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": "",  # no event is ever spilled beside the lake
        }
    )
    # Segments never change under their name, so what their footers say may be kept.
    database.execute("SET GLOBAL parquet_metadata_cache = true")
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


@contextmanager
def _limited(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
