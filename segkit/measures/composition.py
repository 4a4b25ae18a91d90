"""What segments consist of: their members by the values of a field, as a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.catalog import Kind
from segkit.compile import extent
from segkit.compile.groups import groups
from segkit.display import distinct
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.metrics import label
from segkit.plan import Plan
from segkit.plan.tree import IsMissing, JsonTerm, Term
from segkit.rendering import render

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("segment", "value", "size", "share", "part")
MOST = 1000


def composition(engine: Engine, plans: Sequence[Plan], by: Plan, top: int) -> pd.DataFrame:
    """The members of each plan by the values of a term, counted in one query.

    Args:
        engine: where to ask.
        plans: the segments.
        by: a plan whose condition is that the term is missing.
        top: how many values to tell apart: those that most members have; the rest is `other`.

    Returns:
        segment, value, size, share (of the members, 0 to 1), part (`value`, `other` or `missing`): the same rows for each
        segment, in the given order.

    Raises:
        DefinitionError: the term has no values to group by, or there are too many segments for one query.
    """
    import pandas as pd

    if not plans:
        return pd.DataFrame({name: pd.Series([], dtype=object) for name in COLUMNS})
    term = _grouped_by(by)
    query = groups(plans, by, term, top)
    if not engine.limits.allow(*extent(query)):
        raise DefinitionError(f"{len(plans)} segments are too many for one query", fix="ask for fewer of them at a time")
    answer = engine.frame(render(query, engine.renders_as))
    answer = answer.head(top + int(answer["is_missing"].sum()))
    labels = distinct(label(plan) for plan in plans)
    rows = [row for i, name in enumerate(labels) for row in _rows(name, i, answer, term.kind, len(plans))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def checked_top(top: object) -> int:
    """`top` if it is a number of values to tell apart."""
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MOST:
        raise DefinitionError(f"top must be a whole number from 1 to {MOST:,}, not {top!r:.40}", fix="write top=10")
    return top


def _grouped_by(by: Plan) -> Term:
    assert isinstance(by.where, IsMissing)
    term = by.where.term
    if isinstance(term, JsonTerm):
        return replace(term, kind=Kind.TEXT)
    if term.kind is Kind.JSON:
        raise DefinitionError("JSON has no values to group by", fix="name a path into it, such as F.props.json('plan')")
    return term


def _rows(name: str, i: int, answer: pd.DataFrame, kind: Kind, plans: int) -> list[tuple[str, str, int, float, str]]:
    """The rows of one segment: its values, then the rest and the missing where any segment has some."""
    found = answer[answer[[f"size_{j}" for j in range(plans)]].sum(axis=1) > 0]
    valued, missing = found[found["is_missing"] == 0], found[found["is_missing"] == 1]
    parts = [(_worded(value, kind), int(size), "value") for value, size in zip(valued["value"], valued[f"size_{i}"], strict=True)]
    totals = [int(answer[f"total_{j}"].iloc[0]) if len(answer) else 0 for j in range(plans)]
    others = [totals[j] - int(found[f"size_{j}"].sum()) for j in range(plans)]
    if any(others):
        parts.append(("other", others[i], "other"))
    if len(missing):
        parts.append(("missing", int(missing[f"size_{i}"].iloc[0]), "missing"))
    total = totals[i]
    return [(name, value, size, size / total if total else float("nan"), part) for value, size, part in parts]


def _worded(value: Any, kind: Kind) -> str:
    """A value of a kind as text, whatever the frame has made of it."""
    if kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if kind is Kind.DATE:
        return str(value)[:10]
    if kind.is_number and float(value).is_integer():
        return str(int(value))
    return str(value)
