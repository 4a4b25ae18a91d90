"""What events and lists say of each contact: one grouped, pruned query for all features of an event.

A query has one row a contact; what all its features ask for goes to WHERE, so that the engine can skip rows, and the
rest stays with each measure. Event ids that repeat are made unique first, where the data is known to need it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from sqlglot import exp

from segkit.catalog import Catalog, Column, EventTable, HistoryTable, Kind, ListTable, time_column
from segkit.compile import conditions, sql
from segkit.compile.sql import Sql
from segkit.plan import Moment
from segkit.plan.clock import today
from segkit.plan.rules import AsOf, DayLater, DayOf, MinutesLater, Rule, rule_of
from segkit.plan.scope import shared_properties
from segkit.plan.tree import (
    Bounds,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    Feature,
    Following,
    LocalTime,
    Moved,
    Term,
)

COUNTS = ("count", "distinct", "sum", "days", "weeks", "months")
"""What is 0, not missing, for a contact without events."""


def grouped(features: Iterable[Feature]) -> list[list[Feature]]:
    """Features that one grouped query can collect: those of one event; what takes an order of the events stands alone."""
    groups: dict[object, list[Feature]] = {}
    for feature in features:
        alone = feature.measure == "latest" or feature.then is not None or feature.nth > 1
        key = feature if alone else (feature.tables, feature.event)
        groups.setdefault(key, []).append(feature)
    return list(groups.values())


def reader(feature: Feature, column: str, table: str) -> Callable[[], Sql]:
    def read() -> Sql:
        own = sql.column(column, table)
        if feature.measure in COUNTS:
            return exp.Coalesce(this=own, expressions=[sql.number(0)])
        return own

    return read


def measured(columns: Mapping[Feature, str], catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: the outcomes of all features of one event.

    What all of them ask for goes to WHERE, so that the engine can skip rows; the rest stays with each measure.
    """
    features = list(columns)
    source, contact, shared = _rows(features, catalog, rows)
    names = conditions.Names("e")
    common = _common_bounds([feature.bounds for feature in features])
    same_filter = len({feature.where for feature in features}) == 1
    where = [*shared, *_within(features[0], common, names)]
    if same_filter and features[0].where is not None:
        where.append(sql.operand(conditions.condition(features[0].where, names)))
    selected = [sql.aliased(contact, "contact_id")]
    for feature, column in columns.items():
        rest = _within(feature, _remaining(feature.bounds, common), names)
        if not same_filter and feature.where is not None:
            rest.append(sql.operand(conditions.condition(feature.where, names)))
        selected.append(sql.aliased(_measure(feature, sql.joined(exp.And, rest) if rest else None, names), column))
    query = exp.Select(expressions=selected).from_(source, copy=False)
    query.set("where", exp.Where(this=sql.joined(exp.And, where)))
    return query.group_by(contact.copy(), copy=False)


def _measure(feature: Feature, only: Sql | None, names: conditions.Names) -> Sql:
    time = conditions.term(feature.time, names)
    of = conditions.term(feature.of, names) if feature.of is not None else time
    match feature.measure:
        case "count":
            return exp.Count(this=exp.Star() if only is None else sql.case_when(only, sql.number(1)))
        case "sum":
            is_whole = feature.of is not None and feature.of.kind is Kind.INTEGER
            return exp.Sum(this=_only(only, sql.summed(of) if is_whole else of))
        case "avg":
            return exp.Avg(this=_only(only, sql.cast(of, "double")))
        case "min":
            return exp.Min(this=_only(only, of))
        case "max":
            return exp.Max(this=_only(only, of))
        case "distinct" | "days" | "weeks" | "months":
            return sql.count_distinct(_only(only, told_apart(feature, names)))
        case "first":
            return exp.Min(this=_only(only, time))
        case "last":
            return exp.Max(this=_only(only, time))
        case "latest":
            raise AssertionError("a latest property has a query of its own")
        case _:
            assert_never(feature.measure)


