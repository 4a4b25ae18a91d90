"""Statements that keep the answer to a query: a view, a table, rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlglot import exp

from segkit.compile import sql

Query = TypeVar("Query", bound=exp.Query)


def view(name: str, query: exp.Query, about: str = "") -> exp.Create:
    """Makes a view; `about` stays inside of it as a comment, where the database keeps a view's text."""
    return _create("VIEW", sql.table(name), query, about)


def table(name: str, query: exp.Query) -> exp.Create:
    """Makes a table of what a query answers now."""
    return _create("TABLE", sql.table(name), query, "")


def empty_table(name: str, columns: Sequence[str], about: str) -> exp.Create:
    """Makes a table of columns without types, as SQLite has them; `about` stays inside of its text as a comment."""
    first, *rest = (exp.ColumnDef(this=sql.identifier(column)) for column in columns)
    first.this.add_comments([about])
    return exp.Create(this=exp.Schema(this=sql.table(name), expressions=[first, *rest]), kind="TABLE")


def insert(name: str, columns: Sequence[str], query: exp.Query) -> exp.Insert:
    """Adds what a query answers to the rows of a table."""
    target = exp.Schema(this=sql.table(name), expressions=[sql.identifier(column) for column in columns])
    return exp.Insert(this=target, expression=query)


def drop(name: str, kind: str) -> exp.Drop:
    """Drops a view or a table. (The name stands where sqlglot 30 looks for it, and where it did.)"""
    return exp.Drop(this=sql.table(name), tables=[sql.table(name)], kind=kind)


def comment(name: str, kind: str, about: str) -> exp.Comment:
    return exp.Comment(this=sql.table(name), kind=kind, expression=sql.string(about))


def number_of_rows(name: str) -> exp.Select:
    return exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(sql.table(name), copy=False)


def repeated(columns: Sequence[str], place: str) -> exp.Select:
    """The rows that stand more than once in a place: a text, which stands in the SQL as it is."""
    query = exp.Select(expressions=[sql.column(column) for column in columns])
    query = query.from_(exp.Table(this=exp.Var(this=place)), copy=False)
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=sql.number(1))
    return query.group_by(*(sql.column(column) for column in columns), copy=False).having(several, copy=False)


def _create(kind: str, target: exp.Table, query: exp.Query, about: str) -> exp.Create:
    if about:
        query.add_comments([about], prepend=True)
    return exp.Create(this=target, kind=kind, expression=query)


def in_sources(query: Query, places: Mapping[str, str]) -> Query:
    """A query that reads each table from another place: a text, which stands in the SQL as it is."""
    for own in list(query.find_all(exp.Table)):
        path = ".".join(part.name for part in own.parts)
        if path in places:
            alias = own.alias or own.name
            own.replace(exp.Table(this=exp.Var(this=places[path]), alias=exp.TableAlias(this=sql.identifier(alias))))
    return query
