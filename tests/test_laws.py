"""Laws that hold for every definition: both meanings agree, sets obey algebra, and every written form reads back equal.

`SEGKIT_EXAMPLES=20000` asks for more definitions than the default run, and for other ones each time.
"""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any, get_args

import pytest
from cases_runner import NAMES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import SEGMENTS, TABLES, World, definitions, moments, named

import segkit
from segkit import SegkitWarning, Segment, codec, evaluate, nodes
from segkit.builder import Predicate

WANTED = int(os.environ.get("SEGKIT_EXAMPLES", "0"))
ZONES = {"UTC": 1, "Europe/Rome": 2}


def examples(default: int, share: float) -> Callable[[Any], Any]:
    """The settings of a law: `default` examples, always the same, or a share of the number asked for, at random."""
    return settings(
        max_examples=max(default, int(WANTED * share)),
        derandomize=not WANTED,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@cache
def world(zone: str) -> World:
    return World(ZONES[zone], zone)


# ---------------------------------------------------------------- both meanings


@pytest.mark.parametrize("zone", ZONES)
def test_the_evaluator_and_duckdb_agree(zone: str) -> None:
    seen: list[int] = []

    @examples(320, 0.5)
    @given(definitions(), moments())
    def agree(where: Predicate, at: dt.datetime) -> None:
        members = world(zone).members(where, at)
        assert members == world(zone).expected(where, at), where
        seen.append(len(members))

    agree()
    assert len(seen) >= 300
    everyone = len(world(zone).rows["contacts"])
    some = sum(0 < size < everyone for size in seen)
    assert some > len(seen) / 3, f"only {some} of {len(seen)} definitions tell contacts apart"


def test_a_wrong_evaluator_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evaluate.conditions._ORDER, ">=", evaluate.conditions._ORDER[">"])
    monkeypatch.setitem(evaluate.conditions._ORDER, "<=", evaluate.conditions._ORDER["<"])

    @settings(examples(300, 0), phases=[Phase.generate])
    @given(definitions(), moments())
    def agree(where: Predicate, at: dt.datetime) -> None:
        assert world("UTC").members(where, at) == world("UTC").expected(where, at)

    with pytest.raises(AssertionError):
        agree()


# ---------------------------------------------------------------- sets


@examples(25, 0.02)
@given(definitions(), definitions(), moments(), st.sampled_from(tuple(ZONES)))
def test_members_obey_set_algebra(a: Predicate, b: Predicate, at: dt.datetime, zone: str) -> None:
    def of(where: Predicate) -> set[int]:
        members = world(zone).members(where, at)
        assert len(members) == len(set(members)), where
        return set(members)

    everyone = set(world(zone).everyone(at))
    in_a, in_b = of(a), of(b)
    assert of(~a) == everyone - in_a, "the complement"
    assert of(~~a) == in_a, "double negation"
    assert of(a & b) == in_a & in_b
    assert of(a | b) == in_a | in_b
    assert of(a - b) == of(a & ~b) == in_a - in_b
    assert of(~(a & b)) == of(~a | ~b) == everyone - (in_a & in_b), "De Morgan"
    assert of(~(a | b)) == of(~a & ~b) == everyone - (in_a | in_b), "De Morgan"
    assert of(a & a) == of(a | a) == in_a, "idempotence"
    assert of(a & (a | b)) == of(a | (a & b)) == in_a, "absorption"
    assert of(a | ~a) == everyone
    assert of(a & ~a) == set()


