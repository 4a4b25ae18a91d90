"""What a plan means, as a SQL tree that names no dialect.

One arm per kind of condition and term, like `evaluate`. Where engines differ, the tree holds a marker, a function
called `SEGKIT_...`, that `rendering` writes in the dialect's own way; the constructors of markers stand at the end.

The invariant: a condition is TRUE for members and FALSE or NULL for everyone else. Only NOT would break it, so a
complement is `CASE WHEN p THEN 0 ELSE 1 END = 1`. Identifiers are quoted, columns qualified, compound operands in
parentheses. Distinct features are collected once: one grouped, pruned query for each event, joined to the contacts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from sqlglot import exp

from segkit import patterns
from segkit.catalog import Catalog, Column, EventTable, Kind, ListTable
from segkit.plan import Moment, Plan
from segkit.plan.clock import today
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Bounds,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Feature,
    FeatureTerm,
    IsMissing,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    OnList,
    PartOf,
    Term,
    TextSearch,
)

Sql: TypeAlias = exp.Expression
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_COUNTS = ("count", "distinct", "sum", "days", "weeks", "months")


@dataclass(frozen=True)
class Names:
    """How one SELECT writes its row's columns, the outcomes of features and membership of lists."""

    table: str
    outcomes: Mapping[Feature, Callable[[], Sql]] = field(default_factory=dict)
    lists: Mapping[str, Callable[[], Sql]] = field(default_factory=dict)


# ---------------------------------------------------------------- queries


def members(plan: Plan) -> exp.Select:
    """The contact keys of the members."""
    base = _base([plan])
    return base.select([base.key()], plan.where)


def contacts(plan: Plan, columns: Sequence[str], limit: int | None) -> exp.Select:
    """Some columns of the members (of the first `limit` of them), in the order of their keys."""
    base = _base([plan])
    query = base.select([_column(name, base.names.table) for name in columns], plan.where).order_by(base.key(), copy=False)
    return query if limit is None else query.limit(limit, copy=False)


def sizes(plans: Sequence[Plan]) -> exp.Select:
    """One row: how many contacts there are, then how many members each plan has (`size_0`, `size_1`, ...)."""
    base = _base(plans)
    counts: list[Sql] = [_aliased(exp.Count(this=exp.Star()), "everyone")]
    for i, plan in enumerate(plans):
        counts.append(_aliased(exp.Count(this=_case(condition(plan.where, base.names), _number(1))), f"size_{i}"))
    return base.select(counts, None)


def repeated_keys(catalog: Catalog, limit: int) -> exp.Select:
    """Contact keys that stand on more than one row, or are missing, with how often."""
    return _repeated(catalog.contacts.table, catalog.contacts.key, limit, missing_too=True)


def repeated_ids(table: EventTable, limit: int) -> exp.Select:
    """Event ids that stand on more than one row, with how often."""
    assert table.id is not None
    return _repeated(table.table, table.id, limit, missing_too=False)


def distinct_values(table: str, column: str, limit: int) -> exp.Select:
    """The different values of a column, in their order."""
    query = exp.Select(expressions=[_column(column)], distinct=exp.Distinct())
    return query.from_(_table(table), copy=False).order_by(_column(column), copy=False).limit(limit, copy=False)


def _repeated(table: str, column: str, limit: int, missing_too: bool) -> exp.Select:
    query = exp.Select(expressions=[_column(column), _aliased(exp.Count(this=exp.Star()), "copies")])
    several: Sql = exp.GT(this=exp.Count(this=exp.Star()), expression=_number(1))
    missing: Sql = exp.Is(this=_column(column), expression=exp.Null())
    wanted = exp.Or(this=several, expression=missing) if missing_too else exp.And(this=several, expression=exp.Not(this=missing))
    query = query.from_(_table(table), copy=False).group_by(_column(column), copy=False).having(wanted, copy=False)
    return query.order_by(_column(column), copy=False).limit(limit, copy=False)


# ---------------------------------------------------------------- conditions


