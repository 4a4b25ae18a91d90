"""Queries of react-querybuilder: what each rule reads as, what is refused and where, and that writing reads back."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DAYS, DECIMALS, FLOATS, INTEGERS, LENGTHS, TABLES, TEXTS, definitions, moments
from test_laws import examples, world

from segkit import (
    NOW,
    TODAY,
    DefinitionError,
    E,
    F,
    Segment,
    constant,
    days,
    everyone,
    from_react_querybuilder,
    in_list,
    in_segment,
    months,
    nodes,
    sample,
    to_react_querybuilder,
)
from segkit.builder import Predicate

FIELDS = [
    {"name": "age", "label": "Age", "inputType": "number"},
    {"value": "born", "inputType": "date"},
    {"label": "More", "options": [{"name": "seen", "datatype": "timestamp"}, {"name": "zip", "inputType": "text"}]},
    {"name": "plain", "label": "Plain"},
]


def rule(field: Any, operator: Any, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **more}


def group(combinator: str, *rules: Any, **more: Any) -> dict[str, Any]:
    return {"combinator": combinator, "rules": list(rules), **more}


def elements(*rules: Any, field: str = "a", **match: Any) -> dict[str, Any]:
    return {"field": field, "operator": "=", "value": group("and", *rules), "match": match}


def relative(anchor: str = "now", offset: int = 0, unit: str = "day") -> dict[str, Any]:
    return {"mode": "relative", "anchor": anchor, "offset": offset, "unit": unit}


# ---------------------------------------------------------------- reading

RULES: list[tuple[dict[str, Any], Any]] = [
    (rule("a", "=", "x"), F.a == "x"),
    (rule("a", "=", "5"), F.a == "5"),
    (rule("a", "=", 5), F.a == 5),
    (rule("a", "=", True), F.a == True),  # noqa: E712
    (rule("a", "=", ""), F.a == ""),
    (rule("a", "!=", "x"), F.a != "x"),
    (rule("a", "<", 5), F.a < 5),
    (rule("a", "<=", " 5 "), F.a <= 5),
    (rule("a", ">", "1.50"), F.a > Decimal("1.50")),
    (rule("a", ">=", "-.5e1"), F.a >= Decimal("-5")),
    (rule("a", ">", "2026-01-31"), F.a > "2026-01-31"),
    (rule("a", "contains", "5"), F.a.contains("5")),
    (rule("a", "beginsWith", "x"), F.a.startswith("x")),
    (rule("a", "endsWith", "x%"), F.a.endswith("x%")),
    (rule("a", "doesNotContain", "x"), ~F.a.contains("x")),
    (rule("a", "doesNotBeginWith", "x"), ~F.a.startswith("x")),
    (rule("a", "doesNotEndWith", "x"), ~F.a.endswith("x")),
    (rule("a", "DOESNOTENDWITH", "x"), ~F.a.endswith("x")),
    (rule("a", "contains", "b", valueSource="field"), F.a.contains(F.b)),
    (rule("a", "beginsWith", "b", valueSource="field"), F.a.startswith(F.b)),
    (rule("a", "endsWith", "b", valueSource="field"), F.a.endswith(F.b)),
    (rule("a", "doesNotContain", "b", valueSource="field"), ~F.a.contains(F.b)),
    (rule("a", "doesNotBeginWith", "b", valueSource="field"), ~F.a.startswith(F.b)),
    (rule("a", "doesNotEndWith", "b", valueSource="field"), ~F.a.endswith(F.b)),
    (rule("a", "null", "left over"), F.a.is_missing()),
    (rule("a", "notNull"), ~F.a.is_missing()),
    ({"field": "a", "operator": "null"}, F.a.is_missing()),
    (rule("a", "in", ["x", " y ", ""]), F.a.is_in(["x", "y", ""])),
    (rule("a", "in", "x, y,, z\\,z"), F.a.is_in(["x", "y", "z,z"])),
    (rule("a", "in", 5), F.a.is_in([5])),
    (rule("a", "notIn", [1, 2]), ~F.a.is_in([1, 2])),
    (rule("a", "in", "1,2"), F.a.is_in(["1", "2"])),
    (rule("a", "between", [1, 2]), F.a.between(1, 2)),
    (rule("a", "between", "1, 2.5"), F.a.between(1, Decimal("2.5"))),
    (rule("a", "between", ["14", 12]), F.a.between(12, 14)),
    (rule("a", "between", "2026-02-01,2026-01-01"), F.a.between("2026-02-01", "2026-01-01")),
    (rule("a", "notBetween", "14,12"), ~F.a.between(12, 14)),
    (rule("a", "=", "b", valueSource="field"), F.a == F.b),
    (rule("a", "!=", "b", valueSource="field"), F.a != F.b),
    (rule("a", "<", "5", valueSource="field"), F.a < F["5"]),
    (rule("a", "in", "b, c", valueSource="field"), (F.a == F.b) | (F.a == F.c)),
    (rule("a", "notIn", ["b"], valueSource="field"), F.a != F.b),
    (rule("a", "between", ["b", "c"], valueSource="field"), F.a.between(F.b, F.c)),
    (rule("a", "notBetween", "b,c", valueSource="field"), ~F.a.between(F.b, F.c)),
    (rule("a", "=", 1, valueSource="value", id="r1", path=[0], disabled=True, muted=False, combinatorPreceding="and"), F.a == 1),
    (rule("age", "=", "5"), F.age == 5),
    (rule("age", "in", "1,2"), F.age.is_in([1, 2])),
    (rule("zip", "=", "5"), F.zip == "5"),
    (rule("zip", ">", "5"), F.zip > "5"),
    (rule("plain", ">", "5"), F.plain > 5),
    (rule("born", ">=", relative(offset=-3, unit="month")), F.born >= TODAY - months(3)),
    (rule("seen", "<", relative(offset=7)), F.seen < NOW + days(7)),
    (rule("seen", "<=", relative()), F.seen <= NOW),
    (rule("other", ">", relative("startOfDay", -1)), F.other > TODAY - days(1)),
    (rule("seen", "between", [relative(offset=-1), relative()]), F.seen.between(NOW - days(1), NOW)),
    (elements(rule("", "=", "x"), mode="all"), F.a.elements(F.element == "x") == F.a.elements()),
    (elements(rule("", "!=", "x"), mode="none"), F.a.elements(F.element != "x") == 0),
    (elements(rule("k", "contains", "x"), mode="Some"), F.a.elements(F.k.contains("x")) >= 1),
    (elements(rule("age", "=", "5"), rule("k", ">", 2), mode="atLeast", threshold=2), F.a.elements((F.age == "5") & (F.k > 2)) >= 2),
    (elements(rule("", "null"), mode="atMost", threshold=0.5), F.a.elements(F.element.is_missing()) / F.a.elements() <= 0.5),
    (elements(rule("", "=", "k", valueSource="field"), mode="exactly", threshold=0), F.a.elements(F.element == F.k) == 0),
    (elements(mode="atMost", threshold=1), F.a.elements() <= 1),
    (elements(group("or", rule("", "=", 1), rule("z", "=", 1, muted=True)), mode="some"), F.a.elements(F.element == 1) >= 1),
]  # fmt: skip


def test_every_operator_occurs() -> None:
    from segkit.react_querybuilder.words import NEGATIVE, ORDERS, TEXTS

    assert {given["operator"] for given, _ in RULES} >= {*ORDERS, *TEXTS, *NEGATIVE, "null", "in", "between"}


@pytest.mark.parametrize(("given", "meaning"), RULES, ids=lambda part: json.dumps(part) if isinstance(part, dict) else "")
def test_a_rule_reads_as(given: dict[str, Any], meaning: Predicate) -> None:
    assert from_react_querybuilder(group("and", given), fields=FIELDS).where == meaning


A, B, C = (rule(name, "=", 1) for name in "abc")
a, b, c = (F[name] == 1 for name in "abc")
GROUPS: list[tuple[dict[str, Any], Predicate]] = [
    (group("and", A, B), a & b),
    (group("OR", A, B, id="g"), a | b),
    (group("and", A, B, **{"not": True}), ~(a & b)),
    (group("and", A, **{"not": True}), ~a),
    (group("and", A, group("or", B, C)), a & (b | c)),
    (group("and"), everyone()),
    (group("and", A, group("or")), a & everyone()),
    ({"rules": []}, everyone()),
    ({"rules": [A]}, a),
    ({"rules": [A, "and", B, "or", C]}, (a & b) | c),
    ({"rules": [A, "or", B, "AND", C]}, a | (b & c)),
    ({"rules": [A, "or", B, "and", C, "or", A, "and", B]}, a | (b & c) | (a & b)),
    ({"rules": [A, "and", {"rules": [B, "or", C], "not": True}], "not": None}, a & ~(b | c)),
    (group("and", A, {**B, "muted": True}, C), a & c),
    (group("or", A, {**group("and", B), "muted": True}), a),
    (group("and", A, {"muted": True, "rules": "anything"}), a),
    ({"rules": [A, "and", {**B, "muted": True}, "or", C]}, a | c),
    ({"rules": [{**A, "muted": True}, "or", B, "and", C]}, b & c),
    ({"rules": [A, "or", {**B, "muted": True}, "and", {**C, "muted": True}]}, a),
]


@pytest.mark.parametrize(("given", "meaning"), GROUPS, ids=lambda part: json.dumps(part) if isinstance(part, dict) else "")
def test_a_group_reads_as(given: dict[str, Any], meaning: Predicate) -> None:
    assert from_react_querybuilder(given).where == meaning
    assert from_react_querybuilder(json.dumps(given), name="N") == Segment("N", meaning)


# ---------------------------------------------------------------- refusing

CIRCLE: dict[str, Any] = group("and")
CIRCLE["rules"].append(CIRCLE)
DEEP: dict[str, Any] = group("and", A, B)
for _ in range(60):
    DEEP = group("and", DEEP, A)

REFUSED: list[tuple[Any, str, str]] = [
    (None, "$", "expected a rule group, found None"),
    ([], "$", "expected a rule group"),
    ({"name": "x", "conditions": []}, "$", "expected a rule group"),
    ({"rules": 5}, "$.rules", "rules must be a list, not 5"),
    ({"rules": {"0": A}}, "$.rules", "rules must be a list"),
    (group("and", "or"), "$.rules[0]", "expected a rule or group, found 'or'"),
    (group("and", None), "$.rules[0]", "expected a rule or group"),
    (group("xor", A, B), "$.combinator", "xor is not read"),
    (group("nor", A, B), "$.combinator", "expected a combinator, found 'nor'"),
    ({"rules": [A, B, C]}, "$.rules[1]", "expected a combinator, found {'field'"),
    ({"rules": [A, B]}, "$.rules[1]", "no combinator"),
    ({"rules": [A, "and"]}, "$.rules[1]", "no combinator"),
    ({"rules": ["and", A, "and"]}, "$.rules[1]", "expected a combinator"),
    (group("and", A, **{"not": "yes"}), "$.not", "not must be true or false, found 'yes'"),
    (group("and", {**A, "muted": 1}), "$.rules[0].muted", "muted must be true or false"),
    (group("and", **{"not": True}), "$.not", "an empty group that is negated"),
    (group("and", A, group("or", {**A, "muted": True})), "$.rules[1].rules", "all rules of the group are muted"),
    (group("and", A, muted=True), "$.muted", "the whole query is muted"),
    (group("and", A, vlaue=5), "$", "unknown key 'vlaue'"),
    (group("and", A, rule("a", "=", 1, nto=True)), "$.rules[1]", "unknown key 'nto'"),
    (group("and", rule("~", "=", 1)), "$.rules[0].field", "no field is chosen"),
    (group("and", rule("a", "~", 1)), "$.rules[0].operator", "no operator is chosen"),
    (group("and", rule("", "=", 1)), "$.rules[0].field", "the field name is empty"),
    (group("and", {"operator": "=", "value": 1}), "$.rules[0].field", "must be text, not None"),
    (group("and", {"field": "a", "value": 1}), "$.rules[0].operator", "must be text, not None"),
    (group("and", rule("a", "contain", "x")), "$.rules[0].operator", "did you mean 'contains'"),
    (group("and", rule("a", "=", None)), "$.rules[0].value", "notNull"),
    (group("and", {"field": "a", "operator": "="}), "$.rules[0].value", "= with null"),
    (group("and", rule("a", "=", [1])), "$.rules[0].value", "expected one value, found [1]"),
    (group("and", rule("a", "=", {})), "$.rules[0].value", "expected one value"),
    (group("and", rule("a", "=", float("nan"))), "$.rules[0].value", "is not a number"),
    (group("and", rule("a", "=", 2**63)), "$.rules[0].value", "out of range"),
    (group("and", rule("a", ">", "9" * 30)), "$.rules[0].value", "out of range"),
    (group("and", rule("a", ">", "1e999")), "$.rules[0].value", "too many digits"),
    (group("and", rule("a", ">", " ")), "$.rules[0].value", "> has no value"),
    (group("and", rule("a", "=", "nul\0")), "$.rules[0].value", "NUL"),
    (group("and", rule("a", "contains", 5)), "$.rules[0].value", "must be text, not 5"),
    (group("and", rule("a", "in", "")), "$.rules[0].value", "in has no values"),
    (group("and", rule("a", "in", [])), "$.rules[0].value", "in has no values"),
    (group("and", rule("a", "notIn", False)), "$.rules[0].value", "in needs a list, found False"),
    (group("and", rule("a", "in", [None])), "$.rules[0].value", "in with null"),
    (group("and", rule("a", "in", [[1]])), "$.rules[0].value", "expected one value"),
    (group("and", rule("a", "between", "1")), "$.rules[0].value", "needs two values, found 1"),
    (group("and", rule("a", "between", [1, 2, 3])), "$.rules[0].value", "needs two values, found 3"),
    (group("and", rule("a", "between", "1,")), "$.rules[0].value", "between has no value"),
    (group("and", rule("a", "between", {"low": 1})), "$.rules[0].value", "between needs a list"),
    (group("and", rule("age", "=", "old")), "$.rules[0].value", "'old' is no number"),
    (group("and", rule("age", "in", "1,x")), "$.rules[0].value", "'x' is no number"),
    (group("and", rule("a", "contains", 5, valueSource="field")), "$.rules[0].value", "field name must be text, not 5"),
    (group("and", rule("a", "endsWith", "~", valueSource="field")), "$.rules[0].value", "no field is chosen"),
    (group("and", rule("a", "=", 5, valueSource="field")), "$.rules[0].value", "field name must be text, not 5"),
    (group("and", rule("a", "=", "p", valueSource="parameter")), "$.rules[0].valueSource", "'parameter'"),
    (group("and", rule("a", "=", {"kind": "func"}, valueSource="expression")), "$.rules[0].valueSource", "'expression'"),
    (group("and", rule("a", "=", 1, lhs={"kind": "func"})), "$.rules[0].lhs", "an expression on the left"),
    (group("and", elements(A, mode="most")), "$.rules[0].match.mode", "unknown mode 'most'"),
    (group("and", elements(A, mode=None)), "$.rules[0].match.mode", "unknown mode 'None'"),
    (group("and", elements(A, mode="atLeast")), "$.rules[0].match.threshold", "None elements"),
    (group("and", elements(A, mode="atMost", threshold=-1)), "$.rules[0].match.threshold", "-1 elements"),
    (group("and", elements(A, mode="exactly", threshold=True)), "$.rules[0].match.threshold", "True elements"),
    (group("and", elements(A, mode="some", more=1)), "$.rules[0].match", "more"),
    (group("and", rule("a", "=", group("and", A), match="some")), "$.rules[0].match", "expected an object"),
    (group("and", rule("a", "=", "x", match={"mode": "some"})), "$.rules[0].value", "no rules on the elements"),
    (group("and", elements(rule("a", "in", []), mode="all")), "$.rules[0].value.rules[0].value", "in has no values"),
    (group("and", elements({**A, "muted": True}, mode="all")), "$.rules[0].value.rules", "all rules of the group are muted"),
    (group("and", elements(rule("element", "=", 1), mode="all")), "$.rules[0].value.rules[0].field", "a key called element"),
    (group("and", elements(elements(A, mode="all"), mode="some")), "$.rules[0].value.rules[0].match", "elements of elements"),
    (group("and", elements(rule("k", "=", "", valueSource="field"), mode="all")), "$.rules[0].value.rules[0].value", "beside the element"),
    (group("and", elements(A, field="~", mode="some")), "$.rules[0].field", "no field is chosen"),
    (group("and", rule("a", ">", relative())), "$.rules[0].value", "may be a date or a timestamp"),
    (group("and", rule("age", ">", relative())), "$.rules[0].value", "may be a date or a timestamp"),
    (group("and", rule("seen", ">", relative("startOfWeek"))), "$.rules[0].value.anchor", "relative to 'startOfWeek'"),
    (group("and", rule("seen", ">", relative(unit="quarter"))), "$.rules[0].value.unit", "unknown unit 'quarter'"),
    (group("and", rule("seen", ">", relative(offset=0.5))), "$.rules[0].value.offset", "an offset of 0.5"),  # type: ignore[arg-type]
    (group("and", rule("seen", "in", [relative()])), "$.rules[0].value", "expected one value"),
    (CIRCLE, "$", "levels deep"),
    (DEEP, "$", "levels deep"),
    (group("or", *[A] * 20_001), "$", "more than 20,000 conditions"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "where", "part"), REFUSED, ids=range(len(REFUSED)))
def test_is_refused_where_it_stands(given: Any, where: str, part: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        from_react_querybuilder(given, fields=FIELDS)
    assert part in str(caught.value)
    assert caught.value.fix
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("fields", "where"), [("age", "fields"), (5, "fields"), (["age"], "fields[0]"), ([{"name": "a"}, 5], "fields[1]")]
)
def test_a_wrong_field_list_is_refused(fields: Any, where: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        from_react_querybuilder(group("and", A), fields=fields)
    assert caught.value.where == where


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"rules": [], "rules": []}', '{"rules": NaN}', b"\xff"])
def test_a_wrong_text_is_refused(text: Any) -> None:
    with pytest.raises(DefinitionError):
        from_react_querybuilder(text)


def test_a_very_long_list_is_read() -> None:
    values = [f"v{i}" for i in range(100_000)]
    assert from_react_querybuilder(group("and", rule("a", "in", values))).where == F.a.is_in(values)
    rules = [rule("a", "=", i) for i in range(5_000)]
    assert from_react_querybuilder(group("or", *rules)).matches({"a": 4_999})


# ---------------------------------------------------------------- meaning


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule("a", "!=", "x"), True),
        (rule("a", "doesNotContain", "x"), True),
        (rule("a", "notIn", "x,y"), True),
        (rule("a", "notBetween", "1,2"), True),
        (rule("a", "=", "x"), False),
        (rule("a", "<", "5"), False),
        (rule("a", ">=", "5"), False),
        (rule("a", "=", "b", valueSource="field"), False),
        (rule("a", "!=", "b", valueSource="field"), True),
        (rule("a", "contains", "b", valueSource="field"), False),
        (rule("a", "doesNotEndWith", "b", valueSource="field"), True),
        (group("or", rule("a", "<", "5"), **{"not": True}), True),
    ],
)
def test_missing_values_are_in_no_comparison_and_in_every_complement(given: dict[str, Any], expected: bool) -> None:
    assert from_react_querybuilder(group("and", given)).matches({"a": None, "b": None}) is expected


# ---------------------------------------------------------------- writing

WRITTEN: list[tuple[Predicate, dict[str, Any]]] = [
    (a, group("and", A)),
    (a & b, group("and", A, B)),
    (~(a | b), {"combinator": "or", "not": True, "rules": [A, B]}),
    (~(~(a & b)), {"combinator": "and", "not": True, "rules": [{"combinator": "and", "not": True, "rules": [A, B]}]}),
    (F.a != 1, group("and", rule("a", "!=", 1))),
    (~(F.a != 1), {"combinator": "and", "not": True, "rules": [rule("a", "!=", 1)]}),
    (~(F.a < 1), {"combinator": "and", "not": True, "rules": [rule("a", "<", 1)]}),
    (F.a.between(1, 2), group("and", rule("a", "between", [1, 2]))),
    (~F.a.between(1, 2), group("and", rule("a", "notBetween", [1, 2]))),
    (F.a.between(2, 1), group("and", rule("a", ">=", 2), rule("a", "<=", 1))),
    (F.a.between(" x", "y"), group("and", rule("a", ">=", " x"), rule("a", "<=", "y"))),
    ((F.a >= 1) & (F.b <= 2), group("and", rule("a", ">=", 1), rule("b", "<=", 2))),
    (F.a.is_in([" x", "y"]), group("or", rule("a", "=", " x"), rule("a", "=", "y"))),
    (F.a == F.b, group("and", rule("a", "=", "b", valueSource="field"))),
    (F.a.startswith(F.b), group("and", rule("a", "beginsWith", "b", valueSource="field"))),
    (~F.a.contains(F.b), group("and", rule("a", "doesNotContain", "b", valueSource="field"))),
    (constant(5) < F.a, group("and", rule("a", ">", 5))),
    (F.a > dt.date(2026, 1, 31), group("and", rule("a", ">", "2026-01-31"))),
    (F.a.within(days=30), group("and", rule("a", ">", relative(offset=-30)), rule("a", "<=", relative()))),
    (F.a.older_than(months=2, edge=True), group("and", rule("a", "<=", relative(offset=-2, unit="month")))),
    (F.a.in_next(hours=2), group("and", rule("a", ">", relative(unit="hour")), rule("a", "<=", relative(offset=2, unit="hour")))),
    (F.a.window(days=(90, 30)), group("and", rule("a", ">", relative(offset=-90)), rule("a", "<=", relative(offset=-30)))),
    (F.a > TODAY, group("and", rule("a", ">", relative("startOfDay")))),
    (F.a > TODAY - months(1), group("and", rule("a", ">", relative("startOfDay", -1, "month")))),
    (everyone() | a, group("or", group("and"), A)),
]  # fmt: skip


@pytest.mark.parametrize(("where", "expected"), WRITTEN, ids=lambda part: repr(part)[:60])
def test_writes(where: Predicate, expected: dict[str, Any]) -> None:
    document = to_react_querybuilder(where)
    assert json.loads(json.dumps(document)) == document == expected
    assert to_react_querybuilder(Segment("named", where)) == expected


@pytest.mark.parametrize(
    ("where", "part"),
    [
        (E.opened.count() > 5, "E.opened.count() > 5: its rules are about fields alone"),
        (a & (F.x / 2 > 5), "F.x / 2 > 5"),
        (in_list("VIP"), "in_list('VIP'): it has no lists"),
        (in_segment("VIP"), "no lists and segments"),
        (sample(percent=10), "no ranks and samples"),
        (F.a.matches("x"), "no patterns"),
        (F.a.contains("x", ignore_case=True), "ignore case"),
        (F.a.anniversary(), "relative to now"),
        (F.a.on("2026-01-01"), "relative to now"),
        (F.a.is_in([]), "no word for nobody"),
        (~everyone(), "no word for nobody"),
        (F.a == 2**60, "no whole numbers that large"),
        (F.a == Decimal("0.12345678901234567890"), "no decimals that long"),
        (F.a > "20260131", "reads digits in quotes as a number"),
        (F["~"] == 1, "not chosen yet"),
        (F.a == F["~"], "not chosen yet"),
        (F.a.contains(F["~"]), "not chosen yet"),
        (F.a.contains(F.b.lower()), "looks for constants and other fields"),
        (F.a.contains(F.b, ignore_case=True), "ignore case"),
        (constant("x").contains(F.a), "fields alone"),
        (F.a == F.b.month(), "its values are"),
        (F.a > NOW, "takes now for today"),
        (F.a > NOW - days(7), "takes now for today"),
        (F.a.json("b").elements() >= 1, "not what a path leads to"),
        (F.a.elements() > 1, "all, none, some, at least"),
        (F.a.elements() >= 0.5, "all, none, some, at least"),
        (F.a.elements(F.element == 1) == F.b.elements(), "all, none, some, at least"),
        (F.a.elements(F.element == 1) / F.a.elements() >= 1, "all, none, some, at least"),
        (F.a.elements(F.element == 1).is_in([1]), "fields alone"),
        (F.a.elements(F.k == F.element) >= 1, "a key beside the element"),
        (F.a.elements(F.b.elements() >= 1) >= 1, "elements of elements"),
        (F.a.elements(F.b.json("c") == 1) >= 1, "fields alone"),
        (F.a.elements(F.element.within(days=3)) >= 1, "has no times"),
    ],
    ids=lambda part: repr(part)[:50],
)
def test_what_it_cannot_say_is_refused_by_name(where: Predicate, part: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        to_react_querybuilder(where)
    assert part in str(caught.value)
    assert caught.value.fix


# ---------------------------------------------------------------- both ways

_NUMBERS = (*INTEGERS, *DECIMALS, *(f for f in FLOATS if f == f))
_POOLS: dict[str, tuple[Any, ...]] = {
    "country": TEXTS, "code": TEXTS, "opens": _NUMBERS, "price": _NUMBERS, "score": _NUMBERS, "vip": (True, False),
    "birthday": DAYS, "seen_at": tuple(dt.datetime(2025, 6, 30, h, tzinfo=dt.UTC) for h in (11, 12, 13)),
}  # fmt: skip
_DATATYPES = {"INTEGER": "number", "BIGINT": "number", "DOUBLE": "number", "DECIMAL(18, 2)": "number", "VARCHAR": "text"}
CATALOG_FIELDS = [
    {"name": name, "datatype": _DATATYPES.get(kind, kind.split(" ")[0].lower())} for name, kind in TABLES["contacts"].items()
]


@st.composite
def _elements(draw: Any) -> nodes.Predicate:
    """A number of elements that the form has a mode for."""
    element, plan = nodes.Field("element"), nodes.Field("plan")
    one = st.sampled_from((element, element, plan))
    text = st.sampled_from((*TEXTS[:5], "2", "pro"))
    leaf = st.one_of(
        st.builds(nodes.Compare, st.just("=="), one, text.map(nodes.literal)),
        st.builds(nodes.TextTest, st.just("contains"), one, text),
        st.builds(nodes.Missing, one),
        st.just(nodes.Compare(">", element, nodes.literal(2))),
        st.just(nodes.Compare("==", element, plan)),
    )
    where = draw(st.none() | leaf | leaf.map(nodes.Not) | st.tuples(leaf, leaf).map(nodes.Or))
    own, all_of_them = nodes.Elements(nodes.Field("props"), (), where), nodes.Elements(nodes.Field("props"))
    order = draw(st.sampled_from(("==", "<=", ">=")))
    number, share = draw(st.sampled_from((0, 1, 2, 3))), draw(st.sampled_from((0.1, 0.5)))
    counted = nodes.Compare(order, own, nodes.literal(number))
    shared = nodes.Compare(order, nodes.Arithmetic("/", own, all_of_them), nodes.literal(share))
    return draw(st.sampled_from((nodes.Compare("==", own, all_of_them), counted, counted, shared)))


@st.composite
def sayable(draw: Any) -> nodes.Predicate:
    """One condition that the form has words for."""
    name = draw(st.sampled_from(sorted(_POOLS)))
    field, pool = nodes.Field(name), [nodes.literal(value) for value in _POOLS[name]]
    shape = draw(st.sampled_from(("equal", "in", "missing", "elements", "own", "own")))
    match shape:
        case "elements":
            return draw(_elements())
        case "equal":
            return nodes.Compare("==", field, draw(st.sampled_from(pool)))
        case "in":
            return nodes.OneOf(field, tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))))
        case "missing":
            return nodes.Missing(field)
    match name:
        case "country" | "code":
            test = draw(st.sampled_from(("contains", "startswith", "endswith")))
            other = st.sampled_from(("country", "code")).map(nodes.Field)
            return nodes.TextTest(test, field, draw(st.sampled_from(TEXTS) | other))
        case "birthday" | "seen_at":
            usable = [pair for pair in LENGTHS if name == "seen_at" or pair[0] not in ("minutes", "hours")]
            unit, amount = draw(st.sampled_from(usable))
            length = nodes.Duration(amount, unit)  # type: ignore[arg-type]
            return nodes.During(
                field, draw(st.sampled_from((nodes.Last(length, True), nodes.Before(length), nodes.Next(length))))
            )
        case "vip":
            return nodes.Compare("==", nodes.Field("country"), nodes.Field("code"))
    order = draw(st.sampled_from(("<", "<=", ">", ">=", "between")))
    if order == "between":
        low, high = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        return nodes.And((nodes.Compare(">=", field, low), nodes.Compare("<=", field, high)))
    return nodes.Compare(order, field, draw(st.sampled_from(pool)))


def groups(leaves: Any) -> Any:
    items = st.lists(leaves, min_size=1, max_size=3).map(tuple)
    return st.one_of(items.map(nodes.And), items.map(nodes.Or), leaves.map(nodes.Not), leaves.map(nodes.Not))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
def test_reading_what_was_written_means_the_same(zone: str) -> None:
    sizes: list[int] = []

    @examples(250, 0.3)
    @given(st.recursive(sayable(), groups, max_leaves=5).map(Predicate), moments())
    def same(where: Predicate, at: dt.datetime) -> None:
        document = json.loads(json.dumps(to_react_querybuilder(where)))
        again = from_react_querybuilder(document, fields=CATALOG_FIELDS).where
        expected = world(zone).expected(where, at)
        assert world(zone).expected(again, at) == expected
        assert world(zone).members(again, at) == expected
        sizes.append(len(expected))

    same()
    assert len(set(sizes)) > 15


_PLAIN = st.sampled_from(("country", "opens")).flatmap(
    lambda name: st.sampled_from(
        {
            "country": [
                F.country == "USA",
                F.country == "5",
                F.country.is_in(["a", "5"]),
                F.country.contains("%"),
                F.country.endswith(F.code),
            ],
            "opens": [F.opens == 5, F.opens < 1.5, F.opens.between(1, 2), F.opens.is_missing(), F.opens == F.clicks],
        }[name]
    )
)


def test_plain_definitions_read_back_equal() -> None:
    def joined(below: Any) -> Any:
        items = st.lists(below.map(lambda p: p.node), min_size=2, max_size=3).map(tuple)
        return st.one_of(below.map(lambda p: ~p), items.map(nodes.And).map(Predicate), items.map(nodes.Or).map(Predicate))

    @examples(300, 0.1)
    @given(st.recursive(_PLAIN, joined, max_leaves=6))
    def equal(where: Predicate) -> None:
        assert from_react_querybuilder(to_react_querybuilder(where)).where == where

    equal()


def test_any_definition_is_said_or_refused() -> None:
    said: list[bool] = []
    reasons: set[str] = set()

    @examples(600, 0.3)
    @given(definitions(), moments())
    def either(where: Predicate, at: dt.datetime) -> None:
        try:
            document = to_react_querybuilder(where)
        except DefinitionError as error:
            said.append(False)
            reasons.add(error.what.split(": ")[-1])
            return
        said.append(True)
        again = from_react_querybuilder(document, fields=CATALOG_FIELDS).where
        assert world("Europe/Rome").members(again, at) == world("Europe/Rome").expected(where, at)

    either()
    print(f"{sum(said)} of {len(said)} said", reasons)
    assert sum(said) >= 40
