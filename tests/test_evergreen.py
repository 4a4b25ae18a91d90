"""Evergreen queries: with their clock set to an instant they find the members of that instant, on every engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cases_runner import _workspace, all_cases, on, segment_of, spelled
from engines import ENGINES, Rows, closed_in_the_end
from sqlglot import exp
from test_cases import EXCLUDED
from test_vendors import VENDORS, words
from without_a_row import fails

from segkit import NOW, TODAY, Catalog, DefinitionError, DialectError, E, F, Segment, compile, connect
from segkit import days as _days
from segkit import months as _months
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.compile import sql
from segkit.plan import Moment, Plan, evergreen, moment, plan, resolve
from segkit.rendering import clocks, render
from segkit.rendering.row import Row
from segkit.rendering.table import TABLE
from segkit.rendering.vendors import CLOCKS, FUNCTIONS, clock_documented, documented
from segkit.segment import as_catalog, by_name

ALL = [case for case in all_cases() if "members" in case.case]
REFUSING = ("clickhouse", "mariadb", "datafusion")
"""Engines without an exact form of a month ago on a clock that changes."""
NOT_LOOKED_AT = "nobody looked at what it makes of times that a clock skips or shows twice"
RENDERED_AS = {"sqlite": "sqlite+", "postgres": "postgres+", "mariadb": "mysql"}


def set_to(at: Moment, query: exp.Query, own: Plan) -> exp.Query:
    """A query whose clock shows an instant."""
    return compile.with_clock(query, own, sql.instant(at.as_of))


def clock_of(query: exp.Query) -> list[str]:
    """The columns of a query's clock."""
    return [column.alias for cte in query.ctes if cte.alias == "clock" for column in cte.this.expressions]


# ---------------------------------------------------------------- the conformance cases


@pytest.mark.parametrize("engine", ENGINES)
def test_every_case_finds_its_members(engine: str) -> None:
    """All cases whose dates are more than the instant itself; those that are, too, on SQLite."""
    ENGINES[engine].require()
    followed = 0
    for case in ALL:
        if (on(engine), case.case.get("where")) in EXCLUDED:
            continue
        ws = _workspace(case.file, engine)
        others = by_name({name: spelled(text) for name, text in case.given.get("segments", {}).items()})
        calculated = {name: spelled(text).node for name, text in case.given.get("calculated", {}).items()}
        checked = ws._checked()
        catalog = replace(checked, calculated={**checked.calculated, **calculated})
        at = moment(case.case.get("as_of", case.given["as_of"]), ws.timezone)
        own = evergreen(segment_of(case).definition, catalog, at, others)
        query = set_to(at, compile.members(own), own)
        if set(clock_of(query)) <= ({"as_of", "today"} if engine != "sqlite" else set()):
            continue
        if refuses(engine, own):
            assert engine in REFUSING
            continue
        written = render(query, ws.engine.renders_as)
        followed += 1
        assert sorted(ws.engine.frame(written).iloc[:, 0]) == sorted(case.case["members"]), case.case.get("where")
    assert followed > 100, followed


# ---------------------------------------------------------------- edges of months, leap days, changes of the clock

UTC_TIME, TIME, DATE = "at_utc", "at_tz", "on_day"
LENGTHS: Mapping[str, Any] = {
    "within days": lambda f: f.within(days=30),
    "within months": lambda f: f.within(months=1),
    "within a year": lambda f: f.within(months=12),
    "older than months": lambda f: f.older_than(months=6),
    "in the next months": lambda f: f.in_next(months=1),
    "this month": lambda f: f.in_period("month"),
    "last month": lambda f: f.in_period("month", -1),
    "last week": lambda f: f.in_period("week", -1),
    "last quarter": lambda f: f.in_period("quarter", -1),
    "next year": lambda f: f.in_period("year", 1),
    "today": lambda f: f.on(TODAY),
    "yesterday": lambda f: f.on(TODAY - _days(1)),
    "a month ago": lambda f: f.on(TODAY - _months(1)),
    "anniversary": lambda f: f.anniversary(),
    "anniversary this month": lambda f: f.anniversary(within_days=31),
    "anniversary this year": lambda f: f.anniversary(within_days=364),
    "month": lambda f: f.month() == TODAY.month(),
    "age": lambda f: TODAY - f > 364,
    "before today": lambda f: f < TODAY,
    "up to now": lambda f: f <= NOW,
    "between months": lambda f: (f > TODAY - _months(2)) & (f <= NOW - _months(1)),
}
INSTANTS = {
    "UTC": ["2024-02-29T12:00", "2025-03-31T00:00", "2025-02-28T23:59:59.999999", "2024-12-31T12:00", "2025-12-31T09:30"],
    "Europe/Rome": ["2025-04-30T02:30", "2025-11-26T02:30", "2025-03-30T12:00", "2025-10-26T12:00", "2024-03-31T00:00"],
    "America/Havana": ["2024-11-03T06:00", "2024-12-03T00:30", "2024-03-10T12:00"],
    "Australia/Lord_Howe": ["2025-11-05T02:15", "2025-05-06T01:45"],
}
"""Ends of months, leap days, and days on which, or a month after which, clocks change: in Havana at midnight, on Lord Howe by half an hour.
Those of a future that some tables of time zones do not know yet are left out."""