def told_apart(feature: Feature, names: conditions.Names) -> Sql:
    """What a feature counts the different values of: a property, or the local day, week or month of an event."""
    time = conditions.term(feature.time, names)
    match feature.measure:
        case "days":
            return _local_day(feature, time)
        case "weeks":
            return sql.week(sql.days(_local_day(feature, time), sql.date(dt.date(1900, 1, 1))))
        case "months":
            again = conditions.term(feature.time, names)
            year, month = sql.part("year", _local_day(feature, time)), sql.part("month", _local_day(feature, again))
            hundreds = exp.Mul(this=year, expression=sql.number(100))
            return exp.Add(this=exp.Paren(this=hundreds), expression=month)
        case _:
            assert feature.of is not None
            return conditions.term(feature.of, names)


def happened(
    feature: Feature,
    bounds: Bounds,
    columns: Mapping[str, Callable[[conditions.Names], Sql]],
    catalog: Catalog,
    rows: Mapping[int, str],
) -> exp.Select:
    """One row an event of a feature that lies within bounds and belongs to somebody: the contact, and some columns."""
    source, contact, where = _rows([feature], catalog, rows)
    names = conditions.Names("e")
    where += [*_within(feature, bounds, names), exp.Not(this=exp.Paren(this=exp.Is(this=contact, expression=exp.Null())))]
    if feature.where is not None:
        where.append(sql.operand(conditions.condition(feature.where, names)))
    selected: list[Sql] = [sql.aliased(contact.copy(), "contact_id")]
    selected += [sql.aliased(write(names), name) for name, write in columns.items()]
    query = exp.Select(expressions=selected).from_(source, copy=False)
    query.set("where", exp.Where(this=sql.joined(exp.And, where)))
    return query


def tie(feature: Feature, catalog: Catalog) -> str | None:
    """The column of event ids, by which events of one time are told apart."""
    return catalog.events[feature.tables[0]].id if len(feature.tables) == 1 else "event_id"


