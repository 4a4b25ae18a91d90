"""The smallest change that turns a condition for a contact: fewest edits first, each try carried out and looked at again."""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, count, islice, zip_longest
from typing import Any

from segkit.errors import DataError
from segkit.explanation.case import Case, Sight, below, everything, parts_of, sight
from segkit.explanation.edits import AddEvent, Edit, JoinList, LeaveList, RemoveEvent, SetField, changed, column_of
from segkit.explanation.places import places
from segkit.explanation.reach import reaching
from segkit.plan import Plan
from segkit.plan.tree import (
    AllOf,
    Always,
    AnyOf,
    ColumnTerm,
    Complement,
    Condition,
    Drawn,
    Feature,
    OnList,
    PastColumn,
    Rank,
    Raw,
    Reference,
    Standing,
)

MOST_TRIES = 1500
"""How many changes are tried before the search is given up."""
_FIRST_OF_TWO = 24
_ENOUGH = 12
"""How many ways to turn one condition are followed."""


@dataclass(frozen=True)
class Found:
    """The edits that turn a condition; without any, why not."""

    edits: tuple[Edit, ...]
    why_not: str = ""


def smallest(own: Plan, case: Case, raw: Plan, most: int = MOST_TRIES) -> Found:
    """The smallest change that turns a plan's condition for a contact.

    Args:
        own: the plan, `answered`.
        case: the contact's rows.
        raw: the plan as it was, with its SQL.
        most: how many changes are tried.
    """
    first = sight(own, case)
    if not first.exists:
        return Found((), "the contact does not exist yet")
    target = not first.member
    need, fixed = _needed(own.where, target, first)
    if need == math.inf:
        return Found((), f"no change of its own data would: {fixed}")
    refused = _Refused.of(raw)
    order, tries = count(), 0
    queue: list[tuple[float, int, float, tuple[Edit, ...], Case, Sight]] = [(need, next(order), 0, (), case, first)]
    known: set[str] = set()
    while queue:
        _, _, spent, edits, before, at = heapq.heappop(queue)
        need, _ = _needed(own.where, target, at)
        if edits and need == 0:
            return Found(edits)
        for leaves in _fronts(own.where, target, at):
            better = 0
            for ways in (_ways, _ways_in_two):
                for leaf in leaves:
                    found = 0
                    for more in ways(leaf, own, before, at):
                        told = repr((*edits, *more))
                        if not more or told in known or any(refused.touches(edit, own) for edit in more):
                            continue
                        if tries >= most:
                            break
                        known.add(told)
                        tries += 1
                        after = _carried_out(own, before, at, more)
                        if after is None or not after[1].exists or (left := _needed(own.where, target, after[1])[0]) >= need:
                            continue
                        odd = sum(_oddness(edit, own.at.as_of) for edit in more)
                        cost = spent + 1 + min(0.05 * (len(more) - 1), 0.9) + 0.01 * odd
                        heapq.heappush(queue, (cost + left, next(order), cost, (*edits, *more), *after))
                        found += 1
                        if found >= _ENOUGH:
                            break
                    better += found
                if better:
                    break
            if better:
                break
        if tries >= most and not queue:
            return Found((), f"none was found among {most:,} that were tried")
    return Found((), f"none was found among {tries:,} that were tried")


def _ways(leaf: Condition, own: Plan, case: Case, at: Sight) -> Iterator[tuple[Edit, ...]]:
    """Edits that might turn a condition; guesses end where one is out of range, or of a kind that cannot be compared."""
    del own
    with suppress(ArithmeticError, ValueError, TypeError):
        yield from reaching(leaf, at, case)


def _ways_in_two(leaf: Condition, own: Plan, case: Case, at: Sight) -> Iterator[tuple[Edit, ...]]:
    """Edits of two things that might turn a condition together, such as both fields of a comparison where both are missing."""
    if len(set(places(leaf))) > 1:
        for first in islice(_ways(leaf, own, case, at), _FIRST_OF_TWO):
            after = _carried_out(own, case, at, first)
            if after is not None and first:
                for second in islice(_ways(leaf, own, *after), _FIRST_OF_TWO):
                    yield (*first, *second)


def _carried_out(own: Plan, case: Case, at: Sight, edits: tuple[Edit, ...]) -> tuple[Case, Sight] | None:
    """The case after some edits, and what it says; None where the data would be impossible."""
    try:
        for edit in edits:
            case = changed(case, edit, own)
        return case, sight(own, case, at)
    except (DataError, ArithmeticError, ValueError):
        return None


