"""Digests, by which samples are drawn."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, calls, cast, number
from segkit.rendering.row import Row, Sql


def _md5(digest: Callable[[Sql], Sql], kind: str = "text") -> Callable[[Sql, Sql], Sql]:
    """The first 8 digits of a digest of seed and key."""

    def write(seed: Sql, key: Sql) -> Sql:
        return call("SUBSTR", digest(exp.DPipe(this=seed, expression=cast(key, kind))), number(1), number(8))

    return write


ROWS = (
    Row("DIGEST", "", "MD5 gives lower-case hex", _md5(calls("MD5"))),
    Row("DIGEST", "bigquery", "MD5 gives bytes", _md5(lambda x: call("TO_HEX", call("MD5", x)))),
    Row("DIGEST", "clickhouse", "MD5 gives bytes, hex writes capitals", _md5(lambda x: call("lower", call("hex", call("MD5", x))))),
    Row("DIGEST", "trino presto athena", "md5 takes and gives bytes", _md5(lambda x: call("LOWER", call("TO_HEX", call("MD5", call("TO_UTF8", x)))), "varchar")),
    Row("DIGEST", "singlestore doris starrocks", "|| is a logical or, and numbers are cast to CHAR", lambda s, k: call("SUBSTR", call("MD5", call("CONCAT", s, k)), number(1), number(8))),
    Row("DIGEST", "snowflake", "MD5 gives lower-case hex", _md5(calls("MD5"), "varchar")),
    Row("DIGEST", "redshift", "a cast to text without a length cuts it off at 256 bytes", _md5(calls("MD5"), "varchar(65535)")),
    Row("DIGEST", "sqlite", "SQLite has no MD5 in plain SQL", None),
    Row("DIGEST", "sqlite+", "a function of the engine's", _md5(calls("segkit_md5"))),
    Row("DIGEST", "tsql oracle teradata", "no row yet for its digest functions", None),
)  # fmt: skip
