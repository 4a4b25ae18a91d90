"""Charts: what they show is what the frame says, hostile names stay text, nothing is cut in silence."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pandas as pd
import pytest
from test_sample_data import SAMPLE, database

from segkit import F, SegkitError, Segment, charts, connect, everyone, templates
from segkit.charts import chart as chart_file

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"]; alert('1')",
    '{"signal": "alert(1)"}',
    "datum.size === 1 ? alert(1) : 2",
    "a\x00b\x08\x1b[31m",
    "two\nlines",
    "\u202egnp.exe",
    "javascript:alert(1)",
    "x" * 5000,
    "",
]


def hostile() -> list[str]:
    """The built-in list, and those of the cases where they are at hand."""
    path = Path(os.environ.get("SEGKIT_CASES", "")) / "hostile.jsonl"
    more = [json.loads(line)["v"] for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    return [*HOSTILE, *(text for text in more if isinstance(text, str) and text.isprintable() | text.isascii())]


def frame(names: list[str], sizes: list[int], everyone: int = 4000) -> pd.DataFrame:
    own = pd.DataFrame({"segment": names, "size": sizes, "share": [size / everyone for size in sizes]})
    own.attrs["as_of"] = "2025-11-30T12:00:00+00:00"
    return own


def composed(names: list[str], values: list[str]) -> pd.DataFrame:
    rows = [(name, value, 1, 1 / len(values), "value") for name in names for value in values]
    own = pd.DataFrame(rows, columns=["segment", "value", "size", "share", "part"])
    own.attrs.update(by="country", as_of="2025-11-30T12:00:00+00:00")
    return own


def texts(svg: str) -> list[str]:
    """Each line of text."""
    elements = ElementTree.fromstring(svg).iter()
    return [element.text or "" for element in elements if element.tag.endswith(("}text", "}tspan"))]


def width(svg: str) -> float:
    return float(ElementTree.fromstring(svg).attrib["width"])


def values(chart: charts.Chart) -> list[dict[str, Any]]:
    [own] = chart.spec["datasets"].values()
    return own


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


# ---------------------------------------------------------------- sizes


def test_sizes_show_each_number_its_share_and_the_instant(ws) -> None:
    sizes = ws.sizes(templates.documented())
    shown = texts(charts.size(sizes).svg())
    assert "Contacts in each segment" in shown
    assert "as of 2025-11-30 12:00 UTC" in shown
    assert "contacts (share of all contacts)" in shown
    for name, size, share in sizes[["segment", "size", "share"]].itertuples(index=False):
        assert name in shown
        percent = "100%" if share == 1 else f"{share:.1%}"
        assert f"{size:,} ({percent})" in [re.sub(r"\s+", " ", text) for text in shown]


def test_bars_begin_at_zero_and_keep_the_order() -> None:
    chart = charts.size(frame(["b", "c", "a"], [1000, 1001, 999]))
    bars = chart.spec["layer"][0]["encoding"]
    assert bars["x"]["scale"]["domain"] == [0, 1001]
    drawn = [text for text in texts(chart.svg()) if text in "abc" and text]
    assert drawn == ["b", "c", "a"]


@pytest.mark.parametrize("count", [1, 5, 22, 100])
def test_the_height_grows_with_the_rows_and_the_width_stays(count: int) -> None:
    svg = charts.size(frame([f"segment {i}" for i in range(count)], list(range(count)))).svg()
    height = float(ElementTree.fromstring(svg).attrib["height"])
    assert 22 * count < height < 22 * count + 120
    assert width(svg) <= 600


def test_200_segments_say_how_many_are_left_out() -> None:
    chart = charts.size(frame([f"segment {i}" for i in range(200)], list(range(200))))
    assert "the first 100 of 200 segments" in texts(chart.svg())
    assert len(values(chart)) == 100
    assert len(chart.data) == 200


def test_long_names_are_cut_in_the_picture_and_whole_in_the_tooltip() -> None:
    name = "A segment with a name that goes on and on, beyond what there is room for"
    chart = charts.size(frame([name], [3]))
    assert width(chart.svg()) <= 600
    assert any(text.startswith("A segment with") and text.endswith("…") for text in texts(chart.svg()))
    assert values(chart)[0]["segment"] == name


def test_segments_of_one_name_have_a_bar_each() -> None:
    shown = texts(charts.size(frame(["VIP", "VIP"], [3, 5])).svg())
    assert {"VIP", "VIP (2)"} <= set(shown)


def test_what_is_read_as_of_today_is_noted() -> None:
    own = frame(["Gold"], [3]).assign(note="today's values of customer_tier")
    assert "today's values of customer_tier" in texts(charts.size(own).svg())


def test_nobody_at_all() -> None:
    own = pd.DataFrame({"segment": ["a"], "size": [0], "share": [float("nan")]})
    shown = texts(charts.size(own).svg())
    assert shown.count("0") == 2
    json.dumps(charts.size(own).spec, allow_nan=False)


# ---------------------------------------------------------------- composition


def test_composition_is_that_of_a_query_written_by_hand(ws) -> None:
    oracle: duckdb.DuckDBPyConnection = database(SAMPLE)
    counts = dict(oracle.execute("SELECT country, count(*) FROM contacts WHERE opens > 5 GROUP BY country").fetchall())
    missing = counts.pop(None, 0)
    own = ws.composition(F.opens > 5, by="country", top=3)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    # contacts that are created later do not exist yet
    existing = ws.size(F.opens > 5)
    assert sum(counts.values()) + missing == existing
    assert own["value"].tolist() == [*(name for name, _ in ordered[:3]), "other", "missing"]
    assert own["size"].tolist() == [*(n for _, n in ordered[:3]), sum(n for _, n in ordered[3:]), missing]
    assert own["share"].sum() == pytest.approx(1)
    assert own["part"].tolist() == ["value"] * 3 + ["other", "missing"]
    assert own.attrs["by"] == "country"
    assert own.attrs["as_of"] == "2025-11-30T12:00:00+00:00"


def test_composition_tells_as_many_values_apart_as_asked_also_where_none_is_missing() -> None:
    contacts = pd.DataFrame({"contact_id": range(6), "plan": ["a"] * 3 + ["b"] * 2 + ["c"]})
    with connect({"contacts": contacts}, home=None) as own:
        assert own.composition(everyone(), by="plan", top=2)["value"].tolist() == ["a", "b", "other"]
        assert own.composition(everyone(), by="plan", top=3)["value"].tolist() == ["a", "b", "c"]
        assert own.composition(F.plan != "a", by="plan", top=1)["size"].tolist() == [2, 1]


def test_composition_of_several_has_the_same_values_and_adds_up(ws) -> None:
    segments = templates.documented()
    own = ws.composition(segments, by=F.created_at.year(), top=1)
    for segment in segments:
        part = own[own["segment"] == segment.name]
        assert part["value"].tolist() == own["value"].tolist()[: len(part)]
        assert part["size"].sum() == ws.size(segment)


class Counting:
    """An engine that counts the queries of another, or refuses them."""

    def __init__(self, engine: Any) -> None:
        self.own, self.queries = engine, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def frame(self, sql: str) -> pd.DataFrame:
        self.queries += 1
        return self.own.frame(sql)


def test_composition_is_one_query() -> None:
    with connect(home=None) as own:
        own.size(everyone())
        counting = own.engine = Counting(own.engine)
        own.composition(templates.documented(), by="country")
        assert counting.queries == 1


def test_a_value_called_other_is_told_from_the_rest() -> None:
    contacts = pd.DataFrame({"contact_id": range(8), "plan": ["other"] * 3 + ["missing"] * 2 + ["a", "b", None]})
    with connect({"contacts": contacts}, home=None) as own:
        got = own.composition(everyone(), by="plan", top=2)
    assert got[["value", "size", "part"]].values.tolist() == [
        ["other", 3, "value"],
        ["missing", 2, "value"],
        ["other", 2, "other"],
        ["missing", 1, "missing"],
    ]
    shown = texts(charts.composition(got).svg())
    assert {"other", "other (2)", "missing", "missing (2)"} <= set(shown)


def test_kinds_of_values_are_worded() -> None:
    contacts = pd.DataFrame(
        {
            "contact_id": range(4),
            "visits": pd.array([1, 1, None, 7], dtype="Int64"),
            "vip": pd.array([True, True, False, None], dtype="boolean"),
            "price": [0.5, 0.5, 0.5, float("nan")],
            "born": [pd.Timestamp("1990-01-02").date()] * 3 + [None],
        }
    )
    expected = {
        "visits": ["1", "7", "missing"],
        "vip": ["true", "false", "missing"],
        "price": ["0.5", "missing"],
        "born": ["1990-01-02", "missing"],
    }
    with connect({"contacts": contacts}, home=None) as own:
        for name, worded in expected.items():
            assert own.composition(everyone(), by=name)["value"].tolist() == worded, name


def test_composition_of_nobody_and_of_nothing(ws) -> None:
    nobody = ws.composition(Segment("Nobody", F.country == "Nowhere"), by="country")
    both = ws.composition([Segment("Nobody", F.country == "Nowhere"), everyone()], by="customer_tier")
    assert len(nobody) == 0
    assert both["share"].isna().sum() == len(both) / 2
    json.dumps(charts.composition(both).spec, allow_nan=False)
    for own in (nobody, ws.composition([], by="country")):
        assert "nothing to show" in texts(charts.composition(own).svg())


@pytest.mark.parametrize(
    ("by", "top"), [("contry", 5), (3, 5), ("country", 0), ("country", True), ("country", 1001), ("country", "5")]
)
def test_composition_refuses(ws, by: Any, top: Any) -> None:
    with pytest.raises(SegkitError) as error:
        ws.composition(F.opens > 5, by=by, top=top)
    assert error.value.fix


@pytest.mark.parametrize("count", [1, 2, 5, 22])
def test_panels_fit_600_points(ws, count: int) -> None:
    own = ws.composition(templates.documented()[:count], by="country", top=4)
    svg = charts.composition(own).svg()
    assert width(svg) <= 600
    assert {"Contacts by country", "USA", "missing"} <= set(texts(svg))


def test_one_segment_is_named_and_many_are_counted() -> None:
    assert "in VIP" in texts(charts.composition(composed(["VIP"], ["a", "b"])).svg())
    assert "the first 24 of 30 segments" in texts(charts.composition(composed([f"s{i}" for i in range(30)], ["a"])).svg())


def test_a_segment_of_nobody_has_a_dash_for_each_value(ws) -> None:
    both = ws.composition([Segment("Nobody", F.country == "Nowhere"), everyone()], by="customer_tier")
    assert texts(charts.composition(both).svg()).count("–") == len(both) / 2


def test_blanks_around_a_value_are_seen() -> None:
    shown = texts(charts.composition(composed(["VIP"], ["USA", " USA", ""])).svg())
    assert {"USA", '" USA"', '""'} <= set(shown)


# ---------------------------------------------------------------- every chart


@pytest.mark.parametrize("size", [10**6, 10**10, 10**14])
def test_long_numbers_names_and_notes_fit_600_points(size: int) -> None:
    fields = [f"field_number_{i}" for i in range(20)]
    chart = charts.size(
        frame(["A segment with a long name " * 4], [size], size).assign(note=f"today's values of {', '.join(fields)}")
    )
    named = composed(["s" * 90], ["v" * 90])
    named.attrs["by"] = "w" * 90
    shown = texts(chart.svg())
    assert f"{size:,} (100%)" in shown
    assert all(any(re.search(rf"\b{field}\b", text) for text in shown) for field in fields)
    for own in (chart, charts.composition(named)):
        assert width(own.svg()) <= 600


def both_of(name: str) -> list[charts.Chart]:
    return [charts.size(frame([name], [5])), charts.composition(composed([name, f"{name}!"], [name]))]


@pytest.mark.parametrize("empty", [frame([], []), composed([], ["a"])], ids=["size", "composition"])
def test_an_empty_frame_says_so(empty: pd.DataFrame) -> None:
    draw = charts.composition if "part" in empty else charts.size
    assert "nothing to show" in texts(draw(empty).svg())


@pytest.mark.parametrize("draw", [charts.size, charts.composition])
@pytest.mark.parametrize("wrong", [pd.DataFrame({"a": [1]}), None, [1, 2]], ids=["columns", "none", "list"])
def test_another_frame_is_refused(draw: Any, wrong: Any) -> None:
    with pytest.raises(SegkitError, match="shows a frame with the columns segment"):
        draw(wrong)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_drawn_as_text(name: str) -> None:
    for chart in both_of(name):
        for theme in ("light", "dark"):
            tags = {element.tag.rsplit("}")[-1] for element in ElementTree.fromstring(chart.svg(theme)).iter()}
            assert tags <= {"svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "a"} - {"a"}


def user_texts(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where a marker stands in a specification."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in user_texts(value, (*path, key)) + user_texts(key, path)]
    if isinstance(node, list):
        return [found for value in node for found in user_texts(value, path)]
    return [path] if isinstance(node, str) and "MARKER" in node else []


def test_names_stand_in_the_data_and_in_titles_only() -> None:
    own = composed(["MARKER 1", "MARKER 2"], ["MARKER 3"])
    own.attrs["by"] = "MARKER 4"
    noted = frame(["MARKER 5"], [5]).assign(note="MARKER 6")
    alone = composed(["MARKER 7"], ["MARKER 8"])
    for chart in (charts.composition(own), charts.size(noted), charts.composition(alone)):
        places = user_texts(chart.spec)
        assert places
        assert {place[:1] for place in places} <= {("datasets",), ("title",)}


def test_names_reach_no_expression_of_the_compiled_picture() -> None:
    """Vega-Lite itself writes expressions, such as for a sort by names: no name may be among them."""
    import vl_convert

    for chart in both_of("MARKER"):
        vega = vl_convert.vegalite_to_vega(chart.spec, vl_version="5.8")
        for place in user_texts(vega):
            assert not {"expr", "signal", "update", "test", "filter"} & set(place), place


def test_all_hostile_names_at_once() -> None:
    names = hostile()
    for start in range(0, len(names), 100):
        part = names[start : start + 100]
        chart = charts.size(frame(part, [5] * len(part)))
        ElementTree.fromstring(chart.svg())
        page = chart_file._in_script(chart.spec)
        assert "<" not in page
        assert json.loads(page) == chart.spec


def test_the_bundle_holds_what_jupyterlab_and_others_draw(ws) -> None:
    for chart in both_of("VIP"):
        bundle = chart._repr_mimebundle_()
        assert set(bundle) == {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"}
        assert "/v5" in bundle["application/vnd.vegalite.v5+json"]["$schema"]
        # the theme of the notebook gives the colours of the text; that inside the picture is the page's own
        assert chart.spec["config"]["background"] == "transparent"
        own = {**chart.spec["config"], "text": None}
        assert "color" not in json.dumps([own, chart.spec["title"]]).lower()


def test_text_inside_a_chart_has_the_colour_of_the_page() -> None:
    """Themes of notebooks colour titles and axes only, and a canvas knows no colour of a page."""
    import vl_convert

    theme = {"style": {"guide-label": {"fill": "#ffffff"}, "guide-title": {"fill": "#ffffff"}}}
    for chart in both_of("VIP"):
        assert chart.spec["usermeta"]["embedOptions"]["renderer"] == "svg"
        vega = vl_convert.vegalite_to_vega({**chart.spec, "config": {**theme, **chart.spec["config"]}}, vl_version="5.8")
        written = [mark["encode"]["update"]["fill"] for mark in every_mark(vega) if mark["type"] == "text"]
        assert written == [{"value": "currentColor"}]


def every_mark(vega: Any) -> list[dict[str, Any]]:
    """The marks that draw data: those of titles and headers are the theme's."""
    return [
        own
        for mark in vega.get("marks", [])
        for own in ([mark] if mark["type"] != "group" else every_mark(mark))
        if "encode" in own and not str(own.get("role", mark.get("role", ""))).startswith(("row", "column"))
    ]


