"""How large a segment is at every threshold, or window length, of one of its conditions, everything else held.

    segment, condition -> asked for (the segment with the condition true, and false; the condition) -> one query -> curve

Whatever stands around a condition, NOT or OR, a contact is a member in one of two ways: the condition holds, and the rest
agrees with that, or it does not hold, and the rest agrees with that. So two counts a value give the size at every threshold.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit import nodes
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.compile import Sql, curves
from segkit.engines import Engine
from segkit.errors import DefinitionError, unknown
from segkit.metrics import label
from segkit.plan import Plan
from segkit.plan.agree import FLIPPED
from segkit.plan.clock import iso_time
from segkit.plan.tree import Comparison, Condition, Constant, FeatureTerm, Term
from segkit.rendering import render
from segkit.segment import Segment
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

Threshold: TypeAlias = int | float | dt.date
COLUMNS = ("threshold", "size", "share", "is_current")
_MOST = 1000
_USUAL = {"minutes": 240, "hours": 168, "days": 365, "weeks": 104, "months": 36, "years": 10}
_ORDERED: dict[str, Any] = {"<": bisect_left, "<=": bisect_right, ">": bisect_right, ">=": bisect_left}


@dataclass(frozen=True)
class Varied:
    """One condition of a segment, and the segment with it true and with it false."""

    segment: Segment
    condition: nodes.Predicate
    holds: Segment
    fails: Segment


@dataclass(frozen=True)
class Steps:
    """A condition at some thresholds, in their order; where a greater one lets more contacts in, it `grows`.

    `told` are the words for the frame. `nth` is set where the condition counts events in a window: it holds when the nth
    newest of them lies in it, or with `reverse` when it does not.
    """

    varied: Varied
    thresholds: tuple[Threshold, ...]
    conditions: tuple[nodes.Predicate, ...]
    current: Threshold
    grows: bool
    told: dict[str, str]
    nth: int | None = None
    reverse: bool = False

    def asked(self) -> list[Segment]:
        """What must be planned: the segment, with the condition true, with it false, and the condition at each threshold."""
        own = self.varied
        return [own.segment, own.holds, own.fails, *(Segment(None, Predicate(each)) for each in self.conditions)]


# ---------------------------------------------------------------- which condition


def of_threshold(segment: Segment, condition: object) -> Varied:
    """A condition of a segment that compares a value with a constant."""
    return _varied(segment, condition, _is_compared, "compares a value with a constant by <, <=, > or >=")


def of_window(segment: Segment, condition: object) -> Varied:
    """A condition of a segment that has a window, or an age."""
    return _varied(segment, condition, lambda node: _length(node) is not None, "has a window whose length can be varied")


def _varied(segment: Segment, condition: object, fits: Callable[[nodes.Predicate], bool], what: str) -> Varied:
    where = segment.definition.where
    leaves = dict(_leaves("where", where))
    match condition:
        case None:
            found = [path for path, node in leaves.items() if fits(node)]
        case str():
            path = condition.removeprefix("$.")
            if path not in leaves:
                raise unknown("condition", condition, leaves)
            found = [path]
        case Predicate(node=wanted):
            found = [path for path, node in leaves.items() if node == wanted]
        case _:
            raise DefinitionError(
                f"{condition!r:.60} is no condition", fix="name it by its path, such as 'where.items[0]', or give the condition"
            )
    if len(found) != 1:
        listed = "; ".join(f"{path}: {spell(leaves[path])}"[:120] for path in (found or leaves))
        number = "no condition" if not found else f"{len(found)} conditions"
        told = what if condition is None else f"{'is' if not found else 'are'} {condition!r:.80}"
        raise DefinitionError(f"{number} of the segment {told}", fix=f"name one by its path: {listed:.400}")
    node = leaves[found[0]]
    if not fits(node):
        raise _refused(node, what)
    yes, no = nodes.Everyone(), nodes.Not(nodes.Everyone())
    holds, fails = (Segment(None, Predicate(_replaced(where, "where", found[0], truth))) for truth in (yes, no))
    return Varied(segment, node, holds, fails)


def _leaves(path: str, node: nodes.Predicate) -> Iterator[tuple[str, nodes.Predicate]]:
    """The conditions of a tree that are no groups, by their paths."""
    match node:
        case nodes.And(items) | nodes.Or(items):
            for i, item in enumerate(items):
                yield from _leaves(f"{path}.items[{i}]", item)
        case nodes.Not(item):
            yield from _leaves(f"{path}.item", item)
        case _:
            yield path, node


def _replaced(node: nodes.Predicate, path: str, wanted: str, other: nodes.Predicate) -> nodes.Predicate:
    """The tree with another predicate in the place of the condition of a path."""
    match node:
        case nodes.And(items) | nodes.Or(items):
            return type(node)(tuple(_replaced(item, f"{path}.items[{i}]", wanted, other) for i, item in enumerate(items)))
        case nodes.Not(item):
            return nodes.Not(_replaced(item, f"{path}.item", wanted, other))
        case _:
            return other if path == wanted else node


def _refused(node: nodes.Predicate, what: str) -> DefinitionError:
    fix = "choose a condition that does: sums, averages and distinct counts may fall as a window grows, and so are no curve"
    return DefinitionError(f"{spell(node):.160} is no condition that {what}", fix=fix if "window" in what else "choose another")


# ---------------------------------------------------------------- thresholds of a value


def _is_compared(node: nodes.Predicate) -> bool:
    return isinstance(node, nodes.Compare) and node.op != "==" and _is_constant(node.left) != _is_constant(node.right)


def _is_constant(value: nodes.Value) -> bool:
    return isinstance(value, nodes.Literal | nodes.Duration | nodes.Rate)


def _sides(node: nodes.Predicate) -> tuple[nodes.Value, nodes.Ordering, nodes.Value]:
    """A comparison with its constant on the right."""
    assert isinstance(node, nodes.Compare)
    return (node.right, FLIPPED[node.op], node.left) if _is_constant(node.left) else (node.left, node.op, node.right)


def asked(varied: Varied) -> list[Segment]:
    """What must be planned for the thresholds of a value: the segment, with the condition true, with it false, the condition."""
    return [varied.segment, varied.holds, varied.fails, Segment(None, Predicate(varied.condition))]


def every_threshold(engine: Engine, varied: Varied, plans: Sequence[Plan]) -> pd.DataFrame:
    """The size at each value that there is, at the current threshold, and at one beyond, where the curve ends.

    Raises:
        DefinitionError: the values are no numbers and no dates.
    """
    _, holds, fails, own = plans
    _, op, _ = _sides(varied.condition)
    term, constant = _resolved(own.where, op, varied.condition)
    answer = _asked(engine, curves.over_values([holds, fails], own, term))
    known = answer[answer["is_missing"] == 0]
    current = _current(constant, [_read(own, term.kind) for own in known["value"]])
    rows = sorted(
        (_read(at, term.kind), int(yes), int(no))
        for at, yes, no in zip(known["value"], known["size_0"], known["size_1"], strict=True)
    )
    values = [row[0] for row in rows]
    within = [0, *accumulate(row[1] for row in rows)]
    without = [0, *accumulate(row[2] for row in rows)]
    everywhere = int(answer["size_1"].sum())
    is_above = op in (">", ">=")

    def size(threshold: Threshold) -> int:
        i = _ORDERED[op](values, threshold)
        yes, no = (within[-1] - within[i], without[-1] - without[i]) if is_above else (within[i], without[i])
        return int(yes + everywhere - no)

    ends = [_beyond(values, op)] if values else []
    thresholds = sorted({*values, current, *ends})
    sizes = [size(threshold) for threshold in thresholds]
    frame = _frame(thresholds, sizes, int(answer["everyone"].sum()), current)
    frame.attrs.update(_told(varied), segment=label(plans[0]))
    return frame


def _told(varied: Varied, unit: str = "") -> dict[str, str]:
    """What a curve is of: the condition, what of it varies, in which unit, and how it is compared."""
    if unit:
        return {"condition": spell(varied.condition), "varies": "length of the window", "unit": unit, "op": ""}
    value, op, _ = _sides(varied.condition)
    return {"condition": spell(varied.condition), "varies": f"{spell(value)} {op}", "unit": "", "op": op}


def _resolved(where: Condition, op: str, node: nodes.Predicate) -> tuple[Term, Constant]:
    """The term and the constant of a comparison, where its values can be listed and told apart."""
    assert isinstance(where, Comparison)
    term, constant, found = where.left, where.right, where.op
    if isinstance(term, Constant):
        term, constant, found = where.right, where.left, FLIPPED[where.op]
    is_listed = term.kind.is_number or (term.kind is Kind.DATE and found == op)
    if not is_listed or not isinstance(constant, Constant):
        raise DefinitionError(
            f"{spell(node):.160} compares {term.kind}, whose values are not listed",
            fix="give the thresholds: values=[...]; or vary a window such as .older_than(days=30) with ws.windows",
        )
    return term, constant


def _read(value: Any, kind: Kind) -> Threshold:
    if kind is Kind.DATE:
        return dt.date.fromisoformat(str(value)[:10])
    return int(value) if kind is Kind.INTEGER else float(value)


def _current(constant: Constant, values: list[Threshold]) -> Threshold:
    """The constant as one of the values; a float where they are."""
    value = constant.value
    if isinstance(value, int | dt.date) and not isinstance(value, bool):
        return float(value) if values and isinstance(values[0], float) and isinstance(value, int) else value
    return float(value)


def _beyond(values: list[Threshold], op: str) -> Threshold:
    """A threshold below all values, or above them: the end that the values themselves do not reach."""
    is_below = op in (">", "<=")
    end, sign = (values[0], -1) if is_below else (values[-1], 1)
    if isinstance(end, dt.date):
        return end + sign * dt.timedelta(days=1)
    if isinstance(end, int):
        return end + sign
    near = float(math.floor(end) - 1 if is_below else math.ceil(end) + 1)
    return near if near != end else math.nextafter(end, sign * math.inf)


def at_values(varied: Varied, values: Iterable[Any]) -> Steps:
    """A condition at given thresholds."""
    left, op, right = _sides(varied.condition)
    if not isinstance(right, nodes.Literal):
        raise DefinitionError(f"{spell(right)} is a length, not a value", fix="leave values out, or compare with a number")
    current = _literal(right.value)
    given = {_literal(own): own for own in nodes.checked_list(values, "values")}
    if len(given) > _MOST:
        raise DefinitionError(f"{len(given):,} thresholds", fix=f"give at most {_MOST:,}")
    given.setdefault(current, right.value)
    try:
        ordered = sorted(given)
    except TypeError:
        raise DefinitionError("thresholds of different kinds", fix="give all of them as numbers, as dates or as times") from None
    steps = tuple(nodes.Compare(op, left, nodes.literal(given[own])) for own in ordered)
    return Steps(varied, tuple(ordered), steps, current, op in ("<", "<="), {**_told(varied), "op": ""})


def _literal(given: Any) -> Any:
    """A threshold as it is ordered: ISO text is a time."""
    value = nodes.literal(given).value
    return (iso_time(value) or value) if isinstance(value, str) else value


# ---------------------------------------------------------------- lengths of a window


def at_lengths(varied: Varied, lengths: Iterable[int] | None) -> Steps:
    """A condition with windows of several lengths, in the unit that it is written in; by default every one that is usual.

    Raises:
        DefinitionError: a length is no whole number, or the condition holds whatever the window.
    """
    node = varied.condition
    length = _length(node)
    assert length is not None
    given = range(1, _USUAL[length.unit] + 1) if lengths is None else nodes.checked_list(lengths, "lengths")
    thresholds = sorted({*(nodes.Duration(own, length.unit).amount for own in given), length.amount})
    if len(thresholds) > _MOST:
        raise DefinitionError(f"{len(thresholds):,} lengths of a window", fix=f"give at most {_MOST:,}")
    steps = tuple(_with_length(node, nodes.Duration(own, length.unit)) for own in thresholds)
    own = Steps(varied, tuple(thresholds), steps, length.amount, _grows(node), _told(varied, length.unit))
    if isinstance(node, nodes.Compare) and (counted := _counted(node)) is not None:
        nth, reverse = counted
        return replace(own, nth=nth, reverse=reverse)
    return own


def _length(node: nodes.Predicate) -> nodes.Duration | None:
    """The length of a condition's window or age, None where it has none, or none that only adds or only removes contacts."""
    match node:
        case nodes.During(_, nodes.Last(length) | nodes.Before(length) | nodes.Next(length)):
            return length
        case nodes.Compare():
            left, _, right = _written(node)
            match left, right:
                case nodes.Aggregate("count", nodes.Events(span=nodes.Last(length), then=None)), nodes.Literal():
                    return length if _counted(node) is not None else None
                case _, nodes.Arithmetic("+" | "-", nodes.Today() | nodes.Now(), nodes.Duration() as length):
                    return length if node.op != "==" else None
    return None


