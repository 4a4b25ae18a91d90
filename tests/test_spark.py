"""Spark as an engine: kinds, zones, cases of names, views, interrupts, and what each row of the dialect table is for.

The conformance cases, shapes, hostile texts and random definitions run on it as on every engine of `engines`.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import spark_session
from cases_runner import _asked_together, _resolved, all_cases, tables_of
from engines import ENGINES, Rows
from without_a_row import markers

import segkit
from segkit import Catalog, EngineError, F, Workspace, connect, everyone, in_list
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.rendering import table

GAP = dt.datetime(2025, 3, 9, 2, 30)
"""A wall clock that New York, where the sessions are, skips; another zone's clock shows it."""
SAO_PAULO = dt.date(2017, 10, 15)
"""A day without a midnight in São Paulo."""

CONTACTS = Rows(
    {"contact_id": Kind.INTEGER, "name": Kind.TEXT, "seen": Kind.TIMESTAMP, "seen_tz": Kind.TIMESTAMPTZ, "due": Kind.DATE, "props": Kind.JSON},
    [
        {"contact_id": 1, "name": "a\n", "seen": GAP, "seen_tz": dt.datetime(2025, 3, 9, 4, tzinfo=dt.UTC), "due": SAO_PAULO,
         "props": '{"k": [], "n": 1e300, "tags": [null, "5", 5, "x"]}'},
        {"contact_id": 2, "name": "a", "seen": dt.datetime(2017, 10, 15, 1), "due": SAO_PAULO, "props": '{"k": "[]", "n": "7"}'},
        {"contact_id": 3},
    ],
)  # fmt: skip
CATALOG = {"contacts": {"fields": {"props": "json"}}}


@pytest.fixture(scope="module")
def ws() -> Workspace:
    return connect(ENGINES["spark"].loaded({"contacts": CONTACTS}), catalog=CATALOG, as_of="2025-03-10", home=None)


def ids(ws: Workspace, where: Predicate) -> list[int]:
    return ws.members(where)["contact_id"].tolist()


# ---------------------------------------------------------------- kinds and names


def test_kinds_are_those_of_the_session(ws: Workspace) -> None:
    session = ENGINES["spark"].loaded({})
    session.sql(
        """SELECT 1L AS id, 'x' AS text, 1.50BD AS price, 2BD AS whole, 1.5D AS score, true AS vip, DATE '2025-01-31' AS day,
        TIMESTAMP_NTZ '2025-01-31 12:00:00' AS wall, TIMESTAMP '2025-01-31 12:00:00' AS instant, INTERVAL '1' DAY AS span,
        ARRAY(1) AS list, STRUCT(1 AS a) AS part, PARSE_JSON('{}') AS variant, X'00' AS bytes"""
    ).createOrReplaceTempView("contacts")
    columns = connect(session, catalog={"contacts": {"key": "id"}}, home=None).engine.tables()["contacts"]
    assert {name: column.kind.value for name, column in columns.items()} == {
        "id": "integer", "text": "text", "price": "decimal", "whole": "integer", "score": "float", "vip": "boolean", "day": "date",
        "wall": "timestamp", "instant": "timestamptz", "span": "duration", "list": "unknown", "part": "unknown", "variant": "unknown",
        "bytes": "unknown",
    }  # fmt: skip


def test_frames_have_the_types_of_other_warehouses(ws: Workspace) -> None:
    frame = ws.members(everyone(), ["name", "seen", "seen_tz", "due"])
    assert frame.dtypes.astype(str).tolist()[2:] == ["datetime64[us]", "datetime64[us, UTC]", "datetime64[us]"]
    assert frame["seen"].iloc[0] == GAP
    assert frame["seen_tz"].iloc[0].isoformat() == "2025-03-09T04:00:00+00:00"


def test_tables_of_another_database_are_named_with_dots(ws: Workspace) -> None:
    session = ENGINES["spark"].loaded({})
    session.sql("CREATE DATABASE IF NOT EXISTS crm")
    session.sql("CREATE OR REPLACE TEMPORARY VIEW one AS SELECT 7 AS id, 'x' AS Name")
    session.table("one").write.mode("overwrite").saveAsTable("crm.People")
    other = connect(session, catalog={"contacts": {"table": "crm.People", "key": "id"}}, home=None)
    assert other.members(F.name == "x")["id"].tolist() == [7]
    session.sql("DROP DATABASE crm CASCADE")


