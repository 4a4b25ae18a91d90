"""The elements of an array in words: `at least 1 element of tags is 'vip'`, `every element of tags is 'vip'`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from segkit import nodes
from segkit.describe import shape, words
from segkit.describe.frequency import Often, often
from segkit.describe.values import Telling, array, of_elements

Said: TypeAlias = tuple[bool, str]
"""Whether it is about what contacts have, and the words."""


def told(op: nodes.Ordering, left: nodes.Elements, right: nodes.Value, holds: bool, telling: Telling) -> Said | None:
    """A number of elements compared with a number, or with that of all elements; None for anything else."""
    match right:
        case nodes.Elements(where=None) if op == "==" and right == replace(left, where=None) and left.where is not None:
            every = f"{'every' if holds else 'not every'} element of {array(left)}"
            return False, _which(every, left.where, telling, "an empty list included" if holds else _listless(holds))
        case nodes.Literal(int() | float() | Decimal() as number) if not isinstance(number, bool):
            return _counted(often(op, number, holds), left, holds, telling)
    return None


def _counted(amount: Often, node: nodes.Elements, holds: bool, telling: Telling) -> Said:
    with_zero = amount.never or amount.or_never
    note = _listless(holds) if with_zero or not holds else ""
    if node.where is not None and (amount.never or amount.ever):
        some = f"{'no' if amount.never else 'at least 1'} element of {array(node)}"
        return False, _which(some, node.where, telling, note)
    many = "no elements" if amount.never else "at least 1 element"
    if not (amount.never or amount.ever):
        many = f"{amount.quantifier} {words.counted(amount.amount, 'elements')}"
    return True, words.noted(f"have {many} in {array(node)}", [of_elements(node, telling), note])


def _listless(holds: bool) -> str:
    return "only those with such a list" if holds else "those without such a list included"


def _which(elements: str, where: nodes.Predicate, telling: Telling, note: str) -> str:
    """Elements with what is said of each."""
    if telling.room < 2:
        said = words.more_conditions(shape.size(where), "hold")
    else:
        inner = replace(telling, scope=telling.scope.inside_elements(), room=telling.room - 1)
        said = telling.condition(shape.plain(where), inner).main
    if said.startswith("element ") and not shape.is_group(shape.plain(where)):
        return words.noted(elements + said.removeprefix("element"), [note])
    return words.noted(f"{elements} meets a condition", [said, note])
