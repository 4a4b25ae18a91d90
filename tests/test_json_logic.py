"""JsonLogic: what is written, and that an evaluator of others finds the same contacts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_logic import jsonLogic as their_answer
from strategies import TEXTS, definitions
from test_laws import examples

from segkit import (
    NOW,
    DefinitionError,
    E,
    F,
    Segment,
    constant,
    everyone,
    in_list,
    in_segment,
    nodes,
    raw_sql,
    sample,
    to_json_logic,
)
from segkit.builder import Predicate

KINDS = {"t": "text", "u": "text", "n": "float", "m": "float", "b": "boolean"}
CATALOG = {
    "contacts": {"table": "contacts", "key": "id", "fields": {name: {"kind": kind} for name, kind in KINDS.items()}},
}
SAYABLE_TEXTS = tuple(text for text in TEXTS if text.isascii() or max(text) <= "\uffff")
NUMBERS = (0, -1, 1, 2, 1.5, 5, 0.1, Decimal("0.10"), 2**53 - 1)
POOL: dict[str, tuple[Any, ...]] = {
    "t": (None, *TEXTS, "1", "0", "true", "null", "None", "xUSA", "USAx"),
    "u": (None, "", "USA", "1"),
    "n": (None, 0, -1, 1, 2, 1.5, 5, 0.1, 2**53 - 1),
    "m": (None, 0, 1, 1.0, 5),
    "b": (None, True, False),
}  # fmt: skip


def contacts(*names: str) -> Iterator[dict[str, Any]]:
    """Every mix of the values of these fields; the rest are missing, by null or by not being there."""
    for values in product(*(POOL[name] for name in names)):
        yield dict(zip(names, values, strict=True))
    yield {}


WRITTEN: list[tuple[Predicate, dict[str, Any]]] = [
    (F.t == "x", {"and": [{"!==": [{"var": "t"}, None]}, {"===": [{"var": "t"}, "x"]}]}),
    (F.n < 5, {"and": [{"!==": [{"var": "n"}, None]}, {"<": [{"var": "n"}, 5]}]}),
    (constant(5) >= F.n, {"and": [{"!==": [{"var": "n"}, None]}, {">=": [5, {"var": "n"}]}]}),
    (F.n == F.m, {"and": [{"!==": [{"var": "n"}, None]}, {"!==": [{"var": "m"}, None]}, {"===": [{"var": "n"}, {"var": "m"}]}]}),
    (F.t.is_in(["x", "y"]), {"in": [{"var": "t"}, ["x", "y"]]}),
    (F.t.is_missing(), {"===": [{"var": "t"}, None]}),
    (~F.t.contains("x"), {"!": [{"and": [{"!==": [{"var": "t"}, None]}, {"in": ["x", {"var": "t"}]}]}]}),
    (F.t.contains(""), {"!==": [{"var": "t"}, None]}),
    (
        F.t.contains(F.u),
        {
            "and": [
                {"!==": [{"var": "t"}, None]},
                {"!==": [{"var": "u"}, None]},
                {"or": [{"===": [{"var": "u"}, ""]}, {"in": [{"var": "u"}, {"var": "t"}]}]},
            ]
        },
    ),
    (
        F.t.startswith("xy") | F.t.endswith("z"),
        {
            "or": [
                {"and": [{"!==": [{"var": "t"}, None]}, {"===": [{"substr": [{"var": "t"}, 0, 2]}, "xy"]}]},
                {"and": [{"!==": [{"var": "t"}, None]}, {"===": [{"substr": [{"var": "t"}, -1]}, "z"]}]},
            ]
        },
    ),
    (everyone(), {"!": [False]}),
]


@pytest.mark.parametrize(("where", "expected"), WRITTEN, ids=lambda part: repr(part)[:50])
def test_writes(where: Predicate, expected: dict[str, Any]) -> None:
    rule = to_json_logic(where)
    assert json.loads(json.dumps(rule)) == rule == expected
    assert to_json_logic(Segment("named", where)) == expected


@pytest.mark.parametrize(
    ("where", "part"),
    [
        (E.opened.count() > 5, "E.opened.count() > 5: its rules are about fields alone"),
        (F.n / 2 > 5, "fields alone"),
        ((F.n > 1) & in_list("VIP"), "in_list('VIP'): it has no lists"),
        (in_segment("VIP"), "no lists and segments"),
        (sample(percent=10), "no ranks and samples"),
        (F.n.top(n=5), "no ranks and samples"),
        (raw_sql("n > 1", dialect="duckdb"), "no SQL"),
        (F.t.matches("x"), "no patterns"),
        (F.t.contains("x", ignore_case=True), "ignore case"),
        (F.t.startswith("👍"), "count characters"),
        (F.t.contains(F.u, ignore_case=True), "ignore case"),
        (F.t.startswith(F.u), "how long a field's text is"),
        (F.t.endswith(F.u), "how long a field's text is"),
        (F.t.contains(F.u.lower()), "fields alone"),
        (constant("x").contains(F.u), "fields alone"),
        (F.d.within(days=3), "no dates"),
        (F.d > dt.date(2026, 1, 1), "no dates"),
        (F.d > "2026-01-01", "no order but that of numbers"),
        (F.d == dt.datetime(2026, 1, 1), "no dates"),
        (F.d.is_in([dt.date(2026, 1, 1)]), "no dates"),
        (F.d < NOW, "fields alone"),
        (F["a.b"] == 1, "a dot in a name"),
        (F.n == 2**60, "no whole numbers that large"),
        (F.n == Decimal("0.12345678901234567890"), "no decimals that long"),
    ],
    ids=lambda part: repr(part)[:50],
)
def test_what_it_cannot_say_is_refused_by_name(where: Predicate, part: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        to_json_logic(where)
    assert part in str(caught.value)
    assert caught.value.fix


# ---------------------------------------------------------------- the same contacts


def differing(where: Predicate) -> list[dict[str, Any]]:
    """The contacts for which the two do not agree."""
    rule, own = json.loads(json.dumps(to_json_logic(where))), Segment(None, where)
    names = sorted({node.name for level in nodes.levels(where.node) for node in level if isinstance(node, nodes.Field)})
    return [
        contact
        for contact in contacts(*names)
        if their_answer(rule, contact) is not own.matches({"id": 1, **contact}, catalog=CATALOG)
    ]


def _leaves() -> list[Predicate]:
    text = [getattr(F.t, test)(part) for part in SAYABLE_TEXTS for test in ("contains", "startswith", "endswith", "__eq__")]
    text += [
        F.t.is_in(["USA", ""]),
        F.t.is_in([]),
        F.t.is_missing(),
        F.t == F.u,
        F.t.contains(F.u),
        F.u.contains(F.t),
        F.t.is_in(["1"]),
        F.t == "null",
    ]
    numbers = [n for v in NUMBERS for n in (F.n == v, F.n < v, F.n <= v, F.n > v, F.n >= v, F.n.is_in([v, 5]))]
    fields = [F.n == F.m, F.n < F.m, F.n <= F.m, F.n > F.m, F.n >= F.m, F.n.between(F.m, 5), F.n.is_missing()]
    truth = [F.b == True, F.b == False, F.b.is_missing()]  # noqa: E712
    return [*text, *numbers, *fields, *truth, everyone()]


LEAVES = _leaves()


@pytest.mark.parametrize("where", LEAVES, ids=repr)
def test_a_condition_and_its_complement_hold_for_the_same_contacts(where: Predicate) -> None:
    assert differing(where) == []
    assert differing(~where) == []


def test_groups_hold_for_the_same_contacts() -> None:
    def groups(below: Any) -> Any:
        items = st.lists(below.map(lambda p: p.node), min_size=1, max_size=3).map(tuple)
        return st.one_of(below.map(lambda p: ~p), items.map(nodes.And).map(Predicate), items.map(nodes.Or).map(Predicate))

    few = [where for where in LEAVES if "F.u" not in repr(where) and "F.m" not in repr(where)]

    @examples(150, 0.05)
    @given(st.recursive(st.sampled_from(few), groups, max_leaves=3))
    def same(where: Predicate) -> None:
        assert differing(where) == []

    same()


def test_a_comparison_that_does_not_ask_for_a_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.json_logic._known", lambda *_: [])
    assert {"n": None} in differing(F.n < 5)


def test_any_definition_is_written_or_refused() -> None:
    written: list[bool] = []

    @examples(300, 0.3)
    @given(definitions())
    def either(where: Predicate) -> None:
        try:
            assert json.dumps(to_json_logic(where), allow_nan=False)
        except DefinitionError:
            written.append(False)
        else:
            written.append(True)

    either()
    assert sum(written) >= 30
