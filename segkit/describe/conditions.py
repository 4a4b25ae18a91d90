"""Conditions in words: every one can follow `contacts` (whose country is 'USA') and stand by itself (their country is 'USA')."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal as OneOfThese
from typing import TypeAlias, assert_never

from segkit import nodes
from segkit.catalog import Kind, find
from segkit.describe import elements, frequency, shape, times, words
from segkit.describe.values import Phrase, Telling, owned, population, starts_apart, their, value, verb
from segkit.errors import DefinitionError
from segkit.plan import clock
from segkit.plan.scope import Scope, anniversary_of, known_lists
from segkit.plan.tree import Bounds

Opening: TypeAlias = OneOfThese["whose", "who", "for whom"]
INLINE = 4
SEGMENT_ROOM = 5
_MAIN: dict[Opening, str] = {"whose": "their ", "who": "they ", "for whom": ""}
_NUMBERS = {"<": " less than", "<=": " at most", ">": " greater than", ">=": " at least"}
_DATES = {"<": " before", "<=": " on or before", ">": " after", ">=": " on or after"}
_TIMES = {**_DATES, "<=": " at or before", ">=": " at or after"}
_TURNED: dict[nodes.Ordering, nodes.Ordering] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SINGULAR = ("ss", "us", "is")
_TESTS = {
    "contains": ("contains", "does not contain"),
    "startswith": ("starts with", "does not start with"),
    "endswith": ("ends with", "does not end with"),
    "matches": ("matches the pattern", "does not match the pattern"),
}


def condition(node: nodes.Predicate, telling: Telling) -> Phrase:
    """A plain condition (see `shape.plain`) in words."""
    match node:
        case nodes.And(items) if not shape.is_range(node):
            return _group("and", items, telling)
        case nodes.Or(items):
            return _group("or", items, telling)
        case nodes.Not(item):
            return _single(item, False, telling)
        case _:
            return _single(node, True, telling)


# ---------------------------------------------------------------- groups


def _group(word: OneOfThese["and", "or"], items: Sequence[nodes.Predicate], telling: Telling) -> Phrase:
    needs = [shape.size_up_to(item, telling.room) for item in items[: telling.room]]
    tellings = [replace(telling, room=share) for share in shape.shares(needs, telling.room)]
    if len(tellings) == len(items) <= INLINE and not any(map(shape.is_group, items)):
        told = [condition(item, own) for item, own in zip(items, tellings, strict=True)]
        return Phrase(_inline(word, [own.relative for own in told]), _inline(word, [own.main for own in told]))
    return _numbered(word, items, tellings)


def _inline(word: OneOfThese["and", "or"], parts: Sequence[str]) -> str:
    joined = f"{parts[0]} {word} {parts[1]}" if len(parts) == 2 else f"{', '.join(parts[:-1])}, {word} {parts[-1]}"
    return joined if word == "and" else f"either {joined}"


def _numbered(word: OneOfThese["and", "or"], items: Sequence[nodes.Predicate], tellings: Sequence[Telling]) -> Phrase:
    parts = []
    for i, (item, own) in enumerate(zip(items, tellings, strict=False), start=1):
        label = f"{own.label}.{i}" if own.label else str(i)
        parts.append(f"({label}) {condition(item, replace(own, label=label)).main}")
    if left_out := sum(shape.size(item) for item in items[len(tellings) :]):
        parts.append(words.more_conditions(left_out, "hold"))
    head = "at least one of these holds" if word == "or" else "both of these hold" if len(parts) == 2 else "all of these hold"
    text = f"{head}: {'; '.join(parts[:-1])}; {word} {parts[-1]}" if len(parts) > 1 else f"{head}: {parts[0]}"
    return Phrase(f"for whom {text}", text)


# ---------------------------------------------------------------- single conditions


def _phrase(opening: Opening, rest: str, telling: Telling) -> Phrase:
    return Phrase(f"{opening} {rest}", f"{_MAIN[opening]}{rest}" if telling.scope.of_contact else rest)


def _about(node: nodes.Value, rest: str, telling: Telling) -> Phrase:
    """What is said of a value."""
    opening: Opening = "whose" if owned(node) and not starts_apart(node) else "for whom"
    return _phrase(opening, f"{value(node, telling)} {rest}", telling)


def _single(node: nodes.Predicate, holds: bool, telling: Telling) -> Phrase:
    match node:
        case nodes.Everyone():
            return _phrase("for whom", "any values do" if holds else "no values do", telling)
        case nodes.Compare(op, left, right):
            return _comparison(op, left, right, holds, telling)
        case nodes.And((nodes.Compare(">=", own, low), nodes.Compare("<=", _, high))):
            limits = f"{_beside(low, own, telling)} and {_beside(high, own, telling)}"
            return _about(own, f"{_be(own, holds)} between {limits}{_or_missing(holds, own, low, high)}", telling)
        case nodes.OneOf():
            return _one_of(node, holds, telling)
        case nodes.TextTest():
            return _text_test(node, holds, telling)
        case nodes.Missing(own):
            return _about(own, f"{_be(own, True)} {'missing' if holds else 'known'}", telling)
        case nodes.During():
            return _during(node, holds, telling)
        case nodes.InList(name):
            return _on_list(name, holds, telling)
        case nodes.InSegment(name):
            return _in_segment(name, holds, telling)
        case nodes.InGroup(name):
            return _named(name, holds, telling)
        case nodes.Top():
            return _top(node, holds, telling)
        case nodes.Sample(percent, seed):
            sample = f"the stable random sample of {words.number(percent)} percent"
            return _phrase("who", words.noted(f"{_are(holds)} in {sample}", [seed and f"seed {words.quoted(seed)}"]), telling)
        case nodes.RawSql(sql, dialect):
            said = "holds" if holds else "does not hold (or gives no answer)"
            return _phrase("for whom", f"this {words.name(dialect)} SQL {said}: {words.quoted(sql.strip(), 200)}", telling)
        case nodes.And() | nodes.Or() | nodes.Not():
            return condition(shape.plain(node if holds else nodes.Not(node)), telling)
        case _:
            assert_never(node)


def _is(holds: bool) -> str:
    return "is" if holds else "is not"


def _are(holds: bool) -> str:
    return "are" if holds else "are not"


def _be(node: nodes.Value, holds: bool) -> str:
    """`is`, or `are` for what bears a plural as its name (`email opens are greater than 5`)."""
    name = node.name.lower() if isinstance(node, nodes.Field) else ""
    return _are(holds) if name.endswith("s") and not name.endswith(_SINGULAR) else _is(holds)


def _or_missing(holds: bool, *values: nodes.Value) -> str:
    """That a complement includes missing values, where there can be some."""
    if holds or all(map(_always_known, values)):
        return ""
    return f" (or {_be(values[0], True)} missing)" if all(map(_always_known, values[1:])) else " (or one of them is missing)"


def _always_known(node: nodes.Value) -> bool:
    match node:
        case nodes.Literal() | nodes.Today() | nodes.Now() | nodes.Duration() | nodes.Rate():
            return True
        case nodes.Aggregate(measure):
            return measure in ("count", "sum", "distinct", "days", "weeks", "months")
        case nodes.Arithmetic("+" | "-" | "*", left, right):
            return _always_known(left) and _always_known(right)
        case nodes.Part(_, own):
            return _always_known(own)
        case nodes.Function("coalesce", arguments):
            return any(map(_always_known, arguments))
        case nodes.Function(_, (own, *_)):
            return _always_known(own)
        case _:
            return False


def _comparison(op: nodes.Ordering, left: nodes.Value, right: nodes.Value, holds: bool, telling: Telling) -> Phrase:
    left, right = (times.meant(own, telling.scope) for own in (left, right))
    if op == "==" and isinstance(right, nodes.Today) and (date := anniversary_of(left, telling.scope)) is not None:
        return _during(nodes.During(date, nodes.Anniversary()), holds, telling)
    if owned(right) and not owned(left):
        op, left, right = _TURNED[op], right, left
    if isinstance(left, nodes.Aggregate) and isinstance(right, nodes.Literal) and right.sort == "number":
        said = frequency.told(op, left, right, holds, telling)
        if said is not None:
            return _phrase("who", said, telling)
    if isinstance(left, nodes.Elements) and (elements_said := elements.told(op, left, right, holds, telling)) is not None:
        about_contacts, said = elements_said
        return _phrase("who" if about_contacts else "for whom", said, telling)
    if isinstance(right, nodes.Literal) and isinstance(right.value, bool) and not holds and not _always_known(left):
        return _about(left, f"is {'false' if right.value else 'true'} or missing", telling)
    be = _is(holds) if isinstance(right, nodes.Literal) and right.sort != "number" else _be(left, holds)
    said = f"{be}{_order(op, left, right, telling)} {_beside(right, left, telling)}"
    return _about(left, said + _or_none(op, left, right, holds) + _or_missing(holds, left, right), telling)


def _order(op: nodes.Ordering, left: nodes.Value, right: nodes.Value, telling: Telling) -> str:
    kinds = [times.kind_of(own, telling.scope) for own in (left, right)]
    if op == "==":
        return " the same as" if owned(right) else ""
    if any(kind.is_timestamp for kind in kinds):
        return _TIMES[op]
    return (_DATES if Kind.DATE in kinds else _NUMBERS)[op]


def _or_none(op: nodes.Ordering, left: nodes.Value, right: nodes.Value, holds: bool) -> str:
    """That a sum or a number of values is 0 where there are no events."""
    match left, right:
        case nodes.Aggregate("sum" | "distinct"), nodes.Literal(int() | float() as amount) | nodes.Literal(amount, "number"):
            return " (or there are none)" if frequency.compared(0, op, amount) is holds else ""
    return ""


def _beside(node: nodes.Value, other: nodes.Value, telling: Telling) -> str:
    """A value that another is compared with, which says how a constant is meant."""
    is_timestamp = times.kind_of(other, telling.scope).is_timestamp
    if not isinstance(node, nodes.Literal):
        is_day = times.kind_of(node, telling.scope) is Kind.DATE and times.folded(node, telling.scope) is not None
        return their(node, telling) + (" at 00:00" if is_timestamp and is_day else "")
    at = times.read(node, times.kind_of(other, telling.scope), telling.scope)
    if at is not None:
        return at
    match other, node.value:
        case nodes.Part("month"), int() as month if 1 <= month <= 12:
            return words.MONTHS[month - 1]
        case nodes.Part("weekday"), int() as weekday if 1 <= weekday <= 7:
            return words.WEEKDAYS[weekday - 1]
        case nodes.Part(), int() as number:
            return str(number)
    return words.constant(node, telling.zone)


def _one_of(node: nodes.OneOf, holds: bool, telling: Telling) -> Phrase:
    own = times.meant(node.value, telling.scope)
    if not node.options:
        return _about(own, "is one of no values (nobody)" if holds else "is none of no values (everybody)", telling)
    shown, left_out = words.told(node.options)
    options = words.listed([*(_beside(option, own, telling) for option in shown), *left_out], "and")
    be = _be(own, True) if node.options[0].sort == "number" else "is"
    among = ("" if holds else " not") if len(node.options) == 1 else " one of" if holds else " none of"
    return _about(own, f"{be}{among} {options}{_or_missing(holds, own)}", telling)


def _text_test(node: nodes.TextTest, holds: bool, telling: Telling) -> Phrase:
    test, own, other = _TESTS[node.test][not holds], node.value, node.text
    if isinstance(other, str):
        case = " in upper or lower case" if node.ignore_case else ""
        return _about(own, f"{test} {words.quoted(other, 200)}{case}{_or_missing(holds, own)}", telling)
    case = ", ignoring case" if node.ignore_case else ""
    return _about(own, f"{test} {their(other, telling)}{case}{_or_missing(holds, own, other)}", telling)


def _during(node: nodes.During, holds: bool, telling: Telling) -> Phrase:
    own = times.meant(node.value, telling.scope)
    match node.span:
        case nodes.OnDay(day):
            at = times.read(day, Kind.DATE, telling.scope) if isinstance(day, nodes.Literal) else None
            said = f"{_is(holds)} on {at or value(day, telling)}{_or_missing(holds, own)}"
        case nodes.Anniversary(within):
            said = (
                f"{'has' if holds else 'does not have'} its anniversary {_anniversary(within, telling)}{_or_missing(holds, own)}"
            )
        case span:
            bounds = times.bounds(span, times.kind_of(own, telling.scope), telling.scope.at)
            included = [*([] if _always_known(own) else ["missing"]), *times.outside(span)]
            others = "" if holds else f"{words.listed(included, 'and')} dates included"
            date = "date " if isinstance(own, nodes.Field) and verb(own.name, telling.scope) else ""
            said = words.noted(f"{date}{_is(holds)} {times.when(span)}", [words.bounds(bounds, telling.zone), others])
    return _about(own, said, telling)


def _anniversary(within: int, telling: Telling) -> str:
    ahead = nodes.Duration(within, "days")
    today = clock.today(telling.scope.at)
    days = words.bounds(Bounds(today, True, clock.shifted_date(today, ahead, 1)), telling.zone)
    return f"today or in the next {words.length(ahead)}, {days}" if within else f"today, on {days}"


def _top(node: nodes.Top, holds: bool, telling: Telling) -> Phrase:
    amount = f"{words.number(node.percent)} percent" if node.percent is not None else f"{node.n:,}"
    others = "" if holds else f"{'others and ' if node.of is not None else ''}missing values included"
    said = f"{_are(holds)} in the top {amount} by {value(node.value, telling)}"
    return _phrase("who", words.noted(said, [population(node.of, telling), others]), telling)


def _named(name: str, holds: bool, telling: Telling) -> Phrase:
    """A name that may be a list's or a segment's."""
    if any(name.casefold() == known.casefold() for known in telling.scope.segments):
        return _in_segment(name, holds, telling)
    if any(name.casefold() == known.casefold() for known in known_lists(telling.scope) or ()):
        return _on_list(name, holds, telling)
    return _phrase("who", f"{_are(holds)} on the list, or in the segment, {words.quoted(name)}", telling)


def _on_list(name: str, holds: bool, telling: Telling) -> Phrase:
    return _phrase("who", f"{_are(holds)} on the list {words.quoted(name)}", telling)


def _in_segment(name: str, holds: bool, telling: Telling) -> Phrase:
    said = words.noted(f"{_are(holds)} in the segment {words.quoted(name)}", [_segment(name, telling)])
    return _phrase("who", said, telling)


def _segment(name: str, telling: Telling) -> str:
    """What a segment means, one level deep; nothing where it is not known here."""
    where = segment_of(name, telling.scope)
    inner = replace(telling, scope=replace(telling.scope, segments={}), room=SEGMENT_ROOM)
    return "" if where is None else subject(shape.plain(where), inner)


def segment_of(name: str, scope: Scope) -> nodes.Predicate | None:
    """The condition of a segment, None where there is none of that name, or one too large to tell."""
    try:
        where = scope.segments[find("segment", name, scope.segments)]
        nodes.check_limits(where)
    except DefinitionError:
        return None
    return where


def subject(where: nodes.Predicate, telling: Telling) -> str:
    """The contacts that meet a plain condition."""
    match where:
        case nodes.Everyone():
            return "all contacts"
        case nodes.Not(nodes.Everyone()):
            return "no contacts"
        case _:
            return f"contacts {condition(where, telling).relative}"
