"""Who is a member of many plans, of few contacts: each condition that they are made of is asked once, and put together here.

plans  ->  distinct conditions  ->  contacts for whom each holds  ->  and, or, not  ->  members
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from segkit.compile import signatures
from segkit.engines import Engine
from segkit.plan import Plan
from segkit.plan.tree import AllOf, Always, AnyOf, Complement, Condition, FeatureTerm, Named, OnList, Reference
from segkit.plan.walk import every_node, leaves
from segkit.tracking import members
from segkit.tracking.numbers import Numbering, packed, truths

if TYPE_CHECKING:
    import numpy as np

_EACH = Always(True)
"""Holds for each contact, also for those of whom nothing else does."""


def asked(engine: Engine, plans: Mapping[str, Plan], numbering: Numbering) -> members.Members:
    """The members of some segments without ranks. Of one with a condition that cannot be asked the reason is told.

    Raises:
        DataError: the contacts' keys cannot be kept.
    """
    import numpy as np

    conditions = {name: _conditions(own) for name, own in plans.items()}
    needing = {leaf: plans[name] for name, own in conditions.items() for leaf in own}
    names = {leaf: str(i) for i, leaf in enumerate(needing)}
    rows = Numbering([])
    alone = {names[leaf]: _alone(leaf, own) for leaf, own in needing.items()}
    answer = members.asked(engine, alone, rows, signatures.contacts)
    held = {leaf: truths(answer.of(name), rows.count) for leaf, name in names.items() if name in answer.found}
    failed = {name: answer.failed[names[leaf]] for name, own in conditions.items() for leaf in own if leaf not in held}
    inside = {name: _put_together(own, held) for name, own in plans.items() if name not in failed}
    is_any = np.logical_or.reduce([np.zeros(rows.count, dtype=bool), *inside.values()])
    numbers = np.zeros(rows.count, dtype=np.int64)
    if is_any.any():
        numbers[is_any] = numbering.of(np.asarray(rows.keys())[is_any])
    return members.Members(numbering, {name: packed(np.sort(numbers[own])) for name, own in inside.items()}, failed)


def _conditions(own: Plan) -> dict[Condition, None]:
    """The distinct conditions that a plan and the segments that it refers to are made of."""
    wheres = [*(part.where for part in own.parts if isinstance(part, Named)), own.where]
    return dict.fromkeys([_EACH, *(leaf for where in wheres for leaf, _ in leaves(where) if not isinstance(leaf, Reference))])


def _alone(leaf: Condition, of: Plan) -> Plan:
    """A plan of one condition."""
    inside = list(every_node(leaf, closed=(FeatureTerm,)))
    features = dict.fromkeys(node.feature for node in inside if isinstance(node, FeatureTerm))
    lists = dict.fromkeys(node.name for node in inside if isinstance(node, OnList))
    return replace(of, where=leaf, features=tuple(features), parts=(), lists=tuple(lists))


def _put_together(own: Plan, held: Mapping[Condition, np.ndarray]) -> np.ndarray:
    """For whom a plan's condition holds; the segments that it refers to come before it."""
    referred: dict[str, np.ndarray] = {}
    for part in own.parts:
        if isinstance(part, Named):
            referred[part.name] = _holds(part.where, held, referred)
    return _holds(own.where, held, referred)


def _holds(where: Condition, held: Mapping[Condition, np.ndarray], referred: Mapping[str, np.ndarray]) -> np.ndarray:
    import numpy as np

    found: np.ndarray
    match where:
        case AllOf(items):
            found = np.logical_and.reduce([held[_EACH], *(_holds(item, held, referred) for item in items)])
        case AnyOf(items):
            found = np.logical_or.reduce([_holds(item, held, referred) for item in items])
        case Complement(item):
            found = ~_holds(item, held, referred)
        case Reference(name):
            found = referred[name]
        case _:
            found = held[where]
    return found
