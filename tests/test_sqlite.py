"""SQLite, executed: the same members as the evaluator and DuckDB, and what is its own about files, times and limits."""

from __future__ import annotations

import calendar
import datetime as dt
import os
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cases_runner
import duckdb
import pandas as pd
import pytest
from cases_runner import all_cases, on_shown_sqlite, on_sqlite
from hypothesis import given
from sqlglot import exp
from sqlite_world import ThreeWays, in_binary
from strategies import World, definitions, moments
from test_bad_input import VALUES
from test_cases import EXCLUDED
from test_faults import passes
from test_laws import ZONES, examples

import segkit
from segkit import (
    NOW,
    TODAY,
    DialectError,
    E,
    EngineError,
    F,
    SegkitWarning,
    Segment,
    all_of,
    any_of,
    connect,
    days,
    in_list,
    months,
    templates,
)
from segkit.builder import Predicate
from segkit.bundled import folder
from segkit.compile import sql
from segkit.engines import sqlite
from segkit.rendering import parts, render, table, times
from segkit.rendering.forms import call, cut
from segkit.rendering.row import Row

# ---------------------------------------------------------------- the same members


@cache
def world(zone: str) -> ThreeWays:
    return ThreeWays(World(ZONES[zone], zone))


@pytest.mark.parametrize("zone", ZONES)
def test_the_evaluator_duckdb_and_sqlite_agree(zone: str) -> None:
    seen: list[int] = []

    @examples(200, 0.5)
    @given(definitions().map(in_binary), moments())
    def agree(where: Predicate, at: dt.datetime) -> None:
        members = world(zone).members(where, at, "sqlite")
        assert members == world(zone).expected(where, at), where
        assert members == world(zone).members(where, at, "duckdb"), where
        seen.append(len(members))

    agree()
    everyone = len(world(zone).rows["contacts"])
    assert sum(0 < size < everyone for size in seen) > len(seen) / 3


def test_shown_sql_has_the_same_members_or_is_refused() -> None:
    refused: Counter[str] = Counter()
    right = 0
    for case in all_cases():
        if "error" in case.case or (on_sqlite, case.case.get("where")) in EXCLUDED:
            continue
        try:
            assert on_shown_sqlite(case) == case.case["members"], f"{case.id}: {case.case.get('where')}"
            right += 1
        except DialectError as refusal:
            refused[refusal.what] += 1
    assert set(refused) == {
        "sqlite: SQLite has no regular expressions in plain SQL",
        "sqlite: SQLite has no MD5 in plain SQL",
        "sqlite: SQLite knows no time zones, only UTC works",
    }
    assert right > 8 * refused.total()


