"""Runs SQL for Snowflake on fakesnow. It is started with the Python of an environment of fakesnow's own, as that pins an older
sqlglot, and knows nothing of segkit: databases and queries come in as JSON, the first column of each answer goes out as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "NUMBER(18, 2)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
    "timestamptz": "TIMESTAMP_TZ",
    "json": "VARIANT",
    "unknown": "VARCHAR",
}
_MOST = 200


def answers(databases: list[dict[str, Any]]) -> list[list[Any]]:
    """What each database answers to its queries: the values of the first column, or the text of the error."""
    import fakesnow  # not in the environment of the tests, which look at every file here
    import snowflake.connector

    found = []
    with fakesnow.patch():
        for number, database in enumerate(databases):
            connection = snowflake.connector.connect(database=f"DB{number}", schema="PUBLIC")
            cursor = connection.cursor()
            for name, table in database["tables"].items():
                for command in _filled(name, table["columns"], table["rows"]):
                    cursor.execute(command)
            found.append([_answer(cursor, query) for query in database["queries"]])
            connection.close()
    return found


def _answer(cursor: Any, query: str) -> Any:
    try:
        return [row[0] for row in cursor.execute(query).fetchall()]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _filled(name: str, columns: dict[str, str], rows: list[list[Any]]) -> Iterator[str]:
    yield f"CREATE TABLE {_quoted(name)} ({', '.join(f'{_quoted(own)} {TYPES[kind]}' for own, kind in columns.items())})"
    for begin in range(0, len(rows), _MOST):
        selects = [f"SELECT {', '.join(map(_literal, row, columns.values()))}" for row in rows[begin : begin + _MOST]]
        yield f"INSERT INTO {_quoted(name)} {' UNION ALL '.join(selects)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any, kind: str) -> str:
    if value is None:
        return f"CAST(NULL AS {TYPES[kind]})"
    if kind in ("integer", "boolean"):
        return str(value).upper()
    text = "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"
    return f"PARSE_JSON({text})" if kind == "json" else f"CAST({text} AS {TYPES[kind]})"


if __name__ == "__main__":
    json.dump(answers(json.load(sys.stdin)), sys.stdout, default=str)
