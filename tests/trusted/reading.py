"""Analysis only reads: whatever else is asked of what `connect` opened is refused, and nothing changes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd

import segkit as sk
from segkit import F, SegkitError, Workspace, connect, everyone
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


def attempts(_: int, __: list[str]) -> Iterator[Figure]:
    """Each attempt on each kind of source, as SQL that has come through and as raw SQL of a definition."""
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
                passed = [sql for sql in asked if not _is_refused(partial(ws.engine.frame, sql.format(**words)))]
                passed += [sql for sql in RAW if not _is_refused(partial(_as_raw_sql, ws, sql.format(**words), engine))]
                usable = ws.size(everyone()) == 2 and ws.size(F.opens > 1) == 1
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
