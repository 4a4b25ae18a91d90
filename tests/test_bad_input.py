"""Bad input gets one clear error, at once; hostile input gets the right answer."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, reduce
from itertools import product
from pathlib import Path
from typing import Any

import cases_runner
import duckdb
import numpy as np
import pandas as pd
import pytest
from cases_runner import Case, all_cases
from engines import ENGINES, Rows, closed_in_the_end

import segkit
from segkit import (
    Catalog,
    CatalogError,
    DataError,
    DefinitionError,
    DialectError,
    E,
    EngineError,
    F,
    SegkitError,
    Segment,
    any_of,
    compile,
    connect,
    everyone,
    in_list,
    in_segment,
)
from segkit.builder import Predicate
from segkit.catalog import ContactTable, EventTable, HistoryTable, Kind, ListTable
from segkit.compile import conditions, sql
from segkit.compile.joined import base_of
from segkit.metrics import members
from segkit.plan import moment, plan
from segkit.rendering import render
from segkit.segment import as_segment, by_name

AS_OF = "2025-06-30T12:00:00"


def told(error: SegkitError, where: bool = True) -> None:
    """The error says what to do and, if asked, where."""
    assert error.what.strip()
    assert error.fix.strip(), f"no fix: {error}"
    assert len(str(error)) < 2_000, "an error is to be read"
    if where:
        assert re.match(r"\$|line \d+, column \d+", error.where), f"no place: {error!r} {error.where!r}"


# ---------------------------------------------------------------- a table of bad documents


def _api(**condition: Any) -> dict[str, Any]:
    return {"name": "S", "conditions": [condition]}


def _own(where: Any) -> dict[str, Any]:
    return {"segkit": 1, "name": "S", "where": where}


def _compare(left: Any, right: Any = 5, op: Any = ">") -> dict[str, Any]:
    return _own({"type": "compare", "op": op, "left": left, "right": right})


A = {"type": "field", "name": "a"}
OPENED = {"type": "events", "event": "opened"}
DAYS = {"type": "duration", "amount": 30, "unit": "days"}
CYCLE: dict[str, Any] = {"name": "S", "conditions": []}
CYCLE["conditions"].append(CYCLE)
DOUBLING: list[Any] = []
DOUBLING += [DOUBLING, DOUBLING]

BAD: list[Any] = [
    # no documents
    None, True, 5, 5.5, "text", [], [1], (), b"bytes", object(), {1, 2}, lambda: None,
    # neither form
    {}, {"name": "S"}, {"where": A}, {"Segkit": 1, "where": {"type": "everyone"}}, {1: 2}, {None: None},
    # the version and the frame of the own form
    {"segkit": 2, "where": {"type": "everyone"}}, {"segkit": "1", "where": {"type": "everyone"}},
    {"segkit": True, "where": {"type": "everyone"}}, {"segkit": None, "where": {"type": "everyone"}},
    {"segkit": [], "where": {"type": "everyone"}}, {"segkit": 1}, {"segkit": 1, "conditions": []},
    {"segkit": 1, "where": {"type": "everyone"}, "extra": 1},
    {"segkit": 1, "where": {"type": "everyone"}, "name": 5}, {"segkit": 1, "where": {"type": "everyone"}, "name": ""},
    {"segkit": 1, "where": {"type": "everyone"}, "name": ["S"]}, {"segkit": 1, "where": {"type": "everyone"}, "name": "a\0b"},
    {"segkit": 1, "where": {"type": "everyone"}, "name": "\ud800"}, {"segkit": 1, "where": {"type": "everyone"}, "notes": 5},
    {"segkit": 1, "where": {"type": "everyone"}, "notes": None}, {"segkit": 1, "where": {"type": "everyone"}, "owner": {}},
    {"segkit": 1, "where": {"type": "everyone"}, "tags": "a"}, {"segkit": 1, "where": {"type": "everyone"}, "tags": [5]},
    {"segkit": 1, "where": {"type": "everyone"}, "tags": [""]}, {"segkit": 1, "where": {"type": "everyone"}, "tags": {"a": 1}},
    {"segkit": 1, "where": {"type": "everyone"}, "name": "x" * 2_000},
    # predicates of the own form
    _own(None), _own(True), _own([]), _own({}), _own("everyone"), _own({"type": "nobody"}), _own({"type": 5}), _own({"type": ["and"]}),
    _own({"type": "everyone", "extra": 1}), _own(A), _own({"type": "and"}), _own({"type": "and", "items": []}),
    _own({"type": "and", "items": {}}), _own({"type": "or", "items": [None]}), _own({"type": "or", "items": [A]}),
    _own({"type": "not"}), _own({"type": "not", "item": None}), _own({"type": "not", "item": []}),
    _own({"type": "not", "item": {"type": "everyone"}, "items": []}), _own({"type": "in_list"}), _own({"type": "in_list", "name": ""}),
    _own({"type": "in_list", "name": 5}), _own({"type": "in_segment", "name": None}), _own({"type": "missing", "value": 5, "x": 1}),
    _own({"type": "missing"}), _own({"type": "one_of", "value": A}), _own({"type": "one_of", "value": A, "options": 5}),
    _own({"type": "one_of", "value": A, "options": "abc"}), _own({"type": "one_of", "value": A, "options": [None]}),
    _own({"type": "one_of", "value": A, "options": [[1]]}), _own({"type": "one_of", "value": A, "options": [A]}),
    _own({"type": "text_test", "test": "like", "value": A, "text": "x"}), _own({"type": "text_test", "test": "contains", "value": A}),
    _own({"type": "text_test", "test": "contains", "value": A, "text": 5}),
    _own({"type": "text_test", "test": "contains", "value": A, "text": "x", "ignore_case": 1}),
    _own({"type": "text_test", "test": "contains", "value": A, "text": "\0"}),
    # values of the own form
    _compare(None), _compare([]), _compare({}), _compare({"type": "field"}), _compare({"type": "field", "name": 5}),
    _compare({"type": "field", "name": ""}), _compare({"type": "fild", "name": "a"}), _compare({"type": "everyone"}),
    _compare(A, None), _compare(A, op="=>"), _compare(A, op=None), _compare(A, op=[">"]), _compare(A, float("nan")),
    _compare(A, float("inf")), _compare(A, 2**70), _compare(A, -(2**70)), _compare(A, object()), _compare(A, "\udfff"),
    _compare(A, {"type": "date", "value": "2025-02-30"}), _compare(A, {"type": "date", "value": 5}), _compare(A, {"type": "date"}),
    _compare(A, {"type": "date", "value": "2025-01-01", "zone": "UTC"}), _compare(A, {"type": "timestamp", "value": "soon"}),
    _compare(A, {"type": "decimal", "value": "1,5"}), _compare(A, {"type": "decimal", "value": "NaN"}),
    _compare(A, {"type": "decimal", "value": "1e99999"}), _compare(A, {"type": "decimal", "value": "sNaN"}), _compare(A, {"type": "decimal", "value": ""}),
    _compare(A, {"type": "decimal", "value": "Infinity"}), _compare(A, {"type": "decimal", "value": 1.5}), _compare(A, DAYS | {"amount": 1.5}), _compare(A, DAYS | {"amount": -1}),
    _compare(A, DAYS | {"amount": True}), _compare(A, DAYS | {"amount": 10**12}), _compare(A, DAYS | {"unit": "fortnights"}),
    _compare(A, {"type": "duration", "amount": 30}), _compare(A, {"type": "rate", "amount": "5", "per": "year"}),
    _compare(A, {"type": "rate", "amount": 5, "per": "hour"}), _compare(A, {"type": "rate", "amount": True, "per": "year"}),
    _compare({"type": "part", "part": "minute", "value": A}), _compare({"type": "arithmetic", "op": "%", "left": A, "right": A}),
    _compare({"type": "arithmetic", "op": "+", "left": A}), _compare({"type": "aggregate", "measure": "count"}),
    _compare({"type": "aggregate", "measure": "median", "events": OPENED}), _compare({"type": "aggregate", "measure": "count", "events": A}),
    _compare({"type": "aggregate", "measure": "sum", "events": OPENED}), _compare({"type": "aggregate", "measure": "count", "events": OPENED, "of": "amount"}),
    _compare({"type": "aggregate", "measure": "count", "events": OPENED | {"event": ""}}),
    _compare({"type": "aggregate", "measure": "count", "events": OPENED | {"where": True}}),
    _compare({"type": "aggregate", "measure": "count", "events": OPENED | {"span": {"type": "next", "length": DAYS}}}),
    _compare({"type": "aggregate", "measure": "count", "events": OPENED | {"span": {"type": "on_day", "day": "2025-01-01"}}}),
    # spans
    _own({"type": "during", "value": A}), _own({"type": "during", "value": A, "span": None}), _own({"type": "during", "value": A, "span": DAYS}),
    _own({"type": "during", "value": A, "span": {"type": "last"}}), _own({"type": "during", "value": A, "span": {"type": "last", "length": 30}}),
    _own({"type": "during", "value": A, "span": {"type": "last", "length": DAYS | {"amount": 0}}}),
    _own({"type": "during", "value": A, "span": {"type": "last", "length": DAYS, "edge": "yes"}}),
    _own({"type": "during", "value": A, "span": {"type": "between", "older": DAYS, "newer": DAYS}}),
    _own({"type": "during", "value": A, "span": {"type": "anniversary", "within": 400}}),
    _own({"type": "during", "value": A, "span": {"type": "anniversary", "within": True}}),
    # the API form
    {"conditions": None}, {"conditions": {}}, {"conditions": []}, {"conditions": "a"}, {"conditions": [None]}, {"conditions": [[]]}, {"conditions": [5]},
    {"logic": "AND"}, {"conditions": [{"field": "a", "operator": "is_null"}], "logic": "XOR"},
    {"conditions": [{"field": "a", "operator": "is_null"}], "logic": None}, {"conditions": [{"field": "a", "operator": "is_null"}], "logic": ["AND"]},
    {"conditions": [{"field": "a", "operator": "is_null"}], "not": "yes"}, {"conditions": [{"field": "a", "operator": "is_null"}], "not": 1},
    {"conditions": [{"field": "a", "operator": "is_null"}], "name": 5}, {"conditions": [{"field": "a", "operator": "is_null"}], "extra": 5},
    {"conditions": [{"field": "a", "operator": "is_null"}], "notes": "x", "description": "y"},
    {"conditions": [{"field": "a", "operator": "is_null"}], "description": 5}, {"conditions": [{"conditions": []}]}, {"conditions": [{"logic": "OR"}]},
    {"conditions": [{"name": "inner", "conditions": [{"field": "a", "operator": "is_null"}]}]},
    _api(), _api(field="a"), _api(operator="equals"), _api(field="a", operator="equals"), _api(field=5, operator="is_null"), _api(field="", operator="is_null"),
    _api(field=None, operator="is_null"), _api(field=["a"], operator="is_null"), _api(field="a\0", operator="is_null"), _api(field="a", operator=5),
    _api(field="a", operator=None), _api(field="a", operator=[]), _api(field="a", operator=""), _api(field="a", operator="equal"),
    _api(field="a", operator="is_null", value=5), _api(field="a", operator="equals", value=[1]), _api(field="a", operator="equals", value={}),
    _api(field="a", operator="equals", value={"type": "field", "name": "b"}), _api(field="a", operator="equals", value=float("nan")),
    _api(field="a", operator="greater_than", value=None), _api(field="a", operator="between", value=5), _api(field="a", operator="between", value=[1]),
    _api(field="a", operator="between", value=[1, 2, 3]), _api(field="a", operator="between", value=[1, None]), _api(field="a", operator="in", value="abc"),
    _api(field="a", operator="in", value={"b": 1}), _api(field="a", operator="in", value=[None]), _api(field="a", operator="in", value=[[1]]),
    _api(field="a", operator="contains", value=5), _api(field="a", operator="contains", value=None), _api(field="a", operator="contains", value="\ud800"),
    _api(field="a", operator="within_days", value="30"), _api(field="a", operator="within_days", value=1.5), _api(field="a", operator="within_days", value=True),
    _api(field="a", operator="within_days", value=0), _api(field="a", operator="within_days", value=-5), _api(field="a", operator="within_days", value=None),
    _api(field="a", operator="within_days", value=10**30), _api(field="a", operator="anniversary", value=-1), _api(field="a", operator="on", value=None),
    _api(field="a", operator="equals", value=1, extra=2), _api(field="a", operator="equals", value=10**400), _api(Field="a", operator="equals", value=1),
    # circles
    CYCLE, _own(CYCLE), DOUBLING, {"conditions": DOUBLING},
]  # fmt: skip

BAD_TEXTS: list[str | bytes] = [
    "", " ", "{", "}", "[", "nul", "{'name': 'S'}", '{"name": "S",}', '{"conditions": [}', '{"a": 1} {"b": 2}', "\ufeff{}", "\0", '"\\ud800"',
    '{"name": "S", "name": "T", "conditions": []}', '{"conditions": [{"field": "a", "field": "b", "operator": "is_null"}]}',
    '{"conditions": [{"field": "a", "operator": "equals", "value": NaN}]}', '{"conditions": [{"field": "a", "operator": "equals", "value": Infinity}]}',
    '{"conditions": [{"field": "a", "operator": "equals", "value": -Infinity}]}', '{"conditions": [{"field": "a", "operator": "equals", "value": 1e999}]}',
    '{"conditions": [{"field": "a", "operator": "equals", "value": ' + "9" * 5_000 + "}]}", '{"conditions": [{"field": "\\u0000", "operator": "is_null"}]}',
    '{"conditions": [{"field": "a", "operator": "equals", "value": "\\ud800"}]}', '{"conditions": [{"field": "a\\ud800", "operator": "is_null"}]}',
    b"\xff\xfe", b"\x80", b"", "[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"conditions": ' * 10_000, '{"a":' * 100_000, "[" * 1_000_000, '["' + "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_a_bad_mapping_is_refused(number: int) -> None:
    with pytest.raises(SegkitError) as refusal:
        Segment.from_dict(BAD[number])
    told(refusal.value)


@pytest.mark.parametrize("number", range(len(BAD_TEXTS)))
def test_a_bad_text_is_refused(number: int) -> None:
    with pytest.raises(SegkitError) as refusal:
        Segment.from_json(BAD_TEXTS[number])
    told(refusal.value)


def test_the_own_form_without_its_version_is_told_so() -> None:
    with pytest.raises(DefinitionError, match='add "segkit": 1'):
        Segment.from_dict({"name": "S", "where": {"type": "everyone"}})
    for document in ({"where": {"field": "a"}}, {"conditions": [], "where": {"type": "everyone"}}):
        with pytest.raises(DefinitionError, match="unknown key 'where'"):
            Segment.from_dict(document)


def test_the_table_is_long() -> None:
    assert len(BAD) + len(BAD_TEXTS) >= 80


# ---------------------------------------------------------------- mutated documents

FIELDS = {"a": "integer", "b": "text", "c": "timestamp", "d": "date", "e": "boolean", "f": "decimal", "g": "json"}
SMALL = Catalog.from_dict(
    {
        "contacts": {"fields": FIELDS},
        "events": [{"id": "event_id", "properties": {"amount": "decimal", "campaign": "text"}, "names": ["opened"]}],
        "lists": {},
    }
)
VALID = [
    Segment("One", (F.a > 5) & (F.b != "USA") | F.c.within(days=30), notes="n", owner="o", tags=["t"]),
    Segment("Two", E.opened.where(F.amount > 50).within(days=30).sum("amount") / (F.a + 1) >= 2.5),
    Segment("Three", any_of(F.b.is_in(["x", "y"]), F.b.contains("%", ignore_case=True), ~(F.e == True), F.f == None)),  # noqa: E711, E712
    Segment("Four", F.d.anniversary(within_days=7) & F.c.on("2025-06-30") & (E.opened.window(days=(90, 30)).count() < 2)),
    Segment("Six", F.g.json("a.b", 0).is_in(["x"]) | F.a.top(percent=10, of=F.e == True) | (F.f.quantile(4) == 1)),  # noqa: E712
    Segment("Seven", (E.opened.then(E.opened.where(F.amount > 1), days=7).count() > 2) & segkit.sample(percent=10, seed="s")),
    Segment("Eight", (segkit.word("Opened") > 1) & F.c.in_period("month", -1) & (F.f.round(2).coalesce(F.a, 1) > 2)),
    Segment("Nine", segkit.raw_sql("a > 5 AND b = 'x'", dialect="duckdb") & (F.b.upper() == "X") & (F.b.length() > 2)),
    Segment("Five", (F.d.month() == 6) | (F.f.between(1, 19.99)) | ~in_list("L") | (F.d > segkit.TODAY - segkit.days(30))),
]
OPERATORS = [
    {"field": "a", "operator": "between", "value": [1, 5]}, {"field": "b", "operator": "in", "value": ["x"]}, {"field": "c", "operator": "within_days", "value": 30},
    {"field": "b", "operator": "not_contains", "value": "x"}, {"field": "e", "operator": "is_true"}, {"field": "f", "operator": "equals", "value": None},
    {"logic": "OR", "not": True, "conditions": [{"field": "d", "operator": "on", "value": "2025-06-30"}, {"field": "a", "operator": "gt", "value": 3}]},
]  # fmt: skip
DOCUMENTS = [segment.to_dict() for segment in VALID] + [{"name": "Six", "logic": "AND", "conditions": OPERATORS, "tags": ["t"]}]
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 2**63, 10**400, "", "x", "\0", "\ud800", "a'b", [], [[]], {}, {"type": "field"}, {"type": "nobody"}, (), b"x",
    "x" * 200_000, [0] * 50, object(), {"type": "decimal", "value": "1e50"}, {"type": "field", "name": "a"}, {"type": "today"}, 1e308, "2025-02-30", 10_000_000,
]  # fmt: skip


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every container with every key into it."""
    found, stack = [], [document]
    while stack:
        at = stack.pop()
        pairs = list(at.items()) if isinstance(at, dict) else list(enumerate(at)) if isinstance(at, list) else []
        found += [(at, key) for key, _ in pairs]
        stack += [value for _, value in pairs]
    return found


