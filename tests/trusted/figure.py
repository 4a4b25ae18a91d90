"""A figure: how often something was tried, and how often it went wrong; and a wrong way of doing the same, which must."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import engines
import pytest

AS_OF = "2025-06-30T12:00:00"


@dataclass(frozen=True)
class Figure:
    """`what` was tried on `on`; `control` is a wrong way of doing it, and `caught` how often that went wrong."""

    what: str
    on: str
    tried: int
    wrong: int
    control: str
    caught: int
    told: str = ""

    @property
    def holds(self) -> bool:
        """Whether something was tried, nothing went wrong, and the control shows that it would have been seen."""
        return self.tried > 0 and self.wrong == 0 and self.caught > 0


def there(names: list[str]) -> list[str]:
    """Those of the engines that are installed."""
    found = []
    for name in names:
        try:
            engines.ENGINES[name].require()
        except pytest.skip.Exception:
            continue
        found.append(name)
    return found


_PACKAGES = {
    "duckdb": ("DuckDB", "duckdb"), "datafusion": ("DataFusion", "datafusion"), "clickhouse": ("ClickHouse (chdb)", "chdb"),
    "spark": ("Spark", "pyspark"), "bigquery": ("BigQuery's language (zetasql)", "zetasql"),
}  # fmt: skip
_ASKED = {"postgres": ("PostgreSQL", "SHOW server_version"), "mariadb": ("MariaDB", "SELECT VERSION()")}


def titled(engine: str) -> str:
    """An engine by its name and version."""
    if engine == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    if engine in _PACKAGES:
        name, package = _PACKAGES[engine]
        return f"{name} {version(package)}"
    name, query = _ASKED[engine]
    source: Any = engines.ENGINES[engine].loaded({})
    with source.cursor() as cursor:
        cursor.execute(query)
        [[told]] = cursor.fetchall()
    source.close()
    return f"{name} {str(told).partition('-')[0].split()[0]}"
