"""Random definitions over a small catalog, and random data for it, both out of one small pool of boundary values.

`definitions()` is a hypothesis strategy of predicates; every kind of node, measure and span occurs. `World` is a database
of contacts, events and lists drawn from the pool, asked through DuckDB (`members`) or the plain-Python evaluator (`expected`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Iterable
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, get_args
from zoneinfo import ZoneInfo

import duckdb
from hypothesis import strategies as st

import segkit
from segkit import evaluate, metrics, nodes
from segkit.builder import Predicate
from segkit.catalog import Catalog
from segkit.plan import Plan, moment, plan
from segkit.segment import by_name

UTC = dt.UTC
ROME = ZoneInfo("Europe/Rome")
MICRO = dt.timedelta(microseconds=1)
MOMENTS = tuple(dt.datetime.fromisoformat(text + "+00:00") for text in ("2025-06-30T12:00:00", "2024-02-29T23:30:00"))
"""The instants that definitions are evaluated at: a month's end, and a leap day that is March already in Rome."""

CATALOG: dict[str, Any] = {
    "contacts": {
        "table": "contacts",
        "key": "contact_id",
        "created": "created_at",
        "fields": {
            "tenure": {"kind": "integer", "unit": "days"},
            "wait": {"kind": "integer", "unit": "hours"},
            "rate": {"kind": "float", "rate": "month"},
            "local_seen": {"kind": "timestamp", "zone": "Europe/Rome"},
            "props": "json",
        },
    },
    "events": [{"table": "events", "id": "event_id"}],
    "history": [{"table": "tier_history", "fields": {"tier": "tier", "points": "score_then"}}],
    "verbs": {"bought": {"event": "purchased", "nouns": ["items"]}},
    "lists": {"table": "list_members", "joined": "joined_at", "left": "left_at"},
}
TABLES = {
    "contacts": {
        "contact_id": "BIGINT", "created_at": "TIMESTAMP", "country": "VARCHAR", "code": "VARCHAR", "opens": "INTEGER",
        "clicks": "INTEGER", "tenure": "INTEGER", "wait": "INTEGER", "price": "DECIMAL(18, 2)", "paid": "DECIMAL(18, 2)",
        "score": "DOUBLE", "rate": "DOUBLE", "vip": "BOOLEAN", "birthday": "DATE", "renewal": "DATE", "seen_at": "TIMESTAMP",
        "local_seen": "TIMESTAMP", "seen_tz": "TIMESTAMP WITH TIME ZONE", "props": "JSON",
    },
    "events": {
        "event_id": "INTEGER", "contact_id": "BIGINT", "event": "VARCHAR", "occurred_at": "TIMESTAMP",
        "amount": "DECIMAL(18, 2)", "qty": "INTEGER", "rating": "DOUBLE", "campaign": "VARCHAR", "due": "DATE",
    },
    "list_members": {"list_name": "VARCHAR", "contact_id": "BIGINT", "joined_at": "TIMESTAMP", "left_at": "TIMESTAMP"},
    "tier_history": {
        "contact_id": "BIGINT", "tier": "VARCHAR", "score_then": "INTEGER", "valid_from": "TIMESTAMP", "valid_to": "TIMESTAMP",
    },
}  # fmt: skip
SEGMENTS = {
    "Active": segkit.F.opens > 0,
    'It\'s "hot"': segkit.in_segment("Active") & ~(segkit.E.opened.within(days=30).count() == 0),
}

# ---------------------------------------------------------------- the pool

