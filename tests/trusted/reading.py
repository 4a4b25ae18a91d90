"""Analysis only reads: whatever else is asked of what `connect` opened is refused, and nothing changes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
import pytest
from engines import ENGINES, Rows
from test_warehouse import PATHS

import segkit as sk
from segkit import F, SegkitError, Workspace, connect, everyone
from segkit.catalog import Kind
from trusted.figure import Figure, titled

DUCKDB = (
    "SELECT * FROM read_csv('{secret}')", "SELECT * FROM read_text('{secret}')", "SELECT * FROM read_blob('{secret}')", "SELECT * FROM '{secret}'",
    "SELECT * FROM glob('{folder}/*')", "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')", "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "COPY (SELECT 1) TO '{folder}/new.csv'", "COPY contacts TO '{folder}/new.parquet'",  "COPY (SELECT 1 AS contact_id) TO '{folder}/own/contacts.parquet'",
    "COPY (SELECT 1 AS contact_id) TO '{folder}/own/contacts.csv'", "EXPORT DATABASE '{folder}/new'", "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/new.duckdb' AS new", "ATTACH '{secret}' AS other", "INSTALL httpfs", "LOAD httpfs", "INSTALL sqlite FROM '{folder}'",
    "SET enable_external_access = true", "SET allowed_paths = ['{secret}']", "SET allowed_directories = ['/']", "RESET lock_configuration",
    "SET lock_configuration = false", "SET temp_directory = '{folder}/temp'", "SET home_directory = '{folder}'", "PRAGMA enable_profiling; SET profiling_output = '{folder}/new.json'",
    "CREATE PERSISTENT SECRET own (TYPE s3, KEY_ID 'a', SECRET 'b')", "SELECT getenv('HOME')",
)  # fmt: skip
ON_FILES = (
    "CREATE TABLE new (a INTEGER)", "INSERT INTO contacts SELECT * FROM contacts", "DELETE FROM contacts", "UPDATE contacts SET opens = 0",
    "DROP TABLE contacts", "ALTER TABLE contacts ADD COLUMN new INTEGER", "CREATE VIEW new AS SELECT 1",
)  # fmt: skip
SQLITE = (
    "ATTACH '{folder}/new.db' AS new", "ATTACH '{secret}' AS other", "VACUUM INTO '{folder}/new.db'", "SELECT load_extension('x')", "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE", "PRAGMA query_only = OFF", "SELECT readfile('{secret}')", "SELECT writefile('{folder}/new', 'x')",
)  # fmt: skip
RAW = (
    "opens IN (SELECT opens FROM read_csv('{secret}'))", "EXISTS (SELECT 1 FROM '{secret}')", "(SELECT count(*) FROM read_text('{secret}')) > 0",
    "1 = 1; COPY contacts TO '{folder}/new.csv'", "1 = 1); ATTACH '{folder}/new.db' AS new; SELECT (1 = 1", "read_csv('{secret}') IS NOT NULL",
    "getenv('HOME') IS NOT NULL", "opens > 0 UNION SELECT 1", "COPY contacts TO '{folder}/new.csv'", "INSTALL httpfs", "load_extension('x') IS NULL",
)  # fmt: skip


CHANGES = (
    "INSERT INTO contacts (contact_id) VALUES (9)", "INSERT INTO contacts SELECT * FROM contacts", "UPDATE contacts SET opens = 0", "DELETE FROM contacts",
    "SELECT * FROM contacts FOR UPDATE", "CREATE TEMPORARY TABLE new (a INTEGER)",
)  # fmt: skip
ON_SERVERS = {
    "postgres": (
        *ON_FILES, "TRUNCATE TABLE contacts", "ALTER TABLE contacts RENAME TO new", "CREATE TABLE new AS SELECT * FROM contacts", "SELECT * INTO new FROM contacts",
        "WITH gone AS (DELETE FROM contacts RETURNING *) SELECT * FROM gone", "EXPLAIN ANALYZE DELETE FROM contacts", "DO $$ BEGIN DELETE FROM contacts; END $$",
        "SELECT nextval('numbers')", "SELECT setval('numbers', 9)", "SELECT lo_create(0)", "COPY contacts FROM PROGRAM 'true'", "COMMENT ON TABLE contacts IS 'new'",
        "GRANT SELECT ON contacts TO PUBLIC", "CREATE SCHEMA new", "ALTER ROLE postgres RENAME TO new",
    ),
    "mariadb": (
        "REPLACE INTO contacts (contact_id) VALUES (1)", "DELETE contacts FROM contacts", "SELECT NEXTVAL(numbers)", "SELECT SETVAL(numbers, 9)", "COMMIT; DELETE FROM contacts",
        "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE contacts",
    ),
}  # fmt: skip
"""What a transaction that only reads refuses. In MariaDB a command about tables ends any transaction, and is done."""
RAW_ON_SERVERS = (
    "nextval('numbers') > 0", "setval('numbers', 9) > 0", "NEXTVAL(numbers) > 0", "lo_create(0) > 0", "1 = 1; COMMIT; DELETE FROM contacts",
    "1 = 1; DROP TABLE contacts", "1 = 1); DROP TABLE contacts; SELECT (1 = 1", "1 = 1) OR (SELECT 1 FROM contacts FOR UPDATE", "opens IN (DELETE FROM contacts RETURNING opens)",
    "DROP TABLE contacts", "TRUNCATE TABLE contacts", "opens > 0 INTO OUTFILE 'new'", "@opens := 5", "COMMIT",
)  # fmt: skip


def attempts(_: int, engines: list[str]) -> Iterator[Figure]:
    """Each attempt on each kind of source, as SQL that has come through and as raw SQL of a definition."""
    yield from _on_files()
    for engine in (own for own in ON_SERVERS if own in engines):
        yield _on_server(engine, "a connection", lambda source, _: source)
        for name, (own, through) in PATHS.items():
            if own == engine:
                with suppress(pytest.skip.Exception):  # its driver is not installed
                    yield _on_server(engine, name, through)


def _on_server(engine: str, name: str, through: Any) -> Figure:
    """Whether anything changes in the database, asked and told by connections of the driver's own."""
    asked = (*CHANGES, *ON_SERVERS[engine])
    with TemporaryDirectory() as folder, closing(ENGINES[engine].loaded({"contacts": _ROWS})) as source:
        _told(source, "CREATE SEQUENCE numbers")
        source.commit()
        before = _state(source, engine)
        with connect(through(source, Path(folder)), home=None, **ENGINES[engine].connect) as ws:
            passed, usable = _passed(ws, asked, RAW_ON_SERVERS)
        changed = _state(source, engine) != before
        caught = 0
        for sql in CHANGES[:4]:
            _told(source, sql)
            caught += _state(source, engine) != before
    return Figure(
        "Changing rows, tables or anything else of a database",
        f"{titled(engine)}, {name}",
        len(asked) + len(RAW_ON_SERVERS),
        len(passed) + changed + (not usable),
        "rows changed in a transaction of the driver's own",
        caught,
        ", ".join(passed),
    )


