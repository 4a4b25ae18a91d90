"""From a definition to what it means here and now: names looked up, kinds checked, dates folded, features collected.

    nodes + Catalog + as_of  ->  plan  ->  Plan  ->  evaluate | compile

`tree` is the resolved form, `clock` folds time, `scope` looks names up, `agree` reconciles kinds; `resolve` walks
conditions, `terms` values and `streams` events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segkit import nodes
from segkit.catalog import Catalog
from segkit.errors import DefinitionError
from segkit.plan.clock import moment
from segkit.plan.resolve import condition
from segkit.plan.scope import outermost
from segkit.plan.tree import Condition, Feature, Moment, Part

__all__ = ["Moment", "Plan", "moment", "plan"]


@dataclass(frozen=True)
class Plan:
    """A definition resolved against a catalog at a moment.

    `features` are its distinct aggregates over events, `parts` the ranks and segments it refers to, each after those it
    needs; `lists` are its static lists, `fields` the contact columns it reads, `windows` the bounds of its relative dates in
    words, `warnings` what the analyst should look at twice.
    """

    definition: nodes.Definition
    where: Condition
    catalog: Catalog
    at: Moment
    features: tuple[Feature, ...]
    parts: tuple[Part, ...]
    lists: tuple[str, ...]
    fields: tuple[str, ...]
    windows: Mapping[str, str]
    warnings: tuple[str, ...]


def plan(
    definition: nodes.Definition,
    catalog: Catalog,
    at: Moment,
    segments: Mapping[str, nodes.Predicate] | None = None,
) -> Plan:
    """Resolves a definition.

    Args:
        definition: what to resolve.
        catalog: the tables and fields it may name.
        at: the instant and zone of the evaluation.
        segments: the other segments it may refer to, by name.

    Raises:
        DefinitionError: for a name that does not exist, kinds that do not fit, a circle of references.
    """
    depth = nodes.check_limits(definition.where)
    scope = outermost(catalog, at, segments or {}, condition)
    if definition.name is not None:
        scope = scope.below(definition.name, depth)
    try:
        where = condition(definition.where, scope)
    except DefinitionError as error:
        error.under("$.where")
        if definition.name:
            error.where += f" of segment {definition.name:.80}"
        raise
    found = scope.found
    return Plan(
        definition,
        where,
        catalog,
        at,
        tuple(found.features),
        tuple(found.parts),
        tuple(found.lists),
        tuple(found.fields),
        found.windows,
        tuple(found.warnings),
    )
