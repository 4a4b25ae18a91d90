"""Databases behind a driver: what is read, what is never written, whose transaction it is, and what is told of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cases_runner
import duckdb
import mariadb_server
import pandas as pd
import postgres_server
import pytest
from cases_runner import all_cases, on_postgres, tables_of
from engines import ENGINES, TYPES, Rows, Written
from test_bad_input import (
    ESCAPING,
    TESTS,
    VALUES,
    batches,
    doubled,
    is_storable,
    misread,
    shared_values,
    surrounded,
    workspace_of,
    wrong,
)

import segkit
from segkit import E, EngineError, F, Segment, connect, everyone, in_list
from segkit.catalog import Kind
from segkit.compile import sql
from segkit.counting import Counting
from segkit.engines import echo, urls
from segkit.plan import moment
from segkit.rendering import render
from segkit.segment import displayed

AS_OF = "2025-06-30T12:00:00Z"
CONTACTS = Rows(
    {"contact_id": Kind.INTEGER, "country": Kind.TEXT, "opens": Kind.INTEGER, "seen_at": Kind.TIMESTAMP, "props": Kind.JSON},
    [
        {"contact_id": 1, "country": "USA", "opens": 5, "seen_at": "2025-06-30T12:00:00", "props": '{"plan": "pro"}'},
        {"contact_id": 2, "country": "usa", "opens": None, "seen_at": "2025-05-31T12:00:00", "props": "{}"},
        {"contact_id": 3, "country": None, "opens": 0},
    ],
)
EVENTS = Rows(
    {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP},
    [{"event_id": 1, "contact_id": 1, "event": "opened", "occurred_at": "2025-06-01T00:00:00"}],
)


@pytest.fixture
def postgres() -> Iterator[Any]:
    """A connection of the caller's to a schema with a few rows."""
    connection = ENGINES["postgres"].loaded({"contacts": CONTACTS, "events": EVENTS})
    yield connection
    with suppress(Exception):
        connection.close()


def url(connection: Any, password: str = "") -> str:
    """The URL of what a connection sees."""
    schema = connection.execute("SELECT current_schema()").fetchone()[0]
    connection.rollback()
    own = postgres_server.uri().replace("postgres:@", f"postgres:{password}@")
    return f"{own}&options=-csearch_path%3D{schema}"


def idle(connection: Any) -> bool:
    return connection.info.transaction_status == 0


def members(ws: segkit.Workspace, where: Any) -> list[int]:
    return ws.members(where)["contact_id"].tolist()


def eventually(connection: Any, sql: str, expected: Any) -> bool:
    """A query has an answer within some seconds: a server ends what belongs to a closed connection a little later."""
    for _ in range(50):
        [[found]] = connection.execute(sql).fetchall()
        connection.rollback()
        if found == expected:
            return True
        time.sleep(0.1)
    return False


# ---------------------------------------------------------------- connecting


def test_a_url_an_engine_and_connections(postgres: Any) -> None:
    import sqlalchemy

    made = sqlalchemy.create_engine(url(postgres).replace("postgresql:", "postgresql+psycopg:"))
    where = (F.country == "USA") | ~E.opened.any()
    for source in (url(postgres), made, postgres):
        with connect(source, as_of=AS_OF, home=None) as ws:
            assert ws.engine.dialect == "postgres"
            assert members(ws, where) == [1, 2, 3]
            assert members(ws, F.country.contains("%")) == []
            assert members(ws, F.country == ":name %s %(x)s ?") == []
    with made.connect() as own, connect(own, as_of=AS_OF, home=None) as ws:
        assert members(ws, where) == [1, 2, 3]
    assert not postgres.closed


def _engine_of_sqlalchemy(connection: Any, _: Path) -> Any:
    import sqlalchemy

    return sqlalchemy.create_engine(url(connection).replace("postgresql:", "postgresql+psycopg:"))


def _mariadb_url(connection: Any, _: Path) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        [[database]] = cursor.fetchall()
    return f"mariadb+pymysql://root@localhost/{database}?unix_socket={mariadb_server.socket()}"


def _sqlite_file(connection: Any, folder: Path) -> Path:
    connection.commit()
    with closing(sqlite3.connect(folder / "crm.db")) as file:
        connection.backup(file)
    return folder / "crm.db"


def _frames(connection: Any, _: Path) -> dict[str, pd.DataFrame]:
    return {name: connection.table(name).df() for name in ("contacts", "canary")}