def asked() -> dict[str, Predicate]:
    """Conditions on a date, on a timestamp without zone and on an instant."""
    return {f"{what} of {field}": make(F[field]) for what, make in LENGTHS.items() for field in (DATE, UTC_TIME, TIME)}


def edges(plans: Mapping[str, Plan]) -> list[dt.date]:
    """Every date and instant that plans compare with."""
    found: set[dt.date] = set()
    stack: list[object] = [own.where for own in plans.values()]
    while stack:
        match stack.pop():
            case dt.date() as at:
                found.add(at)
            case tuple() as several:
                stack += several
            case node:
                stack += [getattr(node, slot) for slot in getattr(node, "__slots__", ())]
    return sorted(found, key=str)


def beside(found: list[dt.date], zone: str) -> Iterator[dict[str, Any]]:
    """Contacts on and beside each edge."""
    small = dt.timedelta(microseconds=1)
    instants = {at + n * small for at in found if isinstance(at, dt.datetime) for n in (-1, 0, 1)}
    instants |= {dt.datetime.combine(at, dt.time(12), dt.UTC) for at in found if not isinstance(at, dt.datetime)}
    for number, at in enumerate(sorted(instants)):
        day = at.astimezone(ZoneInfo(zone)).date() + dt.timedelta(days=number % 3 - 1)
        yield {"contact_id": number, UTC_TIME: at.replace(tzinfo=None), TIME: at, DATE: day}
    yield {"contact_id": -1, UTC_TIME: None, TIME: None, DATE: None}


def refuses(engine: str, own: Plan) -> bool:
    """Whether an engine has no exact form of a condition."""
    try:
        render(compile.with_clock(compile.members(own), own), RENDERED_AS.get(engine, engine))
    except DialectError as refusal:
        if NOT_LOOKED_AT in str(refusal):
            return True
        raise
    return False


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("zone", INSTANTS)
def test_the_clock_reckons_as_the_plan_does(zone: str, engine: str) -> None:
    kinds = {"contact_id": Kind.INTEGER, UTC_TIME: Kind.TIMESTAMP, TIME: Kind.TIMESTAMPTZ, DATE: Kind.DATE}
    catalog = Catalog.from_dict({"contacts": {"fields": {name: str(kind) for name, kind in kinds.items()}}})
    moments = [moment(at, zone) for at in INSTANTS[zone]][: 1 if ENGINES[engine].is_slow or engine == "sqlite" else None]
    conditions = asked()
    refused = [n for n, own in conditions.items() if refuses(engine, evergreen(Segment(n, own).definition, catalog, moments[0]))]
    assert not refused or (engine in REFUSING and zone != "UTC")
    conditions = {name: own for name, own in conditions.items() if name not in refused}
    definitions = [Segment(name, own).definition for name, own in conditions.items()]
    pinned = {at: [plan(own, catalog, at) for own in definitions] for at in moments}
    found = edges({f"{at} {i}": own for at, plans in pinned.items() for i, own in enumerate(plans)})
    source = ENGINES[engine].loaded({"contacts": Rows(kinds, list(beside(found, zone)))})
    with closed_in_the_end(source):
        ws = connect(source, catalog=catalog, timezone=zone, **ENGINES[engine].connect)
        names = [f"is_{i}" for i, _ in enumerate(definitions)]
        for at, plans in pinned.items():
            ever = [evergreen(own, catalog, at) for own in definitions]
            both = [
                ws.engine.frame(render(query, ws.engine.renders_as)).sort_values("contact_id", ignore_index=True).astype("int64")
                for query in (compile.flags(plans, names), set_to(at, compile.flags(ever, names), ever[0]))
            ]
            wrong = [name for name, own in zip(conditions, names, strict=True) if not both[0][own].equals(both[1][own])]
            assert wrong == [], f"as of {at.as_of}"
            assert both[0][names].to_numpy().any()


