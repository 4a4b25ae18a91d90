"""The shapes of conditions on which engines were found to differ, on every engine, against plain Python beside each.

The contacts hold the rows that break naive SQL: NULL everywhere, NaN, '', spaces at the end, twins in case, accent and emoji,
backslashes, % and _, 0 orders, 29 February, and columns named like nothing should be. Events lie on the edges of windows, and one
has no contact.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from decimal import Decimal
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from engines import ENGINES, Rows, without_json

from segkit import E, F, Segment, Workspace, connect, everyone
from segkit.builder import Predicate
from segkit.catalog import Kind

AS_OF = dt.datetime(2027, 3, 1, 12)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
DAY, MICRO = dt.timedelta(days=1), dt.timedelta(microseconds=1)

NAMES = (
    "O'Brien", 'say "hi"', "back\\slash", "\\", "\\\\", "a\\%b", "50% off", "50%_off", "x50%_offx", "under_score", "underxscore", "r_s",
    "line\nbreak", "tab\there", "%s", ":p", "{{jinja}}", "--comment", "'", "n", "a\\b", "a\bb", "trailing", "Trailing", "trailing ", "TRAIL",
    "", " ", "É cole", "E\u0301 cole", "é cole", "😀", "😁", "istanbul", "İstanbul", "ISTANBUL", "a", "B", "Z", "z", "É", "ß", "K", "\u212a",
)  # fmt: skip
COUNTRIES = ("USA", "usa", "USA ", "U", None, "Italy", "")
NUMBERS = (0, 1, 2, 3, 4, 5, 6, -1, None)
ORDERS = (0, 1, 2, 8, None)
REVENUES = (Decimal("19.99"), Decimal("0.00"), Decimal("100.00"), Decimal("1000.01"), None)
SCORES = (0.3, 0.1 + 0.2, 0.0, -0.0, float("nan"), 1e308, -1.5, None)
TIMES = tuple(
    edge + step
    for edge in (AS_OF, AS_OF - DAY, AS_OF - 30 * DAY, AS_OF.replace(hour=0), AS_OF - 90 * DAY)
    for step in (-MICRO, 0 * DAY, MICRO)
)
DATES = (
    dt.date(2024, 2, 29),
    dt.date(2025, 2, 28),
    dt.date(2026, 3, 1),
    dt.date(2026, 2, 28),
    dt.date(1988, 2, 29),
    dt.date(2027, 2, 28),
)
DOCUMENTS = (
    '{"plan": "pro", "seats": 10, "vip": true}', '{"plan": "Pro", "seats": "7", "vip": "true"}', '{"plan": null, "seats": "many", "vip": false}',
    '{"a b": "x", "a.b": "y", "seats": 5}', '{"a": {"b": "y"}, "seats": 6}', "{}", None,
)  # fmt: skip


def _contacts() -> Iterator[dict[str, Any]]:
    pools = {
        "country": COUNTRIES, "opens": NUMBERS, "clicks": (2, None, 0, 7), "orders": ORDERS, "revenue": REVENUES, "score": SCORES,
        "subscribed": (True, None, False), "last_purchase": (*TIMES, None), "signup": (*DATES, None), "birthday": (None, *DATES),
        "props": DOCUMENTS, "Customer Tier": ("gold", None), "order": (1, 2, None), 'we"ird`c]ol': (1, None, 0), "UPPER_Col": (1, 2),
    }  # fmt: skip
    drawn = {name: cycle(values) for name, values in pools.items()}
    for key, name in enumerate((*NAMES, *[None] * 8)):
        row = {own: next(values) for own, values in drawn.items()}
        at = row["last_purchase"]
        yield {"id": key, "name": name, "seen_tz": at and at.replace(tzinfo=dt.UTC), **row}


CONTACTS = list(_contacts())
EVENTS = [
    {
        "event_id": n,
        "contact_id": None if n == 7 else n * n % 40,
        "type": ("open", "click", "open")[n % 3],
        "ts": AS_OF - edge + step,
    }
    for n, (edge, step) in enumerate(
        (edge, step)
        for edge in (0 * DAY, DAY, 30 * DAY, 60 * DAY, 61 * DAY, 7 * DAY)
        for step in (-MICRO, 0 * DAY, MICRO)
        for _ in range(11)
    )
]
FIELDS = {
    "id": Kind.INTEGER, "name": Kind.TEXT, "country": Kind.TEXT, "opens": Kind.INTEGER, "clicks": Kind.INTEGER, "orders": Kind.INTEGER,
    "revenue": Kind.DECIMAL, "score": Kind.FLOAT, "subscribed": Kind.BOOLEAN, "last_purchase": Kind.TIMESTAMP, "seen_tz": Kind.TIMESTAMPTZ,
    "signup": Kind.DATE, "birthday": Kind.DATE, "props": Kind.JSON, "Customer Tier": Kind.TEXT, "order": Kind.INTEGER,
    'we"ird`c]ol': Kind.INTEGER, "UPPER_Col": Kind.INTEGER,
}  # fmt: skip
OF_EVENTS = {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "type": Kind.TEXT, "ts": Kind.TIMESTAMP}
CATALOG = {
    "contacts": {"table": "contacts", "key": "id", "fields": {"props": "json"}},
    "events": [{"table": "events", "contact": "contact_id", "event": "type", "time": "ts", "id": "event_id"}],
}

Row = dict[str, Any]


def events(row: Row, name: str, days: int | None = None) -> int:
    """How many events a contact has, in the last days."""
    low = dt.datetime.min if days is None else AS_OF - days * DAY
    return sum(own["contact_id"] == row["id"] and own["type"] == name and low < own["ts"] <= AS_OF for own in EVENTS)


def known(row: Row, *names: str) -> bool:
    return all(row[name] is not None and row[name] == row[name] for name in names)


def local_day(row: Row) -> dt.date | None:
    return row["seen_tz"] and row["seen_tz"].astimezone(LOS_ANGELES).date()


def json_of(row: Row) -> Row:
    return json.loads(row["props"]) if row["props"] else {}


def seats(row: Row) -> float | None:
    own = json_of(row).get("seats")
    return float(own) if isinstance(own, int) or (isinstance(own, str) and own.isdigit()) else None


def text_shapes() -> Iterator[tuple[str, Predicate, Callable[[Row], Any]]]:
    for literal in ("O'Brien", 'say "hi"', "back\\slash", "\\", "\\\\", "line\nbreak", "tab\there", "%s", "{{jinja}}", "'", "--comment", ":p", "n", "a\\b",
                    "É cole", "😀", "", " ", "trailing "):  # fmt: skip
        yield f"equals {literal!r}", F.name == literal, lambda row, s=literal: row["name"] == s
    for piece in ("50%_off", "r_s", "\\", "'", "😀", "TRAIL", "a\\%b", "50% off", "_", "%"):
        yield f"contains {piece!r}", F.name.contains(piece), lambda row, s=piece: row["name"] is not None and s in row["name"]
    for start in ("50%", "under_", "back\\", "trail"):
        yield (
            f"starts {start!r}",
            F.name.startswith(start),
            lambda row, s=start: row["name"] is not None and row["name"].startswith(s),
        )
    for end in ("% off", "_score", "ling", " "):
        yield f"ends {end!r}", F.name.endswith(end), lambda row, s=end: row["name"] is not None and row["name"].endswith(s)
    yield (
        "ignoring case, ASCII alone",
        F.name.contains("ISTANBUL", ignore_case=True),
        lambda row: row["name"] in ("istanbul", "ISTANBUL"),
    )
    yield "lower, ASCII alone", F.name.lower() == "É cole", lambda row: row["name"] == "É cole"
    yield "length in characters", F.name.length() == 6, lambda row: row["name"] is not None and len(row["name"]) == 6
    yield "regex", F.name.matches(r"^[a-z]+_[a-z]+$"), lambda row: row["name"] in ("under_score", "r_s")


def shapes() -> Iterator[tuple[str, Predicate, Callable[[Row], Any]]]:
    """Conditions, each with what it means in plain Python (a member where that is true)."""
    yield from text_shapes()
    yield "eq", F.country == "USA", lambda r: r["country"] == "USA"
    yield "ne keeps what is missing", F.country != "USA", lambda r: r["country"] != "USA"
    yield "in", F.country.is_in(["USA", "Italy"]), lambda r: r["country"] in ("USA", "Italy")
    yield "in, or missing", F.country.is_in(["USA"]) | F.country.is_missing(), lambda r: r["country"] in ("USA", None)
    yield "not in, known", ~F.country.is_in(["USA"]) & ~F.country.is_missing(), lambda r: r["country"] not in ("USA", None)
    yield "in nothing", F.country.is_in([]), lambda _: False
    yield (
        "the complement of two",
        ~((F.opens > 3) & (F.country == "USA")),
        lambda r: not (known(r, "opens") and r["opens"] > 3 and r["country"] == "USA"),
    )
    yield "missing", F.name.is_missing(), lambda r: r["name"] is None
    yield "empty is a value", F.name == "", lambda r: r["name"] == ""
    yield "between", F.opens.between(2, 5), lambda r: known(r, "opens") and 2 <= r["opens"] <= 5
    yield (
        "true division",
        F.opens / F.orders > 1.2,
        lambda r: known(r, "opens", "orders") and r["orders"] and r["opens"] / r["orders"] > 1.2,
    )
    yield "less than a half", F.opens / 8 < 0.5, lambda r: known(r, "opens") and r["opens"] / 8 < 0.5
    yield (
        "decimals by 0",
        F.revenue / F.orders > 100,
        lambda r: known(r, "revenue", "orders") and r["orders"] and r["revenue"] / r["orders"] > 100,
    )
    yield "decimals are exact", F.revenue == Decimal("19.99"), lambda r: r["revenue"] == Decimal("19.99")
    yield "floats, NaN is missing", F.score > 0.3, lambda r: known(r, "score") and r["score"] > 0.3
    yield "floats, NaN is in the complement", F.score != 0.3, lambda r: r["score"] != 0.3
    yield "negation", F.opens - -1 > 3, lambda r: known(r, "opens") and r["opens"] + 1 > 3
    yield "negated twice", -(-F.opens) > 3, lambda r: known(r, "opens") and r["opens"] > 3  # noqa: B002
    yield (
        "a score", F.opens * 2 + F.clicks * 5 + F.orders * 10 > 40,
        lambda r: known(r, "opens", "clicks", "orders") and r["opens"] * 2 + r["clicks"] * 5 + r["orders"] * 10 > 40,
    )  # fmt: skip
    yield (
        "or inside of and",
        (F.opens > 3) & ((F.country == "USA") | (F.orders == 1)),
        lambda r: known(r, "opens") and r["opens"] > 3 and (r["country"] == "USA" or r["orders"] == 1),
    )
    yield (
        "a sum times two",
        (F.opens + F.orders) * 2 > 10,
        lambda r: known(r, "opens", "orders") and (r["opens"] + r["orders"]) * 2 > 10,
    )
    yield (
        "a difference less a difference",
        F.opens - (F.orders - F.clicks) > 1,
        lambda r: known(r, "opens", "orders", "clicks") and r["opens"] - (r["orders"] - r["clicks"]) > 1,
    )
    yield "true", F.subscribed == True, lambda r: r["subscribed"] is True  # noqa: E712
    yield "false", F.subscribed == False, lambda r: r["subscribed"] is False  # noqa: E712
    yield "not true", ~(F.subscribed == True), lambda r: r["subscribed"] is not True  # noqa: E712
    yield "everyone", everyone(), lambda _: True
    yield (
        "within 30 days",
        F.last_purchase.within(days=30),
        lambda r: known(r, "last_purchase") and AS_OF - 30 * DAY < r["last_purchase"] <= AS_OF,
    )
    yield (
        "within 24 hours",
        F.last_purchase.within(hours=24),
        lambda r: known(r, "last_purchase") and AS_OF - DAY < r["last_purchase"] <= AS_OF,
    )
    yield (
        "older than 30 days",
        F.last_purchase.older_than(days=30),
        lambda r: known(r, "last_purchase") and r["last_purchase"] < AS_OF - 30 * DAY,
    )
    yield "month", F.birthday.month() == 2, lambda r: known(r, "birthday") and r["birthday"].month == 2
    yield "year", F.signup.year() < 2026, lambda r: known(r, "signup") and r["signup"].year < 2026
    yield (
        "days since a date",
        F.signup.older_than(days=365),
        lambda r: known(r, "signup") and (AS_OF.date() - r["signup"]).days > 365,
    )
    yield (
        "timestamp against a date",
        F.last_purchase >= dt.date(2027, 3, 1),
        lambda r: known(r, "last_purchase") and r["last_purchase"] >= dt.datetime(2027, 3, 1),
    )
    yield (
        "date against a timestamp",
        F.signup >= dt.datetime(2026, 3, 1),
        lambda r: known(r, "signup") and r["signup"] >= dt.date(2026, 3, 1),
    )
    yield (
        "an instant",
        F.seen_tz >= dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC),
        lambda r: known(r, "seen_tz") and r["seen_tz"] >= AS_OF.replace(tzinfo=dt.UTC),
    )
    yield "JSON text", F.props.json("plan") == "pro", lambda r: json_of(r).get("plan") == "pro"
    yield "JSON number, also as text", F.props.json("seats") > 5, lambda r: seats(r) is not None and seats(r) > 5
    yield "JSON null is missing", F.props.json("plan").is_missing(), lambda r: json_of(r).get("plan") is None
    yield "a key with a space", F.props.json("a b") == "x", lambda r: json_of(r).get("a b") == "x"
    yield "a key with a dot", F.props.json('"a.b"') == "y", lambda r: json_of(r).get("a.b") == "y"
    yield "a path", F.props.json("a.b") == "y", lambda r: isinstance(json_of(r).get("a"), dict)
    yield "JSON boolean", F.props.json("vip") == True, lambda r: json_of(r).get("vip") in (True, "true")  # noqa: E712
    yield "a column with a space", F["Customer Tier"] == "gold", lambda r: r["Customer Tier"] == "gold"
    yield "a column like a word of SQL", F["order"] == 1, lambda r: r["order"] == 1
    yield "a column with quotes", F['we"ird`c]ol'] == 1, lambda r: r['we"ird`c]ol'] == 1
    yield "a column in capitals", F.UPPER_Col == 1, lambda r: r["UPPER_Col"] == 1
    yield "at least", E.open.count() >= 3, lambda r: events(r, "open") >= 3
    yield "fewer than, also none", E.open.count() < 2, lambda r: events(r, "open") < 2
    yield "fewer than, beside events of nobody", ~(E.open.count() >= 2), lambda r: events(r, "open") < 2
    yield "any in a window", E.click.within(days=30).any(), lambda r: events(r, "click", 30) > 0
    yield "none in a window", E.open.within(days=60).count() == 0, lambda r: events(r, "open", 60) == 0
    yield "fewer in a window", E.open.within(days=60).count() < 1, lambda r: events(r, "open", 60) < 1


LOCAL = {
    "a local day": (F.seen_tz.on(dt.date(2027, 2, 28)), lambda r: local_day(r) == dt.date(2027, 2, 28)),
    "an anniversary on 28 February": (
        F.signup.anniversary(),
        lambda r: known(r, "signup") and (r["signup"].month, r["signup"].day) in ((2, 28), (2, 29)),
    ),
}
"""Shapes in Los Angeles, where it is still February at five in the morning, UTC."""
SHAPES = {name: (where, meant) for name, where, meant in shapes()}


@pytest.fixture(scope="module", params=ENGINES)
def source(request: pytest.FixtureRequest) -> Any:
    own = ENGINES[request.param]
    return own, own.loaded({"contacts": Rows(FIELDS, CONTACTS), "events": Rows(OF_EVENTS, EVENTS)})


@pytest.fixture(scope="module")
def workspace(source: Any) -> Workspace:
    own, loaded = source
    return connect(loaded, catalog=CATALOG, as_of=AS_OF, home=None, **own.connect)


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name: str, workspace: Workspace, source: Any) -> None:
    where, meant = SHAPES[name]
    expected = [row["id"] for row in CONTACTS if meant(row)]
    with without_json(source[0]) if "props" in repr(where) else nullcontext():
        assert workspace.members(where)["id"].tolist() == expected
        assert workspace.members(~where)["id"].tolist() == [row["id"] for row in CONTACTS if not meant(row)]


@pytest.mark.parametrize("name", LOCAL)
def test_shape_in_los_angeles(name: str, source: Any) -> None:
    own, loaded = source
    where, meant = LOCAL[name]
    at = dt.datetime(2027, 3, 1, 5, tzinfo=dt.UTC)
    with connect(loaded, catalog=CATALOG, as_of=at, timezone="America/Los_Angeles", home=None, **own.connect) as ws:
        assert ws.members(Segment(name, where))["id"].tolist() == [row["id"] for row in CONTACTS if meant(row)]


def test_most_shapes_tell_contacts_apart() -> None:
    sizes = [sum(bool(meant(row)) for row in CONTACTS) for _, meant in SHAPES.values()]
    assert len(CONTACTS) > 50
    assert len(EVENTS) > 190
    assert len(SHAPES) > 80
    assert sum(0 < size < len(CONTACTS) for size in sizes) >= len(SHAPES) - 4