def _parquet(connection: Any, folder: Path) -> Path:
    for name in ("contacts", "canary"):
        connection.table(name).write_parquet(str(folder / f"{name}.parquet"))
    return folder


def _clickhouse_client(session: Any, _: Path) -> Any:
    client = pytest.importorskip("clickhouse_connect", reason="pip install clickhouse-connect").get_client(interface="chdb")
    client.command(f"USE {session.query('SELECT currentDatabase()', 'TSV').bytes().decode().strip()}")
    return client


PATHS: dict[str, tuple[str, Callable[[Any, Path], Any]]] = {
    "a URL of PostgreSQL": ("postgres", lambda connection, _: url(connection)),
    "an engine of SQLAlchemy": ("postgres", _engine_of_sqlalchemy),
    "a URL of MariaDB": ("mariadb", _mariadb_url),
    "a file of SQLite": ("sqlite", _sqlite_file),
    "a URL of SQLite": ("sqlite", lambda connection, folder: f"sqlite:///{_sqlite_file(connection, folder)}"),
    "frames of pandas": ("duckdb", _frames),
    "a folder of Parquet": ("duckdb", _parquet),
    "a client of ClickHouse": ("clickhouse", _clickhouse_client),
}
"""Other ways to an engine than the connection that `engines` makes, and how to come by them from it."""
WHOLE = bool(os.environ.get("SEGKIT_HOSTILE"))
"""Whether each path is asked for all shared texts; else each for another part of them, all paths together for all."""


on_each_path = pytest.mark.parametrize("path", PATHS, ids=[f"{engine}-{path}" for path, (engine, _) in PATHS.items()])


@on_each_path
def test_hostile_values_find_exactly_themselves_on_each_path(path: str, tmp_path: Path) -> None:
    """A text a query on DuckDB and SQLite, so that the canary is looked at after each; else many."""
    engine, through = PATHS[path]
    part = shared_values() if WHOLE else shared_values()[list(PATHS).index(path) :: len(PATHS)]
    values = [value for value in dict.fromkeys([*VALUES, *part]) if is_storable(value)]
    most = len(TESTS) if engine in ("duckdb", "sqlite") else 160
    for number, batch in enumerate(batches(values, 150, engine)):
        assert wrong(surrounded(batch), batch, engine, _on(through, tmp_path / str(number)), most) == []


@on_each_path
def test_bare_quotes_and_where_backslashes_escape_doubled_ones_are_misread_on_each_path(path: str, tmp_path: Path) -> None:
    """The control."""
    engine, through = PATHS[path]
    with workspace_of(VALUES, engine, _on(through, tmp_path / "own")) as ws:
        assert misread(ws, lambda value: f"'{value}'", ["' || 'a"]) != []
        assert bool(misread(ws, doubled)) == (ws.engine.dialect in ESCAPING)
        assert misread(ws, lambda value: render(sql.string(value), ws.engine.renders_as)) == []


def _on(through: Callable[[Any, Path], Any], folder: Path) -> Callable[[Any], Any]:
    folder.mkdir()
    return lambda source: through(source, folder)


def test_an_engine_of_sqlalchemy_for_sqlite(tmp_path: Any) -> None:
    import sqlalchemy

    made = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'crm.db'}")
    with made.begin() as own:
        own.exec_driver_sql("CREATE TABLE contacts (contact_id INTEGER, name TEXT)")
        own.exec_driver_sql("INSERT INTO contacts VALUES (1, 'Ann'), (2, 'Bob')")
    with connect(made, home=None) as ws:
        assert ws.engine.renders_as == "sqlite+"
        assert members(ws, F.name.matches("^A")) == [1]


def test_secrets_are_never_shown(postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "p@ss:w/rd'1"
    quoted = "p%40ss%3Aw%2Frd%271"
    with connect(url(postgres, quoted), home=None) as ws:
        assert "***" in repr(ws.engine)
        assert not any(form in repr(ws) + repr(ws.engine) for form in (secret, quoted))
    with pytest.raises(EngineError) as refused:
        connect(f"postgresql://ann:{quoted}@127.0.0.1:1/crm?sslpassword=hush", home=None)
    told = str(refused.value)
    assert "127.0.0.1" in told
    assert not any(form in told for form in (secret, quoted, "hush"))
    assert (
        urls.hidden(f"FATAL: {secret} or {quoted}", urls.secrets_of(urls.engine_of(f"postgresql://a:{quoted}@h/d").url))
        == "FATAL: *** or ***"
    )


def test_a_missing_driver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=r'pip install "snowflake-sqlalchemy"'):
        connect("snowflake://ann:x@account/db")
    monkeypatch.setattr(urls, "find_spec", lambda _: None)
    for driver in ("psycopg", "psycopg2"):
        monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(EngineError, match=r'pip install "psycopg\[binary\]"'):
        connect("postgresql://ann@host/db")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(EngineError, match=r"segkit\[sqlalchemy\]"):
        connect("postgresql://ann@host/db")


