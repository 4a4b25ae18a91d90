"""Connecting, asking, defining: every kind of source, every verb, several event tables, past instants."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segkit
from segkit import (
    Catalog,
    CatalogError,
    DataError,
    DefinitionError,
    E,
    EngineError,
    F,
    SegkitWarning,
    Segment,
    connect,
    evaluate,
    everyone,
    in_list,
    in_segment,
)
from segkit.plan import Moment, moment, plan
from segkit.segment import by_name

AS_OF = "2025-06-30T12:00"
CONTACTS = {
    "contact_id": [1, 2, 3, 4],
    "country": ["USA", "usa", None, "Canada"],
    "opens": [5, 0, None, 9],
    "email": ["ann@example.com", "bob@example.com", None, "not an address"],
}
EVENTS = {
    "event_id": [1, 2, 3, 4],
    "contact_id": [1, 1, 2, 9],
    "event": ["opened", "purchased", "opened", "opened"],
    "occurred_at": [dt.datetime(2025, 6, day, 9) for day in (1, 2, 3, 4)],
    "amount": [None, 20.5, None, None],
}
LISTS = {"list_name": ["VIP", "VIP", "old"], "contact_id": [1, 4, 2]}
TABLES = {"contacts": CONTACTS, "events": EVENTS, "list_members": LISTS}


def members(ws: segkit.Workspace, where: segkit.Segment) -> list[object]:
    return ws.members(where).iloc[:, 0].tolist()


def check(ws: segkit.Workspace) -> None:
    """The same answers from every source."""
    assert members(ws, F.country == "USA") == [1]
    assert members(ws, ~(F.country == "USA")) == [2, 3, 4]
    assert members(ws, F.opens > 4) == [1, 4]
    assert members(ws, E.opened.count() == 0) == [3, 4]
    assert members(ws, E.purchased.sum("amount") > 20) == [1]
    assert members(ws, in_list("VIP") - E.opened.any()) == [4]


@pytest.mark.parametrize(
    "make",
    [
        lambda data: pd.DataFrame(data),
        lambda data: pd.DataFrame(data).convert_dtypes(),
        lambda data: pl.DataFrame(data),
        lambda data: pa.table(data),
    ],
    ids=["pandas", "pandas with nullable types", "polars", "arrow"],
)
def test_frames(make) -> None:
    with connect({name: make(data) for name, data in TABLES.items()}, as_of=AS_OF) as ws:
        check(ws)


def test_a_frame_that_changes_later_changes_no_answer() -> None:
    frame = pd.DataFrame(CONTACTS)
    ws = connect({"contacts": frame}, as_of=AS_OF)
    frame["country"] = "USA"
    assert ws.size(F.country == "USA") == 1


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_folder(tmp_path: Path, ending: str) -> None:
    for name, data in TABLES.items():
        relation = duckdb.from_arrow(pa.table(data))
        path = str(tmp_path / f"{name}.{ending}")
        relation.write_parquet(path) if ending == "parquet" else relation.write_csv(path)
    check(connect(tmp_path, as_of=AS_OF))
    check(connect(str(tmp_path), as_of=AS_OF))


def database(path: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(path)
    for name, data in TABLES.items():
        duckdb.from_arrow(pa.table(data), connection=connection).create(name)
    return connection


def test_a_file_is_only_read(tmp_path: Path) -> None:
    database(str(tmp_path / "crm.duckdb")).close()
    before = (tmp_path / "crm.duckdb").read_bytes()
    with connect(tmp_path / "crm.duckdb", as_of=AS_OF) as ws:
        check(ws)
        with pytest.raises(EngineError):
            ws.engine.frame("CREATE TABLE x (a INT)")
        with pytest.raises(EngineError):
            ws.engine.frame("SELECT * FROM read_csv('/etc/hostname')")
        assert (tmp_path / "crm.duckdb").read_bytes() == before
    with pytest.raises(EngineError, match="closed"):
        ws.size(everyone())


def test_a_folder_cannot_be_left(tmp_path: Path) -> None:
    duckdb.from_arrow(pa.table(CONTACTS)).write_parquet(str(tmp_path / "contacts.parquet"))
    ws = connect(tmp_path)
    for sql in (
        "SELECT * FROM read_csv('/etc/hostname')",
        f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(EngineError):
            ws.engine.frame(sql)


def test_duckdb_draws_no_bar_of_its_own(tmp_path: Path) -> None:
    """As in a notebook: Python that does not run a file is where DuckDB turns its bar on."""
    database(str(tmp_path / "crm.duckdb")).close()
    (tmp_path / "folder").mkdir()
    duckdb.from_arrow(pa.table(CONTACTS)).write_parquet(str(tmp_path / "folder" / "contacts.parquet"))
    program = """
