"""Time, folded: relative spans become constant bounds before any SQL exists."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, assert_never
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.errors import DefinitionError, unknown
from segkit.plan.rules import AsOf, DayLater, DayOf, FirstDay, MidnightOf, MinutesLater, MonthsLater, Rule, reckoned, rule_of
from segkit.plan.tree import Bounds, Moment

Time = TypeVar("Time", dt.date, dt.datetime)
_STEPS = {
    "minutes": dt.timedelta(minutes=1),
    "hours": dt.timedelta(hours=1),
    "days": dt.timedelta(days=1),
    "weeks": dt.timedelta(weeks=1),
}


def moment(as_of: Any, zone: str) -> Moment:
    """The instant meant by a date (its local midnight), a datetime, ISO text, or None for now.

    >>> moment("2025-03-01", "Europe/Rome").as_of.isoformat()
    '2025-02-28T23:00:00+00:00'
    """
    if as_of is None:
        return Moment(dt.datetime.now(dt.UTC), zone)
    if isinstance(as_of, str):
        as_of = _parsed(as_of)
    constant = nodes.literal(as_of)
    match constant.value:
        case dt.datetime() as instant:
            return Moment(to_utc(instant, zone), zone)
        case dt.date() as day:
            return Moment(midnight(day, zone), zone)
    raise DefinitionError(f"{as_of!r:.60} is no instant", fix="pass a date, a datetime or text such as 2025-11-30T12:00")


def evergreen(at: Moment) -> Moment:
    """The moment as one of many: what is reckoned from it knows its rule."""
    return Moment(reckoned(at.as_of, AsOf()), at.zone)


def _parsed(text: str) -> dt.date | dt.datetime:
    parsed = iso_time(text)
    if parsed is None:
        raise DefinitionError(f"{text!r:.60} is no instant", fix="write it like 2025-11-30 or 2025-11-30T12:00")
    return parsed


def iso_time(text: str) -> dt.date | dt.datetime | None:
    """ISO text as a date or a datetime, None if it is neither.

    >>> iso_time("2025-03-31")
    datetime.date(2025, 3, 31)
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def to_utc(instant: dt.datetime, zone: str) -> dt.datetime:
    """An instant in UTC; without a zone of its own it is on the wall clock of `zone`."""
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone))).astimezone(dt.UTC)
    except OverflowError:
        raise DefinitionError(f"{instant} is out of range", fix="use years 1 to 9999") from None


def midnight(day: dt.date, zone: str) -> dt.datetime:
    """The instant at which a date begins in a zone."""
    rule = rule_of(day)
    return reckoned(to_utc(dt.datetime.combine(day, dt.time()), zone), rule and MidnightOf(rule, zone))


def today(at: Moment) -> dt.date:
    """The calendar date of the evaluation."""
    rule = rule_of(at.as_of)
    return reckoned(at.as_of.astimezone(ZoneInfo(at.zone)).date(), rule and DayOf(rule, at.zone))


def shifted_date(day: dt.date, length: nodes.Duration, sign: int) -> dt.date:
    """A date moved by whole days, or by calendar months that clip to the month's end.

    >>> shifted_date(dt.date(2025, 3, 31), nodes.Duration(1, "months"), -1)
    datetime.date(2025, 2, 28)
    """
    if length.unit in ("minutes", "hours"):
        raise _no_hours(length)
    return _moved(day, length, sign)


def date_steps(length: nodes.Duration, sign: int) -> tuple[int, Literal["days", "months"]]:
    """A length as whole days or calendar months, to move dates by."""
    match length.unit:
        case "months" | "years":
            return sign * length.amount * (12 if length.unit == "years" else 1), "months"
        case "days" | "weeks":
            return sign * length.amount * (7 if length.unit == "weeks" else 1), "days"
    raise _no_hours(length)


def instant_steps(length: nodes.Duration, sign: int) -> tuple[int, Literal["minutes", "months"]]:
    """A length as minutes or calendar months, to move timestamps by."""
    if length.unit in ("months", "years"):
        return date_steps(length, sign)[0], "months"
    return sign * length.amount * int(_STEPS[length.unit].total_seconds() // 60), "minutes"


def _no_hours(length: nodes.Duration) -> DefinitionError:
    return DefinitionError(f"{length.amount} {length.unit} next to a date", fix="a date has whole days: use days, weeks, months")


def shifted_instant(at: dt.datetime, length: nodes.Duration, sign: int, zone: str) -> dt.datetime:
    """An instant moved: days are 24 hours, months are calendar steps on the wall clock of `zone`."""
    if length.unit in _STEPS:
        return _moved(at, length, sign)
    rule = rule_of(at)
    try:
        wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        raise _out_of_range(at, length) from None
    return reckoned(to_utc(_moved(wall, length, sign), zone), rule and MonthsLater(rule, instant_steps(length, sign)[0], zone))


def _moved(at: Time, length: nodes.Duration, sign: int) -> Time:
    """A date or an instant moved; the rule of a reckoned one is moved along."""
    rule = rule_of(at)
    if rule is None:
        return _stepped(at, length, sign)
    plain = at.replace(tzinfo=dt.UTC) if isinstance(at, dt.datetime) else dt.date(at.year, at.month, at.day)
    return reckoned(_stepped(plain, length, sign), _rule_moved(rule, length, sign, isinstance(at, dt.datetime)))


def _rule_moved(rule: Rule, length: nodes.Duration, sign: int, is_instant: bool) -> Rule:
    if length.amount == 0:
        return rule
    if is_instant:
        return MinutesLater(rule, instant_steps(length, sign)[0])
    amount, unit = date_steps(length, sign)
    match rule:
        case DayLater(of, before, own) if own == unit and (unit == "days" or isinstance(of, FirstDay)):
            return DayLater(of, before + amount, unit) if before + amount else of
        case _:
            return DayLater(rule, amount, unit)


def _stepped(at: Time, length: nodes.Duration, sign: int) -> Time:
    try:
        if length.unit in _STEPS:
            moved = at + sign * length.amount * _STEPS[length.unit]
            return moved.replace(year=moved.year if 2 <= moved.year <= 9998 else 0)
        steps = sign * length.amount * (12 if length.unit == "years" else 1)
        year, month = divmod(at.year * 12 + at.month - 1 + steps, 12)
        return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):
        raise _out_of_range(at, length) from None