def _written(node: nodes.Compare) -> tuple[nodes.Value, nodes.Ordering, nodes.Value]:
    """A comparison with the value on the left, and what it is compared with on the right."""
    is_turned = isinstance(node.left, nodes.Literal) or (isinstance(node.left, nodes.Arithmetic) and _starts_now(node.left))
    return (node.right, FLIPPED[node.op], node.left) if is_turned else (node.left, node.op, node.right)


def _starts_now(node: nodes.Arithmetic) -> bool:
    return isinstance(node.left, nodes.Today | nodes.Now)


def _counted(node: nodes.Compare) -> tuple[int, bool] | None:
    """A count of events as a question about the nth newest of them, and whether it must not lie in the window."""
    left, op, right = _written(node)
    if not isinstance(left, nodes.Aggregate) or not isinstance(right, nodes.Literal) or right.sort != "number":
        return None
    assert isinstance(right.value, int | float) or hasattr(right.value, "as_tuple")
    number: Any = right.value
    match op:
        case ">=" | "<":
            nth, reverse = math.ceil(number), op == "<"
        case ">" | "<=":
            nth, reverse = math.floor(number) + 1, op == "<="
        case "==":
            nth, reverse = (1, True) if number == 0 else (0, False)
    return (nth, reverse) if 1 <= nth < 2**31 else None