TEXTS = ("", "USA", "usa", "Usa", "USA ", "%", "_", "50%_\\", "it's", 'say "hi"', "Émile", "É", "ß", "👍", "a\nb", "K", "NULL")
INTEGERS = (0, -1, 1, 2, 5, 30)
DECIMALS = (Decimal("0.00"), Decimal("-1.00"), Decimal("19.99"), Decimal("0.10"), Decimal("5.00"), Decimal("20.00"))
FLOATS = (0.0, -1.0, 1.5, 19.99, 5.0, float("nan"))
RATINGS = (0.0, -1.0, 1.5, 2.5, 5.0, float("nan"))
"""Floats that add up exactly in any order: no promise is made for the last bit of other sums."""
LENGTHS = (("minutes", 1440), ("hours", 24), ("days", 1), ("days", 7), ("days", 30), ("weeks", 1), ("months", 1), ("years", 1))
DOCUMENTS = (
    "{}", '{"plan": "pro", "seats": 5}', '{"plan": "USA", "seats": "30", "vip": true, "tags": ["usa", 2]}',
    '{"plan": null, "seats": 1.5, "vip": "true", "a.b": "%", "n": {"k k": 2}, "tags": ["USA", "usa", null, true]}', '{"plan": 5, "seats": "5x", "vip": false, "tags": []}',
    '[{"plan": "pro", "k": 2}, {"plan": "USA"}, ["usa"]]', '{"tags": [["usa", 5], {"plan": "usa", "k": null}, "", 1.5, "5", "2"]}',
    '{"plan": {"name": "pro"}, "seats": -1, "a": {"b": "dot"}, "n": {"k k": "2"}, "tags": "usa"}', '{"plan": "", "seats": true, "n": [0]}',
)  # fmt: skip
PATHS = (("plan",), ("seats",), ("vip",), ("a.b",), ("a", "b"), ("n", "k k"), ("tags", 0), ("tags", 1))
PATTERNS = ("^usa$", "U.A", "[a-z]+", "%|_", "s$", "^$", "\\d", "(?:hi|it)", "\\s", "É")


def _instants(at: dt.datetime) -> tuple[dt.datetime, ...]:
    """The edges of every window around an instant, local midnights, month ends and changes of the clock."""
    edges = [at, *(at + sign * dt.timedelta(days=days) for days in (1, 7, 30, 60) for sign in (1, -1))]
    for zone in (UTC, ROME):
        midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        edges += [(midnight + dt.timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC) for days in (-30, -1, 0, 1)]
        edges += [wall.replace(tzinfo=zone).astimezone(UTC) for wall in (_months_back(at, zone, 1), _months_back(at, zone, 12))]
    named = ("2025-05-31T12:00", "2024-02-29T12:00", "2023-12-31T23:59:59.999999", "2025-03-30T01:00", "2024-12-30T00:00")
    edges += [dt.datetime.fromisoformat(text + "+00:00") for text in named]
    return tuple(edge + step for edge in edges for step in (-MICRO, dt.timedelta(), MICRO))


def _months_back(at: dt.datetime, zone: dt.tzinfo, months: int) -> dt.datetime:
    wall = at.astimezone(zone).replace(tzinfo=None)
    year, month = divmod(wall.year * 12 + wall.month - 1 - months, 12)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, 29 if month != 1 or year % 4 == 0 else 28))


def _days(at: dt.datetime) -> tuple[dt.date, ...]:
    today = at.date()
    named = ("2024-02-29", "2023-02-28", "1988-02-29", "2025-05-31", "2024-12-31", "2025-01-01", "2020-12-31", "1990-06-30")
    near = [today + dt.timedelta(days=days) for days in (-60, -31, -30, -29, -7, -1, 0, 1, 7, 8, 30)]
    return (*near, *(dt.date.fromisoformat(text) for text in named))


INSTANTS = tuple(instant for at in MOMENTS for instant in _instants(at))
DAYS = tuple(day for at in MOMENTS for day in _days(at))

# ---------------------------------------------------------------- data


