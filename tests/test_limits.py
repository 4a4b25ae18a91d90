"""What a warehouse limits holds for each SELECT of a query, those inside of it included: whatever asks several things at once
asks in several queries then, or refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from sqlglot import exp, parse_one

from segkit import DefinitionError, E, F, Segment, Workspace, connect, everyone, nodes
from segkit.compile import extent
from segkit.counting import Counting
from segkit.engines.limits import Limits
from segkit.plan import moment
from segkit.verification import verified


class Narrow:
    """An engine that takes no SELECT with more columns or joins than its limits allow, and counts what it was asked."""

    def __init__(self, inner: Any, limits: Limits) -> None:
        self.inner, self.limits, self.queries = inner, limits, 0
        self.dialect, self.renders_as = inner.dialect, inner.renders_as

    def frame(self, sql: str) -> pd.DataFrame:
        self.queries += 1
        self._check(sql)
        return self.inner.frame(sql)

    def materialize(self, name: str, sql: str) -> str:
        self.queries += 1
        self._check(sql)
        return str(self.inner.materialize(name, sql))

    def _check(self, sql: str) -> None:
        for own in parse_one(sql, dialect=self.dialect).find_all(exp.Select):
            assert self.limits.allow(len(own.expressions), len(own.args.get("joins") or ())), own.sql()[:2000]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _opens(n: int) -> Any:
    """A number that reads several columns of one table of events."""
    first, second, third = (E.opened.within(days=n + k).count() for k in (1, 20, 40))
    return first + second + third


SUMS = [Segment(f"{n} opens", _opens(n) > 1) for n in range(4)]
TOPS = [Segment(f"top {n}", _opens(n).top(n=50 + n)) for n in range(4)]


def _counts(ws: Workspace, segments: list[Segment]) -> dict[str, int]:
    a, b, c, d = segments
    own = Counting(ws.engine, ws._checked(), moment("2025-11-30", "UTC"), {})
    try:
        return dict(own.counts(nodes.Definition(None, ((a & b) | (c & d)).definition.where)).sizes)
    finally:
        own.close()


ASKED: dict[str, tuple[Callable[[Workspace], Any], int]] = {
    "sizes": (lambda ws: ws.sizes(SUMS), 7),
    "diff": (lambda ws: ws.diff(SUMS[0], SUMS[1]), 5),
    "counts": (lambda ws: _counts(ws, TOPS), 5),
    "verify": (lambda ws: verified(ws._plans([SUMS[0] & SUMS[1]], None), {"this": ws.engine}), 8),
}
"""What asks several things at once, and a number of columns for one of them."""


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        own.sizes([everyone()])
        yield own


@pytest.mark.parametrize("name", ASKED)
def test_what_is_wide_inside_is_asked_in_several_queries(ws: Workspace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, columns = ASKED[name]
    monkeypatch.setattr(ws, "engine", wide := Narrow(ws.engine, Limits()))
    whole = ask(ws)
    monkeypatch.setattr(ws, "engine", narrow := Narrow(wide.inner, Limits(columns=columns)))
    parts = ask(ws)
    assert parts == whole if isinstance(whole, dict) else parts.equals(whole)
    assert narrow.queries > wide.queries or name == "verify"


def test_a_composition_that_is_wide_inside_is_refused(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws, "engine", Narrow(ws.engine, Limits(columns=12)))
    with pytest.raises(DefinitionError, match="too many for one query"):
        ws.composition(SUMS, F.country)


def test_the_extent_is_that_of_the_largest_select() -> None:
    read = parse_one(
        "WITH a AS (SELECT 1, 2, 3 UNION ALL SELECT 1, 2, 3), b AS (SELECT 1 FROM t JOIN u JOIN (SELECT 1, 2, 3, 4 FROM v) AS w)"
        " SELECT 1, 2 FROM (SELECT 1 FROM (SELECT 1 FROM a JOIN b JOIN c JOIN d) AS e) AS f"
    )
    assert isinstance(read, exp.Select)
    assert extent(read) == (4, 3)
