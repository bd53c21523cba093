"""Spark reads the segments on its own machines, asked over Spark Connect; Sail speaks it too.

The server must see the lake's folder under the same path. A question brings its tables with it, so
the server keeps nothing of ours between questions.
"""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import grpc
import pyarrow as pa
from django.conf import settings
from pyspark.errors import PySparkException
from pyspark.sql.connect.client import DefaultChannelBuilder as _Channel
from pyspark.sql.connect.client.retries import DefaultPolicy as _Patience
from pyspark.sql.connect.session import SparkSession
from sqlglot import exp

from muhafiz.common.identifiers import new_id
from muhafiz.formats.lines import one_line
from muhafiz.lake.engines import SegmentFile
from muhafiz.lake.engines.blame import blame
from muhafiz.lake.refusals import EngineFailed, EngineUnreachable, QueryTooBig, QueryTooSlow

dialect = "spark"

# The client warns before it raises; the refusal says it better.
warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")

_TRIES: Final = 4  # with these pauses two seconds; the client's own default is ten minutes
_LONGEST: Final = 1_000  # milliseconds
# Else a channel would inherit the pause that an earlier one, which found nobody, has to keep.
_OWN_POOL: Final = ("grpc.use_local_subchannel_pool", 1)
_PAUSE: Final = 0.5  # seconds between two attempts to stop a question
_MEMORY: Final = ("OutOfMemory", "ResourcesExhausted", "Resources exhausted")

_lock = threading.Lock()
_sessions: dict[tuple[int, str], SparkSession] = {}  # by process: a fork must open its own


def run(
    question: exp.Expr,
    files: Mapping[str, Sequence[SegmentFile]],
    tables: Mapping[str, pa.Table],
    *,
    seconds: float,
) -> pa.Table:
    """See `engines.Engine.run`.

    Raises:
        EngineUnreachable: the server does not answer.
        EngineFailed: it cannot answer, or does not see a file that this process sees.
    """
    remote = settings.SPARK_REMOTE
    mark = new_id().hex
    with _limited(remote, mark, seconds) as limit:
        try:
            return _answer(connected(remote), question, mark, files, tables)
        except (PySparkException, grpc.RpcError) as wrong:
            if limit.passed:
                raise QueryTooSlow(seconds=seconds) from wrong
            if _unreachable(wrong):
                disconnect(remote, told=False)
                # What follows the host may be a token.
                raise EngineUnreachable(remote=remote.partition("/;")[0]) from wrong
            if any(word in str(wrong) for word in _MEMORY):
                raise QueryTooBig(memory_mib=settings.LAKE_MEMORY_MIB) from wrong
            blame(files, wrong)
            raise EngineFailed(reason=one_line(str(wrong), 300)) from wrong


def _answer(
    session: SparkSession,
    question: exp.Expr,
    mark: str,
    files: Mapping[str, Sequence[SegmentFile]],
    tables: Mapping[str, pa.Table],
) -> pa.Table:
    given: dict[str, Any] = {
        name: session.read.parquet(*(str(file.path) for file in listed))
        for name, listed in files.items()
    }
    given |= {name: session.createDataFrame(table) for name, table in tables.items()}
    session.addTag(mark)
    try:
        return session.sql(_with_gaps(question, mark, tuple(given)), **given).toArrow()
    finally:
        session.removeTag(mark)


def _with_gaps(question: exp.Expr, mark: str, names: Sequence[str]) -> str:
    """The question's SQL with a gap `{name}` for each table, which the client fills.

    So the tables travel with the question, and the server is left nothing to forget. Braces in
    values are doubled; `mark`, which nobody can guess, keeps names and values apart.
    """

    def rewrite(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Table) or node.name not in names:
            return node
        return exp.alias_(exp.to_table(f"{node.name}_{mark}"), node.alias_or_name, table=True)

    sql = _spoken(question.transform(rewrite)).sql(dialect=dialect)
    sql = sql.replace("{", "{{").replace("}", "}}")
    for name in names:
        sql = sql.replace(f"{name}_{mark}", f"{{{name}}}")
    return sql


def _spoken(question: exp.Expr) -> exp.Expr:
    """`question` itself; what the renderer writes and Spark or Sail does not know is reworded."""
    for cut in list(question.find_all(exp.Split)):  # Java's \Q…\E is Spark's alone
        mark = exp.Literal.string(re.escape(cut.expression.name))
        cut.replace(exp.RegexpSplit(this=cut.this, expression=mark))
    for turned in list(question.find_all(exp.ArrayReverse)):
        turned.replace(exp.Anonymous(this="reverse", expressions=[turned.this]))
    return question


def connected(remote: str) -> SparkSession:
    """This process's session with the server at `remote`."""
    with _lock:
        found = _sessions.get((os.getpid(), remote))
        if found is None:
            found = SparkSession.builder.channelBuilder(_Channel(remote, [_OWN_POOL])).create()
            found.client.set_retry_policies([_Patience(max_retries=_TRIES, max_backoff=_LONGEST)])
            found.conf.set("spark.sql.session.timeZone", "UTC")
            _sessions[os.getpid(), remote] = found
        return found


def disconnect(remote: str, *, told: bool = True) -> None:
    """End this process's session with the server at `remote`; the next question opens another.

    `told`: the server hears of it. One that does not answer would only be waited for.
    """
    with _lock:
        found = _sessions.pop((os.getpid(), remote), None)
    if found is not None:
        found.release_session_on_close = told
        with suppress(PySparkException, grpc.RpcError):
            found.stop()


class _Limit:
    passed = False


@contextmanager
def _limited(remote: str, mark: str, seconds: float) -> Iterator[_Limit]:
    limit, done = _Limit(), threading.Event()

    def stop() -> None:
        if done.wait(seconds):
            return
        limit.passed = True
        while not done.is_set():  # a question interrupted before the server began it goes on
            with suppress(PySparkException, grpc.RpcError):
                connected(remote).interruptTag(mark)
            done.wait(_PAUSE)

    watch = threading.Thread(target=stop, name="spark-limit", daemon=True)
    watch.start()
    try:
        yield limit
    finally:
        done.set()


def _unreachable(wrong: PySparkException | grpc.RpcError) -> bool:
    if isinstance(wrong, grpc.RpcError):
        return True
    text = str(wrong)
    return "UNAVAILABLE" in text or "SESSION_CLOSED" in text or "SESSION_NOT_FOUND" in text
