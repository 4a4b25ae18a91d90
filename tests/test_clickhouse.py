"""ClickHouse, beyond what all engines share: its types, its settings, its joins, and each row of the dialect table that is its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from cases_runner import all_cases, on_clickhouse
from engines import ENGINES
from without_a_row import fails, markers, without

import segkit
from segkit import E, EngineError, F, Journey, Segment, connect, days, hours, in_list, months
from segkit.builder import Predicate
from segkit.counting import Counting
from segkit.engines import clickhouse
from segkit.plan import moment
from segkit.segment import as_segment

AS_OF = "2025-06-30T12:00:00Z"
CATALOG = {
    "contacts": {"fields": {"props": "json"}},
    "events": [{"table": "events", "id": "event_id"}],
    "lists": {"table": "list_members"},
}
CASES = {case.id: case for case in all_cases()}


def session_of(*commands: str) -> Any:
    """A session in a database of its own, with some tables."""
    session = ENGINES["clickhouse"].loaded({})
    for command in commands:
        session.query(command, "Null")
    return session


@pytest.fixture(scope="module")
def narrow() -> segkit.Workspace:
    """Tables of ClickHouse's own types, as people make them: nothing is Nullable that need not be."""
    session = session_of(
        """
        CREATE TABLE contacts (
            contact_id UInt32, country LowCardinality(String), tier Enum8('gold' = 1, 'none' = 2), code FixedString(3), born Date,
            seen DateTime, local DateTime('Europe/Rome'), exact DateTime64(3), big Int64, share Float64, price Decimal(18, 2), vip Bool,
            note Nullable(String), props String, tags Array(String)
        ) ENGINE = MergeTree ORDER BY contact_id
        """,
        """
        INSERT INTO contacts VALUES
            (1, 'USA', 'gold', 'abc', '1970-01-01', 10, 10, 10, 9223372036854775807, 0.5, 0.10, true, NULL, '{"a": 1}', ['x']),
            (2, 'usa', 'none', 'abd', '1970-02-28', toDateTime('2025-06-30 12:00:00', 'UTC'), toDateTime('2025-06-30 12:00:00', 'UTC'),
             toDateTime64('2025-06-30 12:00:00.001', 3, 'UTC'), 1, nan, 99999999999999.99, false, 'a\\nb', '{}', []),
            (3, '', 'none', 'abe', '2149-06-06', toDateTime('2106-02-07 06:00:00', 'UTC'), toDateTime('2106-02-07 06:00:00', 'UTC'),
             toDateTime64('2025-06-30 11:59:59.999', 3, 'UTC'), -9223372036854775807, 2, 0.30, false, '', '', [])
        """,
        """
        CREATE TABLE events (
            event_id UInt64, contact_id UInt32, event LowCardinality(String), occurred_at DateTime, amount Int64, label String
        ) ENGINE = MergeTree ORDER BY (event, occurred_at)
        """,
        """
        INSERT INTO events VALUES
            (1, 1, 'opened', toDateTime('2025-06-01 00:00:00', 'UTC'), 9223372036854775807, 'spring'),
            (2, 1, 'opened', toDateTime('2025-06-02 00:00:00', 'UTC'), 9223372036854775807, ''),
            (3, 2, 'bought', toDateTime('2025-06-30 12:00:00', 'UTC'), 5, 'x')
        """,
        "CREATE TABLE list_members (list_name String, contact_id UInt32) ENGINE = Memory",
        "INSERT INTO list_members VALUES ('VIP', 2)",
    )  # fmt: skip
    return connect(session, catalog=CATALOG, as_of=AS_OF, home=None)


EDGES: list[tuple[str, Predicate, list[int]]] = [
    ("WIDE", F.big + 1 > 0, [1, 2]),
    ("WIDE", F.big * 2 > F.big, [1, 2]),
    ("WIDE", F.share + F.big > 1, [1]),
    ("SUMMED", E.opened.sum("amount") > 0, [1]),
    ("WHOLE", F.note.length().coalesce(F.big).top(n=1), [1]),
    ("WHOLE", F.note.length().coalesce(-1).top(n=2), [2, 3]),
    ("DATE_PLUS_DAYS", F.born - days(1) < "1970-01-01", [1]),
    ("DATE_PLUS_DAYS", F.born + days(1) > "2149-01-01", [3]),
    ("DATE_PLUS_MONTHS", F.born - months(1) < "1970-01-01", [1]),
    ("TIME_PLUS_MINUTES", F.seen - days(1) < "1970-01-01T00:00:00Z", [1]),
    ("TIME_PLUS_MINUTES", F.seen + hours(24) > "2106-01-01T00:00:00Z", [3]),
    ("TIME_PLUS_MONTHS", F.seen + months(1) > "2106-01-01T00:00:00Z", [3]),
]  # fmt: skip
"""What only narrow types show: the row that keeps it right, the definition, its members."""

