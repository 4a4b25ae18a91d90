"""Tracking in the warehouse: the same as in the home, without a contact that leaves it, and consistent or told."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import postgres_server
import psycopg
import pytest
from click.testing import CliRunner, Result
from engines import ENGINES, Rows
from test_tracking import READERS, US, database, day

from segkit import (
    DataError,
    DefinitionError,
    E,
    EngineError,
    F,
    SegkitError,
    SegkitWarning,
    Segment,
    Workspace,
    connect,
    in_segment,
)
from segkit.catalog import Kind
from segkit.cli import main
from segkit.engines import Engine
from segkit.engines.duck import DuckDB
from segkit.rendering import render
from segkit.tracking.warehouse import refreshing

FEW = {"kills": 3, "pairs": 2, "sqlite": 2}
MANY = {"kills": 200, "pairs": 100, "sqlite": 100}
ODD = 'O\'Brien \\ "%s" :p ${x} {{j}} é😀 '


def schema_of(name: str, source: Any) -> str:
    """The schema that the tables of a connection stand in."""
    source.commit()
    asked = {"postgres": "SELECT current_schema()", "mariadb": "SELECT DATABASE()"}.get(name)
    if asked is None:
        return "main"
    cursor = source.cursor()
    cursor.execute(asked)
    schema = str(cursor.fetchone()[0])
    source.commit()
    return schema


def loaded(name: str, tables: Mapping[str, Rows]) -> tuple[Any, str]:
    source = ENGINES[name].loaded(tables)
    return source, "main" if name == "duckdb" else schema_of(name, source)


@pytest.fixture
def data() -> Any:
    with database() as connection:
        yield connection


@pytest.fixture
def ws(data: duckdb.DuckDBPyConnection) -> Workspace:
    made = connect(data, home=None, history="main")
    made.history_tables(execute=True)
    return made


# ---------------------------------------------------------------- the same as in the home


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.TEXT])
@pytest.mark.parametrize("name", ["duckdb", "sqlite", "postgres", "mariadb"])
def test_it_is_what_the_home_keeps(name: str, kind: Kind, tmp_path: Path) -> None:
    """Contacts move, come and go, definitions change, segments fail and are untracked, in any order."""
    chance = random.Random(f"{name} {kind}")
    rows = [{"contact_id": i if kind is Kind.INTEGER else f"{'ÜüAa'[i % 4]}{i}", "v": 0, "w": 0} for i in range(60)]
    tables = {"contacts": Rows({"contact_id": kind, "v": Kind.INTEGER, "w": Kind.INTEGER}, rows)}
    source, schema = loaded(name, tables)
    options = ENGINES[name].connect
    home = connect(source, home=tmp_path, **options)
    warehouse = connect(source, home=None, history=schema, **options)
    warehouse.history_tables(execute=True)
    column, outcomes = "v", set[str]()
    for n in range(9):
        _change(source, kind, chance, n)
        if n % 5 == 3:
            column = _renamed(source, column)
            home, warehouse = connect(source, home=tmp_path, **options), connect(source, home=None, history=schema, **options)
        wanted = [Segment(ODD, F["v"] < 7), Segment("b", F["w"] >= 1 + n // 4 % 2), Segment("B", ~in_segment("b"))]
        for own in (home, warehouse):
            if n == 0:
                own.track(wanted, at_least=20, moved=0.3)
            elif n % 4 == 0:
                own.track(wanted[1:], at_most=50)
            elif n == 6:
                own.untrack("B")
            told = own.refresh(as_of=day(n), dry_run=True) if n % 4 == 0 else None
            heard: list[Any] = []
            frame = own.refresh(as_of=day(n), hook=lambda *given, to=heard: to.append(given))
            if told is not None:
                pd.testing.assert_frame_equal(told, frame)
                frame = pd.concat([frame, own.refresh(as_of=day(n))])
            frame = frame.drop(columns=["looked_at", "note"])  # how, not what: DuckDB's refreshes at home look at few
            if own is home:
                expected, heard_at_home = frame, heard
        pd.testing.assert_frame_equal(frame, expected)
        assert heard == heard_at_home
        outcomes |= set(frame["outcome"])
        assert warehouse.tracked == home.tracked
        for verb in ("tracked_sizes", "tracked_moves", "tracked_spells"):
            pd.testing.assert_frame_equal(getattr(warehouse, verb)(), getattr(home, verb)(), obj=f"{verb} {n}")
        pd.testing.assert_frame_equal(warehouse.tracked_moves(since=day(n - 3)), home.tracked_moves(since=day(n - 3)))
    with pytest.warns(SegkitWarning, match="no history of w"):
        both = [own.history(wanted[1:], day(0), day(9), tracked=True) for own in (home, warehouse)]
    pd.testing.assert_frame_equal(both[1], both[0])
    assert (both[0]["source"] == "tracked").sum() > 10
    assert outcomes == {"first", "refreshed", "new version", "failed", "already there"}
    assert warehouse.tracked_sizes(["b"])["version"].max() > 1
    assert len(warehouse.tracked_spells()) > 90
    pd.testing.assert_frame_equal(warehouse.tracked_spells(["B", "b"]), home.tracked_spells(["B", "b"]))


def _change(source: Any, kind: Kind, chance: random.Random, n: int) -> None:
    """Moves some contacts, lets some go, and brings new ones."""
    cursor = source.cursor()
    column = _columns(source)[1]
    cursor.execute(f"UPDATE contacts SET {column} = {column} + {chance.randrange(1, 5)} WHERE w < 2")
    cursor.execute(f"UPDATE contacts SET {column} = 0 WHERE {column} > 12")
    cursor.execute(f"UPDATE contacts SET w = ({column} * 7 + {n}) % 4")
    new = str(1000 + n) if kind is Kind.INTEGER else f"'new {n}'"
    cursor.execute(f"INSERT INTO contacts VALUES ({new}, {chance.randrange(12)}, 1)")
    old = str(n * 3) if kind is Kind.INTEGER else f"'{'ÜüAa'[n * 3 % 4]}{n * 3}'"
    cursor.execute(f"DELETE FROM contacts WHERE contact_id = {old}")
    source.commit()


def _columns(source: Any) -> list[str]:
    cursor = source.cursor()
    cursor.execute("SELECT * FROM contacts WHERE 1 = 0")
    names = [str(column[0]) for column in cursor.description]
    source.commit()
    return names


def _renamed(source: Any, column: str) -> str:
    """Renames the column that a segment reads, or gives it its name again."""
    other = "v" if column == "x" else "x"
    source.cursor().execute(f"ALTER TABLE contacts RENAME COLUMN {column} TO {other}")
    source.commit()
    return other


def test_of_two_refreshes_at_once_one_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one refreshes after this one has asked the data and before it writes."""
    path = tmp_path / "crm.db"
    mine, others = sqlite3.connect(path), sqlite3.connect(path)
    mine.execute("CREATE TABLE contacts (contact_id INTEGER PRIMARY KEY, country TEXT)")
    mine.executemany("INSERT INTO contacts VALUES (?, 'USA')", [(i,) for i in range(5)])
    mine.commit()
    here, there = (connect(own, home=None, history="main") for own in (mine, others))
    here.history_tables(execute=True)
    here.track([US, Segment("All", F.contact_id >= 0)])
    here.refresh(as_of=day(3))
    members = refreshing._members
    for at, other, outcome in ((5, 5, "already there"), (6, 7, "overtaken"), (9, 8, "refreshed")):
        mine.execute(f"INSERT INTO contacts VALUES ({100 - at}, 'USA')")
        mine.commit()

        def slow(*given: Any, other: int = other) -> Any:
            monkeypatch.setattr(refreshing, "_members", members)
            asked = members(*given)
            keep = asked.__enter__

            def enter() -> Any:
                answer = keep()
                there.refresh(as_of=day(other))
                return answer

            return _Around(enter, asked.__exit__)

        monkeypatch.setattr(refreshing, "_members", slow)
        assert here.refresh(as_of=day(at))["outcome"].tolist() == [outcome] * 2
    assert here.tracked_sizes(["US"])["at"].tolist() == [day(n) for n in (3, 5, 7, 8, 9)]
    assert there.tracked_sizes(["US"])["size"].tolist() == [5, 6, 7, 8, 8]


