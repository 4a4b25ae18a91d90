"""Journeys: every contact in the last stage whose condition holds, or in none, and the count that shows it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import segkit
from segkit import (
    DataError,
    DefinitionError,
    F,
    Journey,
    Segment,
    connect,
    everyone,
    in_list,
    in_segment,
    parse_journey,
)
from segkit.journey import NO_STAGE, counted, partition

LEAD, TRIAL, CUSTOMER = (
    Segment("Lead", F.opens > 0),
    Segment("Trial", F.plan == "trial"),
    Segment("Customer", F.orders >= 1),
)
LIFE = Journey([LEAD, TRIAL, CUSTOMER], name="Life")
PEOPLE = [
    # contact_id, opens, plan, orders: its stage
    (1, 5, "trial", 2, "Customer"),
    (2, 5, "trial", 0, "Trial"),
    (3, 5, "free", 0, "Lead"),
    (4, 0, "free", 0, None),
    (5, 0, "trial", 0, "Trial"),
    (6, 0, "free", 1, "Customer"),
    (7, None, None, None, None),
    (8, None, "trial", None, "Trial"),
    (9, 1, None, None, "Lead"),
    (10, None, None, 3, "Customer"),
    (11, 1, "Trial", 0, "Lead"),
]
TABLES = {
    "contacts": pd.DataFrame(
        {
            "contact_id": [row[0] for row in PEOPLE],
            "opens": pd.array([row[1] for row in PEOPLE], dtype="Int64"),
            "plan": [row[2] for row in PEOPLE],
            "orders": pd.array([row[3] for row in PEOPLE], dtype="Int64"),
        }
    )
}
HAND_WRITTEN = """
SELECT stage, count(*) FROM (
  SELECT CASE WHEN orders >= 1 THEN 'Customer' WHEN plan = 'trial' THEN 'Trial' WHEN opens > 0 THEN 'Lead' ELSE '(in no stage)' END AS stage
  FROM contacts) GROUP BY 1