def _out_of_range(at: dt.date, length: nodes.Duration) -> DefinitionError:
    return DefinitionError(f"{length.amount} {length.unit} from {at} is out of range", fix="use years 1 to 9999")


def date_bounds(span: nodes.Last | nodes.Before | nodes.Next | nodes.Between | nodes.Period, at: Moment) -> Bounds:
    """A span next to dates: whole days around today."""
    day = today(at)
    match span:
        case nodes.Last(length, edge):
            return Bounds(shifted_date(day, length, -1), edge, day, True)
        case nodes.Before(length, edge):
            return Bounds(None, False, shifted_date(day, length, -1), edge)
        case nodes.Next(length):
            return Bounds(day, False, shifted_date(day, length, 1), True)
        case nodes.Between(older, newer):
            return _checked(Bounds(shifted_date(day, older, -1), False, shifted_date(day, newer, -1), True))
        case nodes.Period():
            begin, end = period_days(span, at)
            return Bounds(begin, True, end, False)
        case _:
            assert_never(span)


def instant_bounds(span: nodes.Last | nodes.Before | nodes.Next | nodes.Between | nodes.Period, at: Moment) -> Bounds:
    """A span next to timestamps: instants around the evaluation."""

    def shifted(length: nodes.Duration, sign: int) -> dt.datetime:
        return shifted_instant(at.as_of, length, sign, at.zone)

    match span:
        case nodes.Last(length, edge):
            return Bounds(shifted(length, -1), edge, at.as_of, True)
        case nodes.Before(length, edge):
            return Bounds(None, False, shifted(length, -1), edge)
        case nodes.Next(length):
            return Bounds(at.as_of, False, shifted(length, 1), True)
        case nodes.Between(older, newer):
            return _checked(Bounds(shifted(older, -1), False, shifted(newer, -1), True))
        case nodes.Period():
            begin, end = period_days(span, at)
            return Bounds(midnight(begin, at.zone), True, midnight(end, at.zone), False)
        case _:
            assert_never(span)


def _checked(bounds: Bounds) -> Bounds:
    if bounds.low is not None and bounds.high is not None and bounds.low >= bounds.high:
        raise DefinitionError(f"the window from {bounds.low} to {bounds.high} is empty", fix="name the older end first")
    return bounds


def day_bounds(day: dt.date, zone: str) -> Bounds:
    """The instants of one local day: its midnight is in, the next one is not."""
    return Bounds(midnight(day, zone), True, midnight(_moved(day, nodes.Duration(1, "days"), 1), zone), False)


def period_days(period: nodes.Period, at: Moment) -> tuple[dt.date, dt.date]:
    """The first day of a calendar period and of the one after it.

    >>> [str(day) for day in period_days(nodes.Period("month", -1), moment("2025-03-31", "UTC"))]
    ['2025-02-01', '2025-03-01']
    """
    day = today(at)
    match period.unit:
        case "day":
            first, step = day, nodes.Duration(1, "days")
        case "week":
            first, step = dt.date.fromordinal(day.toordinal() - day.weekday()), nodes.Duration(1, "weeks")
        case "month":
            first, step = dt.date(day.year, day.month, 1), nodes.Duration(1, "months")
        case "quarter":
            first, step = dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1), nodes.Duration(3, "months")
        case "year":
            first, step = dt.date(day.year, 1, 1), nodes.Duration(1, "years")
        case _:
            assert_never(period.unit)
    rule = rule_of(day)
    if rule is not None and period.unit != "day":
        first = reckoned(first, FirstDay(rule, period.unit))
    sign = 1 if period.shift >= 0 else -1
    begin = _moved(first, nodes.Duration(abs(period.shift) * step.amount, step.unit), sign)
    return begin, _moved(begin, step, 1)


MOST_PERIODS = 1000