def condition(node: Condition, names: Names) -> Sql:
    """A condition, TRUE for members, FALSE or NULL for others."""
    match node:
        case Always(truth):
            return exp.EQ(this=_number(1), expression=_number(1 if truth else 0))
        case AllOf(items):
            return _joined(exp.And, _all_of(items, names))
        case AnyOf(items):
            return _joined(exp.Or, [_operand(condition(item, names)) for item in items])
        case Complement(IsMissing() | OnList() as item):
            return exp.Not(this=exp.Paren(this=condition(item, names)))
        case Complement(item):
            zero_or_one = _case(condition(item, names), _number(0), _number(1))
            return exp.EQ(this=zero_or_one, expression=_number(1))
        case Comparison(op, left, right):
            return _COMPARISONS[op](this=_like(left, right, names), expression=_like(right, left, names))
        case Among(own, options):
            return exp.In(this=_operand(term(own, names)), expressions=[_constant(option, own.clock) for option in options])
        case TextSearch(test, own, text, ignore_case):
            return _text_search(test, term(own, names), text, ignore_case)
        case IsMissing(own):
            return exp.Is(this=_operand(term(own, names)), expression=exp.Null())
        case OnList(name):
            return names.lists[name]()
        case _:
            assert_never(node)


_COMPARISONS: dict[str, Callable[..., Sql]] = {"==": exp.EQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def _all_of(items: Iterable[Condition], names: Names) -> list[Sql]:
    """Conditions that must all hold, groups of such conditions opened up."""
    parts: list[Sql] = []
    for item in items:
        parts += _all_of(item.items, names) if isinstance(item, AllOf) else [_operand(condition(item, names))]
    return parts


def _text_search(test: str, own: Sql, text: str, ignore_case: bool) -> Sql:
    if test == "matches":
        return _matches(_folded(own) if ignore_case else own, patterns.folded(text) if ignore_case else text)
    if text == "":
        return exp.Not(this=exp.Paren(this=exp.Is(this=own, expression=exp.Null())))
    if ignore_case:
        own, text = _folded(own), text.translate(_LOWER)
    match test:
        case "contains":
            return _contains(own, text)
        case "startswith":
            return _starts_with(own, text)
        case _:
            return _ends_with(own, text)


def _like(own: Term, other: Term, names: Names) -> Sql:
    """One side of a comparison, written so that it compares with the other side."""
    if isinstance(own, Constant):
        return _constant(own, other.clock)
    written = term(own, names)
    if own.kind.is_timestamp and other.kind.is_timestamp and own.clock != other.clock and not isinstance(other, Constant):
        return _on_wall(written, own.clock, "UTC")
    return written


def _joined(kind: type[exp.And] | type[exp.Or], parts: list[Sql]) -> Sql:
    """Parts joined as a balanced tree, so that thousands of them do not nest thousands deep."""
    while len(parts) > 1:
        pairs = [kind(this=a, expression=b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, parts[-1]] if len(parts) % 2 else list(pairs)
    return parts[0]


def _operand(node: Sql) -> Sql:
    return exp.Paren(this=node) if isinstance(node, exp.Connector | exp.Binary) and not _is_plain(node) else node


def _is_plain(node: Sql) -> bool:
    """A comparison binds tighter than AND and OR."""
    return isinstance(node, exp.Predicate)


# ---------------------------------------------------------------- terms


def term(node: Term, names: Names) -> Sql:
    """The value of a term, NULL where it is missing."""
    match node:
        case Constant():
            return _constant(node, None)
        case ColumnTerm(name, kind):
            column = _column(name, names.table)
            return _known(column) if kind is Kind.FLOAT else column
        case FeatureTerm(feature):
            return names.outcomes[feature]()
        case Calculation("/", left, right):
            divisor = exp.Nullif(this=term(right, names), expression=_number(0))
            return exp.Div(this=_cast(term(left, names), "double"), expression=divisor, typed=True)
        case Calculation(op, left, right):
            return _ARITHMETIC[op](this=_whole(left, names), expression=_whole(right, names))
        case DayCount(later, earlier):
            return _days(term(later, names), term(earlier, names))
        case Moved(moment, amount, unit, kind):
            what = "DATE" if kind is Kind.DATE else "TIME"
            return _marker(f"{what}_PLUS_{unit.upper()}", term(moment, names), _number(amount))
        case LocalTime(moment, zone):
            return _on_wall(term(moment, names), moment.clock, zone)
        case LocalDate(moment, zone):
            return _date_of(_on_wall(term(moment, names), moment.clock, zone))
        case Midnight(date):
            return _midnight(term(date, names))
        case PartOf(part, moment):
            return _part(part, term(moment, names))
        case _:
            assert_never(node)


_ARITHMETIC: dict[str, Callable[..., Sql]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


def _whole(node: Term, names: Names) -> Sql:
    """An operand of arithmetic; a small whole-number column is widened, so that 32 bits do not overflow."""
    written = term(node, names)
    return _cast(written, "bigint") if isinstance(node, ColumnTerm) and node.kind is Kind.INTEGER else _operand(written)


def _constant(node: Constant, clock: str | None) -> Sql:
    """A constant; an instant is written on the clock of the column that it is compared with."""
    match node.value:
        case bool() as truth:
            return exp.Boolean(this=truth)
        case str() as text:
            return _text(text)
        case int() | float() | Decimal() as number:
            return _number(number)
        case dt.datetime() as instant:
            return _instant(instant) if clock is None else _timestamp(instant.astimezone(ZoneInfo(clock)))
        case dt.date() as day:
            return _date(day)
        case _:
            assert_never(node.value)


# ---------------------------------------------------------------- features and the joined contacts


@dataclass(frozen=True)
class _Base:
    """The contacts, with everything the conditions of some plans need joined to them."""

    catalog: Catalog
    at: Moment
    names: Names
    ctes: tuple[tuple[str, exp.Select], ...]
    joins: tuple[str, ...]

    def key(self) -> Sql:
        return _column(self.catalog.contacts.key, self.names.table)

    def select(self, columns: list[Sql], where: Condition | None) -> exp.Select:
        contacts = self.catalog.contacts
        query = exp.Select(expressions=columns).from_(_table(contacts.table, self.names.table), copy=False)
        for name in self.joins:
            on = exp.EQ(this=_column("contact_id", name), expression=self.key())
            query.join(_table(name), on=on, join_type="left", copy=False)
        parts = [*self._exists(), *([] if where is None else _all_of([where], self.names))]
        if parts:
            query.set("where", exp.Where(this=_joined(exp.And, parts)))
        if self.ctes:
            query.set("with_", exp.With(expressions=[_cte(name, select) for name, select in self.ctes]))
        return query

    def _exists(self) -> list[Sql]:
        """Contacts that were created later do not exist yet."""
        contacts = self.catalog.contacts
        if contacts.created is None:
            return []
        column = next(
            (c for c in contacts.fields.values() if c.name == contacts.created), Column(contacts.created, Kind.TIMESTAMP)
        )
        return [
            exp.Paren(
                this=exp.Or(
                    this=_not_after(column, self.names.table, self.at), expression=_is_null(column.name, self.names.table)
                )
            )
        ]


def _base(plans: Sequence[Plan]) -> _Base:
    catalog, at = plans[0].catalog, plans[0].at
    features = list(dict.fromkeys(feature for plan in plans for feature in plan.features))
    lists = list(dict.fromkeys(name for plan in plans for name in plan.lists))
    taken = {catalog.contacts.table, *(t.table for t in catalog.events), *([catalog.lists.table] if catalog.lists else [])}
    contacts = _fresh(catalog.contacts.table.rsplit(".", 1)[-1], set())
    taken |= {contacts}
    ctes: list[tuple[str, exp.Select]] = []
    outcomes: dict[Feature, Callable[[], Sql]] = {}
    unique = _unique_events(features, catalog, at, taken)
    ctes += [(name, query) for name, query in unique.values()]
    rows = {i: name for i, (name, _) in unique.items()}
    joins: list[str] = []
    for group in _grouped(features):
        latest = group[0].measure == "latest"
        name = _fresh(f"{'latest_' if latest else ''}{group[0].event or 'all'}_events", taken)
        measures = {feature: f"{feature.measure}" + (f"_{feature.of.name}" if feature.of else "") for feature in group}
        columns = dict(zip(group, _distinct(measures.values()), strict=True))
        query = _latest(group[0], columns[group[0]], catalog, rows) if latest else _measured(columns, catalog, rows)
        ctes.append((name, query))
        joins.append(name)
        outcomes |= {feature: _reader(feature, column, name) for feature, column in columns.items()}
    memberships: dict[str, Callable[[], Sql]] = {}
    for list_name in lists:
        assert catalog.lists is not None
        name = _fresh(f"on_{list_name}", taken)
        ctes.append((name, _on_list(list_name, catalog.lists, at)))
        joins.append(name)
        memberships[list_name] = lambda name=name: exp.Not(this=_is_null("contact_id", name))  # type: ignore[misc]
    return _Base(catalog, at, Names(contacts, outcomes, memberships), tuple(ctes), tuple(joins))


def _grouped(features: Iterable[Feature]) -> list[list[Feature]]:
    """Features that one grouped query can collect: those of one event; a latest property stands alone."""
    groups: dict[object, list[Feature]] = {}
    for feature in features:
        key = feature if feature.measure == "latest" else (feature.tables, feature.event)
        groups.setdefault(key, []).append(feature)
    return list(groups.values())


def _reader(feature: Feature, column: str, table: str) -> Callable[[], Sql]:
    def read() -> Sql:
        own = _column(column, table)
        if feature.measure in _COUNTS:
            return exp.Coalesce(this=own, expressions=[_number(0)])
        return own

    return read


def _measured(columns: Mapping[Feature, str], catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: the outcomes of all features of one event.

    What all of them ask for goes to WHERE, so that the engine can skip rows; the rest stays with each measure.
    """
    features = list(columns)
    source, contact, shared = _rows(features, catalog, rows)
    names = Names("e")
    common = _common_bounds([feature.bounds for feature in features])
    same_filter = len({feature.where for feature in features}) == 1
    where = [*shared, *_within(features[0], common, names)]
    if same_filter and features[0].where is not None:
        where.append(_operand(condition(features[0].where, names)))
    selected = [_aliased(contact, "contact_id")]
    for feature, column in columns.items():
        rest = _within(feature, _remaining(feature.bounds, common), names)
        if not same_filter and feature.where is not None:
            rest.append(_operand(condition(feature.where, names)))
        selected.append(_aliased(_measure(feature, _joined(exp.And, rest) if rest else None, names), column))
    query = exp.Select(expressions=selected).from_(source, copy=False)
    query.set("where", exp.Where(this=_joined(exp.And, where)))
    return query.group_by(contact.copy(), copy=False)


def _measure(feature: Feature, only: Sql | None, names: Names) -> Sql:
    time = term(feature.time, names)
    of = term(feature.of, names) if feature.of is not None else time
    match feature.measure:
        case "count":
            return exp.Count(this=exp.Star() if only is None else _case(only, _number(1)))
        case "sum":
            return exp.Sum(this=_only(only, of))
        case "avg":
            return exp.Avg(this=_only(only, _cast(of, "double")))
        case "min":
            return exp.Min(this=_only(only, of))
        case "max":
            return exp.Max(this=_only(only, of))
        case "distinct":
            return _count_distinct(_only(only, of))
        case "first":
            return exp.Min(this=_only(only, time))
        case "last":
            return exp.Max(this=_only(only, time))
        case "days":
            return _count_distinct(_only(only, _local_day(feature, time)))
        case "weeks":
            monday = _date(dt.date(1900, 1, 1))
            return _count_distinct(_only(only, _week(_days(_local_day(feature, time), monday))))
        case "months":
            year, month = (_part(part, _local_day(feature, term(feature.time, names))) for part in ("year", "month"))
            hundreds = exp.Mul(this=year, expression=_number(100))
            return _count_distinct(_only(only, exp.Add(this=exp.Paren(this=hundreds), expression=month)))
        case "latest":
            raise AssertionError("a latest property has a query of its own")
        case _:
            assert_never(feature.measure)


def _latest(feature: Feature, column: str, catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One row a contact: a property of its last event, ties by event id, then by the property itself."""
    assert feature.of is not None
    source, contact, where = _rows([feature], catalog, rows)
    names = Names("e")
    where += _within(feature, feature.bounds, names)
    if feature.where is not None:
        where.append(_operand(condition(feature.where, names)))
    event_id = catalog.events[feature.tables[0]].id if len(feature.tables) == 1 else "event_id"
    order = [term(feature.time, names), *([_column(event_id, "e")] if event_id else []), term(feature.of, names)]
    place = _row_number([contact.copy()], [exp.Ordered(this=o, desc=True, nulls_first=False) for o in order])
    inner = exp.Select(
        expressions=[_aliased(contact, "contact_id"), _aliased(term(feature.of, names), column), _aliased(place, "place")]
    )
    inner = inner.from_(source, copy=False)
    inner.set("where", exp.Where(this=_joined(exp.And, where)))
    query = exp.Select(expressions=[_column("contact_id", "ranked"), _column(column, "ranked")])
    query = query.from_(_subquery(inner, "ranked"), copy=False)
    return query.where(exp.EQ(this=_column("place", "ranked"), expression=_number(1)), copy=False)


def _rows(features: Sequence[Feature], catalog: Catalog, rows: Mapping[int, str]) -> tuple[Sql, Sql, list[Sql]]:
    """Where the events of a group come from: the source called `e`, its contact column, the filter on the event's name."""
    feature = features[0]
    if len(feature.tables) == 1:
        table = catalog.events[feature.tables[0]]
        source = _table(rows.get(feature.tables[0], table.table), "e")
        return source, _column(table.contact, "e"), _named(feature.event, table, "e")
    needed = list(dict.fromkeys(column for f in features for column in _properties_of(f)))
    parts = [_projected(i, feature, needed, catalog, rows) for i in feature.tables]
    union: exp.Select | exp.Union = parts[0]
    for part in parts[1:]:
        union = exp.Union(this=union, expression=part, distinct=False)
    return _subquery(union, "e"), _column("contact_id", "e"), []


def _projected(i: int, feature: Feature, needed: Sequence[str], catalog: Catalog, rows: Mapping[int, str]) -> exp.Select:
    """One of several event tables, its columns under their common names, NULL for those it lacks."""
    table = catalog.events[i]
    selected = [
        _aliased(_column(table.contact, "t"), "contact_id"),
        _aliased(_column(table.time, "t"), "occurred_at"),
        _aliased(_column(table.id, "t") if table.id else exp.Null(), "event_id"),
    ]
    for name in needed:
        own = table.properties.get(name)
        selected.append(_aliased(_column(own.name, "t") if own else exp.Null(), name))
    query = exp.Select(expressions=selected).from_(_table(rows.get(i, table.table), "t"), copy=False)
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


def _named(event: str | None, table: EventTable, alias: str) -> list[Sql]:
    if event is None or table.event is None:
        return []
    return [exp.EQ(this=_column(table.event, alias), expression=_text(event))]


def _unique_events(
    features: Sequence[Feature], catalog: Catalog, at: Moment, taken: set[str]
) -> dict[int, tuple[str, exp.Select]]:
    """For each event table whose ids repeat: its events with each id once, the earliest, then the smallest row."""
    used = dict.fromkeys(i for feature in features for i in feature.tables)
    return {
        i: (_fresh(f"unique_{catalog.events[i].table.rsplit('.', 1)[-1]}", taken), _once(catalog.events[i], at, features))
        for i in used
        if catalog.events[i].repeats
    }


def _once(table: EventTable, at: Moment, features: Sequence[Feature]) -> exp.Select:
    assert table.id is not None
    columns = {column.name: column for column in table.properties.values()}
    time = columns.get(table.time, Column(table.time, Kind.TIMESTAMP))
    smallest = [table.time, table.contact, *([table.event] if table.event else [])]
    smallest += [
        c.name for _, c in sorted(table.properties.items()) if c.kind is not Kind.JSON and c.name not in (table.id, *smallest)
    ]
    order = [exp.Ordered(this=_by_value(columns.get(name, Column(name))), desc=False, nulls_first=True) for name in smallest]
    copies = _row_number([_column(table.id, "e")], order)
    inner = exp.Select(expressions=[exp.Column(this=exp.Star(), table=_identifier("e")), _aliased(copies, "segkit_copy")])
    inner = inner.from_(_table(table.table, "e"), copy=False).where(
        exp.Not(this=_is_null(table.contact, "e")), _not_after(time, "e", at), copy=False
    )
    first = exp.EQ(this=_column("segkit_copy", "numbered"), expression=_number(1))
    read = {name for feature in features for name in _properties_of(feature)}
    read |= {table.properties[name].name for name in read if name in table.properties}
    kept = [table.id, *(name for name in smallest if name in read or name in (table.time, table.contact, table.event))]
    query = exp.Select(expressions=[_column(name, "numbered") for name in kept])
    query = query.from_(_subquery(inner, "numbered"), copy=False)
    return query.where(exp.Or(this=first, expression=_is_null(table.id, "numbered")), copy=False)


def _by_value(column: Column) -> Sql:
    return _known(_column(column.name, "e")) if column.kind is Kind.FLOAT else _column(column.name, "e")


def _on_list(name: str, lists: ListTable, at: Moment) -> exp.Select:
    """The contacts on a static list at the moment."""
    query = exp.Select(expressions=[_aliased(_column(lists.contact, "l"), "contact_id")], distinct=exp.Distinct())
    where: list[Sql] = [exp.EQ(this=_column(lists.list, "l"), expression=_text(name))]
    for column, is_start in ((lists.joined, True), (lists.left, False)):
        if column is not None:
            own = next((c for c in lists.columns.values() if c.name == column), Column(column, Kind.TIMESTAMP))
            passed = _not_after(own, "l", at)
            open_end = _is_null(column, "l")
            where.append(exp.Paren(this=exp.Or(this=passed if is_start else _after(own, "l", at), expression=open_end)))
    return query.from_(_table(lists.table, "l"), copy=False).where(*where, copy=False)


def _not_after(column: Column, table: str, at: Moment) -> Sql:
    return exp.LTE(this=_column(column.name, table), expression=_moment_of(column, at))


def _after(column: Column, table: str, at: Moment) -> Sql:
    return exp.GT(this=_column(column.name, table), expression=_moment_of(column, at))


def _moment_of(column: Column, at: Moment) -> Sql:
    """The moment, as a column of that kind would hold it."""
    match column.kind:
        case Kind.DATE:
            return _date(today(at))
        case Kind.TIMESTAMPTZ:
            return _instant(at.as_of)
        case _:
            return _timestamp(at.as_of.astimezone(ZoneInfo(column.zone)))


# ---------------------------------------------------------------- bounds of events


def _common_bounds(all_bounds: Sequence[Bounds]) -> Bounds:
    """The narrowest bounds that hold all of the given ones."""
    lows = [(b.low, not b.low_in) for b in all_bounds if b.low is not None]
    highs = [(b.high, b.high_in) for b in all_bounds if b.high is not None]
    low, low_out = min(lows) if len(lows) == len(all_bounds) else (None, True)
    high, high_in = max(highs) if len(highs) == len(all_bounds) else (None, False)
    return Bounds(low, not low_out, high, high_in)


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


def _within(feature: Feature, bounds: Bounds, names: Names) -> list[Sql]:
    parts: list[Condition] = []
    for end, op in ((bounds.low, ">=" if bounds.low_in else ">"), (bounds.high, "<=" if bounds.high_in else "<")):
        if end is not None:
            kind = Kind.TIMESTAMPTZ if isinstance(end, dt.datetime) else Kind.DATE
            parts.append(Comparison(op, feature.time, Constant(end, kind)))  # type: ignore[arg-type]
    return [condition(part, names) for part in parts]


def _only(only: Sql | None, value: Sql) -> Sql:
    return value if only is None else _case(only, value)


def _local_day(feature: Feature, time: Sql) -> Sql:
    """The local date of an event."""
    return time if feature.time.kind is Kind.DATE else _date_of(_on_wall(time, feature.time.clock, feature.zone))


# ---------------------------------------------------------------- small constructors


def _identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.Column(this=_identifier(name), table=_identifier(table) if table is not None else None)


def _table(name: str, alias: str | None = None) -> exp.Table:
    """A table by name; dots separate catalog, schema and table."""
    *above, own = name.split(".")
    parts = dict(zip(("db", "catalog"), map(_identifier, reversed(above)), strict=False))
    given = exp.TableAlias(this=_identifier(alias)) if alias is not None and alias != name else None
    return exp.Table(this=_identifier(own), alias=given, **parts)


def _subquery(query: exp.Select | exp.Union, alias: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=_identifier(alias)))


def _cte(name: str, query: exp.Select) -> exp.CTE:
    return exp.CTE(this=query, alias=exp.TableAlias(this=_identifier(name)))


def _aliased(node: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=_identifier(name))


def _text(text: str) -> exp.Literal:
    return exp.Literal(this=text, is_string=True)


def _number(number: int | float | Decimal) -> Sql:
    digits = f"{abs(number):f}" if isinstance(number, Decimal) else repr(abs(number))
    literal = exp.Literal(this=digits, is_string=False)
    return exp.Neg(this=literal) if number < 0 else literal


def _case(when: Sql, then: Sql, otherwise: Sql | None = None) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=when, true=then)], default=otherwise)


