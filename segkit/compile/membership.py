"""Who is a member of some plans of one moment: one row for each contact that is a member of any."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.compile import conditions, sql
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import AnyOf

KEY = "contact_id"


def membership(plans: Sequence[Plan]) -> exp.Select:
    """The key of each contact that is a member of a plan, and whether it is one of each (`is_0`, `is_1`, ...: 1 or 0)."""
    base = base_of(plans)
    columns: list[Sql] = [sql.aliased(base.key(), KEY)]
    for i, own in enumerate(plans):
        holds = conditions.condition(own.where, base.names)
        columns.append(sql.aliased(sql.case_when(holds, sql.number(1), sql.number(0)), f"is_{i}"))
    wheres = [own.where for own in plans]
    return base.select(columns, wheres[0] if len(wheres) == 1 else AnyOf(tuple(wheres)), wheres)
