"""A query whose dates follow the warehouse's clock: each is a column of one CTE of one row, called `clock`.

    query of an evergreen plan  ->  with_clock  ->  the query, with its clock

Nothing else changes: with the instant at the bottom of the clock replaced by a literal it is the query of that instant.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TypeVar, assert_never
from zoneinfo import ZoneInfo

from sqlglot import exp

from segkit.catalog import Kind
from segkit.compile import sql
from segkit.compile.sql import Sql
from segkit.errors import DefinitionError
from segkit.plan import Plan
from segkit.plan.rules import AsOf, DayLater, DayOf, FirstDay, MidnightOf, MinutesLater, MonthsLater, Rule

Query = TypeVar("Query", bound=exp.Query)
_UTC = "UTC"
_YEARS = 10, 20
"""How far back and ahead the changes of a zone's clock are looked at."""


def with_clock(query: Query, plan: Plan, as_of: Sql | None = None) -> Query:
    """A query with the clock that its dates follow; as it is, where none does.

    Args:
        query: the query of a plan, or of several.
        plan: the plan, which says when the query is made.
        as_of: the instant of evaluation (default: what the warehouse's clock says).

    Raises:
        DefinitionError: a zone changes its clock in a way that SQL cannot follow.
    """
    used = [node for node in query.find_all(exp.Anonymous) if node.this == sql.RECKONED]
    columns: dict[tuple[Rule, str | None], str] = {}
    taken: set[str] = set()
    name = sql.fresh("clock", {own.name.casefold() for own in query.find_all(exp.Table)})
    for node in used:
        own = node.args["rule"], node.args["clock"]
        if own not in columns:
            columns[own] = sql.fresh(_called(own[0]), taken)
        select = node.parent_select
        assert select is not None
        if not any(join.this.name == name for join in select.args.get("joins") or ()):
            select.join(sql.table(name), join_type="cross", copy=False)
        node.replace(sql.column(columns[own], name))
    if not used:
        return query
    since = plan.at.as_of.replace(minute=0, second=0, microsecond=0)
    now = exp.Select(expressions=[sql.aliased(sql.now() if as_of is None else as_of, "as_of")])
    shown: list[Sql] = [sql.aliased(_on(rule, clock, since), called) for (rule, clock), called in columns.items()]
    clock = exp.Select(expressions=shown).from_(sql.subquery(now, "now"), copy=False)
    ctes = query.args.get("with_")
    query.set("with_", exp.With(expressions=[sql.cte(name, clock), *(ctes.expressions if ctes is not None else ())]))
    return query


def _on(rule: Rule, clock: str | None, since: dt.datetime) -> Sql:
    """What a rule gives: a date, or an instant as a clock shows it."""
    written, own = _written(rule, since)
    if isinstance(rule, DayOf | DayLater | FirstDay) or own == clock:
        return written
    return sql.instant_of(written) if clock is None else sql.on_wall(written, own, clock)


def _written(rule: Rule, since: dt.datetime) -> tuple[Sql, str | None]:
    """What a rule gives, and the clock that it is written by, None for an instant and for a date."""
    match rule:
        case AsOf():
            return sql.column("as_of", "now"), None
        case MinutesLater(of, minutes):
            earlier, clock = _written(of, since)
            return sql.plus(earlier, minutes, "minutes", Kind.TIMESTAMP), clock
        case MonthsLater(of, months, zone):
            wall = sql.on_wall(*_written(of, since), zone)
            moved = sql.plus(wall, months, "months", Kind.TIMESTAMP)
            return _in_utc(moved, zone, {change for change, _ in _changes(zone, since)}), _UTC
        case MidnightOf(of, zone):
            wall = sql.midnight(_written(of, since)[0])
            return _in_utc(wall, zone, {change for change, at_midnight in _changes(zone, since) if at_midnight}), _UTC
        case DayOf(of, zone):
            return sql.date_of(sql.on_wall(*_written(of, since), zone)), None
        case DayLater(of, amount, unit):
            return sql.plus(_written(of, since)[0], amount, unit, Kind.DATE), None
        case FirstDay(of, unit):
            return sql.marker(f"FIRST_OF_{unit.upper()}", _written(of, since)[0]), None
        case _:
            assert_never(rule)