def _cast(node: Sql, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DataType.Type(kind.upper())))


def _is_null(name: str, table: str) -> Sql:
    return exp.Is(this=_column(name, table), expression=exp.Null())


def _count_distinct(node: Sql) -> Sql:
    return exp.Count(this=exp.Distinct(expressions=[node]))


def _row_number(partition: list[Sql], order: Sequence[Sql]) -> exp.Window:
    return exp.Window(this=exp.RowNumber(), partition_by=partition, order=exp.Order(expressions=list(order)))


def _fresh(wish: str, taken: set[str]) -> str:
    """A readable name that no table has yet."""
    plain = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_")[:40] or "part"
    name = plain if plain not in taken else next(f"{plain}_{n}" for n in range(2, len(taken) + 3) if f"{plain}_{n}" not in taken)
    taken.add(name)
    return name


def _distinct(wishes: Iterable[str]) -> list[str]:
    taken: set[str] = {"contact_id"}
    return [_fresh(wish, taken) for wish in wishes]


# ---------------------------------------------------------------- markers: what each dialect writes in its own way


def _marker(name: str, *arguments: Sql) -> exp.Anonymous:
    return exp.Anonymous(this=f"SEGKIT_{name}", expressions=list(arguments))


def _contains(own: Sql, text: str) -> Sql:
    return _marker("CONTAINS", own, _text(text))