def _oddness(edit: Edit, now: dt.datetime) -> float:
    """How little an edit looks like what people would do: how far a value goes, an end that nobody would write."""
    match edit:
        case SetField(_, was, value):
            if value is None and was is not None:
                return 2
            later = isinstance(value, dt.datetime) and value.tzinfo is not None and value > now
            return _distance(was, value) + (0.3 if _is_fine(value) else 0) + later
        case RemoveEvent():
            return 0.5
        case _:
            return 0


def _is_fine(value: Any) -> bool:
    return bool(getattr(value, "microsecond", 0)) or (isinstance(value, float) and len(repr(value)) > 12)


def _distance(was: Any, value: Any) -> float:
    """From 0 to 1."""
    match was, value:
        case (bool(), _) | (_, bool()):
            return 0
        case ((int() | float() | Decimal()), (int() | float() | Decimal())):
            gap = abs(float(value) - float(was))
            return gap / (gap + abs(float(was)) + 1) if math.isfinite(gap) else 1
        case dt.date(), dt.date():
            days = abs(was.toordinal() - value.toordinal())
            return days / (days + 100)
        case _:
            return 0


def _needed(condition: Condition, target: bool, at: Sight) -> tuple[float, str]:
    """How many single conditions must turn at least; where none would do (infinite), what stands in the way."""
    if at.holds(condition) == target:
        return 0, ""
    match condition:
        case AllOf(items) if target:
            needs = [_needed(item, target, at) for item in items]
            return sum(need for need, _ in needs), next((why for need, why in needs if need == math.inf), "")
        case AllOf(items) | AnyOf(items) if isinstance(condition, AllOf) or target:
            return min((_needed(item, target, at) for item in items), key=lambda own: own[0], default=(math.inf, "it is certain"))
        case AnyOf(items):
            needs = [_needed(item, target, at) for item in items]
            return sum(need for need, _ in needs), next((why for need, why in needs if need == math.inf), "")
        case Complement(item):
            return _needed(item, not target, at)
        case Reference(name):
            return _needed(at.world.segments[name], target, at)
        case Always():
            return math.inf, "it holds for everyone or nobody, or is SQL"
        case Drawn():
            return math.inf, "a sample is drawn by the key"
        case _ if _is_standing(condition):
            return math.inf, "a rank is among all contacts"
        case _ if not isinstance(condition, OnList) and next(places(condition), None) is None:
            return math.inf, "only the clock decides it"
        case _:
            return 1, ""


def _is_standing(condition: Condition) -> bool:
    stack: list[object] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Standing):
            return True
        stack += below(node)
    return False


def _fronts(condition: Condition, target: bool, at: Sight) -> list[list[Condition]]:
    """Single conditions of which one must turn next: groups of alternatives, the later for when none of the earlier turns."""
    if at.holds(condition) == target or _needed(condition, target, at)[0] == math.inf:
        return []
    match condition:
        case AllOf(items) | AnyOf(items):
            own = [_fronts(item, target, at) for item in items]
            if isinstance(condition, AllOf) == target:
                return [group for groups in own for group in groups]
            return [list(chain.from_iterable(groups)) for groups in zip_longest(*own, fillvalue=())]
        case Complement(item):
            return _fronts(item, not target, at)
        case Reference(name):
            return _fronts(at.world.segments[name], target, at)
        case _:
            return [[condition]]


# ---------------------------------------------------------------- what must stay as it is


@dataclass(frozen=True)
class _Refused:
    """What ranks and SQL read: where it changed, they would have to be asked again."""

    columns: frozenset[str]
    past: frozenset[str]
    sql: str
    events: bool
    lists: bool

    @classmethod
    def of(cls, own: Plan) -> _Refused:
        ranks = [part for part in own.parts if isinstance(part, Rank)]
        read = list(everything(tuple(ranks)))
        if any(isinstance(part, Reference) for part in read):
            read += list(everything(tuple(part for part in own.parts if not isinstance(part, Rank))))
        sql = " ".join(part.sql for part in parts_of(own) if isinstance(part, Raw)).casefold()
        return cls(
            frozenset(part.name for part in read if isinstance(part, ColumnTerm)),
            frozenset(part.name for part in read if isinstance(part, PastColumn)),
            sql,
            any(isinstance(part, Feature) for part in read),
            any(isinstance(part, OnList) for part in read),
        )

    def touches(self, edit: Edit, own: Plan) -> bool:
        match edit:
            case SetField(field):
                table, _, column = column_of(own.catalog, field)
                names = self.columns if table is None else self.past
                return column.name in names or (table is None and column.name.casefold() in self.sql)
            case AddEvent() | RemoveEvent():
                return self.events
            case JoinList() | LeaveList():
                return self.lists
        return False
