"""What members did in a period, beside hand-written SQL, plain Python, and every engine."""

from __future__ import annotations

import datetime as dt
import math
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from engines import ENGINES, Rows
from test_sample_data import SAMPLE, database

from segkit import (
    Catalog,
    CatalogError,
    DefinitionError,
    E,
    F,
    SegkitWarning,
    Segment,
    Workspace,
    connect,
    everyone,
    in_list,
    in_segment,
)
from segkit.catalog import Kind
from segkit.engines.limits import Limits
from segkit.statistics.inference import difference, mean, proportion
from segkit.statistics.intervals import holm

pytestmark = pytest.mark.filterwarnings("ignore:no history of")

REAL = os.environ.get("SEGKIT_PURCHASES", "")
RATES = ["open_rate", "click_rate", "click_to_open_rate", "conversion_rate", "average_order_value", "revenue_per_contact"]
FIGURES = ["contacts", "sends", "opens", "clicks", "conversions", "revenue", "converted"]


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        yield own


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with database(SAMPLE) as connection:
        yield connection


# ---------------------------------------------------------------- beside hand-written SQL

EACH = """
WITH acts AS (
    SELECT * FROM events WHERE contact_id IS NOT NULL AND occurred_at <= TIMESTAMP '2025-11-30 12:00'
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY occurred_at) = 1
), done AS (
    SELECT contact_id, count(*) FILTER (event = 'sent') AS sends, count(*) FILTER (event = 'opened') AS opens,
        count(*) FILTER (event = 'clicked') AS clicks, count(*) FILTER (event = 'purchased') AS conversions,
        coalesce(sum(amount) FILTER (event = 'purchased'), 0) AS revenue
    FROM acts WHERE occurred_at >= $start AND occurred_at < $end GROUP BY contact_id
)
SELECT c.contact_id, coalesce(d.sends, 0) AS sends, coalesce(d.opens, 0) AS opens, coalesce(d.clicks, 0) AS clicks,
    coalesce(d.conversions, 0) AS conversions, coalesce(d.revenue, 0)::DOUBLE AS revenue,
    coalesce(d.conversions > 0, false)::INT AS converted, 1 AS contacts, ({members}) AS is_member
FROM contacts c LEFT JOIN done d ON d.contact_id = c.contact_id
WHERE c.created_at <= $at OR c.created_at IS NULL ORDER BY c.contact_id
"""
HAS = "EXISTS (SELECT 1 FROM acts a WHERE a.contact_id = c.contact_id AND a.event = '{}' AND a.occurred_at <= $at)"
IN_30_DAYS = """(SELECT count(*) FROM acts a WHERE a.contact_id = c.contact_id AND a.event = 'visited'
    AND a.occurred_at > $at - INTERVAL 30 DAY AND a.occurred_at <= $at) >= 2"""
ON_LIST = """c.contact_id IN (SELECT contact_id FROM list_members WHERE list_name = 'VIP Customers'
    AND joined_at <= $at AND (left_at IS NULL OR left_at > $at))"""
BY_HAND = {
    "Carted": (E.carted.any(), HAS.format("carted")),
    "Visitors": (E.visited.within(days=30).count() >= 2, IN_30_DAYS),
    "From the USA": (F.location == "USA", "coalesce(c.location = 'USA', false)"),
    "VIP": (in_list("VIP Customers"), ON_LIST),
    "Nobody": (F.location == "Atlantis", "false"),
}


def by_hand(db: duckdb.DuckDBPyConnection, members: str, start: dt.datetime, end: dt.datetime, at: dt.datetime) -> pd.DataFrame:
    given = {"start": start, "end": end, "at": at}
    query = EACH.format(members=members)
    return db.execute(query, {name: own for name, own in given.items() if f"${name}" in query}).df()