def _starts_with(own: Sql, text: str) -> Sql:
    return _marker("STARTS_WITH", own, _text(text))


def _ends_with(own: Sql, text: str) -> Sql:
    return _marker("ENDS_WITH", own, _text(text))


def _matches(own: Sql, pattern: str) -> Sql:
    return _marker("MATCHES", own, _text(pattern))


def _folded(own: Sql) -> Sql:
    """ASCII letters to lower case."""
    return _marker("FOLDED", own)


def _known(own: Sql) -> Sql:
    """A float, NULL where it is NaN."""
    return _marker("KNOWN", own)


def _date(day: dt.date) -> Sql:
    return _marker("DATE", _text(day.isoformat()))


def _timestamp(wall: dt.datetime) -> Sql:
    """A timestamp without zone."""
    return _marker("TIMESTAMP", _text(wall.replace(tzinfo=None).isoformat(" ")))


def _instant(at: dt.datetime) -> Sql:
    """A timestamp with zone, in UTC."""
    return _marker("INSTANT", _text(at.astimezone(dt.UTC).isoformat(" ")))


def _on_wall(moment: Sql, clock: str | None, zone: str) -> Sql:
    """A timestamp, written by `clock` (None: an instant), as the wall clock of a zone shows it."""
    return moment if clock == zone else _marker("ON_WALL", moment, _text(clock) if clock else exp.Null(), _text(zone))


def _date_of(wall: Sql) -> Sql:
    return _marker("DATE_OF", wall)


def _midnight(day: Sql) -> Sql:
    return _marker("MIDNIGHT", day)


def _days(later: Sql, earlier: Sql) -> Sql:
    """Whole days from one date to a later one."""
    return _marker("DAYS", later, earlier)


def _week(days: Sql) -> Sql:
    """Days since a Monday as whole weeks."""
    return exp.Floor(this=exp.Div(this=_cast(days, "double"), expression=_number(7), typed=True))


def _part(part: str, moment: Sql) -> Sql:
    return _marker(f"PART_{part.upper()}", moment)
