"""Conditions that nobody meets, or everybody: why, in the order in which one would look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from segkit import nodes
from segkit.display import number, percent
from segkit.findings.diagnosis import asking
from segkit.findings.diagnosis.case import Case, contacts, of
from segkit.findings.diagnosis.events import events, stale_field
from segkit.findings.diagnosis.spots import Sided, Spot, all_sided, is_half_of_a_range, is_time, named, pinned
from segkit.findings.diagnosis.texts import options
from segkit.findings.finding import Finding, Severity
from segkit.plan.clock import today
from segkit.plan.tree import (
    Always,
    Among,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    OnList,
    PartOf,
    PastColumn,
    Reference,
)

_PARTS = {"month": (1, 12), "day": (1, 31), "weekday": (1, 7), "quarter": (1, 4), "week": (1, 53), "hour": (0, 23)}
_CENTURY = 1900
_BESIDES = ("future data", "look-alikes")
"""Kinds that explain nothing: what else is wrong with a condition is told, too."""
_ADVISED, _WARNED = 0.5, 0.9


def findings(case: Case) -> Iterator[Finding]:
    for spot in case.leaves:
        for causes in (events, stale_field, _impossible, _never_filled, options, _whole):
            found = list(causes(case, spot))
            yield from found
            if any(own.kind not in _BESIDES and own.severity > Severity.ADVICE for own in found):
                break
        yield from _sparse(case, spot)


# ---------------------------------------------------------------- dates and parts of dates that there are not


def _impossible(case: Case, spot: Spot) -> Iterator[Finding]:
    for own in _constants(spot.condition):
        if isinstance(own.term, PartOf) and own.term.part in _PARTS:
            low, high = _PARTS[own.term.part]
            value = own.constant.value
            if own.op == "==" and isinstance(value, int) and not low <= value <= high:
                what = f"there is no {own.term.part} {value}"
                days = ", 1 is Monday and 7 Sunday" if own.term.part == "weekday" else ""
                evidence = f"it is a number from {low} to {high}{days}"
                yield case.found(spot, "impossible date", spot.severity, what, evidence, f"use {low} to {high}")
    day = pinned(spot.node)
    if day is not None and any(is_time(own.term) for own in _constants(spot.condition)):
        now = today(case.plan.at)
        if not _CENTURY <= day.year <= now.year + 50:
            ends = case.seen.ends[all_sided(spot.condition)[0].term]
            met = contacts(case.seen.count(spot.condition), "meet")
            evidence = f"the values lie from {case.shown(ends.low)} to {case.shown(ends.high)}; {met} the comparison"
            what = f"{day.isoformat()} is hardly a date that is meant"
            yield case.found(spot, "impossible date", spot.severity, what, evidence, "check the year")


def _constants(condition: Condition) -> list[Sided]:
    match condition:
        case Among(term, several):
            return [Sided(term, "==", own) for own in several]
        case _:
            return all_sided(condition)


# ---------------------------------------------------------------- values that are missing


def _never_filled(case: Case, spot: Spot) -> Iterator[Finding]:
    if isinstance(spot.condition, IsMissing):
        return
    for term in asking.terms(spot.condition):
        if _is_field(term) and case.everyone and case.seen.count(IsMissing(term)) == case.everyone:
            severity = spot.severity if not spot.negated else Severity.WARNING
            what = f"{named(term)} has no value for anybody"
            fix = "fill the field, or use another one"
            yield case.found(spot, "field without values", severity, what, f"missing for {of(case.everyone, case.everyone)}", fix)


def _sparse(case: Case, spot: Spot) -> Iterator[Finding]:
    if isinstance(spot.condition, IsMissing):
        return
    for term in asking.terms(spot.condition):
        lacking = case.seen.count(IsMissing(term))
        share = lacking / case.everyone if case.everyone else 0
        if _is_field(term) and _ADVISED <= share < 1 and term not in case.asked_for_missing:
            severity = Severity.WARNING if share >= _WARNED else Severity.ADVICE
            is_let_in = "each of them meets it" if spot.negated else "none of them can meet it"
            what = f"the {named(term)} of only {percent(1 - share)} of the contacts is known"
            evidence = f"missing for {of(lacking, case.everyone)}: {is_let_in}"
            fix = "fill the field, use one that is filled, or say what to do with the others: .is_missing()"
            yield case.found(spot, "missing data", severity, what, evidence, fix)


def _is_field(term: object) -> bool:
    match term:
        case ColumnTerm() | PastColumn() | JsonTerm():
            return True
        case PartOf(_, moment):
            return _is_field(moment) or _is_field(getattr(moment, "moment", None))
        case _:
            return False


# ---------------------------------------------------------------- nobody, or everybody


def _whole(case: Case, spot: Spot) -> Iterator[Finding]:
    if not case.everyone or not reads_contacts(spot.condition):
        return
    count = case.seen.count(spot.condition)
    known = case.everyone - (0 if isinstance(spot.condition, IsMissing) else case.missing(spot.condition))
    if count == 0:
        yield from _nobody(case, spot)
    elif count == known:
        yield from _everybody(case, spot, known)


def reads_contacts(condition: Condition) -> bool:
    """Whether more than the date decides."""
    match condition:
        case Always():
            return False
        case Comparison() | Among():
            return any(not (isinstance(own, PartOf) and isinstance(own.moment, Constant)) for own in asking.terms(condition))
        case _:
            return True


def _nobody(case: Case, spot: Spot) -> Iterator[Finding]:
    severity = spot.severity if not spot.negated else Severity.WARNING
    so = (
        "so that NOT lets everybody in"
        if spot.negated
        else "so that nobody is a member"
        if spot.required
        else "so that it adds nobody"
    )
    match spot.condition:
        case OnList(name):
            what, fix = f"nobody is on the list {name!r}, {so}", "put contacts on the list, or name another one"
            yield case.found(spot, "empty list", severity, what, "0 contacts are on it", fix)
        case Reference(name):
            what, fix = f"nobody is in the segment {name!r}, {so}", "diagnose that segment"
            yield case.found(spot, "empty segment", severity, what, "0 contacts are in it", fix)
        case IsMissing(term):
            what = f"{named(term)} is never missing, {so}"
            evidence = f"known of {of(case.everyone, case.everyone)}"
            yield case.found(spot, "never missing", severity, what, evidence, "leave the condition out, or ask for a value")
        case Comparison() | Among() if not all_sided(spot.condition):
            yield _unexplained(case, spot, severity, so)
        case _:
            yield from _out_of_reach(case, spot, severity, so)


def _out_of_reach(case: Case, spot: Spot, severity: Severity, so: str) -> Iterator[Finding]:
    sides = [own for own in all_sided(spot.condition) if own.term in case.seen.ends]
    day = pinned(spot.node)
    for own in sides:
        ends, constant = case.seen.ends[own.term], own.constant.value
        if ends.low is None:
            continue
        if day is not None and own.op in (">", ">=") and _is_ahead(case, day):
            what = f"{case.shown(constant)} lies in the future, {so}"
            evidence = f"it is {case.shown(case.plan.at.as_of)} now; the latest {named(own.term)} is {case.shown(ends.high)}"
            yield case.found(spot, "future date", severity, what, evidence, "use a date that has passed, or .within(days=...)")
            return
        is_window = isinstance(spot.node, nodes.During)
        too_high = own.op in (">", ">=", "==") and _exceeds(constant, ends.high, own.op == ">")
        too_low = own.op in ("<", "<=", "==") and _exceeds(ends.low, constant, own.op == "<")
        if too_high or too_low:
            word, end = ("greatest", ends.high) if too_high else ("least", ends.low)
            if is_time(own.term):
                word = "latest" if too_high else "earliest"
            kind = "nothing in the window" if is_window and too_high else "out of reach"
            what = f"{named(own.term)} {own.op} {case.shown(constant)} is beyond all values, {so}"
            evidence = (
                f"the {word} is {case.shown(end)}; known of {of(case.everyone - case.missing(spot.condition), case.everyone)}"
            )
            fix = "choose a threshold among the values: ws.thresholds shows the size at each"
            yield case.found(spot, kind, severity, what, evidence, "widen the window, or check the data" if is_window else fix)
            return
    if isinstance(spot.node, nodes.During) and sides:
        ends = case.seen.ends[sides[0].term]
        what = f"no {named(sides[0].term)} lies in the window, {so}"
        bounds = " and ".join(f"{own.op} {case.shown(own.constant.value)}" for own in sides)
        evidence = f"the window is {bounds}; the values lie from {case.shown(ends.low)} to {case.shown(ends.high)}"
        yield case.found(spot, "nothing in the window", severity, what, evidence, "widen the window, or check the data")
        return
    yield _unexplained(case, spot, severity, so)


def _unexplained(case: Case, spot: Spot, severity: Severity, so: str) -> Finding:
    known = case.everyone - case.missing(spot.condition)
    evidence = f"0 contacts meet it; the values of {number(known)} are known"
    return case.found(spot, "nobody meets it", severity, f"nobody meets it, {so}", evidence, "loosen the condition, or drop it")


def _exceeds(a: object, b: object, or_equal: bool) -> bool:
    """Whether one end lies beyond another, where they can be compared."""
    if isinstance(a, dt.datetime) != isinstance(b, dt.datetime):
        return False
    return bool(a >= b if or_equal else a > b)  # type: ignore[operator]


def _is_ahead(case: Case, day: dt.date) -> bool:
    return (day.date() if isinstance(day, dt.datetime) else day) > today(case.plan.at)


def _everybody(case: Case, spot: Spot, known: int) -> Iterator[Finding]:
    lacking = case.everyone - known
    severity = Severity.ADVICE if lacking else Severity.WARNING
    if spot.negated and not lacking:
        severity = spot.severity
    evidence = f"holds for {of(known, case.everyone)}" + (
        f", the value of the other {number(lacking)} is missing" if lacking else ""
    )
    match spot.condition:
        case IsMissing(term):
            what = f"{named(term)} has no value for anybody"
            yield case.found(spot, "field without values", severity, what, evidence, "fill the field, or use another one")
            return
        case Comparison("=="):
            sides: list[Sided] = []
        case _:
            sides = [own for own in all_sided(spot.condition) if own.term in case.seen.ends]
    if not sides:
        if not lacking:
            what = "everybody meets it" + (", and NOT lets nobody in" if spot.negated else "")
            yield case.found(spot, "everyone meets it", severity, what, evidence, "leave the condition out, or narrow it")
        return
    if is_half_of_a_range(spot):
        return
    [own, *_] = sides
    ends = case.seen.ends[own.term]
    word, end = ("least", ends.low) if own.op in (">", ">=") else ("greatest", ends.high)
    day = pinned(spot.node)
    if day is not None and own.op in ("<", "<=") and _is_ahead(case, day):
        what = f"{day.isoformat()} lies in the future, so that everybody meets it whose {named(own.term)} is known"
        yield case.found(spot, "future date", severity, what, evidence, "use a date that has passed, or .older_than(days=...)")
        return
    if isinstance(own.term, FeatureTerm) and own.term.feature.measure in ("first", "last"):
        return
    what = f"{named(own.term)} {own.op} {case.shown(own.constant.value)} holds for everybody" + (
        " of whom it is known" if lacking else ""
    )
    what += ", and NOT lets nobody in" if spot.negated else ""
    evidence += f"; the {word} is {case.shown(end)}"
    fix = "choose a threshold among the values: ws.thresholds shows the size at each; or leave the condition out"
    yield case.found(spot, "without effect", severity, what, evidence, fix)
