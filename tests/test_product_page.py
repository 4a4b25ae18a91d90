"""Every code block of the product page, verbatim, against hand-written SQL on the sample data.

The sample data holds contacts exactly on, just before and just after every edge of these segments (its README lists
them); each block is asked of every engine and of the plain-Python evaluator.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pytest
from engines import ENGINES, Rows
from test_sample_data import SAMPLE, SEGMENTS, database

from segkit import (
    F,
    Segment,
    Workspace,
    connect,
    evaluate,
    everyone,
    parse,
    parse_fields,
    parse_journey,
    parse_segment,
    templates,
)
from segkit.engines.kinds import kind
from segkit.plan import moment, plan
from segkit.segment import by_name

BLOCKS: dict[str, str] = json.loads((Path(__file__).parent / "fixtures" / "product_page.json").read_text(encoding="utf-8"))
HAND_WRITTEN = {
    "Simple Segment Example": "Email Contains",
    "Advanced Segment Example": "Advanced Example",
    "Complex Nested Example": "Nested Conditions",
    "Combined Strategy": "Engaged VIPs",
    "Exclusion Example": "Non-purchasers only",
}
"""The name that a block's hand-written query bears, where it differs from the block's."""
OTHERS = ("Calculation Examples", "Customer Journey")
WHOLE = {
    "Simple Segment Example": "All employees",
    "Combined Strategy": "Engaged VIPs",
    "Exclusion Example": "Non-purchasers only",
}
"""The blocks that name their result."""
REFERRED = (templates.active_last_30_days(), Segment("Purchased This Week", parse("Purchased in last 7 days")))
API = {
    "name": "High Value Active",
    "conditions": [
        {"field": "lifetime_value", "operator": "greater_than", "value": 500},
        {"field": "last_activity", "operator": "within_days", "value": 30},
    ],
    "logic": "AND",
}


@pytest.fixture(scope="module")
def oracle() -> duckdb.DuckDBPyConnection:
    return database(SAMPLE)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Workspace]:
    with connect() as ws:
        ws.define(*REFERRED)
        yield ws


FEW = "contact_id > 9000000 OR contact_id % 50 = 1"
"""The contacts that lie on the edges, and some dozens of others: an interpreter is asked for no more."""


ALL = dict.fromkeys(("contacts", "events", "list_members", "tier_history"), "true")
WHOSE = {**ALL, "contacts": FEW, "events": FEW, "tier_history": FEW}
"""Whose rows of each table are loaded."""


@cache
def sample(*whose: tuple[str, str]) -> dict[str, Rows]:
    """The tables of the sample data, of some contacts."""
    tables = {}
    with database(SAMPLE) as connection:
        for table, contacts in whose:
            columns = {name: kind(type_) for name, type_, *_ in connection.execute(f"DESCRIBE {table}").fetchall()}
            tables[table] = Rows(columns, _rows(connection, table, contacts))
    return tables


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """The sample data on each engine."""
    own = ENGINES[request.param]
    source = None if own.name == "duckdb" else own.loaded(sample(*(WHOSE if own.is_slow else ALL).items()))
    with connect(source, catalog=SAMPLE / "catalog.yml", home=None, **own.connect) as ws:
        ws.define(*REFERRED)
        yield ws


@pytest.fixture
def known(engine: Workspace, embedded: Workspace) -> Iterator[Workspace]:
    """DuckDB with the data that the engine has."""
    if engine.size(everyone()) == embedded.size(everyone()):
        yield embedded
        return
    connection = duckdb.connect(":memory:")
    for table, contacts in WHOSE.items():
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM '{SAMPLE / table}.parquet' WHERE {contacts}")
    with connect(connection, catalog=SAMPLE / "catalog.yml", home=None) as ws:
        ws.define(*REFERRED)
        yield ws


def block(name: str) -> Segment:
    if name == "API":
        return Segment.from_dict(API)
    return parse_segment(BLOCKS[name]) if name in WHOLE else Segment(name, parse(BLOCKS[name]))


SEGMENT_BLOCKS = [*(name for name in BLOCKS if name not in OTHERS), "API"]


def expected(oracle: duckdb.DuckDBPyConnection, name: str) -> list[int]:
    query = SEGMENTS["High Value Active" if name == "API" else HAND_WRITTEN.get(name, name)]
    return sorted(key for (key,) in oracle.execute(query).fetchall())


def test_the_fixture_is_the_page() -> None:
    cases = os.environ.get("SEGKIT_CASES")
    page = Path(cases).parent / "product" / "segments.md" if cases else None
    if page is None or not page.exists():
        pytest.skip("SEGKIT_CASES does not name a folder that has the product page beside it")
    text = page.read_text(encoding="utf-8")
    assert [name for name, own in BLOCKS.items() if f"```\n{own}\n```" not in text] == []
    plain_blocks = text.split("```")[1::2]
    assert len([own for own in plain_blocks if not own.startswith("javascript")]) == len(BLOCKS)


def test_every_block_has_a_hand_written_query() -> None:
    names = {"High Value Active" if name == "API" else HAND_WRITTEN.get(name, name) for name in SEGMENT_BLOCKS}
    assert names == set(SEGMENTS)
    assert {name: block(name).name for name in WHOLE} == WHOLE


@pytest.mark.parametrize("name", SEGMENT_BLOCKS)
def test_a_block_has_the_members_of_the_hand_written_query(
    name: str, oracle: duckdb.DuckDBPyConnection, engine: Workspace
) -> None:
    there = set(engine.members(everyone())["contact_id"])
    members = [key for key in expected(oracle, name) if key in there]
    assert members
    assert engine.members(block(name))["contact_id"].tolist() == members


def test_the_templates_have_the_same_sizes(engine: Workspace, known: Workspace) -> None:
    documented = templates.documented()
    assert engine.sizes(documented)["size"].tolist() == known.sizes(documented)["size"].tolist()


def test_the_evaluator_finds_the_members_of_every_block(oracle: duckdb.DuckDBPyConnection, embedded: Workspace) -> None:
    """On the planted contacts, which lie on the edges, and on some hundred others."""
    keys = "(SELECT contact_id FROM contacts WHERE contact_id > 9000000 OR contact_id % 20 = 1)"
    tables = [("contacts", f"contact_id IN {keys}"), ("list_members", "true"), ("tier_history", f"contact_id IN {keys}")]
    related = f"contact_id IN {keys} OR event_id IN (SELECT event_id FROM events WHERE contact_id IN {keys})"
    rows = {table: _rows(oracle, table, where) for table, where in [*tables, ("events", related)]}
    assert len(rows["contacts"]) > 250
    catalog, at = embedded._checked(), moment("2025-11-30T12:00:00+00:00", "UTC")
    asked = {row["contact_id"] for row in rows["contacts"]}
    for name in SEGMENT_BLOCKS:
        resolved = plan(block(name).definition, catalog, at, by_name(REFERRED))
        history = {"tier_history": rows["tier_history"]}
        found = evaluate.members(resolved, rows["contacts"], rows["events"], rows["list_members"], history)
        assert found == [key for key in expected(oracle, name) if key in asked], name


def _rows(oracle: duckdb.DuckDBPyConnection, table: str, where: str) -> list[dict[str, object]]:
    cursor = oracle.execute(f"SELECT * FROM {table} WHERE {where}")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("condition", "by_hand"),
    [
        (F.Average_Order_Value > 75, "p.order_count > 0 AND p.total_revenue::DOUBLE / p.order_count > 75"),
        (F.Average_Order_Value.is_missing(), "p.order_count = 0"),
        (F.Customer_Score >= 120, "p.opens * 2 + p.clicks * 5 + p.purchases * 10 >= 120"),
        (F.Days_Since_Purchase == 30, "DATE '2025-11-30' - p.last_purchase_date = 30"),
        (F.Days_Since_Purchase.is_missing(), "p.last_purchase_date IS NULL"),
    ],
    ids=str,
)
def test_the_calculations(condition, by_hand: str, oracle: duckdb.DuckDBPyConnection) -> None:
    with connect() as ws:
        ws.define(**parse_fields(BLOCKS["Calculation Examples"]))
        members = ws.members(condition)["contact_id"].tolist()
    assert members == [k for (k,) in oracle.execute(f"SELECT p.contact_id FROM people p WHERE {by_hand} ORDER BY 1").fetchall()]
    assert members


def test_the_journey(oracle: duckdb.DuckDBPyConnection) -> None:
    journey = parse_journey(BLOCKS["Customer Journey"])
    stages = {
        "Prospect": ("EVERYONE", "true"),
        "Lead": ("Opens > 0", "opens > 0"),
        "Trial": ("Products_Viewed >= 3", "products_viewed >= 3"),
        "Customer": ("Order_Count >= 1", "order_count >= 1"),
        "Loyal": ("Order_Count >= 5", "order_count >= 5"),
        "Advocate": ("Order_Count >= 5 AND Clicks >= 10", "order_count >= 5 AND clicks >= 10"),
    }
    assert list(journey.names) == list(stages)
    with connect() as ws:
        ws.define(*(Segment(name, parse(text)) for name, (text, _) in stages.items()))
        frame = ws.journey(journey)
    whens = " ".join(f"WHEN {sql} THEN '{name}'" for name, (_, sql) in reversed(stages.items()))
    counted = dict(oracle.execute(f"SELECT CASE {whens} END, count(*) FROM people GROUP BY 1").fetchall())
    assert dict(zip(frame["stage"], frame["size"], strict=True)) == {**counted, "(in no stage)": 0}
    certificate = frame.attrs["certificate"]
    assert certificate["disjoint"]
    assert certificate["sums"]
