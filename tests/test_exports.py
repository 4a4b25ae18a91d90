"""Exports: what is written holds exactly the members, replaces nothing but segkit's own, and is written as a whole or not at all."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from engines import ENGINES, Rows, closed_in_the_end
from sqlglot import exp

from segkit import (
    DefinitionError,
    DialectError,
    E,
    EngineError,
    F,
    SegkitError,
    Segment,
    Workspace,
    connect,
    everyone,
    in_list,
    in_segment,
    raw_sql,
)
from segkit.catalog import Kind

WRITING = ("duckdb", "sqlite", "postgres")
NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None)
VIP = Segment('VIP; it\'s "odd"\n--', F.country == "USA'; DROP TABLE contacts; --")
SEGMENTS = [
    VIP,
    Segment("Lately", E.opened.within(days=30).any() & ~(F.country == "DE"), notes="*/ read lately\nDROP TABLE contacts;"),
    Segment("Quiet", ~E.opened.within(days=30).any()),
    Segment("Everyone", everyone()),
    Segment("Nobody", F.opens < 0),
    Segment("Best", F.opens.top(n=2) | in_list("A's")),
]
FAILING = {
    "duckdb": raw_sql("CAST(country AS INTEGER) = 1", dialect="duckdb"),
    "postgres": raw_sql("CAST(country AS INTEGER) = 1", dialect="postgres"),
    "sqlite": raw_sql("ABS(-9223372036854775808 + opens * 0) = 1", dialect="sqlite"),
}
"""What the engine refuses only when it reads a row."""


def world() -> dict[str, Rows]:
    days = (1, 29.99, 30.01, 400, -1)
    countries = ("USA'; DROP TABLE contacts; --", "DE", None, "USA", "USA'; DROP TABLE contacts; --")
    contacts = [{"contact_id": i, "country": own, "opens": i % 3} for i, own in enumerate(countries)]
    events = [
        {"event_id": i, "contact_id": i, "event": "opened", "occurred_at": NOW - dt.timedelta(days=own)}
        for i, own in enumerate(days)
    ]
    return {
        "contacts": Rows({"contact_id": Kind.INTEGER, "country": Kind.TEXT, "opens": Kind.INTEGER}, contacts),
        "events": Rows(
            {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP}, events
        ),
        "list_members": Rows({"list_name": Kind.TEXT, "contact_id": Kind.INTEGER}, [{"list_name": "A's", "contact_id": 0}]),
    }


@pytest.fixture(params=WRITING)
def ws(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    source = ENGINES[request.param].loaded(world())
    with closed_in_the_end(source):
        if isinstance(source, sqlite3.Connection):
            source.commit()
        yield connect(source, home=None)


def keys(ws: Workspace, query: str) -> list[Any]:
    return sorted(ws.engine.frame(query).iloc[:, 0].tolist())


def members(ws: Workspace, segment: Segment) -> list[int]:
    return ws.members(segment)["contact_id"].tolist()


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("evergreen", [False, True], ids=["pinned", "evergreen"])
@pytest.mark.parametrize("form", ["view", "table"])
def test_it_holds_exactly_the_members(ws: Workspace, form: str, evergreen: bool) -> None:
    for segment in SEGMENTS:
        own = ws.export(segment, form, execute=True, evergreen=evergreen)
        expected = members(ws, segment)
        assert keys(ws, f'SELECT * FROM "{own.name}"') == expected
        assert own.rows == len(expected)
        assert own.did == (f"created {form} {own.name}",)
        assert own.is_committed
    long = ws.export(SEGMENTS, form, execute=True, evergreen=evergreen)
    found = ws.engine.frame(f'SELECT segment, contact_id FROM "{long.name}"')
    assert sorted(found.itertuples(index=False, name=None)) == sorted(
        (own.name, key) for own in SEGMENTS for key in members(ws, own)
    )
    wide = ws.export(SEGMENTS, form, name="flags", layout="wide", execute=True, evergreen=evergreen)
    frame = ws.engine.frame('SELECT * FROM "flags" ORDER BY contact_id')
    assert tuple(frame.columns) == wide.columns
    for segment, column in zip(SEGMENTS, wide.columns[1:], strict=True):
        assert frame["contact_id"][frame[column].astype(bool)].tolist() == members(ws, segment)


def test_an_evergreen_view_follows_the_clock(ws: Workspace) -> None:
    ws.export(SEGMENTS[1], "view", name="lately", execute=True, evergreen=True)
    ws.export(SEGMENTS[1], "view", name="pinned", execute=True, as_of=NOW - dt.timedelta(days=380))
    assert keys(ws, "SELECT * FROM lately") == [0]
    assert keys(ws, "SELECT * FROM pinned") == [3]


def test_rows_are_added_to_a_table(ws: Workspace) -> None:
    with pytest.raises(EngineError, match="there is no table"):
        ws.export(VIP, "insert", name="kept", execute=True)
    ws.export(VIP, "table", name="kept", execute=True)
    added = ws.export(SEGMENTS[3], "insert", name="kept", execute=True)
    assert (added.rows, added.did) == (5, ("added rows to kept",))
    assert keys(ws, "SELECT * FROM kept") == [0, 0, 1, 2, 3, 4, 4]


# ---------------------------------------------------------------- what stands there


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_what_others_made_is_not_replaced(ws: Workspace, kind: str) -> None:
    _run(ws, f'CREATE {kind} "kept" AS SELECT 42 AS answer')
    for form in ("view", "table"):
        with pytest.raises(EngineError, match="which segkit did not make"):
            ws.export(VIP, form, name="kept", execute=True)
        assert keys(ws, 'SELECT * FROM "kept"') == [42]
    done = ws.export(VIP, "view", name="kept", execute=True, replace=True)
    assert done.did == ("replaced view kept",)
    assert keys(ws, 'SELECT * FROM "kept"') == members(ws, VIP)


def test_what_segkit_made_is_replaced(ws: Workspace) -> None:
    for form, segment in (("view", VIP), ("table", SEGMENTS[3]), ("table", SEGMENTS[2]), ("view", SEGMENTS[1])):
        ws.export(segment, form, name="kept", execute=True)
        assert keys(ws, 'SELECT * FROM "kept"') == members(ws, segment)


def test_a_failing_write_leaves_what_was_there(ws: Workspace) -> None:
    failing = Segment("failing", FAILING[ws.engine.dialect])
    with pytest.raises(EngineError, match="nothing changed"):
        ws.export(failing, "table", name="kept", execute=True)
    assert "kept" not in ws.engine.tables()
    ws.export(SEGMENTS[3], "table", name="kept", execute=True)
    for form in ("table", "insert"):
        with pytest.raises(EngineError, match="nothing changed"):
            ws.export(failing, form, name="kept", execute=True)
        assert keys(ws, 'SELECT * FROM "kept"') == [0, 1, 2, 3, 4]
    assert ws.size(SEGMENTS[3]) == 5


@pytest.mark.parametrize(
    "name", ["select", "At risk: 90+ days", 'quo"te', "it's", "; DROP TABLE contacts; --", "Größe", "%s", ":x", "{{ x }}", "a\\b"]
)
def test_any_name_is_a_name(ws: Workspace, name: str) -> None:
    for form in ("view", "table"):
        assert ws.export(VIP, form, name=name, execute=True).rows == 2
    quoted = name.replace('"', '""')
    assert keys(ws, f'SELECT * FROM "{quoted}"') == members(ws, VIP)
    assert name in ws.engine.tables()
    assert ws.size(SEGMENTS[3]) == 5


def test_other_schemas(ws: Workspace) -> None:
    commands = {
        "duckdb": ("ATTACH ':memory:' AS \"other db\"", 'CREATE SCHEMA "other db"."my schema"'),
        "sqlite": ("ATTACH ':memory:' AS \"my schema\"",),
        "postgres": ('DROP SCHEMA IF EXISTS "my schema" CASCADE', 'CREATE SCHEMA "my schema"'),
    }[ws.engine.dialect]
    for command in commands:
        _run(ws, command)
    above = "other db.my schema" if ws.engine.dialect == "duckdb" else "my schema"
    for form in ("table", "view") if ws.engine.dialect != "sqlite" else ("table",):
        ws.export(VIP, form, name=f"{above}.at risk", execute=True)
        ws.export(VIP, form, name=f"{above}.at risk", execute=True)
    quoted = ".".join(f'"{part}"' for part in f"{above}.at risk".split("."))
    assert keys(ws, f"SELECT * FROM {quoted}") == members(ws, VIP)
    with pytest.raises(EngineError, match="nothing changed"):
        ws.export(VIP, "table", name="no such schema.x", execute=True)


def test_what_is_neither_view_nor_table_stays() -> None:
    source = ENGINES["postgres"].loaded(world())
    with closed_in_the_end(source):
        source.cursor().execute("CREATE SEQUENCE kept")
        source.commit()
        with pytest.raises(EngineError, match="name of a relation"):
            connect(source, home=None).export(VIP, "table", name="kept", execute=True, replace=True)


def _run(ws: Workspace, command: str) -> None:
    """A command of somebody else's."""
    connection = ws.engine._connection
    (connection if hasattr(connection, "execute") else connection.cursor()).execute(command)
    if ws.engine.dialect != "duckdb":
        connection.commit()


