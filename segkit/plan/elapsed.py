"""What the clock alone may change between two evaluations of a definition: which contacts to look at again.

    the plan as of then, the plan as of now  ->  elapsed  ->  Elapsed, or why nobody can tell

Both plans are walked side by side. Of a contact whose rows are the same, the truth can only change through an instant that
moved: an event, or a row with a time, that lies in a stretch which such an instant has passed (`Passed`), or a condition on
the contact's own columns that is another one now (`moved`). What this module does not know, it leaves to a whole evaluation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import get_args
from zoneinfo import ZoneInfo

from segkit.catalog import Catalog, Column, Kind, time_column
from segkit.plan import Plan
from segkit.plan.clock import today
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Applied,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Drawn,
    ElementCount,
    ElementTerm,
    Feature,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    LocalDate,
    LocalTime,
    Midnight,
    Moment,
    Moved,
    Named,
    OnList,
    PartOf,
    PastColumn,
    Raw,
    Reference,
    Standing,
    Term,
    TextSearch,
)
from segkit.plan.walk import every_node

_UNDERSTOOD = (
    Always, AllOf, AnyOf, Complement, Comparison, Among, TextSearch, IsMissing, OnList, Reference, Drawn,
    Constant, ColumnTerm, PastColumn, ElementTerm, JsonTerm, ElementCount, FeatureTerm, Calculation, Applied, DayCount, Moved,
    LocalTime, LocalDate, Midnight, PartOf,
)  # fmt: skip
"""What depends on nothing but the contact's rows and the constants beside it."""
_REFUSED = {Standing: "ranks depend on all contacts", Raw: "raw SQL may read anything"}
_NODES = (*get_args(Term), *get_args(Condition), ElementTerm)


@dataclass(frozen=True)
class Passed:
    """Rows of a table whose time lies between two instants or dates, both included; of an event's name, where one is given."""

    table: str
    contact: str
    time: Column
    low: dt.date | dt.datetime
    high: dt.date | dt.datetime
    event: tuple[str, str] | None = None


@dataclass
class Elapsed:
    """Which contacts are to be looked at again: those of some rows, and those for whom conditions differ."""

    passed: dict[Passed, None] = field(default_factory=dict)
    moved: dict[tuple[Condition, Condition], None] = field(default_factory=dict)


class _Unknown(Exception):
    """Nobody can tell without looking at all contacts."""


def elapsed(then: Plan, now: Plan) -> Elapsed | str:
    """What the clock may have changed between two plans of one definition and catalog, or why nobody can tell."""
    found = Elapsed()
    try:
        nodes = list(every_node((now.where, now.parts)))
        for node in nodes:
            _check(node)
        _conditions(then.where, now.where, then, now, found)
        if len(then.parts) != len(now.parts):
            raise _Unknown("it refers to other segments")
        for old, new in zip(then.parts, now.parts, strict=True):
            if not isinstance(old, Named) or not isinstance(new, Named) or old.name != new.name:
                raise _Unknown("it refers to other segments")
            _conditions(old.where, new.where, then, now, found)
    except _Unknown as unknown:
        return str(unknown)
    for passed in _of_tables(then.at, now, {node.table for node in nodes if isinstance(node, PastColumn)}):
        found.passed[passed] = None
    return found


def _check(node: object) -> None:
    if isinstance(node, _NODES) and not isinstance(node, _UNDERSTOOD):
        raise _Unknown(_REFUSED.get(type(node), f"{type(node).__name__} is not understood"))


# ---------------------------------------------------------------- conditions


def _conditions(old: Condition, new: Condition, then: Plan, now: Plan, found: Elapsed) -> None:
    if old == new:
        return
    match old, new:
        case (AllOf(before), AllOf(after)) | (AnyOf(before), AnyOf(after)) if len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                _conditions(one, other, then, now, found)
        case Complement(before), Complement(after):
            _conditions(before, after, then, now, found)
        case _:
            _leaf(old, new, now, found)


def _leaf(old: Condition, new: Condition, now: Plan, found: Elapsed) -> None:
    """A condition that is not what it was: its features count other events, or its constants are others."""
    differences = list(_differences(old, new))
    features = [(a, b) for a, b in differences if isinstance(a, FeatureTerm) and isinstance(b, FeatureTerm)]
    for one, other in features:
        _feature(one.feature, other.feature, now.catalog, found)
    if len(features) == len(differences):
        return
    inside = list(every_node((old, new)))
    if any(isinstance(node, OnList | Reference) for node in inside):
        raise _Unknown("its conditions are joined in another way")
    if not any(isinstance(node, FeatureTerm) for node in inside):
        found.moved[old, new] = None
        return
    before, after = _time_of_an_event(old), _time_of_an_event(new)
    if before is None or after is None or before.is_upper != after.is_upper:
        raise _Unknown("a value of events is compared with the clock")
    _between(after.feature, before.at, after.at, now.catalog, found)


