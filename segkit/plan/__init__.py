"""From a definition to what it means here and now: names looked up, kinds checked, dates folded, features collected.

    nodes + Catalog + as_of  ->  plan  ->  Plan  ->  evaluate | compile

`tree` is the resolved form, `clock` folds time, `scope` looks names up, `agree` reconciles kinds; `resolve` walks
conditions, `terms` values and `streams` events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from segkit import nodes
from segkit.catalog import Catalog
from segkit.errors import DefinitionError
from segkit.plan import clock
from segkit.plan.clock import moment
from segkit.plan.resolve import condition
from segkit.plan.rules import refuse_other, rule_of
from segkit.plan.scope import outermost
from segkit.plan.tree import Bounds, Condition, Feature, Moment, Part, Spanned
from segkit.spelling import spell

__all__ = ["Moment", "Plan", "evergreen", "is_evergreen", "moment", "plan", "plan_at_each"]


_OTHER_TIMES = ((-97, 3), (211, 7), (1105, 22))
"""How many days and hours from the moment a plan is looked at again: all parts of a date and a time differ."""


@dataclass(frozen=True)
class Plan:
    """A definition resolved against a catalog at a moment.

    `features` are its distinct aggregates over events, `parts` the ranks and segments it refers to, each after those it
    needs; `lists` are its static lists, `fields` the contact columns it reads, `spans` the bounds of its relative dates,
    `warnings` what the analyst should look at twice.
    """

    definition: nodes.Definition
    where: Condition
    catalog: Catalog
    at: Moment
    features: tuple[Feature, ...]
    parts: tuple[Part, ...]
    lists: tuple[str, ...]
    fields: tuple[str, ...]
    spans: tuple[tuple[Spanned, Bounds], ...]
    warnings: tuple[str, ...]

    @property
    def windows(self) -> dict[str, str]:
        """The bounds of its relative dates in words."""
        return {spell(node): clock.told(bounds) for node, bounds in self.spans}


def evergreen(
    definition: nodes.Definition, catalog: Catalog, at: Moment, segments: Mapping[str, nodes.Predicate] | None = None
) -> Plan:
    """Resolves a definition so that its dates know how they are reckoned from the instant of an evaluation.

    The arguments are those of `plan`; it means the same at `at`.

    Raises:
        DefinitionError: a name or kind does not fit, or a condition follows the clock in a way that no rule says.
    """
    own = plan(definition, catalog, clock.evergreen(at), segments)
    for days, hours in _OTHER_TIMES:
        other = Moment(at.as_of + dt.timedelta(days=days, hours=hours), at.zone)
        again = plan(definition, catalog, clock.evergreen(other), segments)
        refuse_other((own.where, own.features, own.parts), (again.where, again.features, again.parts))
    return own


def is_evergreen(own: Plan) -> bool:
    """Whether the dates of a plan know how they are reckoned."""
    return rule_of(own.at.as_of) is not None


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
    return _planned(definition, nodes.check_limits(definition.where), catalog, at, segments or {})


def plan_at_each(
    definition: nodes.Definition,
    catalog: Catalog,
    moments: Iterable[Moment],
    segments: Mapping[str, nodes.Predicate] | None = None,
) -> list[Plan]:
    """Resolves a definition at each of some moments: `plan`, whose limits are looked at once."""
    depth = nodes.check_limits(definition.where)
    return [_planned(definition, depth, catalog, at, segments or {}) for at in moments]


def _planned(
    definition: nodes.Definition, depth: int, catalog: Catalog, at: Moment, segments: Mapping[str, nodes.Predicate]
) -> Plan:
    scope = outermost(catalog, at, segments, condition)
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
        tuple(found.spans),
        tuple(found.warnings),
    )