def mutated(rng: random.Random, documents: list[Any]) -> Any:
    """A valid document with one to three random mistakes; a mapping, or JSON text where only text can be wrong so."""
    document = copy.deepcopy(rng.choice(documents))
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = _places(document)
        if not places:
            break
        at, key = rng.choice(places)
        match rng.choice(("drop", "rename", "junk", "junk", "junk", "swap", "add", "wrap", "circle", "deep", "twice")):
            case "drop":
                del at[key]
            case "rename" if isinstance(at, dict):
                at[rng.choice((str(key).upper(), f"{key} ", "type", "x", 5, None, ("a",)))] = at.pop(key)
            case "swap":
                other, place = rng.choice(places)
                at[key] = copy.deepcopy(other[place])
            case "add" if isinstance(at, dict):
                at[rng.choice(("type", "extra", "value", "not", "where"))] = copy.deepcopy(rng.choice(JUNK))
            case "wrap":
                at[key] = [at[key]] if rng.random() < 0.5 else {"type": "not", "item": at[key]}
            case "circle":
                at[key] = document if rng.random() < 0.5 else at
                return document
            case "deep":
                at[key] = reduce(lambda inner, _: {"type": "not", "item": inner}, range(rng.choice((60, 300, 5_000))), at[key])
                return document
            case "twice" if isinstance(at, dict) and isinstance(key, str):
                try:
                    text = json.dumps(document)
                except (TypeError, ValueError, RecursionError):
                    continue
                return text.replace(f"{json.dumps(key)}:", f"{json.dumps(key)}: 1, {json.dumps(key)}:", 1)
            case _:
                at[key] = copy.deepcopy(rng.choice(JUNK))
    return document