@pytest.fixture(scope="module")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample data in a SQLite file, its times as text."""
    path = tmp_path_factory.mktemp("sqlite") / "sample.anything"
    source, target = duckdb.connect(":memory:"), sqlite3.connect(path)
    for file in sorted(folder().glob("*.parquet")):
        relation = source.read_parquet(str(file))
        columns = list(zip(relation.columns, map(str, relation.types), strict=True))
        target.execute(f"CREATE TABLE {file.stem} ({', '.join(f'{name} {kind}' for name, kind in columns)})")
        as_text = [f"CAST({name} AS VARCHAR)" if kind.startswith(("DATE", "TIME")) else name for name, kind in columns]
        as_real = [
            f"CAST({text} AS DOUBLE)" if kind.startswith("DECIMAL") else text
            for text, (_, kind) in zip(as_text, columns, strict=True)
        ]
        rows = relation.project(", ".join(as_real)).fetchall()
        target.executemany(f"INSERT INTO {file.stem} VALUES ({', '.join('?' * len(columns))})", rows)
    target.commit()
    target.close()
    return path


def test_the_templates_have_the_same_sizes_on_the_sample_data(sample_file: Path) -> None:
    with connect(sample_file, catalog=folder() / "catalog.yml") as ws:
        assert ws.engine.dialect == "sqlite"
        sizes = ws.sizes(templates.documented())["size"].tolist()
    assert sizes == connect().sizes(templates.documented())["size"].tolist()
    assert len(sizes) == 22
    assert sum(size > 0 for size in sizes) > 15


# ---------------------------------------------------------------- seeded faults

CASES = {case.id: case for case in all_cases()}


@dataclass(frozen=True)
class Fault:
    """A row of the dialect table written wrongly, and the cases that must fail under it."""

    marker: str
    write: Callable[..., Any]
    cases: tuple[str, ...]


def _without_fraction(moment: Any, minutes: Any) -> Any:
    return call("DATETIME", moment, sql.string(f"{minutes.sql()} minutes"))


def _late_quarter(at: Any) -> Any:
    return exp.Div(this=parts._sqlite_part(6, 2)(at), expression=sql.number(3), typed=True)


def _glob(text: Any, pattern: Any) -> Any:
    return exp.Glob(this=text, expression=sql.string(f"{pattern.this}*"))


def _eight_days(days: Any) -> Any:
    return exp.Div(this=days, expression=sql.number(8), typed=True)


FAULTS = {
    "timestamps are compared as they are written": Fault("AS_TIMESTAMP", lambda x: x, ("api_form[25]", "windows_timestamp[4]")),
    "offsets are ignored": Fault("AS_INSTANT", times._sqlite_timestamp, ("windows_timestamp[1]",)),
    "literals keep their length": Fault("TIMESTAMP", lambda s: s, ("api_form[25]",)),
    "a local date is its month": Fault("DATE_OF", lambda x: cut(x, 1, 7), ("dates[47]", "zone_new_york_events[0]")),
    "fractions are lost": Fault("TIME_PLUS_MINUTES", _without_fraction, ("sequences[0]",)),
    "weeks are those of the year": Fault("PART_WEEK", parts._strftime("%W"), ("anniversaries_and_parts[35]",)),
    "quarters begin late": Fault("PART_QUARTER", _late_quarter, ("anniversaries_and_parts[29]",)),
    "zones are ignored": Fault("ON_WALL", lambda moment, *_: moment, ("zone_new_york_events[0]",)),
    "a pattern is a beginning": Fault("MATCHES", _glob, ("text[30]",)),
    "a week has eight days": Fault("WEEKS", _eight_days, ("zone_new_york_events[3]",)),
}


@pytest.fixture
def _fresh() -> Iterator[None]:
    cases_runner._workspace.cache_clear()
    yield
    cases_runner._workspace.cache_clear()


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize("name", FAULTS)
def test_the_named_cases_catch_the_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    assert all(passes(CASES[case], on_sqlite) for case in fault.cases)
    row = Row(fault.marker, "sqlite+", "a fault", fault.write)
    monkeypatch.setitem(table.TABLE, (f"SEGKIT_{fault.marker}", "sqlite+"), row)
    assert [case for case in fault.cases if passes(CASES[case], on_sqlite)] == [], "not caught"


# ---------------------------------------------------------------- reckoning with times that are text

EVERY_DAY = [dt.date(1895, 1, 1) + dt.timedelta(days=7 * n + n % 7) for n in range(9000)] + [
    dt.date(year, month, day)
    for year in (2023, 2024)
    for month in (1, 2, 3, 12)
    for day in range(27, 32)
    if (month, day) < (2, 29) or month > 2
]


def reckoned(marker: str, values: list[str], *arguments: int) -> list[Any]:
    """What SQLite makes of each value under a marker of the dialect table."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE v (n INTEGER, x TEXT)")
    connection.executemany("INSERT INTO v VALUES (?, ?)", enumerate(values))
    written = sql.marker(marker, sql.column("x", "v"), *map(sql.number, arguments))
    query = exp.Select(expressions=[sql.aliased(written, "y")]).from_(sql.table("v")).order_by(sql.column("n", "v"))
    return sqlite.of_connection(connection).frame(render(query, "sqlite"))["y"].tolist()


@pytest.mark.parametrize("number", [1, -1, 11, 12, -25])
def test_months_clip_to_their_end(number: int) -> None:
    def moved(day: dt.date) -> dt.date:
        year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
        return next(dt.date(year, month + 1, d) for d in range(day.day, 0, -1) if d <= calendar.monthrange(year, month + 1)[1])

    assert reckoned("DATE_PLUS_MONTHS", [day.isoformat() for day in EVERY_DAY], number) == [
        moved(d).isoformat() for d in EVERY_DAY
    ]
    times = [f"{day.isoformat()} 23:59:59.999999" for day in EVERY_DAY]
    assert reckoned("TIME_PLUS_MONTHS", times, number) == [f"{moved(d).isoformat()} 23:59:59.999999" for d in EVERY_DAY]


