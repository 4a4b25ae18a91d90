"""What would turn one condition: edits of what it reads, each a guess that whoever carries it out has to check.

A condition is followed down to a field, list or feature, while all else that it reads stays as it is: what value would do is
reckoned as for the invented contacts of `verification`. A feature gets its value by events more or less.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from itertools import islice
from typing import Any

from segkit.catalog import Kind
from segkit.evaluate.conditions import true
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import World
from segkit.explanation.case import Case, Sight
from segkit.explanation.edits import Edit, JoinList, LeaveList, SetField, held_by, placed
from segkit.explanation.happenings import MOST, by_events
from segkit.explanation.places import bound, places
from segkit.nodes import Ordering
from segkit.plan.tree import (
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    ElementCount,
    ElementTerm,
    FeatureTerm,
    JsonTerm,
    OnList,
    PastColumn,
    TextSearch,
)
from segkit.verification.wishes import Place, some, wished, wishes

_MOST_VALUES = 40
OTHER = "other"
"""The text that stands for any other one."""
_TINY = dt.timedelta(microseconds=1)
_SECOND = dt.timedelta(seconds=1)
_DAY = dt.timedelta(days=1)


def reaching(condition: Condition, at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    """Edits that might turn a single condition, the plainest first."""
    if isinstance(condition, OnList):
        yield (LeaveList(condition.name),) if at.holds(condition) else (JoinList(condition.name),)
        return
    for place in dict.fromkeys(places(condition)):
        own = bound(condition, place, at.world)
        values = dict.fromkeys(map(_hashable, _of_its_year(_values(own, place, at), value_of(place, at.world))))
        for value in (each.value for each in islice(values, _MOST_VALUES)):
            yield from _putting(place, value, condition, at, case)


def _of_its_year(values: Iterator[Any], was: Any) -> Iterator[Any]:
    """Dates also in the year in which the date was."""
    for value in values:
        if isinstance(was, dt.date) and isinstance(value, dt.date):
            with suppress(ValueError):
                yield value.replace(year=was.year)
        yield value


class _hashable:
    """A value apart from equal ones of other types."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _hashable) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash(repr(self.value))


def _values(condition: Condition, place: Place, at: Sight) -> Iterator[Any]:
    """Values of a place that might turn a condition, the plainest first."""
    today = at.plan.at.as_of.date()
    if place.kind in (Kind.TEXT, Kind.UNKNOWN) and at.holds(condition):
        yield OTHER
    if isinstance(condition, Comparison):
        for own, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if place in list(places(own)):
                with localcontext(Context(prec=100)):
                    value = value_of(other, at.world)
                for near in _near(value if value is not None else some(own.kind, today), place.kind):
                    yield from (value for where, value in wished(own, near, today) if where == place)
    if isinstance(condition, TextSearch) and isinstance(condition.text, str):
        for text in _texts(condition.test, condition.text):
            yield from (value for where, value in wished(condition.term, text, today) if where == place)
    yield from (value for where, value in wishes([condition], today) if where == place)
    yield {Kind.TEXT: "other", Kind.UNKNOWN: "other"}.get(place.kind, some(place.kind, today))
    if place.kind is Kind.DATE or place.kind.is_timestamp:
        yield at.plan.at.as_of
        yield from (at.plan.at.as_of + sign * days * _DAY for days in (1, 40, 400, 4000) for sign in (-1, 1))
    elif place.kind.is_number:
        yield from (0, 1, -1, 100, -100, Decimal("0.5"))
    yield None


def _near(value: Any, kind: Kind) -> list[Any]:
    """A value, and those beside it that people would write."""
    match value:
        case bool() | str():
            return [value, not value] if isinstance(value, bool) else [value]
        case int() if kind in (Kind.INTEGER, Kind.NUMBER):
            return [value, value + 1, value - 1]
        case int() | Decimal() | float():
            exact = Decimal(str(value))
            return [value, exact + Decimal("0.01"), exact - Decimal("0.01"), exact + 1, exact - 1]
        case dt.datetime():
            return [value, *(value + step for step in (_SECOND, -_SECOND, _TINY, -_TINY, _DAY, -_DAY))]
        case dt.date():
            return [value, value + _DAY, value - _DAY]
        case _:
            return [value]