import sys, duckdb, pandas
from segkit.engines import open_engine
file, folder = sys.argv[1:]
bar = "SELECT current_setting('enable_progress_bar') AS bar"
print(duckdb.connect().execute(bar).fetchone()[0])
for source in (file, folder, ":memory:", {"contacts": pandas.DataFrame({"contact_id": [1]})}):
    print(open_engine(source).frame(bar)["bar"].iloc[0])
"""
    command = [sys.executable, "-c", program, str(tmp_path / "crm.duckdb"), str(tmp_path / "folder")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(segkit.__file__).parents[1])
    assert done.stdout.split() == ["True", "False", "False", "False", "False"]


def test_a_file_is_opened_twice(tmp_path: Path) -> None:
    database(str(tmp_path / "crm.duckdb")).close()
    with connect(tmp_path / "crm.duckdb", as_of=AS_OF) as one, connect(tmp_path / "crm.duckdb", as_of=AS_OF) as other:
        for ws in (one, other):
            check(ws)
            with pytest.raises(EngineError):
                ws.engine.frame("SET enable_external_access = true")
            with pytest.raises(EngineError):
                ws.engine.frame("SET enable_progress_bar = true")


def test_a_connection_stays_open() -> None:
    connection = database(":memory:")
    with connect(connection, as_of=AS_OF) as ws:
        check(ws)
    assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (4,)


def test_a_past_instant_warns_of_fields_without_history_only() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    assert ws.size(E.opened.any(), as_of="2025-06-02") == 1
    with pytest.warns(SegkitWarning, match="no history of country"):
        frame = ws.sizes([F.country == "USA", E.opened.any()], as_of="2025-06-02")
    assert frame["note"].tolist() == ["today's values of country", ""]
    assert frame.attrs["as_of"] == "2025-06-02T00:00:00+00:00"


def test_an_event_never_recorded_warns_and_counts_0() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    with pytest.warns(SegkitWarning, match="did you mean 'opened'"):
        assert ws.size(E.openned.count() == 0) == 4


def test_an_unknown_list_is_an_error_with_the_nearest_name() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    with pytest.raises(DefinitionError, match="VIP"):
        ws.size(in_list("VIPs"))


def test_duplicate_and_missing_keys_are_errors_with_examples() -> None:
    ws = connect({"contacts": pd.DataFrame({"contact_id": [1, 1, 2, None]})})
    with pytest.raises(DataError, match=r"2 keys.*1\.0 \(2 rows\)|2 keys.*no key"):
        ws.size(everyone())


def test_repeated_event_ids_count_once() -> None:
    twice = {**EVENTS, "event_id": [1, 1, 3, 4], "event": ["opened"] * 4}
    ws = connect({"contacts": pd.DataFrame(CONTACTS), "events": pd.DataFrame(twice)}, as_of=AS_OF)
    assert members(ws, E.opened.count() == 1) == [1, 2]
    assert "unique_events" in ws.sql(E.opened.any())
    ws = connect({"contacts": pd.DataFrame(CONTACTS), "events": pd.DataFrame(EVENTS)}, as_of=AS_OF)
    assert "unique_events" not in ws.sql(E.opened.any())


@pytest.mark.parametrize(
    ("kind", "ids", "by_bits"),
    [
        ("BIGINT", (-3, 4, None, None, 0), True),
        ("BIGINT", (-3, 4, None, -3), True),
        ("BIGINT", (2**63 - 1, 2**63 - 1), True),
        ("BIGINT", (-(2**63), 2**63 - 1), False),
        ("BIGINT", (7, 7, 7000), False),
        ("BIGINT", (None, None), False),
        ("SMALLINT", (70, 7, 70), True),
        ("UINTEGER", (2**32 - 1, 2**32 - 2), True),
        ("HUGEINT", (2**100, 2**100 + 1), False),
        ("HUGEINT", (2**100, 2**100), False),
        ("DECIMAL(18, 1)", (1.5, 1.4), False),
        ("DOUBLE", (1.5, 1.5), False),
        ("TEXT", ("1", "01"), False),
        ("TEXT", ("1", "1"), False),
    ],
)
def test_repeated_event_ids_of_any_kind_are_found(kind: str, ids: tuple[Any, ...], by_bits: bool) -> None:
    """Whole numbers that lie close by a bit for each, all others by grouping."""
    con = duckdb.connect()
    con.execute("CREATE TABLE contacts AS SELECT 1::BIGINT AS contact_id")
    con.execute(f"CREATE TABLE events (event_id {kind}, contact_id BIGINT, event TEXT, occurred_at TIMESTAMP)")
    con.executemany("INSERT INTO events VALUES (?, 1, 'opened', '2025-01-01')", [[own] for own in ids])
    known = [own for own in ids if own is not None]
    asked: list[str] = []
    ws = connect(con)
    frame = ws.engine.frame
    ws.engine.frame = lambda sql: asked.append(sql) or frame(sql)  # type: ignore[method-assign]
    assert ("unique_events" in ws.sql(E.opened.any())) is (len(set(known)) < len(known))
    assert any("BITSTRING_AGG" in sql for sql in asked) is by_bits


def test_json_of_events_whose_ids_repeat() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id")
    con.execute(
        "CREATE TABLE events AS SELECT 7 AS event_id, 1 AS contact_id, 'opened' AS event,"
        """ TIMESTAMP '2025-06-01' AS occurred_at, '{"plan": "pro"}'::JSON AS props"""
    )
    con.execute("INSERT INTO events FROM events")
    assert members(connect(con, as_of=AS_OF), E.opened.where(F.props.json("plan") == "pro").count() == 1) == [1]


SEVERAL = {
    "contacts": {"key": "contact_id"},
    "events": [
        {"table": "mails", "event": "type", "time": "at", "id": "mail_id"},
        {"table": "orders", "name": "purchased", "contact": "customer", "time": "ordered"},
        {"table": "shop", "name": "purchased", "time": "at"},
    ],
}


def several() -> segkit.Workspace:
    day = dt.datetime(2025, 6, 1)
    tables = {
        "contacts": {"contact_id": [1, 2, 3, 4]},
        "mails": {"mail_id": [1, 2, 2], "contact_id": [1, 2, 2], "type": ["opened", "opened", "opened"], "at": [day] * 3},
        "orders": {"customer": [1, 3], "ordered": [day, day + dt.timedelta(days=3)], "amount": [10.0, 5.0]},
        "shop": {"contact_id": [1, 1], "at": [day + dt.timedelta(days=9), day], "amount": [7.0, 1.0], "till": ["a", "b"]},
    }
    return connect({name: pd.DataFrame(data) for name, data in tables.items()}, catalog=SEVERAL, as_of=AS_OF)


def test_several_event_tables() -> None:
    ws = several()
    assert members(ws, E.purchased.count() >= 3) == [1]
    assert members(ws, E.purchased.sum("amount") == 18) == [1]
    assert members(ws, E.purchased.where(F.till == "a").any()) == [1]
    assert members(ws, E.purchased.latest("till") == "a") == [1]
    assert members(ws, E.opened.count() == 1) == [1, 2]
    assert members(ws, E["*"].count() >= 2) == [1]
    assert members(ws, E["*"].count() == 0) == [4]
    assert members(ws, E.purchased.last() > "2025-06-05") == [1]


def test_several_event_tables_share_properties_of_any_name() -> None:
    day = dt.datetime(2025, 6, 1)
    tables = {
        "contacts": {"contact_id": [1, 2, 3]},
        "opens": {
            "eid": [1, 2],
            "who": [1, 2],
            "at": [day] * 2,
            "contact_id": [2, 1],
            "event_id": [8, 9],
            "Amount": [2, 1],
            "occurred_at": ["x"] * 2,
        },
        "clicks": {
            "eid": [3, 4],
            "who": [1, 3],
            "at": [day] * 2,
            "contact_id": [7, 2],
            "event_id": [6, 6],
            "amount": [7, 2],
            "_event_id": [5, 4],
        },
    }
    events = [{"table": table, "name": table, "contact": "who", "time": "at", "id": "eid"} for table in ("opens", "clicks")]
    ws = connect({name: pd.DataFrame(data) for name, data in tables.items()}, catalog={"events": events}, as_of=AS_OF)
    rows = [
        {"event": table, **dict(zip(tables[table], values, strict=True))}
        for table in ("opens", "clicks")
        for values in zip(*tables[table].values(), strict=True)
    ]
    expected = [
        (E["*"].sum("contact_id") == 9, [1]),
        (E["*"].latest("_event_id") == 4, [3]),
        (E["*"].where(F.event_id == 6).any(), [1, 3]),
        (E["*"].where(F.occurred_at == "x").any(), [1, 2]),
        (E["*"].sum("AMOUNT") == 9, [1]),
        (E["*"].where(F.amount == 7).any() | E["*"].where(F.Amount == 1).any(), [1, 2]),
    ]
    for where, wanted in expected:
        resolved = plan(Segment(None, where).definition, ws._checked(), moment(AS_OF, "UTC"), by_name({}))
        assert members(ws, where) == wanted, where
        assert evaluate.members(resolved, [{"contact_id": i} for i in (1, 2, 3)], rows) == wanted, where


def test_several_event_tables_in_plain_python() -> None:
    catalog = several()._checked()
    day = dt.datetime(2025, 6, 1)
    events = [
        {"event": "purchased", "customer": 1, "ordered": day, "amount": 10.0},
        {"type": "opened", "event": "opened", "at": day, "mail_id": 1},
    ]
    assert Segment(None, E.opened.count() == 1).matches({"contact_id": 1}, events, as_of=AS_OF, catalog=catalog)


def test_a_catalog_that_does_not_fit_names_the_nearest() -> None:
    frames = {"contacts": pd.DataFrame(CONTACTS)}
    with pytest.raises(CatalogError, match="contact_id"):
        connect(frames, catalog={"contacts": {"key": "contactid"}})
    with pytest.raises(CatalogError, match="did you mean 'contacts'"):
        connect(frames, catalog={"contacts": {"table": "contact"}})
    with pytest.raises(CatalogError, match="country"):
        connect(frames, catalog={"contacts": {"fields": {"land": {"column": "contry"}}}})
    with pytest.raises(CatalogError, match="did you mean 'Europe/Rome'"):
        connect(frames, timezone="Europe/Romw")
    with pytest.raises(CatalogError, match="no table called contacts"):
        connect({"people": pd.DataFrame(CONTACTS)})


def test_renamed_columns_and_kinds() -> None:
    fields = {"land": {"column": "country"}, "Total Opens": {"column": "opens"}}
    ws = connect({"contacts": pd.DataFrame(CONTACTS)}, catalog={"contacts": {"fields": fields}})
    assert members(ws, (F.land == "USA") & (F["total opens"] == 5)) == [1]
    assert '"contacts"."country"' in ws.sql(F.land == "USA")


def test_members_bring_columns() -> None:
    ws = connect({"contacts": pd.DataFrame(CONTACTS)})
    frame = ws.members(F.opens >= 0, columns=["country", "Opens"])
    assert list(frame.columns) == ["contact_id", "country", "opens"]
    assert frame["contact_id"].tolist() == [1, 2, 4]
    with pytest.raises(DefinitionError, match="did you mean 'country'"):
        ws.members(everyone(), columns=["contry"])


def test_preview_masks_addresses_on_request() -> None:
    ws = connect({"contacts": pd.DataFrame(CONTACTS)})
    shown = ws.preview(everyone(), n=4)
    hidden = ws.preview(everyone(), n=4, mask=True)
    assert shown["email"].tolist()[0] == "ann@example.com"
    assert "@example.com" not in hidden.to_csv()
    assert hidden["email"].tolist()[3] == "not an address"
    assert len(ws.preview(everyone(), n=2)) == 2
    assert ws.preview(everyone(), n=0).empty
    with pytest.raises(DefinitionError):
        ws.preview(everyone(), n=-1)


def test_sizes_of_nothing_and_of_many() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    assert ws.sizes([]).empty
    assert list(ws.sizes([]).columns) == ["segment", "size", "share"]
    many = [Segment(f"s{n}", (F.opens > n) | (E.opened.within(days=n + 1).count() > n % 3)) for n in range(120)]
    assert ws.sizes(many)["size"].tolist() == [ws.size(segment) for segment in many]
    assert ws.sizes([F.opens > 4])["segment"].tolist() == ["F.opens > 4"]
    with pytest.raises(DefinitionError, match=r"\[ \]"):
        ws.sizes(F.opens > 4)


def test_no_contacts_at_all() -> None:
    ws = connect({"contacts": pd.DataFrame({"contact_id": pd.Series([], dtype="int64")})})
    frame = ws.sizes([everyone()])
    assert frame["size"].tolist() == [0]
    assert frame["share"].isna().all()


def test_define_and_refer() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    ws.define(Segment("Readers", F.opens > 4), double=F.opens * 2)
    assert members(ws, in_segment("readers") & (F.double > 10)) == [4]
    assert ws.segments == (Segment("Readers", F.opens > 4),)
    assert "double" in dir(ws.F)
    for bad in ({"opens": F.opens * 2}, {"x": 5}, {"loop": F.loop + 1}, {"x": F.nope + 1}):
        with pytest.raises(DefinitionError):
            ws.define(**bad)
    with pytest.raises(DefinitionError, match="a -> b -> a"):
        ws.define(Segment("a", in_segment("b")), Segment("b", in_segment("a")))
    with pytest.raises(DefinitionError, match="no name"):
        ws.define(Segment("x", everyone()) & everyone())
    assert ws.segments == (Segment("Readers", F.opens > 4),)
    assert set(ws.catalog.calculated) == {"double"}


def test_segments_of_one_call_know_each_other() -> None:
    ws = connect({"contacts": pd.DataFrame(CONTACTS)})
    a, b = Segment("a", F.opens > 4), Segment("b", in_segment("a") & (F.country == "USA"))
    assert ws.sizes([a, b])["size"].tolist() == [2, 1]
    with pytest.raises(DefinitionError, match="two different segments"):
        ws.sizes([a, Segment("a", F.opens > 5)])


def test_sql_of_the_workspace_is_what_it_runs() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    segment = Segment("x", (F.opens > 4) | E.opened.any())
    assert sorted(ws.engine.frame(ws.sql(segment))["contact_id"]) == members(ws, segment)
    assert "`contacts`" in ws.sql(segment, "bigquery")


def test_matches_takes_values_as_they_come() -> None:
    old = Segment("old", F.birthday.older_than(years=30) & (F.spent > Decimal("19.98")))
    assert old.matches({"birthday": dt.date(1990, 1, 1), "spent": Decimal("19.99")}, as_of="2025-01-01")
    assert old.matches({"BIRTHDAY": "1990-01-01", "spent": 19.99}, as_of="2025-01-01")
    assert not old.matches({"birthday": pd.NaT, "spent": float("nan")}, as_of="2025-01-01")
    vip = Segment("vip", in_list("VIP") & in_segment("old"))
    assert vip.matches(
        {"contact_id": 7, "birthday": "1990-01-01", "spent": 50}, lists={"VIP": [7]}, segments=[old], as_of="2025-01-01"
    )
    assert not vip.matches(
        {"contact_id": 7, "birthday": "1990-01-01", "spent": 50}, lists=["other"], segments={"old": old}, as_of="2025-01-01"
    )


def test_matches_without_a_key_takes_the_events_as_the_contacts_own() -> None:
    opened = [{"event": "opened", "occurred_at": "2025-06-01T09:00"}]
    once = Segment("once", E.opened.count() == 1)
    assert once.matches({}, opened, as_of=AS_OF)
    assert not once.matches({"contact_id": 1}, [{**opened[0], "contact_id": 2}], as_of=AS_OF)


def test_set_algebra_of_segments_and_predicates() -> None:
    a, p = Segment("a", F.x > 1), F.y == 2
    for unnamed, same in (
        (a & p, a.where & p),
        (p & a, p & a.where),
        (a | p, a.where | p),
        (p - a, p - a.where),
        (a - p, a.where - p),
        (~a, ~a.where),
    ):
        assert isinstance(unnamed, Segment)
        assert unnamed.name is None
        assert unnamed.where == same
    assert Segment("b", a & p).name == "b"
    with pytest.raises(DefinitionError):
        bool(a)
    with pytest.raises(DefinitionError):
        a & 5


def test_names_complete() -> None:
    ws = connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=AS_OF)
    assert {"country", "opens"} <= set(dir(ws.F))
    assert "country" in ws.F._ipython_key_completions_()
    ws.size(everyone())
    assert {"opened", "purchased"} <= set(dir(ws.E))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("ws.F.last_p", "last_purchase"), ('ws.F["last_p', "last_purchase"), ("ws.size((F.opens > 5) & (F.coun", "country"), ("E.purch", "purchased")],
)  # fmt: skip
def test_names_complete_in_ipython(typed: str, expected: str) -> None:
    from IPython.core.completer import IPCompleter, provisionalcompleter

    with connect(home=None) as ws, provisionalcompleter():
        completer = IPCompleter(namespace={"ws": ws, "F": ws.F, "E": ws.E})
        assert expected in {found.text for found in completer.completions(typed, len(typed))}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_folder_whose_name_is_a_pattern_is_itself(tmp_path: Path, ending: str) -> None:
    for folder, key in {"q1": 1, "q[1]": 2, "q?": 3, "q*": 4}.items():
        (tmp_path / folder).mkdir()
        for table, own in {"contacts": key, "[x]": 9, "x": 10}.items():
            frame = pd.DataFrame({"contact_id": [own]})
            path = tmp_path / folder / f"{table}.{ending}"
            frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    for folder, key in {"q1": 1, "q[1]": 2, "q?": 3, "q*": 4}.items():
        with connect(tmp_path / folder, home=None) as ws:
            assert ws.members(everyone())["contact_id"].tolist() == [key]
        with connect(tmp_path / folder, catalog={"contacts": {"table": "[x]"}}, home=None) as ws:
            assert ws.members(everyone())["contact_id"].tolist() == [9]


def test_a_query_that_takes_its_time_is_still_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    with connect({"contacts": pd.DataFrame({"contact_id": [1, 2], "country": ["USA", "Italy"]})}, home=None) as ws:
        passed, answer, day = [], ws.engine._run, dt.timedelta(days=1)

        def slowly(work: Any) -> Any:
            passed.append(dt.timedelta(hours=1))
            return answer(work)

        def later(as_of: Any, zone: str) -> Moment:
            at = moment(as_of, zone)
            return at if as_of is not None else replace(at, as_of=at.as_of + sum(passed, dt.timedelta()))

        monkeypatch.setattr(ws.engine, "_run", slowly)
        monkeypatch.setattr("segkit.workspace.moment", later)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert "note" not in ws.sizes([F.country == "USA"])
            assert len(ws.members(F.country == "USA")) == 1
        passed.clear()
        now = dt.datetime.now(dt.UTC)
        with pytest.warns(SegkitWarning, match="no history of country"):
            history = ws.history([F.country == "USA"], every=[now - day, now])
        assert history["today_values"].tolist() == ["country", ""]
        assert passed
        with pytest.warns(SegkitWarning, match="no history of country"):
            assert ws.sizes([F.country == "USA"], as_of=now - day)["note"].tolist() == ["today's values of country"]


def test_a_catalog_file_and_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yml"
    path.write_text("contacts: {key: contact_id, feelds: {}}", encoding="utf-8")
    with pytest.raises(CatalogError, match="did you mean 'fields'"):
        Catalog.from_file(path)
    path.write_text("contacts: [", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"catalog.yml': not YAML"):
        Catalog.from_file(path)
    with pytest.raises(CatalogError, match="cannot read"):
        Catalog.from_file(tmp_path / "none.yml")
    with pytest.raises(CatalogError, match="did you mean 'integer'"):
        Catalog.from_dict({"contacts": {"fields": {"a": "integr"}}})


@pytest.mark.parametrize("source", ["nowhere.duckdb", "postgresql://somewhere/crm", 5, object(), {"contacts": 5}])
def test_sources_that_cannot_be_opened(source) -> None:
    with pytest.raises(EngineError) as refusal:
        connect(source)
    assert refusal.value.fix


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "crm.duckdb").write_text("hello", encoding="utf-8")
    with pytest.raises(EngineError):
        connect(tmp_path / "crm.duckdb")
    with pytest.raises(EngineError, match=r"no \.parquet or \.csv"):
        connect(tmp_path)


def test_an_interrupt_cancels_and_leaves_the_workspace_usable() -> None:
    ws = connect({"contacts": pd.DataFrame(CONTACTS)})
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ws.engine.frame("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3")
    timer.join()
    assert ws.size(F.opens > 4) == 2


@pytest.mark.parametrize(
    "written", ["2025-11-30", "2025-11-30T00:00", dt.date(2025, 11, 30), dt.datetime(2025, 11, 30)], ids=repr
)
def test_the_instant_of_a_catalog_is_local_as_that_of_a_connection(written: object) -> None:
    tables = {"contacts": pd.DataFrame(CONTACTS)}
    zone = "Europe/Rome"
    by_catalog = connect(tables, catalog={"as_of": written, "timezone": zone}).sizes([F.country == "USA"])
    by_argument = connect(tables, timezone=zone, as_of=written).sizes([F.country == "USA"])
    assert by_catalog.attrs["as_of"] == by_argument.attrs["as_of"] == "2025-11-29T23:00:00+00:00"
    elsewhere = connect(tables, catalog={"as_of": written}, timezone="America/New_York").sizes([F.country == "USA"])
    assert elsewhere.attrs["as_of"] == "2025-11-30T05:00:00+00:00"


@pytest.mark.parametrize(
    ("condition", "fix"),
    [
        (F["Lifetime Value"] > 50, "write '50' in quotes; if the column holds numbers, make numbers of it .*pandas.to_numeric"),
        (F["Signed Up"].within(days=30), "use a date field, or make one of the column .*pandas.to_datetime"),
        (E.ordered.within(days=30).any(), "name a date or timestamp as time, or make one of the column .*pandas.to_datetime"),
    ],
    ids=["number", "date", "event"],
)
def test_numbers_and_dates_that_came_as_text_say_what_to_make_of_them(condition: object, fix: str) -> None:
    customers = pd.DataFrame({"Customer No": ["C1"], "Lifetime Value": ["197,41"], "Signed Up": ["24/05/2025"]})
    orders = pd.DataFrame({"Customer No": ["C1"], "Ordered At": ["24/05/2025 12:00"]})
    catalog = {
        "contacts": {"table": "customers", "key": "Customer No"},
        "events": [{"table": "orders", "name": "ordered", "contact": "Customer No", "time": "Ordered At"}],
    }
    with pytest.raises(DefinitionError, match=fix):
        connect({"customers": customers, "orders": orders}, catalog=catalog).size(condition)


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ([F.country == "USA"], "pass one of them, or all of them to what takes a list"),
        ("Readers", r"write in_segment\('Readers'\) for the segment of that name"),
        (True, "put each comparison in parentheses"),
        (segkit.in_segment("Readers"), "no segment is known here; define it first"),
    ],
    ids=["list", "name", "truth", "no segments"],
)
def test_what_is_no_segment_says_what_to_pass_instead(given: object, fix: str) -> None:
    with pytest.raises(segkit.SegkitError, match=fix):
        connect({"contacts": pd.DataFrame(CONTACTS)}, home=None).size(given)
