"""Too few members, or too many: what cuts most, which groups nobody is in, what the size would be with AND for OR."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from segkit import nodes
from segkit.display import number, percent
from segkit.findings.diagnosis import asking
from segkit.findings.diagnosis.case import Case, contacts, of
from segkit.findings.diagnosis.causes import reads_contacts
from segkit.findings.diagnosis.spots import Spot, leaves
from segkit.findings.finding import Finding, Severity
from segkit.findings.logic import always, excludes, never, segments_of
from segkit.plan.tree import AnyOf, Complement, Condition, IsMissing

_SMALL, _SMALL_SHARE = 10, 0.001
_LARGE_SHARE = 0.95


def findings(case: Case) -> Iterator[Finding]:
    if not case.everyone:
        yield case.found(
            case.root,
            "nobody",
            Severity.ERROR,
            "there are no contacts at all",
            "0 contacts",
            "load the contacts, or look at a later as_of",
        )
        return
    yield from _groups(case, case.root)
    yield from _size(case)


def _groups(case: Case, spot: Spot) -> Iterator[Finding]:
    """What is wrong with a group, and with the groups below it: of what follows from the conditions alone, the innermost."""
    below = [found for own in spot.below for found in _groups(case, own)]
    yield from below
    if spot.place.below and not any(own.kind in ("contradiction", "always true") for own in below):
        yield from _by_logic(case, spot) or _by_data(case, spot)


def _by_logic(case: Case, spot: Spot) -> list[Finding]:
    """A group that can hold for nobody, or fail for nobody, whatever the data."""
    whole, segments = _meant(spot), segments_of([case.plan])
    lacking = tuple(IsMissing(term) for own in leaves(spot) for term in asking.terms(own.condition))
    if always(AnyOf((whole, *lacking)), segments):
        known = "" if always(whole, segments) else " whose values are known"
        what = f"it holds for everybody{known}, whatever these are"
        if len(spot.place.below) < 2 or spot.is_all:
            return [case.found(spot, "always true", Severity.WARNING, what, "it follows from the conditions", "leave it out")]
        evidence = f"{_alone(case, spot)}; joined by AND it would be {number(case.seen.joined(spot, other=True))}"
        return [
            case.found(
                spot, "always true", Severity.WARNING, what, evidence, "join them by AND if that is meant, or leave it out"
            )
        ]
    if not never(whole, segments):
        return []
    pair = next(
        ((a, b) for a, b in combinations(spot.below, 2) if spot.is_all and excludes(_meant(a), _meant(b), segments)), None
    )
    if pair is None:
        what = "it can hold for nobody: its conditions exclude one another"
    else:
        what = f"{pair[0].place.text} and {pair[1].place.text} exclude one another"
    other = case.seen.joined(spot, other=True)
    evidence = f"{_alone(case, spot)}; joined by OR it would be {number(other)}" if spot.is_all else _alone(case, spot)
    fix = "join them by OR if that is meant, else drop one of them" if spot.is_all else "drop it, or loosen one of its conditions"
    return [case.found(spot, "contradiction", spot.severity, what, evidence, fix)]


def _meant(spot: Spot) -> Condition:
    return Complement(spot.condition) if spot.negated else spot.condition


def _alone(case: Case, spot: Spot) -> str:
    parts = [number(case.seen.size(case.seen.holds(own))) for own in spot.below]
    told = ", ".join(parts[:6]) + (", ..." if len(parts) > 6 else "")
    return f"alone they hold for {told} of {contacts(case.everyone)}"


def _by_data(case: Case, spot: Spot) -> list[Finding]:
    """A group that holds for nobody, or everybody, while none of its parts does."""
    parts = [case.seen.size(case.seen.holds(own)) for own in spot.below]
    whole = case.seen.size(case.seen.holds(spot))
    if len(parts) < 2:
        return []
    if spot.is_all and not whole and all(parts):
        what, word = "nobody meets all of these conditions, although somebody meets each of them", "OR"
    elif not spot.is_all and whole == case.everyone and case.everyone not in parts:
        what, word = "everybody meets one of these conditions or another, although nobody need meet all", "AND"
    else:
        return []
    evidence = f"{_alone(case, spot)}; joined by {word} it would be {number(case.seen.joined(spot, other=True))}"
    change = "loosen" if word == "OR" else "narrow"
    fix = f"join them by {word} if that is meant, else {change} one of them: ws.waterfall shows each"
    severity = spot.severity if spot.is_all else Severity.WARNING
    return [case.found(spot, "and against or", severity, what, evidence, fix)]


def _size(case: Case) -> Iterator[Finding]:
    size, everyone = case.size, case.everyone
    if isinstance(case.root.node, nodes.Everyone):
        return
    depends = any(reads_contacts(own.condition) for own in leaves(case.root))
    if not size:
        severity = Severity.ERROR if depends else Severity.ADVICE
        what = "nobody is a member" + ("" if depends else " at this time: only the date decides")
        yield case.found(case.root, "nobody", severity, what, f"0 of {contacts(everyone)}; {_cut(case)}", _loosen(case))
    elif size == everyone:
        severity = Severity.WARNING if depends else Severity.ADVICE
        what = "everybody is a member" + ("" if depends else " at this time: only the date decides")
        fix = "narrow a condition: ws.waterfall shows what each does"
        yield case.found(case.root, "everyone", severity, what, of(size, everyone), fix)
    elif size < max(_SMALL, _SMALL_SHARE * everyone):
        yield case.found(
            case.root, "small", Severity.ADVICE, "few are members", f"{of(size, everyone)}; {_cut(case)}", _loosen(case)
        )
    elif size >= _LARGE_SHARE * everyone:
        what = f"all but {contacts(everyone - size)} are members"
        fix = "narrow a condition: ws.waterfall shows what each does"
        yield case.found(case.root, "large", Severity.ADVICE, what, of(size, everyone), fix)


def _without(case: Case) -> list[tuple[int, Spot]]:
    """What the size would be without each condition, those that cut most first."""
    found = []
    for own in leaves(case.root):
        above = own.above
        if above is None:
            continue
        neutral = case.seen.holds(own) | True if above.is_all else case.seen.holds(own) & False
        found.append((case.seen.instead(case.root, own.path, neutral), own))
    return sorted(found, key=lambda each: -each[0])


def _cut(case: Case) -> str:
    """Which condition cuts most."""
    ranked = _without(case)
    if not ranked:
        return "its only condition"
    if ranked[0][0] <= case.size:
        return "no condition alone keeps others out"
    size, own = ranked[0]
    return f"without {own.place.text} there would be {number(size)} ({percent(size / case.everyone)})"


def _loosen(case: Case) -> str:
    ranked = _without(case)
    if not ranked or ranked[0][0] <= case.size:
        return "see the findings about its conditions, and ws.waterfall"
    return f"loosen or drop {ranked[0][1].place.text}: ws.waterfall shows what each condition does"
