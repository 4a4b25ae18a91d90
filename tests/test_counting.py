"""The size of every part of a definition, after each of many edits, beside a fresh computation of each part."""

from __future__ import annotations

import datetime as dt
import functools
import operator
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from engine_world import asked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_world import ThreeWays, in_binary
from strategies import MOMENTS, SEGMENTS, World, definitions

from segkit import E, F, Workspace, connect, counting, everyone, in_list, in_segment, metrics, nodes, raw_sql, sample
from segkit.builder import Predicate
from segkit.counting import Counted, Counting
from segkit.engines import Engine, KeepsAnswers, duck, sqlite
from segkit.engines.limits import Limits
from segkit.errors import DefinitionError, EngineError
from segkit.plan import Moment, moment, plan
from segkit.segment import by_name

ZONES = {"UTC": 11, "Europe/Rome": 12}
ENGINES = ("duckdb", "sqlite")
Parts = dict[str, nodes.Predicate]


def definition(where: Predicate | nodes.Predicate) -> nodes.Definition:
    return nodes.Definition(None, where.node if isinstance(where, Predicate) else where)


def parts(node: nodes.Predicate, path: str = "where") -> Iterator[tuple[str, nodes.Predicate]]:
    """Every predicate of a definition by its path, written apart from what is tested."""
    yield path, node
    match node:
        case nodes.And(items) | nodes.Or(items):
            for i, item in enumerate(items):
                yield from parts(item, f"{path}.items[{i}]")
        case nodes.Not(item):
            yield from parts(item, f"{path}.item")


def fresh(ws: Workspace, where: Predicate, at: Moment, segments: Any = None) -> dict[str, int]:
    """The size of each part, computed anew from its own plan."""
    own = dict(parts(where.node))
    plans = [plan(definition(node), ws._checked(), at, segments or {}) for node in own.values()]
    return dict(zip(own, metrics.sizes(ws.engine, plans)["size"].tolist(), strict=True))


# ---------------------------------------------------------------- the numbers, whatever was edited


def edited(node: Any, others: list[Any], rng: random.Random) -> Any:
    """The definition after an edit somewhere in it."""
    if isinstance(node, nodes.And | nodes.Or) and rng.random() < 0.7:
        items = list(node.items)
        i = rng.randrange(len(items))
        match rng.choice(("below", "below", "add", "remove", "move", "turn")):
            case "below":
                items[i] = edited(items[i], others, rng)
            case "add":
                items.insert(i, rng.choice(others))
            case "remove" if len(items) > 1:
                del items[i]
            case "turn":
                return (nodes.Or if isinstance(node, nodes.And) else nodes.And)(tuple(items))
            case _:
                rng.shuffle(items)
        return type(node)(tuple(items))
    if isinstance(node, nodes.Not) and rng.random() < 0.7:
        return nodes.Not(edited(node.item, others, rng)) if rng.random() < 0.5 else node.item
    match rng.choice(("constant", "constant", "negate", "replace", "group")):
        case "constant" if isinstance(node, nodes.Compare) and isinstance(node.right, nodes.Literal):
            is_number = node.right.sort == "number"
            return replace(node, right=nodes.literal(rng.choice((0, 1, 2, 5, 19.5)))) if is_number else nodes.Not(node)
        case "negate":
            return nodes.Not(node)
        case "group":
            return rng.choice((nodes.And, nodes.Or))((node, rng.choice(others)))
        case _:
            return rng.choice(others)


@cache
def ways(zone: str) -> ThreeWays:
    return ThreeWays(World(ZONES[zone], zone))


