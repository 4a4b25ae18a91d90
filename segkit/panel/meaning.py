"""From the rows of a draft to a definition, and to what is wrong with each row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, assert_never, cast, get_args

from segkit import codec, documents, nodes
from segkit.errors import DefinitionError, unknown
from segkit.panel.choices import CHOICE, PERIODS, UNITS, Choice
from segkit.panel.draft import Draft, Entry, Group, Kept, OfEvents, OfField, OfMembers, OfValue, Row, Rule, Stretch, Subject

_T = TypeVar("_T")
_MEASURES: tuple[str, ...] = get_args(nodes.Measure)
_WHOLE = re.compile(r"[+-]?\d{1,30}")


@dataclass(frozen=True)
class Made:
    """What a draft means so far: the condition of its sound parts, where each row is in it, and what is wrong with others.

    `places` leads from the ids of rows to paths such as `where.items[0]`; groups with a faulty part have none.
    """

    where: nodes.Predicate
    places: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, DefinitionError] = field(default_factory=dict)


def definition(draft: Draft) -> nodes.Definition:
    """The definition that a draft means: muted and blank rows are left out.

    Raises:
        DefinitionError: a part is not finished.

    >>> from segkit import F
    >>> from segkit.panel.projection import drafted
    >>> given = nodes.Definition("VIP", (F.country == "USA").node)
    >>> definition(drafted(given)) == given
    True
    """
    found = made(draft)
    if found.faults:
        first = next(iter(found.faults.values()))
        more = f" ({len(found.faults) - 1} more parts are not finished)" if len(found.faults) > 1 else ""
        fix = f"{first.fix or 'correct it'}, or mute or remove that part"
        raise DefinitionError(f"{first.what}{more}", fix=fix, where="the panel")
    return named(draft, found.where)


def named(draft: Draft, where: nodes.Predicate) -> nodes.Definition:
    """A condition with the name and the notes of a draft."""
    return nodes.Definition(draft.name.strip() or None, where, draft.notes, draft.owner, draft.tags)


def made(draft: Draft, check: Callable[[Row, nodes.Predicate], object] = lambda _, __: None) -> Made:
    """What a draft means so far.

    Args:
        draft: the rows.
        check: refuses, by an error, a single condition that means nothing here.
    """
    faults: dict[str, DefinitionError] = {}

    def tried(row: Rule | Kept) -> nodes.Predicate | None:
        if isinstance(row, Rule) and row.subject is None:
            return None
        try:
            node = condition(row)
            check(row, node)
        except DefinitionError as error:
            faults[row.id] = error
            return None
        return node

    part = _group(draft.root, tried, faults)
    if part is None:
        whole = {} if faults else {draft.root.id: "where"}
        return Made(nodes.Everyone(), whole, faults)
    return Made(part.node, {own: f"where{path}" for own, path in part.places.items()}, faults)


@dataclass(frozen=True)
class _Part:
    """A condition, and where the rows are in it."""

    node: nodes.Predicate
    places: dict[str, str]
    is_whole: bool = True


def _part(row: Row, tried: Callable[[Rule | Kept], nodes.Predicate | None], faults: Mapping[str, Any]) -> _Part | None:
    if isinstance(row, Group):
        return _group(row, tried, faults)
    node = tried(row)
    return None if node is None else _Part(node, {row.id: ""})


def _group(group: Group, tried: Callable[[Rule | Kept], nodes.Predicate | None], faults: Mapping[str, Any]) -> _Part | None:
    active = [row for row in group.items if not row.muted]
    parts = [part for row in active if (part := _part(row, tried, faults)) is not None]
    is_whole = all(part.is_whole for part in parts) and not any(row.id in faults for row in active)
    if not parts:
        return None
    if group.bare and len(parts) == 1:
        node, places = parts[0].node, parts[0].places
    else:
        kind = nodes.And if group.logic == "and" else nodes.Or
        node = kind(tuple(part.node for part in parts))
        places = {own: f".items[{i}]{path}" for i, part in enumerate(parts) for own, path in part.places.items()}
    if group.negated:
        node, places = nodes.Not(node), {own: f".item{path}" for own, path in places.items()}
    return _Part(node, {group.id: "", **places} if is_whole else places, is_whole)


# ---------------------------------------------------------------- one condition


def condition(row: Rule | Kept) -> nodes.Predicate:
    """What a row means.

    Raises:
        DefinitionError: it is not finished.

    >>> condition(Rule("1", OfField("opens"), "greater_than", (Entry("number", "5"),)))
    Compare(op='>', left=Field(name='opens'), right=Literal(value=5, sort='number'))
    """
    node = _kept(row.node) if isinstance(row, Kept) else _rule(row)
    return nodes.Not(node) if row.negated else node


def _rule(rule: Rule) -> nodes.Predicate:
    if rule.subject is None:
        raise DefinitionError("nothing is chosen", fix="choose a field, event, list or segment")
    if rule.operator not in CHOICE:
        raise (
            DefinitionError("no operator is chosen", fix="choose one")
            if not rule.operator
            else unknown("operator", rule.operator, CHOICE)
        )
    choice = CHOICE[rule.operator]
    if isinstance(rule.subject, OfMembers):
        return _member(rule.subject, choice)
    subject = value_of(rule.subject)
    if choice.arguments == "members":
        raise DefinitionError("a value is in no list", fix="choose another operator")
    if choice.stretch or choice.arguments == "day":
        return nodes.During(subject, _day(rule) if choice.arguments == "day" else _span(rule, choice))
    assert choice.build is not None
    return choice.build(*_arguments(rule, choice, subject)) if not rule.ignore_case else _folded(rule, choice, subject)


def _arguments(rule: Rule, choice: Choice, subject: nodes.Value) -> tuple[Any, ...]:
    match choice.arguments:
        case "none":
            return (subject,)
        case "value":
            return (subject, constant(_entry(rule, 0)))
        case "pair":
            return (subject, constant(_entry(rule, 0)), constant(_entry(rule, 1)))
        case "values":
            return (subject, tuple(_option(entry) for entry in rule.values))
        case "text":
            own = _entry(rule, 0)
            return (subject, constant(own) if own.sort == "value" else own.text)
        case _:
            raise DefinitionError(f"{choice.label} takes a stretch of time", fix="choose another operator")


def _folded(rule: Rule, choice: Choice, subject: nodes.Value) -> nodes.Predicate:
    """A test of text that takes capital and small letters for the same."""
    assert choice.build is not None
    match choice.build(*_arguments(rule, choice, subject)):
        case nodes.TextTest(test, value, text):
            return nodes.TextTest(test, value, text, True)
        case nodes.Not(nodes.TextTest(test, value, text)):
            return nodes.Not(nodes.TextTest(test, value, text, True))
        case other:
            return other


def _entry(rule: Rule, number: int) -> Entry:
    if number >= len(rule.values):
        raise DefinitionError("a value is missing", fix="type one")
    return rule.values[number]


def _option(entry: Entry) -> nodes.Literal:
    own = constant(entry)
    if not isinstance(own, nodes.Literal):
        raise DefinitionError(f"{entry.label} is no constant", fix="type a value")
    return own


def _member(subject: OfMembers, choice: Choice) -> nodes.Predicate:
    kinds: dict[str, Callable[[str], nodes.Predicate]] = {
        "list": nodes.InList,
        "segment": nodes.InSegment,
        "either": nodes.InGroup,
    }
    node = kinds[subject.reference](subject.name)
    match choice.key:
        case "is_member":
            return node
        case "is_not_member":
            return nodes.Not(node)
    raise DefinitionError(f"a list or segment {choice.label}", fix="choose is in it, or is not in it")


# ---------------------------------------------------------------- values


def value_of(subject: Subject) -> nodes.Value:
    """The value that a condition is about.

    Raises:
        DefinitionError: it is not finished, or is a list or a segment.
    """
    match subject:
        case OfField(name):
            return nodes.Field(name)
        case OfValue(text):
            return _kept_value(text)
        case OfEvents(event, measure, of, rules, window, noun):
            where = _filter(rules)
            span = None if window is None else _stretch(window)
            stream = nodes.Events(event, where, span, None, noun or None)
            if measure not in _MEASURES:
                raise unknown("measure", measure, _MEASURES)
            if measure in nodes.MEASURES_OF_A_PROPERTY and not of:
                raise DefinitionError(f"{measure} of which property?", fix="choose one")
            return nodes.Aggregate(cast(nodes.Measure, measure), stream, of or None)
        case OfMembers():
            raise DefinitionError("a list or a segment has no value", fix="choose a field or an event")
        case _:
            assert_never(subject)


def _filter(rules: tuple[Rule, ...]) -> nodes.Predicate | None:
    items = tuple(condition(rule) for rule in rules if rule.subject is not None and not rule.muted)
    if not items:
        return None
    return items[0] if len(items) == 1 else nodes.And(items)


def constant(entry: Entry) -> nodes.Value:
    """What was typed, as a value.

    >>> constant(Entry("date", "2025-03-31"))
    Literal(value=datetime.date(2025, 3, 31), sort='date')
    """
    match entry.sort:
        case "value":
            return _kept_value(entry.text)
        case "text":
            return nodes.literal(entry.text)
        case "boolean":
            return nodes.literal(_one_of(entry.text, {"true": True, "false": False}))
        case "number":
            text = entry.text.strip()
            return nodes.literal(int(text) if _WHOLE.fullmatch(text) else _parsed(entry, "number", float))
        case "decimal":
            return nodes.literal(_parsed(entry, "number", Decimal))
        case "date":
            return nodes.literal(_parsed(entry, "date", dt.date.fromisoformat))
        case "timestamp":
            return nodes.literal(_parsed(entry, "time", dt.datetime.fromisoformat))
        case _:
            assert_never(entry.sort)


def _parsed(entry: Entry, what: str, read: Callable[[str], _T]) -> _T:
    text = entry.text.strip()
    if not text:
        raise DefinitionError("a value is missing", fix=f"type a {what}")
    try:
        return read(text)
    except (ValueError, InvalidOperation):
        form = {"number": "5 or 2.5", "date": "2025-03-31", "time": "2025-03-31 12:00"}[what]
        raise DefinitionError(f"{text!r:.60} is no {what}", fix=f"write it like {form}") from None


def _one_of(text: str, known: Mapping[str, _T]) -> _T:
    if text not in known:
        raise unknown("choice", text, known)
    return known[text]


def _day(rule: Rule) -> nodes.OnDay:
    return nodes.OnDay(constant(_entry(rule, 0)))


def _span(rule: Rule, choice: Choice) -> nodes.Span:
    if rule.span is None or rule.span.kind != choice.stretch:
        raise DefinitionError("a length of time is missing", fix="type one")
    return _stretch(rule.span)


def _stretch(own: Stretch) -> nodes.Span:
    match own.kind:
        case "last":
            return nodes.Last(_length(own.amount, own.unit), own.edge)
        case "before":
            return nodes.Before(_length(own.amount, own.unit), own.edge)
        case "next":
            return nodes.Next(_length(own.amount, own.unit))
        case "between":
            return nodes.Between(_length(own.amount, own.unit), _length(own.to, own.to_unit))
        case "period":
            if own.unit not in PERIODS:
                raise unknown("period", own.unit, PERIODS)
            return nodes.Period(cast(nodes.PeriodUnit, own.unit), _whole(own.amount))
        case "anniversary":
            return nodes.Anniversary(_whole(own.amount))
        case _:
            assert_never(own.kind)


def _length(amount: str, unit: str) -> nodes.Duration:
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    return nodes.Duration(_whole(amount), cast(nodes.Unit, unit))


def _whole(text: str) -> int:
    if not text.strip():
        raise DefinitionError("a number is missing", fix="type a whole number")
    if not _WHOLE.fullmatch(text.strip()):
        raise DefinitionError(f"{text!r:.60} is no whole number", fix="write it like 30")
    return int(text)


# ---------------------------------------------------------------- what is kept


def _kept(text: str) -> nodes.Predicate:
    return codec.from_dict({"segkit": codec.VERSION, "name": None, "where": documents.parsed(text)}).where


def _kept_value(text: str) -> nodes.Value:
    where = {"type": "missing", "value": documents.parsed(text)}
    node = codec.from_dict({"segkit": codec.VERSION, "name": None, "where": where}).where
    assert isinstance(node, nodes.Missing)
    return node.value
