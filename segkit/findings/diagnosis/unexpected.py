"""Members that one did not expect: missing values, dates that mean midnight, AND and OR, events that never were."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from segkit import nodes
from segkit.display import number, percent
from segkit.findings.diagnosis import asking
from segkit.findings.diagnosis.case import Case, contacts
from segkit.findings.diagnosis.spots import Spot, all_sided, is_half_of_a_range, is_time, named, pinned, walk
from segkit.findings.finding import Finding, Severity
from segkit.plan.clock import today
from segkit.plan.course import without_history
from segkit.plan.tree import Among, ColumnTerm, Comparison, Constant, FeatureTerm, IsMissing, PastColumn, Term
from segkit.spelling import spell

_FEW = 0.01
_MANY = 0.2
_RECENT = 400
_RELATIVE = re.compile(
    r"\b(last|lately|past|recent\w*|latest|current\w*|this|rolling|active|inactive|lapsed|new|newcomers?|today|yesterday)\b", re.I
)


def findings(case: Case) -> Iterator[Finding]:
    if not case.is_present and (names := without_history(case.plan)):
        what = "fields without history are read as they are today, not as they were"
        evidence = f"no history of {', '.join(names):.200}; as of {case.shown(case.plan.at.as_of)}"
        fix = "declare their history in the catalog, or ask about events"
        yield case.found(case.root, "values of today", Severity.ADVICE, what, evidence, fix)
    for spot in walk(case.root):
        if spot.place.below:
            yield from _brackets(case, spot)
            continue
        if spot.negated:
            yield from _let_in(case, spot)
        yield from _midnight(case, spot)
        yield from _pinned(case, spot)
        yield from _never_did(case, spot)


def _let_in(case: Case, spot: Spot) -> Iterator[Finding]:
    """Members without a value, whom a NOT lets in."""
    if isinstance(spot.condition, IsMissing):
        return
    later = asking.beyond(spot)
    for term in asking.terms(spot.condition):
        if term in case.asked_for_missing or case.seen.count(IsMissing(term)) == case.everyone:
            continue
        lacking = case.seen.size(case.member & case.seen.meets(IsMissing(term)))
        ahead = case.seen.size(case.member & case.seen.meets(later)) if later is not None else 0
        extra = lacking + (ahead if isinstance(spot.node, nodes.During) else 0)
        if not extra:
            continue
        severity = Severity.WARNING if extra >= _FEW * case.size else Severity.ADVICE
        evidence = f"{number(lacking)} of {number(case.size)} members have none ({percent(lacking / case.size)})"
        if isinstance(spot.node, nodes.During):
            evidence += f", {number(ahead)} one after the window" if ahead else ""
            what = f"NOT a window lets in those without any {named(term)}" + (", and later ones" if ahead else "")
            fix = f"use .older_than(...), or {_known(term)}"
            yield case.found(spot, "complement of window", severity, what, evidence, fix)
        else:
            what = f"{_said_not(spot)} lets in those whose {named(term)} is missing"
            fix = _known(term)
            yield case.found(spot, "missing let in", severity, what, evidence, fix)


def _said_not(spot: Spot) -> str:
    """How the definition says NOT at this place."""
    match spot.node:
        case nodes.Compare("==") if spot.place.negated:
            return "!="
        case _:
            return "NOT"


def _known(term: Term) -> str:
    """What to add to a condition so that it says what is meant of missing values."""
    own = spell(nodes.Field(named(term))) if isinstance(term, ColumnTerm | PastColumn) else "(...)"
    return f"add & ~{own}.is_missing(); if they are meant, add | {own}.is_missing() to say so"


def _midnight(case: Case, spot: Spot) -> Iterator[Finding]:
    """An instant up to a day, which ends as the day begins."""
    if (both := asking.until_midnight(spot, case.plan)) is None:
        return
    own, whole = both
    on_the_day = case.seen.size(case.seen.meets(whole) & ~case.seen.meets(spot.condition))
    if not on_the_day and isinstance(spot.node, nodes.Compare) and nodes.Today() in (spot.node.left, spot.node.right):
        return
    day = today(case.plan.at) if pinned(spot.node) is None else pinned(spot.node)
    assert day is not None
    what = f"{named(own.term)} <= {day.isoformat()} ends at the midnight with which that day begins"
    evidence = f"up to {case.shown(own.constant.value)}; {contacts(on_the_day)} later on that day"
    fix = f"write < '{(day + dt.timedelta(days=1)).isoformat()}' for the whole day"
    yield case.found(spot, "midnight", Severity.WARNING if on_the_day else Severity.ADVICE, what, evidence, fix)


def _pinned(case: Case, spot: Spot) -> Iterator[Finding]:
    """A date that does not move, in a segment that speaks of the time up to now."""
    day = pinned(spot.node)
    sides = all_sided(spot.condition)
    if day is None or len(sides) != 1 or not is_time(sides[0].term) or sides[0].op == "==" or is_half_of_a_range(spot):
        return
    own = case.plan.definition
    said = _RELATIVE.search(f"{own.name or ''} {own.notes}")
    plain = day.date() if isinstance(day, dt.datetime) else day
    ago = (today(case.plan.at) - plain).days
    if not 0 <= ago <= _RECENT:
        return
    severity = Severity.WARNING if said else Severity.ADVICE
    what = f"{plain.isoformat()} stays where it is, while time goes on"
    evidence = f"{ago:,} days before {case.shown(case.plan.at.as_of)}" + (f"; the segment is called {said[0]!r}" if said else "")
    verb = "within" if sides[0].op in (">", ">=") else "older_than"
    yield case.found(
        spot, "pinned date", severity, what, evidence, f"write .{verb}(days={max(ago, 1)}) for a window that moves along"
    )


def _never_did(case: Case, spot: Spot) -> Iterator[Finding]:
    """Fewer than so many events is true of those who have none at all."""
    for own in all_sided(spot.condition):
        term, limit = own.term, own.constant.value
        upward = own.op in (">", ">=")
        if not isinstance(term, FeatureTerm) or term.feature.measure != "count" or own.op == "==" or upward != spot.negated:
            continue
        if not isinstance(limit, int | float) or limit < 1 or (limit == 1 and own.op in ("<", ">=")):
            continue
        never = case.seen.size(case.member & ~case.seen.meets(asking.ever(term.feature, case.plan)))
        if case.size and never >= _MANY * case.size:
            name = term.feature.event or "any"
            what = f"few {name!r} events also means none: those who never had one are members"
            evidence = f"{number(never)} of {number(case.size)} members never had one ({percent(never / case.size)})"
            fix = f"add & (E[{name!r}].count() > 0) if only those are meant who had some"
            yield case.found(spot, "none at all let in", Severity.ADVICE, what, evidence, fix)


def _brackets(case: Case, spot: Spot) -> Iterator[Finding]:
    """x = a OR x = b AND c: the third condition is asked of one of the two only."""
    if not isinstance(spot.node, nodes.Or) or spot.negated:
        return
    plain = {term: own for own in spot.below if (term := _equated(own)) is not None}
    for group in spot.below:
        if not isinstance(group.node, nodes.And) or group.negated:
            continue
        equal = next((own for own in group.below if _equated(own) in plain), None)
        others = [own for own in group.below if equal is None or own.path != equal.path]
        if equal is None or not others:
            continue
        one = plain[_equated(equal)]  # type: ignore[index]
        rest = " & ".join(own.place.text for own in others)
        both = case.seen.holds(one) | case.seen.holds(equal)
        for own in others:
            both = both & case.seen.holds(own)
        size, whole = case.seen.size(case.seen.holds(spot)), case.seen.size(both)
        if size == whole:
            continue
        what = f"AND binds tighter than OR: {one.place.text} holds whether or not {rest:.80}"
        evidence = f"{contacts(size)} as it stands, {number(whole)} if both must meet {rest:.80}"
        fix = f"if both must: ({one.place.text} OR {equal.place.text}) AND {rest:.80}"
        yield case.found(spot, "precedence", Severity.ADVICE, what, evidence, fix)


def _equated(spot: Spot) -> Term | None:
    match spot.condition:
        case Comparison("==", Constant(), term) | Comparison("==", term, Constant()) | Among(term) if not spot.negated:
            return term
        case _:
            return None