def estimated(each: pd.DataFrame, rate: str) -> Any:
    """A rate of some contacts, from one row a contact."""

    def sums(x: pd.Series, y: pd.Series) -> dict[tuple[int, int], float]:
        a, b = x.to_numpy(float), y.to_numpy(float)
        return {(i, j): float((a**i * b**j).sum()) for i in range(4) for j in range(4 - i)}

    match rate:
        case "open_rate":
            return proportion(sums(each.sends, each.opens), (each.sends > 0).sum())
        case "click_rate":
            return proportion(sums(each.sends, each.clicks), (each.sends > 0).sum())
        case "click_to_open_rate":
            return proportion(sums(each.opens, each.clicks), (each.opens > 0).sum())
        case "conversion_rate":
            return proportion(sums(each.contacts, each.converted), None)
        case "average_order_value":
            return mean(sums(each.conversions, each.revenue), (each.conversions > 0).sum())
        case _:
            return mean(sums(each.contacts, each.revenue), len(each))


def check_row(row: Any, each: pd.DataFrame) -> None:
    """A row of the frame, beside one row a contact."""
    own, rest = each[each.is_member], each[~each.is_member]
    for name in ("contacts", "sends", "opens", "clicks", "conversions", "converted"):
        assert row[name] == own[name].sum(), name
    assert row["revenue"] == pytest.approx(own.revenue.sum(), abs=1e-6)
    rates = {
        "open_rate": (own.opens, own.sends),
        "click_rate": (own.clicks, own.sends),
        "click_to_open_rate": (own.clicks, own.opens),
        "conversion_rate": (own.conversions > 0, own.contacts),
        "average_order_value": (own.revenue, own.conversions),
        "revenue_per_contact": (own.revenue, own.contacts),
    }
    for rate, (over, under) in rates.items():
        assert row[rate] == pytest.approx(over.sum() / (under.sum() or math.nan), nan_ok=True), rate
        mine, others = estimated(own, rate), estimated(rest, rate)
        assert (row[f"{rate}_low"], row[f"{rate}_high"]) == pytest.approx(mine.interval(0.95), nan_ok=True, rel=1e-7), rate
        told = difference(mine, others, None, 0.95)
        found = [row[f"{rate}_vs_rest{part}"] for part in ("", "_low", "_high", "_p")]
        assert found == pytest.approx([told.value, told.low, told.high, told.p], nan_ok=True, rel=1e-6, abs=1e-12), rate


@pytest.mark.parametrize("membership", ["start", "end"])
def test_every_number_is_that_of_hand_written_sql(ws: Workspace, db: duckdb.DuckDBPyConnection, membership: str) -> None:
    segments = [Segment(name, where) for name, (where, _) in BY_HAND.items()]
    start, end = dt.datetime(2025, 8, 1), dt.datetime(2025, 11, 1)
    frame = ws.performance(segments, start=start, end=end, every="month", membership=membership)
    assert frame["segment"].tolist() == [*BY_HAND] * 3
    for _, row in frame.iterrows():
        begin = row["period"].tz_localize(None).to_pydatetime()
        stop = (row["period"] + pd.DateOffset(months=1)).tz_localize(None).to_pydatetime()
        at = begin if membership == "start" else stop
        check_row(row, by_hand(db, BY_HAND[row["segment"]][1], begin, stop, at))
    assert frame["conversions"].min() == 0 < frame["conversions"].max()


def test_a_baseline_is_compared_with_its_contacts_in_common(ws: Workspace, db: duckdb.DuckDBPyConnection) -> None:
    start, end = dt.datetime(2025, 9, 1), dt.datetime(2025, 10, 1)
    segments = [Segment(name, BY_HAND[name][0]) for name in ("Visitors", "VIP")]
    frame = ws.performance(segments, start=start, end=end, baseline=Segment("Carted", BY_HAND["Carted"][0]))
    assert frame["segment"].tolist() == ["Visitors", "VIP", "Carted"]
    assert frame.attrs["baseline"] == "Carted"
    base = by_hand(db, BY_HAND["Carted"][1], start, end, start)
    for _, row in frame.iloc[:2].iterrows():
        own = by_hand(db, BY_HAND[row["segment"]][1], start, end, start)
        both = own[own.is_member & base.is_member]
        figures = {
            "open_rate": ("sends", "opens"),
            "average_order_value": ("conversions", "revenue"),
            "revenue_per_contact": ("contacts", "revenue"),
        }
        for rate, (x, y) in figures.items():
            shared = {(i, j): float((both[x].astype(float) ** i * both[y] ** j).sum()) for i in range(4) for j in range(4 - i)}
            mine, others = estimated(own[own.is_member], rate), estimated(base[base.is_member], rate)
            told = difference(mine, others, shared, 0.95)
            found = [row[f"{rate}_vs_baseline{part}"] for part in ("", "_low", "_high", "_p")]
            assert found == pytest.approx([told.value, told.low, told.high, told.p], rel=1e-6)
    assert frame.loc[2, [name for name in frame if "_vs_baseline" in name and name.endswith("_p")]].isna().all()