class World:
    """A database out of the pool: 60 contacts, 120 events, two lists; with the segments that definitions refer to."""

    def __init__(self, seed: int, zone: str) -> None:
        rng = random.Random(seed)
        self.zone = zone
        self.rows = {
            "contacts": _contacts(rng), "events": _events(rng), "list_members": _list_members(rng), "tier_history": _history(rng),
        }  # fmt: skip

    @cached_property
    def workspace(self) -> segkit.Workspace:
        connection = duckdb.connect(":memory:", config={"threads": "1"})
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            values = [[row.get(name) for name in columns] for row in self.rows[table]]
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
        return segkit.connect(connection, catalog=CATALOG, timezone=self.zone, as_of=MOMENTS[0])

    @property
    def catalog(self) -> Catalog:
        return self.workspace._checked()

    def plan(self, where: Predicate, at: dt.datetime) -> Plan:
        return plan(nodes.Definition(None, where.node), self.catalog, moment(at, self.zone), by_name(SEGMENTS))

    def members(self, where: Predicate, at: dt.datetime) -> list[int]:
        """The members that DuckDB finds."""
        return metrics.members(self.workspace.engine, self.plan(where, at)).iloc[:, 0].tolist()

    def expected(self, where: Predicate, at: dt.datetime) -> list[int]:
        """The members that the evaluator finds."""
        rows = self.rows
        past = {"tier_history": rows["tier_history"]}
        return evaluate.members(self.plan(where, at), rows["contacts"], rows["events"], rows["list_members"], past)

    def everyone(self, at: dt.datetime) -> list[int]:
        return self.expected(segkit.everyone(), at)


def _contacts(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "contact_id": key,
            "created_at": _naive(_maybe(rng, INSTANTS)) if rng.random() < 0.3 else dt.datetime(2020, 1, 1),
            "country": _maybe(rng, TEXTS),
            "code": _maybe(rng, TEXTS),
            "opens": _maybe(rng, INTEGERS),
            "clicks": _maybe(rng, INTEGERS),
            "tenure": _maybe(rng, INTEGERS),
            "wait": _maybe(rng, (0, 24, 720, -1)),
            "price": _maybe(rng, DECIMALS),
            "paid": _maybe(rng, DECIMALS),
            "score": _maybe(rng, FLOATS),
            "rate": _maybe(rng, FLOATS),
            "vip": _maybe(rng, (True, False)),
            "birthday": _maybe(rng, DAYS),
            "renewal": _maybe(rng, DAYS),
            "seen_at": _naive(_maybe(rng, INSTANTS)),
            "local_seen": _naive(_maybe(rng, INSTANTS), ROME),
            "seen_tz": _maybe(rng, INSTANTS),
            "props": _maybe(rng, DOCUMENTS),
        }
        for key in range(1, 61)
    ]


def _events(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "event_id": rng.choice((number, number, number, number - 1, None)),
            "contact_id": rng.choice((*range(1, 41), 1, 2, 3, None, 99)),
            "event": rng.choice(("opened", "opened", "purchased", "purchased", "Opened", None)),
            "occurred_at": _naive(_maybe(rng, INSTANTS)),
            "amount": _maybe(rng, DECIMALS),
            "qty": _maybe(rng, INTEGERS),
            "rating": _maybe(rng, RATINGS),
            "campaign": _maybe(rng, TEXTS[:8]),
            "due": _maybe(rng, DAYS),
        }
        for number in range(120)
    ]


def _list_members(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "list_name": name,
            "contact_id": rng.randint(1, 60),
            "joined_at": _naive(_maybe(rng, INSTANTS)),
            "left_at": _naive(_maybe(rng, INSTANTS)) if rng.random() < 0.5 else None,
        }
        for name in ("VIP", "50% off's")
        for _ in range(30)
    ]


def _history(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "contact_id": rng.randint(1, 60),
            "tier": _maybe(rng, TEXTS[:8]),
            "score_then": _maybe(rng, INTEGERS),
            "valid_from": _naive(_maybe(rng, INSTANTS)),
            "valid_to": _naive(_maybe(rng, INSTANTS)) if rng.random() < 0.5 else None,
        }
        for _ in range(90)
    ]


def _maybe(rng: random.Random, values: tuple[Any, ...]) -> Any:
    return None if rng.random() < 0.12 else rng.choice(values)


def _naive(instant: dt.datetime | None, zone: dt.tzinfo = UTC) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(zone).replace(tzinfo=None)


# ---------------------------------------------------------------- values

Nodes = st.SearchStrategy[Any]
ORDERS = ("==", "<", "<=", ">", ">=")
_durations = st.sampled_from(LENGTHS).map(lambda pair: nodes.Duration(pair[1], pair[0]))  # type: ignore[arg-type]
_day_durations = _durations.filter(lambda length: length.unit not in ("minutes", "hours"))


def _fields(*names: str) -> Nodes:
    return st.sampled_from(names).map(nodes.Field)


