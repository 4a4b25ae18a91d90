"""Who is in one of two definitions and not in the other, and which conditions hold for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.compile import conditions, sql
from segkit.compile.joined import Base, base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import AllOf, AnyOf, Complement, Condition

KEY = "contact_id"


def moves(old: Plan, new: Plan, wanted: Sequence[Condition]) -> exp.Select:
    """Who is a member of one of two plans of one moment: the key, whether of the new one (`is_new`), and whether some
    conditions of the plans hold (`is_0`, `is_1`, ...: 1 or 0), in the order of the keys."""
    base = base_of([old, new])
    gained, lost = AllOf((new.where, Complement(old.where))), AllOf((old.where, Complement(new.where)))
    is_new = sql.aliased(conditions.truth(new.where, base.names), "is_new")
    return _of(AnyOf((gained, lost)), base, [is_new], wanted)


def truths(plan: Plan, wanted: Sequence[Condition], of: Condition) -> exp.Select:
    """Contacts that meet a condition: the key, and whether some conditions of the plan hold, in the order of the keys."""
    return _of(of, base_of([plan]), [], wanted)


def _of(members: Condition, base: Base, first: list[Sql], wanted: Sequence[Condition]) -> exp.Select:
    columns = [sql.aliased(base.key(), KEY), *first, *conditions.truths(wanted, base.names)]
    return base.select(columns, members, [members, *wanted]).order_by(base.key_order(), copy=False)