@examples(12, 0.005)
@given(st.lists(definitions(), min_size=2, max_size=10), st.sampled_from(tuple(ZONES)), moments())
def test_sizes_of_many_segments_agree_with_their_members(wheres: list[Predicate], zone: str, at: dt.datetime) -> None:
    workspace = world(zone).workspace
    workspace.define(*(Segment(name, where) for name, where in SEGMENTS.items()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        frame = workspace.sizes([*wheres, wheres[0]], as_of=at)
    expected = [len(world(zone).members(where, at)) for where in [*wheres, wheres[0]]]
    assert frame["size"].tolist() == expected
    everyone = len(world(zone).everyone(at))
    assert frame["share"].tolist() == [size / everyone for size in expected]


# ---------------------------------------------------------------- written forms


@examples(150, 0.05)
@given(definitions())
def test_python_reads_back_equal(where: Predicate) -> None:
    again = eval(repr(where), dict(NAMES))
    assert again == where
    segment = named(where)
    assert eval(repr(segment), dict(NAMES)) == segment


@examples(150, 0.05)
@given(definitions())
def test_json_reads_back_equal(where: Predicate) -> None:
    segment = named(where)
    assert Segment.from_json(segment.to_json()) == segment
    assert Segment.from_dict(segment.to_dict()) == segment
    assert Segment.from_json(segment.to_json()).to_json() == segment.to_json()


@cache
def _validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(segkit.json_schema())
    return Draft202012Validator(segkit.json_schema())


@examples(60, 0.01)
@given(definitions())
def test_json_fits_the_published_schema(where: Predicate) -> None:
    _validator().validate(named(where).to_dict())


def test_a_wrong_document_does_not_fit_the_schema() -> None:
    document = Segment("S", segkit.F.opens > 5).to_dict()
    for wrong in ({**document, "segkit": 2}, {**document, "extra": 1}, {**document, "where": {"type": "compare", "op": "=>"}}):
        assert not _validator().is_valid(wrong)


def test_the_shortest_document_of_the_api_fits_the_schema() -> None:
    fits = {"conditions": [{"field": "a", "operator": "equals", "value": ""}], "tags": ["b"]}
    assert _validator().is_valid(fits)
    assert Segment.from_dict(fits).tags == ("b",)
    for wrong in ({**fits, "conditions": []}, {**fits, "tags": [""]}, {"conditions": [{**fits["conditions"][0], "field": ""}]}):
        assert not _validator().is_valid(wrong)
        with pytest.raises(segkit.SegkitError):
            Segment.from_dict(wrong)


# ---------------------------------------------------------------- the strategy itself


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, nodes.Node):
                yield from _walk(part)


def test_every_kind_of_node_measure_and_span_occurs() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=4000,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions())
    def collect(where: Predicate) -> None:
        for node in _walk(where.node):
            seen[type(node).__name__] += 1
            match node:
                case nodes.Aggregate(measure):
                    seen[f"measure {measure}"] += 1
                case nodes.Part(part):
                    seen[f"part {part}"] += 1
                case nodes.Compare(op) | nodes.Arithmetic(op):
                    seen[f"operator {op}"] += 1
                case nodes.TextTest(test, text=text, ignore_case=folded):
                    seen[f"test {test}{' folded' if folded else ''}"] += 1
                    seen[f"test {test} of {type(text).__name__}"] += 1
                case nodes.Events(where=nodes.TextTest(text=nodes.Node())):
                    seen["filter with a test of a value"] += 1
                case nodes.Function(name):
                    seen[f"function {name}"] += 1
                case nodes.Period(unit):
                    seen[f"period {unit}"] += 1
                case nodes.Field(name):
                    seen[f"column {name}"] += 1

    collect()
    wanted = [kind.__name__ for kind in (*codec.TYPES.values(), nodes.Literal) if kind is not nodes.RawSql]
    wanted += [f"function {name}" for name in get_args(nodes.FunctionName)]
    wanted += [f"period {unit}" for unit in get_args(nodes.PeriodUnit)]
    wanted += [f"measure {m}" for m in get_args(nodes.Measure)] + [f"part {p}" for p in get_args(nodes.DatePart)]
    wanted += [f"operator {o}" for o in (*get_args(nodes.Ordering), "+", "-", "*", "/")]
    wanted += [f"test {t}{folded}" for t in get_args(nodes.TextCheck) for folded in ("", " folded")]
    wanted += [f"test {t} of {kind}" for t in ("contains", "startswith", "endswith") for kind in ("Field", "Function", "Json")]
    wanted += ["filter with a test of a value"]
    wanted += [f"column {c}" for c in TABLES["contacts"] if c not in ("contact_id", "created_at")]
    assert [f"{what}: {seen[what]}" for what in wanted if seen[what] < 5] == []


def test_a_window_over_a_value_reads_back_equal() -> None:
    older, newer = nodes.Duration(60, "days"), nodes.Duration(30, "days")
    where = Predicate(nodes.During(nodes.Field("seen_at"), nodes.Between(older, newer)))
    assert eval(repr(where), dict(NAMES)) == where
