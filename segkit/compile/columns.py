"""What conditions read of a contact, as the columns of one table to keep; and conditions, asked of such a table.

    Plan  ->  sources(condition)  ->  table(plan, columns)  ->  kept by the engine  ->  outcomes(table, conditions, columns)

Where a constant changes, the columns stay, and no event is read again. A table of nothing but events holds the contacts
that have some: what holds for one of the others holds for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast, get_args

from sqlglot import exp

from segkit.catalog import ContactTable, Kind
from segkit.compile import conditions, sql
from segkit.compile.conditions import Names
from segkit.compile.joined import Base, base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    Drawn,
    ElementCount,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    Named,
    OnList,
    PastColumn,
    Raw,
    Reference,
    Standing,
    Term,
)
from segkit.plan.walk import rebuilt

Source: TypeAlias = ColumnTerm | PastColumn | JsonTerm | ElementCount | FeatureTerm | Standing | OnList | Reference | Drawn | Raw
ROW, KEY = "row", "contact_id"
_SOURCES = get_args(Source)
_TRUTHS = (OnList, Reference, Drawn, Raw)
_AS_IT_IS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def sources(nodes: object) -> list[Source]:
    """What conditions and terms read of a contact: each once, without what stands behind it."""
    found: dict[Source, None] = {}
    stack: list[object] = [nodes]
    while stack:
        match stack.pop():
            case node if isinstance(node, _SOURCES):
                found[cast(Source, node)] = None
            case Among(term):
                stack.append(term)
            case tuple() as several:
                stack.extend(several)
            case node:
                stack.extend(getattr(node, slot) for slot in getattr(node, "__slots__", ()))
    return list(found)


@dataclass(frozen=True)
class Numbered:
    """The kept table of the contacts' numbers; with `keys` a contact's number is its key's place among these."""

    path: str
    keys: range | None


def spread(plan: Plan) -> exp.Select:
    """One row: how many contacts there are, and their smallest and largest key."""
    base = base_of([_reduced(plan, ())])
    told: dict[str, Sql] = {
        "everyone": exp.Count(this=exp.Star()),
        "smallest": exp.Min(this=base.key()),
        "largest": exp.Max(this=base.key()),
    }
    return base.select([sql.aliased(own, name) for name, own in told.items()], None, [])


def numbers(plan: Plan, keys: range | None) -> exp.Select:
    """One row a contact: its key, and its number from 0, as they come or, with `keys`, by its key."""
    own = _reduced(plan, ())
    base = base_of([own])
    selected = [sql.aliased(base.key(), KEY)]
    if keys is not None:
        return _among(keys, base, base.select([_place(keys, base), *selected], None, [own.where]))
    number: Sql = exp.Sub(this=exp.Window(this=exp.RowNumber()), expression=sql.number(1))
    return base.select([sql.aliased(sql.cast(number, "int"), ROW), *selected], None, [own.where])


def _place(keys: range, base: Base) -> Sql:
    """The number of a contact by its key."""
    distance = exp.Sub(this=sql.wide(base.key()), expression=sql.number(keys.start))
    return sql.aliased(sql.cast(distance, "int"), ROW)


def _among(keys: range, base: Base, query: exp.Select) -> exp.Select:
    """A query of contacts without those whose key is none of the known ones."""
    ends = {"low": sql.number(keys.start), "high": sql.number(keys[-1])}
    return query.where(exp.Between(this=base.key(), **ends), copy=False)


def are_of_events(sources: Collection[Source]) -> bool:
    """Whether nothing but events is read, so that a contact without any is like each other one."""
    return bool(sources) and all(isinstance(source, FeatureTerm) for source in sources)


def table(plan: Plan, columns: Mapping[Source, str], numbered: Numbered) -> exp.Select:
    """One row a contact: its number, and what some conditions read of it. Of events, one row a contact that has some.

    Args:
        plan: a plan that holds what stands behind the sources.
        columns: the name of each source's column.
        numbered: the contacts' numbers.
    """
    own = _reduced(plan, columns)
    if are_of_events(columns):
        return _of_events(own, columns, numbered.path)
    base = base_of([own])
    if numbered.keys is not None:
        selected = [_place(numbered.keys, base), *_values(columns, base.names)]
        return _among(numbered.keys, base, base.select(selected, None, [own.where]))
    kept = sql.fresh("kept", base.taken)
    query = base.select([sql.column(ROW, kept), *_values(columns, base.names)], None, [own.where])
    on = exp.EQ(this=sql.column(KEY, kept), expression=base.key())
    return query.join(sql.table(numbered.path, kept), on=on, copy=False)


