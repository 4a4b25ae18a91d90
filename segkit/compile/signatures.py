"""Which of some conditions hold for a contact, as bits packed into whole numbers: the signature of the contact."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.compile import conditions, sql
from segkit.compile.joined import base_of
from segkit.compile.membership import KEY
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import AnyOf, Condition

BITS = 52
"""How many conditions one number tells: every engine and driver holds that many bits exactly, also those that make it a float."""
COUNT = "contacts"
_SIGNED = "signed"


def signatures(plans: Sequence[Plan], wanted: Sequence[Condition]) -> exp.Select:
    """One row a contact, in no order: whether conditions of some plans hold, as the bits of `bits_0`, `bits_1`, ...

    Each number tells `BITS` conditions, or the rest of them; the first is its highest bit.
    """
    base = base_of(plans)
    return base.select(_bits(base.names, wanted), None, [*(plan.where for plan in plans), *wanted])


def members(plans: Sequence[Plan]) -> exp.Select:
    """One row for each contact that is a member of any plan, in no order: its key, and of which, as bits of `bits_0`, ..."""
    wheres = [plan.where for plan in plans]
    return _keyed(plans, wheres[0] if len(wheres) == 1 else AnyOf(tuple(wheres)))


def contacts(plans: Sequence[Plan]) -> exp.Select:
    """The same with a row for each contact: where they are few, this is less to ask."""
    return _keyed(plans, None)


def _keyed(plans: Sequence[Plan], where: Condition | None) -> exp.Select:
    base = base_of(plans)
    wheres = [plan.where for plan in plans]
    return base.select([sql.aliased(base.key(), KEY), *_bits(base.names, wheres)], where, wheres)


def _bits(names: conditions.Names, wanted: Sequence[Condition]) -> list[Sql]:
    columns: list[Sql] = []
    for start in range(0, len(wanted), BITS):
        some = wanted[start : start + BITS]
        bits = [
            sql.case_when(conditions.condition(own, names), sql.number(1 << (len(some) - 1 - i)), sql.number(0))
            for i, own in enumerate(some)
        ]
        columns.append(sql.aliased(sql.joined(exp.Add, list(bits)), f"bits_{start // BITS}"))
    return columns


def regions(plans: Sequence[Plan], wanted: Sequence[Condition]) -> exp.Select:
    """One row for each signature that occurs: `bits_0`, `bits_1`, ..., and how many `contacts` have it."""
    signed = signatures(plans, wanted)
    names = [column.alias for column in signed.expressions]
    counted = sql.aliased(exp.Count(this=exp.Star()), COUNT)
    query = exp.Select(expressions=[*(sql.column(name, _SIGNED) for name in names), counted])
    query.from_(sql.subquery(signed, _SIGNED), copy=False)
    return query.group_by(*(sql.column(name, _SIGNED) for name in names), copy=False)
