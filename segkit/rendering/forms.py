"""The small forms that rows are written with. Strings and numbers are literals of ours: nothing is parsed out of text."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.row import Sql

LEAVES = frozenset((exp.Identifier, exp.Literal, exp.Column, exp.DataType))
TYPES = {
    "timestamp(6)": exp.DataType.build("timestamp(6)"),
    "timestamptz(6)": exp.DataType.build("timestamptz(6)"),
    **{
        kind: exp.DataType(this=exp.DataType.Type(kind.upper()))
        for kind in (
            "bigdecimal",
            "binary",
            "date",
            "decimal",
            "double",
            "int",
            "jsonb",
            "text",
            "timestamp",
            "timestampntz",
            "timestamptz",
            "datetime2",
            "varchar",
        )
    },
}

PLAIN_NUMBER = r"^-?[0-9]+([.][0-9]+)?$"
"""A text that is nothing but a number, as a regular expression."""


def call(name: str, *arguments: Sql) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def calls(name: str) -> Callable[..., Sql]:
    return lambda *arguments: call(name, *arguments)


def cast(node: Sql, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=TYPES[kind].copy())


def number(number: int) -> exp.Literal:
    return exp.Literal(this=str(number), is_string=False)


def identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def string(text: str) -> exp.Literal:
    return exp.Literal(this=text, is_string=True)


def length(text: Sql, function: str = "LENGTH") -> Sql:
    """How long a text is, which is known of a constant."""
    return number(len(text.this)) if isinstance(text, exp.Literal) else call(function, text.copy())


def positive(node: Sql) -> Sql:
    return exp.GT(this=node, expression=number(0))


def equal(a: Sql, b: Sql) -> Sql:
    return exp.EQ(this=a, expression=b)


def binary(node: Sql) -> Sql:
    return cast(node, "binary")


def minus(a: Sql, b: Sql) -> Sql:
    return exp.Paren(this=exp.Sub(this=a, expression=b))


def cut(text: Sql, begin: int, length: int | None = None) -> Sql:
    return call("SUBSTR", text, number(begin), *([] if length is None else [number(length)]))


def joined(*parts: Sql) -> Sql:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part, safe=True)
    return exp.Paren(this=whole)


def quoted_path(steps: tuple[Sql, ...]) -> exp.Literal:
    """`$."key"[0]`: keys in double quotes, so that dots and spaces in them are theirs."""
    return string("$" + "".join(f'."{step.this}"' if step.is_string else f"[{step.this}]" for step in steps))
