"""The elements of JSON arrays, counted."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, cast, equal, identifier, number, quoted_path, string
from segkit.rendering.json_paths import (
    clickhouse_kind,
    from_one,
    in_arrays,
    mysql_kind,
    positions_checked,
    postgres_kind,
    postgres_part,
    spark_kind,
    spark_text,
)
from segkit.rendering.row import Row, Sql


def _duckdb_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    """A list of the elements, filtered in place: several times faster than a query for each contact."""
    path = quoted_path(steps)
    found: Sql = call("JSON_EXTRACT", own.copy(), string(f"{path.this}[*]"))
    if not isinstance(where, exp.Null):
        holds = exp.Lambda(this=where, expressions=[identifier("element")])
        found = call("LIST_FILTER", found, holds)
    is_array = equal(call("JSON_TYPE", own, path), string("ARRAY"))
    return exp.Case(ifs=[exp.If(this=is_array, true=call("LEN", found))])


def _sqlite_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    path = quoted_path(steps)
    each = exp.Table(this=call("JSON_EACH", own.copy(), path.copy()), alias=exp.TableAlias(this=identifier("each")))
    query = exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(each, copy=False)
    if not isinstance(where, exp.Null):
        query.set("where", exp.Where(this=where))
    is_array = equal(call("JSON_TYPE", own, path), string("array"))
    return exp.Case(ifs=[exp.If(this=is_array, true=exp.Subquery(this=query))])


def _sqlite_element() -> Sql:
    """The element out of its array: on its own a text would be no JSON, and a boolean a number."""
    array, place = (exp.Column(this=identifier(name), table=identifier("each")) for name in ("json", "fullkey"))
    return exp.Paren(this=exp.JSONExtract(this=array, expression=place, only_json_types=True))


def _postgres_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    is_array = equal(postgres_kind(own, *steps), string("["))
    array = cast(exp.Paren(this=postgres_part(own.copy(), *(step.copy() for step in steps))), "jsonb")
    each = exp.TableAlias(this=identifier("each"), columns=[identifier("element")])
    query = exp.Select(expressions=[exp.Count(this=exp.Star())])
    query.from_(exp.Table(this=call("JSONB_ARRAY_ELEMENTS", array), alias=each), copy=False)
    if not isinstance(where, exp.Null):
        query.set("where", exp.Where(this=where))
    return exp.Case(ifs=[exp.If(this=is_array, true=exp.Subquery(this=query))])


def _spark_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    """Each element as JSON. Read as texts they keep numbers as they were written, read as variants they tell what is a text."""
    array = spark_text(own, *steps)
    texts, variants = (call("FROM_JSON", array.copy(), string(f"ARRAY<{kind}>")) for kind in ("STRING", "VARIANT"))
    found: Sql = texts
    if not isinstance(where, exp.Null):
        text, variant = (exp.Column(this=identifier(name)) for name in ("text", "variant"))
        is_text = equal(call("SCHEMA_OF_VARIANT", variant), string("STRING"))
        as_json = exp.Case(ifs=[exp.If(this=is_text, true=call("TO_JSON", variant.copy()))], default=text)
        written = exp.Lambda(this=as_json, expressions=[identifier("text"), identifier("variant")])
        holds = exp.Lambda(this=where, expressions=[identifier("element")])
        found = call("FILTER", call("ZIP_WITH", texts, variants, written), holds)
    is_array = equal(spark_kind(own.copy(), *(step.copy() for step in steps)), string("ARRAY"))
    return exp.Case(ifs=[exp.If(this=is_array, true=call("SIZE", found))])


def _bigquery_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    """A query over an array of JSON, or of texts that hold JSON; what is no array gives none."""
    array = positions_checked(call("JSON_QUERY_ARRAY", own, quoted_path(steps)), own, steps)
    each = exp.Unnest(expressions=[array.copy()], alias=exp.TableAlias(columns=[identifier("element")]))
    query = exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(each, copy=False)
    if not isinstance(where, exp.Null):
        query.set("where", exp.Where(this=where))
    is_array = exp.Not(this=exp.Paren(this=exp.Is(this=array, expression=exp.Null())))
    return exp.Case(ifs=[exp.If(this=is_array, true=exp.Subquery(this=query))])


def _clickhouse_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    found: Sql = call("JSONExtractArrayRaw", call("assumeNotNull", own.copy()), *from_one(steps))
    if not isinstance(where, exp.Null):
        holds = exp.Lambda(this=call("ifNull", where, exp.Boolean(this=False)), expressions=[identifier("element")])
        found = call("arrayFilter", holds, found)
    return _of_array(clickhouse_kind, "Array", own, steps, call("length", found))


def _mysql_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    path = string(f"{quoted_path(steps).this}[*]")
    element = exp.JSONColumnDef(this=identifier("element"), kind=exp.DataType(this=exp.DataType.Type.JSON), path=string("$"))
    each = exp.JSONTable(this=own.copy(), path=path, schema=exp.JSONSchema(expressions=[element]))
    rows = exp.Table(this=each, alias=exp.TableAlias(this=identifier("each")))
    query = exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(rows, copy=False).where(_not_kept(), copy=False)
    if not isinstance(where, exp.Null):
        query.where(exp.paren(where, copy=False), copy=False)
    return _of_array(mysql_kind, "ARRAY", own, steps, exp.Subquery(this=query))


def _not_kept() -> Sql:
    """True. MariaDB keeps what a query gave for a text, and gives it again for texts that the collation takes for it, unless
    the query reads a variable."""
    unset = exp.Is(this=exp.Parameter(this=exp.Var(this="segkit")), expression=exp.Null())
    return exp.Or(this=unset, expression=equal(number(1), number(1)))


def _of_array(kind_of: Callable[..., Sql], array: str, own: Sql, steps: tuple[Sql, ...], count: Sql) -> Sql:
    is_array = equal(kind_of(own.copy(), *(step.copy() for step in steps)), string(array))
    return in_arrays(kind_of, array, own, steps, exp.Case(ifs=[exp.If(this=is_array, true=count)]))


ROWS = (
    Row("ELEMENT", "", "no row yet for the elements of JSON arrays", None),
    Row("ELEMENT", "postgres", "a column of the query over them", lambda: exp.Column(this=identifier("element"), table=identifier("each"))),
    Row("ELEMENT", "duckdb spark databricks", "what the lambda is about", lambda: exp.Column(this=identifier("element"))),
    Row("ELEMENT", "datafusion", "DataFusion has no JSON functions", None),
    Row("ELEMENT", "bigquery", "what is unnested", lambda: exp.Column(this=identifier("element"))),
    Row("ELEMENT", "sqlite", "JSON_EACH gives texts, not JSON", _sqlite_element),
    Row("ELEMENT", "clickhouse", "what the lambda is about", lambda: exp.Column(this=identifier("element"))),
    Row("ELEMENT", "mysql", "a column of the table of elements", lambda: exp.Column(this=identifier("element"), table=identifier("each"))),
    Row("ELEMENTS", "", "no row yet for the elements of JSON arrays", None),
    Row("ELEMENTS", "postgres", "a query over JSONB_ARRAY_ELEMENTS, which fails for what is no array", _postgres_elements),
    Row("ELEMENTS", "datafusion", "DataFusion has no JSON functions", None),
    Row("ELEMENTS", "duckdb", "a lambda over the list of elements", _duckdb_elements),
    Row("ELEMENTS", "spark databricks", "a lambda over an array of elements", _spark_elements),
    Row("ELEMENTS", "bigquery", "a query over the unnested array", _bigquery_elements),
    Row("ELEMENTS", "sqlite", "a query over JSON_EACH", _sqlite_elements),
    Row("ELEMENTS", "mysql", "a query over JSON_TABLE", _mysql_elements),
    Row("ELEMENTS", "clickhouse", "a lambda over the list of elements", _clickhouse_elements),
)  # fmt: skip