def test_p_values_are_corrected_over_the_whole_frame(ws: Workspace) -> None:
    segments = [Segment(name, where) for name, (where, _) in BY_HAND.items()]
    frame = ws.performance(segments, start="2025-08-01", every="month", baseline="VIP")
    tests = [name for name in frame if name.endswith("_p")]
    assert len(tests) == 2 * len(RATES)
    assert frame[[f"{name}_adjusted" for name in tests]].to_numpy().T.ravel() == pytest.approx(
        holm(frame[tests].to_numpy().T.ravel().tolist()), nan_ok=True
    )
    for name in tests:
        significant = frame[f"{name.removesuffix('_p')}_significant"]
        assert significant.tolist() == (frame[f"{name}_adjusted"] <= 0.05).tolist()
        assert significant.dtype == bool
    assert frame["conversion_rate_vs_rest_significant"].any()


def test_everyone_is_the_sum_of_a_segment_and_the_rest(ws: Workspace) -> None:
    part = Segment("Part", E.carted.any())
    frame = ws.performance([part, ~part, everyone()], start="2025-09-01", end="2025-10-01")
    for name in ("contacts", "sends", "opens", "clicks", "conversions", "converted"):
        assert frame[name].iloc[:2].sum() == frame[name].iloc[2], name
    assert frame["open_rate_vs_rest"].iloc[0] == pytest.approx(-frame["open_rate_vs_rest"].iloc[1])
    assert frame.iloc[2][[f"{rate}_vs_rest_p" for rate in RATES]].isna().all()


@pytest.mark.skipif(not REAL, reason="SEGKIT_PURCHASES names no folder with the Online Retail events and contacts")
@pytest.mark.parametrize("every", [None, "quarter"])
def test_real_purchases_have_the_numbers_of_hand_written_sql(every: str | None) -> None:
    """Not in this repository: `contacts.parquet` and `events.parquet` with event_type, invoice_no and value."""
    catalog = {
        "contacts": {"created": "created_at"},
        "events": [{"table": "events", "event": "event_type", "names": ["purchase", "refund", "other"]}],
        "metrics": {
            "refunds": {"event": "refund", "measure": "sum", "of": "value"},
            "refund_rate": {"ratio": ["refunds", "revenue"]},
        },
    }
    segments = [Segment("UK", F.country == "United Kingdom"), Segment("Regular", E.refund.within(days=90).count() >= 2)]
    told = pytest.warns(SegkitWarning, match="refund_rate of 'Regular' is circular")
    with connect(REAL, catalog=catalog, as_of="2011-12-10", home=None) as own, told:
        frame = own.performance(segments, start="2011-01-01", end="2011-10-01", every=every)
    db = duckdb.connect()
    conditions = {
        "UK": "c.country = 'United Kingdom'",
        "Regular": "(SELECT count(*) FROM events a WHERE a.contact_id = c.contact_id AND event_type = 'refund'"
        " AND occurred_at > ?::TIMESTAMP - INTERVAL 90 DAY AND occurred_at <= ?) >= 2",
    }
    for table in ("contacts", "events"):
        db.execute(f"CREATE VIEW {table} AS SELECT * FROM '{Path(REAL) / table}.parquet'")
    for _, row in frame.iterrows():
        begin = row["period"].to_pydatetime().replace(tzinfo=None) if every else dt.datetime(2011, 1, 1)
        stop = (pd.Timestamp(begin) + pd.DateOffset(months=3 if every else 9)).to_pydatetime()
        where = conditions[row["segment"]].replace("?", f"'{begin}'")
        each = db.execute(f"""
            SELECT c.contact_id, coalesce({where}, false) AS is_member, 0 AS sends, 0 AS opens, 0 AS clicks, 1 AS contacts,
                count(e.value) FILTER (event_type = 'purchase') AS conversions,
                coalesce(sum(e.value) FILTER (event_type = 'purchase'), 0) AS revenue,
                coalesce(sum(e.value) FILTER (event_type = 'refund'), 0) AS refunds,
                (count(*) FILTER (event_type = 'purchase') > 0)::INT AS converted
            FROM contacts c LEFT JOIN events e ON e.contact_id = c.contact_id AND occurred_at >= '{begin}' AND occurred_at < '{stop}'
            WHERE c.created_at <= '{begin}' OR c.created_at IS NULL GROUP BY ALL ORDER BY c.contact_id""").df()
        assert each.is_member.sum() > 50
        assert math.isnan(row["sends"])
        assert row["refund_rate"] == pytest.approx(each[each.is_member].refunds.sum() / each[each.is_member].revenue.sum())
        assert math.isnan(row["open_rate"])
        for name in ("contacts", "conversions", "converted"):
            assert row[name] == each[each.is_member][name].sum()
        assert row["revenue"] == pytest.approx(each[each.is_member].revenue.sum())
        for rate in ("conversion_rate", "average_order_value", "revenue_per_contact"):
            a, b = (estimated(each[own], rate) for own in (each.is_member, ~each.is_member))
            told = difference(a, b, None, 0.95)
            assert (row[f"{rate}_low"], row[f"{rate}_high"]) == pytest.approx(a.interval(0.95), rel=1e-6)
            found = [row[f"{rate}_vs_rest{part}"] for part in ("", "_low", "_high", "_p")]
            assert found == pytest.approx([told.value, told.low, told.high, told.p], rel=1e-5, abs=1e-9)


