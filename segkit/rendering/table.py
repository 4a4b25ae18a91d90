"""The dialect table: the rows of all rooms, found by marker and dialect."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.errors import DialectError
from segkit.rendering import clocks, columns, elements, given, json_paths, numbers, parts, raw, reckoning, samples, text, times
from segkit.rendering.forms import PLAIN_NUMBER, TYPES, string
from segkit.rendering.options import among
from segkit.rendering.row import INNER, Row, Sql

ROWS: tuple[Row, ...] = (
    *text.ROWS,
    *numbers.ROWS,
    *times.ROWS,
    *reckoning.ROWS,
    *clocks.ROWS,
    *parts.ROWS,
    *json_paths.ROWS,
    *elements.ROWS,
    *samples.ROWS,
    *given.ROWS,
    *columns.ROWS,
)

TABLE: dict[tuple[str, str], Row] = {
    (f"SEGKIT_{row.marker}", dialect): row for row in ROWS for dialect in row.dialects.split() or [""]
}


def written(node: exp.Anonymous, dialect: str) -> Sql:
    name = str(node.this).removeprefix("SEGKIT_")
    if name == "AMONG":
        return among(node.expressions[0], node.args["options"], dialect)
    if name == "RAW":
        return raw.checked(node.expressions[0], node.args["dialect"], INNER.get(dialect, dialect))
    if name == "JSON_NUMBER" and (f"SEGKIT_{name}", INNER.get(dialect, dialect)) not in TABLE:
        return _json_as_number(*node.expressions, dialect=dialect)
    return row(name, dialect)(*node.expressions)


def row(name: str, dialect: str) -> Callable[..., Sql]:
    outer = INNER.get(dialect, dialect)
    found = next(TABLE[key] for own in (dialect, outer, "") if (key := (f"SEGKIT_{name}", own)) in TABLE)
    if found.write is None:
        raise DialectError(f"{outer}: {found.reason}", fix="leave the condition out, or run it on another engine")
    return found.write


def _json_as_number(own: Sql, *steps: Sql, dialect: str) -> Sql:
    """The text of a property as a number, where it is one."""
    text = row("JSON_TEXT", dialect)(own, *steps)
    is_number = row("MATCHES", dialect)(text, string(PLAIN_NUMBER))
    return exp.Case(ifs=[exp.If(this=is_number, true=exp.TryCast(this=text.copy(), to=TYPES["double"].copy()))])
