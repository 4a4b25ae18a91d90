"""Dialects that nothing here can run: the SQL of every conformance case is made of words that their vendors document."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import pytest
from cases_runner import all_cases, catalog_of, segment_of, spelled

from segkit import Catalog, DialectError, F, SegkitError, Segment, compile, raw_sql
from segkit.plan import Plan, moment, plan
from segkit.rendering import render
from segkit.rendering.raw import words
from segkit.rendering.vendors import FUNCTIONS, IN_RAW_SQL, INDEXES, WORDS, documented, in_raw_sql
from segkit.segment import by_name

VENDORS = re.compile(
    r"https://(docs\.aws\.amazon\.com|learn\.microsoft\.com|docs\.oracle\.com|trino\.io|docs\.snowflake\.com|docs\.databricks\.com)/\S+"
)
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


@pytest.mark.parametrize(
    "page", sorted({page for pages in (*FUNCTIONS.values(), *WORDS.values(), *IN_RAW_SQL.values()) for page in pages})
)
def test_a_page_is_the_vendors(page: str) -> None:
    assert VENDORS.fullmatch(page)


def test_a_page_that_was_not_read_is_one_that_stands_for_words() -> None:
    assert {page for pages in (*FUNCTIONS.values(), *WORDS.values(), *IN_RAW_SQL.values()) for page in pages} >= INDEXES


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


# ---------------------------------------------------------------- raw SQL

RAW_CASES = [case for case in all_cases() if "members" in case.case and RAW in case.case.get("where", "")]
PERSON = Catalog.from_dict({"contacts": {"fields": {"name": "text", "other": "text", "opens": "integer", "born": "date"}}})


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_raw_sql_is_made_of_documented_words_or_refused(dialect: str) -> None:
    refused = []
    for case in RAW_CASES:
        try:
            sql = segment_of(case).sql(dialect, catalog=catalog_of(case.given))
        except DialectError as error:
            refused.append(error.what)
        else:
            condition = sql.split("WHERE", 1)[1]
            assert set(words(condition, dialect)) <= in_raw_sql(dialect), sql
    assert len(refused) <= 2
    assert all(f"which {dialect} is not known to have" in told for told in refused), refused


@pytest.mark.parametrize(
    ("dialect", "own", "text", "word"),
    [
        ("tsql", "postgres", "name ILIKE 'u%'", "ILIKE"),
        ("tsql", "duckdb", "starts_with(name, 'x')", "STARTS_WITH"),
        ("tsql", "duckdb", "opens[1] = 2", "["),
        ("redshift", "duckdb", "levenshtein(name, other) < 2", "LEVENSHTEIN"),
        ("redshift", "duckdb", "opens IS DISTINCT FROM 3", "DISTINCT"),
        ("redshift", "duckdb", "regexp_matches(name, 'x')", "~"),
        ("oracle", "duckdb", "opens & 1 = 1", "&"),
        ("oracle", "duckdb", "date_diff('day', born, DATE '2025-01-01') > 3", "DATEDIFF"),
        ("snowflake", "duckdb", "regexp_matches(name, 'x')", "REGEXP_LIKE"),
        ("trino", "duckdb", '"my_own"(name) > 1', "MY_OWN"),
        ("databricks", "sqlite", "name COLLATE NOCASE = 'x'", "NOCASE"),
    ],
)
def test_raw_sql_that_a_vendor_does_not_document_is_refused_by_name(dialect: str, own: str, text: str, word: str) -> None:
    with pytest.raises(DialectError) as refusal:
        Segment("x", ~raw_sql(text, dialect=own) & (F.opens > 1)).sql(dialect, catalog=PERSON)
    assert word in refusal.value.what.split("asks for ")[1].split(", which")[0].split(", ")
    assert (dialect in refusal.value.what, own in refusal.value.what) == (True, True)
    assert repr(dialect) in refusal.value.fix


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_raw_sql_in_its_own_dialect_is_the_analysts(dialect: str) -> None:
    own = raw_sql("my_own(name, 'x') > 1 AND name ILIKE 'u%'", dialect=dialect)
    sql = Segment("x", own).sql(dialect, catalog=PERSON)
    assert "my_own(" in sql
    assert "LIKE" in sql


@pytest.mark.parametrize("dialect", FUNCTIONS)
def test_usual_raw_sql_is_translated(dialect: str) -> None:
    text = (
        "upper(trim(name)) LIKE 'A!%' ESCAPE '!' AND coalesce(opens, 0) % 2 = 0 AND opens BETWEEN 1 AND 9 AND born < DATE '2025-01-01'"
        " AND CASE WHEN opens > 1 THEN ceil(sqrt(opens)) ELSE 0 END > 1 AND name || other IN ('a', 'b') AND CAST(opens AS DOUBLE) > 0.5"
    )
    sql = Segment("x", raw_sql(text, dialect="duckdb")).sql(dialect, catalog=PERSON)
    assert "ESCAPE" in sql
