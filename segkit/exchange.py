"""Segments handed to and taken from other query builders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segkit import json_logic, nodes, react_querybuilder
from segkit.builder import Predicate
from segkit.documents import parsed
from segkit.segment import Segment, as_predicate


def from_react_querybuilder(
    rules: Mapping[str, Any] | str | bytes, *, name: str | None = None, fields: Sequence[Mapping[str, Any]] = ()
) -> Segment:
    """A segment out of a query of react-querybuilder; see docs/other_builders.md for what each rule means.

    Args:
        rules: the query, `{"combinator": "and", "rules": [...]}`, or its JSON text; also one with combinators between rules.
        name: what to call the segment.
        fields: the builder's list of fields. With it, digits in quotes are numbers exactly where a field's `inputType` or
            `datatype` is one; without it, only beside `<`, `<=`, `>`, `>=`, `between`. Times relative to now need it.

    Raises:
        DefinitionError: a rule that is unfinished or has no meaning here, with its path.

    >>> from_react_querybuilder({"combinator": "and", "rules": [
    ...     {"field": "country", "operator": "=", "value": "USA"},
    ...     {"field": "opens", "operator": ">", "value": "5"}]})
    Segment(None, (F.country == 'USA') & (F.opens > 5))
    """
    document = parsed(rules) if isinstance(rules, str | bytes) else rules
    return Segment(name, Predicate(react_querybuilder.read(document, fields)))


def to_react_querybuilder(where: Predicate | Segment) -> dict[str, Any]:
    """The query of react-querybuilder that `from_react_querybuilder` reads back with the same meaning.

    Args:
        where: a predicate or a segment.

    Raises:
        DefinitionError: a part that it has no words for, such as events, lists or calculated values.

    >>> from segkit import F
    >>> to_react_querybuilder(F.country != "USA")
    {'combinator': 'and', 'rules': [{'field': 'country', 'operator': '!=', 'value': 'USA'}]}
    """
    return react_querybuilder.written(_node(where))


def to_json_logic(where: Predicate | Segment) -> dict[str, Any]:
    """The rule of JsonLogic that holds for the same contacts, given as JSON objects with null or nothing for missing.

    Args:
        where: a predicate or a segment.

    Raises:
        DefinitionError: a part that it has no words for, such as dates, events or lists.

    >>> from segkit import F
    >>> to_json_logic(F.opens < 5)
    {'and': [{'!==': [{'var': 'opens'}, None]}, {'<': [{'var': 'opens'}, 5]}]}
    """
    return json_logic.written(_node(where))


def _node(where: Predicate | Segment) -> nodes.Predicate:
    return as_predicate(where).node