def test_the_settings_of_altair_change_nothing() -> None:
    import altair as alt

    plain = charts.size(frame(["VIP"], [5])).spec
    with alt.data_transformers.enable("csv"), alt.theme.enable("dark"):
        assert charts.size(frame(["VIP"], [5])).spec == plain


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_has_paper_and_ink_of_a_theme(theme: Any) -> None:
    svg = charts.size(frame(["VIP"], [5])).svg(theme)
    paper, ink = chart_file._PAPER[theme], chart_file._INK[theme]
    root = ElementTree.fromstring(svg)
    first = next(iter(root))
    assert first.attrib["fill"] == paper
    fills = {e.attrib["fill"] for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert fills == {ink, chart_file._MUTED[theme]}
    for colour in fills:
        assert contrast(colour, paper) >= 4.5
    for bar in (charts.drawing.BLUE, charts.drawing.GREY):
        assert contrast(bar, paper) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_saved(tmp_path: Path, theme: Any) -> None:
    chart = charts.size(frame(["</script>"], [5]))
    assert chart.save(tmp_path / "a.svg", theme).read_text(encoding="utf-8").startswith("<svg")
    assert chart.save(tmp_path / "a.PNG", theme).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert json.loads(chart.save(tmp_path / "a.json").read_text(encoding="utf-8")) == chart.spec


def test_a_saved_page_is_whole(tmp_path: Path) -> None:
    page = charts.size(frame(["</script><b>"], [5])).save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", page)
    assert page.count("<script") == page.count("</script>") == 2
    [specs] = re.findall(r'<script type="application/json" id="specs">(.*?)</script>', page)
    assert "</script><b>" in str(json.loads(specs)["dark"]["datasets"])


@pytest.mark.parametrize("name", ["a.txt", "a", "missing/a.svg"])
def test_what_cannot_be_saved_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SegkitError) as error:
        charts.size(frame(["VIP"], [5])).save(tmp_path / name)
    assert error.value.fix


def test_an_unknown_theme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SegkitError, match="unknown theme"):
        charts.size(frame(["VIP"], [5])).save(tmp_path / "a.svg", "sepia")  # type: ignore[arg-type]
