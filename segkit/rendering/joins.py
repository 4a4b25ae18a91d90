"""NULL where nothing is joined and where there is no neighbour, and columns under their names, for ClickHouse."""

from __future__ import annotations

from sqlglot import exp

from segkit.rendering.forms import call, identifier
from segkit.rendering.row import Sql


def nullable(tree: exp.Expression) -> None:
    """Columns joined from the left, and read of a neighbour, as such that can be NULL: ClickHouse fills others with 0, '' or 1970.

    (Its setting join_use_nulls would do the same, where a session may change settings.)
    """
    if isinstance(tree, exp.Select):
        tree.set("expressions", [_named(column) for column in tree.expressions])
    joined = {join.this.name for join in tree.find_all(exp.Join) if join.side == "LEFT"}
    for own in tree.find_all(exp.CTE):
        if own.alias in joined:
            own.this.set("expressions", [_nullable(column) for column in own.this.expressions])
    for neighbour in tree.find_all(exp.Lag, exp.Lead):
        neighbour.set("this", call("toNullable", neighbour.this))


def _named(column: Sql) -> Sql:
    """A column under its own name, which ClickHouse would write with the table's where two tables have it."""
    return exp.Alias(this=column, alias=identifier(column.name)) if isinstance(column, exp.Column) else column


def _nullable(column: Sql) -> Sql:
    value = column.this if isinstance(column, exp.Alias) else column
    return exp.Alias(this=call("toNullable", value), alias=identifier(column.alias_or_name))