def _literals(values: Iterable[Any]) -> Nodes:
    return st.sampled_from([value for value in values if value == value]).map(nodes.literal)


@cache
def _windows() -> Nodes:
    """Stretches of time that end in the past or now."""
    same_unit = st.sampled_from((("days", 60, 30), ("days", 30, 0), ("hours", 48, 24), ("months", 2, 1), ("weeks", 2, 1)))
    between = same_unit.map(lambda w: nodes.Between(nodes.Duration(w[1], w[0]), nodes.Duration(w[2], w[0])))  # type: ignore[arg-type]
    mixed = st.just(nodes.Between(nodes.Duration(1, "years"), nodes.Duration(7, "days")))
    return st.one_of(_durations.map(nodes.Last), between, mixed, _periods)


_periods = st.builds(nodes.Period, st.sampled_from(get_args(nodes.PeriodUnit)), st.sampled_from((0, -1, -2)))
_event_names = st.sampled_from(("opened", "opened", "purchased", "purchased", "*", "never_recorded"))


@cache
def _streams() -> Nodes:
    where = st.one_of(st.none(), st.none(), _conditions(1, True))
    named = st.builds(nodes.Events, _event_names, where, st.one_of(st.none(), _windows()))
    counted = st.sampled_from((("bought", "items"), ("opened", "emails"), ("purchased", "times")))
    return st.one_of(named, named, counted.map(lambda pair: nodes.Events(pair[0], noun=pair[1])))


@cache
def _sequences() -> Nodes:
    """How many events another one follows."""
    lengths = st.sampled_from((("minutes", 1440), ("hours", 24), ("days", 7), ("days", 30), ("weeks", 1)))
    length = st.none() | lengths.map(lambda pair: nodes.Duration(pair[1], pair[0]))  # type: ignore[arg-type]
    where = st.one_of(st.none(), st.none(), _conditions(0, True))
    later = st.builds(nodes.Then, st.builds(nodes.Events, _event_names, where), length)
    streams = st.builds(nodes.Events, _event_names, where, st.none() | _windows(), later)
    return streams.map(lambda events: nodes.Aggregate("count", events))


@cache
def _populations() -> Nodes:
    """Whom a rank is about."""
    texts = _compared(st.just("=="), _fields("country", "code"), _literals(TEXTS))
    numbers = _compared(st.sampled_from(ORDERS), _fields("opens", "price"), _number_literals)
    ranked = st.builds(nodes.Top, _fields("clicks"), st.sampled_from((5, 30)))
    complement = st.sampled_from(tuple(SEGMENTS)).map(lambda name: nodes.Not(nodes.InSegment(name)))
    return st.one_of(
        st.none(), texts.map(nodes.Not), numbers, ranked, st.sampled_from(tuple(SEGMENTS)).map(nodes.InSegment), complement
    )


def _aggregates(measures: dict[str, tuple[str, ...]]) -> Nodes:
    """Aggregates of some measures, each of one of its properties (none for a measure without)."""
    pairs = [(measure, of) for measure, properties in measures.items() for of in (properties or (None,))]
    return st.builds(lambda pair, events: nodes.Aggregate(pair[0], events, pair[1]), st.sampled_from(pairs), _streams())


_COUNTED = {
    "count": (), "days": (), "weeks": (), "months": (), "distinct": ("campaign", "amount", "rating", "due"),
    "sum": ("amount", "qty", "rating"), "avg": ("qty", "rating"), "min": ("amount", "rating"), "max": ("qty", "rating"),
    "latest": ("amount", "qty", "rating"),
}  # fmt: skip