# ---------------------------------------------------------------- the same on every engine

AT = dt.datetime(2025, 3, 1)
CATALOG: dict[str, Any] = {
    "as_of": "2025-04-10T00:00:00Z",
    "contacts": {"created": "created_at"},
    "events": [{"table": "events", "id": "event_id", "names": ["sent", "opened", "clicked", "purchased", "refunded"]}],
    "metrics": {
        "refunds": {"event": "refunded", "measure": "sum", "of": "amount"},
        "campaigns": {"event": "opened", "measure": "distinct", "of": "campaign"},
        "large_orders": {"event": "purchased", "where": "amount >= 20"},
        "refund_rate": {"ratio": ["refunds", "revenue"]},
        "refunds_each": {"ratio": ["refunds", "contacts"]},
    },
}


def _world() -> dict[str, Rows]:
    rng = np.random.default_rng(1)
    contacts = [
        {"contact_id": i, "country": ["US", "IT", None][i % 3], "created_at": AT + dt.timedelta(microseconds=i - 38)}
        for i in range(1, 41)
    ]
    edges = [AT - dt.timedelta(microseconds=1), AT, dt.datetime(2025, 4, 1), dt.datetime(2025, 3, 31, 23, 59, 59, 999999)]
    names = ["sent", "opened", "clicked", "purchased", "refunded"]
    events: list[dict[str, Any]] = []
    for number in range(700):
        at = edges[number % 4] if number < 40 else AT + dt.timedelta(seconds=int(rng.integers(-20 * 86400, 45 * 86400)))
        events.append(
            {
                "event_id": number,
                "contact_id": None if number % 97 == 0 else int(rng.integers(1, 42)),
                "event": str(rng.choice(names, p=[0.45, 0.25, 0.08, 0.15, 0.07])),
                "occurred_at": None if number % 101 == 0 else at,
                "amount": None if number % 7 == 0 else Decimal(int(rng.integers(0, 200))) / 4,
                "campaign": str(rng.choice(["a", "b", "c"])),
            }
        )
    events += [{**own, "occurred_at": AT + dt.timedelta(days=9)} for own in events[60:90] if own["occurred_at"]]
    kinds = {
        "contacts": {"contact_id": Kind.INTEGER, "country": Kind.TEXT, "created_at": Kind.TIMESTAMP},
        "events": {
            "event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP,
            "amount": Kind.DECIMAL, "campaign": Kind.TEXT,
        },
    }  # fmt: skip
    return {"contacts": Rows(kinds["contacts"], contacts), "events": Rows(kinds["events"], events)}