def test_what_is_no_url() -> None:
    with pytest.raises(EngineError, match="no database URL"):
        connect("postgresql://ann:secret@host:port/db")
    with pytest.raises(EngineError, match="there is no file"):
        connect("nowhere.db")


# ---------------------------------------------------------------- what is read

ODD = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN share AS numeric(5, 2);
CREATE TABLE odd (contact_id uuid, mood mood, share share, name varchar(20), code char(4), n smallint, big bigint, price numeric(10, 2),
  score real, vip boolean, due date, at timestamp, instant timestamptz(3), doc json, docs jsonb, tags text[], raw bytea, wait interval);
INSERT INTO odd VALUES ('00000000-0000-0000-0000-00000000000b', 'calm', 0.5, 'Ann', 'ab', 1, 2, 3.5, 0.5, true, '2025-01-31', '2025-01-31 10:00',
  '2025-01-31 10:00+02', '{{"a": 1e3}}', '{{"a": [1]}}', '{{x}}', 'x', '1 day');
INSERT INTO odd (contact_id) VALUES ('00000000-0000-0000-0000-00000000000a');
CREATE VIEW seen AS SELECT contact_id, mood FROM odd;
CREATE MATERIALIZED VIEW kept AS SELECT contact_id FROM odd;
CREATE TEMPORARY TABLE passing (contact_id integer);
CREATE SCHEMA {other};
CREATE TABLE {other}.people (contact_id integer, opens integer);
"""


def test_kinds_come_from_the_connection(postgres: Any) -> None:
    [[schema]] = postgres.execute("SELECT current_schema()").fetchall()
    postgres.execute(ODD.format(other=f"{schema}_other"))
    postgres.commit()
    tables = connect(postgres, home=None).engine.tables()
    assert {name: column.kind.value for name, column in tables["odd"].items()} == {
        "contact_id": "text", "mood": "text", "share": "decimal", "name": "text", "code": "text", "n": "integer", "big": "integer",
        "price": "decimal", "score": "float", "vip": "boolean", "due": "date", "at": "timestamp", "instant": "timestamptz",
        "doc": "json", "docs": "json", "tags": "json", "raw": "unknown", "wait": "duration",
    }  # fmt: skip
    assert {"contacts", "events", "odd", "seen", "kept", "passing", f"{schema}_other.people"} <= set(tables)
    assert not any(name.startswith(("pg_", "information_schema")) for name in tables)


def test_conventional_tables_are_those_of_the_own_schema(postgres: Any) -> None:
    [[schema]] = postgres.execute("SELECT current_schema()").fetchall()
    for other in (f"{schema}_z", f"{schema}_a"):
        postgres.execute(
            f"CREATE SCHEMA {other}; CREATE TABLE {other}.contacts (contact_id integer); CREATE TABLE {other}.events ()"
        )
    postgres.commit()
    catalog = connect(postgres, home=None).catalog
    assert (catalog.contacts.table, catalog.events[0].table) == ("contacts", "events")
    postgres.execute("DROP TABLE events")
    postgres.commit()
    assert connect(postgres, home=None).catalog.events == ()
    postgres.execute("SET search_path TO pg_catalog")
    postgres.commit()
    with pytest.raises(segkit.CatalogError, match=r"contacts could be .* or ") as refused:
        connect(postgres, home=None)
    assert "catalog=" in refused.value.fix


def test_odd_types_are_asked(postgres: Any) -> None:
    [[schema]] = postgres.execute("SELECT current_schema()").fetchall()
    postgres.execute(ODD.format(other=f"{schema}_other"))
    postgres.commit()
    ws = connect(postgres, catalog={"contacts": {"table": "odd"}}, home=None, as_of=AS_OF)
    first, second = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
    assert ws.members(everyone())["contact_id"].tolist() == [first, second]
    for where in (
        F.mood == "calm", F.mood.contains("al"), F.name.startswith("A"), F.code == "ab", F.share == Decimal("0.50"), F.n + F.big == 3,
        F.contact_id == second, F.due.month() == 1, F.instant.on("2025-01-31"), F.doc.json("a") == 1000, F.docs.json("a", 0) == 1,
    ):  # fmt: skip
        assert ws.members(where)["contact_id"].tolist() == [second], where
    assert ws.size(F.mood == "no such mood") == 0
    other = connect(postgres, catalog={"contacts": {"table": f"{schema}_other.people"}}, home=None)
    assert other.size(F.opens.is_missing()) == 0
    frame = ws.preview(F.mood == "calm")
    assert {name: str(frame[name].dtype) for name in ("n", "price", "score", "vip", "due", "at", "instant")} == {
        "n": "int64", "price": "float64", "score": "float64", "vip": "bool", "due": "datetime64[us]", "at": "datetime64[us]",
        "instant": "datetime64[us, UTC]",
    }  # fmt: skip
    assert frame["docs"].tolist() == ['{"a": [1]}']
    assert ws.preview(everyone())["n"].dtype == "Int64"


def test_tables_that_may_not_be_read(postgres: Any) -> None:
    [[schema]] = postgres.execute("SELECT current_schema()").fetchall()
    role = f"analyst_{schema}"
    postgres.execute(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON contacts TO {role}")
    postgres.commit()
    with connect(url(postgres).replace("postgres:@", f"{role}:@"), home=None) as ws:
        assert set(ws.engine.tables()) == {"contacts"}
        assert ws.size(F.country == "USA") == 1
        with pytest.raises(EngineError, match="permission denied") as refused:
            ws.engine.frame("SELECT * FROM events")
        assert "grant SELECT" in refused.value.fix


def test_names_longer_than_postgres_keeps_are_refused(postgres: Any) -> None:
    with pytest.raises(segkit.DialectError, match="longer than postgres allows"):
        Segment("x", F["n" * 64] == 1).sql("postgres")


# ---------------------------------------------------------------- what is never written


def test_analysis_only_reads(postgres: Any) -> None:
    with connect(url(postgres), as_of=AS_OF, home=None) as ws:
        for sql in (
            "DELETE FROM contacts",
            "CREATE TABLE x (a int)",
            "SELECT set_config('a.b', '1', false); DROP TABLE contacts",
        ):
            with pytest.raises(EngineError, match="read-only transaction"):
                ws.engine.frame(sql)
        assert members(ws, everyone()) == [1, 2, 3]
        assert idle(ws.engine._connection)
    assert idle(postgres)
    ws = connect(postgres, home=None)
    with pytest.raises(EngineError, match="read-only transaction"):
        ws.engine.frame("DELETE FROM contacts")
    postgres.autocommit = True
    with pytest.raises(EngineError, match="read-only transaction"):
        ws.engine.frame("DELETE FROM contacts")
    assert members(ws, everyone()) == [1, 2, 3]


def test_a_transaction_of_the_callers_stays_as_it_is(postgres: Any) -> None:
    ws = connect(postgres, as_of=AS_OF, home=None)
    assert idle(postgres)
    postgres.execute("INSERT INTO contacts (contact_id) VALUES (4)")
    assert members(ws, everyone()) == [1, 2, 3, 4]
    with pytest.raises(EngineError):
        ws.engine.frame("SELECT nonsense")
    ws.engine.keep("segkit_one", pd.DataFrame({"contact_id": [1]}))
    assert not idle(postgres)
    postgres.execute("INSERT INTO contacts (contact_id) VALUES (5)")
    assert members(ws, everyone()) == [1, 2, 3, 4, 5]
    postgres.rollback()
    assert members(ws, everyone()) == [1, 2, 3]
    assert idle(postgres)


def test_lists_and_counts_are_kept_in_temporary_tables(postgres: Any, tmp_path: Any) -> None:
    with connect(url(postgres), as_of=AS_OF, home=tmp_path) as ws:
        ws.freeze(F.opens >= 0, "Known")
        assert members(ws, in_list("Known")) == [1, 3]
        assert members(ws, ~in_list("Known") & (F.country == "usa")) == [2]
        where = (F.country == "USA") | ~(E.opened.within(days=60).count() >= 1)
        counting = Counting(ws.engine, ws._checked(), moment(AS_OF, "UTC"), {})
        sizes = counting.counts(Segment(None, where).definition).sizes
        assert dict(sizes) == {"where": 3, "where.items[0]": 1, "where.items[1]": 2, "where.items[1].item": 1}
        counting.close()
        assert idle(ws.engine._connection)
    with connect(url(postgres), as_of=AS_OF, home=tmp_path) as ws:
        assert members(ws, in_list("Known")) == [1, 3]
    assert eventually(postgres, "SELECT count(*) FROM pg_class WHERE relname LIKE 'segkit%' AND relpersistence = 't'", 0)
    assert eventually(
        postgres,
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'segkit%' AND relnamespace = current_schema()::regnamespace",
        0,
    )


# ---------------------------------------------------------------- sessions


def test_a_session_that_reads_literals_otherwise_is_refused(postgres: Any) -> None:
    postgres.execute("SET standard_conforming_strings = off")
    postgres.commit()
    with pytest.raises(EngineError, match="text") as refused:
        connect(postgres, home=None)
    assert "standard_conforming_strings = on" in refused.value.fix
    postgres.execute("SET standard_conforming_strings = on")
    postgres.execute("SET client_encoding = 'LATIN1'")
    postgres.commit()
    with pytest.raises(EngineError, match="text") as refused:
        connect(postgres, home=None)
    assert "client_encoding" in refused.value.fix


def test_a_text_that_comes_back_otherwise_is_told() -> None:
    echo.check_echo(lambda _: pd.DataFrame([echo.HOSTILE]), "mysql", "the setting")
    for misreading in (
        lambda text: text.replace("\\", ""),
        lambda text: text.strip(),
        lambda text: text.encode("latin-1", "replace").decode("latin-1"),
    ):
        with pytest.raises(EngineError, match="wrong members") as refused:
            echo.check_echo(
                lambda _, misreading=misreading: pd.DataFrame([[misreading(text) for text in echo.HOSTILE]]),
                "mysql",
                "the setting",
            )
        assert refused.value.fix == "the setting"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_the_zone_of_the_session_does_not_matter(zone: str) -> None:
    """The other tests run in New York's."""
    some = [case for case in all_cases() if case.file in ("zone_rome", "zone_new_york_events", "windows_timestamp", "dates")]
    checked = 0
    for case in some[::7]:
        if "members" in case.case:
            ws = cases_runner._workspace(case.file, "postgres")
            connection = ws.engine._connection
            connection.execute(f"SET timezone TO '{zone}'")
            connection.commit()
            try:
                assert on_postgres(case) == case.case["members"], case.id
            finally:
                connection.execute(f"SET timezone TO '{postgres_server.ZONE}'")
                connection.commit()
            checked += 1
    assert checked > 20