_ROWS = Rows({"contact_id": Kind.INTEGER, "opens": Kind.INTEGER}, [{"contact_id": 1, "opens": 1}, {"contact_id": 2, "opens": 5}])
_STATE = {
    "postgres": (
        "SELECT contact_id, opens FROM contacts ORDER BY 1, 2",
        "SELECT last_value, is_called FROM numbers",
        "SELECT relname, relkind, relacl FROM pg_class WHERE relnamespace = CAST(CURRENT_SCHEMA() AS REGNAMESPACE) ORDER BY 1",
        "SELECT COUNT(*) FROM pg_largeobject_metadata",
        "SELECT nspname FROM pg_namespace WHERE nspname = 'new'",
    ),
    "mariadb": (
        "SELECT contact_id, opens FROM contacts ORDER BY 1, 2",
        "SELECT next_not_cached_value FROM numbers",
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1",
    ),
}


def _state(source: Any, engine: str) -> list[Any]:
    """What a database holds."""
    found = [_told(source, sql) for sql in _STATE[engine]]
    source.rollback()
    return found


def _told(source: Any, sql: str) -> list[Any]:
    with closing(source.cursor()) as cursor:
        cursor.execute(sql)
        return [] if cursor.description is None else list(cursor.fetchall())


def _on_files() -> Iterator[Figure]:
    for name, engine, asked in (
        ("a file", "duckdb", (*DUCKDB, *ON_FILES)),
        ("a folder of Parquet", "duckdb", DUCKDB),
        ("a folder of CSV", "duckdb", DUCKDB),
        ("frames", "duckdb", DUCKDB),
        ("a file", "sqlite", (*SQLITE, *ON_FILES)),
    ):
        with TemporaryDirectory() as place:
            source, bare, secret = _made(engine, name, Path(place))
            words = {"secret": str(secret), "folder": place}
            before = _contents(Path(place))
            with connect(source, home=None) as ws:
                passed, usable = _passed(ws, *([sql.format(**words) for sql in own] for own in (asked, RAW)))
            changed = _contents(Path(place)) != before
            caught = sum(not _is_refused(partial(_bare, bare, sql.format(**words))) for sql in asked[:8])
        yield Figure(
            "Reading or writing anything else",
            f"{titled(engine)}, {name}",
            len(asked) + len(RAW),
            len(passed) + changed + (not usable),
            "the first eight on a connection of the driver's own",
            caught,
            ", ".join(passed),
        )


