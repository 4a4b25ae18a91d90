"""Large definitions get an answer, deep ones a clear error."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import pytest

import segkit
from segkit import DefinitionError, E, F, Segment, all_of, any_of, connect

TEN_THOUSAND = 10_000
HOSTILE = [
    "it's",
    'say "hi"',
    "back\\slash",
    "tab\tline\nbreak",
    "É",
    "👍",
    "\u2028",
    "</script>",
    "'; DROP TABLE contacts; --",
    "",
]


@pytest.fixture(scope="module")
def ws():
    with connect() as workspace:
        yield workspace


def test_a_million_options_of_numbers(ws) -> None:
    keys = range(7, 7_000_007, 7)
    segment = Segment("listed", F.contact_id.is_in(keys))
    existing = ws.members(segkit.everyone())["contact_id"]
    expected = existing[existing.isin(keys)].tolist()
    assert len(expected) > 500
    assert ws.members(segment)["contact_id"].tolist() == expected
    assert segment.matches({"contact_id": 14})
    assert not segment.matches({"contact_id": 15})
    assert Segment.from_json(segment.to_json()) == segment


def test_many_options_of_text(ws) -> None:
    emails = [f"nobody{i}@example.com" for i in range(199_990)]
    known = ws.members(F.email.startswith("s"), ["email"])
    listed = F.email.is_in([*emails, *known["email"][:10]])
    assert ws.size(listed) == ws.size(F.email.is_in(list(known["email"][:10]))) >= 10
    assert ws.size(~listed) + ws.size(listed) == ws.size(segkit.everyone())
    assert len(Segment("x", listed).sql("snowflake", as_of="2025-11-30")) > 4_000_000


def test_long_lists_hold_the_same_as_short_ones(tmp_path: Path) -> None:
    rows = [*HOSTILE, *(text + "x" for text in HOSTILE), None]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts (contact_id INTEGER, name VARCHAR)")
    connection.executemany("INSERT INTO contacts VALUES (?, ?)", [[i, text] for i, text in enumerate(rows)])
    path = tmp_path / "crm.sqlite"
    _sqlite_copy(path, rows)
    filler = [f"filler {i}" for i in range(600)]
    for source in (connection, path):
        own = connect(source)
        for text in HOSTILE:
            short = own.members(F.name.is_in([text]))["contact_id"].tolist()
            assert own.members(F.name.is_in([text, *filler]))["contact_id"].tolist() == short == [rows.index(text)]
        assert own.size(F.name.is_in([*HOSTILE, *filler])) == len(HOSTILE)


def _sqlite_copy(path: Path, rows: list[str | None]) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE contacts (contact_id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO contacts VALUES (?, ?)", list(enumerate(rows)))
    connection.commit()
    connection.close()


def test_ten_thousand_conditions(ws) -> None:
    everyone = ws.size(segkit.everyone())
    each = [F.opens != n for n in range(-TEN_THOUSAND, 0)]
    assert ws.size(all_of(*each)) == everyone
    assert ws.size(reduce(lambda a, b: a & b, each[:3_000])) == everyone
    assert ws.size(any_of(*(F.contact_id == n for n in range(1, TEN_THOUSAND + 1)))) > 3000


def _looped(first: Any, step: Callable[[Any], Any]) -> Any:
    for _ in range(10_000):
        first = step(first)
    return first


@pytest.mark.parametrize(
    "build",
    [
        lambda: _looped(F.a > 1, lambda p: ~p),
        lambda: _looped(F.a, lambda v: v + 1),
        lambda: _looped(F.a, lambda v: 1 - v),
        lambda: _looped(F.a, lambda v: -v),
        lambda: _looped(F.a, lambda v: v.month()),
        lambda: _looped(F.a > 1, lambda p: all_of(p, F.a > 2)),
        lambda: _looped(F.a > 1, lambda p: any_of(p)),
        lambda: _looped(F.a > 1, lambda p: (F.a > 2) & p),
        lambda: _looped(F.a > 1, lambda p: E.opened.where(p).any()),
        lambda: _looped(Segment("S", F.a > 1), lambda s: ~s),
    ],
    ids=["not", "add", "subtract", "negate", "part", "all_of", "any_of", "and", "where", "segment"],
)
def test_ten_thousand_levels_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(DefinitionError, match="levels deep") as refusal:
        build()
    assert refusal.value.fix


def test_deep_text_is_refused() -> None:
    deep = '{"not": true, "conditions": [' * TEN_THOUSAND + "]}" * TEN_THOUSAND
    with pytest.raises(DefinitionError, match="levels deep"):
        Segment.from_json(deep)
    with pytest.raises(DefinitionError, match=r"deep|levels"):
        segkit.parse("NOT " * TEN_THOUSAND + "a > 1")
    assert segkit.parse("(" * TEN_THOUSAND + "a > 1" + ")" * TEN_THOUSAND) == (F.a > 1), "parentheses alone are no levels"
    node: dict[str, object] = {"field": "a", "operator": "=", "value": 1}
    for _ in range(TEN_THOUSAND):
        node = {"combinator": "and", "rules": [node]}
    with pytest.raises(DefinitionError, match="levels deep"):
        segkit.from_react_querybuilder(node)


def test_reading_takes_time_in_proportion() -> None:
    def seconds(n: int) -> float:
        text = json.dumps({"conditions": [{"field": "n", "operator": "equals", "value": i} for i in range(n)]})
        began = time.perf_counter()
        Segment.from_json(text)
        return time.perf_counter() - began

    seconds(100)
    assert min(seconds(8_000), seconds(8_000)) < 20 * max(seconds(1_000), 0.002)


def test_references_that_double_stay_linear(ws) -> None:
    """Each of 22 segments names the one before it twice: four million conditions, if they were written out."""
    segments = [Segment("s0", (E.opened.count() > 5) | (F.opens == 0))]
    for i in range(1, 23):
        one, other = segkit.in_segment(f"s{i - 1}"), segkit.in_segment(f"S{i - 1}")
        segments.append(Segment(f"s{i}", (one & other) if i % 2 else (one | other)))
    ws.define(*segments)
    expected = ws.size(segments[0])
    assert ws.size(segments[-1]) == expected > 0
    sql = ws.sql(segments[-1])
    assert len(sql) < 20_000
    assert sql.count("'opened'") == ws.sql(segments[0]).count("'opened'") > 0
    assert segments[-1].matches({"contact_id": 1, "opens": 0}, segments=segments)


def test_values_that_double_are_refused() -> None:
    """Forty additions of a value to itself: few objects, but a million million parts."""
    with pytest.raises(DefinitionError, match="parts"):
        connect().size(reduce(lambda value, _: value + value, range(40), F.opens) > 5)


def test_large_documents_are_bounded() -> None:
    with pytest.raises(DefinitionError, match="20,000 conditions"):
        Segment.from_dict({"conditions": [{"field": "a", "operator": "=", "value": n} for n in range(20_001)]})
    with pytest.raises(DefinitionError, match="list of"):
        F.a.is_in(range(2_000_001))
    assert json.loads(Segment("x", F.a.is_in(range(100_000))).to_json())["where"]["options"][-1] == 99_999