BESIDE: list[tuple[Predicate, list[int]]] = [
    (~E.opened.any(), [2, 3]),
    (E.opened.last().is_missing(), [2, 3]),
    (E.opened.last() < "2025-06-15", [1]),
    (E.opened.latest("label") == "", [1]),
    (E.opened.latest("label").is_missing(), [2, 3]),
    (E.opened.min("amount") < 5, []),
    (in_list("VIP"), [2]),
    (~in_list("VIP"), [1, 3]),
    (F.big.top(n=1), [1]),
    (F.share.quantile(2) == 1, [1]),
    (F.share > 0.3, [1, 3]),
    (F.share.is_missing(), [2]),
    (F.country == "USA", [1]),
    (F.country.contains("us", ignore_case=True), [1, 2]),
    (F.tier == "gold", [1]),
    (F.tier == "platinum", []),
    (F.tier.is_in(["gold", "platinum"]), [1]),
    (F.tier.contains("on"), [2, 3]),
    (F.local == F.seen, [1, 2, 3]),
    (F.exact > segkit.NOW, [2]),
    (F.seen.within(days=1), [2]),
    (F.price + F.price == 0.2, [1]),
    (F.price + 0.2 == 0.3, [1]),
    (F.price.is_in([0.1, 0.3]), [1, 3]),
    (F.price.is_in([0.1, *(n + 0.5 for n in range(600))]), [1]),
    (F.note.is_missing(), [1]),
    (F.note == "", [3]),
    (F.note.matches("a.b"), []),
    (F.note.matches("^a\\nb$"), [2]),
    (F.vip == True, [1]),  # noqa: E712
    (F.props.json("a") == 1, [1]),
    (F.contact_id - 2 < 0, [1]),
]  # fmt: skip


def members(ws: segkit.Workspace, where: Predicate) -> list[int]:
    return ws.members(where)["contact_id"].tolist()


@pytest.mark.parametrize(("where", "expected"), [*((where, own) for _, where, own in EDGES), *BESIDE], ids=str)
def test_types_of_its_own(narrow: segkit.Workspace, where: Predicate, expected: list[int]) -> None:
    assert members(narrow, where) == expected
    assert members(narrow, ~as_segment(where)) == [key for key in (1, 2, 3) if key not in expected]


def test_kinds(narrow: segkit.Workspace) -> None:
    assert {name: str(column.kind) for name, column in narrow.catalog.contacts.fields.items()} == {
        "contact_id": "integer", "country": "text", "tier": "text", "code": "unknown", "born": "date", "seen": "timestamptz",
        "local": "timestamptz", "exact": "timestamptz", "big": "integer", "share": "float", "price": "decimal", "vip": "boolean",
        "note": "text", "props": "json", "tags": "json",
    }  # fmt: skip


def test_frames(narrow: segkit.Workspace) -> None:
    frame = narrow.preview(segkit.everyone(), 2).drop(columns=["tags"])
    assert frame.dtypes.astype(str)[["contact_id", "price", "vip", "born", "seen"]].tolist() == [
        "uint32", "float64", "bool", "object", "datetime64[ms, UTC]",
    ]  # fmt: skip
    assert frame["tier"].tolist() == ["gold", "none"]
    assert frame["code"].tolist() == ["abc", "abd"]
    assert frame["seen"].tolist() == [pd.Timestamp(10, unit="s", tz="UTC"), pd.Timestamp(AS_OF)]
    assert narrow.members(F.big > 2**62, ["note", "big"]).isna().values.tolist() == [[False, True, False]]
    assert narrow.members(F.big == 5).columns.tolist() == ["contact_id"]


# ---------------------------------------------------------------- the dialect table

