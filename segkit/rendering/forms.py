"""The small forms that rows are written with. Strings and numbers are literals of ours: nothing is parsed out of text."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.row import Sql

LEAVES = frozenset((exp.Identifier, exp.Literal, exp.Column, exp.DataType))
TYPES = {
    **{kind: exp.DataType.build(kind) for kind in ("timestamp(6)", "timestamptz(6)", "decimal(38, 0)", "varchar(65535)")},
    "nvarchar(max)": exp.DataType.build("nvarchar(max)", dialect="tsql"),
    **{
        kind: exp.DataType(this=exp.DataType.Type(kind.upper()))
        for kind in (
            "bigdecimal",
            "bigint",
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


def in_bytes(text: Sql) -> Sql:
    """A text of MySQL as its bytes in UTF-8, which no collation folds, and in which trailing spaces count."""
    is_done = isinstance(text, exp.Literal) or (isinstance(text, exp.Cast) and text.is_type("binary"))
    return text if is_done else binary(in_charset(text, "utf8mb4"))


def charset(name: str) -> exp.DataType:
    return exp.DataType(this=exp.DataType.Type.CHARACTER_SET, kind=exp.Var(this=name))


_UTF8 = charset("utf8mb4")


def in_charset(text: Sql, name: str) -> Sql:
    """A text of MySQL in a character set; bytes are taken to be in it."""
    return exp.Cast(this=text, to=charset(name))


def characters(text: Sql) -> Sql:
    """A text of MySQL, of which only the bytes may be known, as characters again."""
    inner = text.this if isinstance(text, exp.Cast) and text.is_type("binary") else text
    is_known = isinstance(inner, exp.Cast) and inner.to == _UTF8
    return inner if is_known else in_charset(text, "utf8mb4")


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
