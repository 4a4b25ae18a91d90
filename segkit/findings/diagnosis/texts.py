"""Texts that nobody has, and those that look like them."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.display import number
from segkit.findings.diagnosis import asking, values
from segkit.findings.diagnosis.case import Case, contacts
from segkit.findings.diagnosis.seen import may_be_told
from segkit.findings.diagnosis.spots import Spot, named
from segkit.findings.finding import Finding, Severity
from segkit.plan.tree import (
    Comparison,
    Constant,
    TextSearch,
)

_SEARCHES = {"contains": "contains", "startswith": "starts with", "endswith": "ends with"}


def options(case: Case, spot: Spot) -> Iterator[Finding]:
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
        yield from never_seen(case, spot, severity, f"nobody's {named(own.left)} is {text!r}", found, known, "contacts")


def never_seen(
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
        fix = f"clean the data, or name each spelling: {'NOT ' if spot.place.negated else ''}.is_in({spellings!r:.200})"
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
