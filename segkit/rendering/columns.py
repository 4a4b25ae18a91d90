"""The types of columns in the tables that segkit makes to write to."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.row import Row, Sql


def _type(name: str, size: int | None = None) -> Callable[[], Sql]:
    kind = exp.DataType.Type(name.upper())

    def write() -> Sql:
        sizes = [] if size is None else [exp.DataTypeParam(this=exp.Literal(this=str(size), is_string=False))]
        return exp.DataType(this=kind, expressions=sizes)

    return write


ROWS = (
    Row("TYPE_INTEGER", "", "whole numbers of 64 bits", _type("bigint")),
    Row("TYPE_TEXT", "", "text of any length", _type("text")),
    Row("TYPE_TEXT", "mysql", "TEXT ends at 64 KiB", _type("longtext")),
    Row("TYPE_KEY", "", "text that rows are found by", _type("text")),
    Row("TYPE_KEY", "mysql", "a key has a length, and collations fold case and trailing spaces: bytes", _type("varbinary", 1020)),
    Row("TYPE_INSTANT", "", "an instant", _type("timestamptz")),
    Row("TYPE_INSTANT", "mysql", "a TIMESTAMP ends in 2038, and is shown on the session's clock: in UTC", _type("datetime", 6)),
)