def _texts(test: str, text: str) -> Iterator[str]:
    """Texts in which a search finds something, or does not."""
    if test != "matches":
        yield text
        return
    for plain in re.split(r"\|", re.sub(r"\(\?:|[\^$()]", "", text)):
        yield plain
        yield re.sub(r"\[([^\]])[^\]]*\]", r"\1", plain).replace("+", "").replace("*", "").replace("\\.", ".")
        yield plain.replace("\\d", "5").replace("\\s", " ").replace("\\w", "a")
    yield from ("a", "5", " ", "A", "")


# ---------------------------------------------------------------- putting a value in its place


def _putting(place: Place, value: Any, condition: Condition, at: Sight, case: Case) -> Iterator[tuple[Edit, ...]]:
    match place:
        case ColumnTerm(name):
            for field, column in at.plan.catalog.contacts.fields.items():
                if column.name == name and name != at.plan.catalog.contacts.key:
                    held = None if value is None or place.kind is Kind.JSON else held_by(value, column)
                    yield (SetField(field, value_of(place, at.world), held, _bound_of(condition, place, value, at)),)
                    return
        case PastColumn(table, name):
            for field, column in at.plan.catalog.history[table].fields.items():
                if column.name == name:
                    held = None if value is None or place.kind is Kind.JSON else held_by(value, column)
                    yield (SetField(field, value_of(place, at.world), held, _bound_of(condition, place, value, at)),)
                    return
        case JsonTerm(column, path) if not isinstance(column, ElementTerm):
            for edits in _putting(column, value, condition, at, case):
                for edit in edits:
                    if isinstance(edit, SetField):
                        number = float(value) if isinstance(value, Decimal) else value
                        yield (replace(edit, was=value_of(place, at.world), value=number, path=path, bound=""),)
        case ElementCount(column, path):
            for array in _arrays(place, value, at.world):
                for edits in _putting(column, None, condition, at, case):
                    for edit in edits:
                        if isinstance(edit, SetField):
                            was = placed(value_of(column, at.world), (), None) if not path else None
                            yield (replace(edit, was=was, value=array, path=path, bound=""),)
        case FeatureTerm(feature):
            yield from by_events(feature, value, at, case)


_TURNED = {True: {">": "at most", ">=": "at most", "<": "at least", "<=": "at least", "==": "other than"}, False: {
    ">": "at least", ">=": "at least", "<": "at most", "<=": "at most", "==": "",
}}  # fmt: skip
_MIRRORED: dict[str, Ordering] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "=="}


def _bound_of(condition: Condition, place: Place, value: Any, at: Sight) -> str:
    """In which direction other values would turn a comparison as well, where it is one with the place itself."""
    if value is OTHER:
        return "other than"
    match condition:
        case Comparison(op, left, Constant()) if left == place and op != "==":
            return _TURNED[at.holds(condition)][op]
        case Comparison(op, Constant(), right) if right == place and op != "==":
            return _TURNED[at.holds(condition)][_MIRRORED[op]]
        case _:
            return ""


def _arrays(own: ElementCount, wanted: Any, world: World) -> Iterator[list[Any]]:
    """Arrays of which so many elements meet the condition on them."""
    if not isinstance(wanted, int | float | Decimal) or not 0 <= wanted <= MOST:
        return
    where = own.where
    with localcontext(Context(prec=100)):
        document: Any = placed(value_of(own.column, world), (), None)
        document = value_of(JsonTerm(own.column, own.path, Kind.UNKNOWN), world)
        now = list(document) if isinstance(document, list | tuple) else []

        def fits(element: Any) -> bool:
            return where is None or true(where, World({"": element}, true))

        fitting = [element for element in now if fits(element)]
        others = [element for element in now if not fits(element)]
        count = int(wanted)
        if count <= len(fitting):
            yield [*others, *fitting[:count]]
            return
        new = next((element for element in _elements(where) if fits(element)), None)
        if new is not None or fits(None):
            yield [*now, *[new] * (count - len(fitting))]


def _elements(where: Condition | None) -> Iterator[Any]:
    found = list(islice(() if where is None else wishes([where], dt.date(2000, 1, 1)), 60))
    plain = ["a", 1, True, {}, [], ""]
    yield from plain
    own: list[Any] = []
    for place, value in found:
        if isinstance(place, JsonTerm) and not isinstance(value, dt.date):
            number = float(value) if isinstance(value, Decimal) else value
            own.append((place.path, number))
    for path, value in own:
        yield placed(None, path, value)
    for path, value in own:
        for other, more in own:
            if path and other and path != other:
                yield placed(placed(None, path, value), other, more)