# ---------------------------------------------------------------- transactions


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_transaction_of_the_callers_stays_open(engine: str) -> None:
    source = ENGINES[engine].loaded(world())
    with closed_in_the_end(source):
        source.commit()
        ws = connect(source, home=None)
        source.cursor().execute("INSERT INTO contacts VALUES (77, 'USA', 0)")
        done = ws.export(SEGMENTS[3], "table", name="kept", execute=True)
        assert (done.rows, done.is_committed) == (6, False)
        assert "not committed" in repr(done)
        with pytest.raises(EngineError, match="nothing changed"):
            ws.export(Segment("x", FAILING[engine]), "table", name="kept", execute=True)
        assert keys(ws, "SELECT * FROM kept") == [0, 1, 2, 3, 4, 77]
        source.rollback()
        assert keys(ws, "SELECT contact_id FROM contacts") == [0, 1, 2, 3, 4]
        with pytest.raises(EngineError):
            ws.engine.frame("SELECT * FROM kept")


def test_duckdb_has_no_transaction_inside_of_another() -> None:
    connection = ENGINES["duckdb"].loaded(world())
    ws = connect(connection, home=None)
    connection.execute("BEGIN")
    connection.execute("INSERT INTO contacts VALUES (77, 'USA', 0)")
    with pytest.raises(EngineError, match="a transaction is open"):
        ws.export(VIP, "table", execute=True)
    connection.execute("COMMIT")
    assert ws.size(SEGMENTS[3]) == 6


