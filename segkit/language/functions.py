"""What `NAME(...)` means: parts of dates, calculations, measures of events, groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, get_args

from segkit import nodes
from segkit.errors import unknown
from segkit.language.meaning import condition, stream, value
from segkit.language.terms import Condition, Name, Number, Owned, Refusal, Term, Test, Told, Value, Where, Yearly, deeper, made


@dataclass(frozen=True, slots=True)
class Call:
    """A name with what stands in its parentheses, and behind OF."""

    at: int
    name: str
    arguments: tuple[Term, ...]
    of: Term | None = None


Meaning: TypeAlias = Callable[[Call], nodes.Value]
MEASURES: dict[str, nodes.Measure] = {
    "count": "count", "sum": "sum", "avg": "avg", "min": "min", "max": "max", "distinct": "distinct", "first": "first",
    "last": "last", "latest": "latest", "active_days": "days", "active_weeks": "weeks", "active_months": "months",
}  # fmt: skip


def called(call: Call) -> Term:
    """What a call is: a value, a condition, or half of one."""
    name = call.name.lower()
    depth = deeper(call.at, *call.arguments, *([call.of] if call.of else []))
    if call.of is not None and name != "quantile":
        raise Refusal(call.of.at, f"OF behind {call.name}(...)", "write it inside: SUM(amount OF purchased)")
    if name == "anniversary":
        return Yearly(call.at, value(_only(call, "ANNIVERSARY(birthday)")), depth=depth)
    if name in _CONDITIONS:
        return Condition(call.at, _CONDITIONS[name](call), depth=depth)
    if name in _VALUES:
        return Value(call.at, made(call.at, _VALUES[name], call), depth=depth)
    error = unknown("function", call.name, (known.upper() for known in (*_VALUES, *_CONDITIONS, "anniversary")))
    raise Refusal(call.at, error.what, error.fix)


def _only(call: Call, example: str) -> Term:
    _counted(call, 1, example)
    return call.arguments[0]


def _counted(call: Call, wanted: int, example: str) -> None:
    if len(call.arguments) != wanted:
        many = f"{wanted} value{'s' if wanted != 1 else ''}"
        raise Refusal(call.at, f"{call.name} takes {many or 'nothing'}, not {len(call.arguments)}", f"write {example}")


def _part(call: Call) -> nodes.Value:
    part: nodes.DatePart = call.name.lower()  # type: ignore[assignment]
    return nodes.Part(part, value(_only(call, f"{call.name.upper()}(birthday)")))


def _current(call: Call) -> nodes.Value:
    _counted(call, 0, f"{call.name.upper()}()")
    part: nodes.DatePart = call.name.lower().removeprefix("current_")  # type: ignore[assignment]
    return nodes.Part(part, nodes.Now() if part == "hour" else nodes.Today())


def _function(call: Call) -> nodes.Value:
    name: nodes.FunctionName = call.name.lower()  # type: ignore[assignment]
    return nodes.Function(name, tuple(map(value, call.arguments)))


def _days_between(call: Call) -> nodes.Value:
    _counted(call, 2, "DAYS_BETWEEN(signup_date, TODAY)")
    earlier, later = map(value, call.arguments)
    return nodes.Arithmetic("-", later, earlier)


def _quantile(call: Call) -> nodes.Value:
    _counted(call, 2, "QUANTILE(total_spent, 5)")
    of_what, parts = call.arguments
    if not isinstance(parts, Number):
        raise Refusal(parts.at, "the number of groups is expected", "write QUANTILE(total_spent, 5)")
    return nodes.Quantile(value(of_what), parts.value, None if call.of is None else condition(call.of))  # type: ignore[arg-type]


def _elements(call: Call) -> nodes.Value:
    """How many elements of an array: `ELEMENTS(tags WHERE element = "vip")`."""
    argument = _only(call, 'ELEMENTS(tags WHERE element = "vip")')
    if isinstance(argument, Condition | Test):
        fix = 'put what stands behind WHERE in parentheses: ELEMENTS(tags WHERE (element = "a" OR element = "b"))'
        raise Refusal(argument.at, "a condition stands where an array is expected", fix)
    subject, tails = (argument.subject, argument.tails) if isinstance(argument, Told) else (argument, ())
    conditions = []
    for tail in tails:
        if not isinstance(tail, Where):
            raise Refusal(tail.at, "elements of an array happen at no time", "leave the window out")
        conditions.append(tail.node)
    where = conditions[0] if len(conditions) == 1 else nodes.And(tuple(conditions)) if conditions else None
    match value(subject):
        case nodes.Field() as field:
            return nodes.Elements(field, (), where)
        case nodes.Json(field, path):
            return nodes.Elements(field, path, where)
    raise Refusal(subject.at, "only a JSON field has elements", 'write ELEMENTS(tags), or ELEMENTS(props -> "tags")')


def _word(call: Call) -> nodes.Value:
    example = "WORD(opened), or WORD(opened, last)"
    match call.arguments:
        case (Name(text=text),):
            return nodes.Word(text)
        case (Name(text=text), Name(text=measure)) if measure.lower() == "last":
            return nodes.Word(text, "last")
    raise Refusal(call.at, "a word is a name", f"write {example}")


def _measure(call: Call) -> nodes.Value:
    measure = MEASURES[call.name.lower()]
    of_property = measure in nodes.MEASURES_OF_A_PROPERTY
    example = f"{call.name.upper()}({'amount OF ' if of_property else ''}purchased)"
    argument = _only(call, example)
    names, owner = (argument.names, argument.owner) if isinstance(argument, Owned) else ((), argument)
    of, nouns = (names[:1], names[1:]) if of_property else ((), names)
    if (of_property and not of) or len(nouns) > 1:
        raise Refusal(call.at, f"{call.name} of what?", f"write {example}")
    events = stream(Owned(argument.at, nouns, owner) if nouns else owner)
    return nodes.Aggregate(measure, events, *of)


def _group(call: Call) -> nodes.Predicate:
    items = tuple(map(condition, call.arguments))
    return made(call.at, nodes.And, items) if call.name.lower() == "all_of" else made(call.at, nodes.Or, items)


def _one_of(call: Call) -> nodes.Predicate:
    """A list of options that may be empty."""
    if not call.arguments:
        raise Refusal(call.at, "one of what?", "write ONE_OF(state, 'CA', 'NY')")
    tested, *options = map(value, call.arguments)
    constants = tuple(option for option in options if isinstance(option, nodes.Literal))
    if len(constants) < len(options):
        raise Refusal(call.at, "only constants stand in a list", "write text in quotes, numbers and dates")
    return nodes.OneOf(tested, constants)


def _instant(call: Call) -> nodes.Value:
    _counted(call, 0, call.name.upper())
    return nodes.Today() if call.name.lower() == "today" else nodes.Now()


_VALUES: dict[str, Meaning] = {
    **dict.fromkeys(get_args(nodes.DatePart), _part),
    **dict.fromkeys((f"current_{part}" for part in get_args(nodes.DatePart)), _current),
    **dict.fromkeys(get_args(nodes.FunctionName), _function),
    **dict.fromkeys(("today", "now"), _instant),
    **dict.fromkeys(MEASURES, _measure),
    "days_between": _days_between,
    "elements": _elements,
    "quantile": _quantile,
    "word": _word,
}
_CONDITIONS: dict[str, Callable[[Call], nodes.Predicate]] = {"all_of": _group, "any_of": _group, "one_of": _one_of}
