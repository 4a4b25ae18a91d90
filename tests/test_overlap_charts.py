"""Charts of overlap, regions and waterfalls: what they show is what the frame says, at any size and with any name."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from test_charts import HOSTILE, texts, user_texts, width

from segkit import E, F, SegkitError, Segment, charts, connect, templates

PAIRS = ["a", "b", "size_a", "size_b", "both", "share_of_a", "share_of_b", "jaccard"]
NODES = ["path", "condition", "alone", "running", "without"]


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


def pairs(names: list[str]) -> pd.DataFrame:
    rows = [(a, b, 40, 10, 8, 0.2, 0.8, 8 / 42) for i, a in enumerate(names) for b in names[i + 1 :]]
    return pd.DataFrame(rows, columns=PAIRS)


def regions(names: list[str], count: int = 2) -> pd.DataFrame:
    holds = {name: [(row >> (i % 8)) & 1 == 1 for row in range(1, count + 1)] for i, name in enumerate(names)}
    return pd.DataFrame({**holds, "size": [count - i for i in range(count)], "share": [1 / count] * count})


def nodes(conditions: list[str]) -> pd.DataFrame:
    rows = [("where" if not i else f"where.items[{i - 1}]", own, 90 - i, 80 - i, 85) for i, own in enumerate(conditions)]
    return pd.DataFrame(rows, columns=NODES)


def rows_of(chart: charts.Chart) -> list[dict[str, Any]]:
    return [row for values in chart.spec["datasets"].values() for row in values]


DRAWN = {
    "overlap": (charts.overlap, pairs),
    "intersections": (charts.intersections, regions),
    "waterfall": (charts.waterfall, nodes),
}


# ---------------------------------------------------------------- overlap


def test_each_half_of_the_map_is_a_share_of_the_row(ws) -> None:
    segments = templates.documented()[:6]
    frame = ws.overlap(segments)
    members = {own.name: set(ws.members(own).iloc[:, 0]) for own in segments}
    cells = rows_of(charts.overlap(frame))
    assert len(cells) == 36
    for cell in cells:
        own, other = members[cell["segment"]], members[cell["other"]]
        assert (cell["size"], cell["both"]) == (len(own), len(own & other))
        assert cell["value"] == (None if own == other else pytest.approx(len(own & other) / len(own)))
    assert [row["segment"] for row in sorted(cells, key=lambda cell: (cell["column"], cell["row"]))][:6] == list(members)
    both_ways = {(cell["segment"], cell["other"]): cell["value"] for cell in rows_of(charts.overlap(frame, "jaccard"))}
    assert all(both_ways[a, b] == both_ways[b, a] for a, b in both_ways)


def test_the_order_is_kept_and_numbers_stand_in_large_cells() -> None:
    shown = texts(charts.overlap(pairs(["b", "c", "a"])).svg())
    assert [text for text in shown if text in ("a", "b", "c")] == ["b", "c", "a", "b", "c", "a"]
    assert (shown.count("20"), shown.count("80")) == (3, 3)
    assert "20" not in texts(charts.overlap(pairs([f"s{i}" for i in range(40)])).svg())


def test_segments_of_nobody_have_no_shade(ws) -> None:
    frame = ws.overlap([Segment("Nobody", F.opens < 0), Segment("US", F.country == "USA")])
    chart = charts.overlap(frame)
    json.dumps(chart.spec, allow_nan=False)
    assert "–" in texts(chart.svg())


def test_50_segments_fit_and_more_are_told(ws) -> None:
    svg = charts.overlap(pairs([f"A segment with a long name {i}" for i in range(50)])).svg()
    assert width(svg) <= 600
    assert sum(text.startswith("A segment") for text in texts(svg)) == 100
    assert "the first 50 of 60 segments" in texts(charts.overlap(pairs([f"s{i}" for i in range(60)])).svg())


def test_another_measure_is_refused() -> None:
    with pytest.raises(SegkitError, match="there is no measure 'cosine'"):
        charts.overlap(pairs(["a", "b"]), "cosine")  # type: ignore[arg-type]


# ---------------------------------------------------------------- regions


def test_each_region_has_a_bar_and_a_dot_for_each_of_its_segments(ws) -> None:
    segments = templates.documented()[:5]
    frame = ws.intersections(segments)
    chart = charts.intersections(frame)
    rows = rows_of(chart)
    inside = frame[frame.iloc[:, :5].any(axis=1)]
    assert [row["size"] for row in rows if "size" in row] == inside["size"].tolist()
    dots = {(row["region"], row["row"]): row["in"] == "in" for row in rows if "in" in row}
    assert dots == {(i, j): bool(inside.iloc[i, j]) for i in range(len(inside)) for j in range(5)}
    shown = texts(chart.svg())
    outside = int(frame["size"].sum() - inside["size"].sum())
    assert f"{outside:,} contacts ({outside / 3999:.1%}) are in none of them" in shown
    assert {f"{own.name} ({ws.size(own):,})" for own in segments} <= set(shown)


def test_sizes_stand_beside_names_of_any_length() -> None:
    shown = texts(charts.intersections(regions(["n" * 90, "n" * 90 + "!", "US"], 7)).svg())
    assert [text for text in shown if text.endswith(")")] == ["n" * 19 + "… (16)", "n" * 19 + "… (2) (14)", "US (10)"]


def test_many_regions_and_segments_are_told() -> None:
    shown = texts(charts.intersections(regions([f"s{i}" for i in range(45)], 80)).svg())
    assert {"the first 30 of 80 regions, by size", "the first 40 of 45 segments"} <= set(shown)


# ---------------------------------------------------------------- waterfall


def test_each_node_has_its_sizes_and_what_dropping_it_gives(ws) -> None:
    frame = ws.waterfall((F.country == "USA") & (F.opens > 5) & ((F.clicks > 3) | E.purchased.any()))
    chart = charts.waterfall(frame)
    rows = rows_of(chart)
    assert [(row["alone"], row["running"], row["without"]) for row in rows] == list(
        frame[["alone", "running", "without"]].itertuples(index=False, name=None)
    )
    assert [row["gain"] for row in rows][1:] == frame["gain"].tolist()[1:]
    assert [row["condition"].count("· ") for row in rows] == [0, 1, 1, 1, 2, 2]
    shown = texts(chart.svg())
    for row in rows[1:]:
        assert f"{row['running']:,}" + (f" of {row['alone']:,}" if row["alone"] > row["running"] else "") in shown
        assert f"{row['gain']:+,}".replace("-", "−").replace("+0", "0") in shown


def test_one_condition_has_no_other_to_be_dropped(ws) -> None:
    chart = charts.waterfall(ws.waterfall(F.country == "USA"))
    assert len(chart.spec["hconcat"]) == 1
    assert "light: by itself; dark: with those before it" in texts(chart.svg())


def test_bars_of_a_waterfall_begin_at_zero(ws) -> None:
    chart = charts.waterfall(ws.waterfall((F.opens > 5) | (F.clicks > 3)))
    for layer in chart.spec["hconcat"][0]["layer"][:2]:
        assert layer["encoding"]["x"]["scale"]["domain"][0] == 0
    assert chart.spec["hconcat"][1]["layer"][0]["encoding"]["x"]["scale"]["domain"][0] < 0


def test_nobody_at_all(ws) -> None:
    chart = charts.waterfall(ws.waterfall((F.opens < -5) & (F.clicks < 0)))
    json.dumps(chart.spec, allow_nan=False)
    assert texts(chart.svg()).count("0") >= 3


# ---------------------------------------------------------------- all three


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("count", [1, 3, 40])
def test_any_number_fits_600_points(name: str, count: int) -> None:
    draw, make = DRAWN[name]
    for own in (make([f"s{i}" for i in range(count)]), make([f"{'w' * 90} {i}" for i in range(count)])):
        assert width(draw(own).svg()) <= 600


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_frame_says_so(name: str) -> None:
    draw, make = DRAWN[name]
    assert "nothing to show" in texts(draw(make([])[:0]).svg())


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("wrong", [pd.DataFrame({"x": [1]}), None, [1, 2]], ids=["columns", "none", "list"])
def test_another_frame_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(SegkitError, match=f"charts.{name} shows a frame with the columns"):
        DRAWN[name][0](wrong)


@pytest.mark.parametrize("name", DRAWN)
def test_hostile_names_are_drawn_as_text(name: str) -> None:
    draw, make = DRAWN[name]
    chart = draw(make([*HOSTILE, "MARKER"]))
    for theme in ("light", "dark"):
        tags = {element.tag.rsplit("}")[-1] for element in ElementTree.fromstring(chart.svg(theme)).iter()}
        assert tags <= {"svg", "g", "path", "text", "rect", "line", "defs", "clipPath"}
    assert {place[:1] for place in user_texts(chart.spec)} == {("datasets",)}


@pytest.mark.parametrize("name", DRAWN)
def test_names_reach_no_expression_of_the_compiled_picture(name: str) -> None:
    import vl_convert

    draw, make = DRAWN[name]
    vega = vl_convert.vegalite_to_vega(draw(make(["MARKER 1", "MARKER 2"])).spec, vl_version="5.8")
    for place in user_texts(vega):
        assert not {"expr", "signal", "update", "test", "filter"} & set(place), place


@pytest.mark.parametrize("name", DRAWN)
def test_the_colours_of_text_are_the_pages_own(name: str) -> None:
    draw, make = DRAWN[name]
    spec = draw(make(["a", "b"])).spec
    assert spec["config"]["background"] == "transparent"
    colours = set(re.findall(r'"#[0-9a-f]{6}"', json.dumps(spec)))
    assert colours <= {f'"{charts.drawing.BLUE}"', f'"{charts.drawing.GREY}"'}


def test_the_numbers_of_frames_need_not_be_pythons() -> None:
    """Frames read from a file may hold numpy's numbers, and each chart is still JSON."""
    own = regions(["a", "b"]).astype({"size": np.int32})
    json.dumps(charts.intersections(own).spec)