# ---------------------------------------------------------------- the rows of the dialect table

PROBES: Mapping[str, tuple[str, Predicate]] = {
    "NOW": ("UTC", F[TIME].within(days=1)),
    "INSTANT_OF": ("UTC", F[TIME].in_period("month", -1)),
    "FIRST_IN_UTC": ("Europe/Rome", F[TIME].within(months=1)),
    "FIRST_OF_WEEK": ("UTC", F[DATE].in_period("week")),
    "FIRST_OF_MONTH": ("UTC", F[DATE].in_period("month")),
    "FIRST_OF_QUARTER": ("UTC", F[DATE].in_period("quarter")),
    "FIRST_OF_YEAR": ("UTC", F[DATE].in_period("year")),
}
"""For each rule of the clock the zone and a condition that asks for it."""
SPARED = {
    ("sqlite", "NOW"): "it is off by less than a second",
    ("clickhouse", "NOW"): "it is off by less than a second",
    ("datafusion", "NOW"): "it goes wrong only where times after 2262 are compared with it",
}
"""Rows that no data tells from the default."""
OWN_ROWS = [
    pytest.param(engine, row, id=f"{engine}-{row.marker}")
    for engine in ENGINES
    for row in clocks.ROWS
    if {RENDERED_AS.get(engine, engine), RENDERED_AS.get(engine, engine).removesuffix("+")} & {*row.dialects.split()}
    and row.write is not None
]


def probed(engine: str, marker: str) -> bool:
    """Whether an engine finds the members of a probe by its clock: those of the plan, at an instant or now."""
    zone, where = PROBES[marker]
    at = moment(None if marker == "NOW" else "2025-11-26T02:30", zone)
    kinds = {"contact_id": Kind.INTEGER, UTC_TIME: Kind.TIMESTAMP, TIME: Kind.TIMESTAMPTZ, DATE: Kind.DATE}
    catalog = Catalog.from_dict({"contacts": {"fields": {name: str(kind) for name, kind in kinds.items()}}})
    definition = Segment("probe", where).definition
    pinned, own = plan(definition, catalog, at), evergreen(definition, catalog, at)
    small = dt.timedelta(minutes=2) if marker == "NOW" else dt.timedelta(microseconds=1)
    found = [
        edge + n * (small if isinstance(edge, dt.datetime) else dt.timedelta(days=1))
        for edge in edges({"": pinned})
        for n in (-1, 1)
    ]
    rows = [
        {
            "contact_id": i,
            TIME: edge if isinstance(edge, dt.datetime) else None,
            DATE: None if isinstance(edge, dt.datetime) else edge,
        }
        for i, edge in enumerate(found)
    ]
    source = ENGINES[engine].loaded({"contacts": Rows(kinds, rows)})
    with closed_in_the_end(source):
        ws = connect(source, catalog=catalog, timezone=zone, home=None, **ENGINES[engine].connect)
        query = compile.members(own)
        clocked = compile.with_clock(query, own) if marker == "NOW" else set_to(at, query, own)
        answers = [
            sorted(ws.engine.frame(render(q, ws.engine.renders_as)).iloc[:, 0]) for q in (compile.members(pinned), clocked)
        ]
        assert answers[0]
        return answers[0] == answers[1]