class _Around:
    def __init__(self, enter: Callable[[], Any], leave: Callable[..., Any]) -> None:
        self._enter, self._leave = enter, leave

    def __enter__(self) -> Any:
        return self._enter()

    def __exit__(self, *told: Any) -> Any:
        return self._leave(*told)


def test_the_clock_must_not_go_back(ws: Workspace) -> None:
    with pytest.raises(DefinitionError, match="no segment is tracked"):
        ws.refresh(as_of=day(1))
    ws.track([US])
    ws.refresh(as_of=day(10))
    with pytest.raises(DataError, match="2025-01-11 00:00:00 UTC, which is later than"):
        ws.refresh(as_of=day(9))
    with pytest.raises(DefinitionError, match="yet to come"):
        ws.refresh(as_of=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    with pytest.raises(DefinitionError, match="unknown tracked segment 'UD'"):
        ws.untrack("UD")
    with pytest.raises(DefinitionError, match="unknown tracked segment 'UD'"):
        ws.tracked_spells(["UD"])


# ---------------------------------------------------------------- in the warehouse


def test_a_refresh_makes_no_table_and_no_contact_leaves(ws: Workspace, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.track([US, READERS])
    ws.refresh(as_of=day(2))
    run: list[str] = []
    fetched: list[int] = []
    transacting, frame = DuckDB.transacting, DuckDB.frame

    def told(engine: DuckDB, work: Any) -> Any:
        def noted(own: Any, sql: str) -> Any:
            run.append(sql)
            rows = own(sql)
            fetched.append(len(rows))
            return rows

        return transacting(engine, lambda own: work(lambda sql: noted(own, sql)))

    monkeypatch.setattr(DuckDB, "transacting", told)
    monkeypatch.setattr(DuckDB, "frame", lambda self, sql: (own := frame(self, sql), fetched.append(len(own)))[0])
    assert ws.refresh(as_of=day(12))["entries"].sum() > 2
    assert max(fetched) == 2
    assert {sql.split()[0] for sql in run} == {"SELECT", "INSERT", "UPDATE"}
    tables = data.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert [own for (own,) in tables if own.startswith("segkit_")] == [
        "segkit_history",
        "segkit_membership",
        "segkit_refreshes",
        "segkit_tracked",
        "segkit_versions",
    ]


def test_an_analyst_reads_the_tables(ws: Workspace, data: Any) -> None:
    ws.track([US, READERS])
    for n in (2, 6, 12):
        ws.refresh(as_of=day(n))
    inside = data.execute(
        "SELECT contact_id FROM segkit_membership WHERE segment = 'Readers' AND entered_at <= TIMESTAMPTZ '2025-01-07 12:00:00+00' "
        "AND (exited_at IS NULL OR exited_at > TIMESTAMPTZ '2025-01-07 12:00:00+00') ORDER BY 1"
    ).fetchall()
    assert [key for (key,) in inside] == ws.members(READERS, as_of=day(6))["contact_id"].tolist()


DAMAGE = [
    (
        "DELETE FROM segkit_membership WHERE contact_id = 3 AND segment = 'US'",
        "-1 spells begin at 2025-01-02 00:00:00 UTC in 'US'",
    ),
    ("INSERT INTO segkit_membership SELECT segment, version, 77, entered_at, NULL FROM segkit_membership LIMIT 1", r"\+1 spells"),
    ("UPDATE segkit_membership SET exited_at = NULL WHERE exited_at IS NOT NULL AND version = 1", "-[0-9]+ spells end at"),
    ("UPDATE segkit_refreshes SET size = size + 1 WHERE segment = 'US'", "14 are inside, the last one saw 15"),
    ("DELETE FROM segkit_refreshes WHERE as_of = (SELECT MAX(as_of) FROM segkit_refreshes)", r"\+[0-9]+ spells begin"),
    ("UPDATE segkit_membership SET entered_at = entered_at + INTERVAL 1 HOUR WHERE contact_id = 3", "-1 spells begin at"),
    ("DELETE FROM segkit_history", "nothing says which format"),
]


@pytest.mark.parametrize(("change", "told"), DAMAGE)
def test_what_does_not_add_up_is_told(ws: Workspace, data: Any, change: str, told: str) -> None:
    ws.track([US, READERS])
    for n in (1, 6, 12):
        ws.refresh(as_of=day(n))
    data.execute(change)
    asks: list[Callable[[], Any]] = [lambda: ws.refresh(as_of=day(13)), lambda: ws.refresh(as_of=day(13), dry_run=True)]
    for ask in (*asks, ws.tracked_sizes, ws.tracked_moves, ws.tracked_spells):
        with pytest.raises(DataError, match=f"the tracked history in main is damaged: .*{told}") as raised:
            ask()
        assert "segkit_*" in raised.value.fix


def test_a_refresh_that_is_stopped_keeps_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.track([US, READERS])
    ws.refresh(as_of=day(6))
    before = (ws.tracked_sizes(), ws.tracked_spells())

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(refreshing.tracked, "begin_spells", stop)
        with pytest.raises(KeyboardInterrupt):
            ws.refresh(as_of=day(12))
    for now, then in zip((ws.tracked_sizes(), ws.tracked_spells()), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
    assert ws.refresh(as_of=day(12))["outcome"].tolist() == ["refreshed"] * 2


# ---------------------------------------------------------------- where it can be kept


def test_tables_that_are_not_there_are_told(data: Any) -> None:
    ws = connect(data, home=None, history="main")
    for ask in (lambda: ws.track([US]), lambda: ws.untrack("US"), ws.refresh, lambda: ws.tracked, ws.tracked_sizes):
        with pytest.raises(EngineError, match=r"(?s)segkit_history.*\n  fix: make its tables: ws.history_tables\(execute=True\)"):
            ask()
    assert "segkit_history" in ws.history_tables()
    with pytest.raises(EngineError):
        ws.tracked_sizes()
    ws.history_tables(execute=True)
    ws.history_tables(execute=True)
    assert ws.tracked == ()
    data.execute("UPDATE segkit_history SET format = 2")
    with pytest.raises(SegkitError, match=r"version 2, this segkit reads version 1\n  fix: use a later segkit"):
        ws.tracked_sizes()


def test_where_no_history_can_be_kept(data: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"not in datafusion\n  fix: leave history= out: it is kept in the home"):
        connect(ENGINES["datafusion"].loaded({"contacts": Rows({"contact_id": Kind.INTEGER}, [])}), history="public")
    with pytest.raises(DefinitionError, match="is no schema"):
        connect(data, history="a.b.c")
    with pytest.raises(DefinitionError, match="kept in the home"):
        connect(data, home=tmp_path).history_tables()
    with pytest.raises(DataError, match="of the kind float"):
        connect({"contacts": pd.DataFrame({"contact_id": [1.5]})}, history="main")


def test_a_transaction_of_the_callers_is_not_ended() -> None:
    connection = postgres_server.session()
    connection.execute("CREATE TABLE contacts (contact_id BIGINT, country TEXT)")
    schema = connection.execute("SELECT current_schema()").fetchone()[0]
    connection.commit()
    ws = connect(connection, home=None, history=schema)
    ws.history_tables(execute=True)
    connection.execute("INSERT INTO contacts VALUES (1, 'USA')")
    for ask in (lambda: ws.track([US]), lambda: ws.history_tables(execute=True)):
        with pytest.raises(EngineError, match="a transaction is open"):
            ask()
    connection.rollback()
    ws.track([US])
    assert ws.refresh(as_of=day(1))["size"].tolist() == [0]
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_is_opened_to_be_written_to_where_it_keeps_the_history(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"crm.{kind}"
    made: Any = duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path)
    made.execute("CREATE TABLE contacts (contact_id BIGINT, country TEXT)")
    made.execute("INSERT INTO contacts VALUES (1, 'USA'), (2, 'Italy')")
    made.commit()
    made.close()
    with connect(path, home=None, history="main") as ws:
        ws.history_tables(execute=True)
        ws.track([US])
        assert ws.refresh(as_of=day(1))["size"].tolist() == [1]
        ws.engine.transacting(lambda run: run("SELECT 1"))  # type: ignore[attr-defined]
        if kind == "sqlite":
            with pytest.raises(EngineError, match="not authorized"):
                ws.engine.frame("DELETE FROM contacts RETURNING 1")
    with connect(path, home=None) as ws, pytest.raises(EngineError):
        _written_to(ws.engine)
    with connect(path, home=None, history="main") as ws:
        assert ws.tracked_spells()["contact_id"].tolist() == [1]


def _written_to(engine: Engine) -> None:
    engine.transacting(lambda run: run("DELETE FROM contacts"))  # type: ignore[attr-defined]


def test_in_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "us.yml").write_text('name: US\nwhere: country = "USA"')
    with sqlite3.connect(tmp_path / "crm.db") as made:
        made.execute("CREATE TABLE contacts (contact_id BIGINT, country TEXT)")
        made.execute("INSERT INTO contacts VALUES (1, 'USA'), (2, 'Italy')")

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["refresh", "--source", "crm.db", *words])

    assert "ws.history_tables(execute=True)" in run("--history", "main", "us.yml").stderr
    assert "CREATE TABLE" in run("--history", "main", "--create-tables").stdout
    (tmp_path / "segkit.toml").write_text('history = "main"')
    told = run("us.yml", "--as-of", "2025-11-01", "--json")
    assert told.exit_code == 0, told.stderr
    assert [(row["segment"], row["outcome"]) for row in json.loads(told.stdout)["rows"]] == [("US", "first")]
    assert not (tmp_path / ".segkit" / "tracking").exists()
    with sqlite3.connect(tmp_path / "crm.db") as made:
        assert made.execute("SELECT contact_id FROM segkit_membership").fetchall() == [(1,)]


# ---------------------------------------------------------------- faults


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_is_lost_and_nothing_is_doubled() -> None:
    ENGINES["postgres"].require()
    counts = MANY if os.environ.get("SEGKIT_FAULTS") == "full" else FEW
    words = [str(word) for pair in counts.items() for word in pair]
    script = Path(__file__).with_name("warehouse_faults.py")
    done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {kind: own for line in done.stdout.splitlines() for kind, own in json.loads(line).items()}
    assert list(found) == list(counts), done.stderr
    bad = ("lost", "partial", "duplicated", "errors", "wrong in the end")
    assert {kind: {name: own[name] for name in bad if own.get(name)} for kind, own in found.items()} == {
        kind: {} for kind in counts
    }, done.stderr
    assert found["kills"].get("kept", 0) + found["kills"].get("not kept", 0) == counts["kills"]
    for kind in ("pairs", "sqlite"):
        assert found[kind].get("already there and refreshed", 0) == counts[kind], found[kind]


def test_a_reader_sees_whole_refreshes(tmp_path: Path) -> None:
    """What a reader sees while a refresh is being written is what stood there before."""
    path = tmp_path / "crm.db"
    mine = sqlite3.connect(path)
    mine.execute("PRAGMA journal_mode = WAL")
    mine.execute("CREATE TABLE contacts (contact_id INTEGER PRIMARY KEY, country TEXT)")
    mine.executemany("INSERT INTO contacts VALUES (?, 'USA')", [(i,) for i in range(5)])
    mine.commit()
    ws = connect(mine, home=None, history="main")
    ws.history_tables(execute=True)
    ws.track([US])
    ws.refresh(as_of=day(3))
    reader = connect(sqlite3.connect(path), home=None, history="main")
    seen: list[int] = []
    write = refreshing._write

    def slow(*given: Any) -> None:
        write(*given)
        seen.append(len(reader.tracked_sizes()))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(refreshing, "_write", slow)
        ws.refresh(as_of=day(4))
    assert seen == [1]
    assert len(reader.tracked_sizes()) == 2


def test_members_are_found_by_an_index() -> None:
    """SQLite would look through all of them for each spell that is open."""
    mine = sqlite3.connect(":memory:")
    mine.execute("CREATE TABLE contacts (contact_id INTEGER PRIMARY KEY, country TEXT)")
    mine.execute("INSERT INTO contacts VALUES (1, 'USA')")
    mine.commit()
    ws = connect(mine, home=None, history="main")
    ws.history_tables(execute=True)
    ws.track([US])
    plans: list[str] = []
    write = refreshing._write

    def explained(place: Any, ask: Any, asked: Any, *rest: Any) -> None:
        command = refreshing.tracked.end_spells(place.tables, next(iter(asked.places)), day(4), ["US"], [])
        told = mine.execute(f"EXPLAIN QUERY PLAN {render(command, 'sqlite+')}").fetchall()
        plans.extend(str(row[-1]) for row in told)
        write(place, ask, asked, *rest)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(refreshing, "_write", explained)
        ws.refresh(as_of=day(4))
    assert any("SEARCH here USING" in plan for plan in plans), plans


def test_keys_that_went_missing_or_double_fail_the_segments_they_are_in(ws: Workspace, data: Any) -> None:
    ws.track([US, Segment("Italy", F.country == "Italy")])
    ws.refresh(as_of=day(1))
    data.execute("INSERT INTO contacts VALUES (1, 'Italy')")
    assert ws.refresh(as_of=day(2))["outcome"].tolist() == ["refreshed", "failed"]
    data.execute("INSERT INTO contacts VALUES (NULL, 'USA')")
    frame = ws.refresh(as_of=day(3))
    assert frame["outcome"].tolist() == ["failed", "failed"]
    assert frame["error"].str.contains("missing or stand on more than one row").all()
    data.execute("DELETE FROM contacts WHERE contact_id IS NULL")
    assert ws.refresh(as_of=day(4))["outcome"].tolist() == ["refreshed", "failed"]
    assert len(ws.tracked_spells()) == 40


def test_a_bare_condition_of_events_is_tracked_too(ws: Workspace) -> None:
    ws.track([Segment("Opened", E.opened.any())])
    assert ws.refresh(as_of=day(12))["size"].tolist() == [ws.size(E.opened.any(), as_of=day(12))]
