"""When a condition changes by itself, if nothing happens to a contact: the instants at which it might, each looked at.

A condition can change where an edge of a window, or an age, comes past a moment of the contact's data; where a local day
begins; and where an hour begins, if it asks for the hour. Between two such instants nothing changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Context, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.catalog import Kind, time_column
from segkit.errors import DefinitionError
from segkit.evaluate.conditions import true
from segkit.evaluate.gathering import instant_of
from segkit.evaluate.reading import read
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import World
from segkit.explanation.case import Case, Sight, answered, everything, parts_of, sight
from segkit.plan import Moment, Plan, clock, plan
from segkit.plan.rules import AsOf, DayLater, DayOf, FirstDay, MidnightOf, MinutesLater, MonthsLater, Rule, refuse_other, rule_of
from segkit.plan.tree import Constant, Feature, FeatureTerm, PartOf, Rank, Standing

MOST = 3000
"""How many instants are looked at."""
_TIMES = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_TINY = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Course:
    """When conditions change first: of each, in the order of the tree, and of the whole; looked at up to `until`."""

    conditions: tuple[dt.datetime | None, ...]
    whole: dt.datetime | None
    until: dt.datetime
    note: str = ""


def course(own: Plan, case: Case, segments: Mapping[str, nodes.Predicate], conditions_of: Any, until: dt.datetime) -> Course:
    """When the conditions of a plan change by themselves for a contact.

    Args:
        own: the plan.
        case: the contact's rows.
        segments: the other segments that the definition refers to.
        conditions_of: from a plan to its conditions, in the order of the tree.
        until: how far to look ahead.
    """
    now = own.at.as_of
    first = sight(answered(own, case), case)
    at_first = [first.holds(each) for each in conditions_of(first.plan)]
    changes: list[dt.datetime | None] = [None] * len(at_first)
    whole: dt.datetime | None = None
    ahead = sorted({at for at in _instants(own, first, case, segments, until) if now < at <= until})
    for i, at in enumerate(ahead):
        if i >= MOST:
            return Course(tuple(changes), whole, ahead[i - 1], f"looked at {MOST:,} instants, up to {ahead[i - 1]}")
        then = plan(own.definition, own.catalog, Moment(at, own.at.zone), segments)
        if any(isinstance(part, Rank) and part not in case.standings and part in _asked(then) for part in then.parts):
            if not any(isinstance(part, Rank) and part in _asked(own) for part in own.parts):
                break
            return Course(tuple(changes), whole, max(now, ahead[i - 1] if i else now), _OF_RANKS)
        seen = sight(answered(then, case), case)
        for k, condition in enumerate(conditions_of(seen.plan)):
            if changes[k] is None and seen.holds(condition) != at_first[k]:
                changes[k] = at
        if whole is None and seen.member != first.member:
            whole = at
        if whole is not None and all(each is not None for each in changes):
            break
    return Course(tuple(changes), whole, until)


_OF_RANKS = "where a rank stands among all contacts later on is not foreseen"


def _asked(own: Plan) -> set[Rank]:
    return {part.rank for part in parts_of(own) if isinstance(part, Standing)}


# ---------------------------------------------------------------- instants at which something might change


def _instants(
    own: Plan, first: Sight, case: Case, segments: Mapping[str, nodes.Predicate], until: dt.datetime
) -> Iterator[dt.datetime]:
    at = own.at
    moving = plan(own.definition, own.catalog, clock.evergreen(at), segments)
    tree = (moving.where, moving.features, moving.parts)
    rules = {rule for node in everything(tree) if (rule := rule_of(node)) is not None}
    if any(map(_is_of_a_day, rules)) or _follows_otherwise(moving, tree, segments) or _is_of_dates(first):
        yield from _days(at, until)
    if any(isinstance(node, PartOf) and node.part == "hour" and _has_rule(node) for node in everything(tree)):
        hour = at.as_of.replace(minute=0, second=0, microsecond=0)
        yield from (hour + i * dt.timedelta(minutes=15) for i in range(1, min(4 * 24 * 31, int((until - hour) / _DAY * 96) + 1)))
    pairs: set[tuple[Rule, Any]] = {(AsOf(), moment) for moment in _moments(own, first, case)}
    rest = {rule for node in everything((moving.where, moving.parts), Feature) if (rule := rule_of(node)) is not None}
    pairs |= {(rule, moment) for rule in rest for moment in _moments(own, first, case)}
    for ours, feature in zip(own.features, moving.features, strict=True):
        inside = {rule for node in everything(feature) if (rule := rule_of(node)) is not None}
        constants = [node for node in everything(feature) if isinstance(node, dt.datetime)]
        pairs |= {(rule, moment) for rule in inside for moment in (*_of_events(ours, first, case), *constants)}
    for rule, moment in pairs:
        if isinstance(moment, dt.datetime):
            for instant in _when(rule, moment, at.as_of, until):
                yield instant
                yield instant + _TINY


def _has_rule(node: object) -> bool:
    return any(rule_of(part) is not None for part in everything(node))


def _is_of_a_day(rule: Rule) -> bool:
    match rule:
        case AsOf():
            return False
        case MinutesLater(of) | MonthsLater(of):
            return _is_of_a_day(of)
        case DayOf() | MidnightOf() | DayLater() | FirstDay():
            return True


def _is_of_dates(first: Sight) -> bool:
    """Whether events or the contact's beginning are dated by days: then they begin to exist at midnights."""
    contacts = first.plan.catalog.contacts
    created = None if contacts.created is None else time_column(contacts.fields, contacts.created).kind
    return created is Kind.DATE or any(feature.time.kind is Kind.DATE for feature in first.plan.features)


