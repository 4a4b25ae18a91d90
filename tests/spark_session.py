"""Spark in this process, started once for a run of the tests: one core, and sessions in New York's zone.

Each database is a session of its own with temporary views. Its rows are part of the query, so that Spark reads no files;
whole queries are not compiled to Java, which would take longer than to answer them (`compiled` says otherwise).
"""

from __future__ import annotations

import atexit
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from segkit.catalog import Kind

ZONE = "America/New_York"


@cache
def spark() -> Any:
    """The session that all others share their Spark with; the first call starts it."""
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    from pyspark.sql import SparkSession

    folder = tempfile.TemporaryDirectory(prefix="segkit-spark-")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": ZONE,
        "spark.sql.warehouse.dir": folder.name,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "4g",  # with the default of 1g thousands of queries fill it, and one then waits for ever
        "spark.sql.ui.retainedExecutions": "1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    builder = SparkSession.builder.master("local[1]").appName("segkit")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    atexit.register(folder.cleanup)
    atexit.register(session.stop)
    return session


def session(tables: Mapping[str, tuple[Mapping[str, Kind], list[list[Any]]]], *, compiled: str = "false") -> Any:
    """A session with tables: their columns, and their rows as Python values."""
    own = spark().newSession()
    own.conf.set("spark.sql.codegen.wholeStage", compiled)
    own.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if compiled == "true" else "NO_CODEGEN")
    for name, (columns, rows) in tables.items():
        _frame(own, columns, rows).createOrReplaceTempView(f"`{name.replace('`', '``')}`")
    return own


def _frame(own: Any, columns: Mapping[str, Kind], rows: list[list[Any]]) -> Any:
    import pyarrow as pa
    from pyspark.sql import types

    kinds = {
        Kind.TEXT: (pa.string(), types.StringType()),
        Kind.JSON: (pa.string(), types.StringType()),
        Kind.UNKNOWN: (pa.string(), types.StringType()),
        Kind.INTEGER: (pa.int64(), types.LongType()),
        Kind.NUMBER: (pa.float64(), types.DoubleType()),
        Kind.FLOAT: (pa.float64(), types.DoubleType()),
        Kind.DECIMAL: (pa.decimal128(18, 2), types.DecimalType(18, 2)),
        Kind.BOOLEAN: (pa.bool_(), types.BooleanType()),
        Kind.DATE: (pa.date32(), types.DateType()),
        Kind.TIMESTAMP: (pa.timestamp("us"), types.TimestampNTZType()),
        Kind.TIMESTAMPTZ: (pa.timestamp("us", "UTC"), types.TimestampType()),
    }
    arrays = [
        pa.array([row[i] for row in rows], type=kinds[kind][0], from_pandas=False) for i, kind in enumerate(columns.values())
    ]
    schema = types.StructType([types.StructField(name, kinds[kind][1]) for name, kind in columns.items()])
    return own.createDataFrame(pa.Table.from_arrays(arrays, names=list(columns)), schema)