def test_an_interrupt_cancels_at_once(postgres: Any) -> None:
    with connect(url(postgres), as_of=AS_OF, home=None) as ws:
        begin = time.perf_counter()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            ws.engine.frame("SELECT pg_sleep(60)")
        assert time.perf_counter() - begin < 2
        assert members(ws, F.country == "USA") == [1]
        [[asleep]] = postgres.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
        ).fetchall()
        assert asleep == 0


def test_a_long_answer_is_streamed(postgres: Any) -> None:
    postgres.execute("INSERT INTO contacts (contact_id, country) SELECT i, 'x' || i FROM generate_series(10, 50000) AS i")
    postgres.commit()
    with connect(url(postgres), home=None) as ws:
        assert len(ws.members(everyone(), columns=["country"])) == 49_994
        assert members(ws, F.country == "x777") == [777]
        assert ws.engine.streamed("SELECT 1 AS a WHERE 1 = 0").columns.tolist() == ["a"]


def test_a_connection_that_gives_rows_by_name(postgres: Any) -> None:
    from psycopg.rows import dict_row

    postgres.row_factory = dict_row
    ws = connect(postgres, as_of=AS_OF, home=None)
    assert ws.members(F.country == "USA", columns=["opens"]).to_dict("list") == {"contact_id": [1], "opens": [5]}