@cache
def _numbers(depth: int, in_events: bool) -> Nodes:
    """Numbers that both sides reckon alike to the last bit."""
    fields = _fields("amount", "qty", "rating") if in_events else _fields("opens", "clicks", "price", "paid", "score", "tenure")
    times = _dates(in_events) | _timestamps(in_events)
    part = st.sampled_from(("year", "quarter", "month", "week", "day", "weekday"))
    several = [fields, fields, st.builds(nodes.Part, part, times)]
    several.append(st.builds(nodes.Part, st.just("hour"), _timestamps(in_events)))
    if not in_events:
        several += [_aggregates(_COUNTED), _aggregates(_COUNTED), _sequences(), _fields("points"), _elements()]
        several.append(st.builds(nodes.Word, st.sampled_from(("Opened", "Bought", "opens", "Unsubscribed"))))
    several.append(st.builds(lambda text: nodes.Function("length", (text,)), _texts(in_events)))
    if depth > 0:
        below = _numbers(depth - 1, in_events)
        digits = st.sampled_from(((), (nodes.literal(1),), (nodes.literal(2),)))
        several.append(below.map(lambda own: nodes.Function("abs", (own,))))
        several.append(st.builds(lambda own, d: nodes.Function("round", (own, *d)), below, digits))
        several.append(st.builds(lambda a, b: nodes.Function("coalesce", (a, b)), below, below | _number_literals))
        if not in_events:
            several.append(
                st.builds(nodes.Quantile, _numbers(0, False) | _dates(False), st.sampled_from((2, 3, 5, 100)), _populations())
            )
        operands = st.tuples(below, st.one_of(below, _number_literals)).flatmap(st.permutations)
        several.append(st.builds(lambda op, two: nodes.Arithmetic(op, *two), st.sampled_from("+-**/"), operands))
        several.append(st.builds(nodes.Arithmetic, st.just("-"), times, times))
    return st.one_of(several)


_number_literals = _literals((*INTEGERS, *DECIMALS, *FLOATS, 2026, 0.5))


@cache
def _dates(in_events: bool) -> Nodes:
    fields = _fields("due") if in_events else _fields("birthday", "renewal")
    moved = st.builds(nodes.Arithmetic, st.sampled_from("+-"), fields | st.just(nodes.Today()), _day_durations)
    several = [fields, fields, st.just(nodes.Today()), moved]
    if not in_events:
        several.append(_aggregates({"min": ("due",), "max": ("due",), "latest": ("due",)}))
    return st.one_of(several)


@cache
def _timestamps(in_events: bool) -> Nodes:
    fields = _fields("occurred_at") if in_events else _fields("seen_at", "local_seen", "seen_tz")
    moved = st.builds(nodes.Arithmetic, st.sampled_from("+-"), fields | st.just(nodes.Now()), _durations)
    several = [fields, fields, st.just(nodes.Now()), moved]
    if not in_events:
        several.append(_aggregates({"first": (), "last": (), "latest": ("occurred_at",)}))
        several.append(st.builds(nodes.Word, st.sampled_from(("Opened", "seen_at", "Purchased")), st.just("last")))
        several.append(st.builds(lambda a, b: nodes.Function("coalesce", (a, b)), fields, fields))
    return st.one_of(several)


@cache
def _texts(in_events: bool) -> Nodes:
    fields = _fields("campaign") if in_events else _fields("country", "code", "tier")
    folded = st.builds(lambda name, own: nodes.Function(name, (own,)), st.sampled_from(("lower", "upper")), fields)
    known = st.builds(lambda a, b: nodes.Function("coalesce", (a, b)), fields, fields | _literals(TEXTS))
    several = [fields, fields, folded, known]
    return st.one_of(several) if in_events else st.one_of(*several, _aggregates({"latest": ("campaign",)}))


@cache
def _elements() -> Nodes:
    """How many elements of an array meet a condition on them."""
    arrays = st.sampled_from((("tags",), ("tags",), ("tags",), ("n",), ("plan",), (), ("tags", 0)))
    own = st.one_of(_fields("element", "element", "plan", "k"), st.just(nodes.Json(nodes.Field("element"), ("plan",))))
    tests = st.sampled_from(("contains", "startswith", "endswith"))
    text = st.sampled_from((*TEXTS, "pro", "5", "2", "true"))
    leaves = st.one_of(
        _compared(st.sampled_from(ORDERS), own, _number_literals),
        _compared(st.just("=="), own, text.map(nodes.literal) | st.booleans().map(nodes.literal)),
        _compared(st.just("=="), own, own),
        st.builds(nodes.Missing, own),
        st.builds(nodes.OneOf, own, st.lists(_literals((*TEXTS, "pro", "2")), max_size=3).map(tuple)),
        st.builds(nodes.TextTest, tests, own | own.map(lambda one: nodes.Function("upper", (one,))), text, st.booleans()),
        st.just(nodes.Everyone()),
    )
    items = st.lists(leaves, min_size=1, max_size=2).map(tuple)
    where = st.one_of(st.none(), leaves, leaves, leaves.map(nodes.Not), items.map(nodes.And), items.map(nodes.Or))
    return st.builds(lambda path, condition: nodes.Elements(nodes.Field("props"), path, condition), arrays, where)