def _answer(document: Any) -> SegkitError | None:
    """What comes of a document: nothing, or the refusal by reading, planning or rendering it."""
    try:
        segment = Segment.from_json(document) if isinstance(document, str) else Segment.from_dict(document)
        render(compile.members(plan(segment.definition, SMALL, moment(AS_OF, "UTC"))), "duckdb")
        assert Segment.from_json(segment.to_json()) == segment
    except SegkitError as error:
        return error
    return None


RULES: list[dict[str, Any]] = [
    {"combinator": "and", "rules": [{"field": "a", "operator": ">", "value": 5}, {"field": "b", "operator": "in", "value": ["x"]}]},
    {"rules": [{"field": "b", "operator": "contains", "value": "x"}, "or", {"field": "a", "operator": "between", "value": [1, 5]}]},
    {"combinator": "or", "not": True, "rules": [{"field": "b", "operator": "null", "value": None}, {"combinator": "and", "rules": []}]},
]  # fmt: skip


def _rules_answer(document: Any) -> SegkitError | None:
    try:
        segkit.from_react_querybuilder(document)
    except SegkitError as error:
        return error
    return None


def test_mutated_rules_are_refused_or_mean_something() -> None:
    rng = random.Random(os.environ.get("SEGKIT_FUZZ_SEED", "rules"))
    until = time.monotonic() + float(os.environ.get("SEGKIT_FUZZ_SECONDS", "2"))
    refused = 0
    while time.monotonic() < until:
        error = _rules_answer(mutated(rng, RULES))
        if error is not None:
            refused += 1
            told(error)
    assert refused > 200
    assert [_rules_answer(rules) for rules in RULES] == [None] * len(RULES)