@pytest.mark.parametrize("number", [1, -1, 1440, 43_200, -43_201])
def test_minutes_keep_the_fraction_of_the_second(number: int) -> None:
    times = [dt.datetime.combine(day, dt.time(day.day % 24, 59, 59, 999_999 - 111 * day.month)) for day in EVERY_DAY]
    moved = [(time + dt.timedelta(minutes=number)).isoformat(" ", "microseconds") for time in times]
    assert reckoned("TIME_PLUS_MINUTES", [time.isoformat(" ", "microseconds") for time in times], number) == moved


@pytest.mark.parametrize("ending", ["", " 23:59:59.999999"])
def test_parts_of_a_date(ending: str) -> None:
    texts = [day.isoformat() + ending for day in EVERY_DAY]
    assert reckoned("PART_WEEK", texts) == [day.isocalendar().week for day in EVERY_DAY]
    assert reckoned("PART_WEEKDAY", texts) == [day.isoweekday() for day in EVERY_DAY]
    assert reckoned("PART_QUARTER", texts) == [(day.month + 2) // 3 for day in EVERY_DAY]
    assert reckoned("PART_YEAR", texts) == [day.year for day in EVERY_DAY]
    assert reckoned("PART_DAY", texts) == [day.day for day in EVERY_DAY]
    if ending:
        assert reckoned("DATE_OF", texts) == [day.isoformat() for day in EVERY_DAY]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-06-30", "2025-06-30 00:00:00.000000"),
        ("2025-06-30T12:00", "2025-06-30 12:00:00.000000"),
        ("2025-06-30 12:00:00", "2025-06-30 12:00:00.000000"),
        ("2025-06-30T12:00:00.5", "2025-06-30 12:00:00.500000"),
        ("2025-06-30 12:00:00.123456789", "2025-06-30 12:00:00.123456"),
    ],
)
def test_a_timestamp_is_read_in_one_length(written: str, read: str) -> None:
    assert reckoned("AS_TIMESTAMP", [written, read]) == [read, read]
    assert reckoned("AS_INSTANT", [written, read]) == [read, read]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-06-30T12:00:00Z", "2025-06-30 12:00:00.000000"),
        ("2025-06-30 12:00:00+02:00", "2025-06-30 10:00:00.000000"),
        ("2025-12-31T23:30:00.999999-05:30", "2026-01-01 05:00:00.999999"),
        ("1969-12-31 23:59:59.000001+00:00", "1969-12-31 23:59:59.000001"),
    ],
)
def test_an_instant_is_read_in_utc(written: str, read: str) -> None:
    assert reckoned("AS_INSTANT", [written]) == [read]


