"""Events more or less that might bring a feature to a value."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from segkit.catalog import Kind
from segkit.errors import DataError
from segkit.evaluate.conditions import true
from segkit.evaluate.events import Event, counted, counts, read_events
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import World
from segkit.explanation.case import PLACE, Case, Sight
from segkit.explanation.edits import AddEvent, Edit, RemoveEvent, changed, held_by
from segkit.explanation.places import bound, places
from segkit.plan.clock import told
from segkit.plan.tree import (
    AllOf,
    Among,
    AnyOf,
    Bounds,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Feature,
    IsMissing,
    TextSearch,
)
from segkit.verification.wishes import wishes

MOST = 100
"""How many events a change may add or remove."""
_MOST_ROWS = 60
_TINY = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)


def by_events(feature: Feature, wanted: Any, at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    """Events more or less that might bring a feature to a value."""
    with localcontext(Context(prec=100)):
        own = counted(feature, at.streams)
        now = at.world.outcomes[feature]
    own.sort(key=lambda event: event.at)
    match feature.measure:
        case "count" | "days" | "weeks" | "months":
            if not isinstance(wanted, int | float | Decimal) or wanted != int(wanted):
                return
            missing = int(wanted) - now
            if 0 < missing <= MOST:
                yield from _more(feature, missing, at, case)
            elif missing < 0 and int(wanted) >= 0:
                yield from _fewer(own, -missing, feature)
        case "first" | "last":
            wanted = _like(wanted, own[0].at) if own else wanted
            if isinstance(wanted, dt.date):
                beyond = [e for e in own if (e.at > wanted if feature.measure == "last" else e.at < wanted)] if own else []
                gone = _removed(beyond)
                for new in _events(feature, at, case, [wanted], {}):
                    yield (*gone, *[new] * feature.nth)
                    if feature.nth > 1:
                        yield (new,)
                yield from ((*gone, new) for new in _events(feature, at, case, [], {}))
            for i in range(len(own) - 1, max(-1, len(own) - 1 - MOST), -1):
                yield _removed(own[i:])
            for i in range(min(len(own), MOST)):
                yield _removed(own[: i + 1])
        case _:
            yield from _by_property(feature, wanted, now, own, at, case)


def _by_property(feature: Feature, wanted: Any, now: Any, own: list[Event], at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    """Events whose property makes a sum, mean, extreme, number of different ones, or the latest one."""
    of = feature.of
    assert of is not None
    values = list(_shares(feature, wanted, now, own))
    if feature.measure == "distinct" and isinstance(wanted, int | float | Decimal) and 0 < wanted - now <= 20:
        fresh = [_fresh(of.kind, n) for n in range(int(wanted - now))]
        several = [next(_events(feature, at, case, [], {of.name: value}), None) for value in fresh]
        if all(several):
            yield tuple(new for new in several if new is not None)
    for value in values:
        yield from ((new,) for new in _events(feature, at, case, [], {of.name: value}))
    for i in range(min(len(own), MOST)):
        yield _removed(own[len(own) - 1 - i :])
        yield _removed(own[: i + 1])
        yield _removed([own[i]])
    if feature.measure in ("min", "max") and wanted is not None:

        def of_event(event: Event) -> Any:
            return value_of(of, World(event.row, true))

        known = [e for e in own if of_event(e) is not None]
        beyond = _removed([e for e in known if _is_beyond(feature.measure, of_event(e), wanted)])
        yield beyond
        yield from ((*beyond, new) for new in _events(feature, at, case, [], {of.name: wanted}))
    for value in values[:2]:
        yield from ((*_removed(own), new) for new in _events(feature, at, case, [], {of.name: value}))


def _is_beyond(measure: str, own: Any, wanted: Any) -> bool:
    """Whether a value is larger than a wanted maximum, or smaller than a wanted minimum."""
    if isinstance(own, dt.date):
        is_alike = isinstance(wanted, dt.date) and isinstance(own, dt.datetime) == isinstance(wanted, dt.datetime)
    else:
        is_alike = isinstance(wanted, int | float | Decimal)
    return is_alike and (_comparable(own) > _comparable(wanted)) == (measure == "max")


def _like(wanted: Any, at: Any) -> Any:
    """A date as a time, or a time as a date, as the events have them."""
    if isinstance(at, dt.datetime) and isinstance(wanted, dt.date) and not isinstance(wanted, dt.datetime):
        return dt.datetime.combine(wanted, dt.time(), dt.UTC)
    return wanted.date() if isinstance(wanted, dt.datetime) and not isinstance(at, dt.datetime) else wanted


def _comparable(value: Any) -> Any:
    return float(value) if isinstance(value, int | Decimal) else value


def _fresh(kind: Kind, n: int) -> Any:
    if kind.is_number:
        return 900_001 + n
    if kind is Kind.DATE or kind.is_timestamp:
        return dt.datetime(2019, 1, 1, tzinfo=dt.UTC) + n * _DAY
    return f"another {n + 1}"


def _shares(feature: Feature, wanted: Any, now: Any, own: list[Event]) -> Iterator[Any]:
    """What the property of one more event must be."""
    if not isinstance(wanted, int | float | Decimal) or isinstance(wanted, bool):
        yield wanted
        return
    exact = Decimal(str(wanted))
    match feature.measure:
        case "sum":
            yield exact - Decimal(str(now))
        case "avg" if now is not None:
            known = [v for e in own if (v := value_of(feature.of, World(e.row, true))) is not None]  # type: ignore[arg-type]
            total = sum(Decimal(str(v)) for v in known)
            share = exact * (len(known) + 1) - total
            yield from (share, share + 1, share - 1, share + len(known) + 1, share - len(known) - 1)
        case "distinct":
            yield None
        case _:
            yield exact


def _more(feature: Feature, n: int, at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    """So many events more; on as many days, weeks or months where these count."""
    if feature.then is not None:
        yield from _followed(feature, n, at, case)
        return
    if feature.measure == "count":
        yield from ((new,) * n for new in _events(feature, at, case, [], {}))
        return
    step = {"days": 1, "weeks": 7, "months": 31}[feature.measure]
    for begin in _instants(feature.bounds, at):
        spread = [begin - i * step * _DAY for i in range(2 * n + 12)]
        found: list[Edit] = []
        for moment in spread:
            new = next(_events(feature, at, case, [moment], {}, only=True), None)
            if new is not None and not _is_known(feature, new, at):
                found.append(new)
            if len(found) == n:
                yield tuple(found)
            if new is None or len(found) == n:
                break


def _is_known(feature: Feature, new: AddEvent, at: Sight) -> bool:
    """Whether the day, week or month of an event counts already."""

    def period(own: Any) -> Any:
        day = own.astimezone(ZoneInfo(feature.zone)).date() if isinstance(own, dt.datetime) else own
        return {"days": day, "weeks": day.isocalendar()[:2], "months": (day.year, day.month)}[feature.measure]

    return period(new.at) in {period(event.at) for event in counted(feature, at.streams)}


def _followed(feature: Feature, n: int, at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    """Events that others follow: such pairs, one more after an event that none follows, or one more before another."""
    then = feature.then
    assert then is not None
    is_date = feature.time.kind is Kind.DATE
    gap = _DAY if is_date else dt.timedelta(minutes=min(1, then.length or 1))
    alone = [event for event in at.streams[feature.tables] if counts(event, feature)]
    for event in sorted(alone, key=lambda event: event.at, reverse=True):
        yield from ((new,) for new in _events(then.event, at, case, [event.at + gap], {}, only=True))
    firsts = [moment - step for moment in _instants(feature.bounds, at) for step in (gap, 0 * gap)]
    for moment in firsts:
        for first in _events(feature, at, case, [moment], {}, only=True):
            yield (first,) * n
            for later in _events(then.event, at, case, [moment + gap], {}, only=True):
                yield (*[first] * n, later)


def _fewer(own: list[Event], n: int, feature: Feature) -> Iterator[tuple[Edit, ...]]:
    if feature.measure == "count":
        yield _removed(own[len(own) - n :])
        yield _removed(own[:n])
        return
    for i in range(min(len(own), MOST)):
        yield _removed(own[len(own) - 1 - i :])
        yield _removed(own[: i + 1])


def _removed(events: Sequence[Event]) -> tuple[Edit, ...]:
    if len(events) > MOST:
        return ()
    return tuple(RemoveEvent(str(event.name), event.at, event.id, event.row[PLACE]) for event in events)


def _instants(bounds: Bounds, at: Sight) -> list[Any]:
    """Instants inside of bounds: the last, the first, one between."""
    now = at.plan.at.as_of
    high = now if bounds.high is None else bounds.high
    if isinstance(high, dt.datetime):
        high = min(high if bounds.high_in else high - _TINY, now)
        low = high - 400 * _DAY if bounds.low is None else bounds.low if bounds.low_in else bounds.low + _TINY
    else:
        high = high if bounds.high_in else high - _DAY
        low = high - 400 * _DAY if bounds.low is None else bounds.low if bounds.low_in else bounds.low + _DAY
    return list(dict.fromkeys([high, low + (high - low) / 2, low])) if low <= high else []


def _events(
    feature: Feature, at: Sight, case: Case, moments: list[Any], wanted: dict[str, Any], only: bool = False
) -> Iterator[AddEvent]:
    """Events that a feature reads, with some values of their properties, at some moments (`only`), or else at any."""
    catalog = at.plan.catalog
    within = told(feature.bounds)
    times = moments if only or moments else _instants(feature.bounds, at)
    for i in feature.tables:
        table = catalog.events[i]
        names = (table.name,) if table.name else table.names or table.observed or ()
        name = feature.event or next(iter(names), None) or "event"
        for moment in times:
            for filled in (_filled(feature, tuple(wanted.items()), moment, at.plan.at.as_of.date()),):
                if filled is None:
                    continue
                own = {table.time, table.contact, table.event, table.id}
                properties = {
                    field: value
                    for field, column in table.properties.items()
                    if column.name not in own and (value := held_by(filled.get(column.name), column)) is not None
                }
                happens = filled[feature.time.name]
                edit = AddEvent(str(name), happens, properties, within if not only and not moments else "", i)
                after = changed(case, edit, at.plan)
                new = after.events[i][-1]
                [(_, read)] = read_events({i: [new]}, case.key, replace(feature, tables=(i,)), catalog)
                with localcontext(Context(prec=100)):
                    if read[0].at is not None and counts(read[0], feature):
                        yield edit
                        break


@lru_cache(maxsize=4096)
def _filled(feature: Feature, wanted: tuple[tuple[str, Any], ...], moment: Any, today: dt.date) -> dict[str, Any] | None:
    """A row of properties by column that passes a feature's filter, with as few as possible filled in."""
    given = dict(wanted)
    first = {**given, feature.time.name: moment}
    if feature.where is None:
        return first
    queue, seen = deque([first]), 0
    while queue and seen < _MOST_ROWS:
        seen += 1
        own = queue.popleft()
        with localcontext(Context(prec=100)):
            try:
                if true(feature.where, World(own, true)):
                    return own
            except (DataError, ArithmeticError, ValueError, TypeError, AttributeError):
                continue
        if len(queue) > _MOST_ROWS:
            continue
        world = World(own, true)
        for leaf in _singles(feature.where):
            for place in dict.fromkeys(places(leaf)):
                if isinstance(place, ColumnTerm) and given.get(place.name) is None:
                    values = islice(_values(bound(leaf, place, world), place, today), 8)
                    queue += [{**own, place.name: value} for value in values]
    return None


def _values(condition: Condition, place: ColumnTerm, today: dt.date) -> Iterator[Any]:
    seen: set[str] = set()
    for where, value in wishes([condition], today):
        if where == place and repr(value) not in seen:
            seen.add(repr(value))
            yield value


def _singles(condition: Condition) -> Iterator[Condition]:
    """The single conditions of a tree."""
    match condition:
        case AllOf(items) | AnyOf(items):
            for item in items:
                yield from _singles(item)
        case Complement(item):
            yield from _singles(item)
        case Comparison() | Among() | TextSearch() | IsMissing():
            yield condition
