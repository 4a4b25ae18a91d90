"""What stands above a query: who made it, what its segments mean, as of when, and how far its dialect is verified.

A query that is only shown and one that is written to a warehouse say the same.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from segkit import codec, nodes
from segkit.describe import describe
from segkit.plan import Plan, is_evergreen
from segkit.spelling import spell
from segkit.version import VERSION

__all__ = ["MADE_BY", "above", "mark", "told"]

MADE_BY = "Made by segkit"
_WIDTH = 110
_LONGEST = 300


def above(plans: Sequence[Plan], names: Iterable[str | None], known: Mapping[str, nodes.Predicate], dialect: str) -> list[str]:
    """The lines of comment above a query of some plans of one catalog and moment.

    Args:
        plans: of the segments.
        names: what the query calls them; None for one without a name.
        known: the segments that they may refer to.
        dialect: the dialect of the query.
    """
    from segkit import rendering  # sqlglot is heavy: it is loaded when SQL is asked for

    lines = [mark(plans)]
    for own, name in zip(plans, names, strict=True):
        lines += [] if name is None else [f"Segment: {name}"]
        lines += [f"Notes: {own.definition.notes}"] if own.definition.notes else []
        lines += textwrap.wrap(told(own, known), _WIDTH)
    windows = {window: bounds for own in plans for window, bounds in own.windows.items()}
    lines += [*_circumstances(plans[0], windows), f"Dialect {dialect}: {rendering.level(dialect)}"]
    return _comments(lines)


def told(own: Plan, known: Mapping[str, nodes.Predicate]) -> str:
    """A definition in words; in an evergreen one dates are not resolved, so that it is told in Python."""
    if is_evergreen(own):
        return f"Definition: {spell(own.definition.where)}"
    return describe(own.definition.where, own.catalog, own.at, known)


def mark(plans: Sequence[Plan]) -> str:
    """What says that segkit made something, and of which definitions."""
    prints = ", ".join(codec.fingerprint(own.definition) for own in plans[:20])
    more = f" and {len(plans) - 20} more" if len(plans) > 20 else ""
    return f"{MADE_BY} {VERSION}, definition{'s' if len(plans) > 1 else ''} {prints}{more}"


def _circumstances(own: Plan, windows: Mapping[str, str]) -> list[str]:
    """What a query takes for granted: its instant and windows, or its clock; its tables, where they are assumed."""
    at, catalog = own.at, own.catalog
    if is_evergreen(own):
        lines = [f"Evergreen: as of the warehouse's clock, local dates in {at.zone}"]
    else:
        lines = [f"As of {at.as_of.replace(tzinfo=None).isoformat(' ')} UTC, local dates in {at.zone}"]
        lines += [f"{window}: {bounds}" for window, bounds in windows.items()]
    if catalog.assumed:
        tables = ", ".join(
            [catalog.contacts.table, *(t.table for t in catalog.events), *([catalog.lists.table] if catalog.lists else [])]
        )
        lines.append(f"Assumed: tables {tables}; fields are columns, kinds by use; event ids are unique")
    if frozen := [name for name in own.lists if name in catalog.frozen_names()]:
        lines.append(f"Frozen lists, in a temporary table of this connection: {', '.join(frozen)}")
    return lines


def _comments(lines: Iterable[str]) -> list[str]:
    """Lines of a comment in SQL: no text of an analyst's ends one, or is read by a tool that fills in variables."""
    return ["-- " + re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", line).replace("${", "$ {")[:_LONGEST] for line in lines]
