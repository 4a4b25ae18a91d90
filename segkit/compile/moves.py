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
    return _truths(base, [("is_new", new.where), *_numbered(wanted)], AnyOf((gained, lost)))


def truths(plan: Plan, wanted: Sequence[Condition], of: Condition) -> exp.Select:
    """Contacts that meet a condition: the key, and whether some conditions of the plan hold, in the order of the keys."""
    return _truths(base_of([plan]), _numbered(wanted), of)


def _numbered(wanted: Sequence[Condition]) -> list[tuple[str, Condition]]:
    return [(f"is_{i}", own) for i, own in enumerate(wanted)]


def _truths(base: Base, wanted: Sequence[tuple[str, Condition]], of: Condition) -> exp.Select:
    columns: list[Sql] = [sql.aliased(base.key(), KEY)]
    for name, own in wanted:
        holds = conditions.condition(own, base.names)
        columns.append(sql.aliased(sql.case_when(holds, sql.number(1), sql.number(0)), name))
    return base.select(columns, of, [of, *(own for _, own in wanted)]).order_by(base.key_order(), copy=False)
