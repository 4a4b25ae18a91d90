"""What the databases of a dialect are told and asked in words of their own: one row a dialect."""

from __future__ import annotations

from dataclasses import dataclass

from segkit.engines.echo import Check

_INFORMATION_SCHEMA = """
SELECT CASE WHEN table_schema = {own} THEN table_name ELSE {dotted} END,
  column_name, data_type, {scale}
FROM information_schema.columns
WHERE LOWER(table_schema) NOT IN ('information_schema', 'pg_catalog', 'pg_internal', 'sys', 'mysql', 'performance_schema')
ORDER BY table_schema, table_name, ordinal_position
"""
_OF_POSTGRES = """
SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END, a.attname,
  CASE t.typtype WHEN 'e' THEN 'enum' ELSE format_type(COALESCE(NULLIF(t.typbasetype, 0), t.oid), NULL) END, NULL
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> 'information_schema' AND (n.nspname NOT LIKE 'pg!_%' ESCAPE '!' OR pg_table_is_visible(c.oid))
  AND n.nspname <> 'pg_catalog' AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""


_OF_MYSQL = """
SELECT CASE WHEN c.table_schema = DATABASE() THEN c.table_name ELSE CONCAT(c.table_schema, '.', c.table_name) END,
  c.column_name,
  CASE WHEN c.column_type = 'tinyint(1)' THEN 'boolean'
    /*M! WHEN j.table_name IS NOT NULL THEN 'json' */ ELSE c.data_type END,
  c.numeric_scale
FROM information_schema.columns AS c
/*M! LEFT JOIN information_schema.check_constraints AS j ON j.constraint_schema = c.table_schema AND j.table_name = c.table_name
  AND j.constraint_name = c.column_name AND j.check_clause LIKE 'json!_valid(%' ESCAPE '!' */
WHERE LOWER(c.table_schema) NOT IN ('information_schema', 'sys', 'mysql', 'performance_schema')
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
"""MariaDB alone reads what stands behind `/*M!`: its JSON is a text with a check."""


@dataclass(frozen=True)
class Temporary:
    """Temporary tables: how one is made, the schema that its name stands under, and its types."""

    create: str
    schema: str = ""
    text: str = "TEXT"
    integer: str = "BIGINT"
    quote: str = '"'


@dataclass(frozen=True)
class Session:
    """What a dialect's databases are told.

    `begin` opens a transaction that only reads; `read_only` makes the one that the driver has just opened such a one.
    `columns` asks for tables, columns, types and scales; without it each table is described by a query of no rows.
    `literals` names the setting that decides how literals are read, `zones` how a session is made to know time zones,
    where it may not. `checks` are asked of each session.
    """

    transactions: bool = False
    begin: str = ""
    read_only: str = ""
    savepoints: bool = False
    columns: str = ""
    temporary: Temporary | None = None
    literals: str = "the session's settings for quotes and backslashes in literals"
    zones: str = ""
    checks: tuple[Check, ...] = ()


def _information_schema(own: str, dotted: str = "table_schema || '.' || table_name", scale: str = "numeric_scale") -> str:
    return _INFORMATION_SCHEMA.format(own=own, dotted=dotted, scale=scale)


SESSIONS: dict[str, Session] = {
    "postgres": Session(
        transactions=True,
        begin="BEGIN READ ONLY",
        read_only="SET TRANSACTION READ ONLY",
        savepoints=True,
        columns=_OF_POSTGRES,
        temporary=Temporary("CREATE TEMPORARY TABLE", "pg_temp"),
        literals="SET standard_conforming_strings = on, and client_encoding = 'UTF8'",
    ),
    "redshift": Session(
        transactions=True,
        begin="BEGIN READ ONLY",
        savepoints=False,
        columns=_information_schema("current_schema()"),
        temporary=Temporary("CREATE TEMPORARY TABLE", text="VARCHAR(65535)"),
    ),
    "snowflake": Session(
        columns=_information_schema("CURRENT_SCHEMA()"),
        temporary=Temporary("CREATE TEMPORARY TABLE"),
    ),
    "mysql": Session(
        transactions=True,
        begin="START TRANSACTION READ ONLY",
        read_only="START TRANSACTION READ ONLY",
        columns=_OF_MYSQL,
        temporary=Temporary("CREATE TEMPORARY TABLE", text="LONGTEXT", quote="`"),
        literals="take NO_BACKSLASH_ESCAPES out of sql_mode, and SET NAMES utf8mb4",
        zones="load the tables of time zones: mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql",
        checks=(
            Check("SELECT NOT 1 IS NULL", "take HIGH_NOT_PRECEDENCE out of sql_mode"),
            Check("SELECT '' IS NOT NULL", "take EMPTY_STRING_IS_NULL out of sql_mode"),
            Check("SELECT CHAR_LENGTH('É') = 1", "SET NAMES utf8mb4"),
            Check("SELECT @@sql_select_limit = 18446744073709551615", "SET sql_select_limit = DEFAULT"),
        ),
    ),
    "tsql": Session(transactions=True, columns=_information_schema("SCHEMA_NAME()", "table_schema + '.' + table_name")),
    "oracle": Session(transactions=True, read_only="SET TRANSACTION READ ONLY"),
    "trino": Session(columns=_information_schema("current_schema", scale="NULL")),
    "databricks": Session(columns=_information_schema("current_schema()")),
}
"""A dialect without a row is only asked, and its tables are described one by one."""
