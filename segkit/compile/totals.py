"""What the members of some plans did, added up: one row of sums, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlglot import exp

from segkit.catalog import Kind
from segkit.compile import conditions, sql
from segkit.compile.conditions import Names
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Moment, Plan
from segkit.plan.tree import AllOf, Always, Feature, FeatureTerm, IsMissing

Product: TypeAlias = tuple[str, ...]
"""Figures of a contact that are multiplied; `any NAME` is 1 for a contact with more than none of a figure, else 0; none at
all is 1."""

ANY = "any "
_EACH = "each"


def totals(
    plans: Sequence[Plan], features: Mapping[str, Feature], wanted: Sequence[Product], shared: int | None, until: Moment
) -> exp.Select:
    """Sums over contacts of products of figures: over all, the members of each plan, and those who are also in one of them.

    Args:
        plans: whose members.
        features: the figures by name.
        wanted: what is added up.
        shared: the plan whose members in common with each plan are asked for, too.
        until: the instant up to which events are known.

    Returns:
        `all_j`, `in_i_j` and `both_i_j` for each plan i and product j.
    """
    terms = tuple(IsMissing(FeatureTerm(own, Kind.UNKNOWN)) for own in features.values())
    figures = replace(
        plans[0], where=AllOf(terms) if terms else Always(True), features=tuple(features.values()), parts=(), lists=()
    )
    base = base_of([*plans, figures], until)
    columns = conditions.truths((own.where for own in plans), base.names)
    columns += [sql.aliased(_product(own, features, base.names), f"value_{j}") for j, own in enumerate(wanted)]
    each = base.select(columns, None, [*(own.where for own in plans), figures.where])
    groups: dict[str, list[Sql]] = {"all": []}
    groups |= {f"in_{i}": [_is_member(i)] for i in range(len(plans))}
    if shared is not None:
        groups |= {f"both_{i}": [_is_member(i), _is_member(shared)] for i in range(len(plans))}
    sums = [sql.aliased(_sum(only, j), f"{name}_{j}") for name, only in groups.items() for j in range(len(wanted))]
    return exp.Select(expressions=sums).from_(sql.subquery(each, _EACH), copy=False)


def _is_member(i: int) -> Sql:
    return exp.EQ(this=sql.column(f"is_{i}", _EACH), expression=sql.number(1))


def _sum(only: Sequence[Sql], j: int) -> Sql:
    value = sql.column(f"value_{j}", _EACH)
    return exp.Sum(this=sql.case_when(sql.joined(exp.And, [own.copy() for own in only]), value) if only else value)


def _product(factors: Product, features: Mapping[str, Feature], names: Names) -> Sql:
    """One figure as it is, exact; products in double precision, as squares of decimals are wider than engines hold."""
    if not factors:
        return sql.number(1)
    if len(factors) == 1:
        return _figure(factors[0], features, names)
    first, *others = (sql.cast(_figure(own, features, names), "double") for own in factors)
    product: Sql = first
    for own in others:
        product = exp.Mul(this=product, expression=own)
    return product


def _figure(name: str, features: Mapping[str, Feature], names: Names) -> Sql:
    if name.startswith(ANY):
        own = names.outcomes[features[name.removeprefix(ANY)]]()
        return sql.case_when(exp.GT(this=own, expression=sql.number(0)), sql.number(1), sql.number(0))
    return names.outcomes[features[name]]()