def _in_utc(wall: Sql, zone: str, changes: set[int]) -> Sql:
    """What the clock of a zone shows, on that of UTC: the first of the two, where it shows it twice."""
    if zone == _UTC or not changes:
        return sql.on_wall(wall, zone, _UTC)
    if len(changes) > 1:
        steps = " and ".join(f"{own} minutes" for own in sorted(changes))
        raise DefinitionError(
            f"{zone} changes its clock by {steps}, which SQL cannot follow", fix="use days instead of months, or timezone='UTC'"
        )
    own = sql.on_wall(wall, zone, _UTC)
    before = sql.plus(own.copy(), -changes.pop(), "minutes", Kind.TIMESTAMP)
    is_shown_before = exp.EQ(this=sql.on_wall(before, _UTC, zone), expression=wall.copy())
    return sql.marker("FIRST_IN_UTC", sql.case_when(is_shown_before, before.copy(), own))


@cache
def _changes(zone: str, since: dt.datetime) -> frozenset[tuple[int, bool]]:
    """By how many minutes a zone changes its clock, and whether it does so at a midnight, in the time that a query is used."""
    own, found = ZoneInfo(zone), set()
    (back, ahead), after = _YEARS, dt.timedelta(days=1)
    day = dt.datetime.combine(since.date(), dt.time()) - back * 366 * after
    for _ in range((back + ahead) * 366):
        if day.replace(tzinfo=own).utcoffset() != (day + after).replace(tzinfo=own).utcoffset():
            found.add(_change(day, own))
        day += after
    return frozenset(found)


def _change(day: dt.datetime, zone: ZoneInfo) -> tuple[int, bool]:
    """The change of a clock within a day: its size, and whether a midnight is skipped or shown twice."""
    offsets = [(day + dt.timedelta(days=n)).replace(tzinfo=zone).utcoffset() or dt.timedelta() for n in (0, 1)]
    midnights = (dt.datetime.combine(day + dt.timedelta(days=n), dt.time()).replace(tzinfo=zone) for n in (0, 1))
    return int(abs(offsets[1] - offsets[0]).total_seconds()) // 60, any(
        own.utcoffset() != own.replace(fold=1).utcoffset() for own in midnights
    )


def _called(rule: Rule) -> str:
    """A readable name for what a rule gives."""
    match rule:
        case AsOf():
            return "as_of"
        case MinutesLater(of, minutes):
            return _after(of, *_in_words(minutes))
        case MonthsLater(of, months):
            return _after(of, months, "months")
        case MidnightOf(of):
            return f"midnight_of_{_called(of)}"
        case DayOf(AsOf()):
            return "today"
        case DayOf(of):
            return f"day_of_{_called(of)}"
        case DayLater(of, amount, unit):
            return _after(of, amount, unit)
        case FirstDay(DayOf(AsOf()), unit):
            return f"this_{unit}"
        case FirstDay(of, unit):
            return f"{unit}_of_{_called(of)}"
        case _:
            assert_never(rule)


def _after(of: Rule, amount: int, unit: str) -> str:
    length = f"{abs(amount)}_{unit if abs(amount) > 1 else unit[:-1]}"
    if isinstance(of, AsOf):
        return f"{length}_ago" if amount < 0 else f"in_{length}"
    return f"{_called(of)}_{'minus' if amount < 0 else 'plus'}_{length}"


def _in_words(minutes: int) -> tuple[int, str]:
    for size, unit in ((1440, "days"), (60, "hours")):
        if minutes % size == 0:
            return minutes // size, unit
    return minutes, "minutes"