def test_columns_that_differ_in_case_alone_need_a_session_that_tells_them_apart(ws: Workspace) -> None:
    session = ENGINES["spark"].loaded({})
    session.sql("SELECT 1 AS contact_id, 'x' AS Name, 'y' AS name").createOrReplaceTempView("contacts")
    with pytest.raises(EngineError, match="caseSensitive"):
        connect(session, home=None).size(F.Name == "x")
    session.conf.set("spark.sql.caseSensitive", "true")
    told_apart = connect(session, home=None)
    assert [told_apart.size(F.Name == "x"), told_apart.size(F.name == "x")] == [1, 0]


# ---------------------------------------------------------------- sessions


def test_a_session_that_reads_literals_otherwise_is_refused(ws: Workspace) -> None:
    session = ENGINES["spark"].loaded({"contacts": CONTACTS})
    session.conf.set("spark.sql.parser.escapedStringLiterals", "true")
    with pytest.raises(EngineError, match="escapedStringLiterals"):
        connect(session, home=None)


def test_a_session_that_was_stopped_is_told(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping drops the context's Java; doing so here would end the other tests."""
    with monkeypatch.context() as stopped:
        stopped.setattr(spark_session.spark().sparkContext, "_jsc", None)
        with pytest.raises(EngineError, match="stopped") as refusal:
            ws.size(everyone())
    assert "connect again" in refusal.value.fix
    assert ws.size(everyone()) == 3


@pytest.mark.parametrize("address", ["spark://cluster:7077", "sc://host:15002"])
def test_an_address_is_told_what_it_takes(address: str) -> None:
    with pytest.raises(EngineError, match="SparkSession") as refusal:
        connect(address)
    assert "pip install" in refusal.value.fix
    assert "Java" in refusal.value.fix


def test_settings_and_environment_variables_stay_out_of_queries(ws: Workspace) -> None:
    session = ENGINES["spark"].loaded(
        {
            "contacts": Rows(
                {"contact_id": Kind.INTEGER, "v": Kind.TEXT},
                [{"contact_id": 1, "v": "${env:HOME}"}, {"contact_id": 2, "v": os.environ["HOME"]}],
            )
        }
    )
    own = connect(session, home=None)
    assert own.members(F.v == "${env:HOME}")["contact_id"].tolist() == [1]
    naive = f"SELECT contact_id FROM contacts WHERE v = '{'${env:HOME}'}'"
    assert own.engine.frame(naive)["contact_id"].tolist() == [2]
    with pytest.raises(segkit.DialectError, match="setting"):
        segkit.Segment("x", F["${spark.app.name}"] == 1).sql("spark")


def test_frozen_lists_are_views_of_the_session(ws: Workspace, tmp_path: Path) -> None:
    own = connect(ENGINES["spark"].loaded({"contacts": CONTACTS}), catalog=CATALOG, as_of="2025-03-10", home=tmp_path)
    own.freeze(F.name.contains("a"), "Some")
    assert own.members(in_list("Some"))["contact_id"].tolist() == [1, 2]
    assert own.members(~in_list("Some"))["contact_id"].tolist() == [3]


ENDLESS = "SELECT COUNT(*) AS n FROM RANGE(0, 1000000000000) WHERE SIN(id) > 2"


@pytest.fixture
def active() -> Iterator[Callable[[], list[int]]]:
    """The jobs that run or wait, where an interrupt is Python's as in a notebook: PySpark's own handler cancels all of them."""
    context = spark_session.spark().sparkContext
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    rescue = threading.Timer(60, context.cancelAllJobs)
    rescue.start()
    yield context.statusTracker().getActiveJobsIds
    assert rescue.is_alive(), "the interrupt did not cancel"
    rescue.cancel()
    signal.signal(signal.SIGINT, before)


def interrupt_when(is_time: Callable[[], bool]) -> None:
    def run() -> None:
        while not is_time():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=run, daemon=True).start()


