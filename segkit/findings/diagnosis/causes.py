"""Conditions that nobody meets, or everybody: why, in the order in which one would look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from segkit import nodes
from segkit.display import number, percent
from segkit.errors import nearest
from segkit.findings.diagnosis import asking, values
from segkit.findings.diagnosis.case import Case, contacts, of
from segkit.findings.diagnosis.seen import Happened, may_be_told
from segkit.findings.diagnosis.spots import Sided, Spot, all_sided, is_half_of_a_range, is_time, named, pinned
from segkit.findings.finding import Finding, Severity
from segkit.plan.clock import today
from segkit.plan.tree import (
    Always,
    Among,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    Feature,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    OnList,
    PartOf,
    PastColumn,
    Reference,
    TextSearch,
)

_PARTS = {"month": (1, 12), "day": (1, 31), "weekday": (1, 7), "quarter": (1, 4), "week": (1, 53), "hour": (0, 23)}
_CENTURY = 1900
_BESIDES = ("future data", "look-alikes")
"""Kinds that explain nothing: what else is wrong with a condition is told, too."""
_SEARCHES = {"contains": "contains", "startswith": "starts with", "endswith": "ends with"}
_SILENT_GAPS, _SILENT_DAYS = 20, 3
_ADVISED, _WARNED = 0.5, 0.9


def findings(case: Case) -> Iterator[Finding]:
    for spot in case.leaves:
        for causes in (_events, _stale_field, _impossible, _never_filled, _options, _whole):
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


# ---------------------------------------------------------------- texts that never occur


def _options(case: Case, spot: Spot) -> Iterator[Finding]:
    several = asking.options(spot.condition)
    searched = asking.in_any_case(spot.condition)
    if searched is not None:
        yield from _searched(case, spot, searched)
    for own in several:
        count = case.seen.count(own)
        assert isinstance(own.right, Constant)
        text, others = str(own.right.value), {str(each.right.value) for each in several if isinstance(each.right, Constant)}
        known = case.seen.values(own.left)
        if count:
            yield from _look_alikes(case, spot, own, count, text, others)
            continue
        found = {} if known is None else {each: n for each, n in values.near(text, known).items() if each not in others}
        is_all = not case.seen.count(spot.condition)
        severity = spot.severity if is_all and not spot.negated else Severity.WARNING if found or is_all else Severity.ADVICE
        yield from _never_seen(case, spot, severity, f"nobody's {named(own.left)} is {text!r}", found, known, "contacts")


def _never_seen(
    case: Case,
    spot: Spot,
    severity: Severity,
    what: str,
    found: dict[str, int],
    known: dict[str, int] | None,
    of_what: str,
) -> Iterator[Finding]:
    if found:
        evidence = f"0 {of_what} have it; like it are {values.listed(found, of_what)}"
        told = [own for own in found if may_be_told(own)]
        fix = f"did you mean {' or '.join(repr(own[:60]) for own in told)}?" if told else "compare the spelling with the data"
    else:
        evidence = f"0 {of_what} have it{values.there_is(known, of_what)}"
        fix = "use a value that occurs, or check that the data has arrived"
    yield case.found(spot, "value never seen", severity, what, evidence, fix)


def _look_alikes(case: Case, spot: Spot, own: Comparison, count: int, text: str, others: set[str]) -> Iterator[Finding]:
    known = case.seen.values(own.left)
    found = {} if known is None else {each: n for each, n in values.alike(text, known).items() if each not in others}
    if found:
        extra = sum(found.values())
        severity = Severity.WARNING if extra >= 0.01 * count else Severity.ADVICE
        what = f"{named(own.left)} also has values that look like {text!r} and differ"
        evidence = (
            f"{contacts(count)} with {text!r}, {number(extra)} more with a value like it: {values.listed(found, 'contacts')}"
        )
        spellings = [text, *(each for each in found if may_be_told(each))]
        fix = f"clean the data, or name each spelling: .is_in({spellings!r:.200})"
        yield case.found(spot, "look-alikes", severity, what, evidence, fix)


def _searched(case: Case, spot: Spot, in_any_case: TextSearch) -> Iterator[Finding]:
    count, more = case.seen.count(spot.condition), case.seen.count(in_any_case)
    if more == count and count:
        return
    assert isinstance(in_any_case.text, str)
    what = f"{named(in_any_case.term)} {_SEARCHES[in_any_case.test]} {in_any_case.text[:60]!r}"
    if not count:
        severity = Severity.WARNING if spot.negated else spot.severity
        evidence = f"0 contacts meet it, {number(more)} in any case of letters"
        fix = "say ignore_case=True" if more else "look for a text that occurs: ws.profile shows the values"
        yield case.found(spot, "value never seen", severity, f"nobody's {what}", evidence, fix)
    elif more >= 1.01 * count:
        evidence = f"{contacts(count, 'meet')} it, {number(more - count)} more in another case of letters"
        yield case.found(
            spot,
            "look-alikes",
            Severity.WARNING,
            f"somebody's {what} but for the case of letters",
            evidence,
            "say ignore_case=True",
        )


# ---------------------------------------------------------------- events


def _events(case: Case, spot: Spot) -> Iterator[Finding]:
    for feature in asking.features(spot.condition):
        own = case.seen.happened(feature)
        name = feature.event or "all"
        if not own.number and not own.ahead:
            known = case.plan.catalog.event_names()
            close = nearest(name, known)
            what = f"no {name!r} event was ever recorded"
            fix = f"did you mean {' or '.join(map(repr, close))}?" if close else "check the name, or that the data has arrived"
            yield case.found(spot, "event never seen", spot.severity, what, "0 events of that name", fix)
            continue
        if (stale := _stale(case, spot, feature, own)) is not None:
            yield stale
        if case.is_present and own.ahead >= 0.001 * max(own.number, 1):
            severity = Severity.WARNING if own.ahead >= 0.01 * max(own.number, 1) else Severity.ADVICE
            what = f"some {name!r} events are dated in the future and do not count yet"
            evidence = f"{number(own.ahead)} of {number(own.number + own.ahead)} lie after {case.shown(case.plan.at.as_of)}"
            yield case.found(spot, "future data", severity, what, evidence, "correct their times, or the time zone of the data")
        yield from _filtered(case, spot, feature)


def _stale(case: Case, spot: Spot, feature: Feature, own: Happened) -> Finding | None:
    """The last event is further back than its rhythm explains, or than the window reaches."""
    if own.last is None or own.first is None:
        return None
    silence = _days(case, own.last)
    usual = _days(case, own.first) - silence
    gap = usual / max(own.number - 1, 1)
    low = feature.bounds.low
    is_window_empty = low is not None and type(low) is type(own.last) and own.last <= low
    if silence <= (max(1, 5 * gap) if is_window_empty else max(_SILENT_DAYS, _SILENT_GAPS * gap)):
        return None
    severity = spot.severity if is_window_empty and not case.seen.count(spot.condition) else Severity.WARNING
    began = f"; the window begins at {case.shown(low)}" if low is not None else ""
    what = f"no {feature.event or 'other'!r} event has come in for {silence:,.0f} days"
    evidence = f"{number(own.number)} events up to {case.shown(own.last)}, one in {gap:,.2g} days until then{began}"
    return case.found(spot, "stale data", severity, what, evidence, "load the events since then, or look at an earlier as_of")


def _days(case: Case, at: dt.date | dt.datetime) -> float:
    """How many days before the moment."""
    if isinstance(at, dt.datetime):
        return (case.plan.at.as_of - at).total_seconds() / 86400
    return float((today(case.plan.at) - at).days)


def _stale_field(case: Case, spot: Spot) -> Iterator[Finding]:
    """The latest value of a time in a window that reaches up to now is further back than the rhythm of values explains."""
    if not _reaches_now(spot):
        return
    for own in all_sided(spot.condition):
        if own.op not in (">", ">=") or not isinstance(own.term, ColumnTerm):
            continue
        ends = case.seen.ends[own.term]
        if ends.past is None or ends.known < 2 * _SILENT_GAPS:
            continue
        silence, usual = _days(case, ends.past), _days(case, ends.low) - _days(case, ends.past)
        if silence > max(_SILENT_DAYS, _SILENT_GAPS * usual / ends.known):
            severity = spot.severity if not case.seen.count(spot.condition) and not spot.negated else Severity.WARNING
            what = f"{named(own.term)} has had no new value for {silence:,.0f} days"
            evidence = f"{number(ends.known)} values, the latest at {case.shown(ends.past)}; the window begins at " + (
                case.shown(own.constant.value)
            )
            yield case.found(
                spot, "stale data", severity, what, evidence, "load the data since then, or look at an earlier as_of"
            )


def _reaches_now(spot: Spot) -> bool:
    """Whether a condition asks for the time up to now, reckoned from now."""
    match spot.node:
        case nodes.During(_, nodes.Last()):
            return True
        case nodes.Compare(_, left, right):
            return any(
                isinstance(side, nodes.Arithmetic) and isinstance(side.left, nodes.Today | nodes.Now) for side in (left, right)
            )
        case _:
            return False


def _filtered(case: Case, spot: Spot, feature: Feature) -> Iterator[Finding]:
    """Parts of a filter that no event meets."""
    for part, negated in asking.filters(feature):
        texts = asking.options(part)
        column = texts[0].left if texts else part.term if isinstance(part, TextSearch) else None
        known = case.seen.properties(feature, column) if isinstance(column, ColumnTerm) else None
        severity = Severity.WARNING if negated else spot.severity
        for own in texts:
            assert isinstance(own.right, Constant)
            text = str(own.right.value)
            if known is not None and text not in known:
                what = f"no {feature.event or ''!r} event has {named(own.left)} {text!r}"
                close = values.near(text, known)
                is_all = not case.seen.count(asking.passing(feature, part, case.plan))
                one = severity if is_all else Severity.WARNING if close else Severity.ADVICE
                yield from _never_seen(case, spot, one, what, close, known, "events")
        if not texts and not case.seen.count(asking.passing(feature, part, case.plan)):
            what = f"no {feature.event or ''!r} event passes a part of the filter"
            evidence = (
                f"0 contacts have such an event, {number(case.seen.count(asking.ever(feature, case.plan)))} any of that name"
            )
            fix = "widen the filter: ws.profile shows what values there are"
            yield case.found(spot, "value never seen", severity, what, evidence, fix)


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