CASE_WITHOUT = {
    "CONTAINS": "api_form[16]", "STARTS_WITH": "api_form[18]", "ENDS_WITH": "api_form[19]", "MATCHES": "api_form[20]",
    "FOLDED": "functions[21]", "RAISED": "functions[25]", "LENGTH": "functions[30]", "KNOWN": "events_aggregates[18]",
    "DATE": "zone_new_york_events[3]", "TIMESTAMP": "api_form[0]", "INSTANT": "history[7]", "ON_WALL": "zone_new_york_events[0]",
    "DATE_OF": "dates[47]", "MIDNIGHT": "dates[25]", "DAYS": "dates[41]", "PART_YEAR": "new_year_and_1970[0]",
    "PART_QUARTER": "new_year_and_1970[1]", "PART_MONTH": "new_year_and_1970[2]", "PART_DAY": "new_year_and_1970[3]",
    "PART_HOUR": "anniversaries_and_parts[39]", "PART_WEEK": "anniversaries_and_parts[38]",
    "PART_WEEKDAY": "anniversaries_and_parts[34]", "JSON_ANY": "json_elements[17]", "JSON_TEXT": "json_paths[3]",
    "ELEMENT": "json_elements[0]", "ELEMENTS": "json_elements[0]", "DIGEST": "samples[0]",
}  # fmt: skip
"""A case that fails without the row of ClickHouse's own; `EDGES` holds those of the other rows."""


def test_no_row_is_without_a_case_that_needs_it() -> None:
    assert markers("clickhouse") == {*CASE_WITHOUT, *(marker for marker, _, _ in EDGES)}


@pytest.mark.parametrize("marker", CASE_WITHOUT)
def test_a_case_fails_without_the_row(marker: str) -> None:
    case = CASES[CASE_WITHOUT[marker]]
    assert on_clickhouse(case) == case.case["members"]
    with without(marker, "clickhouse"):
        assert fails(lambda: on_clickhouse(case) == case.case["members"])


@pytest.mark.parametrize("marker", dict.fromkeys(marker for marker, _, _ in EDGES))
def test_an_edge_fails_without_the_row(narrow: segkit.Workspace, marker: str) -> None:
    with without(marker, "clickhouse"):
        assert any(fails(lambda: members(narrow, where) == expected) for own, where, expected in EDGES if own == marker)  # noqa: B023


@pytest.mark.parametrize(
    ("place", "where", "expected"),
    [
        ("segkit.rendering.nullable", ~in_list("VIP"), [1, 3]),
        ("segkit.rendering.nullable", E.opened.last().is_missing(), [2, 3]),
        ("segkit.rendering.in_decimal", F.price + 0.2 == 0.3, [1]),
    ],
)  # fmt: skip
def test_a_step_over_the_whole_tree_is_needed(
    narrow: segkit.Workspace, monkeypatch: pytest.MonkeyPatch, place: str, where: Predicate, expected: list[int]
) -> None:
    assert members(narrow, where) == expected
    monkeypatch.setattr(place, id)
    assert fails(lambda: members(narrow, where) == expected)


def test_what_is_exported_needs_no_setting(narrow: segkit.Workspace) -> None:
    session = session_of()
    shown = narrow.sql(~in_list("VIP") & E.opened.last().is_missing())
    database = narrow.engine.frame("SELECT currentDatabase()").iloc[0, 0]
    for value in (0, 1):
        for command in (f"USE {database}", f"SET join_use_nulls = {value}", "SET session_timezone = 'Asia/Kolkata'"):
            session.query(command, "Null")
        assert clickhouse.ClickHouse(clickhouse.Chdb(session)).frame(shown)["contact_id"].tolist() == [3]


# ---------------------------------------------------------------- sessions


@pytest.mark.parametrize(
    "setting",
    [
        "aggregate_functions_null_for_empty = 1", "count_distinct_implementation = 'uniq'", "decimal_check_overflow = 0", "limit = 5",
        "offset = 5", "read_overflow_mode = 'break'", "result_overflow_mode = 'break'", "timeout_overflow_mode = 'break'",
    ],
)  # fmt: skip
def test_a_session_that_would_answer_otherwise_is_refused(setting: str) -> None:
    session = session_of("CREATE TABLE contacts (contact_id Int64) ENGINE = Memory", f"SET {setting}")
    with pytest.raises(EngineError, match=setting.partition(" ")[0]) as refusal:
        connect(session, home=None)
    session.query(refusal.value.fix.removesuffix(", then connect"), "Null")
    connect(session, home=None)