@cache
def lasting(zone: str, engine: str, at: dt.datetime) -> Counting:
    """One counting for all examples, so that its cache is full of others' conditions."""
    ws = ways(zone).workspaces[engine]
    return Counting(ws.engine, ws._checked(), moment(at, zone), by_name(SEGMENTS))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_part_has_its_size_after_each_edit(zone: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COLUMNS", 40)
    ws = ways(zone).workspaces[engine]
    seen: list[int] = []

    @settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(definitions().map(in_binary), min_size=4, max_size=8), st.sampled_from(MOMENTS), st.integers(0, 2**32))
    def agree(drawn: list[Predicate], at: dt.datetime, seed: int) -> None:
        rng, others = random.Random(seed), [own.node for own in drawn]
        own, node = lasting(zone, engine, at), others[0]
        for _ in range(6):
            counted = own.counts(definition(node))
            assert counted.sizes == fresh(ws, Predicate(node), moment(at, zone), by_name(SEGMENTS)), node
            assert counted.everyone == len(ways(zone).expected(everyone(), at))
            seen.extend(counted.sizes.values())
            after = edited(node, others, rng)
            node = after if nodes.depth(after) < 15 else others[1]

    agree()
    assert sum(0 < size < 60 for size in seen) > len(seen) / 3 > 100
    for at in MOMENTS:
        assert sum(len(table.columns) for table in lasting(zone, engine, at)._tables) < 80
    tables = [name for name in ws.engine.tables() if "segkit_counting" in name]
    kept = sum(len(lasting(zone, engine, at)._names) for at in MOMENTS)
    assert len(tables) == kept < 40


# ---------------------------------------------------------------- a small world


CONTACTS = pd.DataFrame(
    {"contact_id": range(1, 21), "age": [n * 3 for n in range(1, 21)], "country": ["USA", "Italy", None, "Spain"] * 5}
)
EVENTS = pd.DataFrame(
    {
        "event_id": range(60),
        "contact_id": [1 + n % 17 for n in range(60)],
        "event": ["opened", "clicked", "purchased"] * 20,
        "occurred_at": pd.to_datetime("2025-06-01") + pd.to_timedelta([n % 29 for n in range(60)], unit="D"),
        "amount": [float(n % 7) for n in range(60)],
    }
)
AT = moment("2025-06-30", "UTC")
WHERE = (F.age > 20) & ((E.opened.count() >= 2) | ~(F.country == "USA")) & (E.clicked.within(days=10).count() < 2)


def frames(contacts: pd.DataFrame = CONTACTS) -> Workspace:
    return connect({"contacts": contacts, "events": EVENTS}, as_of="2025-06-30", home=None)


