"""How a date or an instant follows from the instant of an evaluation, whenever that is.

In an evergreen plan each constant that the clock decides is a `Day` or an `Instant`: a date or a datetime like any other,
that also knows its rule. Two of them are the same only if their rules are, however they fall together today.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from segkit.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class AsOf:
    """The instant of the evaluation."""


@dataclass(frozen=True, slots=True)
class MinutesLater:
    """An instant so many minutes later (earlier, where negative)."""

    of: Rule
    minutes: int


@dataclass(frozen=True, slots=True)
class MonthsLater:
    """An instant so many months later on the wall clock of a zone, clipped to the month's end."""

    of: Rule
    months: int
    zone: str


@dataclass(frozen=True, slots=True)
class MidnightOf:
    """The instant at which a date begins in a zone."""

    of: Rule
    zone: str


@dataclass(frozen=True, slots=True)
class DayOf:
    """The date that an instant has on the wall clock of a zone."""

    of: Rule
    zone: str


@dataclass(frozen=True, slots=True)
class DayLater:
    """A date so many days or months later; months clip to the month's end."""

    of: Rule
    amount: int
    unit: Literal["days", "months"]


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The first day of the calendar period that holds a date; weeks begin on Monday."""

    of: Rule
    unit: Literal["week", "month", "quarter", "year"]


Rule: TypeAlias = AsOf | MinutesLater | MonthsLater | MidnightOf | DayOf | DayLater | FirstDay


class _Reckoned:
    """What equals only what is reckoned by the same rule."""

    rule: Rule | None = None

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) is True and self.rule == rule_of(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()


class Day(_Reckoned, dt.date):
    """A date with its rule."""


class Instant(_Reckoned, dt.datetime):
    """An instant in UTC with its rule."""


Time = TypeVar("Time", dt.date, dt.datetime)


def rule_of(at: object) -> Rule | None:
    """How a date or an instant is reckoned, None for one that stays as it is."""
    return getattr(at, "rule", None)


def reckoned(at: Time, rule: Rule | None) -> Time:
    """A date or an instant that knows its rule."""
    if rule is None:
        return at
    own = Instant.combine(at.date(), at.timetz()) if isinstance(at, dt.datetime) else Day(at.year, at.month, at.day)
    own.rule = rule
    return own


def refuse_other(asked: object, again: object) -> None:
    """Refuses a plan whose shape or constants follow the clock in a way that no rule says.

    Args:
        asked: conditions, features and parts of an evergreen plan.
        again: those of the same definition at another instant.

    Raises:
        DefinitionError: something besides reckoned dates differs.
    """
    if _shape(asked) != _shape(again):
        raise DefinitionError(
            "a condition of it follows the clock in a way that SQL cannot reckon", fix="pin it: leave evergreen=True out"
        )


def _shape(node: object) -> object:
    """A tree in which each reckoned date is its rule."""
    if (rule := rule_of(node)) is not None:
        return rule
    if isinstance(node, tuple):
        return tuple(map(_shape, node))
    slots = getattr(node, "__slots__", ())
    return (type(node), *(_shape(getattr(node, slot)) for slot in slots)) if slots and not isinstance(node, dt.date) else node