# ---------------------------------------------------------------- sources


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my crm?#.duckdb"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE contacts (
            contact_id INTEGER PRIMARY KEY, country TEXT, code TEXT COLLATE NOCASE, signup, seen DATETIME, zoned TEXT, note TEXT,
            vip BOOLEAN, price DECIMAL(10, 2), big BIGINT, due DATE, epoch DATETIME, props JSON, "odd ""name" REAL
        );
        CREATE TABLE events (event_id INTEGER, contact_id INTEGER, event TEXT COLLATE NOCASE, occurred_at TEXT, amount NUMERIC);
        CREATE VIEW list_members AS SELECT 'VIP' AS list_name, contact_id FROM contacts WHERE vip;
        CREATE VIEW broken AS SELECT gone FROM nowhere;
        INSERT INTO contacts VALUES
            (1, 'USA', 'a', '2025-01-31', '2025-06-30', '2025-06-30T12:00:00Z', 'x', 1, 5, 1152921504606846977, '2025-07-01', 1, '{"a": 1}', 1.5),
            (2, 'usa', 'A', '2025-02-28', '2025-06-30 12:00:00.5', '2025-06-30T14:00:01+02:00', '2025-06-30', 0, 0.5, NULL, NULL, 2, NULL, NULL),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO events VALUES (1, 1, 'opened', '2025-06-01T10:00:00', 5), (2, 2, 'Opened', '2025-06-02 10:00', 2.5);
        """
    )
    connection.close()
    return path


def check(ws: segkit.Workspace) -> None:
    def members(where: Predicate) -> list[int]:
        return ws.members(where)["contact_id"].tolist()

    assert members(F.country == "USA") == [1]
    assert members(F.country.contains("U", ignore_case=True)) == [1, 2]
    assert members(F.country.matches("^u")) == [2]
    assert members(F.code == "A") == [2]
    assert members(F.code.is_in(["a"])) == [1]
    assert members(F.vip == True) == [1]  # noqa: E712
    assert members(~(F.vip == True)) == [2, 3]  # noqa: E712
    assert members(F.seen >= dt.date(2025, 6, 30)) == [1, 2]
    assert members(F.seen > NOW) == [2]
    assert members(F.zoned > NOW) == [2]
    assert members(F.signup + months(1) == "2025-02-28") == [1]
    assert members(TODAY - F.signup > 122) == [1]
    assert members(E.opened.any()) == [1]
    assert members(E.Opened.within(days=30).sum("amount") > 2) == [2]
    assert members(in_list("VIP")) == [1]
    assert members(F['odd "name'] > 1) == [1]


def test_a_file_a_url_and_a_connection(file: Path) -> None:
    for source in (file, str(file), f"sqlite:///{file}"):
        with connect(source, as_of="2025-06-30T12:00:00Z") as ws:
            check(ws)
    connection = sqlite3.connect(file)
    check(connect(connection, as_of="2025-06-30T12:00:00Z"))
    connection.execute("SELECT 1")


def test_kinds_come_from_declared_types_and_from_values(file: Path) -> None:
    fields = {name: str(column.kind) for name, column in connect(file).catalog.contacts.fields.items()}
    assert fields == {
        "contact_id": "integer", "country": "text", "code": "text", "signup": "date", "seen": "timestamp", "zoned": "timestamptz",
        "note": "text", "vip": "boolean", "price": "decimal", "big": "integer", "due": "date", "epoch": "integer", "props": "json",
        'odd "name': "float",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "values", "kind"),
    [
        ("", [], "unknown"), ("", [1, 2], "integer"), ("", [1, 2.5], "float"), ("INTEGER", [1, 2.5], "float"),
        ("BOOLEAN", [0, 1, None], "boolean"), ("BOOLEAN", [0, 2], "integer"), ("tinyint(1)", [], "integer"),
        ("VARCHAR(20)", ["2025-01-01"], "date"), ("TEXT", ["2025-01-01", "2025-01-01 10:00"], "timestamp"),
        ("TEXT", ["2025-01-01", "soon"], "text"), ("DATE", ["2025-01-01 00:00:00"], "timestamp"), ("DATETIME", ["2025-01-01"], "timestamp"),
        ("timestamp with time zone", [None], "timestamptz"), ("TIMESTAMP", ["2025-01-01T10:00:00+01:00"], "timestamptz"),
        ("DATE", ["01/02/2025"], "text"), ("DOUBLE PRECISION", [], "float"), ("NUMERIC", [5], "decimal"), ("BLOB", [b"x"], "unknown"),
        ("JSON", ["2025-01-01"], "json"), ("", ["a", 1], "unknown"),
    ],
)  # fmt: skip
def test_the_kind_of_a_column(declared: str, values: list[Any], kind: str) -> None:
    assert sqlite._kind(declared, values) == kind


def test_frames_hold_what_the_tables_hold(file: Path) -> None:
    frame = connect(file).members(segkit.everyone(), ["big", "price", "vip", "seen"])
    assert frame["contact_id"].dtype == "int64"
    assert frame["big"].tolist() == [1152921504606846977, pd.NA, pd.NA]
    assert frame["price"].dtype == "float64"
    assert frame["seen"].tolist()[:2] == ["2025-06-30", "2025-06-30 12:00:00.5"]


def test_shown_sql_is_plain(file: Path) -> None:
    ws = connect(file)
    assert sqlite3.connect(file).execute(ws.sql(F.seen.within(days=30), as_of="2025-07-01")).fetchall() == [(1,), (2,)]
    for where in (F.country.matches("x"), segkit.sample(percent=50)):
        assert ws.size(where) >= 0
        with pytest.raises(DialectError, match="sqlite: "):
            ws.sql(where)
    with pytest.raises(DialectError, match="only UTC"):
        connect(file, timezone="Europe/Rome").sql(F.seen.month() == 6)


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'other.db' AS other", "PRAGMA writable_schema = ON", "DELETE FROM contacts", "CREATE TABLE t (a)", "DROP VIEW broken",
        "CREATE TEMP TABLE t (a)", "SELECT load_extension('x')", "PRAGMA journal_mode = DELETE", "VACUUM INTO 'copy.db'",
    ],
)  # fmt: skip
def test_a_file_is_only_read(file: Path, statement: str, tmp_path: Path) -> None:
    before = file.read_bytes()
    with connect(file) as ws, pytest.raises(EngineError):
        ws.engine.frame(statement)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_frozen_lists_and_journeys(file: Path, tmp_path: Path) -> None:
    with connect(file, as_of="2025-06-30T12:00:00Z", home=tmp_path / "home") as ws:
        ws.freeze(E.Opened.any() | E.opened.any(), "Readers")
        assert ws.members(in_list("Readers") & in_list("VIP"))["contact_id"].tolist() == [1]
        journey = segkit.Journey([Segment("All", segkit.everyone()), Segment("Readers", in_list("Readers"))])
        assert ws.journey(journey)["size"].tolist()[:2] == [1, 2]


def test_rows_kept_beside_a_file(file: Path) -> None:
    engine = sqlite.of_file(file)
    for keys in ([1, 2], [3]):
        name = engine.keep("segkit_list", pd.DataFrame({"key": keys, "at": pd.Timestamp("2025-01-01")}))
        assert engine.frame(f"SELECT * FROM {name}").values.tolist() == [[key, "2025-01-01 00:00:00"] for key in keys]
    with pytest.raises(EngineError, match="not authorized"):
        engine.frame("DELETE FROM temp.segkit_list")


def test_rows_kept_on_a_connection_leave_its_transaction_open(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DELETE FROM contacts")
    sqlite.of_connection(connection).keep("segkit_list", pd.DataFrame({"key": [1]}))
    assert connection.in_transaction
    connection.rollback()
    assert connection.execute("SELECT COUNT(*) FROM contacts").fetchone() == (3,)


@pytest.mark.parametrize(
    ("source", "message"),
    [("sqlite://", "names no file"), ("sqlite:///", "names no file"), ("sqlite:///nowhere.db", "no file 'nowhere.db'")],
)
def test_what_is_no_source(source: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        connect(source)


def test_a_file_of_another_kind_is_no_sqlite_database(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    path.write_text("contact_id\n1\n")
    with pytest.raises(EngineError, match="no SQLite database"):
        connect(f"sqlite:///{path}")


def test_a_damaged_file_says_so(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(EngineError, match="SQLite refused"):
        connect(file)


def test_a_closed_workspace_and_a_foreign_thread(file: Path) -> None:
    ws = connect(file)
    ws.close()
    with pytest.raises(EngineError, match="closed"):
        ws.size(F.vip == True)  # noqa: E712
    ws, failure = connect(sqlite3.connect(file)), []

    def ask() -> None:
        try:
            ws.size(F.price > 1)
        except EngineError as error:
            failure.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert "thread" in str(failure[0])


def test_texts_that_python_cannot_read_are_told() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("CREATE TABLE contacts (contact_id INTEGER); CREATE TABLE bad (contact_id INTEGER, a TEXT)")
        connection.execute("INSERT INTO bad VALUES (1, CAST(x'ff41' AS TEXT))")
        with pytest.warns(SegkitWarning, match="left out the table 'bad': Could not decode"):
            assert connect(connection, home=None).size(segkit.everyone()) == 0
        connection.text_factory = bytes
        with pytest.raises(EngineError, match="text_factory = str"):
            connect(connection, home=None)


ENDLESS = ("a*a*a*a*b", "(a+)+!", "(a|aa)+!")


@pytest.mark.skipif(os.name != "posix", reason="an alarm is a signal of POSIX")
@pytest.mark.parametrize("source", ["file", "connection"])
def test_an_interrupt_ends_a_pattern_that_goes_on_without_end(tmp_path: Path, source: str) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        connection.execute("CREATE TABLE contacts (contact_id INTEGER, name TEXT)")
        connection.execute("INSERT INTO contacts VALUES (1, ?)", ["a" * 4_000])
        connection.commit()
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            with connect(tmp_path / "crm.db" if source == "file" else connection, home=None) as ws:
                assert ws.size(F.name.matches("^a+$")) == 1
                for pattern in ENDLESS:
                    signal.setitimer(signal.ITIMER_REAL, 0.3, 2)  # again, where the first comes to something that ignores it
                    with pytest.raises(KeyboardInterrupt):
                        ws.size(F.name.matches(pattern))
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    assert ws.size(F.name.matches("^a+$")) == 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("source", ["file", "connection"])
def test_an_interrupt_cancels_and_leaves_the_workspace_usable(file: Path, source: str) -> None:
    ws = connect(file if source == "file" else sqlite3.connect(file))
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    endless = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT MAX(i) FROM r"
    with pytest.raises(KeyboardInterrupt):
        ws.engine.frame(endless)
    timer.join()
    assert ws.size(F.price > 1) == 1


# ---------------------------------------------------------------- limits


@pytest.fixture(scope="module")
def many() -> segkit.Workspace:
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE contacts (contact_id INTEGER, seen TIMESTAMP, due DATE); CREATE TABLE list_members (list_name TEXT, contact_id INTEGER)"
    )
    connection.executemany("INSERT INTO contacts VALUES (?, '2025-01-01', '2025-01-31')", [(n,) for n in range(1000)])
    connection.executemany("INSERT INTO list_members VALUES (?, ?)", [(f"list {n % 100}", n) for n in range(1000)])
    return connect(connection, as_of="2025-06-30")


def test_many_conditions_and_long_lists(many: segkit.Workspace) -> None:
    assert many.size(any_of(*(F.contact_id == n for n in range(10_000)))) == 1000
    assert many.size(all_of(*(~(F.contact_id == n) for n in range(5, 10_000)))) == 5
    assert many.size(F.contact_id.is_in(range(500, 100_500))) == 500


def test_counts_too_large_for_one_query_are_split(many: segkit.Workspace) -> None:
    wheres = [F.contact_id > n for n in range(2500)]
    assert many.sizes(wheres)["size"].tolist() == [max(999 - n, 0) for n in range(2500)]
    assert many.sizes([in_list(f"list {n}") for n in range(100)])["size"].tolist() == [10] * 100


def test_what_is_too_large_says_what_to_do(many: segkit.Workspace) -> None:
    with pytest.raises(EngineError, match="freeze a part"):
        many.size(any_of(*(in_list(f"list {n}") for n in range(70))))


def test_a_time_moved_again_and_again_is_refused_before_it_fills_the_memory(many: segkit.Workspace) -> None:
    moved: Any = F.seen
    for _ in range(3):
        moved = moved + days(1) + months(1)
    assert many.size(moved > NOW) == 0
    for _ in range(17):
        moved = moved + days(1)
    with pytest.raises(DialectError, match="written twice"):
        Segment("x", moved > NOW).sql("sqlite")
    with pytest.raises(DialectError, match="written twice"):
        many.size(moved > NOW)


# ---------------------------------------------------------------- hostile values


@pytest.mark.parametrize("search", ["__eq__", "contains", "startswith", "endswith"])
def test_hostile_values_find_exactly_what_python_finds(search: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE contacts (contact_id INTEGER, name VARCHAR)")
    connection.executemany("INSERT INTO contacts VALUES (?, ?)", enumerate(VALUES))
    ws = connect(connection)
    for text in VALUES:
        where = getattr(F.name, search)(text)
        expected = [
            i for i, value in enumerate(VALUES) if getattr(value, search.replace("contains", "__contains__"))(text) is True
        ]
        assert ws.members(where)["contact_id"].tolist() == expected, text
        assert [key for (key,) in connection.execute(ws.sql(where)).fetchall()] == expected, text