def test_mutated_documents_are_refused_or_mean_something() -> None:
    rng = random.Random(os.environ.get("SEGKIT_FUZZ_SEED", 20250630))
    until = time.monotonic() + float(os.environ.get("SEGKIT_FUZZ_SECONDS", "0"))
    refused = tried = 0
    slowest = 0.0
    while refused < 5_000 or time.monotonic() < until:
        tried += 1
        document = mutated(rng, DOCUMENTS)
        began = time.perf_counter()
        error = _answer(document)
        slowest = max(slowest, time.perf_counter() - began)
        if error is not None:
            refused += 1
            told(error)
    assert tried < 2 * refused, "most mutations must be mistakes"
    assert slowest < 3, f"{slowest:.1f} s for one document"


def test_the_valid_documents_are_valid() -> None:
    assert [_answer(document) for document in DOCUMENTS] == [None] * len(DOCUMENTS)


# ---------------------------------------------------------------- hostile names

NAMES = [
    'say "hi"', "it's", "two\nlines", "cr\r\nlf", "*/ x /*", "-- x", "'); DROP TABLE contacts;--", '"; DROP TABLE canary; --', "{{ x }}", "%s %d :name ?", "\\", "`x`",
    "select", "a.b", "[x]", "👍", "\u202eRTL", "e\u0301", "__SQLGLOT__LB__", "SEGKIT_CONTAINS(", "</script>", "\u2028\u2029", "$1 $$", "\t",
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Iterator[segkit.Workspace]:
    """Fields, properties, events and lists with hostile names; contact i has 1 in field i, one event i, and is on list i."""
    n = len(NAMES)
    contacts = pd.DataFrame({"contact_id": range(n), **{name: [int(i == j) for j in range(n)] for i, name in enumerate(NAMES)}})
    events = pd.DataFrame(
        {
            "event_id": range(n), "contact_id": range(n), "event": NAMES, "occurred_at": [pd.Timestamp("2025-06-01")] * n,
            **{f"p {name}": [int(i == j) for j in range(n)] for i, name in enumerate(NAMES)},
        }
    )  # fmt: skip
    lists = pd.DataFrame({"list_name": NAMES, "contact_id": range(n)})
    canary = pd.DataFrame({"alive": [1]})
    with connect({"contacts": contacts, "events": events, "list_members": lists, "canary": canary}, as_of=AS_OF) as workspace:
        yield workspace
        assert workspace.engine.frame("SELECT alive FROM canary")["alive"].tolist() == [1]
        assert len(workspace.engine.frame("SELECT contact_id FROM contacts")) == n


@pytest.mark.parametrize("i", range(len(NAMES)), ids=[repr(name) for name in NAMES])
def test_hostile_names_mean_what_they_name(hostile: segkit.Workspace, i: int) -> None:
    name = NAMES[i]
    hostile.define(Segment(f"seg {name}", F[name] == 1))
    wheres = [
        F[name] == 1,
        E[name].any(),
        E[name].sum(f"p {name}") == 1,
        E["*"].where(F[f"p {name}"] == 1).any(),
        E[name].latest(f"p {name}") == 1,
        in_list(name),
        in_segment(f"seg {name}"),
    ]
    for where in wheres:
        segment = Segment(name, where, notes=f"notes {name}", owner=name, tags=[name])
        assert hostile.members(segment)["contact_id"].tolist() == [i], where
        assert hostile.sizes([segment])["size"].tolist() == [1]
        sql = hostile.sql(segment)
        assert hostile.engine.frame(sql)["contact_id"].tolist() == [i], sql
        header = sql[: sql.index("SELECT") if "WITH" not in sql else sql.index("WITH")]
        assert all(line.startswith("--") for line in header.splitlines()), header


def test_properties_that_bear_each_others_columns_are_told_apart() -> None:
    crossed = {"left": {"column": "right", "kind": "integer"}, "right": {"column": "left", "kind": "integer"}}
    catalog = {"contacts": {"table": "contacts"}, "events": [{"table": "events", "properties": crossed}]}
    event = {"event": "opened", "occurred_at": "2025-06-01T00:00:00", "left": 1, "right": 2}
    where = E.opened.where((F.left == 1) & (F.right == 2)).any()
    assert Segment("x", where).matches({"contact_id": 1}, [event], as_of=AS_OF, catalog=catalog)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_hostile_names_stay_inside_the_comment(name: str) -> None:
    for dialect in ("duckdb", "postgres", "snowflake", "bigquery", "sqlite"):
        sql = Segment(name, F.a == 1, notes=name).sql(dialect, as_of=AS_OF)
        plain = Segment("x", F.a == 1).sql(dialect, as_of=AS_OF)
        body = [
            [line for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", text) if not line.startswith("--")]
            for text in (sql, plain)
        ]
        assert body[0] == body[1]


# ---------------------------------------------------------------- hostile values

VALUES = [
    "", " ", "  ", "'", "''", "'''", '"', '""', "\\", "\\\\", "\\'", "'\\", "\\n", "\n", "\r", "\r\n", "\t", "\x0b", "\x1b[31m", "%", "%%", "_", "__", "50%_\\", "\\%",
    "' OR 1=1 --", "'; DROP TABLE contacts; --", "'); DROP TABLE contacts;--", "1; DROP TABLE canary", "/* x */", "*/", "/*", "--", "-- x\n", "#", ";", "$$", "$1", "?", ":name", "%s", "%(x)s",
    "{{ 7 * 7 }}", "{% raw %}", "{x}", "${x}", "`id`", "__SQLGLOT__LB__", "a__SQLGLOT__LB__b", "SEGKIT_CONTAINS", "NULL", "None", "NaN", "true", "0", "-1", "1e5", "E'x'", "x'41'", "N'x'", "U&'\\0041'",
    "\u202eabc", "\u200b", "\ufeff", "e\u0301", "é", "É", "ß", "ẞ", "İ", "ı", "K", "\u212a", "ſ", "👍", "👩\u200d👩\u200d👧", "🇮🇹", "مرحبا", "שלום", "日本語", "ÿ", "\u2028", "\x7f", "\x80", "A", "a", "aA", "USA", "usa", "z" * 5_000,
]  # fmt: skip
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@cache
def _folded(text: str) -> str:
    return text.translate(_FOLD)


TESTS: dict[str, tuple[Callable[[str], Predicate], Callable[[str, str], bool]]] = {
    "equals": (lambda s: F.v == s, lambda v, s: v == s),
    "is_in": (lambda s: F.v.is_in([s, "no such text"]), lambda v, s: v == s),
    "contains": (lambda s: F.v.contains(s), lambda v, s: s in v),
    "startswith": (lambda s: F.v.startswith(s), lambda v, s: v.startswith(s)),
    "endswith": (lambda s: F.v.endswith(s), lambda v, s: v.endswith(s)),
    "contains folded": (lambda s: F.v.contains(s, ignore_case=True), lambda v, s: _folded(s) in _folded(v)),
    "startswith folded": (lambda s: F.v.startswith(s, ignore_case=True), lambda v, s: _folded(v).startswith(_folded(s))),
    "endswith folded": (lambda s: F.v.endswith(s, ignore_case=True), lambda v, s: _folded(v).endswith(_folded(s))),
}


def is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


@contextmanager
def workspace_of(
    texts: list[str], engine: str, through: Callable[[Any], Any] = lambda source: source
) -> Iterator[segkit.Workspace]:
    """Texts as fields of contacts, beside a canary that must be alive in the end; asked through another driver, if one is given."""
    contacts = Rows({"contact_id": Kind.INTEGER, "v": Kind.TEXT}, [{"contact_id": i, "v": text} for i, text in enumerate(texts)])
    own = ENGINES[engine]
    source = own.loaded({"contacts": contacts, "canary": Rows({"alive": Kind.INTEGER}, [{"alive": 1}])})
    with (
        closed_in_the_end(source),
        connect(through(source), as_of=AS_OF, home=None, **own.connect) as workspace,
    ):
        yield workspace
        _see_canary(workspace)
        assert workspace.size(segkit.everyone()) == len(texts)


def _see_canary(workspace: segkit.Workspace) -> None:
    alive = Segment("alive", F.alive == 1).sql(workspace.engine.dialect, catalog=_CANARY)
    assert workspace.engine.frame(alive).iloc[:, 0].tolist() == [1]


_CANARY = {"contacts": {"table": "canary", "key": "alive", "fields": {"alive": "integer"}}}
_MOST = 160
"""Definitions in a query."""


def wrong(
    texts: list[str],
    values: list[str],
    engine: str = "duckdb",
    through: Callable[[Any], Any] = lambda source: source,
    most: int = _MOST,
    tests: Mapping[str, tuple[Callable[[str], Predicate], Callable[[str, str], bool]]] = TESTS,
) -> list[tuple[str, str]]:
    """The values, with tests, that find other texts on an engine than in Python.

    So many at `most` are asked for in one query; the canary is looked at after each.
    """
    asked = list(product(values, tests))
    found = []
    with workspace_of(texts, engine, through) as workspace:
        for start in range(0, len(asked), most):
            some = asked[start : start + most]
            members = _members(workspace, [tests[test][0](value) for value, test in some])
            _see_canary(workspace)
            for (value, test), own in zip(some, members, strict=True):
                if own != [i for i, text in enumerate(texts) if tests[test][1](text, value)]:
                    found.append((value, test))
    return found


def _members(workspace: segkit.Workspace, wheres: list[Predicate]) -> list[list[int]]:
    """The contacts that each of some conditions holds for, by one query."""
    catalog, at = workspace._checked(), moment(AS_OF, "UTC")
    plans = [plan(as_segment(where).definition, catalog, at) for where in wheres]
    base = base_of(plans)
    columns = [sql.aliased(base.key(), "contact_id")]
    columns += [
        sql.aliased(sql.case_when(conditions.condition(p.where, base.names), sql.number(1), sql.number(0)), f"m{i}")
        for i, p in enumerate(plans)
    ]
    query = render(base.select(columns, None, [p.where for p in plans]), workspace.engine.renders_as)
    frame = workspace.engine.frame(query).sort_values("contact_id")
    return [frame["contact_id"][frame[f"m{i}"] == 1].tolist() for i in range(len(plans))]


def surrounded(values: list[str]) -> list[str]:
    """The values, and texts that hold them, nearly hold them, or differ in case."""
    around = [text for v in values for text in (v, f"x{v}", f"{v}x", f"x{v}x", v.swapcase(), v[1:])]
    return [text for text in dict.fromkeys(around) if is_storable(text)]


def batches(values: list[str], number: int, engine: str) -> list[list[str]]:
    """The values, so many at a time: fewer for an interpreter, which is asked for each of them on each text."""
    step = 20 if ENGINES[engine].is_slow else number
    return [values[start : start + step] for start in range(0, len(values), step)]


@pytest.mark.parametrize("engine", ENGINES)
def test_hostile_values_find_exactly_themselves(engine: str) -> None:
    assert len(VALUES) >= 60
    for batch in batches(VALUES, len(VALUES), engine):
        assert wrong(surrounded(batch), batch, engine) == []


def test_a_wrong_test_is_noticed() -> None:
    folding = {"contains": (lambda s: F.v.contains(s, ignore_case=True), TESTS["contains"][1])}
    assert wrong(surrounded(VALUES), VALUES, tests=folding) != []


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_dead_canary_is_noticed(engine: str) -> None:
    def dropping(source: Any) -> Any:
        source.execute("DROP TABLE canary")
        return source

    with pytest.raises(EngineError, match="canary"):
        wrong(["a"], ["a"], engine, dropping)


def test_a_pasted_text_kills_the_canary() -> None:
    """The control: what is watched for happens to a query into which a text is pasted, and is noticed."""
    value = "'; DROP TABLE canary; --"
    with pytest.raises(EngineError, match="canary"), workspace_of([value], "duckdb") as workspace:
        workspace.engine.frame(f"SELECT * FROM contacts WHERE v = '{value}'")


def misread(workspace: segkit.Workspace, literal: Callable[[str], str], values: list[str] = VALUES) -> list[str]:
    """The values whose literals come back otherwise, or break the query."""

    def is_misread(value: str) -> bool:
        try:
            return workspace.engine.frame(f"SELECT {literal(value)} AS v")["v"].tolist() != [value]
        except EngineError:
            return True

    return [value for value in values if is_misread(value)]


def doubled(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


ESCAPING = ("bigquery", "mysql", "clickhouse", "spark", "databricks")
"""The dialects in which a backslash escapes what follows."""


@pytest.mark.parametrize("engine", ENGINES)
def test_doubled_quotes_alone_are_not_enough_where_backslashes_escape(engine: str) -> None:
    """The control: literals made by doubling quotes come back otherwise, or break the query."""
    with workspace_of(VALUES, engine) as workspace:
        assert misread(workspace, lambda value: render(sql.string(value), workspace.engine.renders_as)) == []
        assert bool(misread(workspace, doubled)) == (workspace.engine.dialect in ESCAPING)


@pytest.mark.parametrize("engine", ENGINES)
def test_hostile_values_survive_the_text_that_is_shown(engine: str) -> None:
    with workspace_of(VALUES, engine) as workspace:
        for i, value in enumerate(VALUES):
            shown = workspace.sql(Segment(value[:99] or "empty", F.v == value, notes=value))
            assert workspace.engine.frame(shown)["contact_id"].tolist() == [i], shown


@cache
def shared_values() -> list[str]:
    folder = os.environ.get("SEGKIT_CASES", "")
    if not folder:
        return []
    lines = (Path(folder) / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["v"] for line in lines if line.strip()))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_shared_hostile_value(engine: str) -> None:
    if not shared_values():
        pytest.skip("SEGKIT_CASES names no folder with hostile.jsonl")
    values = [value for value in shared_values() if is_storable(value)]
    assert len(values) > 1_000
    for batch in batches(values, 150, engine):
        assert wrong(surrounded(batch), batch, engine) == []


def test_every_shared_unstorable_value_is_refused() -> None:
    if not shared_values():
        pytest.skip("SEGKIT_CASES names no folder with hostile.jsonl")
    _check_refused([value for value in shared_values() if not is_storable(value)])


@pytest.mark.parametrize("value", ["\0", "a\0b", "\ud800", "a\udfffb", chr(0xD83D)], ids=ascii)
def test_unstorable_text_is_refused(value: str) -> None:
    _check_refused([value])


def _check_refused(values: list[str]) -> None:
    for value in values:
        for written, _ in TESTS.values():
            with pytest.raises(DefinitionError) as refusal:
                written(value)
            told(refusal.value, where=False)
        for build in (
            lambda v: F[v],
            lambda v: E[v],
            in_list,
            in_segment,
            lambda v: Segment(v, F.a > 1),
            lambda v: Segment("S", F.a > 1, notes=v),
        ):
            with pytest.raises(DefinitionError) as refusal:
                build(value)
            told(refusal.value, where=False)


def test_times_of_pandas_are_read_to_the_microsecond_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    seen = pd.Timestamp("2025-06-01 12:00:00.000000900")
    assert Segment("x", F.seen == dt.datetime(2025, 6, 1, 12)).matches({"seen": seen})
    assert not recwarn.list


@pytest.mark.parametrize("shift", [-100_000, 100_000])
def test_periods_lie_at_most_so_far_away(shift: int) -> None:
    assert F.seen.in_period("day", shift).node
    with pytest.raises(DefinitionError, match="days from now"):
        F.seen.in_period("day", shift + (1 if shift > 0 else -1))


@pytest.mark.parametrize("text", ["a > 1" + " OR a > 1" * 3_000, "(" * 31 + "a > 1" + ")" * 31], ids=["long", "deep"])
def test_raw_sql_that_is_long_or_deep_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="levels deep"):
        Segment("x", segkit.raw_sql(text, dialect="duckdb")).sql("duckdb")


def test_an_array_of_one_is_no_value() -> None:
    born, day = Segment("x", F.born == dt.date(2025, 6, 1)), np.array(["2025-06-01"], dtype="datetime64[D]")
    assert born.matches({"born": day[0]})
    assert not born.matches({"born": day[0] + 1})
    with pytest.raises(DataError, match="is no date"):
        born.matches({"born": day})


@pytest.mark.parametrize("used", [F.seen.within(days=3), F.seen.older_than(days=3), F.seen > 5], ids=repr)
def test_a_field_has_one_kind_without_a_catalog_too(used: Predicate) -> None:
    with pytest.raises(DefinitionError, match=r"field 'seen' is used as (number|timestamp) and as text"):
        Segment("x", used & (F.seen == "yesterday")).sql("duckdb", as_of=AS_OF)


# ---------------------------------------------------------------- wrong sources

CONTACTS = pd.DataFrame({"contact_id": [1, 2], "country": ["USA", None]})
EVENTS = pd.DataFrame({"event_id": [1], "contact_id": [1], "event": ["opened"], "occurred_at": [pd.Timestamp("2025-06-01")]})


def _refused(kind: type[SegkitError], source: Any, **options: Any) -> str:
    with pytest.raises(kind) as refusal:
        connect(source, **options).size(segkit.everyone())
    told(refusal.value, where=False)
    return str(refusal.value)


def test_a_wrong_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("text")
    (tmp_path / "not.duckdb").write_bytes(b"not a database" * 1_000)
    (tmp_path / "zero.duckdb").write_bytes(b"")
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "contacts.csv").write_text("")
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / "contacts.parquet").write_bytes(b"PAR1 not parquet")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "people.csv").write_text("id,name\n1,a\n")
    assert "missing" in _refused(EngineError, tmp_path / "missing")
    _refused(EngineError, "\ud800")
    _refused(EngineError, "long" * 1_000)
    assert ".csv" in _refused(EngineError, tmp_path / "empty")
    assert ".csv" in _refused(EngineError, str(tmp_path / "notes"))
    _refused(EngineError, tmp_path / "not.duckdb")
    _refused(SegkitError, tmp_path / "zero.duckdb")
    _refused(SegkitError, tmp_path / "csv")
    _refused(EngineError, tmp_path / "parquet")
    assert "people" in _refused(CatalogError, tmp_path / "other")
    _refused(SegkitError, "")
    _refused(SegkitError, ":memory:")
    _refused(EngineError, "postgresql://user:secret@host/db")


