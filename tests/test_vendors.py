"""Dialects that nothing here can run: the SQL of every conformance case is made of words that their vendors document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

import pytest
from cases_runner import all_cases, catalog_of, segment_of, spelled
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import TokenType

from segkit import Catalog, DialectError, F, SegkitError, Segment, compile
from segkit.plan import Plan, moment, plan
from segkit.rendering import render
from segkit.rendering.vendors import FUNCTIONS, INDEXES, WORDS, documented
from segkit.segment import by_name

_VALUES = (
    TokenType.IDENTIFIER, TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.NUMBER, TokenType.RAW_STRING,
)  # fmt: skip
_PUNCTUATION = frozenset(["(", ")", "*", "+", ",", "-", ".", "/", "<", "<=", "=", ">", ">=", "%", "||", "->"])
RAW = "raw_sql("
"""A case of raw SQL holds words of the analyst's own."""


FIELDS = Catalog.from_dict({"contacts": {"fields": {"name": "text", "opens": "integer", "born": "date"}}})
LONG = {
    "texts": F.name.is_in([f"é{n}" for n in range(1001)]),
    "numbers": F.opens.is_in([*range(1001)]),
    "fractions": F.opens.is_in([n + 0.5 for n in range(1001)]),
    "dates": F.born.is_in([date.fromordinal(700_000 + n) for n in range(1001)]),
}
"""Lists that some would not take as they are; no case has one."""


@cache
def plans() -> tuple[tuple[str, Plan], ...]:
    """The cases that mean something, each with its definition."""
    found = []
    for case in all_cases():
        try:
            others = {name: spelled(text) for name, text in case.given.get("segments", {}).items()}
            at = moment(case.case.get("as_of", case.given["as_of"]), case.given.get("timezone", "UTC"))
            own = plan(segment_of(case).definition, catalog_of(case.given), at, by_name(others))
        except SegkitError:
            continue
        if RAW not in case.case.get("where", ""):
            found.append((case.id, own))
    at = moment("2025-06-30T12:00:00Z", "UTC")
    return (*found, *((name, plan(Segment("x", own).definition, FIELDS, at)) for name, own in LONG.items()))


def words(sql: str, dialect: str) -> Iterator[str]:
    """The words of a query in the dialect's own reading, apart from names, literals and punctuation."""
    for token in Dialect.get_or_raise(dialect).tokenize(sql):
        if token.token_type not in _VALUES and token.text not in _PUNCTUATION:
            yield from token.text.upper().split()


@cache
def written(dialect: str) -> tuple[dict[str, str], int]:
    """Every word that the cases are written with, with the first query that holds it; and how many cases are not refused."""
    found: dict[str, str] = {}
    rendered = 0
    for name, own in plans():
        try:
            sql = render(compile.members(own), dialect)
        except DialectError:
            continue
        rendered += 1
        for word in words(sql, dialect):
            found.setdefault(word, f"{name}: {sql[:300]}")
    return found, rendered


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_every_word_is_documented_by_the_vendor(dialect: str) -> None:
    found, rendered = written(dialect)
    assert {word: query for word, query in found.items() if word not in documented(dialect)} == {}
    assert rendered > len(plans()) * 0.8


@pytest.mark.parametrize("name", LONG)
def test_long_lists_are_as_long_as_the_vendor_allows(name: str) -> None:
    oracle, tsql = (Segment("x", LONG[name]).sql(dialect, catalog=FIELDS) for dialect in ("oracle", "tsql"))
    assert [part.count("TO_DATE(") or part.count(",") + 1 for part in oracle.split(" IN (")[1:]] == [1000, 1]
    assert "OPENJSON" in tsql or name in ("fractions", "dates")
    assert "N'[" in tsql or name != "texts"


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_no_page_names_a_function_that_is_never_written(dialect: str) -> None:
    named = {word for page in FUNCTIONS[dialect].values() for word in page.split()}
    assert named <= written(dialect)[0].keys()


@pytest.mark.parametrize("page", sorted({page for pages in (*FUNCTIONS.values(), *WORDS.values()) for page in pages}))
def test_a_page_is_the_vendors(page: str) -> None:
    vendors = "docs.aws.amazon.com learn.microsoft.com docs.oracle.com trino.io docs.snowflake.com docs.databricks.com"
    assert re.fullmatch(rf"https://({'|'.join(map(re.escape, vendors.split()))})/\S+", page)


def test_a_page_that_was_not_read_is_one_that_stands_for_words() -> None:
    assert {page for pages in (*FUNCTIONS.values(), *WORDS.values()) for page in pages} >= INDEXES


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_a_function_stands_on_one_page(dialect: str) -> None:
    named = [word for page in FUNCTIONS[dialect].values() for word in page.split()]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("tsql", "SELECT 1 WHERE [a] ILIKE 'x'"),
        ("tsql", "SELECT CAST([a] AS DATE) - INTERVAL '30' DAY"),
        ("oracle", 'SELECT DATEDIFF("a", "b")'),
        ("redshift", "SELECT ENDS_WITH(\"a\", 'x')"),
        ("redshift", 'SELECT COUNT_IF("a")'),
        ("trino", "SELECT ENDS_WITH(\"a\", 'x')"),
        ("snowflake", "SELECT \"a\" IS DISTINCT FROM 'x', STRPOS(\"a\", 'x')"),
    ],
)
def test_what_sqlglot_would_write_is_found(dialect: str, sql: str) -> None:
    assert set(words(sql, dialect)) - documented(dialect)