def test_a_closed_connection_says_so(postgres: Any) -> None:
    ws = connect(postgres, home=None)
    postgres.close()
    with pytest.raises(EngineError, match="closed"):
        ws.size(everyone())


# ---------------------------------------------------------------- drivers that tell little


class Plain:
    """A connection of a driver that nobody knows: DuckDB's, under another name."""

    def __init__(self) -> None:
        self.inner = duckdb.connect(":memory:")
        self.closed = False

    def cursor(self) -> Any:
        return self.inner.cursor()

    def close(self) -> None:
        self.closed = True


def test_a_driver_that_nobody_knows() -> None:
    own = Plain()
    Written(TYPES).fill(own.inner, {"contacts": CONTACTS, "events": EVENTS})
    with pytest.raises(EngineError, match=r"which SQL") as refused:
        connect(own)
    assert "dialect=" in refused.value.fix
    with connect(own, dialect="duckdb", as_of=AS_OF, home=None) as ws:
        assert set(ws.engine.tables()) == {"contacts", "events"}
        assert ws.catalog.contacts.fields["seen_at"].kind is Kind.TIMESTAMP
        assert members(ws, (F.country == "USA") | (E.opened.count() == 0) & F.seen_at.older_than(days=30)) == [1]
        with pytest.raises(EngineError, match="temporary tables"):
            ws.engine.keep("x", pd.DataFrame({"a": [1]}))
    assert not own.closed
    with pytest.raises(segkit.DialectError, match="unknown dialect"):
        connect(own, dialect="postgress")