def _differences(old: object, new: object) -> Iterator[tuple[object, object]]:
    """The smallest parts of two trees that differ; features are not opened."""
    if old == new and type(old) is type(new):
        return
    match old, new:
        case FeatureTerm(), FeatureTerm():
            yield old, new
        case tuple(), tuple() if len(old) == len(new):
            for one, other in zip(old, new, strict=True):
                yield from _differences(one, other)
        case _ if isinstance(old, _NODES) and type(old) is type(new):
            for slot in getattr(old, "__slots__", ()):
                yield from _differences(getattr(old, slot), getattr(new, slot))
        case _:
            yield old, new


@dataclass(frozen=True)
class _When:
    """When a contact's first or last event was, against an instant or a date, which it may be before or after."""

    feature: Feature
    at: dt.date
    is_upper: bool


def _time_of_an_event(own: Condition) -> _When | None:
    match own:
        case Comparison("<" | "<=" | ">" | ">=" as op, FeatureTerm(feature), Constant(dt.date() as at)):
            is_upper = op in ("<", "<=")
        case Comparison("<" | "<=" | ">" | ">=" as op, Constant(dt.date() as at), FeatureTerm(feature)):
            is_upper = op in (">", ">=")
        case _:
            return None
    return _When(feature, at, is_upper) if feature.measure in ("first", "last") else None


# ---------------------------------------------------------------- events


def _feature(old: Feature, new: Feature, catalog: Catalog, found: Elapsed) -> None:
    """The events that a feature reads now and did not, or did and does not."""
    if old == new:
        return
    if _apart_from_time(old) != _apart_from_time(new):
        raise _Unknown("a filter on events follows the clock")
    for before, after in ((old.bounds.low, new.bounds.low), (old.bounds.high, new.bounds.high)):
        if before is not None and after is not None:
            _between(new, before, after, catalog, found)
        elif before is not after:
            raise _Unknown("a window has another shape")
    if old.then is not None and new.then is not None:
        _feature(old.then.event, new.then.event, catalog, found)


def _apart_from_time(own: Feature) -> tuple[object, ...]:
    then = None if own.then is None else own.then.length
    return (
        own.tables, own.event, own.time, own.where, own.measure, own.of, own.zone, own.nth, own.then is None, then
    )  # fmt: skip


def _between(own: Feature, before: dt.date, after: dt.date, catalog: Catalog, found: Elapsed) -> None:
    """The events of a feature's name whose time lies between two bounds of it."""
    if type(before) is not type(after) or isinstance(after, dt.datetime) is (own.time.kind is Kind.DATE):
        raise _Unknown("a value of events is compared with the clock")
    for i in own.tables:
        table = catalog.events[i]
        event = (table.event, own.event) if table.event is not None and own.event is not None else None
        time = time_column(table.properties, table.time)
        found.passed[_passed(table.table, table.contact, time, before, after, event)] = None


def _passed(table: str, contact: str, time: Column, one: dt.date, other: dt.date, event: tuple[str, str] | None = None) -> Passed:
    """The rows between two times in the order in which the column has them: a wall clock that is set back turns instants over."""
    low, high = sorted((one, other), key=lambda at: _as_written(at, time))
    return Passed(table, contact, time, low, high, event)


def _as_written(at: dt.date, time: Column) -> dt.date:
    if not isinstance(at, dt.datetime) or time.kind is Kind.TIMESTAMPTZ:
        return at
    return at.astimezone(ZoneInfo(time.zone)).replace(tzinfo=None)


# ---------------------------------------------------------------- rows that begin and end


def _of_tables(then: Moment, now: Plan, past: Iterable[int]) -> Iterator[Passed]:
    """Rows of lists and of tables of history that began or ended, and contacts that came to be."""
    catalog = now.catalog
    rows = [(catalog.contacts.table, catalog.contacts.key, catalog.contacts.created, catalog.contacts.fields)]
    for own in {list_table.table: list_table for name in now.lists if (list_table := catalog.list_table(name))}.values():
        rows += [(own.table, own.contact, column, own.columns) for column in (own.joined, own.left)]
    for history in (catalog.history[i] for i in sorted(past)):
        rows += [(history.table, history.contact, name, history.columns) for name in (history.valid_from, history.valid_to)]
    for table, contact, name, columns in rows:
        if name is not None:
            time = time_column(columns, name)
            before, after = (today(at) if time.kind is Kind.DATE else at.as_of for at in (then, now.at))
            yield _passed(table, contact, time, before, after)