@pytest.mark.parametrize(
    "source",
    [5, 1.5, True, [], object(), b"x", {"contacts": 5}, {"contacts": "x"}, {"contacts": None}, {}, {"": CONTACTS}],
    ids=lambda own: re.sub(" at 0x.*", "", repr(own)),
)
def test_a_source_of_another_kind_is_refused(source: Any) -> None:
    _refused(SegkitError, source)


@pytest.mark.parametrize(
    "source",
    [
        "postgresql://user:secret@host/db", " postgresql://user:secret@host/db", "postgresql:/user:secret@host/db",
        "postgresql:user:secret@host/db", "postgresql//user:secret@host/db", "'postgresql://user:secret@host/db'",
        "postgresql//user:p@secret@host/db", "host=h user=user password=secret", "host=h password='my secret'",
        "jdbc:postgresql://host/db?user=user&password=secret", "Server=host;Uid=user;Pwd=secret;",
        "md:db?motherduck_token=secret", "sqlite://user:secret@host/x", "sqlite:///x?password=secret",
    ],
)  # fmt: skip
def test_a_secret_is_not_repeated_also_where_it_is_mistyped(source: str) -> None:
    assert "secret" not in _refused(EngineError, source)


def test_a_closed_connection_is_refused() -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id")
    workspace = connect(connection)
    connection.close()
    with pytest.raises(EngineError) as refusal:
        workspace.size(segkit.everyone())
    told(refusal.value, where=False)