@pytest.mark.parametrize(("engine", "row"), OWN_ROWS)
def test_without_a_row_the_clock_goes_wrong(engine: str, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probed(engine, row.marker)
    for dialect in row.dialects.split():
        monkeypatch.delitem(TABLE, (f"SEGKIT_{row.marker}", dialect))
    assert fails(lambda: probed(engine, row.marker)) != ((engine, row.marker) in SPARED), "the row is not needed, or now it is"


@pytest.mark.parametrize("engine", ENGINES)
def test_now_is_now(engine: str) -> None:
    assert probed(engine, "NOW")


# ---------------------------------------------------------------- what is written, and what is refused


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_every_word_is_documented_by_the_vendor(dialect: str) -> None:
    rendered = 0
    for name, where in asked().items():
        for zone in ("UTC", "Europe/Rome"):
            try:
                text = Segment(name, where).sql(dialect, catalog=_CATALOG, timezone=zone, evergreen=True)
            except DialectError:
                continue
            rendered += 1
            query = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
            assert set(words(query, dialect)) - documented(dialect) - clock_documented(dialect) == set(), query
    assert rendered > (3 if dialect == "tsql" else 60), rendered


@pytest.mark.parametrize("page", sorted({page for pages in CLOCKS.values() for page in pages}))
def test_a_page_is_the_vendors(page: str) -> None:
    assert VENDORS.fullmatch(page)


_CATALOG = {"contacts": {"fields": {UTC_TIME: "timestamp", TIME: "timestamptz", DATE: "date"}}}


def test_only_an_evergreen_query_asks_the_clock() -> None:
    where = E.opened.within(days=30).any() & F.signup.older_than(months=1)
    evergreen_sql = Segment("x", where).sql(evergreen=True)
    assert evergreen_sql.count("CURRENT_TIMESTAMP") == 1
    assert "-- Evergreen: as of the warehouse's clock, local dates in UTC" in evergreen_sql.splitlines()
    assert "CURRENT_TIMESTAMP" not in Segment("x", where).sql()


def test_a_definition_without_dates_has_no_clock() -> None:
    assert "clock" not in Segment("x", F.country == "USA").sql(evergreen=True).split("WHERE")[1]


def test_a_table_called_clock_keeps_its_name() -> None:
    catalog = {"contacts": {"table": "clock", "fields": {"at": "timestamp"}}}
    text = Segment("x", F.at.within(days=1)).sql(catalog=catalog, evergreen=True)
    assert 'WITH "clock_2" AS' in text
    assert 'CROSS JOIN "clock_2"' in text


def test_windows_that_meet_today_stay_apart() -> None:
    """On 31 March the last 31 days begin with this month's first midnight; the day after they do not."""
    where = (
        (E.opened.in_period("month").count() > 2)
        & (E.opened.within(days=30).count() > 2)
        & (E.opened.within(months=1).count() > 2)
    )
    for at in ("2025-03-31", "2025-03-03"):
        own = evergreen(Segment("x", where).definition, as_catalog(None), moment(at, "UTC"))
        assert len(own.features) == 3
        query = render(compile.with_clock(compile.members(own), own), "duckdb")
        assert query.count("COUNT(CASE WHEN") == 3


def test_what_has_no_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if anniversaries were listed day by day, as those of a pinned query are."""
    monkeypatch.setattr(resolve, "_YEAR", 0)
    with pytest.raises(DefinitionError, match="SQL cannot reckon"):
        Segment("x", F.birthday.anniversary(within_days=3)).sql(evergreen=True)


def test_a_zone_of_many_changes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """None has been like that since 2016."""
    changes = frozenset([(60, False), (180, False)])
    monkeypatch.setattr("segkit.compile.evergreen._changes", lambda *_: changes)
    with pytest.raises(DefinitionError, match="changes its clock by"):
        Segment("x", F.at.within(months=1)).sql(evergreen=True, timezone="Antarctica/Casey")
    assert "Casey" in Segment("x", F.at.on(TODAY)).sql(evergreen=True, timezone="Antarctica/Casey")


def test_an_instant_is_not_evergreen() -> None:
    with pytest.raises(DefinitionError, match="leave as_of out"):
        Segment("x", F.at.within(days=1)).sql(evergreen=True, as_of="2025-01-01")


def test_sqlite_by_itself_knows_no_zones() -> None:
    with pytest.raises(DialectError, match="time zones"):
        Segment("x", F.at.on(TODAY)).sql("sqlite", evergreen=True, timezone="Europe/Rome")
