"""A definition in one English paragraph, with its relative dates resolved.

    nodes + Catalog + moment  ->  describe  ->  "Contacts whose country is 'USA' and who opened at least 5 emails ..."

`shape` puts every negation at a single condition, so that what a complement includes is said where it matters, and
shares out the room; `words` are names, values and points of time; `times`, `values`, `frequency` and `conditions` put
one kind of node each into words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from segkit import nodes
from segkit.catalog import Catalog
from segkit.describe import shape, times, words
from segkit.describe.conditions import condition, segment_of, subject
from segkit.describe.values import Telling, formula_of, uncalculated
from segkit.plan import resolve
from segkit.plan.clock import iso_time
from segkit.plan.scope import Scope, outermost
from segkit.plan.tree import Moment

__all__ = ["describe"]

ROOM = 24


def describe(where: nodes.Predicate, catalog: Catalog, at: Moment, segments: Mapping[str, nodes.Predicate] | None = None) -> str:
    """A predicate in one English paragraph.

    Names are not checked: one that the catalog does not know is told as it is written. At most 24 conditions are told
    (and 5 of each segment referred to), and how many are left out.

    Args:
        where: what to describe.
        catalog: the kinds of fields, which decide whether a window is told in dates or in times, and calculated fields.
        at: the instant and zone that relative dates are resolved at, to the second.
        segments: the other segments it may refer to, which are told one level deep.

    Raises:
        DefinitionError: the definition is beyond its limits, or a date out of range.

    >>> from segkit.catalog import ASSUMED
    >>> from segkit.plan import moment
    >>> usa = nodes.Not(nodes.Compare("==", nodes.Field("country"), nodes.literal("USA")))
    >>> describe(usa, ASSUMED, moment("2025-11-30", "UTC"))
    "Contacts whose country is not 'USA' (or is missing)."
    """
    nodes.check_limits(where)
    at = replace(at, as_of=at.as_of.replace(microsecond=0))
    scope = outermost(catalog, at, segments or {}, resolve.condition)
    text = subject(shape.plain(where), Telling(scope, condition, ROOM))
    as_of = f" As of {words.instant(at.as_of, at.zone)} ({at.zone})." if _tells_time(where, scope) else ""
    return f"{text[0].upper()}{text[1:]}.{as_of}"


def _tells_time(where: nodes.Node, scope: Scope) -> bool:
    """Whether what is told depends on the instant or the zone of the evaluation."""
    return any(_is_timely(node, scope) for node in shape.below(where))


def _is_timely(node: nodes.Node, scope: Scope) -> bool:
    match node:
        case nodes.During() | nodes.Aggregate() | nodes.Today() | nodes.Now():
            return True
        case nodes.Word():
            return isinstance(times.meant(node, scope), nodes.Aggregate)
        case nodes.Compare(_, left, right):
            return _is_instant(left) or _is_instant(right)
        case nodes.OneOf(_, options):
            return any(map(_is_instant, options[: words.TOLD_OPTIONS]))
        case nodes.InSegment(name) | nodes.InGroup(name):
            where = segment_of(name, scope)
            return where is not None and _tells_time(where, replace(scope, segments={}))
        case nodes.Field(name):
            own = formula_of(name, scope)
            return isinstance(own, nodes.Node) and _tells_time(own, uncalculated(scope))
        case _:
            return False


def _is_instant(node: nodes.Value) -> bool:
    match node:
        case nodes.Literal(str() as text):
            return isinstance(iso_time(text), dt.datetime)
        case nodes.Literal(_, sort):
            return sort == "timestamp"
        case _:
            return False
