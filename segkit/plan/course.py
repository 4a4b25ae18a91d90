"""One definition over many instants: what of it stands still, and what moves as the instants go on.

    plans, one for each point  ->  zipped into one tree, whose leaves say how their truth changes from point to point

The plans of one definition have one shape and differ in constants alone: the edges of windows, cut-offs, parts of today. All work
with the calendar is done when they are planned; here constants that belong together are put side by side. Where edges never go
back, an event is inside of a window for one stretch of points, and so the leaves can be swept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from operator import attrgetter
from typing import Any, TypeAlias

from segkit.catalog import Kind, time_column
from segkit.plan import Plan
from segkit.plan.agree import FLIPPED
from segkit.plan.clock import today
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Bounds,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Drawn,
    Feature,
    FeatureTerm,
    IsMissing,
    Named,
    OnList,
    PartOf,
    PastColumn,
    Raw,
    Reference,
    Standing,
    Term,
)

Edge: TypeAlias = dt.date
"""A date, or an instant."""
Edges: TypeAlias = tuple[Edge, ...]
_ADDED = ("count", "sum", "avg", "distinct", "days", "weeks", "months")
_KEPT = ("first", "last", "latest")
EXACT = (Kind.INTEGER, Kind.DECIMAL)


class Unswept(Exception):
    """A definition, or an engine, for which there is no sweep; the text says what stands in the way."""


# ---------------------------------------------------------------- leaves


@dataclass(frozen=True)
class Window:
    """The events that a feature reads at each point: `feature` is that of the first one."""

    feature: Feature
    lows: Edges | None
    highs: Edges

    @property
    def reach(self) -> Bounds:
        """The bounds of all events that the feature reads at some point."""
        own = self.feature.bounds
        return Bounds(None if self.lows is None else self.lows[0], own.low_in, self.highs[-1], own.high_in)


@dataclass(frozen=True)
class Fixed:
    """A condition on the contact alone that is the same at each point."""

    condition: Condition


@dataclass(frozen=True)
class Added:
    """A condition on what can be added up over events as they come and go, maybe beside fields of the contact."""

    condition: Condition
    windows: tuple[Window, ...]
    reads_contact: bool


@dataclass(frozen=True)
class Kept:
    """A condition on one value that holds until the next one comes: of the last or first event in a window."""

    condition: Condition
    window: Window


@dataclass(frozen=True)
class Past:
    """A condition on fields of the contact as they were, of one table of history."""

    condition: Condition
    table: int


@dataclass(frozen=True)
class Sliding:
    """A time compared with an edge that moves on: of the contact, or with a `window` of its last or first event."""

    op: str
    term: Term
    edges: Edges
    window: Window | None = None


@dataclass(frozen=True)
class Recurring:
    """A value of the contact that is one of some at certain points: for each value the stretches of points, ends left out."""

    term: Term
    stretches: tuple[tuple[Constant, int, int], ...]


@dataclass(frozen=True)
class Listed:
    """On a static list, as it was."""

    name: str


@dataclass(frozen=True)
class Group:
    is_all: bool
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Negation:
    item: Node


Leaf: TypeAlias = Fixed | Added | Kept | Past | Sliding | Recurring | Listed
Node: TypeAlias = Leaf | Group | Negation


def leaves(node: Node) -> Iterator[Leaf]:
    """The leaves of a tree."""
    match node:
        case Group(_, items):
            for item in items:
                yield from leaves(item)
        case Negation(item):
            yield from leaves(item)
        case leaf:
            yield leaf


def without_history(own: Plan) -> tuple[str, ...]:
    """What a plan reads as it is today, at any instant: fields without history, and lists that do not say since when."""
    tables = {name: own.catalog.list_table(name) for name in own.lists}
    undated = (name for name, table in tables.items() if table is not None and table.joined is None and table.left is None)
    return (*own.fields, *(f"list {name!r}" for name in undated))


# ---------------------------------------------------------------- zipping


def course(plans: Sequence[Plan], exact: Collection[Kind] = EXACT) -> Node:
    """The plans of one definition, at ascending instants, as one tree; numbers of `exact` kinds can be added up and taken away.

    Raises:
        Unswept: a part of it cannot be swept.
    """
    own = _Course(plans, exact)
    tree = own.tree(tuple(plan.where for plan in plans))
    exists = own.exists()
    return tree if exists is None else Group(True, (exists, tree))


class _Course:
    def __init__(self, plans: Sequence[Plan], exact: Collection[Kind]) -> None:
        self._plans, self._exact = plans, exact
        self._named = [{part.name: part.where for part in plan.parts if isinstance(part, Named)} for plan in plans]

    def exists(self) -> Node | None:
        """A contact exists from its creation on, where the catalog knows it."""
        contacts = self._plans[0].catalog.contacts
        if contacts.created is None:
            return None
        column = time_column(contacts.fields, contacts.created)
        kind = column.kind if column.kind in (Kind.DATE, Kind.TIMESTAMPTZ) else Kind.TIMESTAMP
        term = ColumnTerm(column.name, kind, column.zone if kind is Kind.TIMESTAMP else None)
        instants = tuple(plan.at.as_of for plan in self._plans)
        edges: Edges = tuple(today(plan.at) for plan in self._plans) if kind is Kind.DATE else instants
        return Group(False, (Fixed(IsMissing(term)), Sliding("<=", term, edges)))

    def tree(self, own: tuple[Condition, ...]) -> Node:
        """One condition as it is at each point."""
        first = own[0]
        if any(type(other) is not type(first) for other in own):
            raise Unswept("its form changes from instant to instant")
        match first:
            case AllOf() | AnyOf():
                items = zip(*(other.items for other in own), strict=True)  # type: ignore[union-attr]
                return Group(isinstance(first, AllOf), tuple(self.tree(item) for item in items))
            case Complement():
                return Negation(self.tree(tuple(other.item for other in own)))  # type: ignore[union-attr]
            case Reference(name):
                return self.tree(tuple(named[name] for named in self._named))
            case OnList(name):
                return Listed(name)
            case Always() | Drawn() | Raw():
                return _fixed(own)
            case _:
                return self._leaf(own)

    def _leaf(self, own: tuple[Condition, ...]) -> Node:
        simple = tuple(_simplified(other) for other in own)
        if simple != own:
            return self.tree(simple)
        reads = [_read(other) for other in own]
        read = reads[0]
        if read.standings:
            raise Unswept("a rank is among all contacts of its instant")
        if all(other.constants == read.constants for other in reads):
            return self._steady(own, reads)
        return self._moving(own, read)

    # ------------------------------------------------------------ the same constants at each point

    def _steady(self, own: tuple[Condition, ...], reads: Sequence[_Read]) -> Node:
        read, windows = reads[0], self._windows(reads)
        if not read.past and not windows:
            return Fixed(own[0])
        if read.past:
            if len(read.past) > 1 or windows or read.columns:
                raise Unswept("a field as it was stands beside another value")
            return Past(own[0], next(iter(read.past)))
        if all(window.feature.measure in _ADDED for window in windows):
            return Added(own[0], windows, bool(read.columns))
        if len(windows) == 1 and not read.columns and windows[0].feature.measure in _KEPT:
            return Kept(own[0], windows[0])
        raise Unswept("a smallest, largest, first or last value stands beside another value")

    def _windows(self, reads: Sequence[_Read]) -> tuple[Window, ...]:
        """The features of a condition, each with its bounds at each point."""
        found: dict[Feature, Window] = {}
        for several in zip(*(other.features for other in reads), strict=True):
            window = _window(several, self._exact)
            if found.setdefault(several[0], window) != window:
                raise Unswept("two windows are alike at one instant and not at another")
        return tuple(found.values())

    # ------------------------------------------------------------ constants that move

    def _moving(self, own: tuple[Condition, ...], read: _Read) -> Node:
        match own[0]:
            case Comparison():
                sides = [(other.op, other.left, other.right) for other in own if isinstance(other, Comparison)]
                if isinstance(sides[0][1], Constant):
                    sides = [(FLIPPED[op], right, left) for op, left, right in sides]
                return self._compared(sides, read)
            case Among(term) if not read.features and not read.past:
                if any(other.term != term for other in own):  # type: ignore[union-attr]
                    raise Unswept("a value that depends on the instant is one of some")
                return _recurring(term, [other.options for other in own])  # type: ignore[union-attr]
            case _:
                raise Unswept("a text or missing value depends on the instant")

    def _compared(self, sides: Sequence[tuple[Any, Term, Term]], read: _Read) -> Node:
        op, term, right = sides[0]
        if len({op for op, _, _ in sides}) > 1 or not all(isinstance(other, Constant) for _, _, other in sides):
            raise Unswept("two values that both depend on the instant are compared")
        constants_of = [_read(other).constants for _, other, _ in sides]
        if any(other != constants_of[0] for other in constants_of[1:]):
            raise Unswept("two values that both depend on the instant are compared")
        constants = [other for _, _, other in sides if isinstance(other, Constant)]
        if not isinstance(right, Constant) or not isinstance(right.value, dt.date):
            if op == "==" and not read.features and not read.past:
                return _recurring(term, [(other,) for other in constants])
            raise Unswept("a number that depends on the instant is compared")
        edges = _ascending([other.value for other in constants])  # type: ignore[misc]
        if read.past or (read.features and not isinstance(term, FeatureTerm)) or (read.features and read.columns):
            raise Unswept("a value reckoned from history or events is compared with the instant")
        window = None
        if isinstance(term, FeatureTerm):
            window = _window([other.feature for _, other, _ in sides], self._exact)  # type: ignore[union-attr]
            if window.feature.measure not in _KEPT:
                raise Unswept(f"{window.feature.measure} of events is compared with the instant")
        if window is not None and window.lows is None and window.feature.measure == "last" and op in (">", ">="):
            return _since(window, edges, op == ">=")
        if op == "==":
            return Group(True, (Sliding(">=", term, edges, window), Sliding("<=", term, edges, window)))
        return Sliding(op, term, edges, window)


def _since(window: Window, edges: Edges, inclusive: bool) -> Added:
    """The last event is after an edge where some event is: counted in a window that begins there."""
    feature = window.feature
    bounds = replace(feature.bounds, low=edges[0], low_in=inclusive)
    counted = replace(feature, measure="count", bounds=bounds)
    condition = Comparison(">=", FeatureTerm(counted, Kind.INTEGER), Constant(1, Kind.INTEGER))
    return Added(condition, (Window(counted, edges, window.highs),), False)


def _fixed(own: tuple[Condition, ...]) -> Node:
    if any(other != own[0] for other in own):
        raise Unswept("it is certain at one instant and not at another")
    return Fixed(own[0])


def _window(features: Sequence[Feature], exact: Collection[Kind]) -> Window:
    """One feature as it is at each point."""
    first = features[0]
    if first.then is not None or first.nth > 1:
        raise Unswept("events are followed by others")
    if first.measure in ("sum", "avg") and (first.of is None or first.of.kind not in exact):
        raise Unswept("a sum of numbers that are not exact would drift")
    if first.measure not in (*_ADDED, *_KEPT):
        raise Unswept(f"{first.measure} of events is not compared with a constant")
    bounds = [feature.bounds for feature in features]
    if any(
        (own.low_in, own.high_in, own.low is None) != (first.bounds.low_in, first.bounds.high_in, first.bounds.low is None)
        for own in bounds
    ):
        raise Unswept("a window is open at one instant and closed at another")
    highs = _ascending([own.high for own in bounds])
    return Window(first, None if first.bounds.low is None else _ascending([own.low for own in bounds]), highs)


def _ascending(edges: Sequence[Edge | None]) -> Edges:
    known = tuple(edge for edge in edges if edge is not None)
    if len(known) < len(edges) or any(b < a for a, b in pairwise(known)):
        raise Unswept("its edges go back in time as the instants go on")
    return known


def _recurring(term: Term, options: Sequence[tuple[Constant, ...]]) -> Recurring:
    """For each option the stretches of points at which it is one."""
    kinds = {option.kind for several in options for option in several}
    if not kinds <= {Kind.INTEGER, Kind.DATE} or len(kinds) > 1:
        raise Unswept("a value that depends on the instant is no whole number and no date")
    begun: dict[Constant, int] = {}
    found: list[tuple[Constant, int, int]] = []
    for i, several in enumerate([*options, ()]):
        found += [(option, begun.pop(option), i) for option in set(begun) - set(several)]
        for option in several:
            begun.setdefault(option, i)
    return Recurring(term, tuple(sorted(found, key=lambda own: (own[1], str(own[0].value)))))


# ---------------------------------------------------------------- simpler forms


def _simplified(own: Condition) -> Condition:
    """A condition in the form that sweeps: ages as dates, extremes as counts, parts of a known date as numbers."""
    match own:
        case Comparison(op, left, right):
            left, right = _folded(left), _folded(right)
            if isinstance(left, Constant) and not isinstance(right, Constant):
                op, left, right = FLIPPED[op], right, left
            match left, right:
                case DayCount(Constant(dt.date() as day), earlier), Constant(int() as days):
                    return Comparison(FLIPPED[op], earlier, _days_before(day, days))
                case DayCount(later, Constant(dt.date() as day)), Constant(int() as days):
                    return Comparison(op, later, _days_before(day, -days))
                case FeatureTerm(Feature(measure="min" | "max") as feature), Constant():
                    return _extreme(op, feature, right)
            return Comparison(op, left, right)
        case IsMissing(FeatureTerm(Feature(measure="min" | "max" | "avg") as feature)):
            return Comparison("==", *_count(feature, Complement(IsMissing(_of(feature)))))
        case _:
            return own


def _folded(own: Term) -> Term:
    match own:
        case PartOf(part, Constant(dt.date() as day)) if not isinstance(day, dt.datetime):
            parts: dict[str, int] = {
                "year": day.year, "quarter": (day.month + 2) // 3, "month": day.month, "week": day.isocalendar().week,
                "day": day.day, "weekday": day.isoweekday(),
            }  # fmt: skip
            return Constant(parts[part], Kind.INTEGER) if part in parts else own
        case _:
            return own


def _days_before(day: dt.date, days: int) -> Constant:
    try:
        return Constant(day - dt.timedelta(days=days), Kind.DATE)
    except OverflowError:
        raise Unswept("a date is out of range") from None


def _of(feature: Feature) -> ColumnTerm:
    assert feature.of is not None
    return feature.of


def _count(feature: Feature, where: Condition) -> tuple[FeatureTerm, Constant]:
    """How many of the events meet one more condition, beside none."""
    both = where if feature.where is None else AllOf((feature.where, where))
    counted = replace(feature, measure="count", of=None, where=both)
    return FeatureTerm(counted, Kind.INTEGER), Constant(0, Kind.INTEGER)


def _extreme(op: Any, feature: Feature, constant: Constant) -> Condition:
    """A largest or smallest value compared with a constant, by counts: windows can be added up of counts alone."""
    of = _of(feature)
    beyond: Any = ">" if feature.measure == "max" else "<"

    def some(own: Any) -> Condition:
        return Comparison(">", *_count(feature, Comparison(own, of, constant)))

    def none(own: Any) -> Condition:
        return Comparison("==", *_count(feature, Comparison(own, of, constant)))

    if op in (beyond, beyond + "="):
        return some(op)
    if op == "==":
        return AllOf((some("=="), none(beyond)))
    known = Comparison(">", *_count(feature, Complement(IsMissing(of))))
    return AllOf((known, none(beyond + "=" if op == FLIPPED[beyond] else beyond)))


# ---------------------------------------------------------------- what a condition reads


@dataclass
class _Read:
    """What a condition or term reads: its features, tables of history, whether fields and ranks; and `constants`, all that it
    is made of but the bounds of its features, in the order of a walk: those that differ in bounds alone have the same."""

    features: list[Feature]
    past: set[int]
    columns: bool
    standings: bool
    constants: list[object]


_BESIDE_BOUNDS = attrgetter(*(own.name for own in fields(Feature) if own.name != "bounds"))


def _read(own: object) -> _Read:
    found = _Read([], set(), False, False, [])
    stack: list[object] = [own]
    while stack:
        match stack.pop():
            case FeatureTerm(feature, kind, clock):
                found.features.append(feature)
                found.constants += (FeatureTerm, kind, clock, _BESIDE_BOUNDS(feature))
            case PastColumn(table) as column:
                found.past.add(table)
                found.constants.append(column)
            case ColumnTerm() as column:
                found.columns = True
                found.constants.append(column)
            case Standing():
                found.standings = True
            case Among(term, options):
                found.constants += (Among, options)
                stack.append(term)
            case tuple() as several:
                found.constants.append(len(several))
                stack.extend(several)
            case node if slots := getattr(node, "__slots__", ()):
                found.constants.append(type(node))
                stack.extend(getattr(node, slot) for slot in slots)
            case value:
                found.constants.append(value)
    return found
