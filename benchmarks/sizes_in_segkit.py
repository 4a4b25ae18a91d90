"""The sizes benchmark in segkit."""

from __future__ import annotations

import operator
import time
from functools import reduce
from itertools import pairwise
from statistics import median

from marketing import AS_OF, BY_NAME, Feature, Group, Has, Not, Rule, segments

from segkit import E, F, Segment, Workspace, compile
from segkit.builder import Predicate, Value
from segkit.plan import moment, plan
from segkit.rendering import render

_COMPARE = {"==": operator.eq, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def segkit_segments() -> list[Segment]:
    """The fifty segments as an analyst would define them."""
    return [Segment(name, predicate(rule)) for name, rule in segments().items()]


def predicate(rule: Rule) -> Predicate:
    """A rule in segkit."""
    match rule:
        case Has(what, "older", days):
            return _value(what).older_than(days=int(days))
        case Has(what, op, value):
            return _COMPARE[op](_value(what), value)
        case Group(how, rules):
            return reduce(operator.and_ if how == "all" else operator.or_, map(predicate, rules))
        case Not(inner):
            return ~predicate(inner)


def _value(what: str) -> Value:
    return _aggregate(BY_NAME[what]) if what in BY_NAME else F[what]


def _aggregate(feature: Feature) -> Value:
    stream = E[feature.event] if feature.days is None else E[feature.event].within(days=feature.days)
    return stream.sum("amount") if feature.measure == "sum" else getattr(stream, feature.measure)()


def stages(ws: Workspace, rounds: int) -> str:
    """Where the time of `ws.sizes` goes, stage by stage (wall, medians)."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, seconds in _staged(ws).items():
            times.setdefault(name, []).append(seconds * 1000)
    return ", ".join(f"{name} {median(ms):.1f} ms" for name, ms in times.items())


def _staged(ws: Workspace) -> dict[str, float]:
    own = segkit_segments()
    marks = [time.perf_counter()]
    plans = [plan(segment.definition, ws.catalog, moment(AS_OF, "UTC")) for segment in own]
    marks.append(time.perf_counter())
    tree = compile.sizes(plans)
    marks.append(time.perf_counter())
    text = render(tree, ws.engine.dialect)
    marks.append(time.perf_counter())
    ws.engine.frame(text)
    marks.append(time.perf_counter())
    return dict(zip(("plan", "compile", "render", "run"), (b - a for a, b in pairwise(marks)), strict=True))
