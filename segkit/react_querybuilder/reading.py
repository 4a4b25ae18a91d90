"""A rule group of react-querybuilder as a predicate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn, TypeAlias, get_args
from typing import Literal as OneOfThese

from segkit import nodes
from segkit.documents import at, check_size, only_keys
from segkit.errors import DefinitionError, unknown
from segkit.operators import between, is_in
from segkit.react_querybuilder import matching
from segkit.react_querybuilder.words import NEGATIVE, NUMBER, ORDERS, PLACEHOLDER, SPACE, TEXTS

FieldKind: TypeAlias = OneOfThese["number", "date", "timestamp", "other"]
Kinds: TypeAlias = Mapping[str, FieldKind]

GROUP_KEYS = ("id", "path", "combinator", "combinatorPreceding", "rules", "not", "muted", "disabled")
RULE_KEYS = (
    "id",
    "path",
    "combinatorPreceding",
    "field",
    "operator",
    "value",
    "valueSource",
    "muted",
    "disabled",
    "match",
    "lhs",
)

_OPERATORS = {name.lower(): name for name in (*ORDERS, *TEXTS, "null", "in", "between", *NEGATIVE)}
_KINDS: tuple[tuple[FieldKind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"number|numeric|range|bigint|int|float|double|decimal|real", re.IGNORECASE)),
    ("timestamp", re.compile(r"date-?time|timestamp", re.IGNORECASE)),
    ("date", re.compile(r"date\b", re.IGNORECASE)),
)


def read(rules: Any, fields: Any = ()) -> nodes.Predicate:
    """The predicate of a rule group; `fields` is the field list of the builder, which says the kinds of fields."""
    kinds = kinds_of(fields)
    try:
        check_size(rules)
        if not isinstance(rules, Mapping) or "rules" not in rules:
            raise DefinitionError(
                f"expected a rule group, found {rules!r:.60}", fix='write {"combinator": "and", "rules": [...]}'
            )
        where = _item(rules, kinds)
        if where is None:
            raise DefinitionError("the whole query is muted", where=".muted", fix="unmute it")
        nodes.check_limits(where)
    except DefinitionError as error:
        error.under("$")
        raise
    return where


def kinds_of(fields: Any) -> dict[str, FieldKind]:
    """What a field list says of its fields, by `datatype`, else `inputType`; groups of fields are looked into."""
    if not isinstance(fields, list | tuple):
        raise DefinitionError(f"the fields must be a list, not {fields!r:.60}", where="fields", fix="put them in [ ]")
    kinds: dict[str, FieldKind] = {}
    for index, field in enumerate(fields):
        if not isinstance(field, Mapping):
            raise DefinitionError(
                f"expected a field, found {field!r:.60}",
                where=f"fields[{index}]",
                fix='write {"name": "age", "inputType": "number"}',
            )
        own = field["options"] if isinstance(field.get("options"), list | tuple) else [field]
        kinds |= {str(one.get("name") or one.get("value")): kind for one in own if (kind := _kind_of(one)) is not None}
    return kinds


def _kind_of(field: Any) -> FieldKind | None:
    words = (field.get("datatype") or field.get("inputType")) if isinstance(field, Mapping) else None
    if not isinstance(words, str):
        return None
    return next((kind for kind, pattern in _KINDS if pattern.match(words)), "other")


def _item(item: Any, kinds: Kinds) -> nodes.Predicate | None:
    """A rule or group; None for one that is muted."""
    if not isinstance(item, Mapping):
        raise DefinitionError(f"expected a rule or group, found {item!r:.60}", fix='write {"field", "operator", "value"}')
    if _flag(item, "muted"):
        return None
    return _group(item, kinds) if "rules" in item else _rule(item, kinds)


def _flag(item: Mapping[str, Any], key: str) -> bool:
    flag = item.get(key)
    if not isinstance(flag, bool | None):
        raise DefinitionError(f"{key} must be true or false, found {flag!r:.60}", where=f".{key}", fix="write true or false")
    return bool(flag)


def _group(group: Mapping[str, Any], kinds: Kinds) -> nodes.Predicate:
    only_keys(group, GROUP_KEYS)
    negated = _flag(group, "not")
    if not isinstance(group["rules"], list | tuple):
        raise DefinitionError(f"rules must be a list, not {group['rules']!r:.60}", where=".rules", fix="put them in [ ]")
    if not group["rules"]:
        if negated:
            raise DefinitionError("an empty group that is negated", where=".not", fix="add a rule, or remove the group")
        return nodes.Everyone()
    chains = [list(_members(chain, kinds)) for chain in _chains(group)]
    items = [_joined(nodes.And, chain) for chain in chains if chain]
    if not items:
        raise DefinitionError("all rules of the group are muted", where=".rules", fix="unmute one, or mute the group itself")
    joined = _joined(nodes.Or, items)
    return nodes.Not(joined) if negated else joined


def _members(chain: list[tuple[int, Any]], kinds: Kinds) -> Iterator[nodes.Predicate]:
    for index, item in chain:
        read = at(f".rules[{index}]", partial(_item, item, kinds))
        if read is not None:
            yield read


def _joined(kind: type[nodes.And | nodes.Or], items: list[nodes.Predicate]) -> nodes.Predicate:
    return items[0] if len(items) == 1 else kind(tuple(items))


def _chains(group: Mapping[str, Any]) -> list[list[tuple[int, Any]]]:
    """The rules of a group, each with its place: one of the lists must hold, and of it each rule."""
    rules = list(enumerate(group["rules"]))
    if group.get("combinator") is None:
        return _independent(rules)
    combinator = at(".combinator", partial(_combinator, group["combinator"]))
    return [rules] if combinator == "and" else [[rule] for rule in rules]


def _independent(rules: list[tuple[int, Any]]) -> list[list[tuple[int, Any]]]:
    chains = [[rules[0]]]
    for (place, word), rule in zip(rules[1::2], rules[2::2], strict=False):
        if at(f".rules[{place}]", partial(_combinator, word)) == "and":
            chains[-1].append(rule)
        else:
            chains.append([rule])
    if len(rules) % 2 == 0:
        raise DefinitionError(
            "no combinator of the group, and none after its last rule but one",
            where=f".rules[{len(rules) - 1}]",
            fix='add "combinator" to the group, or let rules and "and" / "or" alternate',
        )
    return chains


def _combinator(word: Any) -> str:
    if isinstance(word, str) and word.lower() in ("and", "or"):
        return word.lower()
    if isinstance(word, str) and word.lower() == "xor":
        raise DefinitionError("the combinator xor is not read", fix="write it with and, or and not")
    raise DefinitionError(f"expected a combinator, found {word!r:.60}", fix='write "and" or "or"')


def _rule(rule: Mapping[str, Any], kinds: Kinds) -> nodes.Predicate:
    only_keys(rule, RULE_KEYS)
    if rule.get("lhs"):
        raise DefinitionError("an expression on the left", where=".lhs", fix="define a calculated field in the catalog")
    field = at(".field", partial(_field, rule.get("field")))
    if rule.get("match"):
        where = at(".value", partial(_of_elements, rule.get("value")))
        matched: nodes.Predicate = at(".match", partial(matching.compared, rule["match"], nodes.Elements(field, (), where)))
        return matched
    operator = at(".operator", partial(_operator, rule.get("operator")))
    kind = kinds.get(field.name)
    if operator in NEGATIVE:
        return nodes.Not(_positive(field, NEGATIVE[operator], rule, kind))
    return _positive(field, operator, rule, kind)


def _of_elements(group: Any) -> nodes.Predicate | None:
    """The condition on elements that stands in the place of a value; None for all of them."""
    if not isinstance(group, Mapping) or "rules" not in group:
        _unfinished("it has no rules on the elements")
    where = _item(matching.of_elements(group), {})
    if where is None:
        raise DefinitionError("the rules on the elements are muted", where=".muted", fix="unmute them, or mute the rule itself")
    return None if isinstance(where, nodes.Everyone) else where


def _field(name: Any) -> nodes.Field:
    if name == PLACEHOLDER:
        _unfinished("no field is chosen")
    return nodes.Field(name)


def _operator(word: Any) -> str:
    if word == PLACEHOLDER:
        _unfinished("no operator is chosen")
    if not isinstance(word, str):
        raise DefinitionError(f"an operator must be text, not {word!r:.60}", fix='for example "="')
    if word.lower() not in _OPERATORS:
        raise unknown("operator", word, _OPERATORS.values())
    return _OPERATORS[word.lower()]


def _unfinished(what: str) -> NoReturn:
    raise DefinitionError(f"an unfinished rule: {what}", fix="finish the rule, mute it or remove it")


def _positive(field: nodes.Field, operator: str, rule: Mapping[str, Any], kind: FieldKind | None) -> nodes.Predicate:
    if operator == "null":
        return nodes.Missing(field)
    source = rule.get("valueSource") or "value"
    if source not in ("value", "field"):
        fix = "put the value itself in its place before reading" if source == "parameter" else "a value, or another field"
        raise DefinitionError(f"the source {source!r:.60} of the value is not read", where=".valueSource", fix=fix)
    read = _against_fields if source == "field" else _against_values
    where: nodes.Predicate = at(".value", partial(read, field, operator, rule.get("value"), kind))
    return where


def _against_fields(field: nodes.Field, operator: str, value: Any, _: FieldKind | None) -> nodes.Predicate:
    if operator in ORDERS:
        return nodes.Compare(ORDERS[operator], field, _field(value))
    if operator in TEXTS:
        return nodes.TextTest(TEXTS[operator], field, _field(value))
    others = [_field(name) for name in _several(operator, value)]
    if operator == "in":
        return _joined(nodes.Or, [nodes.Compare("==", field, other) for other in others])
    return between(field, *_pair(others))


def _against_values(field: nodes.Field, operator: str, value: Any, kind: FieldKind | None) -> nodes.Predicate:
    if operator in TEXTS:
        return nodes.TextTest(TEXTS[operator], field, nodes.checked_text(value, "the value"))
    if operator in ORDERS:
        return nodes.Compare(ORDERS[operator], field, _operand(operator, value, kind))
    if operator == "in":
        return is_in(field, tuple(_constant(operator, option, kind) for option in _several(operator, value)))
    low, high = _pair([_operand(operator, end, kind) for end in _several(operator, value)])
    if _number(low) is not None and _number(high) is not None and _number(high) < _number(low):
        low, high = high, low
    return between(field, low, high)


def _number(value: nodes.Value) -> Any:
    return value.value if isinstance(value, nodes.Literal) and value.sort == "number" else None


def _several(operator: str, value: Any) -> list[Any]:
    """The values of a list, or of a text with commas (`\\,` is no separator); space around texts does not count."""
    if isinstance(value, str):
        parts = [part.replace("\\,", ",").strip(SPACE) for part in re.split(r"(?<!\\),", value)]
        values: list[Any] = parts if operator == "between" else [part for part in parts if part]
    elif isinstance(value, list | tuple):
        values = [part.strip(SPACE) if isinstance(part, str) else part for part in value]
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        values = [value]
    else:
        raise DefinitionError(f"{operator} needs a list, found {value!r:.60}", fix='write ["a", "b"]')
    if not values:
        _unfinished(f"{operator} has no values")
    return values


def _pair(ends: list[Any]) -> list[Any]:
    if len(ends) != 2:
        raise DefinitionError(f"between needs two values, found {len(ends)}", fix="write [low, high]")
    return ends


def _operand(operator: str, value: Any, kind: FieldKind | None) -> nodes.Value:
    if isinstance(value, Mapping) and value.get("mode") == "relative":
        return _relative(value, kind)
    return _constant(operator, value, kind)


def _constant(operator: str, value: Any, kind: FieldKind | None) -> nodes.Literal:
    """One value. Digits in a text are a number where the field is one, or where only a number or a time can stand."""
    if isinstance(value, str):
        stripped = value.strip(SPACE)
        ordered = operator not in ("=", "in")
        if NUMBER.fullmatch(stripped) and (kind == "number" or (kind is None and ordered)):
            return nodes.literal(_numeric(stripped))
        if kind == "number":
            raise DefinitionError(f"{value!r:.60} is no number, as the field is", fix="write a number")
        if ordered and not stripped:
            _unfinished(f"{operator} has no value")
    if value is None:
        raise DefinitionError(f"{operator} with null", fix='use the operators "null" and "notNull"')
    if isinstance(value, Mapping | list | tuple):
        raise DefinitionError(f"expected one value, found {value!r:.60}", fix="write a single value")
    return nodes.literal(value)


def _numeric(text: str) -> int | Decimal:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text) else Decimal(text)


def _relative(value: Mapping[str, Any], kind: FieldKind | None) -> nodes.Value:
    """A time relative to now, such as `{"mode": "relative", "anchor": "now", "offset": -3, "unit": "month"}`."""
    only_keys(value, ("mode", "anchor", "offset", "unit"))
    anchor, offset, unit = value.get("anchor"), value.get("offset", 0), f"{value.get('unit', 'day')}s"
    if anchor not in ("now", "startOfDay"):
        raise DefinitionError(f"a time relative to {anchor!r:.60}", where=".anchor", fix='use "now" or "startOfDay"')
    if anchor == "now" and kind not in ("date", "timestamp"):
        raise DefinitionError(
            "a time relative to now, for a field that may be a date or a timestamp",
            fix='say which: fields=[{"name": ..., "datatype": "date"}] or "timestamp"',
        )
    if isinstance(offset, bool) or not isinstance(offset, int):
        raise DefinitionError(f"an offset of {offset!r:.60}", where=".offset", fix="use a whole number")
    if unit not in get_args(nodes.Unit):
        raise unknown("unit", unit[:-1], (known[:-1] for known in get_args(nodes.Unit))).under(".unit")
    start = nodes.Now() if anchor == "now" and kind == "timestamp" else nodes.Today()
    length = nodes.Duration(abs(offset), unit)  # type: ignore[arg-type]
    return nodes.Arithmetic("-" if offset < 0 else "+", start, length) if offset else start
