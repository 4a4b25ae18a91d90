"""Rules on the elements of a list, both ways: `match` says how many of them meet the rules that stand in the value's place.

A rule in there without a field's name is about the element itself, any other about a key of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

from segkit import nodes
from segkit.documents import at, only_keys
from segkit.errors import DefinitionError, unknown

Document: TypeAlias = dict[str, Any]

ELEMENT = "element"
"""The field that is the element itself, which the form calls by no name."""
_PLAIN = ("all", "none", "some")
_ORDERS: dict[str, nodes.Ordering] = {"atLeast": ">=", "atMost": "<=", "exactly": "=="}
_MODES = {mode.lower(): mode for mode in (*_PLAIN, *_ORDERS)}
_WORDS = {order: mode for mode, order in _ORDERS.items()}


# ---------------------------------------------------------------- reading


def compared(match: Any, own: nodes.Elements) -> nodes.Predicate:
    """What `match` says of a number of elements."""
    if not isinstance(match, Mapping):
        raise DefinitionError(f"expected an object, found {match!r:.60}", fix='write {"mode": "some"}')
    only_keys(match, ("mode", "threshold"))
    mode = at(".mode", partial(_mode, match.get("mode")))
    everyone = replace(own, where=None)
    match mode:
        case "all":
            return nodes.Compare("==", own, everyone)
        case "none":
            return nodes.Compare("==", own, nodes.literal(0))
        case "some":
            return nodes.Compare(">=", own, nodes.literal(1))
    threshold = at(".threshold", partial(_threshold, match.get("threshold")))
    share = nodes.Arithmetic("/", own, everyone)
    return nodes.Compare(_ORDERS[mode], share if _is_share(threshold) else own, nodes.literal(threshold))


def _mode(word: Any) -> str:
    if not isinstance(word, str) or word.lower() not in _MODES:
        raise unknown("mode", str(word)[:60], _MODES.values())
    return _MODES[word.lower()]


def _threshold(number: Any) -> int | float | Decimal:
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or not 0 <= number < 2**53:
        raise DefinitionError(
            f"{number!r:.60} elements", fix="write a number from 0; one between 0 and 1 is a share of the elements"
        )
    return number


def _is_share(threshold: Any) -> bool:
    return bool(0 < threshold < 1)


def of_elements(item: Any) -> Any:
    """A rule or group on elements with a name for the element itself."""
    return _renamed(item, _named)


def _named(name: Any) -> Any:
    if name == ELEMENT:
        raise DefinitionError(f"a key called {ELEMENT}", where=".field", fix="segkit calls the element itself so: rename the key")
    return ELEMENT if name == "" else name


def _renamed(item: Any, name: Callable[[Any], Any]) -> Any:
    if not isinstance(item, Mapping):
        return item
    if isinstance(item.get("rules"), list | tuple):
        rules = [at(f".rules[{i}]", partial(_renamed, rule, name)) for i, rule in enumerate(item["rules"])]
        return {**item, "rules": rules}
    if item.get("match"):
        raise DefinitionError("elements of elements", where=".match", fix="ask about the elements of one list")
    if item.get("valueSource") == "field" and {"", ELEMENT} & _fields(item.get("value")):
        fix = "put the element itself first: field and value may change places"
        raise DefinitionError("a key beside the element itself", where=".value", fix=fix)
    return {**item, "field": name(item["field"])} if "field" in item else item


def _fields(value: Any) -> set[Any]:
    """The fields that a rule compares with."""
    several = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return {one.strip() for one in several if isinstance(one, str)}


# ---------------------------------------------------------------- writing


def matched(node: nodes.Compare) -> tuple[nodes.Elements, Document] | None:
    """The elements that a comparison counts and what it says of their number, None where the form has no mode for that."""
    match node:
        case nodes.Compare("==", nodes.Elements() as own, nodes.Elements() as others) if others == replace(own, where=None):
            return own, {"mode": "all"}
        case nodes.Compare("==", nodes.Elements() as own, nodes.Literal(0, "number")):
            return own, {"mode": "none"}
        case nodes.Compare(">=", nodes.Elements() as own, nodes.Literal(1, "number")):
            return own, {"mode": "some"}
        case nodes.Compare(op, nodes.Elements() as own, nodes.Literal(number, "number")) if op in _WORDS:
            return (own, _so_many(op, number)) if not _is_share(number) and number >= 0 else None  # type: ignore[operator]
        case nodes.Compare(op, nodes.Arithmetic("/", nodes.Elements() as own, others), nodes.Literal(number, "number")) if (
            op in _WORDS and others == replace(own, where=None)
        ):
            return (own, _so_many(op, number)) if _is_share(number) else None
    return None


def _so_many(op: nodes.Ordering, number: nodes.Scalar) -> Document:
    return {"mode": _WORDS[op], "threshold": number}


def without_name(item: Document) -> Document:
    """A written rule or group on elements, the element itself called by no name."""
    renamed: Document = _renamed(item, lambda name: "" if name == ELEMENT else name)
    return renamed
