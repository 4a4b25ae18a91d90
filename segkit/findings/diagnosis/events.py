"""Events that never were, have stopped, lie ahead, or pass no filter; and times that nothing new comes in for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from segkit import nodes
from segkit.display import number
from segkit.errors import nearest
from segkit.findings.diagnosis import asking, values
from segkit.findings.diagnosis.case import Case
from segkit.findings.diagnosis.seen import Happened
from segkit.findings.diagnosis.spots import Spot, all_sided, named
from segkit.findings.diagnosis.texts import never_seen
from segkit.findings.finding import Finding, Severity
from segkit.plan.clock import today
from segkit.plan.tree import (
    ColumnTerm,
    Constant,
    Feature,
    TextSearch,
)

_SILENT_GAPS, _SILENT_DAYS = 20, 3


def events(case: Case, spot: Spot) -> Iterator[Finding]:
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


def stale_field(case: Case, spot: Spot) -> Iterator[Finding]:
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
                yield from never_seen(case, spot, one, what, close, known, "events")
        if not texts and not case.seen.count(asking.passing(feature, part, case.plan)):
            what = f"no {feature.event or ''!r} event passes a part of the filter"
            evidence = (
                f"0 contacts have such an event, {number(case.seen.count(asking.ever(feature, case.plan)))} any of that name"
            )
            fix = "widen the filter: ws.profile shows what values there are"
            yield case.found(spot, "value never seen", severity, what, evidence, fix)