"""


@pytest.fixture
def ws() -> segkit.Workspace:
    return connect(TABLES, as_of="2025-06-30", home=None)


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame[["stage", "size"]].itertuples(index=False, name=None))


def test_each_contact_is_in_the_last_stage_that_holds(ws: segkit.Workspace) -> None:
    for stage in (*LIFE.names, None):
        own = LIFE.none() if stage is None else LIFE.stage(stage)
        assert ws.members(own)["contact_id"].tolist() == [row[0] for row in PEOPLE if row[4] == stage]


def test_the_evaluator_agrees() -> None:
    for key, opens, plan, orders, expected in PEOPLE:
        contact = {"contact_id": key, "opens": opens, "plan": plan, "orders": orders}
        held = [stage for stage in LIFE.names if LIFE.stage(stage).matches(contact)]
        assert held == ([] if expected is None else [expected])
        assert LIFE.none().matches(contact) == (expected is None)


def test_sizes_are_those_of_a_hand_written_query(ws: segkit.Workspace) -> None:
    contacts = TABLES["contacts"]  # noqa: F841
    expected = dict(duckdb.sql(HAND_WRITTEN).fetchall())
    frame = ws.journey(LIFE)
    assert rows(frame) == [(stage, expected[stage]) for stage in ("Lead", "Trial", "Customer", NO_STAGE)]
    assert rows(frame) == [("Lead", 3), ("Trial", 3), ("Customer", 3), (NO_STAGE, 2)]
    assert frame["share"].tolist() == [3 / 11, 3 / 11, 3 / 11, 2 / 11]
    assert frame.columns.tolist() == ["stage", "size", "share"]
    assert frame.attrs["as_of"] == "2025-06-30T00:00:00+00:00"


def test_the_certificate(ws: segkit.Workspace) -> None:
    assert ws.journey(LIFE).attrs["certificate"] == {
        "in_two_stages": 0,
        "disjoint": True,
        "covered": 9,
        "total": 11,
        "sums": True,
    }


def test_all_is_counted_in_one_query(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.size(everyone())
    asked: list[str] = []
    original = ws.engine.frame
    monkeypatch.setattr(ws.engine, "frame", lambda sql: asked.append(sql) or original(sql))
    ws.journey(LIFE)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("sizes", "what"),
    [
        ((3, 3, 3, 2, 8, 8, 11), "in two stages"),
        ((3, 3, 3, 2, 9, 8, 11), "in two stages, and a condition without its stage"),
        ((3, 3, 3, 2, 8, 9, 11), "a condition holds without its stage"),
        ((3, 3, 3, 2, 10, 9, 11), "a stage holds without its condition"),
        ((3, 3, 3, 2, 9, 9, 12), "the sum is not the total"),
        ((3, 3, 3, 1, 9, 9, 11), "none is not the rest"),
        ((3, 3, 2, 2, 9, 9, 11), "a stage counted short"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(sizes: tuple[int, ...], what: str) -> None:
    assert counted(LIFE, (3, 3, 3, 2, 9, 9, 11)).attrs["certificate"]["sums"]
    with pytest.raises(DataError, match="the stages are no partition"):
        counted(LIFE, sizes)


def test_an_engine_that_counts_wrongly_is_found(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ws.engine.frame
    ws.size(everyone())
    for i in range(len(partition(LIFE))):
        monkeypatch.setattr(
            ws.engine, "frame", lambda sql, i=i: original(sql).assign(**{f"size_{i}": lambda f: f[f"size_{i}"] + 1})
        )
        with pytest.raises(DataError, match="no partition"):
            ws.journey(LIFE)


def test_every_order_of_overlapping_stages_partitions(ws: segkit.Workspace) -> None:
    every = [LEAD, TRIAL, CUSTOMER, Segment("All", F.plan != "free"), Segment("Nobody", F.plan.is_in([]))]
    contacts = [dict(zip(("contact_id", "opens", "plan", "orders"), row, strict=False)) for row in PEOPLE]
    for stages in itertools.permutations(every):
        last = [next((own.name for own in reversed(stages) if own.matches(contact)), NO_STAGE) for contact in contacts]
        names = [*(own.name for own in stages), NO_STAGE]
        assert rows(ws.journey(Journey(stages))) == [(name, last.count(name)) for name in names]


def test_one_stage_and_no_contacts(ws: segkit.Workspace) -> None:
    assert rows(ws.journey(Journey([LEAD]))) == [("Lead", 5), (NO_STAGE, 6)]
    empty = connect({"contacts": TABLES["contacts"].iloc[:0]}, home=None).journey(LIFE)
    assert rows(empty) == [("Lead", 0), ("Trial", 0), ("Customer", 0), (NO_STAGE, 0)]
    assert empty["share"].isna().all()


# ---------------------------------------------------------------- references


def test_a_journey_over_references(ws: segkit.Workspace) -> None:
    ws.define(LEAD, TRIAL, CUSTOMER)
    journey = parse_journey("Lead → Trial → Customer\n\nEach stage = Different segment with specific criteria")
    assert journey == Journey([in_segment("Lead"), in_segment("Trial"), in_segment("Customer")])
    assert rows(ws.journey(journey)) == rows(ws.journey(LIFE))
    assert ws.members(journey.stage("Lead"))["contact_id"].tolist() == [3, 9, 11]
    assert ws.sizes([*(journey.stage(name) for name in journey.names), LEAD])["size"].tolist() == [3, 3, 3, 5]


def test_stages_may_refer_to_each_other_and_to_lists(ws: segkit.Workspace, tmp_path: Path) -> None:
    loyal = Segment("Loyal", in_segment("Customer") & (F.opens > 0))
    assert rows(ws.journey(Journey([LEAD, CUSTOMER, loyal]))) == [("Lead", 4), ("Customer", 2), ("Loyal", 1), (NO_STAGE, 4)]
    kept = connect(TABLES, home=tmp_path)
    frozen = kept.freeze(F.opens > 4, "Keen")
    assert rows(kept.journey(Journey([LEAD, frozen]))) == [("Lead", 2), ("Keen", 3), (NO_STAGE, 6)]
    assert Journey([in_list("Keen")]).names == ("Keen",)


def test_an_unknown_reference_is_refused(ws: segkit.Workspace) -> None:
    ws.define(LEAD, TRIAL)
    with pytest.raises(DefinitionError, match="unknown segment 'Costumer'"):
        ws.journey(parse_journey("Lead → Trial → Costumer"))


def test_a_circle_of_stages_is_refused(ws: segkit.Workspace) -> None:
    with pytest.raises(DefinitionError, match="circle"):
        ws.journey(Journey([Segment("a", in_segment("b")), Segment("b", in_segment("a"))]))


def test_a_defined_segment_called_like_a_stage_of_a_journey_is_not_confused(ws: segkit.Workspace) -> None:
    ws.define(Segment("Life: Lead", F.plan == "free"))
    journey = Journey([Segment("Lead", in_segment("Life: Lead")), CUSTOMER], name="Life")
    assert rows(ws.journey(journey)) == [("Lead", 2), ("Customer", 3), (NO_STAGE, 6)]


# ---------------------------------------------------------------- the object


@pytest.mark.parametrize(
    ("stages", "part"),
    [
        ([], "without stages"),
        ([LEAD, LEAD], "two stages are called 'Lead'"),
        ([LEAD, in_segment("Lead")], "two stages are called 'Lead'"),
        ([LEAD, F.opens > 4], "stage 2 has no name"),
        ([Segment(None, F.opens > 4)], "stage 1 has no name"),
        ([Segment(NO_STAGE, F.opens > 4)], "a stage called"),
        (["Lead"], "is not a condition"),
        (LEAD, "expected a list"),
        ("Lead", "expected a list"),
        (None, "expected a list"),
    ],
)
def test_what_is_no_journey_is_refused(stages: Any, part: str) -> None:
    with pytest.raises(DefinitionError, match=part):
        Journey(stages)


@pytest.mark.parametrize("ask", ["journey", "stages", "transitions"])
def test_what_is_no_journey_is_refused_by_what_asks_for_one(ws: segkit.Workspace, ask: str) -> None:
    with pytest.raises(DefinitionError, match=r"^\[Segment\('Lead'.* is no journey"):
        getattr(ws, ask)([LEAD])


def test_an_unknown_stage_is_refused_with_the_nearest(ws: segkit.Workspace) -> None:
    with pytest.raises(DefinitionError, match="did you mean 'Lead'"):
        LIFE.stage("Leed")
    with pytest.raises(DefinitionError, match="is no journey"):
        ws.journey([LEAD])  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="is no journey"):
        partition(LEAD)  # type: ignore[arg-type]


def test_journeys_are_equal_by_value_and_read_back() -> None:
    references = Journey([in_segment("Lead"), CUSTOMER])
    assert Journey([LEAD, TRIAL, CUSTOMER], name="Life") == LIFE
    assert len({LIFE, Journey([LEAD, TRIAL, CUSTOMER], "Life"), references, Journey([LEAD, TRIAL, CUSTOMER])}) == 3
    assert Journey([TRIAL, LEAD, CUSTOMER], "Life") != LIFE
    assert Journey([LEAD, TRIAL, CUSTOMER], "Other") != LIFE
    names = {name: getattr(segkit, name) for name in segkit.__all__}
    for journey in (LIFE, references):
        assert eval(repr(journey), names) == journey
        assert Journey.from_dict(journey.to_dict()) == journey
    assert repr(references) == "Journey([in_segment('Lead'), Segment('Customer', F.orders >= 1)])"


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"segkit": 1, "stages": {}},
        {"segkit": 2, "journey": None, "stages": [LEAD.to_dict()]},
        {"segkit": 1, "journey": None, "stages": [LEAD.to_dict()], "other": 1},
        {"segkit": 1, "journey": 5, "stages": [LEAD.to_dict()]},
        {"segkit": 1, "journey": "x", "stages": []},
        {"segkit": 1, "journey": "x", "stages": [LEAD.to_dict(), {"name": "y"}]},
    ],
)
def test_documents_that_are_no_journey_are_refused(document: Any) -> None:
    with pytest.raises(DefinitionError):
        Journey.from_dict(document)


def test_a_stage_is_a_segment_of_its_own_name() -> None:
    assert LIFE.stage("Customer") == Segment("Life: Customer", F.orders >= 1)
    assert Journey([LEAD, CUSTOMER]).stage("Lead") == Segment("Stage: Lead", (F.opens > 0) & ~(F.orders >= 1))
    assert LIFE.none().name == "Life: (in no stage)"