def _follows_otherwise(moving: Plan, tree: object, segments: Mapping[str, nodes.Predicate]) -> bool:
    """Whether something besides reckoned dates follows the clock, such as the days of an anniversary."""
    for days in (1, 31, 97, 211, 366):
        other = Moment(moving.at.as_of + days * _DAY, moving.at.zone)
        again = plan(moving.definition, moving.catalog, clock.evergreen(other), segments)
        try:
            refuse_other(tree, (again.where, again.features, again.parts))
        except DefinitionError:
            return True
    return False


def _days(at: Moment, until: dt.datetime) -> Iterator[dt.datetime]:
    """The local midnights ahead."""
    day = at.as_of.astimezone(ZoneInfo(at.zone)).date()
    while (midnight := clock.midnight(day := day + _DAY, at.zone)) <= until:
        yield midnight


def _when(rule: Rule, moment: dt.datetime, now: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """The instants of an evaluation at which what is reckoned by a rule may come past a moment; days are looked at anyway."""
    match rule:
        case AsOf():
            yield moment.astimezone(dt.UTC)
        case MinutesLater(of, minutes):
            try:
                yield from _when(of, moment - dt.timedelta(minutes=minutes), now, until)
            except OverflowError:
                return
        case MonthsLater(of, months, zone):
            for instant in _months_before(moment, months, zone):
                if now - 40 * _DAY < instant < until + 40 * _DAY:
                    yield from _when(of, instant, now, until)
        case _:
            return


def _months_before(moment: dt.datetime, months: int, zone: str) -> Iterator[dt.datetime]:
    """The instants from which a move by months may lead to about a moment: months' ends clip, so days around count, too."""
    try:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        year, month = divmod(wall.year * 12 + wall.month - 1 - months, 12)
        begin = dt.datetime.combine(dt.date(year, month + 1, 1), wall.time())
    except (OverflowError, ValueError):
        return
    ahead = range(wall.day - 1, wall.day + 4) if wall.day > 27 else (wall.day - 1,)
    for day in (begin + days * _DAY for days in ahead):
        for own in (day,) if wall.day <= 27 else (day, dt.datetime.combine(day.date(), dt.time())):
            for fold in (0, 1):
                yield own.replace(fold=fold, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


# ---------------------------------------------------------------- moments in the data


def _moments(own: Plan, first: Sight, case: Case) -> Iterator[Any]:
    """The instants in the data and in the definition that an edge may come past."""
    parts = [*parts_of(first.plan), *(part for feature in own.features for part in everything(feature))]
    yield from (node for node in everything(tuple(own.features)) if isinstance(node, dt.datetime))
    yield from (part.value for part in parts if isinstance(part, Constant) and isinstance(part.value, dt.datetime))
    contacts = own.catalog.contacts
    if contacts.created is not None:
        column = time_column(contacts.fields, contacts.created)
        yield read(first.world.row.get(column.name), column.kind, column.zone)
    for i, table in enumerate(own.catalog.history):
        for row in case.history.get(i, ()):
            for name in (table.valid_from, table.valid_to):
                yield instant_of(row.get(name), time_column(table.columns, name), own)
    lists = first.plan.catalog.lists
    if lists is not None:
        for row in case.lists:
            for named in (lists.joined, lists.left):
                if named is not None:
                    yield instant_of(row.get(named), time_column(lists.columns, named), own)
    outcomes = {feature: set(_of_events(feature, first, case)) for feature in own.features}
    for values in outcomes.values():
        yield from values
    worlds = [first.world, *(replace(first.world, past=_past(first, i, row)) for i, row in _rows_of_history(case))]
    for term in (part for part in parts if getattr(part, "kind", None) in _TIMES):
        yield from _values(term, worlds, outcomes)


def _rows_of_history(case: Case) -> Iterator[tuple[int, Any]]:
    yield from ((i, row) for i, rows in case.history.items() for row in rows)


def _past(first: Sight, i: int, row: Any) -> Mapping[int, Any]:
    return {**first.world.past, i: row}


def _values(term: Any, worlds: Sequence[World], outcomes: Mapping[Feature, set[Any]]) -> Iterator[Any]:
    """The values that a term of time has, whatever event its features are of."""
    features = [node.feature for node in everything(term) if isinstance(node, FeatureTerm)]
    for world in worlds:
        others = [
            replace(world, outcomes={**world.outcomes, feature: value})
            for feature in features
            for value in outcomes.get(feature, ())
        ]
        for own in (world, *others):
            with localcontext(Context(prec=100)):
                try:
                    value = value_of(term, own)
                except (KeyError, TypeError, AttributeError):
                    continue
            if isinstance(value, dt.datetime) and value.tzinfo is not None:
                yield value


def _of_events(feature: Feature, first: Sight, case: Case) -> Iterator[Any]:
    """The times of the events that a feature may read at some instant, and of their property where it is one."""
    for asked in (feature, *(() if feature.then is None else (feature.then.event,))):
        for _, events in case.read_of(asked, first.plan.catalog):
            for event in events:
                if asked.event is not None and event.name != asked.event:
                    continue
                if isinstance(event.at, dt.datetime):
                    yield event.at.astimezone(dt.UTC)
                for term in (part for part in everything(asked.where) if getattr(part, "kind", None) in _TIMES):
                    with suppress(KeyError, TypeError), localcontext(Context(prec=100)):
                        yield value_of(term, World(event.row, true))  # type: ignore[arg-type]
                if asked.of is not None and asked.of.kind.is_timestamp:
                    yield read(event.row.get(asked.of.name), asked.of.kind, asked.of.clock)
