"""How the members of some plans spread over the values of a term: grouped and counted in one query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.catalog import Kind
from segkit.compile import conditions, sql
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import Term

_GROUPED = "grouped"


def groups(plans: Sequence[Plan], by: Plan, term: Term, most: int) -> exp.Select:
    """The commonest values of a term of `by`, with how many members each plan has.

    Returns:
        At most one row more than `most`: the one without value first, then those with most members, equal ones by value:
        `value`, `is_missing`, and `size_i` and `total_i` (over all values) of each plan.
    """
    base = base_of([*plans, by])
    counts = [
        sql.aliased(exp.Count(this=sql.case_when(conditions.condition(plan.where, base.names), sql.number(1))), f"size_{i}")
        for i, plan in enumerate(plans)
    ]
    value = sql.aliased(conditions.term(term, base.names), "value")
    grouped = base.select([value, *counts], None, [*(plan.where for plan in plans), by.where])
    grouped.group_by(conditions.term(term, base.names), copy=False)
    sizes = [_read(f"size_{i}") for i in range(len(plans))]
    totals = [sql.aliased(exp.Window(this=exp.Sum(this=_read(f"size_{i}"))), f"total_{i}") for i in range(len(plans))]
    missing = sql.case_when(exp.Is(this=_read("value"), expression=exp.Null()), sql.number(1), sql.number(0))
    query = exp.Select(expressions=[_read("value"), sql.aliased(missing, "is_missing"), *sizes, *totals])
    query.from_(sql.subquery(grouped, _GROUPED), copy=False).order_by(*_order(term, len(plans)), copy=False)
    return query.limit(most + 1, copy=False)


def _read(name: str) -> exp.Column:
    return sql.column(name, _GROUPED)


def _order(term: Term, plans: int) -> list[Sql]:
    missing_first = sql.case_when(exp.Is(this=_read("value"), expression=exp.Null()), sql.number(0), sql.number(1))
    together: Sql = _read("size_0")
    for i in range(1, plans):
        together = exp.Add(this=together, expression=_read(f"size_{i}"))
    value = _read("value")
    by_value = sql.by_code_point(value) if term.kind is Kind.TEXT else value
    return [missing_first, exp.Ordered(this=together, desc=True), by_value]