@pytest.mark.parametrize(
    ("catalog", "part"),
    [
        ({"contacts": {"table": "contact"}}, "'contacts'"),
        ({"contacts": {"key": "contct_id"}}, "'contact_id'"),
        ({"contacts": {"created": "crated_at"}}, "contact_id"),
        ({"contacts": {"fields": {"land": {"column": "contry"}}}}, "'country'"),
        ({"events": [{"table": "event"}]}, "'events'"),
        ({"events": [{"time": "ocurred_at"}]}, "'occurred_at'"),
        ({"events": [{"contact": "contactid"}]}, "'contact_id'"),
        ({"events": [{"id": "eventid"}]}, "'event_id'"),
        ({"lists": {}}, "list_members"),
        ({"contacts": {"fields": {"country": "texts"}}}, "'text'"),
        ({"contcts": {}}, "'contacts'"),
        ({"timezone": "Europe/Rom"}, "'Europe/Rome'"),
        ({"contacts": 5}, "contacts"),
        ({"contacts": {"table": 5}}, "table"),
        ({"events": {"table": "events"}}, "list"),
        ({"as_of": "soon"}, "soon"),
        ({"events": [{"names": "opened"}]}, "names"),
        ({"events": [{"name": "opened", "event": "event"}]}, "event or name"),
        ([], "mapping"),
        (5, "5"),
        ("no_such_catalog.yml", "no_such_catalog.yml"),
    ],
    ids=str,
)  # fmt: skip
def test_a_catalog_that_does_not_fit_names_the_nearest(catalog: Any, part: str) -> None:
    assert part in _refused(SegkitError, {"contacts": CONTACTS, "events": EVENTS}, catalog=catalog)