SEGMENTS = [
    Segment("US", F.country == "US"),
    Segment("Mailed", E.sent.within(days=10).count() >= 2),
    Segment("Not in the US", ~in_segment("US")),
    Segment("Nobody", F.country == "XX"),
]


def _in_python(own: Callable[[dict[str, Any], list[dict[str, Any]]], bool]) -> dict[str, float]:
    """The figures of March of the members on 1 March, in plain Python."""
    world = _world()
    first: dict[int, dict[str, Any]] = {}
    for event in sorted(
        (e for e in world["events"].rows if e["contact_id"] is not None and e["occurred_at"] is not None),
        key=lambda e: e["occurred_at"],
    ):
        first.setdefault(event["event_id"], event)
    found = dict.fromkeys(
        ("contacts", "sends", "opens", "conversions", "converted", "revenue", "refunds", "campaigns", "large_orders"), 0.0
    )
    for contact in world["contacts"].rows:
        events = [e for e in first.values() if e["contact_id"] == contact["contact_id"]]
        if contact["created_at"] > AT or not own(contact, [e for e in events if e["occurred_at"] <= AT]):
            continue
        inside = [e for e in events if AT <= e["occurred_at"] < dt.datetime(2025, 4, 1)]
        bought = [e for e in inside if e["event"] == "purchased"]
        found["contacts"] += 1
        found["sends"] += sum(e["event"] == "sent" for e in inside)
        found["opens"] += sum(e["event"] == "opened" for e in inside)
        found["conversions"] += len(bought)
        found["converted"] += bool(bought)
        found["revenue"] += sum(float(e["amount"] or 0) for e in bought)
        found["large_orders"] += sum(e["amount"] is not None and e["amount"] >= 20 for e in bought)
        found["refunds"] += sum(float(e["amount"] or 0) for e in inside if e["event"] == "refunded")
        found["campaigns"] += len({e["campaign"] for e in inside if e["event"] == "opened"})
    return found


def _on(engine: str) -> pd.DataFrame:
    own = ENGINES[engine]
    with connect(own.loaded(_world()), catalog=CATALOG, home=None, **own.connect) as ws:
        return ws.performance(SEGMENTS, start="2025-03-01", end="2025-04-01", baseline="Mailed")


