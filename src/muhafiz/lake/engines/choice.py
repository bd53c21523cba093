"""Which engine answers in this installation."""

from __future__ import annotations

from django.conf import settings

from muhafiz.lake.engines import Engine, duckdb
from muhafiz.lake.refusals import EngineMissing


def chosen() -> Engine:
    """Spark where MUHAFIZ_SPARK_REMOTE names one, else DuckDB in this process.

    Raises:
        EngineMissing: Spark is asked for and its client is not installed.
    """
    if not settings.SPARK_REMOTE:
        return duckdb
    try:
        from muhafiz.lake.engines import spark  # noqa: PLC0415 - an extra that most leave out
    except ModuleNotFoundError as missing:
        raise EngineMissing(package=missing.name or "pyspark") from missing
    return spark