DEEP = reduce(lambda inner, _: {"type": inner}, range(5_000), {})
ENDLESS: dict[str, Any] = {"contacts": {"fields": {}}}
ENDLESS["contacts"]["fields"]["a"] = {"zone": ENDLESS}


@pytest.mark.parametrize(
    ("catalog", "where"),
    [
        ({"contacts": {"fields": {"a": {"zone": DEEP}}}}, "catalog"),
        (ENDLESS, "catalog"),
        ({"contacts": {"fields": {"a": {"zone": "x"}}}}, "catalog.contacts.fields.a.zone"),
        ({"timezone": []}, "catalog.timezone"),
        ({"history": [{"table": "past", "fields": [{}]}]}, "catalog.history[0].fields"),
    ],
    ids=["deep", "endless", "zone", "no zone", "history"],
)
def test_a_malformed_catalog_names_the_place(catalog: Any, where: str) -> None:
    with pytest.raises(CatalogError) as refusal:
        Catalog.from_dict(catalog)
    told(refusal.value, where=False)
    assert refusal.value.where == where


NAMES_IN_CATALOGS = [
    (place, own.name)
    for place, kind in (("contacts", ContactTable), ("events", EventTable), ("lists", ListTable), ("history", HistoryTable))
    for own in dataclasses.fields(kind)
    if own.type in ("str", "str | None")
]


@pytest.mark.parametrize("name", [[], ["a"], {}, True, dt.date(2025, 1, 1), "", "a\0", "\ud800"], ids=ascii)
@pytest.mark.parametrize(("place", "key"), NAMES_IN_CATALOGS)
def test_a_name_of_a_catalog_is_text(place: str, key: str, name: Any) -> None:
    table = {"table": "past", "fields": ["tier"], key: name} if place == "history" else {key: name}
    with pytest.raises(CatalogError) as refusal:
        Catalog.from_dict({place: [table] if place in ("events", "history") else table})
    told(refusal.value, where=False)
    assert refusal.value.where.startswith(f"catalog.{place}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("contacts: {fields: {opens: integer, opens: text}}", "stands twice"),
        ("contacts: &a {fields: *a}", "anchor"),
        ("timezone: !!python/name:os.system", "tag"),
        ("# " + "x" * 300_000, "300,002 characters"),
        ("\xff", "no text"),
    ],
    ids=["twice", "anchor", "tag", "large", "no text"],
)
def test_a_catalog_file_is_read_as_strictly_as_a_segment(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "catalog.yml").write_bytes(text.encode("latin-1"))
    with pytest.raises(CatalogError, match=what) as refusal:
        Catalog.from_file(tmp_path / "catalog.yml")
    told(refusal.value, where=False)


def test_a_large_catalog_is_read_as_json(tmp_path: Path) -> None:
    fields = {f"field_{i}": "integer" for i in range(20_000)}
    (tmp_path / "catalog.json").write_text(json.dumps({"contacts": {"fields": fields}}))
    assert len(Catalog.from_file(tmp_path / "catalog.json").contacts.fields) == 20_000


def test_a_catalog_file_too_deep_to_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.yml").write_text("[" * 5_000)
    with pytest.raises(CatalogError) as refusal:
        Catalog.from_file(tmp_path / "catalog.yml")
    told(refusal.value, where=False)


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 1_000_000,
        '"' + '\\"' * 1_000_000 + "\\",
        "{" + ",".join(f'"{i}":1' for i in range(200_000)) + ',"7":1}',
        '{"segkit": 1, "where": ' + "[" * 1_000_000,
    ],
    ids=["quotes", "backslash", "keys", "depth"],
)
def test_a_large_text_is_refused_as_fast_as_it_is_read(text: str) -> None:
    began = time.process_time()
    with pytest.raises(DefinitionError):
        Segment.from_json(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_outside_of_the_calendar_is_refused(instant: str) -> None:
    with pytest.raises(DefinitionError, match="out of range"):
        Segment.from_dict(_compare(A, {"type": "timestamp", "value": instant}))
    with pytest.raises(DefinitionError, match="out of range"):
        connect({"contacts": CONTACTS}, as_of=instant)


def test_a_number_in_a_pattern_may_be_long_and_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no regular expression"):
        Segment("S", F.name.matches("a{1," + "9" * 5_000 + "}")).sql("duckdb")


def test_calculated_fields_that_multiply_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segkit.nodes, "MAX_PARTS", 5_000)
    formulas = {f"c{i}": f"c{i - 1} + c{i - 1}" for i in range(1, 21)}
    catalog = Catalog.from_dict({"calculated": {"c0": "contact_id + 1", **formulas}})
    with connect({"contacts": CONTACTS}, catalog=catalog, home=None) as workspace:
        assert workspace.size(F.c3 > 16) == 1
        with pytest.raises(DefinitionError, match="unfold to more than 5,000 parts"):
            workspace.size(F.c20 > 0)


