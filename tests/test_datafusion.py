"""DataFusion: what is its own about contexts, kinds, times, JSON and sorting. The cases run on it in `test_cases`."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import segkit
from segkit import DialectError, EngineError, F, Segment, connect, in_list, nodes, templates
from segkit.bundled import folder
from segkit.catalog import Kind
from segkit.counting import Counting
from segkit.engines import KeepsAnswers
from segkit.plan import moment

datafusion = pytest.importorskip("datafusion", reason="pip install datafusion")
pa = pytest.importorskip("pyarrow")


def context(**settings: str) -> Any:
    config = datafusion.SessionConfig().set("datafusion.execution.time_zone", "America/New_York")
    for name, value in settings.items():
        config = config.set(f"datafusion.sql_parser.{name}", value)
    return datafusion.SessionContext(config)


def filled(**columns: Any) -> Any:
    own = context()
    own.from_arrow(pa.table({"contact_id": range(1, 1 + len(next(iter(columns.values())))), **columns}), "contacts")
    return own


def members(own: Any, where: Any, **more: Any) -> list[int]:
    return connect(own, home=None, as_of="2027-03-01T12:00", **more).members(where)["contact_id"].tolist()


# ---------------------------------------------------------------- tables and kinds


def test_kinds_come_from_the_columns() -> None:
    second = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    given = {
        "text": (pa.array(["a"]), Kind.TEXT),
        "large": (pa.array(["a"], pa.large_string()), Kind.TEXT),
        "view": (pa.array(["a"], pa.string_view()), Kind.TEXT),
        "one_of_few": (pa.array(["a"]).dictionary_encode(), Kind.TEXT),
        "whole": (pa.array([1], pa.int32()), Kind.INTEGER),
        "natural": (pa.array([1], pa.uint8()), Kind.INTEGER),
        "exact": (pa.array([Decimal("1.50")]), Kind.DECIMAL),
        "short": (pa.array([1.5], pa.float32()), Kind.FLOAT),
        "truth": (pa.array([True]), Kind.BOOLEAN),
        "day": (pa.array([second.date()]), Kind.DATE),
        "wall": (pa.array([second.replace(tzinfo=None)], pa.timestamp("ns")), Kind.TIMESTAMP),
        "instant": (pa.array([second], pa.timestamp("ms", tz="Europe/Rome")), Kind.TIMESTAMPTZ),
        "length": (pa.array([dt.timedelta(1)]), Kind.DURATION),
        "several": (pa.array([["a"]]), Kind.UNKNOWN),
    }
    fields = connect(filled(**{name: array for name, (array, _) in given.items()}), home=None).catalog.contacts.fields
    assert {name: fields[name].kind for name in given} == {name: kind for name, (_, kind) in given.items()}


def test_tables_of_other_schemas_have_dotted_names_and_views_are_tables() -> None:
    own = filled(opens=[1, 5])
    own.sql("CREATE SCHEMA crm").collect()
    own.sql("CREATE TABLE crm.people AS SELECT * FROM contacts WHERE opens > 1").collect()
    own.sql("CREATE VIEW lively AS SELECT * FROM contacts WHERE opens > 1").collect()
    for table in ("crm.people", "lively"):
        catalog = {"contacts": {"table": table}}
        assert members(own, F.opens > 0, catalog=catalog) == [2]


def test_frames_have_the_types_of_other_engines() -> None:
    preview = connect(filled(opens=[1, None], price=pa.array([Decimal("1.50"), None])), home=None).preview(segkit.everyone())
    assert preview.dtypes.astype(str).to_dict() == {"contact_id": "int64", "opens": "Int64", "price": "float64"}


# ---------------------------------------------------------------- only reading, keeping, stopping


def test_nothing_but_queries_is_run(tmp_path: Path) -> None:
    own = filled(opens=[1])
    engine = connect(own, home=None).engine
    for statement in (
        "DROP TABLE contacts",
        "CREATE TABLE other AS SELECT 1 AS x",
        "INSERT INTO contacts VALUES (2, 2)",
        f"COPY contacts TO '{tmp_path / 'out.csv'}'",
        "SET datafusion.execution.time_zone = 'UTC'",
    ):
        with pytest.raises(EngineError, match="not supported"):
            engine.frame(statement)
    assert own.sql("SELECT COUNT(*) AS n FROM contacts").to_pydict() == {"n": [1]}
    assert not list(tmp_path.iterdir())


def test_lists_are_frozen_and_parts_counted(tmp_path: Path) -> None:
    own = filled(opens=[1, 5, 9], country=["IT", "US", None])
    with connect(own, home=tmp_path / "home", as_of="2027-03-01") as ws:
        assert isinstance(ws.engine, KeepsAnswers)
        ws.freeze(F.opens > 1, "Lively")
        assert ws.members(in_list("Lively") - (F.country == "US"))["contact_id"].tolist() == [3]
        frozen = set(ws.engine.tables())
        counting = Counting(ws.engine, ws._checked(), moment("2027-03-01", "UTC"), {})
        where = (F.opens > 1) & ~(F.country == "US")
        assert list(counting.counts(nodes.Definition(None, where.node)).sizes.values()) == [1, 2, 2, 1]
        assert len(ws.engine.tables()) > len(frozen)
        counting.close()
        assert set(ws.engine.tables()) == frozen


def test_an_interrupt_ends_a_query_and_the_engine_stays_usable() -> None:
    own = filled(opens=[1])
    ws = connect(own, home=None)
    timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        ws.engine.frame(
            "SELECT COUNT(*) AS n FROM generate_series(1, 3000000) AS a(v) JOIN generate_series(1, 3000000) AS b(v) "
            "ON a.v % 1000 = b.v % 1000 WHERE a.v + b.v > 5"
        )
    assert time.perf_counter() - begin < 20
    timer.join()
    assert ws.size(F.opens == 1) == 1


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [({"dialect": "mysql"}, "generic"), ({"dialect": "bigquery"}, "generic"), ({"parse_float_as_decimal": "true"}, "false")],
)
def test_a_session_that_reads_literals_otherwise_is_refused(settings: dict[str, str], remedy: str) -> None:
    with pytest.raises(EngineError, match=remedy):
        connect(context(**settings), home=None)


# ---------------------------------------------------------------- what its rows are for


def test_time_zones_end_in_2099() -> None:
    """Documented: later times have no summer time there, which chrono-tz has no rules for."""
    wall = [dt.datetime(2099, 7, 1, 22), dt.datetime(2100, 7, 1, 22), dt.datetime(2100, 1, 1, 22)]
    own = filled(seen=pa.array(wall, pa.timestamp("us")))
    assert members(own, F.seen.hour() == 0, timezone="Europe/Rome") == [1], "it is right: take it off the docs"
    assert members(own, F.seen.hour() == 23, timezone="Europe/Rome") == [2, 3]


def test_a_product_of_zero_and_a_negative_number_divides_as_zero() -> None:
    assert members(filled(a=[0.0, 2.0], b=[-1.0, 2.0]), (1 / (F.a * F.b)).is_missing()) == [1]


def test_a_float_is_not_rounded_to_a_decimal_beside_one() -> None:
    own = filled(score=[33.3, 33.4], price=pa.array([Decimal("33.30"), Decimal("33.30")]))
    assert members(own, F.score == 33.3) == [1]
    assert members(own, F.score.is_in([33.3, 7])) == [1]
    assert members(own, F.score == F.price) == [1]
    assert members(own, F.price == F.score.coalesce(F.price)) == [1]


def test_json_is_refused_clearly() -> None:
    own = filled(props=['{"plan": "pro"}'])
    for where in (F.props.json("plan") == "pro", F.props.json("plan").is_missing(), F.props.elements() == 1):
        with pytest.raises(DialectError, match="DataFusion has no JSON functions"):
            members(own, where, catalog={"contacts": {"fields": {"props": "json"}}})
        with pytest.raises(DialectError, match="DataFusion has no JSON functions"):
            Segment("x", where).sql("datafusion")


def test_the_templates_have_the_same_sizes_on_the_sample_data() -> None:
    own = context()
    for file in sorted(folder().glob("*.parquet")):
        own.register_parquet(file.stem, str(file))
    ws = connect(own, home=None, catalog=folder() / "catalog.yml")
    sizes = ws.sizes(templates.documented())["size"].tolist()
    assert sizes == connect().sizes(templates.documented())["size"].tolist()
    assert sum(size > 0 for size in sizes) > 15