def _with_length(node: nodes.Predicate, length: nodes.Duration) -> nodes.Predicate:
    match node:
        case nodes.During(_, (nodes.Last() | nodes.Before() | nodes.Next()) as span):
            return replace(node, span=replace(span, length=length))
        case nodes.Compare(_, left, right):
            return replace(node, left=_side(left, length), right=_side(right, length))
    raise AssertionError("it has no length")


def _side(value: nodes.Value, length: nodes.Duration) -> nodes.Value:
    match value:
        case nodes.Aggregate(_, nodes.Events(span=nodes.Last() as span) as events):
            return replace(value, events=replace(events, span=replace(span, length=length)))
        case nodes.Arithmetic(_, nodes.Today() | nodes.Now(), nodes.Duration()):
            return replace(value, right=length)
        case _:
            return value


def _grows(node: nodes.Predicate) -> bool:
    """Whether a greater length lets more contacts in (of a count: more events)."""
    match node:
        case nodes.During(_, span):
            return not isinstance(span, nodes.Before)
        case nodes.Compare():
            left, op, right = _written(node)
            if isinstance(left, nodes.Aggregate) and isinstance(right, nodes.Literal):
                return True
            assert isinstance(right, nodes.Arithmetic)
            return (op in (">", ">=")) == (right.op == "-")
    raise AssertionError("it has no length")


