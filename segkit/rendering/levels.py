"""Which dialects there are, and how far each is verified."""

from __future__ import annotations

from typing import Any

from sqlglot.dialects import DIALECTS
from sqlglot.dialects.dialect import Dialect

from segkit.errors import DialectError, unknown


class DataFusion(Dialect):
    """`datafusion`, which sqlglot does not bring: standard SQL, as far as rows of the table do not say otherwise."""

    NULL_ORDERING = "nulls_are_large"


EXECUTED = "executed: the conformance suite runs on it"
RENDERED = "rendered: made of what the vendor documents, not executed"
LEVELS = {
    "clickhouse": EXECUTED,
    "duckdb": EXECUTED,
    "mysql": "executed on MariaDB: the conformance suite runs on it; MySQL itself is rendered by the same rules",
    "postgres": EXECUTED,
    "spark": EXECUTED,
    "sqlite": EXECUTED,
    "databricks": "emulated: its SQL runs on Spark 4, which is close kin",
    "snowflake": "emulated: its SQL runs on fakesnow, which is DuckDB behind sqlglot",
    "bigquery": "executed: the conformance suite runs on Google's reference evaluator of GoogleSQL",
    "datafusion": "executed: the conformance suite runs on it, without JSON",
    "oracle": RENDERED,
    "redshift": RENDERED,
    "trino": RENDERED,
    "tsql": RENDERED,
}
_NAMES = tuple(sorted({*map(str.lower, DIALECTS), "datafusion"}))
"""Known without loading them: sqlglot loads a dialect when it is first used."""
UNVERIFIED = "unverified: sqlglot's dialect, reviewed by nobody"


def dialects() -> dict[str, str]:
    """The dialects that SQL can be rendered for, each with how far it is verified.

    >>> dialects()["duckdb"]
    'executed: the conformance suite runs on it'
    """
    return {name: LEVELS.get(name, UNVERIFIED) for name in _NAMES}


def level(dialect: str) -> str:
    """How far a dialect is verified."""
    return LEVELS.get(checked_dialect(dialect), UNVERIFIED)


def checked_dialect(name: Any) -> str:
    """`name` if it is a dialect."""
    if not isinstance(name, str) or not name or (name not in _NAMES and name not in Dialect.classes):
        error = unknown("dialect", str(name), dialects())
        raise DialectError(error.what, fix=error.fix)
    return name