_properties = st.sampled_from(PATHS).map(lambda path: nodes.Json(nodes.Field("props"), path))


_day_literals = st.one_of(_literals(DAYS), _literals(day.isoformat() for day in DAYS))
_instant_literals = st.one_of(
    _literals(INSTANTS), _literals(_naive(instant) for instant in INSTANTS), _literals(i.isoformat() for i in INSTANTS)
)

# ---------------------------------------------------------------- predicates


def _compared(op: Nodes, left: Nodes, right: Nodes) -> Nodes:
    return st.builds(lambda o, two: nodes.Compare(o, *two), op, st.tuples(left, right).flatmap(st.permutations))


def _spans(units: Nodes) -> Nodes:
    edge = st.booleans()
    days = st.one_of(
        _literals(DAYS), st.just(nodes.Today()), st.builds(nodes.Arithmetic, st.just("-"), st.just(nodes.Today()), _day_durations)
    )
    return st.one_of(
        st.builds(nodes.Last, units, edge),
        st.builds(nodes.Before, units, edge),
        st.builds(nodes.Next, units),
        _windows() if units is _durations else st.just(nodes.Between(nodes.Duration(60, "days"), nodes.Duration(30, "days"))),
        st.builds(nodes.OnDay, days),
        _periods,
        st.builds(nodes.Anniversary, st.sampled_from((0, 1, 7, 59, 366))),
    )