def test_figures_are_those_of_plain_python() -> None:
    frame = _on("duckdb").set_index("segment")
    truths: dict[str, Callable[..., bool]] = {
        "US": lambda contact, _: contact["country"] == "US",
        "Not in the US": lambda contact, _: contact["country"] != "US",
        "Mailed": lambda _, events: (
            sum(e["event"] == "sent" and e["occurred_at"] > AT - dt.timedelta(days=10) for e in events) >= 2
        ),
        "Nobody": lambda *_: False,
    }
    for name, truth in truths.items():
        wanted = _in_python(truth)
        assert {own: frame.loc[name, own] for own in wanted} == wanted
        assert frame.loc[name, "refunds_each"] == pytest.approx(wanted["refunds"] / (wanted["contacts"] or math.nan), nan_ok=True)
        assert frame.loc[name, "refund_rate"] == pytest.approx(wanted["refunds"] / (wanted["revenue"] or math.nan), nan_ok=True)
    assert 0 < frame.loc["Mailed", "contacts"] < 38
    assert list(frame.columns[:10]) == [*FIGURES, "refunds", "campaigns", "large_orders"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_the_same_frame(engine: str) -> None:
    pd.testing.assert_frame_equal(_on(engine), _on("duckdb"), rtol=1e-9, atol=1e-12)


def test_many_segments_are_asked_in_several_queries(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [Segment(f"{n} carts", E.carted.count() >= n) for n in range(1, 6)]
    asked = {"start": "2025-09-01", "end": "2025-10-01", "baseline": "3 carts"}
    together = ws.performance(segments, **asked)
    monkeypatch.setattr(type(ws.engine), "limits", Limits(columns=150))
    pd.testing.assert_frame_equal(ws.performance(segments, **asked), together)


# ---------------------------------------------------------------- periods and what is known


def test_nothing_counts_after_what_is_known(ws: Workspace) -> None:
    """Of two purchases the second comes a microsecond after `as_of`."""
    known = pd.Timestamp("2025-02-01 12:00")
    bought = {"contact_id": [1, 1], "event": "purchased", "amount": 1, "occurred_at": [known, known + pd.Timedelta("1us")]}
    tables = {"contacts": pd.DataFrame({"contact_id": [1, 2]}), "events": pd.DataFrame(bought)}
    with connect(tables, as_of=known.to_pydatetime(), home=None) as own:
        with pytest.warns(SegkitWarning, match="nothing after 2025-02-01 12:00"):
            frame = own.performance([everyone()], start="2025-01-15", end="2025-04-01", every="month")
        assert frame["conversions"].tolist() == [1]
        assert own.performance([everyone()], start="2025-01-15")["conversions"].tolist() == [0]
    earlier = ws.performance([everyone()], start="2025-10-01", as_of="2025-11-01")
    assert earlier["sends"][0] == ws.performance([everyone()], start="2025-10-01", end="2025-11-01")["sends"][0]


def test_periods_begin_on_the_clock_of_the_workspace() -> None:
    with connect(home=None, timezone="America/New_York") as own:
        frame = own.performance([everyone()], start="2025-10-01", end="2025-11-20", every="month")
    assert [str(own) for own in frame["period"]] == ["2025-10-01 00:00:00-04:00", "2025-11-01 00:00:00-04:00"]
    assert frame.attrs["start"] == "2025-10-01T04:00:00+00:00"


def test_events_that_have_dates_count_by_their_day() -> None:
    tables = {
        "contacts": pd.DataFrame({"contact_id": [1, 2, 3]}),
        "events": pd.DataFrame({"contact_id": [1, 1, 2, 3], "event": "purchased", "amount": [1, 2, 4, 8],
            "occurred_at": pd.to_datetime(["2025-01-31", "2025-02-01", "2025-02-28", "2025-03-01"]).date}),
    }  # fmt: skip
    with connect(tables, as_of="2025-06-01", home=None) as own:
        frame = own.performance([everyone()], start="2025-02-01", end="2025-03-01")
    assert frame[["conversions", "revenue"]].values.tolist() == [[2, 6]]
    assert frame["sends"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"start": "2025-10-01", "end": "2025-10-01"}, "is empty"),
        ({"start": "2026-10-01", "end": "2026-11-01"}, "nothing after"),
        ({"start": "2025-10-01", "every": "fortnight"}, "unknown unit 'fortnight'"),
        ({"start": "1990-01-01", "every": "day"}, "more than 1,000 periods"),
        ({"start": "2025-10-01", "membership": "begin"}, "membership must be"),
        ({"start": "2025-10-01", "confidence": 95}, "confidence must be"),
        ({"start": "2025-10-01", "baseline": "Cartd"}, "did you mean 'Carted'"),
        ({"start": "soon"}, "is no instant"),
    ],
)
def test_what_cannot_be_asked_is_refused(ws: Workspace, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        ws.performance([Segment("Carted", E.carted.any())], **arguments)
    assert told in str(refused.value)


@pytest.mark.parametrize("arguments", [{}, {"every": "month"}, {"baseline": everyone()}])
def test_no_segments_give_an_empty_frame_of_the_same_columns(ws: Workspace, arguments: dict[str, Any]) -> None:
    some = ws.performance([Segment("Carted", E.carted.any())], start="2025-09-01", end="2025-10-01", **arguments)
    none = ws.performance([], start="2025-09-01", end="2025-10-01", **arguments)
    if "baseline" not in arguments:
        assert none.empty
        assert (
            none.dtypes.astype(str).replace("datetime64.*", "time", regex=True).to_dict()
            == some.dtypes.astype(str).replace("datetime64.*", "time", regex=True).to_dict()
        )
    assert list(none.columns) == list(some.columns)


# ---------------------------------------------------------------- circular rates

CIRCULAR = {
    "direct": (E.opened.within(days=30).count() >= 5, "open_rate"),
    "all time": (E.opened.last() > "2025-06-01", "open_rate"),
    "any event": (
        E["*"].count() > 100,
        "open_rate, click_rate, click_to_open_rate, conversion_rate, average_order_value, revenue_per_contact",
    ),
    "sequence": (E.carted.then(E.purchased, days=7).any(), "conversion_rate, average_order_value, revenue_per_contact"),
    "rank": (F.email.is_missing() | (E.clicked.count()).top(percent=10), "click_rate, click_to_open_rate"),
    "negated": (~(E.clicked.any() & E.opened.any()), "open_rate, click_rate, click_to_open_rate"),
    "field": (F.opens > 5, "open_rate"),
    "by reference": (in_segment("Openers"), "open_rate"),
    "by reference of a reference": (in_segment("Not openers") & (F.country == "USA"), "open_rate"),
    "by calculated field": (F.opens_per_click > 2, "open_rate"),
    "by formula of fields": (F.average_order_value > 50, "conversion_rate, average_order_value, revenue_per_contact"),
    "earlier": (E.opened.window(days=(90, 30)).count() >= 2, ""),
    "other events": (E.visited.within(days=30).any(), ""),
    "attribute": (F.country == "USA", ""),
    "list": (in_list("VIP Customers"), ""),
}


@pytest.mark.parametrize("name", CIRCULAR)
def test_a_circular_rate_is_told(name: str) -> None:
    where, wanted = CIRCULAR[name]
    with connect(home=None) as own, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own.define(Segment("Openers", E.opened.within(days=30).count() >= 2), Segment("Not openers", ~in_segment("Openers")))
        own.define(opens_per_click=E.opened.count() / E.clicked.count() if name == "by calculated field" else F.account_age / 2)
        frame = own.performance([Segment("S", where)], start="2025-09-01", end="2025-10-01")
    if name == "by calculated field":
        wanted = "open_rate, click_rate, click_to_open_rate"
    assert frame["circular"].tolist() == [wanted]
    told = [str(own.message) for own in caught if "circular" in str(own.message)]
    assert len(told) == bool(wanted)
    if wanted:
        assert told[0].startswith(f"{wanted} of 'S' {'are' if ',' in wanted else 'is'} circular")


def test_at_the_end_of_the_period_what_was_done_in_it_is_circular(ws: Workspace) -> None:
    """Fifteen days before the end, the period had begun; before the start, it had not."""
    where = Segment("S", E.opened.window(days=(20, 15)).any())
    asked = {"start": "2025-09-01", "end": "2025-10-01"}
    assert ws.performance([where], **asked)["circular"].tolist() == [""]
    with pytest.warns(SegkitWarning, match="open_rate of 'S' is circular"):
        assert ws.performance([where], membership="end", **asked)["circular"].tolist() == ["open_rate"]


def test_rates_above_one_have_no_interval_and_say_so() -> None:
    events = pd.DataFrame({"contact_id": [1, 1, 1, 2], "event": ["sent", "opened", "opened", "sent"], "campaign": "a"})
    events["occurred_at"] = pd.Timestamp("2025-01-15")
    tables = {"contacts": pd.DataFrame({"contact_id": [1, 2]}), "events": pd.concat([events, events.iloc[1:3]])}
    with connect(tables, as_of="2025-02-01", home=None) as own:
        with pytest.warns(SegkitWarning, match=r"open_rate of 'everyone\(\)' is above 1"):
            frame = own.performance([everyone()], start="2025-01-01")
        assert frame["open_rate"][0] == 2
        assert frame[["open_rate_low", "open_rate_high"]].isna().all(axis=None)
    once = {"metrics": {"opens": {"event": "opened", "measure": "distinct", "of": "campaign"}}}
    with connect(tables, as_of="2025-02-01", home=None, catalog={"events": [{"table": "events"}], **once}) as own:
        assert own.performance([everyone()], start="2025-01-01")["open_rate"][0] == 0.5


# ---------------------------------------------------------------- metrics of the catalog


def test_the_catalog_names_events_by_its_own_words() -> None:
    events = pd.DataFrame({"contact_id": [1, 1, 2, 2, 2], "event": ["mail_out", "read", "mail_out", "order", "hit"]})
    events["occurred_at"], events["paid"] = pd.Timestamp("2025-01-15"), [0, 0, 0, 30, 0]
    tables = {"contacts": pd.DataFrame({"contact_id": [1, 2]}), "events": events}
    catalog = {
        "events": [{"table": "events"}],
        "verbs": {"opened": {"event": "read"}},
        "metrics": {"sends": "mail_out", "clicks": {"event": ["tap", "hit"]}, "revenue": {"event": "order", "of": "paid"}},
    }
    with connect(tables, as_of="2025-02-01", home=None, catalog=catalog) as own:
        frame = own.performance([everyone()], start="2025-01-01")
        assert frame[["sends", "opens", "clicks", "conversions", "revenue"]].values.tolist() == [[2, 1, 1, 1, 30]]
        assert "revenue                  metric, sum of paid, order" in repr(own.catalog)
    assert Catalog.from_dict(catalog).metrics["sends"].events == ("mail_out",)


@pytest.mark.parametrize(
    ("metrics", "place", "told"),
    [
        (["refunds"], "catalog.metrics", "expected metrics"),
        ({"refunds": {"evnt": "x"}}, "catalog.metrics.refunds", "did you mean 'event'"),
        ({"refunds": {"measure": "sum", "of": "amount"}}, "catalog.metrics.refunds", "has no event"),
        ({"refunds": {"event": "refunded", "measure": "sum"}}, "catalog.metrics.refunds", "a sum of nothing"),
        ({"refunds": {"event": "refunded", "measure": "count", "of": "amount"}}, "catalog.metrics.refunds", "counts events"),
        ({"refunds": {"event": "refunded", "measure": "summ", "of": "a"}}, "catalog.metrics.refunds.measure", "'sum'"),
        ({"refunds": {"event": "refunded", "where": " "}}, "catalog.metrics.refunds.where", "is no condition"),
        ({"rate": {"ratio": ["revenu", "sends"]}}, "catalog.metrics.rate.ratio", "did you mean 'revenue'"),
        ({"rate": {"ratio": ["revenue"]}}, "catalog.metrics.rate", "a ratio is of two metrics"),
        ({"rate": {"ratio": ["revenue", "sends"], "event": "x"}}, "catalog.metrics.rate", "a ratio is of two metrics"),
        ({"opens": {"ratio": ["revenue", "sends"]}}, "catalog.metrics.opens", "cannot be a ratio"),
        ({"open_rate": {"event": "opened"}}, "catalog.metrics.open_rate", "a column of its own"),
        ({"Converted": {"event": "opened"}}, "catalog.metrics.Converted", "a column of its own"),
    ],
)
def test_metrics_that_mean_nothing_are_refused(metrics: Any, place: str, told: str) -> None:
    with pytest.raises(CatalogError) as refused:
        Catalog.from_dict({"metrics": metrics})
    assert refused.value.where == place
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ({"event": "refundd"}, "did you mean 'refunded'"),
        ({"event": "refunded", "measure": "sum", "of": "amout"}, "did you mean 'amount'"),
        ({"event": "refunded", "measure": "sum", "of": "campaign"}, "use a number"),
        ({"event": "refunded", "where": "amout > 5"}, "did you mean 'amount'"),
    ],
)
def test_metrics_that_do_not_fit_the_data_are_refused(metric: Any, told: str) -> None:
    catalog = replace(Catalog.from_file(SAMPLE / "catalog.yml"), metrics=Catalog.from_dict({"metrics": {"own": metric}}).metrics)
    with connect(str(SAMPLE), catalog=catalog, home=None) as own, pytest.raises(DefinitionError) as refused:
        own.performance([everyone()], start="2025-11-01")
    assert refused.value.where.startswith("catalog.metrics.own")
    assert told in str(refused.value)