def test_an_interrupt_cancels_the_jobs_of_the_query_and_no_others(ws: Workspace, active: Callable[[], list[int]]) -> None:
    context = spark_session.spark().sparkContext

    def ask() -> None:
        context.addJobTag("other")
        with suppress(Exception):
            spark_session.spark().sql(ENDLESS).collect()

    other = threading.Thread(target=ask)
    other.start()
    try:
        while not (others := active()):
            time.sleep(0.05)
        interrupt_when(lambda: len(active()) == 2)
        with pytest.raises(KeyboardInterrupt):
            ws.engine.frame(ENDLESS)
        assert active() == others
    finally:
        context.cancelJobsWithTag("other")
        other.join()
    assert ws.size(everyone()) == 3


def test_an_interrupt_before_the_job_begins_cancels_it(ws: Workspace, active: Callable[[], list[int]]) -> None:
    planned = threading.Event()

    def work(session: Any) -> Any:
        planned.set()
        time.sleep(0.5)
        return session.sql(ENDLESS).collect()

    interrupt_when(planned.is_set)
    with pytest.raises(KeyboardInterrupt):
        ws.engine.run(work)
    assert active() == []
    assert ws.size(everyone()) == 3


# ---------------------------------------------------------------- rows


PROBES = {
    "CONTAINS": (F.name.contains("a"), [1, 2]),
    "STARTS_WITH": (F.name.startswith("a"), [1, 2]),
    "ENDS_WITH": (F.name.endswith("a"), [2]),
    "MATCHES": (F.name.matches("a$"), [2]),
    "TIMESTAMP": (F.seen < dt.datetime(2025, 3, 9, 3), [1, 2]),
    "MIDNIGHT": (F.due < F.seen, [1, 2]),
    "ON_WALL": (F.seen_tz.hour() == 5, [1]),
    "TIME_PLUS_MINUTES": (F.seen_tz + segkit.days(1) >= dt.datetime(2025, 3, 10, 4, tzinfo=dt.UTC), [1]),
    "DAYS": (segkit.TODAY - F.due > 10, [1, 2]),
    "PART_WEEKDAY": (F.due.weekday() == 7, [1, 2]),
    "JSON_ANY": (F.props.json("tags", 0).is_missing(), [1, 2, 3]),
    "JSON_TEXT": (F.props.json("k") == "[]", [2]),
    "JSON_NUMBER": (F.props.json("n") > 5, [1, 2]),
    "ELEMENT": (F.props.json("tags").elements(F.element == "5") == 2, [1]),
    "ELEMENTS": (F.props.json("tags").elements() == 4, [1]),
}
"""A definition for each row of Spark's, whose members another row would not find."""


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda rule: monkeypatch.delitem(table.TABLE, (f"SEGKIT_{rule}", "spark"))


def test_every_row_has_a_probe() -> None:
    assert markers("spark") == PROBES.keys()


@pytest.mark.parametrize("rule", PROBES)
def test_a_row_is_there_for_something(rule: str, without: Callable[[str], None]) -> None:
    zone = "America/Sao_Paulo" if rule == "MIDNIGHT" else spark_session.ZONE
    session = ENGINES["spark"].loaded({"contacts": CONTACTS})
    session.conf.set("spark.sql.session.timeZone", zone)
    own = connect(session, catalog=CATALOG, as_of="2025-03-10", timezone="Europe/Rome" if rule == "ON_WALL" else "UTC", home=None)
    where, expected = PROBES[rule]
    assert ids(own, where) == expected
    without(rule)
    try:
        found = ids(own, where)
    except (segkit.DialectError, EngineError):
        return
    assert found != expected


# ---------------------------------------------------------------- Databricks


@pytest.mark.parametrize("file", ["text", "json_paths", "json_elements", "zone_rome", "samples", "dates"])
def test_the_sql_of_databricks_has_the_same_members_on_spark(file: str) -> None:
    cases = [case for case in all_cases() if case.file == file and "members" in case.case and "as_of" not in case.case]
    given = cases[0].given
    own = connect(
        ENGINES["spark"].loaded(tables_of(given)),
        catalog=Catalog.from_dict(given["catalog"]),
        timezone=given.get("timezone"),
        home=None,
    )
    own.engine.renders_as = "databricks"
    found = _asked_together(own, {case.number: _resolved(case, own) for case in cases})
    assert found == {case.number: case.case["members"] for case in cases}