# ---------------------------------------------------------------- counting


def stepped(engine: Engine, steps: Steps, plans: Sequence[Plan]) -> pd.DataFrame:
    """The size at each threshold of a condition, counted in one query."""
    _, holds, fails, *own = plans
    if steps.nth is None:
        ladder = [plan.where for plan in own]
        features = tuple(dict.fromkeys(feature for plan in own for feature in plan.features))
    else:
        ladder, features = _of_the_newest(steps.nth, own)
    by = replace(own[0], where=ladder[0], features=features)
    ordered = ladder if steps.grows else ladder[::-1]
    answer = _asked(engine, curves.over_ladder([holds, fails], by, ordered))
    yes, no = ([0] * (len(ladder) + 1) for _ in range(2))
    for step, a, b in zip(answer["step"], answer["size_0"], answer["size_1"], strict=True):
        yes[int(step)], no[int(step)] = (int(b), int(a)) if steps.reverse else (int(a), int(b))
    sizes = [sum(yes[: i + 1]) + sum(no[i + 1 :]) for i in range(len(ladder))]
    everyone = int(answer["everyone"].sum())
    frame = _frame(list(steps.thresholds), sizes if steps.grows else sizes[::-1], everyone, steps.current)
    frame.attrs.update(steps.told, segment=label(plans[0]))
    return frame


def _of_the_newest(nth: int, plans: Sequence[Plan]) -> tuple[list[Condition], tuple[Any, ...]]:
    """Counts of events in windows as one question: whether the nth newest event lies in them."""
    windows = [plan.features[0] for plan in plans]
    widest = min(windows, key=lambda own: own.bounds.low)  # type: ignore[arg-type,return-value]
    newest = replace(widest, measure="last", nth=nth)
    term = FeatureTerm(newest, newest.time.kind, newest.time.clock)
    ladder: list[Condition] = []
    for own in windows:
        low = own.bounds.low
        assert low is not None
        kind = Kind.TIMESTAMPTZ if isinstance(low, dt.datetime) else Kind.DATE
        ladder.append(Comparison(">=" if own.bounds.low_in else ">", term, Constant(low, kind)))
    return ladder, (newest,)


def _asked(engine: Engine, query: Sql) -> pd.DataFrame:
    return engine.frame(render(query, engine.renders_as))


def _frame(thresholds: Sequence[Threshold], sizes: Sequence[int], everyone: int, current: Threshold) -> pd.DataFrame:
    import pandas as pd

    shares = [size / everyone if everyone else float("nan") for size in sizes]
    own: Any = pd.Series(list(thresholds))
    if any(isinstance(threshold, dt.date) for threshold in thresholds):
        own = pd.to_datetime(own).dt.as_unit("us")
    is_current = [threshold == current for threshold in thresholds]
    rows = {"threshold": own, "size": sizes, "share": shares, "is_current": is_current}
    return pd.DataFrame(rows, columns=list(COLUMNS))