def test_an_interrupt_cancels_and_leaves_the_session_usable(narrow: segkit.Workspace) -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        narrow.engine.frame("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
    timer.join()
    assert members(narrow, F.country == "USA") == [1]


def test_what_is_refused_says_so(narrow: segkit.Workspace) -> None:
    with pytest.raises(EngineError, match=r"ClickHouse refused the query: .*nowhere"):
        narrow.engine.frame("SELECT * FROM nowhere")


def _of_chdb(session: Any) -> Any:
    return session


def _of_clickhouse_connect(session: Any) -> Any:
    clients = pytest.importorskip("clickhouse_connect", reason="pip install clickhouse-connect")
    client = clients.get_client(interface="chdb")
    client.command(f"USE {session.query('SELECT currentDatabase()', 'TSV').bytes().decode().strip()}")
    return client


@pytest.mark.parametrize("opened", [_of_chdb, _of_clickhouse_connect])
def test_lists_journeys_and_counts_in_temporary_tables(opened: Callable[[Any], Any], tmp_path: Any) -> None:
    session = session_of(
        "CREATE TABLE contacts (contact_id Int64, name String) ENGINE = Memory",
        "INSERT INTO contacts VALUES (1, 'a'), (2, 'b\\\\c'), (3, 'it\\'s')",
        "CREATE TABLE events (event_id Int64, contact_id Int64, event String, occurred_at DateTime64(6)) ENGINE = Memory",
        "INSERT INTO events VALUES (1, 1, 'opened', toDateTime64('2025-06-01 00:00:00', 6, 'UTC'))",
    )
    with connect(opened(session), as_of=AS_OF, home=tmp_path / "home") as ws:
        ws.freeze(E.opened.any(), "Readers")
        assert members(ws, in_list("Readers")) == [1]
        assert members(ws, ~in_list("Readers")) == [2, 3]
        assert members(ws, F.name == "b\\c") == [2]
        assert members(ws, F.name == "nobody") == []
        journey = Journey([Segment("All", segkit.everyone()), Segment("Readers", in_list("Readers"))])
        assert ws.journey(journey)["size"].tolist()[:2] == [2, 1]
        counting = Counting(ws.engine, ws._checked(), moment(AS_OF, "UTC"), {})
        for name in ("a", "b\\c"):
            where = (F.name == name) | ~E.opened.any() | F.name.contains("'")
            counted = counting.counts(as_segment(where).definition)
            assert counted.sizes["where"] == ws.size(where)
        counting.close()


def test_history_of_columns_that_are_not_nullable() -> None:
    session = session_of(
        "CREATE TABLE contacts (contact_id Int64) ENGINE = MergeTree ORDER BY contact_id",
        "CREATE TABLE events (contact_id Int64, event String, occurred_at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY contact_id",
        "INSERT INTO contacts VALUES (1), (2)",
        "INSERT INTO events VALUES (1, 'opened', '2025-06-01 10:00:00'), (1, 'opened', '2025-06-20 10:00:00'),"
        " (2, 'opened', '2025-06-03 10:00:00')",
    )
    recent = E.opened.within(days=30)
    segments = [recent.any(), recent.count() >= 2, E.opened.last().older_than(days=10), recent.first() > "2025-06-02"]
    days = ["2025-06-02", "2025-06-15", "2025-06-25", "2025-07-10", "2025-08-01"]
    with connect(session, home=None) as ws:
        frame = ws.history(segments, every=days)
        assert set(frame["method"]) == {"swept"}
        assert frame["size"].tolist() == [ws.size(where, as_of=day) for where in segments for day in days]


@pytest.mark.parametrize("opened", [_of_clickhouse_connect])
def test_a_client_answers_like_a_session(narrow: segkit.Workspace, opened: Callable[[Any], Any]) -> None:
    driver: Any = narrow.engine
    ws = connect(opened(driver._driver._session), catalog=CATALOG, as_of=AS_OF, home=None)
    for where, expected in BESIDE:
        assert members(ws, where) == expected, where


def test_kinds_of_types() -> None:
    found = {
        "Nullable(Int8)": "integer", "UInt256": "integer", "LowCardinality(Nullable(String))": "text", "Decimal(38, 10)": "decimal",
        "DateTime64(9, 'Europe/Rome')": "timestamptz", "DateTime": "timestamptz", "Date32": "date", "Map(String, UInt8)": "json",
        "Bool": "boolean", "BFloat16": "float", "IPv4": "unknown", "FixedString(3)": "unknown",
    }  # fmt: skip
    assert {name: str(clickhouse.kind_of(name)) for name in found} == found
