"""The kinds of columns by the names that databases give their types."""

from __future__ import annotations

import re

from segkit.catalog import Kind

_INSTANT_BY_NAME = ("bigquery", "databricks", "spark", "mysql")
"""Dialects whose plain TIMESTAMP is an instant; the wall clock is DATETIME or TIMESTAMP_NTZ there."""

_NAMED = (
    (r"^(ARRAY|STRUCT|MAP|ROW|OBJECT|VARIANT|SUPER|RECORD|TUPLE)|\[\]$|^JSONB?$", Kind.JSON),
    (r"^(NULLABLE|LOWCARDINALITY)\((?P<inner>.*)\)$", Kind.UNKNOWN),
    (r"^TIMESTAMP ?_?(TZ|LTZ)|^TIMESTAMP.* WITH( LOCAL)? TIME ZONE|^DATETIMEOFFSET", Kind.TIMESTAMPTZ),
    (r"^TIMESTAMP_?NTZ|^TIMESTAMP.* WITHOUT TIME ZONE|^(SMALL)?DATETIME", Kind.TIMESTAMP),
    (r"^TIMESTAMP", Kind.TIMESTAMP),
    (r"^DATE(32)?$", Kind.DATE),
    (r"^INTERVAL", Kind.DURATION),
    (r"^BOOL", Kind.BOOLEAN),
    (r"^U?(TINY|SMALL|MEDIUM|BIG|HUGE)?INT|^U?INT\d+|^(BYTE|SHORT|LONG|(SMALL|BIG)?SERIAL)$", Kind.INTEGER),
    (r"^(NUMERIC|DECIMAL|BIGNUMERIC|BIGDECIMAL|NUMBER|MONEY|SMALLMONEY)", Kind.DECIMAL),
    (r"^(FLOAT|DOUBLE|REAL)", Kind.FLOAT),
    (r"CHAR|TEXT|STRING|^CLOB|^UUID|^UNIQUEIDENTIFIER|^ENUM|^NAME$", Kind.TEXT),
)
"""Which type is what, by the first pattern that its name meets."""


def kind(name: str, scale: int | None = None, dialect: str = "") -> Kind:
    """The kind of a column by its type's name; `scale` is the number of decimal places of a decimal, where it is known.

    >>> [kind(name).value for name in ("character varying(20)", "timestamp with time zone", "Nullable(Int64)", "bytea")]
    ['text', 'timestamptz', 'integer', 'unknown']
    >>> kind("NUMBER", 0).value, kind("TIMESTAMP", dialect="bigquery").value
    ('integer', 'timestamptz')
    """
    plain = name.strip().upper()
    for pattern, found in _NAMED:
        match = re.search(pattern, plain)
        if match is None:
            continue
        if match.re.groups and match.groupdict().get("inner"):
            return kind(match["inner"], scale, dialect)
        if found is Kind.DECIMAL and scale == 0:
            return Kind.INTEGER
        if plain.partition("(")[0] == "TIMESTAMP" and " WITHOUT " not in plain and dialect in _INSTANT_BY_NAME:
            return Kind.TIMESTAMPTZ
        return found
    return Kind.UNKNOWN