def _passed(ws: Workspace, asked: Iterable[str], raw: Iterable[str]) -> tuple[list[str], bool]:
    """What is not refused, as SQL and as raw SQL of a definition, and whether the workspace answers afterwards."""
    passed = [sql for sql in asked if not _is_refused(partial(ws.engine.frame, sql))]
    passed += [sql for sql in raw if not _is_refused(partial(_as_raw_sql, ws, sql, ws.engine.dialect))]
    return passed, ws.size(everyone()) == 2 and ws.size(F.opens > 1) == 1


def _made(engine: str, name: str, folder: Path) -> tuple[Any, Any, Path]:
    """What is connected to, what the control connects to, and a file beside that nobody may read."""
    secret = folder / "secret.csv"
    rows = pd.DataFrame({"contact_id": [1, 2], "opens": [1, 5]})
    own = folder / "own"
    own.mkdir()
    secret.write_text("opens\n5\n")
    if engine == "sqlite":
        with closing(sqlite3.connect(own / "crm.db")) as connection:
            rows.to_sql("contacts", connection, index=False)
        return own / "crm.db", sqlite3.connect(":memory:"), secret
    control = duckdb.connect()
    match name:
        case "frames":
            return {"contacts": rows}, control, secret
        case "a file":
            with duckdb.connect(str(own / "crm.duckdb")) as connection:
                connection.register("rows", rows)
                connection.execute("CREATE TABLE contacts AS SELECT * FROM rows")
            return own / "crm.duckdb", control, secret
        case "a folder of CSV":
            rows.to_csv(own / "contacts.csv", index=False)
        case _:
            control.from_df(rows).write_parquet(str(own / "contacts.parquet"))
    return own, control, secret


def _as_raw_sql(ws: Workspace, sql: str, dialect: str) -> Any:
    return ws.members(sk.raw_sql(sql, dialect=dialect))


def _bare(connection: Any, sql: str) -> Any:
    try:
        return connection.execute(sql).fetchall()
    except (duckdb.Error, sqlite3.Error) as error:
        raise SegkitError(str(error)) from None


def _is_refused(ask: Any) -> bool:
    try:
        ask()
    except SegkitError:
        return True
    return False


def _contents(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}
