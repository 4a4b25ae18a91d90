"""How contacts spread over the values of terms, or over the steps of a ladder of conditions: one grouped query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.compile import conditions, sql
from segkit.compile.conditions import Names
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import Condition, Term

_SPREAD = "spread"


def over_values(counted: Sequence[Plan], by: Plan, term: Term) -> exp.Select:
    """For each value of a term of `by`: `value` (0 where it is missing, if it is a number), `is_missing`, `everyone`, and
    how many members each plan has (`size_0`, `size_1`, ...)."""
    base = base_of([*counted, by])
    members = conditions.truths((plan.where for plan in counted), base.names)
    inner = base.select(
        [
            sql.aliased(conditions.term(term, base.names), "value"),
            *members,
        ],
        None,
        _uses(counted, by),
    )
    own = _read("value")
    missing = exp.Is(this=own.copy(), expression=exp.Null())
    known: Sql = exp.Coalesce(this=own.copy(), expressions=[sql.number(0)]) if term.kind.is_number else own.copy()
    is_missing = sql.case_when(missing, sql.number(1), sql.number(0))
    return _grouped(inner, [sql.aliased(known, "value"), sql.aliased(is_missing, "is_missing")], [own], len(counted))


def over_ladder(counted: Sequence[Plan], by: Plan, ladder: Sequence[Condition]) -> exp.Select:
    """For each step of a ladder, conditions of which each holds wherever one before it does: how many contacts stand there.

    A contact stands on the first step that holds for it (from 0), or beyond the last.

    Returns:
        `step`, `everyone`, and how many members each plan has (`size_0`, `size_1`, ...).
    """
    base = base_of([*counted, by])
    members = conditions.truths((plan.where for plan in counted), base.names)
    step = _first(ladder, 0, len(ladder), base.names)
    inner = base.select([sql.aliased(step, "step"), *members], None, _uses(counted, by))
    return _grouped(inner, [_read("step")], [_read("step")], len(counted))


def over_groups(by: Plan, keys: Sequence[Term], sums: Sequence[Term]) -> exp.Select:
    """For each combination of values of `keys`, missing ones included (`key_0`, ...): `everyone`, and sums (`sum_0`, ...)."""
    base = base_of([by])
    selected: list[Sql] = [sql.aliased(conditions.term(own, base.names), f"key_{i}") for i, own in enumerate(keys)]
    selected += [sql.aliased(conditions.term(own, base.names), f"value_{i}") for i, own in enumerate(sums)]
    inner = base.select(selected, None, [by.where])
    named = [_read(f"key_{i}") for i, _ in enumerate(keys)]
    totals: list[Sql] = [sql.aliased(exp.Count(this=exp.Star()), "everyone")]
    totals += [sql.aliased(exp.Sum(this=_read(f"value_{i}")), f"sum_{i}") for i, _ in enumerate(sums)]
    query = exp.Select(expressions=[*named, *totals]).from_(sql.subquery(inner, _SPREAD), copy=False)
    return query.group_by(*(own.copy() for own in named), copy=False)


def _uses(counted: Sequence[Plan], by: Plan) -> list[Condition]:
    return [*(plan.where for plan in counted), by.where]


def _first(ladder: Sequence[Condition], low: int, high: int, names: Names) -> Sql:
    """The first of the steps from `low` that holds, `high` if none before it does: found by halves."""
    if low == high:
        return sql.number(low)
    middle = (low + high) // 2
    holds = conditions.condition(ladder[middle], names)
    return sql.case_when(holds, _first(ladder, low, middle, names), _first(ladder, middle + 1, high, names))


def _grouped(inner: exp.Select, selected: list[Sql], by: list[Sql], plans: int) -> exp.Select:
    counts: list[Sql] = [sql.aliased(exp.Count(this=exp.Star()), "everyone")]
    counts += [sql.aliased(exp.Sum(this=_read(f"is_{i}")), f"size_{i}") for i in range(plans)]
    query = exp.Select(expressions=[*selected, *counts]).from_(sql.subquery(inner, _SPREAD), copy=False)
    return query.group_by(*by, copy=False)


def _read(name: str) -> exp.Column:
    return sql.column(name, _SPREAD)
