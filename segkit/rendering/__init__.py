"""The dialect table: the only place that knows how one engine differs.

    tree with markers  ->  render  ->  SQL text

`compile` leaves markers (`SEGKIT_CONTAINS(x, 'y')`) where engines disagree. A row of the table says how one marker is
written by some dialects, and why; a dialect without a row of its own takes the default row. A row may refuse. Adding
an engine is adding rows.

A marker's rows stand together in the room of its topic, above them the forms they need: `text`, `numbers`, `times` (as
stored, as literals, in zones), `reckoning` (what is later, how far apart), `clocks` (the warehouse's own), `parts`
(month, ISO week), `json_paths`, `elements`, `samples`, `given` (values in the place of a table's), `columns` (types of what is written) and `options` (one of many constants). `table` finds a row, `raw` and `vendors` say
what a dialect is made of that nothing here can run, `levels` how far a dialect is verified.
"""

from __future__ import annotations

from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from segkit.errors import DialectError
from segkit.rendering.forms import LEAVES
from segkit.rendering.fractions import in_decimal
from segkit.rendering.given import in_values
from segkit.rendering.grouping import grouped
from segkit.rendering.joins import nullable
from segkit.rendering.levels import checked_dialect, dialects, level
from segkit.rendering.options import in_thousands
from segkit.rendering.row import INNER
from segkit.rendering.table import written
from segkit.rendering.text import national, unpadded, unsubstituted

__all__ = ["checked_dialect", "dialects", "level", "render"]

_LONGEST_NAME = {"postgres": 63, "redshift": 127, "mysql": 64, "bigquery": 300, "snowflake": 255, "oracle": 128, "tsql": 128}
_SUBSTITUTING = ("spark", "databricks")
# sqlglot's pretty form breaks a text that holds this
_LINE_BREAK_SENTINEL = "__SQLGLOT__LB__"


def render(tree: exp.Expression, dialect: str, *, pretty: bool = False) -> str:
    """A tree of `compile` as SQL text. The tree is used up.

    Args:
        tree: a query with markers.
        dialect: a dialect by sqlglot's name, or an engine's inner form of one.
        pretty: one clause a line, to be read; execute only the other form.

    Raises:
        DialectError: the dialect does not exist, or has no faithful form of a condition.
    """
    inner, dialect = dialect, checked_dialect(INNER.get(dialect, dialect))
    for node in reversed(_markers(tree)):
        node.replace(written(node, inner))
    in_values(tree, dialect)
    if dialect == "sqlite":
        grouped(tree)
    if dialect == "oracle":
        in_thousands(tree)
    if dialect == "tsql":
        unpadded(tree)
        national(tree)
    if dialect == "clickhouse":
        nullable(tree)
        in_decimal(tree)
    _check_names(tree, dialect)
    try:
        plain = tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE, normalize_functions=False, copy=False)
    except UnsupportedError as error:
        raise DialectError(
            f"{dialect} has no form of this: {error}", fix="leave the condition out, or use another dialect"
        ) from None
    shown = (
        tree.sql(dialect=dialect, pretty=True, normalize_functions=False, copy=False)
        if pretty and _LINE_BREAK_SENTINEL not in plain
        else plain
    )
    if dialect in _SUBSTITUTING:
        return unsubstituted(shown, (node.this for node in tree.find_all(exp.Identifier)))
    return shown


def _markers(tree: exp.Expression) -> list[exp.Anonymous]:
    """The markers of a tree, those further up first. (A walk of our own: it passes over leaves, and is twice as fast.)"""
    found: list[exp.Anonymous] = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Anonymous) and node.name.startswith("SEGKIT_"):
            found.append(node)
        for value in node.args.values():
            below = value if isinstance(value, list) else (value,)
            stack += [child for child in below if isinstance(child, exp.Expr) and type(child) not in LEAVES]
    return found


def _check_names(tree: exp.Expression, dialect: str) -> None:
    longest = _LONGEST_NAME.get(dialect)
    if longest is None:
        return
    for node in tree.find_all(exp.Identifier):
        if len(node.this.encode()) > longest:
            raise DialectError(
                f"the name {node.this[:40]!r}... is longer than {dialect} allows", fix=f"use at most {longest} bytes"
            )
