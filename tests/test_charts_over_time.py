"""Charts over time: what they show is what the frame says, with any name, for none and for many segments."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from test_charts import HOSTILE, user_texts, width

from segkit import SegkitError, charts
from segkit.journey import NO_STAGE

ROOM = 640
"""The width of a notebook's cell, in points."""


def over_time(names: list[str], points: int = 6) -> pd.DataFrame:
    at = pd.date_range("2025-03-28", periods=points, tz="Europe/Rome")
    rows = [
        (name, day, 10 * i + k, pd.NA if not k else 3, pd.NA if not k else 2, 9, 0.9, 0.8, "tier, country" if k == 1 else "")
        for i, name in enumerate(names)
        for k, day in enumerate(at)
    ]
    columns = ["segment", "at", "size", "entries", "exits", "kept", "stability", "jaccard", "today_values"]
    return pd.DataFrame(rows, columns=columns).astype({"entries": "Int64", "exits": "Int64"})


def lasting(names: list[str]) -> pd.DataFrame:
    steps = [(0.0, 9, 1.0, None, None), (3.0, 8, 0.6, 0.4, 0.7), (9.0, 2, 0.2, 0.1, 0.4)]
    rows = [(name, *step) for name in names for step in steps]
    frame = pd.DataFrame(rows, columns=["segment", "days", "at_risk", "survival", "low", "high"])
    return frame.astype({"low": float, "high": float})


def moves(names: list[str]) -> pd.DataFrame:
    own = [*names, NO_STAGE]
    rows = [(a, b, "forward", 7, 6, 0.5, 3.0, float("nan")) for a, b in pairwise(own)]
    columns = ["from_stage", "to_stage", "kind", "moves", "contacts", "share", "mean_days", "median_days"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs["stages"] = names
    return frame


def of_stages(names: list[str]) -> pd.DataFrame:
    return over_time(names).rename(columns={"segment": "stage"}).assign(share=0.5)


DRAWN: dict[str, tuple[Callable[[pd.DataFrame], charts.Chart], Callable[[list[str]], pd.DataFrame]]] = {
    "history": (charts.history, over_time),
    "flow": (charts.flow, over_time),
    "forecast": (charts.forecast, over_time),
    "stability": (charts.stability, over_time),
    "survival": (charts.survival, lasting),
    "journey": (charts.journey, of_stages),
    "transitions": (charts.transitions, moves),
}


def rows_of(chart: charts.Chart) -> list[dict[str, Any]]:
    return [row for values in chart.spec["datasets"].values() for row in values]


def subtitle(chart: charts.Chart) -> str:
    return " ".join(chart.spec["title"].get("subtitle", []))


@pytest.mark.parametrize("kind", DRAWN)
def test_other_frames_are_refused(kind: str) -> None:
    with pytest.raises(SegkitError, match="there is no"):
        DRAWN[kind][0](pd.DataFrame({"at": [1]}))


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("count", [0, 1, 12])
def test_any_number_of_segments_with_hostile_names_can_be_drawn(kind: str, count: int) -> None:
    chart = DRAWN[kind][0](DRAWN[kind][1]([*HOSTILE, "last"][:count]))
    for theme in ("light", "dark"):
        svg = chart.svg(theme)
        ElementTree.fromstring(svg)
        assert width(svg) <= ROOM + 200 * (kind == "transitions")
        assert ("nothing to show" in svg) == (count == 0)


@pytest.mark.parametrize("kind", DRAWN)
def test_names_stand_in_the_data_and_in_titles_only(kind: str) -> None:
    for names in (["MARKER"], ["MARKER", "other"]):
        for path in user_texts(DRAWN[kind][0](DRAWN[kind][1](names)).spec):
            assert path[0] in ("datasets", "title"), path


def test_values_are_those_of_the_frame() -> None:
    frame = over_time(["One", "Two"])
    assert [row["size"] for row in rows_of(charts.history(frame))] == frame["size"].tolist()
    flows = rows_of(charts.flow(frame))
    assert len(flows) == 10
    assert {(row["entries"], row["out"], row["net"]) for row in flows} == {(3, -2, 1)}
    assert flows[0]["at"] == "2025-03-29T00:00:00"
    assert {row["stability"] for row in rows_of(charts.stability(frame))} == {0.9}


def test_flows_of_neighbours_are_added_up() -> None:
    chart = charts.flow(over_time(["One"], 366))
    rows = rows_of(chart)
    assert len(rows) <= 92
    assert sum(row["entries"] for row in rows) == 3 * 365
    assert "every 4 instants are added up" in subtitle(chart)


def test_values_of_today_are_told() -> None:
    assert "as they are today, not as they were: tier, country" in subtitle(charts.history(over_time(["One"])))
    frame = lasting(["One"])
    frame.attrs["today_values"] = "plan"
    assert "as they are today, not as they were: plan" in subtitle(charts.survival(frame))
    assert "today" not in subtitle(charts.survival(lasting(["One"])))


def test_many_segments_are_cut_and_that_is_told() -> None:
    chart = charts.history(over_time([f"Segment {i}" for i in range(30)]))
    assert len({row["segment"] for row in rows_of(chart)}) == 24
    assert "the first 24 of 30 segments" in subtitle(chart)


def test_an_interval_that_is_not_known_is_drawn_as_none() -> None:
    first = rows_of(charts.survival(lasting(["One"])))[0]
    assert (first["low"], first["high"], first["interval"]) == (1.0, 1.0, "–")


def test_moves_that_did_not_occur_are_zero() -> None:
    rows = {(row["source"], row["target"]): row["told"] for row in rows_of(charts.transitions(moves(["A", "B"])))}
    assert rows["A", "B"] == "7"
    assert rows["B", "A"] == "0"
    assert rows["A", "A"] == ""