def _of_events(own: Plan, columns: Mapping[Source, str], numbered: str) -> exp.Select:
    """The numbered contacts stand in for the contacts: no field of theirs is read."""
    base = base_of([replace(own, catalog=replace(own.catalog, contacts=ContactTable(numbered, KEY)))])
    query = base.select([sql.column(ROW, base.names.table), *_values(columns, base.names)], None, [own.where])
    has_events: list[Sql] = [exp.Not(this=sql.is_null("contact_id", name)) for name in dict.fromkeys(base.joins.values())]
    return query.where(sql.joined(exp.Or, has_events), copy=False)


def everyone(kept: str) -> exp.Select:
    """Each contact's number."""
    return exp.Select(expressions=[sql.column(ROW, "k")]).from_(sql.table(kept, "k"), copy=False)


def outcomes(kept: str, wanted: Sequence[Condition], columns: Mapping[Source, str]) -> exp.Select:
    """Each contact's number, and whether conditions hold for it (`is_0`, `is_1`, ...)."""
    names = Names("k")
    selected: list[Sql] = [sql.column(ROW, "k")]
    for i, own in enumerate(wanted):
        holds = conditions.condition(_reading(own, columns), names)
        selected.append(sql.aliased(sql.case_when(holds, exp.Boolean(this=True), exp.Boolean(this=False)), f"is_{i}"))
    return exp.Select(expressions=selected).from_(sql.table(kept, "k"), copy=False)


def _values(columns: Mapping[Source, str], names: Names) -> list[Sql]:
    return [sql.aliased(_value(source, names), name) for source, name in columns.items()]


def _value(source: Source, names: Names) -> Sql:
    if isinstance(source, _TRUTHS):
        return conditions.truth(source, names)
    return conditions.term(source, names)


def _reading(node: Any, columns: Mapping[Source, str]) -> Any:
    """A condition or term that reads the kept columns in the place of its sources."""
    match node:
        case _ if isinstance(node, _TRUTHS):
            return Comparison("==", ColumnTerm(columns[node], Kind.UNKNOWN), Constant(1, Kind.INTEGER))
        case _ if isinstance(node, _SOURCES):
            return ColumnTerm(columns[node], _kind(node), node.clock)
        case _:
            return rebuilt(node, lambda part: _reading(part, columns))


def _kind(source: Term) -> Kind:
    """As what a kept column is read: its values are in the form that they are compared in already."""
    is_narrow = isinstance(source, ColumnTerm) and source.kind is Kind.INTEGER
    return source.kind if is_narrow or source.kind in _AS_IT_IS else Kind.UNKNOWN


def _reduced(plan: Plan, wanted: Iterable[Source]) -> Plan:
    """The plan with no more than what stands behind some sources."""
    named = {part.name: part for part in plan.parts if isinstance(part, Named)}
    asked = list(wanted)
    needed: set[object] = set()
    stack: list[object] = [*asked]
    while stack:
        for source in sources(stack.pop()):
            match source:
                case FeatureTerm(feature):
                    needed.add(feature)
                case Standing(rank) if rank not in needed:
                    needed.add(rank)
                    stack += [rank.value, rank.of]
                case Reference(name) if named[name] not in needed:
                    needed.add(named[name])
                    stack.append(named[name].where)
                case OnList(name):
                    needed.add(name)
    where = AllOf(tuple(s if isinstance(s, _TRUTHS) else IsMissing(s) for s in asked)) if asked else Always(True)
    return replace(
        plan,
        where=where,
        features=tuple(feature for feature in plan.features if feature in needed),
        parts=tuple(part for part in plan.parts if part in needed),
        lists=tuple(name for name in plan.lists if name in needed),
    )