def on_duckdb() -> tuple[Workspace, duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    for name, frame in (("contacts", CONTACTS), ("events", EVENTS)):
        connection.register("given", frame)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        connection.unregister("given")
    return connect(connection, as_of="2025-06-30", home=None), connection


def in_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    CONTACTS.to_sql("contacts", connection, index=False)
    EVENTS.astype({"occurred_at": str}).to_sql("events", connection, index=False)
    connection.commit()
    return connection


class Watched:
    """An engine that tells what it was asked."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.asked, self.made = inner, 0, 0
        self.dialect, self.renders_as, self.limits = inner.dialect, inner.renders_as, inner.limits

    def tables(self) -> Any:
        return self.inner.tables()

    def frame(self, sql: str) -> pd.DataFrame:
        self.asked += 1
        return self.inner.frame(sql)

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        return str(self.inner.keep(name, rows))

    def close(self) -> None:
        self.inner.close()


class WatchedKeeper(Watched):
    def materialize(self, name: str, sql: str) -> str:
        self.made += 1
        return str(self.inner.materialize(name, sql))

    def discard(self, name: str) -> None:
        self.inner.discard(name)


def opened(ws: Workspace, engine: Engine | None = None, segments: Any = None) -> Counting:
    return Counting(engine or ws.engine, ws._checked(), AT, segments or {})


# ---------------------------------------------------------------- what an edit costs


@pytest.mark.parametrize(
    ("edit", "made", "asked"),
    [
        (WHERE, 0, 0),
        ((F.age > 33) & ((E.opened.count() >= 2) | ~(F.country == "USA")), 0, 1),
        ((F.age > 20) & ((E.opened.count() >= 3) | ~(F.country == "Italy")), 0, 1),
        ((E.clicked.within(days=10).count() < 2) | ~(F.age > 20), 0, 0),
        (~WHERE, 0, 0),
        (WHERE & F.age.between(10, 30), 0, 1),
        (WHERE & (E.opened.within(days=3).count() >= 1), 1, 1),
        (WHERE & (E.opened.count() > E.purchased.count()), 1, 1),
    ],
)
def test_an_edit_asks_for_what_is_new(edit: Predicate, made: int, asked: int) -> None:
    ws = frames()
    engine = WatchedKeeper(ws.engine)
    own = opened(ws, engine)
    own.counts(definition(WHERE))
    engine.made = engine.asked = 0
    assert own.counts(definition(edit)).sizes == fresh(ws, edit, AT)
    assert (engine.made, engine.asked) == (made, asked)


def test_an_edit_of_a_constant_reads_no_event() -> None:
    ws, connection = on_duckdb()
    own = opened(ws)
    own.counts(definition(E.opened.count() >= 2))
    connection.execute("DROP TABLE events")
    expected = EVENTS[EVENTS.event == "opened"].groupby("contact_id").size().ge(1).sum()
    assert own.counts(definition(E.opened.count() >= 1)).sizes["where"] == expected


def test_the_answer_says_what_was_counted() -> None:
    counted = opened(frames()).counts(definition(WHERE))
    assert isinstance(counted, Counted)
    assert list(counted.sizes) == [path for path, _ in parts(WHERE.node)]
    assert counted.sizes["where.items[0]"] == (CONTACTS.age > 20).sum()
    assert counted.sizes["where.items[1].items[1]"] == (CONTACTS.country != "USA").sum()
    assert counted.everyone == 20
    assert [told for told in counted.windows.values() if "2025-06-20" in told]
    assert 0 < counted.seconds < 60


# ---------------------------------------------------------------- contacts without events

KEEPERS = ("duckdb", "sqlite", "clickhouse", "mariadb", "postgres", "datafusion")
OF_EVENTS = (
    E.opened.count() < 2,
    ~(E.opened.within(days=30).count() >= 1),
    E.purchased.sum("amount") <= 0,
    E.purchased.avg("rating").is_missing() | (E.purchased.max("qty") > 2),
    E.opened.last().within(days=30) | ~E.opened.last().older_than(days=7),
    E.purchased.latest("campaign") != "USA",
    E.opened.distinct("campaign").between(0, 1),
    ~E.opened.then(E.purchased, days=30).any(),
    E.opened.count() >= E.purchased.count(),
    E.opened.count() / E.purchased.count() > 0.5,
    E.never.count() == 0,
    E.never.any(),
)


@pytest.mark.parametrize("engine", KEEPERS)
def test_contacts_without_events_count_though_they_are_not_kept(engine: str) -> None:
    own, at = asked(engine, 11, "UTC"), moment(MOMENTS[0], "UTC")
    ws = own.workspace
    one = Counting(ws.engine, ws._checked(), at, {})
    for where in OF_EVENTS:
        counted = one.counts(definition(where))
        assert counted.sizes == fresh(ws, where, at), where
        assert len(ws.engine.frame(f"SELECT * FROM {one._tables[-1].path}")) < counted.everyone
    whole = functools.reduce(operator.or_, OF_EVENTS) & (F.opens > 0)
    assert one.counts(definition(whole)).sizes == fresh(ws, whole, at)
    one.close()


# ---------------------------------------------------------------- whose bit is which

NUMBERED = {
    "by keys with others between them": ("BIGINT", [2 * n for n in range(1, 21)], range(2, 41)),
    "by keys below zero": ("TINYINT", [*range(-128, -118), *range(-110, -100)], range(-128, -100)),
    "by unsigned keys": ("UTINYINT", [*range(236, 256)], range(236, 256)),
    "as they come: keys far apart": ("BIGINT", [100 * n for n in range(1, 21)], None),
    "as they come: too large to reckon with": ("UBIGINT", [*range(2**64 - 20, 2**64)], None),
    "as they come: texts": ("VARCHAR", [f"id {n}" for n in range(1, 21)], None),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_contacts_are_numbered_by_their_keys_where_these_lie_close(name: str) -> None:
    kind, keys, expected = NUMBERED[name]
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE contacts (contact_id {kind}, age INTEGER, country VARCHAR)")
    connection.register("given", EVENTS.drop(columns="contact_id"))
    connection.executemany("INSERT INTO contacts VALUES (?, ?, ?)", list(zip(keys, CONTACTS.age, CONTACTS.country, strict=True)))
    connection.execute(f"CREATE TABLE events AS SELECT *, {keys[:17]}[1 + event_id % 17]::{kind} AS contact_id FROM given")
    ws = connect(connection, as_of="2025-06-30", home=None)
    own = opened(ws)
    for where in (WHERE, ~WHERE, WHERE & ~(F.age < 50), E.opened.count() < 2, (F.age > 9) & E.clicked.any()):
        assert own.counts(definition(where)).sizes == fresh(ws, where, AT), where
    assert own._numbers is not None
    assert own._numbers.keys == expected


def test_keys_of_eight_bits_may_lie_farther_apart_than_these_hold() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts AS SELECT (i - 128)::TINYINT AS contact_id, i AS age FROM range(256) AS r(i)")
    own = opened(connect(connection, as_of="2025-06-30", home=None))
    assert own.counts(definition(F.age > 99)).sizes == {"where": 156}
    assert own._numbers is not None
    assert own._numbers.keys == range(-128, 128)


def test_a_contact_that_comes_later_has_no_bit_though_its_key_lies_between_others() -> None:
    ws, connection = on_duckdb()
    connection.execute("DELETE FROM contacts WHERE contact_id IN (7, 8)")
    own = opened(ws)
    own.counts(definition(E.opened.any()))
    connection.execute("INSERT INTO contacts VALUES (7, 50, 'USA'), (0, 50, 'USA'), (21, 50, 'USA')")
    where = (F.age > 0) | (E.opened.count() < 1)
    assert own.counts(definition(where)).sizes["where.items[0]"] == own.counts(definition(where | ~where)).sizes["where"] == 18


# ---------------------------------------------------------------- the data, beneath


def test_answers_are_as_of_the_first_asking_until_refreshed() -> None:
    ws, connection = on_duckdb()
    own = opened(ws)
    before = own.counts(definition(WHERE))
    connection.execute("DELETE FROM contacts WHERE contact_id > 10")
    connection.execute("UPDATE contacts SET age = 1")
    connection.execute("INSERT INTO contacts VALUES (99, 50, 'USA')")
    assert own.counts(definition(WHERE)).sizes == before.sizes
    late = own.counts(definition(WHERE & (E.opened.any() | ~E.opened.any()))).sizes
    assert late["where"] <= before.sizes["where"]
    assert late["where.items[3].items[0]"] + late["where.items[3].items[1]"] == before.everyone == 20
    own.refresh()
    after = own.counts(definition(WHERE))
    assert (after.everyone, after.sizes) == (11, fresh(ws, WHERE, AT))


def test_a_transaction_taken_back_is_survived() -> None:
    ws, connection = on_duckdb()
    own = opened(ws)
    connection.begin()
    own.counts(definition(WHERE))
    connection.rollback()
    where = WHERE & (F.age < 50)
    assert own.counts(definition(where)).sizes == fresh(ws, where, AT)


def test_what_the_engine_refuses_is_told() -> None:
    ws, connection = on_duckdb()
    own = opened(ws)
    connection.execute("DROP TABLE events")
    with pytest.raises(EngineError, match="events"):
        own.counts(definition(WHERE))
    with pytest.raises(EngineError, match="events"):
        own.counts(definition(WHERE))
    assert own.counts(definition(F.age > 20)).sizes == {"where": (CONTACTS.age > 20).sum()}


def test_no_contacts() -> None:
    ws = frames(CONTACTS[:0].astype({"country": "string"}))
    counted = opened(ws).counts(definition(WHERE))
    assert counted.everyone == 0
    assert set(counted.sizes.values()) == {0}


# ---------------------------------------------------------------- tables


def temporary(connection: Any) -> list[str]:
    query = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'segkit%'"
    if isinstance(connection, sqlite3.Connection):
        query = "SELECT name FROM sqlite_temp_master WHERE name LIKE 'segkit%'"
    return [name for (name,) in connection.execute(query).fetchall()]


def test_tables_are_temporary_bounded_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COLUMNS", 3)
    ws, connection = on_duckdb()
    sqlite_connection = in_sqlite(":memory:")
    in_lite = connect(sqlite_connection, as_of="2025-06-30", home=None)
    for own_ws, own_connection in ((ws, connection), (in_lite, sqlite_connection)):
        one, other = opened(own_ws), opened(own_ws)
        for days in (*range(1, 12), 1, 2):
            where = (E.opened.within(days=days).count() >= 1) & (F.age > days)
            assert one.counts(definition(where)).sizes == other.counts(definition(where)).sizes == fresh(own_ws, where, AT)
            assert len(temporary(own_connection)) <= 2 * 4
        one.close()
        where = (E.opened.within(days=2).count() >= 2) & (F.age > 7)
        assert other.counts(definition(where)).sizes == fresh(own_ws, where, AT)
        assert temporary(own_connection)
        other.close()
        assert temporary(own_connection) == []
    mine = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE NOT temporary").fetchone()
    assert mine == (2,)


def test_a_definition_of_more_columns_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COLUMNS", 1)
    ws = frames()
    own = opened(ws)
    for where in (WHERE, ~WHERE & (F.age < 50), WHERE & (E.opened.within(days=3).count() >= 1)):
        assert own.counts(definition(where)).sizes == fresh(ws, where, AT)
    assert len(own._tables) == 1


def test_bits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_BYTES", 10)  # of 20 contacts: four conditions
    ws = frames()
    own = opened(ws)
    for age in (10, 20, 30, 40, 50, 10):
        where = (F.age > age) & (F.age < age + 20) & (F.country == "USA")
        assert own.counts(definition(where)).sizes == fresh(ws, where, AT)
        assert len(own._members) <= 4
    large = WHERE & (F.age > 10) & (F.age > 15)
    assert own.counts(definition(large)).sizes == fresh(ws, large, AT)
    assert len(own._members) <= 4


def test_the_connection_may_be_closed_first() -> None:
    ws = frames()
    own = opened(ws)
    own.counts(definition(WHERE))
    ws.close()
    own.close()


# ---------------------------------------------------------------- engines


def test_an_engine_without_temporary_tables_gives_the_same_numbers() -> None:
    ws = frames()
    engine = Watched(ws.engine)
    assert not isinstance(engine, KeepsAnswers)
    own = opened(ws, engine)
    engine.asked = 0
    counted = own.counts(definition(WHERE))
    assert (engine.asked, counted.everyone) == (1, 20)
    assert counted.sizes == opened(ws).counts(definition(WHERE)).sizes
    own.refresh()
    own.close()


@pytest.mark.parametrize("limits", [Limits(columns=4), Limits(joins=1)])
def test_a_table_that_would_be_too_large_is_made_in_several(limits: Limits) -> None:
    ws = frames()
    engine = WatchedKeeper(ws.engine)
    engine.limits = limits
    own = opened(ws, engine)
    where = WHERE & (E.purchased.count() > 0) & (E.purchased.sum("amount") > 3)
    assert own.counts(definition(where)).sizes == fresh(ws, where, AT)
    assert engine.made > 2


def test_more_joins_than_sqlite_allows() -> None:
    ws = connect(in_sqlite(":memory:"), as_of="2025-06-30", home=None)
    where = everyone()
    for days in range(1, 71):
        where = where & (E.opened.within(days=days).latest("amount") >= 1)
    with pytest.raises(EngineError, match="64 tables"):
        fresh(ws, where, AT)
    assert opened(ws).counts(definition(where)).sizes == fresh(frames(), where, AT)


def test_a_file_that_is_only_read(tmp_path: Path) -> None:
    in_sqlite(str(tmp_path / "crm.db")).close()
    with connect(tmp_path / "crm.db", as_of="2025-06-30", home=None) as ws:
        own = opened(ws)
        assert own.counts(definition(WHERE)).sizes == fresh(ws, WHERE, AT)
        for change in ("DELETE FROM contacts", f"DELETE FROM {own._numbers.path}", "CREATE TEMP TABLE t (x)"):
            with pytest.raises(EngineError, match="not authorized"):
                ws.engine.frame(change)
        own.close()
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as connection:
        connection.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id, 5 AS age")
    with connect(tmp_path / "crm.duckdb", as_of="2025-06-30", home=None) as ws:
        assert opened(ws).counts(definition(F.age > 4)).sizes == {"where": 1}


def test_materializing_changes_temporary_tables_only(tmp_path: Path) -> None:
    in_sqlite(str(tmp_path / "crm.db")).close()
    engine = sqlite.of_file(tmp_path / "crm.db")
    name = engine.materialize('it\'s "one"', "SELECT 1 AS x")
    assert name == 'temp.it\'s "one"'
    assert engine.frame('SELECT x FROM temp."it\'s ""one"""')["x"].tolist() == [1]
    engine.discard('it\'s "one"')
    engine.discard("contacts")
    assert engine.frame("SELECT COUNT(*) AS n FROM contacts")["n"].tolist() == [20]
    for other in ("SELECT load_extension('x')", "SELECT 1; DELETE FROM contacts"):
        with pytest.raises(EngineError):
            engine.materialize("t", other)
    with pytest.raises(EngineError):
        engine.frame("CREATE TEMP TABLE t (x)")


def test_materializing_leaves_a_transaction_open() -> None:
    connection = in_sqlite(":memory:")
    connection.execute("DELETE FROM contacts")
    engine = sqlite.of_connection(connection)
    engine.materialize("t", "SELECT 1 AS x")
    engine.discard("t")
    assert connection.in_transaction
    connection.rollback()
    assert connection.execute("SELECT COUNT(*) FROM contacts").fetchone() == (20,)


def test_discarding_leaves_tables_of_the_user() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id")
    engine = duck.open_duckdb(connection)
    assert engine.materialize("contacts", "SELECT 2 AS contact_id") == "temp.main.contacts"
    engine.discard("contacts")
    engine.discard("contacts")
    assert engine.frame("SELECT * FROM contacts")["contact_id"].tolist() == [1]


@pytest.mark.parametrize(
    "where",
    [
        raw_sql("country = 'usa'", dialect="sqlite") | (F.country == "usa"),
        raw_sql("typeof(age) = 'integer'", dialect="sqlite") & (F.age > 3),
    ],
)
def test_raw_sql_reads_the_contact_itself(where: Predicate) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE contacts (contact_id INTEGER, country TEXT COLLATE NOCASE, age NUMERIC)")
    connection.executemany("INSERT INTO contacts VALUES (?, ?, ?)", [(1, "USA", 5), (2, "usa", 2.5), (3, None, None)])
    ws = connect(connection, as_of="2025-06-30", home=None)
    counted = opened(ws).counts(definition(where))
    assert counted.sizes == fresh(ws, where, AT)
    assert counted.sizes["where.items[0]"] > counted.sizes["where.items[1]"] - 1


# ---------------------------------------------------------------- segments, lists, parts without meaning


def test_segments_ranks_and_samples() -> None:
    ws = frames()
    segments = by_name({"Older": F.age > 30, "Oldest": in_segment("Older") & F.age.top(n=5)})
    own = opened(ws, segments=segments)
    for where in (
        in_segment("Oldest") | in_segment("Older"),
        ~in_segment("Oldest") & sample(percent=50) & F.age.top(percent=50, of=in_segment("Older")),
        (F.age.top(n=3) | F.age.top(percent=10) | (E.opened.count().quantile(2) == 1)) & in_segment("Older"),
    ):
        assert own.counts(definition(where)).sizes == fresh(ws, where, AT, segments)


def valid_parts(own: Counting, where: Predicate) -> tuple[Counted, dict[str, str]]:
    counted, reasons = own.counts_of_valid_parts(definition(where))
    return counted, {path: reason.what for path, reason in reasons.items()}


def test_parts_without_meaning_do_not_stop_the_others() -> None:
    ws = frames()
    own = opened(ws)
    where = (F.age > 20) & ((F.contry == "USA") | ~(E.opened.count() >= 2)) & ~raw_sql("aeg > 3", dialect="duckdb")
    with pytest.raises(DefinitionError):
        own.counts(definition(where))
    counted, reasons = own.counts_of_valid_parts(definition(where))
    assert reasons.keys() == {"where.items[1].items[0]", "where.items[2].item"}
    assert "unknown field 'contry'" in reasons["where.items[1].items[0]"].what
    assert reasons["where.items[1].items[0]"].where.startswith("$.where.items[1].items[0].left in F.contry")
    assert "did you mean 'country'" in reasons["where.items[1].items[0]"].fix
    assert "unknown column 'aeg'" in reasons["where.items[2].item"].what
    known = {"where.items[0]": F.age > 20, "where.items[1].items[1]": ~(E.opened.count() >= 2)}
    expected = {path: fresh(ws, one, AT)["where"] for path, one in known.items()}
    assert counted.sizes == {**expected, "where.items[1].items[1].item": 20 - expected["where.items[1].items[1]"]}
    assert counted.everyone == 20


def test_valid_parts_of_what_is_valid() -> None:
    own = opened(frames())
    counted, reasons = own.counts_of_valid_parts(definition(WHERE))
    assert (counted.sizes, reasons) == (own.counts(definition(WHERE)).sizes, {})


def test_nothing_is_valid() -> None:
    counted, reasons = valid_parts(opened(frames()), F.contry == "USA")
    assert (dict(counted.sizes), counted.everyone) == ({}, 20)
    assert list(reasons) == ["where"]


def test_a_circle_is_the_reason_of_its_part() -> None:
    ws = frames()
    own = Counting(ws.engine, ws._checked(), AT, by_name({"A": in_segment("B"), "B": F.age > 3}))
    where = (in_segment("A") | (F.age > 10)).node
    counted, reasons = own.counts_of_valid_parts(nodes.Definition("B", where))
    assert list(reasons) == ["where.items[0]"]
    assert "is a circle" in reasons["where.items[0]"].what
    assert counted.sizes == {"where.items[1]": (CONTACTS.age > 10).sum()}


def test_what_only_the_whole_shows_is_told_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MAX_CONDITIONS", 2)
    where = (F.age > 20) & ((F.age > 30) | (F.age > 40))
    counted, reasons = valid_parts(opened(frames()), where)
    assert reasons == {"where": "more than 2 conditions"}
    assert "where" not in counted.sizes
    assert counted.sizes["where.items[1]"] == (CONTACTS.age > 30).sum()


def test_an_unknown_list_and_an_engine_without_temporary_tables() -> None:
    ws = frames()
    own = opened(ws, Watched(ws.engine))
    counted, reasons = valid_parts(own, in_list("VIP") | (F.age > 20))
    assert list(reasons) == ["where.items[0]"]
    assert counted.sizes == {"where.items[1]": (CONTACTS.age > 20).sum()}
