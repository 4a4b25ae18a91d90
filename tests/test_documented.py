"""The documented segments on the sample data: segkit against hand-written SQL that it had no part in."""

from __future__ import annotations

import json

import duckdb
import pytest
from test_sample_data import SAMPLE, SEGMENTS, SIZES, database

from segkit import Segment, connect, in_segment, templates

HAND_WRITTEN = {
    "All employees": "Email Contains",
    "Big spenders at rest": "Advanced Example",
    "Interested professionals": "Nested Conditions",
    "Active Last 30 Days": "Rolling Windows",
    "Signup Anniversary": "Anniversary Dates",
    "Holiday Season": "Seasonal",
}
DOCUMENTED = templates.documented()


@pytest.fixture(scope="module")
def ws():
    with connect() as workspace:
        yield workspace


@pytest.fixture(scope="module")
def oracle() -> duckdb.DuckDBPyConnection:
    return database(SAMPLE)


def test_every_documented_segment_has_a_hand_written_query() -> None:
    assert {HAND_WRITTEN.get(s.name, s.name) for s in DOCUMENTED} == set(SEGMENTS)


@pytest.mark.parametrize("segment", DOCUMENTED, ids=lambda segment: segment.name)
def test_members_are_those_of_the_hand_written_query(ws, oracle, segment: Segment) -> None:
    name = HAND_WRITTEN.get(segment.name, segment.name)
    expected = sorted(row[0] for row in oracle.execute(SEGMENTS[name]).fetchall())
    assert expected
    assert ws.members(segment)["contact_id"].tolist() == expected
    assert ws.size(segment) == SIZES[name]


def test_sizes_of_all_at_once_are_those_of_each_alone(ws) -> None:
    sizes = ws.sizes(DOCUMENTED)
    assert sizes["segment"].tolist() == [s.name for s in DOCUMENTED]
    assert sizes["size"].tolist() == [SIZES[HAND_WRITTEN.get(s.name, s.name)] for s in DOCUMENTED]


def test_the_templates_are_listed_with_their_defaults_and_notes() -> None:
    listed = templates.listed()
    assert listed["segment"].tolist() == [s.name for s in DOCUMENTED]
    for row, segment in zip(listed.itertuples(), DOCUMENTED, strict=True):
        assert eval(row.template, vars(templates)) == segment
        assert len(row.about) > 10
        assert row.notes == segment.notes
        assert len(row.notes) > 20
    assert {row.split("(")[0] for row in listed["template"]} <= set(dir(templates))


@pytest.mark.parametrize("segment", DOCUMENTED, ids=lambda segment: segment.name)
def test_round_trips(segment: Segment) -> None:
    import segkit

    names = {name: getattr(segkit, name) for name in segkit.__all__}
    assert eval(repr(segment), names) == segment
    assert Segment.from_dict(json.loads(json.dumps(segment.to_dict()))) == segment


def test_references_mean_the_segments_they_name(ws) -> None:
    ws.define(*DOCUMENTED)
    both = Segment("both", in_segment("At Risk") & in_segment("inactive"))
    assert ws.size(both) == len(
        set(ws.members(templates.at_risk())["contact_id"]) & set(ws.members(templates.inactive())["contact_id"])
    )
    assert ws.size(both) > 0