def test_it_is_there_for_others() -> None:
    import postgres_server

    source = ENGINES["postgres"].loaded(world())
    with closed_in_the_end(source):
        connect(source, home=None).export(VIP, "table", name="kept", execute=True)
        [(schema,)] = source.cursor().execute("SELECT current_schema()").fetchall()
        source.rollback()
        with closed_in_the_end(postgres_server.session()) as other:
            assert other.cursor().execute(f'SELECT COUNT(*) FROM "{schema}".kept').fetchall() == [(2,)]


def test_files_are_opened_to_be_read(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id, 'USA' AS country, 1 AS opens")
    with closed_in_the_end(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE contacts (contact_id INTEGER, country TEXT, opens INTEGER)")
    for name in ("a.duckdb", "a.db"):
        with connect(tmp_path / name) as ws, pytest.raises(EngineError, match="connection of your own"):
            ws.export(VIP, "view", execute=True)
    own = duckdb.connect(str(tmp_path / "a.duckdb"))
    assert connect(own).export(Segment("all", everyone()), "view", execute=True).rows == 1


@pytest.mark.parametrize("engine", ["bigquery", "datafusion"])
def test_other_engines_are_told_what_to_do(engine: str) -> None:
    source = ENGINES[engine].loaded(world())
    ws = connect(source, home=None, **ENGINES[engine].connect)
    with pytest.raises(EngineError, match="run the SQL there"):
        ws.export(VIP, "view", execute=True)


def test_bigquery_runs_the_query() -> None:
    source = ENGINES["bigquery"].loaded(world())
    ws = connect(source, home=None, **ENGINES["bigquery"].connect)
    for evergreen in (False, True):
        for segment in SEGMENTS:
            shown = ws.export(segment, evergreen=evergreen)
            assert keys(ws, str(shown)) == members(ws, segment)
    long = ws.engine.frame(str(ws.export(SEGMENTS, evergreen=True)))
    assert len(long) == sum(ws.sizes(SEGMENTS)["size"])
    wide = ws.export(SEGMENTS, layout="wide", evergreen=True)
    frame = ws.engine.frame(str(wide))
    for segment, column in zip(SEGMENTS, wide.columns[1:], strict=True):
        assert sorted(frame["contact_id"][frame[column].astype(bool)]) == members(ws, segment)


# ---------------------------------------------------------------- text and files


def test_the_header_tells_what_it_is() -> None:
    ws = connect()
    shown = str(ws.export(Segment("US", F.country == "USA", notes="For Anna"), "view", dialect="snowflake", name="crm.us"))
    first, *lines = shown.splitlines()
    assert re.fullmatch(r"-- Made by segkit [0-9.]+, definition [0-9a-f]{12}", first)
    assert lines[:6] == [
        "-- Segment: US",
        "-- Notes: For Anna",
        "-- Contacts whose country is 'USA'.",
        "-- As of 2025-11-30 12:00:00 UTC, local dates in UTC",
        "-- Dialect snowflake: emulated: its SQL runs on fakesnow, which is DuckDB behind sqlglot",
        'CREATE VIEW "crm"."us" AS',
    ]


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake"])
@pytest.mark.parametrize("evergreen", [False, True], ids=["pinned", "evergreen"])
def test_a_query_that_is_shown_says_what_one_that_is_exported_does(dialect: str, evergreen: bool) -> None:
    ws = connect()
    ws.define(VIP)
    for own in (*SEGMENTS[:5], in_segment(VIP.name) & (F.opens > 1)):
        shown = ws.sql(own, dialect, evergreen=evergreen)
        assert shown == str(ws.export(own, dialect=dialect, evergreen=evergreen))
        assert shown.startswith("-- Made by segkit")
    us = Segment("US", F.country == "USA")
    alone = Segment("Readers", in_segment("US") & (F.opens > 5)).sql(dialect, as_of="2025-11-30", segments=[us])
    assert alone.splitlines()[2] == (
        "-- Contacts who are in the segment 'US' (contacts whose country is 'USA') and whose opens are greater than 5."
    )


def test_equal_definitions_have_one_fingerprint() -> None:
    ws = connect()
    one, same, other = (
        str(ws.export(Segment("a", own))).splitlines()[0] for own in (F.country == "USA", F.country == "USA", F.country == "US")
    )
    assert one == same != other


@pytest.mark.parametrize(
    "dialect", ["duckdb", "sqlite", "postgres", "bigquery", "snowflake", "redshift", "trino", "oracle", "tsql", "mysql"]
)
@pytest.mark.parametrize("form", ["select", "view", "table", "insert"])
def test_no_text_ends_the_header(dialect: str, form: str) -> None:
    hostile = "x\n; DROP TABLE contacts; /* */ -- \u2028 SELECT"
    ws = connect()
    own = [Segment(hostile, F.country == "USA", notes=hostile, owner=hostile), Segment("two", F.country == "DE", notes=hostile)]
    text = str(ws.export(own, form, dialect=dialect))
    [parsed] = sqlglot.parse(text, read=dialect)
    assert isinstance(parsed, (exp.Create, exp.Insert, exp.Query))
    assert not list(parsed.find_all(exp.Drop))
    assert text.startswith("-- Made by segkit")


def test_a_file_is_written_once_it_may_be(tmp_path: Path) -> None:
    ws, path = connect(), tmp_path / "sql" / "us.sql"
    us = Segment("US", F.country == "USA")
    done = ws.export(us, "view", dialect="bigquery", path=path)
    assert done.files == (path,)
    assert repr(done) == "Export(view, bigquery: 1 file)"
    assert path.read_text() == f"{done}\n"
    ws.export(us, "table", dialect="bigquery", path=path)
    assert "CREATE TABLE" in path.read_text()
    path.write_text("mine")
    with pytest.raises(SegkitError, match="did not make"):
        ws.export(us, "view", path=path)
    assert path.read_text() == "mine"


def test_frozen_lists(tmp_path: Path) -> None:
    connection = ENGINES["duckdb"].loaded(world())
    ws = connect(connection, home=tmp_path)
    frozen = Segment("frozen", ws.freeze(VIP, "vips"))
    for form in ("view", "insert"):
        with pytest.raises(DefinitionError, match="temporary table"):
            ws.export(frozen, form)
    assert ws.export(frozen, "table", execute=True).rows == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"as_": "pdf"}, "pdf"),
        ({"layout": "tall"}, "tall"),
        ({"as_": "dbt"}, "path="),
        ({"as_": "select", "execute": True}, "writes nothing"),
        ({"as_": "view", "execute": True, "dialect": "snowflake"}, "speaks duckdb"),
        ({"evergreen": True, "as_of": "2025-01-01"}, "follows the warehouse's clock"),
        ({"as_": "table", "dialect": "clickhouse"}, "engine and an order"),
        ({"as_": "view", "dialect": "postgres", "name": "x" * 64}, "longer than postgres"),
        ({"as_": "view", "name": "a.b.c.d"}, "too many"),
        ({"as_": "view", "name": ""}, "name"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: dict[str, Any], part: str) -> None:
    with pytest.raises((DefinitionError, DialectError), match=part):
        connect().export(Segment("US", F.country == "USA"), **arguments)


def test_no_segments() -> None:
    with pytest.raises(DefinitionError, match="no segment"):
        connect().export([])
