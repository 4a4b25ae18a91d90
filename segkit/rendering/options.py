"""One of many constants, written all at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from segkit.rendering.forms import call, cast, identifier, string
from segkit.rendering.row import INNER, Sql
from segkit.rendering.text import pointed, tsql_text

_MOST = 1000


def among(own: Sql, options: Sequence[Any], dialect: str) -> Sql:
    """One of many constants. DuckDB reads a JSON array thirty times faster than a list of literals, SQL Server fails at
    some thousands of them, Oracle at more than a thousand; ClickHouse takes no fraction for a decimal."""
    if dialect in _IN_JSON and all(isinstance(option, str) for option in options):
        return _IN_JSON[dialect](own, options, "varchar")
    if dialect in _IN_JSON and all(type(option) is int for option in options):
        return _IN_JSON[dialect](own, options, "bigint")
    if dialect == "oracle":
        return _in_thousands(own, options, dialect)
    if dialect == "clickhouse" and any(isinstance(option, float | Decimal) for option in options):
        own = cast(own, "double")
    return exp.In(this=own, expressions=[_many(options, dialect)])


def _from_json(own: Sql, options: Sequence[Any], kind: str) -> Sql:
    array = call("FROM_JSON", _json(options), string(f'["{kind.upper()}"]'))
    return _in_query(own, exp.Select(expressions=[call("UNNEST", array)]))


def _open_json(own: Sql, options: Sequence[Any], kind: str) -> Sql:
    value: Sql = exp.Column(this=identifier("value"))
    if kind == "varchar":
        own, value = pointed(own), pointed(tsql_text(value))
    else:
        value = cast(value, kind)
    return _in_query(own, exp.Select(expressions=[value]).from_(exp.Table(this=call("OPENJSON", _json(options))), copy=False))


_IN_JSON = {"duckdb": _from_json, "tsql": _open_json}


def _json(options: Sequence[Any]) -> Sql:
    return string(json.dumps(options, ensure_ascii=False))


def _in_query(own: Sql, query: exp.Select) -> Sql:
    return exp.In(this=own, query=exp.Subquery(this=query))


def _in_thousands(own: Sql, options: Sequence[Any], dialect: str) -> Sql:
    return _any_of([exp.In(this=own.copy(), expressions=[_many(part, dialect)]) for part in _thousands(options)])


def in_thousands(tree: exp.Expression) -> None:
    """Lists of as many as Oracle allows, where each constant is a node of its own."""
    for node in list(tree.find_all(exp.In)):
        if len(node.expressions) > _MOST:
            groups: list[Sql] = [exp.In(this=node.this.copy(), expressions=list(part)) for part in _thousands(node.expressions)]
            node.replace(_any_of(groups))


def _thousands(options: Sequence[Any]) -> list[Sequence[Any]]:
    return [options[start : start + _MOST] for start in range(0, len(options), _MOST)]


def _any_of(groups: Sequence[Sql]) -> Sql:
    return exp.paren(exp.or_(*groups, copy=False), copy=False) if len(groups) > 1 else groups[0]


def _many(options: Sequence[Any], dialect: str) -> exp.Var:
    """Constants as the text of a list, in one piece: a million nodes would take a minute."""
    generator = Dialect.get_or_raise(INNER.get(dialect, dialect)).generator()
    literal = exp.Literal(this="", is_string=True)

    def written(option: Any) -> str:
        literal.set("this", option)
        return generator.sql(literal) if isinstance(option, str) else _number_text(option)

    return exp.Var(this=", ".join(map(written, options)))


def _number_text(number: Any) -> str:
    match number:
        case bool():
            return "TRUE" if number else "FALSE"
        case Decimal():
            return f"{number:f}"
        case _:
            return repr(number)