def latest(feature: Feature, column: str, catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: a property of its last event, ties by event id, then by the property itself."""
    assert feature.of is not None
    source, contact, where = _rows([feature], catalog, rows)
    names = conditions.Names("e")
    where += _within(feature, feature.bounds, names)
    if feature.where is not None:
        where.append(sql.operand(conditions.condition(feature.where, names)))
    event_id = tie(feature, catalog)
    order = [
        conditions.term(feature.time, names),
        *([sql.column(event_id, "e")] if event_id else []),
        conditions.term(feature.of, names),
    ]
    place = sql.row_number([contact.copy()], [exp.Ordered(this=o, desc=True, nulls_first=False) for o in order])
    inner = exp.Select(
        expressions=[
            sql.aliased(contact, "contact_id"),
            sql.aliased(conditions.term(feature.of, names), column),
            sql.aliased(place, "place"),
        ]
    )
    inner = inner.from_(source, copy=False)
    inner.set("where", exp.Where(this=sql.joined(exp.And, where)))
    query = exp.Select(expressions=[sql.column("contact_id", "ranked"), sql.column(column, "ranked")])
    query = query.from_(sql.subquery(inner, "ranked"), copy=False)
    return query.where(exp.EQ(this=sql.column("place", "ranked"), expression=sql.number(1)), copy=False)


def nth_last(feature: Feature, column: str, catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: when its nth newest event was; none for a contact with fewer."""
    source, contact, where = _rows([feature], catalog, rows)
    names = conditions.Names("e")
    where += _within(feature, feature.bounds, names)
    if feature.where is not None:
        where.append(sql.operand(conditions.condition(feature.where, names)))
    time = conditions.term(feature.time, names)
    place = sql.row_number([contact.copy()], [exp.Ordered(this=time.copy(), desc=True, nulls_first=False)])
    inner = exp.Select(
        expressions=[sql.aliased(contact, "contact_id"), sql.aliased(time, column), sql.aliased(place, "place")]
    ).from_(source, copy=False)
    inner.set("where", exp.Where(this=sql.joined(exp.And, where)))
    query = exp.Select(expressions=[sql.column("contact_id", "ranked"), sql.column(column, "ranked")])
    query = query.from_(sql.subquery(inner, "ranked"), copy=False)
    return query.where(exp.EQ(this=sql.column("place", "ranked"), expression=sql.number(feature.nth)), copy=False)


def followed(feature: Feature, column: str, catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: how many events another one follows.

    Both kinds of events stand in one list, from the latest to the earliest, and each knows the nearest later one that
    may follow; at one and the same time the earlier kind comes first, so that it does not see the other.
    """
    assert feature.then is not None
    later = feature.then.event
    if later.time == feature.time:  # nothing before the window of the earlier events can follow one of them
        later = replace(later, bounds=replace(later.bounds, low=feature.bounds.low))
    both = exp.Union(this=_marked(feature, 0, catalog, rows), expression=_marked(later, 1, catalog, rows), distinct=False)
    order = [
        exp.Ordered(this=sql.column("at", "both"), desc=True, nulls_first=False),
        exp.Ordered(this=sql.column("is_later", "both"), desc=False, nulls_first=True),
    ]
    is_later: Sql = exp.EQ(this=sql.column("is_later", "both"), expression=sql.number(1))
    nearest = exp.Window(
        this=exp.Min(this=sql.case_when(is_later, sql.column("at", "both"))),
        partition_by=[sql.column("contact_id", "both")],
        order=exp.Order(expressions=order),
        spec=exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"),
    )
    seen = exp.Select(
        expressions=[*(sql.column(name, "both") for name in ("contact_id", "at", "is_later")), sql.aliased(nearest, "follows")]
    ).from_(sql.subquery(both, "both"), copy=False)
    query = exp.Select(expressions=[sql.column("contact_id", "seen"), sql.aliased(exp.Count(this=exp.Star()), column)]).from_(
        sql.subquery(seen, "seen"), copy=False
    )
    query.set("where", exp.Where(this=sql.joined(exp.And, _near(feature.then))))
    return query.group_by(sql.column("contact_id", "seen"), copy=False)


def _marked(feature: Feature, is_later: int, catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """Contact and time of a feature's events."""
    source, contact, where = _rows([feature], catalog, rows)
    names = conditions.Names("e")
    where += [*_within(feature, feature.bounds, names), exp.Not(this=exp.Paren(this=exp.Is(this=contact, expression=exp.Null())))]
    if feature.where is not None:
        where.append(sql.operand(conditions.condition(feature.where, names)))
    time = conditions.term(_on_one_clock(feature.time), names)
    selected = [
        sql.aliased(contact.copy(), "contact_id"),
        sql.aliased(time, "at"),
        sql.aliased(sql.number(is_later), "is_later"),
    ]
    query = exp.Select(expressions=selected).from_(source, copy=False)
    query.set("where", exp.Where(this=sql.joined(exp.And, where)))
    return query


def _on_one_clock(time: ColumnTerm) -> Term:
    return time if time.clock in (None, "UTC") or time.kind is Kind.DATE else LocalTime(time, "UTC")


def _near(then: Following) -> list[Sql]:
    names = conditions.Names("seen")
    time = _on_one_clock(then.event.time)
    at, follows = (ColumnTerm(name, time.kind, time.clock) for name in ("at", "follows"))
    is_earlier: Sql = exp.EQ(this=sql.column("is_later", "seen"), expression=sql.number(0))
    if then.length is None:
        return [is_earlier, exp.Not(this=exp.Paren(this=exp.Is(this=conditions.term(follows, names), expression=exp.Null())))]
    latest = Moved(at, then.length, "days" if time.kind is Kind.DATE else "minutes", time.kind, time.clock)
    return [is_earlier, conditions.condition(Comparison("<=", follows, latest), names)]


def _rows(features: Sequence[Feature], catalog: Catalog, rows: Mapping[int, str]) -> tuple[Sql, Sql, list[Sql]]:
    """Where the events of a group come from: the source called `e`, its contact column, the filter on the event's name."""
    feature = features[0]
    if len(feature.tables) == 1:
        table = catalog.events[feature.tables[0]]
        source = sql.table(rows.get(feature.tables[0], table.table), "e")
        return source, sql.column(table.contact, "e"), _named(feature.event, table, "e")
    needed = list(dict.fromkeys(column for f in features for column in _properties_of(f)))
    parts = [_projected(i, feature, needed, catalog, rows) for i in feature.tables]
    union: exp.Select | exp.Union = parts[0]
    for part in parts[1:]:
        union = exp.Union(this=union, expression=part, distinct=False)
    return sql.subquery(union, "e"), sql.column("contact_id", "e"), []


def _projected(i: int, feature: Feature, needed: Sequence[str], catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One of several event tables, its columns under their common names, NULL for those it lacks."""
    table = catalog.events[i]
    selected = [
        sql.aliased(sql.column(table.contact, "t"), "contact_id"),
        sql.aliased(sql.column(table.time, "t"), "occurred_at"),
        sql.aliased(sql.column(table.id, "t") if table.id else exp.Null(), "event_id"),
    ]
    shared = dict(shared_properties(catalog, feature.tables).values())
    for name in needed:
        own = shared[name].get(i)
        selected.append(sql.aliased(sql.column(own.name, "t") if own else exp.Null(), name))
    query = exp.Select(expressions=selected).from_(sql.table(rows.get(i, table.table), "t"), copy=False)
    where = _named(feature.event, table, "t")
    return query.where(*where, copy=False) if where else query


def _properties_of(feature: Feature) -> Iterable[str]:
    """The properties that a feature reads."""
    stack: list[object] = [feature.where, feature.of]
    while stack:
        match stack.pop():
            case ColumnTerm(name) if name != feature.time.name:
                yield name
            case tuple() as several:
                stack.extend(several)
            case None | str() | bool():
                pass
            case node:
                stack.extend(getattr(node, slot) for slot in getattr(node, "__slots__", ()))


def columns_read(feature: Feature, i: int, catalog: Catalog) -> Iterable[str]:
    """The columns of one event table that hold the properties which a feature reads."""
    if len(feature.tables) == 1:
        return _properties_of(feature)
    shared = dict(shared_properties(catalog, feature.tables).values())
    return [shared[name][i].name for name in _properties_of(feature) if i in shared[name]]


def _named(event: str | None, table: EventTable, alias: str) -> list[Sql]:
    if event is None or table.event is None:
        return []
    return [exp.EQ(this=conditions.read(table.event, Kind.TEXT, alias), expression=sql.string(event))]


def unique_events(
    features: Sequence[Feature], catalog: Catalog, at: Moment, taken: set[str]
) -> tuple[dict[int, str], list[tuple[str, exp.Select | exp.Union]]]:
    """For each event table whose ids repeat, the name of a query of those events that features read, each id once: the
    earliest, then the smallest row. And the queries by name: which of the ids repeat, then the events.

    That ids repeat is the exception: only the copies of such ids are sorted, all other events are read as they are."""
    every = [*features, *(feature.then.event for feature in features if feature.then is not None)]
    names: dict[int, str] = {}
    queries: list[tuple[str, exp.Select | exp.Union]] = []
    for i in dict.fromkeys(i for feature in every for i in feature.tables):
        table = catalog.events[i]
        if table.repeats:
            own = [feature for feature in every if i in feature.tables]
            short = table.table.rsplit(".", 1)[-1]
            repeated, names[i] = (sql.fresh(f"{how}_{short}", taken) for how in ("repeated", "unique"))
            queries += [(repeated, _repeated(table, at, own)), (names[i], _once(i, catalog, at, own, repeated))]
    return names, queries


def _repeated(table: EventTable, at: Moment, features: Sequence[Feature]) -> exp.Select:
    """The ids of events that features read, and that stand on several rows: a row each."""
    assert table.id is not None
    own = sql.column(table.id, "e")
    query = exp.Select(expressions=[sql.aliased(own, table.id)]).from_(sql.table(table.table, "e"), copy=False)
    if wanted := read_by(table, features, "c"):
        ids = exp.Select(expressions=[sql.column(table.id, "c")], distinct=exp.Distinct())
        ids = ids.from_(sql.table(table.table, "c"), copy=False).where(*_of_somebody(table, at, "c"), *wanted, copy=False)
        read = sql.column(table.id, "wanted")
        query.join(sql.subquery(ids, "wanted"), on=exp.EQ(this=read, expression=own.copy()), copy=False)
    query = query.where(*_of_somebody(table, at, "e"), copy=False)
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=sql.number(1))
    return query.group_by(own.copy(), copy=False).having(several, copy=False)


def _once(i: int, catalog: Catalog, at: Moment, features: Sequence[Feature], repeated: str) -> exp.Union:
    """The events whose ids do not repeat, and the first row of each id that does."""
    table = catalog.events[i]
    assert table.id is not None
    read = {column for feature in features for column in columns_read(feature, i, catalog)}
    wanted = (table.id, table.contact, table.event, table.time, *sorted(read))
    kept = list(dict.fromkeys(name for name in wanted if name is not None))
    on = exp.EQ(this=sql.column(table.id, repeated), expression=sql.column(table.id, "e"))
    columns = [sql.aliased(sql.column(name, "e"), name) for name in kept]
    single = exp.Select(expressions=columns).from_(sql.table(table.table, "e"), copy=False)
    single.join(sql.table(repeated), on=on, join_type="left", copy=False)
    single = single.where(
        *_of_somebody(table, at, "e"), *read_by(table, features, "e"), sql.is_null(table.id, repeated), copy=False
    )
    copy = sql.fresh("copy", {name.casefold() for name in kept})
    copies = sql.row_number([sql.column(table.id, "e")], _smallest_first(table))
    numbered = exp.Select(expressions=[*(column.copy() for column in columns), sql.aliased(copies, copy)])
    numbered = numbered.from_(sql.table(table.table, "e"), copy=False)
    numbered.join(sql.table(repeated), on=on.copy(), copy=False)
    numbered = numbered.where(*_of_somebody(table, at, "e"), copy=False)
    first = exp.Select(expressions=[sql.column(name, "numbered") for name in kept])
    first = first.from_(sql.subquery(numbered, "numbered"), copy=False)
    first = first.where(exp.EQ(this=sql.column(copy, "numbered"), expression=sql.number(1)), copy=False)
    return exp.Union(this=single, expression=first, distinct=False)


def _smallest_first(table: EventTable) -> list[exp.Ordered]:
    """How the copies of an id are sorted: the earliest first, then by everything else that has an order."""
    time = time_column(table.properties, table.time)
    smallest = [table.time, table.contact, *([table.event] if table.event else [])]
    smallest += [
        c.name for _, c in sorted(table.properties.items()) if c.kind is not Kind.JSON and c.name not in (table.id, *smallest)
    ]
    kinds = {column.name: column.kind for column in (*table.properties.values(), time)}
    return [
        exp.Ordered(this=conditions.read(name, kinds.get(name, Kind.UNKNOWN), "e"), desc=False, nulls_first=True)
        for name in smallest
    ]


def _of_somebody(table: EventTable, at: Moment, alias: str) -> list[Sql]:
    """Events of a contact that have happened."""
    time = time_column(table.properties, table.time)
    return [exp.Not(this=sql.is_null(table.contact, alias)), not_after(time, alias, at)]


def read_by(table: EventTable, features: Sequence[Feature], alias: str) -> list[Sql]:
    """What every event that one of some features reads meets, by its name and time; nothing where one reads them all."""
    names = conditions.Names(alias)
    by_name: dict[str | None, list[Feature]] = {}
    for feature in features:
        by_name.setdefault(None if table.event is None else feature.event, []).append(feature)
    parts: list[Sql] = []
    for event, several in by_name.items():
        together = {len(feature.tables) for feature in several} != {1}
        bounds = [] if together else _within(several[0], _common_bounds([own.bounds for own in several]), names)
        own = [*_named(event, table, alias), *bounds]
        if not own:
            return []
        parts.append(exp.Paren(this=sql.joined(exp.And, own)))
    return [exp.Paren(this=sql.joined(exp.Or, parts))] if len(parts) > 1 else [parts[0].this]


def on_list(name: str, lists: ListTable, at: Moment) -> exp.Select:
    """The contacts on a static list at the moment."""
    query = exp.Select(expressions=[sql.aliased(sql.column(lists.contact, "l"), "contact_id")], distinct=exp.Distinct())
    where: list[Sql] = [exp.EQ(this=conditions.read(lists.list, Kind.TEXT, "l"), expression=sql.string(name))]
    for column, is_start in ((lists.joined, True), (lists.left, False)):
        if column is not None:
            own = time_column(lists.columns, column)
            passed = not_after(own, "l", at)
            open_end = sql.is_null(column, "l")
            where.append(exp.Paren(this=exp.Or(this=passed if is_start else _after(own, "l", at), expression=open_end)))
    return query.from_(sql.table(lists.table, "l"), copy=False).where(*where, copy=False)


def as_it_was(history: HistoryTable, at: Moment) -> exp.Select:
    """One row a contact: the row of its history that is valid at the moment, the one that began last."""
    begin, end = (time_column(history.columns, name) for name in (history.valid_from, history.valid_to))
    place = sql.row_number([sql.column(history.contact, "h")], past_order(history))
    names = past_columns(history)
    columns: list[Sql] = [sql.aliased(sql.column(history.contact, "h"), "contact_id")]
    columns += [column if called == column.name else sql.aliased(column, called) for called, column in names.items()]
    inner = exp.Select(expressions=[*columns, sql.aliased(place, "place")]).from_(sql.table(history.table, "h"), copy=False)
    inner = inner.where(_open_or(not_after(begin, "h", at), begin), _open_or(_after(end, "h", at), end), copy=False)
    query = exp.Select(expressions=[sql.column(name, "valid") for name in ("contact_id", *names)])
    query = query.from_(sql.subquery(inner, "valid"), copy=False)
    return query.where(exp.EQ(this=sql.column("place", "valid"), expression=sql.number(1)), copy=False)


def past_columns(history: HistoryTable) -> dict[str, exp.Column]:
    """The columns of a table of history (called `h`) that hold fields, by what they are called in a query of its rows."""
    own = dict.fromkeys(column.name for _, column in sorted(history.fields.items()))
    return {conditions.past_name(name): sql.column(name, "h") for name in own}


def past_order(history: HistoryTable) -> list[Sql]:
    """The rows of a contact in the order in which they are valid where several are: the one that began last is first."""
    own = dict.fromkeys(column.name for _, column in sorted(history.fields.items()))
    kinds = {column.name: column.kind for column in history.fields.values()}
    order = [_time_of(time_column(history.columns, history.valid_from), "h"), *(_sorted(name, kinds[name]) for name in own)]
    return [exp.Ordered(this=each, desc=True, nulls_first=False) for each in order]


def _sorted(name: str, kind: Kind) -> Sql:
    """A value as it is sorted: text by code point."""
    own = sql.column(name, "h")
    return sql.by_code_point(own) if kind in (Kind.TEXT, Kind.UNKNOWN) else own


def _open_or(passed: Sql, column: Column) -> Sql:
    return exp.Paren(this=exp.Or(this=passed, expression=sql.is_null(column.name, "h")))


def not_after(column: Column, table: str, at: Moment) -> Sql:
    return exp.LTE(this=_time_of(column, table), expression=_moment_of(column, at))


def _after(column: Column, table: str, at: Moment) -> Sql:
    return exp.GT(this=_time_of(column, table), expression=_moment_of(column, at))


def _time_of(column: Column, table: str) -> Sql:
    kind = column.kind if column.kind in (Kind.DATE, Kind.TIMESTAMPTZ) else Kind.TIMESTAMP
    return conditions.read(column.name, kind, table)


def _moment_of(column: Column, at: Moment) -> Sql:
    """The moment, as a column of that kind would hold it."""
    if column.kind is Kind.DATE:
        return conditions.moment(today(at), None)
    return conditions.moment(at.as_of, None if column.kind is Kind.TIMESTAMPTZ else column.zone)


# ---------------------------------------------------------------- bounds of events


def _common_bounds(all_bounds: Sequence[Bounds]) -> Bounds:
    """The narrowest bounds that hold all of the given ones, whatever the clock says."""
    lows = [(b.low, not b.low_in) for b in all_bounds if b.low is not None]
    highs = [(b.high, b.high_in) for b in all_bounds if b.high is not None]
    low, low_out = min(lows) if len(lows) == len(all_bounds) and _keep_their_order(at for at, _ in lows) else (None, True)
    now = [end for end in highs if isinstance(rule_of(end[0]), AsOf) or _is_today(rule_of(end[0]))]
    if now and len(highs) == len(all_bounds):
        return Bounds(low, not low_out, *max(now))
    high, high_in = max(highs) if len(highs) == len(all_bounds) and _keep_their_order(at for at, _ in highs) else (None, False)
    return Bounds(low, not low_out, high, high_in)


def _keep_their_order(times: Iterable[dt.date]) -> bool:
    """Whether times that may be reckoned follow one another in the same order at each instant: no events lie after it."""
    return len({_measured_from(rule_of(at)) for at in times}) == 1


def _measured_from(rule: Rule | None) -> Rule | None:
    """What a rule is a fixed length of time away from."""
    while isinstance(rule, MinutesLater) or (isinstance(rule, DayLater) and rule.unit == "days"):
        rule = rule.of
    return rule


def _is_today(rule: Rule | None) -> bool:
    return isinstance(rule, DayOf) and isinstance(rule.of, AsOf)


def _remaining(own: Bounds, common: Bounds) -> Bounds:
    """What of a feature's bounds the common ones do not say already."""
    low_said = (own.low, own.low_in) == (common.low, common.low_in)
    high_said = (own.high, own.high_in) == (common.high, common.high_in)
    return Bounds(
        None if low_said else own.low,
        False if low_said else own.low_in,
        None if high_said else own.high,
        False if high_said else own.high_in,
    )


def _within(feature: Feature, bounds: Bounds, names: conditions.Names) -> list[Sql]:
    parts: list[Condition] = []
    for end, op in ((bounds.low, ">=" if bounds.low_in else ">"), (bounds.high, "<=" if bounds.high_in else "<")):
        if end is not None:
            kind = Kind.TIMESTAMPTZ if isinstance(end, dt.datetime) else Kind.DATE
            parts.append(Comparison(op, feature.time, Constant(end, kind)))  # type: ignore[arg-type]
    return [conditions.condition(part, names) for part in parts]


def _only(only: Sql | None, value: Sql) -> Sql:
    return value if only is None else sql.case_when(only, value)


def _local_day(feature: Feature, time: Sql) -> Sql:
    """The local date of an event."""
    return time if feature.time.kind is Kind.DATE else sql.date_of(sql.on_wall(time, feature.time.clock, feature.zone))
