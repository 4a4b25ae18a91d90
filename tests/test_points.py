"""The chart of performance: each point and interval is that of the frame, in both themes, whatever the names."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd
import pytest
from test_charts import HOSTILE, texts, values, width

from segkit import E, F, SegkitError, Segment, charts, connect, everyone
from segkit.charts import drawing

FILLED = f'fill="{drawing.BLUE}"'
RATES = ("open_rate", "conversion_rate", "average_order_value", "revenue_per_contact")


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


def frame(names: list[str], value: float = 0.25, circular: str = "", **more: Any) -> pd.DataFrame:
    rows = [
        {
            "segment": name,
            **more,
            "contacts": 10,
            **{f"{rate}{part}": value + at for rate in RATES for part, at in _PARTS},
            "circular": circular,
        }
        for name in names
    ]
    return pd.DataFrame(rows)


_PARTS = (("", 0.0), ("_low", -0.1), ("_high", 0.1), ("_vs_rest", -0.3), ("_vs_rest_low", -0.4), ("_vs_rest_high", 0.05))


@pytest.mark.filterwarnings("ignore:no history of")
@pytest.mark.parametrize("metric", [*RATES, "conversion_rate_vs_rest", "average_order_value_vs_rest", "open_rate_vs_baseline"])
def test_points_and_intervals_are_those_of_the_frame(ws, metric: str) -> None:
    segments = [Segment("Carted", E.carted.any()), Segment("Canada", F.location == "Canada")]
    own = ws.performance(segments, start="2025-09-01", end="2025-10-01", baseline=everyone())
    drawn = values(charts.performance(own, metric=metric))
    assert [value["segment"] for value in drawn] == ["Carted", "Canada", "everyone()"]
    for value, (_, row) in zip(drawn, own.iterrows(), strict=True):
        for part, name in (("value", metric), ("low", f"{metric}_low"), ("high", f"{metric}_high")):
            assert value[part] == (None if math.isnan(row[name]) else pytest.approx(row[name], rel=1e-9))
    shown = texts(charts.performance(own, metric=metric).svg())
    assert "2025-09-01 to 2025-10-01, members at the start" in shown
    if metric == "conversion_rate":
        assert f"{own['conversion_rate'][0]:.1%}" in shown
        assert "contacts with a conversion / contacts; 95% intervals; dashed: everyone()" in shown


def test_the_line_is_the_baselines_and_zero_for_differences() -> None:
    own = frame(["a", "b"])
    own.attrs["baseline"] = "b"
    for metric, line in (("open_rate", 0.25), ("open_rate_vs_rest", 0.0)):
        rule = charts.performance(own, metric=metric).spec["layer"][0]
        assert rule["mark"]["strokeDash"]
        assert rule["encoding"]["x"]["datum"] == line
    assert "strokeDash" not in charts.performance(frame(["a"])).spec["layer"][0]["mark"]


def test_an_amount_below_one_is_no_share() -> None:
    shown = texts(charts.performance(frame(["a"]), metric="average_order_value").svg())
    assert "0.25" in shown
    assert not any("%" in text for text in shown)


def test_a_circular_point_is_hollow_and_says_so() -> None:
    chart = charts.performance(frame(["a"], circular="open_rate, click_rate"))
    assert "hollow: circular, the segment is defined by what is measured" in texts(chart.svg())
    assert FILLED not in chart.svg()
    other = charts.performance(frame(["a"], circular="open_rate"), metric="conversion_rate")
    assert "hollow" not in other.svg()
    assert FILLED in other.svg()


def test_periods_have_a_panel_a_segment() -> None:
    own = pd.concat([frame(["a", "b"], period=pd.Timestamp(f"2025-0{month}-01", tz="UTC")) for month in (1, 2, 3)])
    shown = texts(charts.performance(own).svg())
    assert {"a", "b", "2025-01-01", "2025-03-01"} <= set(shown)
    assert "of a" in texts(charts.performance(own[own["segment"] == "a"]).svg())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "names", [["a"], [f"segment {i}" for i in range(40)], HOSTILE, []], ids=["one", "many", "hostile", "none"]
)
def test_any_names_and_any_number_are_drawn(names: list[str], theme: str) -> None:
    own = frame(names) if names else frame(["a"]).iloc[:0]
    chart = charts.performance(own)
    svg = chart.svg(theme)
    assert width(svg) <= 600
    assert "<script" not in svg
    assert "<img" not in svg
    json.dumps(chart.spec, allow_nan=False)
    if names == HOSTILE:
        assert len(values(chart)) == len(HOSTILE)


def test_missing_zero_and_infinite_values_are_drawn() -> None:
    own = frame(["none", "zero", "far"])
    own.loc[0, ["open_rate", "open_rate_low", "open_rate_high"]] = math.nan
    own.loc[1, ["open_rate", "open_rate_low", "open_rate_high"]] = 0.0
    own.loc[2, ["open_rate_low", "open_rate_high"]] = [-math.inf, math.inf]
    chart = charts.performance(own)
    json.dumps(chart.spec, allow_nan=False)
    assert {"–", "0%"} <= set(texts(chart.svg()))


def test_other_frames_and_metrics_are_refused() -> None:
    with pytest.raises(SegkitError, match=r"there is no contacts"):
        charts.performance(pd.DataFrame({"segment": []}))
    with pytest.raises(SegkitError, match="unknown metric 'conversion'") as refused:
        charts.performance(frame(["a"]), metric="conversion")
    assert "conversion_rate" in str(refused.value)


def test_more_than_60_segments_say_how_many_are_left_out() -> None:
    assert "the first 60 of 70 segments" in texts(charts.performance(frame([f"s{i}" for i in range(70)])).svg())