def periods(start: dt.datetime, end: dt.datetime, every: str | None, zone: str) -> list[tuple[dt.datetime, dt.datetime]]:
    """The stretches, each from an instant until before the next one, that lie between two instants.

    They begin at `start` and go in steps on the wall clock of `zone`; the last one ends at `end`.

    >>> both = (dt.datetime(2025, 1, 31, tzinfo=dt.UTC), dt.datetime(2025, 4, 1, tzinfo=dt.UTC))
    >>> [str(begin.date()) for begin, _ in periods(*both, "month", "UTC")]
    ['2025-01-31', '2025-02-28', '2025-03-31']

    Raises:
        DefinitionError: there is nothing between the instants, `every` is no unit, or there are more than 1,000.
    """
    if start >= end:
        raise DefinitionError(f"the period from {start} to {end} is empty", fix="end it after its start")
    if every is None:
        return [(start, end)]
    if every not in _EVERY:
        raise unknown("unit", str(every), _EVERY)
    step, wall = _EVERY[every], start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    edges = [start]
    while edges[-1] < end:
        if len(edges) > MOST_PERIODS:
            raise DefinitionError(f"more than {MOST_PERIODS:,} periods", fix="choose longer ones, or a shorter time")
        edges.append(to_utc(_moved(wall, nodes.Duration(len(edges) * step.amount, step.unit), 1), zone))
    return list(zip(edges[:-1], [*edges[1:-1], end], strict=True))


MOST_POINTS = 10_000


def points(start: dt.datetime, end: dt.datetime, every: str, zone: str) -> tuple[dt.datetime, ...]:
    """The instants from `start` to `end`, both included, in steps on the wall clock of `zone`.

    A day keeps the local hour, an hour is sixty minutes, and months clip to the month's end without drifting. A day that a
    zone skipped is no instant.

    >>> both = (dt.datetime(2025, 1, 31, tzinfo=dt.UTC), dt.datetime(2025, 4, 1, tzinfo=dt.UTC))
    >>> [str(at.date()) for at in points(*both, "month", "UTC")]
    ['2025-01-31', '2025-02-28', '2025-03-31']

    Raises:
        DefinitionError: the end is before the start, `every` is no unit, or there are more than 10,000.
    """
    if start > end:
        raise DefinitionError(f"{end} is before {start}", fix="end it after its start")
    if every not in ("hour", *_EVERY):
        raise unknown("unit", str(every), ("hour", *_EVERY))
    wall = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    found = {start: None}
    for steps in range(1, MOST_POINTS + 1):
        if every == "hour":
            at = _moved(start, nodes.Duration(steps, "hours"), 1)
        else:
            at = to_utc(_moved(wall, nodes.Duration(steps * _EVERY[every].amount, _EVERY[every].unit), 1), zone)
        if at > end:
            return tuple(found)
        found[at] = None
    raise DefinitionError(f"more than {MOST_POINTS:,} instants", fix="choose longer steps, or a shorter time")


def days_away(at: Moment, days: int) -> dt.datetime:
    """The same time of day some calendar days later (earlier, where negative), on the wall clock of the zone."""
    wall = at.as_of.astimezone(ZoneInfo(at.zone)).replace(tzinfo=None)
    return to_utc(_moved(wall, nodes.Duration(abs(days), "days"), 1 if days >= 0 else -1), at.zone)


def instants(given: Iterable[Any], zone: str) -> tuple[dt.datetime, ...]:
    """Some instants, in their order, each once."""
    found = sorted({moment(at, zone).as_of for at in given})
    if not found:
        raise DefinitionError("there is no instant to look at", fix="give some, or a start and an end")
    if len(found) > MOST_POINTS:
        raise DefinitionError(f"more than {MOST_POINTS:,} instants", fix="choose fewer")
    return tuple(found)


_EVERY = {
    "day": nodes.Duration(1, "days"),
    "week": nodes.Duration(1, "weeks"),
    "month": nodes.Duration(1, "months"),
    "quarter": nodes.Duration(3, "months"),
    "year": nodes.Duration(1, "years"),
}


def anniversary_days(within: int, at: Moment) -> tuple[int, ...]:
    """The days of the year, as month x 100 + day, that return from today to `within` days ahead.

    >>> anniversary_days(0, moment("2025-02-28", "UTC"))
    (228, 229)
    """
    found = set()
    for ahead in range(within + 1):
        day = shifted_date(today(at), nodes.Duration(ahead, "days"), 1)
        found.add(day.month * 100 + day.day)
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            found.add(229)
    return tuple(sorted(found))


def told(bounds: Bounds) -> str:
    """Bounds in words, so that nobody has to guess.

    >>> told(Bounds(dt.date(2025, 5, 31), False, dt.date(2025, 6, 30), True))
    'after 2025-05-31, up to 2025-06-30'
    """
    low = [] if bounds.low is None else [f"{'from' if bounds.low_in else 'after'} {_told(bounds.low)}"]
    high = [] if bounds.high is None else [f"{'up to' if bounds.high_in else 'before'} {_told(bounds.high)}"]
    return ", ".join(low + high)


def _told(at: dt.date) -> str:
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC" if isinstance(at, dt.datetime) else at.isoformat()