@pytest.mark.parametrize("text", ["a > 1 AND\nb = 'x\0'", "a > 1 AND\nb = 'x\ud800'"], ids=ascii)
def test_a_text_that_no_engine_can_hold_names_the_place(text: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        segkit.parse(text)
    told(refusal.value)
    assert refusal.value.where.startswith("line 2, column 7\n")
    str(refusal.value).encode()


def test_a_long_argument_is_told_in_short() -> None:
    for call in (lambda x: segkit.days(x), lambda x: F.d.anniversary(within_days=x)):
        with pytest.raises(DefinitionError) as refusal:
            call("x" * 10_000)
        told(refusal.value, where=False)


@pytest.mark.parametrize(
    "options", [{"timezone": "Mars/Base"}, {"timezone": 5}, {"timezone": ""}, {"timezone": "../etc/passwd"}, {"as_of": "soon"}, {"as_of": 5}, {"as_of": float("nan")}, {"as_of": pd.NaT}],
    ids=str,
)  # fmt: skip
def test_a_wrong_zone_or_instant_is_refused(options: dict[str, Any]) -> None:
    _refused(SegkitError, {"contacts": CONTACTS}, **options)


PASSED: dict[str, Callable[[Any], object]] = {
    "tags": lambda given: Segment("a", F.opens > 1, tags=given),
    "segments to count": lambda given: connect({"contacts": pd.DataFrame({"contact_id": [1]})}).sizes(given),
    "columns": lambda given: connect({"contacts": pd.DataFrame({"contact_id": [1]})}).members(everyone(), columns=given),
    "a contact": lambda given: Segment("a", F.opens > 1).matches(given),
    "events": lambda given: Segment("a", F.opens > 1).matches({}, given),
    "lists": lambda given: Segment("a", in_list("b")).matches({}, lists=given),
    "segments": lambda given: Segment("a", F.opens > 1).matches({}, segments=given),
    "a unit": lambda given: E.opened.active(given),
    "a catalog": lambda given: Catalog.from_file(given),
}


@pytest.mark.parametrize("given", [None, 5, "\ud800", b"x", [None], [[]], object], ids=repr)
@pytest.mark.parametrize("what", PASSED)
def test_what_is_passed_wrongly_is_refused(what: str, given: Any) -> None:
    with pytest.raises(SegkitError) as refusal:
        PASSED[what](given)
    assert refusal.value.fix


def test_contact_keys_that_repeat_are_refused_with_count_and_examples() -> None:
    keys = pd.DataFrame({"contact_id": [1, 1, 1, 2, 3, 3]})
    message = _refused(DataError, {"contacts": keys})
    assert message.startswith("2 ")
    assert "1 (3 rows)" in message
    assert "3 (2 rows)" in message
    assert "2 (1 rows)" not in message


def test_a_missing_contact_key_is_refused() -> None:
    keys = pd.DataFrame({"contact_id": pd.Series([1, None, 2], dtype="Int64")})
    assert "no key" in _refused(DataError, {"contacts": keys})


# ---------------------------------------------------------------- no clock in the query

CLOCKS = re.compile(
    r"\b(NOW|TODAY|CURRENT_(?!TIMEZONE)\w+|CURDATE|CURTIME|GETDATE|GETUTCDATE|SYSDATE\w*|SYSTIMESTAMP|LOCALTIME\w*|UTC_\w+|UNIX_TIMESTAMP\(\)|"
    r"CLOCK_TIMESTAMP|STATEMENT_TIMESTAMP|TRANSACTION_TIMESTAMP|RANDOM|RAND|UUID)(?!\w)",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")


def _rendered(case: Case, dialect: str) -> str | DialectError | None:
    """The query of a case, or why the dialect has none; None where the case is an error."""
    if "error" in case.case:
        return None
    catalog = cases_runner.catalog_of(case.given)
    others = {name: cases_runner.spelled(text) for name, text in case.given.get("segments", {}).items()}
    at = moment(case.case.get("as_of", case.given["as_of"]), case.given.get("timezone", "UTC"))
    resolved = plan(cases_runner.segment_of(case).definition, catalog, at, by_name(others))
    try:
        return render(compile.members(resolved), dialect)
    except DialectError as error:
        told(error, where=False)
        return error


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "sqlite", "bigquery", "snowflake"])
def test_no_query_asks_for_the_time(dialect: str) -> None:
    cases = [case for case in all_cases() if "members" in case.case]
    answers = {case.id: _rendered(case, dialect) for case in cases}
    rendered = {name: sql for name, sql in answers.items() if isinstance(sql, str)}
    assert len(rendered) > len(cases) / 2
    refused = {name: str(error) for name, error in answers.items() if isinstance(error, DialectError)}
    if dialect != "sqlite":
        assert [name for name, why in refused.items() if "elements of JSON arrays" not in why] == []
    asking = {name: found.group() for name, sql in rendered.items() if (found := CLOCKS.search(QUOTED.sub("''", sql)))}
    assert asking == {}
    left = {name: sql for name, sql in rendered.items() if "SEGKIT_" in QUOTED.sub("''", sql)}
    assert left == {}, "a marker is left"


def test_a_clock_would_be_seen() -> None:
    for query in ("SELECT now()", "SELECT CURRENT_DATE", "x > CURRENT_TIMESTAMP()", "getdate()", "SYSDATE"):
        assert CLOCKS.search(QUOTED.sub("''", query)), query
    assert not CLOCKS.search(QUOTED.sub("''", """SELECT 'now()', "CURRENT_DATE", `rand`"""))


def test_members_of_the_same_moment_never_change() -> None:
    segment = Segment("S", F.seen.within(days=30))
    frame = pd.DataFrame({"contact_id": [1, 2], "seen": pd.to_datetime(["2025-06-20", "2025-01-01"])})
    with connect({"contacts": frame}, as_of=AS_OF) as workspace:
        [own] = workspace._plans([segment], None)
        assert members(workspace.engine, own)["contact_id"].tolist() == [1]
        assert workspace.sql(segment) == workspace.sql(segment)