# ---------------------------------------------------------------- what is shown, and json beside jsonb


def test_shown_sql_has_the_same_members() -> None:
    """The SQL that is shown differs from the one that is run: it leaves texts as they are declared."""
    asked = 0
    for case in all_cases()[::3]:
        if "members" in case.case:
            ws = cases_runner._workspace(case.file, "postgres")
            shown = displayed(cases_runner._resolved(case, ws), "postgres", {})
            assert sorted(ws.engine.frame(shown).iloc[:, 0].tolist()) == sorted(case.case["members"]), case.id
            asked += 1
    assert asked > 200


@pytest.mark.parametrize("file", ["json_paths", "json_elements"])
def test_json_is_read_as_jsonb_is(file: str) -> None:
    some = [case for case in all_cases() if case.file == file and "members" in case.case]
    connection = postgres_server.session() if ENGINES["postgres"].require() is None else None
    number = {Kind.NUMBER: "DOUBLE PRECISION", Kind.FLOAT: "DOUBLE PRECISION"}
    Written({**TYPES, **number}, mark="%s").fill(connection, tables_of(some[0].given))
    connection.commit()
    ws = connect(connection, catalog=some[0].given["catalog"], timezone=some[0].given.get("timezone"), home=None)
    for case in some:
        plan = cases_runner._resolved(case, ws)
        assert segkit.metrics.members(ws.engine, plan).iloc[:, 0].tolist() == case.case["members"], case.case


# ---------------------------------------------------------------- hostile texts through every driver


@pytest.mark.parametrize("path", ["psycopg", "psycopg2", "sqlalchemy"])
def test_hostile_texts_through_a_driver(path: str) -> None:
    """Each text finds itself alone, and a table beside it is alive in the end."""
    driver = "psycopg" if path == "sqlalchemy" else path
    if find_spec(driver) is None:
        pytest.skip(f"{driver} is not installed: pip install {driver}-binary")
    texts = Rows({"contact_id": Kind.INTEGER, "v": Kind.TEXT}, [{"contact_id": i, "v": text} for i, text in enumerate(VALUES)])
    connection = ENGINES["postgres"].loaded({"contacts": texts, "canary": Rows({"alive": Kind.INTEGER}, [{"alive": 1}])})
    own = url(connection).replace("postgresql:", f"postgresql+{driver}:")
    with made(path, own) as source, connect(source, as_of=AS_OF, home=None) as ws:
        for i, text in enumerate(VALUES):
            assert members(ws, F.v == text) == [i], text
        assert ws.members(everyone())["contact_id"].tolist() == list(range(len(VALUES)))
        ws.engine.keep("segkit_texts", pd.DataFrame({"v": pd.Series(VALUES, dtype="string")}))
        assert ws.engine.frame("SELECT v FROM pg_temp.segkit_texts")["v"].tolist() == VALUES
    assert connection.execute("SELECT alive FROM canary").fetchall() == [(1,)]


@contextmanager
def made(path: str, own: str) -> Iterator[Any]:
    """A connection of a driver to a URL, or an engine of SQLAlchemy."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(own)
    if path == "sqlalchemy":
        yield engine
    else:
        raw = engine.raw_connection().driver_connection
        yield raw
        raw.close()
    engine.dispose()