@cache
def _leaves(depth: int, in_events: bool) -> Nodes:
    any_order, strict = st.sampled_from(ORDERS), st.sampled_from(ORDERS[1:])
    numbers, dates, timestamps, texts = _numbers(depth, in_events), _dates(in_events), _timestamps(in_events), _texts(in_events)
    truth = _fields("vip")
    options = {texts: TEXTS, numbers: (*INTEGERS, *DECIMALS, 1.5), dates: DAYS, timestamps: INSTANTS}
    one_of = [st.builds(nodes.OneOf, own, st.lists(_literals(v), max_size=4).map(tuple)) for own, v in options.items()]
    tests = st.sampled_from(("contains", "startswith", "endswith"))
    several = [
        _compared(any_order, numbers, _number_literals),
        _compared(any_order, numbers, numbers),
        _compared(st.just("=="), texts, _literals(TEXTS)),
        _compared(any_order, dates, dates | _day_literals),
        _compared(any_order, timestamps, timestamps | _instant_literals),
        _compared(strict, dates, timestamps),
        st.one_of(one_of),
        st.builds(nodes.TextTest, tests, texts, st.sampled_from(TEXTS), st.booleans()),
        st.builds(nodes.TextTest, tests, texts, st.sampled_from(TEXTS), st.just(True)),
        st.builds(nodes.TextTest, st.just("matches"), texts, st.sampled_from(PATTERNS), st.booleans()),
        st.builds(nodes.TextTest, tests, texts, texts, st.booleans()),
        st.builds(nodes.TextTest, tests, _literals(TEXTS), texts, st.booleans()),
        st.builds(nodes.Missing, st.one_of(numbers, texts, dates, timestamps)),
        st.builds(nodes.During, dates, _spans(_day_durations)),
        st.builds(nodes.During, timestamps, _spans(_durations)),
        st.just(nodes.Everyone()),
    ]
    if not in_events:
        literals = st.sampled_from((0, 1, 5.25, Decimal("7.50"))).map(nodes.literal)
        hours = st.sampled_from((24, 720)).map(lambda n: nodes.Duration(n, "hours"))
        per_month = st.sampled_from((5, 1.5)).map(lambda n: nodes.Rate(n, "month"))
        several += [
            _compared(any_order, _aggregates(_COUNTED), _number_literals),
            _compared(
                any_order,
                st.builds(nodes.Part, st.sampled_from(("month", "weekday", "quarter")), _dates(False)),
                _number_literals,
            ),
            _compared(
                any_order,
                st.builds(nodes.Arithmetic, st.just("/"), _fields("paid", "opens"), _numbers(0, False)),
                _number_literals,
            ),
            _compared(any_order, _aggregates({"days": (), "weeks": (), "months": ()}), _number_literals),
            _compared(any_order, _aggregates({"avg": ("amount",)}), literals),
            _compared(any_order, _fields("tenure", "opens"), st.sampled_from((1, 30)).map(lambda n: nodes.Duration(n, "days"))),
            _compared(any_order, _fields("wait"), hours),
            _compared(any_order, _fields("rate"), per_month),
            _compared(st.just("=="), truth, st.booleans().map(nodes.literal)),
            _compared(any_order, _properties, _literals((0, 1, 2, 5, -1, 1.5, 30))),
            _compared(
                st.just("=="), _properties, _literals((*TEXTS, "pro", "true", "5", "2")) | st.booleans().map(nodes.literal)
            ),
            st.builds(nodes.Missing, _properties),
            st.one_of(
                _compared(any_order, _elements(), st.sampled_from((0, 1, 2)).map(nodes.literal)),
                _elements().map(lambda own: nodes.Compare("==", own, dataclasses.replace(own, where=None))),
            ),
            st.builds(nodes.OneOf, _properties, st.lists(_literals((*TEXTS, "pro", "dot")), max_size=3).map(tuple)),
            st.builds(nodes.TextTest, tests, _properties, st.sampled_from(TEXTS), st.booleans()),
            st.builds(nodes.TextTest, tests, texts | _properties, texts | _properties, st.booleans()),
            st.builds(nodes.TextTest, tests, texts, _properties, st.booleans()),
            _compared(any_order, _sequences(), _number_literals),
            st.builds(nodes.Top, numbers | dates | timestamps, st.sampled_from((1, 3, 10, 100)), st.none(), _populations()),
            st.builds(nodes.Top, numbers, st.none(), st.sampled_from((1, 10, 33.3, Decimal("0.5"), 100)), _populations()),
            _compared(
                any_order,
                st.builds(nodes.Quantile, numbers, st.sampled_from((2, 3, 5)), _populations()),
                st.sampled_from((1, 2, 3)).map(nodes.literal),
            ),
            st.builds(
                nodes.Sample, st.sampled_from((1, 10, 50, 99.5, 100, Decimal("12.5"))), st.sampled_from(("", "launch", "é'"))
            ),
            _compared(st.just("=="), _fields("country"), _fields("code")),
            st.sampled_from(("VIP", "50% off's", "vip")).map(nodes.InList),
            st.sampled_from(tuple(SEGMENTS)).map(nodes.InSegment),
            st.sampled_from(("VIP", "50% off's", *SEGMENTS)).map(nodes.InGroup),
        ]
    return st.one_of(several)


@cache
def _conditions(depth: int, in_events: bool) -> Nodes:
    leaves = _leaves(1, in_events)
    if depth == 0:
        return leaves
    below = _conditions(depth - 1, in_events)
    items = st.lists(below, min_size=1, max_size=3).map(tuple)
    groups = st.one_of(items.map(nodes.And), items.map(nodes.Or), below.map(nodes.Not))
    return st.one_of(leaves, groups, groups)


_DEFINITIONS = _conditions(2, False).map(Predicate)


def definitions() -> st.SearchStrategy[Predicate]:
    """Predicates over `CATALOG` that mean something: names exist, kinds fit."""
    return _DEFINITIONS


def moments() -> st.SearchStrategy[dt.datetime]:
    return st.sampled_from(MOMENTS)


def named(where: Predicate) -> segkit.Segment:
    """A segment with all that a definition may say about itself."""
    return segkit.Segment('It\'s "one"', where, notes="50% -- */ of\nthem", owner="Ä", tags=["a", "b c"])
