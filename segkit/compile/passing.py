"""How many of some ascending edges a time has passed: from a time to the place of a point, by comparison and whole days.

Edges that follow each other by a day are one run: the place inside of it is a number of days. Between runs and single edges
a search by halves tells where a time belongs. Nothing but dates, midnights and literals is asked of the dialect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from sqlglot import exp

from segkit.compile import sql
from segkit.compile.sql import Sql
from segkit.plan.course import Edge, Edges, Unswept
from segkit.plan.tree import Term

_SHORTEST = 4
"""Edges that follow each other by a day and are fewer stand for themselves."""
_MOST = 2000
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class _Stretch:
    """A single edge (`days` is 0), or a run of `days` more that follow it by a day; how many edges end before and with it."""

    first: Edge
    days: int
    before: int
    after: int

    @property
    def last(self) -> Edge:
        return self.first + self.days * _DAY


def passed(read: Callable[[], Sql], term: Term, edges: Edges, inclusive: bool) -> Sql:
    """How many edges are before a time (`inclusive`: or at it), which must not be missing.

    Args:
        read: writes the time once more.
        term: what the time is: its kind, and the clock it is written by.

    Raises:
        Unswept: on that clock the edges go back, or there are too many that are no days apart.
    """
    stretches = _stretches([_on_clock(edge, term) for edge in edges])
    if len(stretches) > _MOST:
        raise Unswept(f"more than {_MOST:,} instants that are not a day apart")
    return _Search(read, term, inclusive).among(stretches, 0)


def _on_clock(edge: Edge, term: Term) -> Edge:
    """An edge as the time is written: instants in UTC."""
    if not isinstance(edge, dt.datetime):
        return edge
    return edge.astimezone(dt.UTC if term.clock is None else ZoneInfo(term.clock)).replace(tzinfo=None)


def _stretches(edges: Sequence[Edge]) -> list[_Stretch]:
    if any(b < a for a, b in pairwise(edges)):
        raise Unswept("the wall clock goes back between its edges")
    found: list[_Stretch] = []
    done = 0
    singles = [(edge, sum(1 for _ in same)) for edge, same in groupby(edges)]
    start = 0
    while start < len(singles):
        stop = start + 1
        edge, times = singles[start]
        while stop < len(singles) and times == 1 and singles[stop] == (singles[stop - 1][0] + _DAY, 1):
            stop += 1
        if stop - start < _SHORTEST or not _is_whole(edge):
            stop = start + 1
        days = stop - start - 1
        found.append(_Stretch(edge, days, done, done + times + days))
        done += times + days
        start = stop
    return found


def _is_whole(edge: Edge) -> bool:
    """Whether an edge is at a whole minute: times are moved by minutes."""
    return not isinstance(edge, dt.datetime) or (edge.second, edge.microsecond) == (0, 0)


@dataclass(frozen=True)
class _Search:
    read: Callable[[], Sql]
    term: Term
    inclusive: bool

    def among(self, stretches: Sequence[_Stretch], before: int) -> Sql:
        """How many edges are passed by a time that passed those before some stretches, and none after them."""
        if not stretches:
            return sql.number(before)
        if len(stretches) > 1:
            half = len(stretches) // 2
            return sql.case_when(
                self._has_passed(stretches[half].first),
                self.among(stretches[half:], stretches[half].before),
                self.among(stretches[:half], before),
            )
        [own] = stretches
        if not own.days:
            return sql.case_when(self._has_passed(own.first), sql.number(own.after), sql.number(own.before))
        return exp.Case(
            ifs=[
                exp.If(this=self._has_passed(own.last), true=sql.number(own.after)),
                exp.If(this=self._has_passed(own.first), true=self._inside(own)),
            ],
            default=sql.number(own.before),
        )

    def _has_passed(self, edge: Edge) -> Sql:
        return (exp.LTE if self.inclusive else exp.LT)(this=self._literal(edge), expression=sql.operand(self.read()))

    def _literal(self, edge: Edge) -> Sql:
        if not isinstance(edge, dt.datetime):
            return sql.date(edge)
        return sql.instant(edge.replace(tzinfo=dt.UTC)) if self.term.clock is None else sql.timestamp(edge)

    def _inside(self, own: _Stretch) -> Sql:
        """How many edges of a run are passed, by a time that has passed its first."""
        if not isinstance(own.first, dt.datetime):
            days = sql.days(self.read(), sql.date(own.first))
            return _plus(days, own.before + (1 if self.inclusive else 0))
        count = sql.days(sql.date_of(self._moved(own.first)), sql.date(own.first.date()))
        if self.inclusive:
            return _plus(count, own.before + 1)
        midnight = sql.midnight(sql.date_of(self._moved(own.first)))
        is_edge: Sql = exp.EQ(this=self._moved(own.first), expression=midnight)
        none_more, one_more = sql.number(own.before), sql.number(own.before + 1)
        return exp.Paren(this=exp.Add(this=count, expression=sql.case_when(is_edge, none_more, one_more)))

    def _moved(self, first: dt.datetime) -> Sql:
        """The time on its clock, moved so that edges are at midnight."""
        wall = sql.on_wall(self.read(), None, "UTC") if self.term.clock is None else self.read()
        minutes = first.hour * 60 + first.minute
        return sql.marker("TIME_PLUS_MINUTES", wall, sql.number(-minutes)) if minutes else wall


def _plus(own: Sql, number: int) -> Sql:
    return exp.Paren(this=exp.Add(this=own, expression=sql.number(number))) if number else own
