"""Charts of profiles and differences: what they show is what the frame says, and whatever names there are, it fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from test_charts import HOSTILE, texts, values, width

from segkit import E, F, SegkitError, Segment, Workspace, charts, connect, everyone


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        yield own


@pytest.fixture(scope="module")
def profiled(ws: Workspace) -> pd.DataFrame:
    return ws.profile(Segment("Readers", (F.opens > 20) & (E.opened.within(days=90).count() > 2)))


@pytest.fixture(scope="module")
def moved(ws: Workspace) -> pd.DataFrame:
    old, new = (F.opens > 20) & (F.country == "USA"), (F.opens > 18) & ((F.country == "USA") | (F.purchases > 3)) & (F.clicks > 2)
    return ws.diff(Segment("Old", old), Segment("New", new))


# ---------------------------------------------------------------- profiles


def test_the_first_ranks_are_drawn_in_their_order(profiled: pd.DataFrame) -> None:
    chart = charts.profile(profiled)
    ranked = profiled[profiled["rank"] <= 20].sort_values("rank")
    assert [own["difference"] for own in values(chart)] == pytest.approx(ranked["difference"].tolist())
    assert [own["low"] for own in values(chart)] == pytest.approx(ranked["low"].tolist())
    apart = ["defining" if own else "apart" for own in ranked["defining"]]
    assert [own["shown"] for own in values(chart)] == apart
    shown = texts(chart.svg())
    assert f"the first 20 of {profiled['rank'].max()} comparisons" in shown
    assert f"Readers: {profiled.attrs['members']:,} of 3,999 contacts" in shown
    assert "too empty to segment on: budget" in shown
    assert "as of 2025-11-30 12:00 UTC" in shown
    assert width(chart.svg()) <= 600


def test_members_stand_beside_everyone(ws: Workspace) -> None:
    frame = ws.profile(F.country == "USA", ["country", "opens", "birthday", "timezone"])
    labels = {own["name"]: own["label"] for own in values(charts.profile(frame))}
    assert labels["country: USA"] == "100%, all 51.0%, index 196"
    assert labels["opens"] == "median 7, all 6"
    assert labels["birthday"] == "median 1981-11-10, all 1981-03-07"
    assert labels["country known"].endswith("index 110")
    shown = {own["name"]: own["shown"] for own in values(charts.profile(frame))}
    assert (shown["country: USA"], shown["timezone: PST"], shown["birthday"]) == ("defining", "apart", "no finding")


def test_nothing_that_could_set_apart(ws: Workspace) -> None:
    for frame in (ws.profile(everyone(), "opens"), ws.profile(F.country == "Nowhere", "opens"), ws.profile(F.opens > 5, [])):
        assert "nothing to show" in texts(charts.profile(frame).svg())


# ---------------------------------------------------------------- differences


def test_bars_are_the_reasons(moved: pd.DataFrame) -> None:
    chart = charts.diff(moved)
    found = {(own["because"], own["moved"]): abs(own["contacts"]) for own in values(chart)}
    assert found == {(own["because"], own["moved"]): own["contacts"] for own in moved.attrs["reasons"]}
    assert all((own["contacts"] > 0) is (own["moved"] == "gained") for own in values(chart))
    shown = texts(chart.svg())
    assert "from Old to New" in shown
    assert moved.attrs["says"] in shown
    assert not any("-" in text or "−" in text for text in shown if text.strip("-−").isdigit())
    assert width(chart.svg()) <= 600


def test_one_side_alone_begins_at_zero(ws: Workspace) -> None:
    for old, new, end in ((F.opens > 20, F.opens > 5, 0), (F.opens > 5, F.opens > 20, 1)):
        chart = charts.diff(ws.diff(old, new))
        assert chart.spec["layer"][0]["encoding"]["x"]["scale"]["domain"][end] == 0


def test_both_instants_are_told(ws: Workspace) -> None:
    own = Segment("Buyers", E.purchased.within(days=30).any())
    shown = texts(charts.diff(ws.diff(own, own, old_as_of="2025-10-31")).svg())
    assert "as of 2025-11-30 12:00 UTC; before: 2025-10-31 00:00 UTC" in shown
    assert "Buyers" in shown


def test_the_same_members_are_certified(ws: Workspace) -> None:
    shown = texts(charts.diff(ws.diff(F.opens > 5, F.opens >= 6)).svg())
    assert f"the same {ws.size(F.opens > 5):,} members on this data" in shown
    assert "nothing to show" in shown


def test_many_reasons_say_how_many_are_left_out() -> None:
    frame = pd.DataFrame({"contact_id": range(40), "moved": ["gained"] * 40, "because": [f"added: F.n > {i}" for i in range(40)]})
    assert "the first 30 of 40 reasons" in texts(charts.diff(frame).svg())


# ---------------------------------------------------------------- both


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_drawn_as_text(profiled: pd.DataFrame, name: str) -> None:
    head = profiled.sort_values("rank").head(3).assign(field=name, value=name, sparse=True)
    head.attrs = {**profiled.attrs, "segment": name}
    frame = pd.DataFrame({"moved": ["gained", "lost"], "because": [name, name]})
    frame.attrs.update(old=name, new=name, says="")
    for chart in (charts.profile(head), charts.diff(frame)):
        svg = chart.svg()
        assert "<script" not in svg
        assert "<img" not in svg
        assert width(svg) <= 600
        json.dumps(chart.spec, allow_nan=False)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_both_themes(profiled: pd.DataFrame, moved: pd.DataFrame, theme: Any) -> None:
    for chart in (charts.profile(profiled), charts.diff(moved)):
        assert chart.png(theme).startswith(b"\x89PNG")


def test_another_frame_is_refused(profiled: pd.DataFrame) -> None:
    for draw in (charts.profile, charts.diff):
        for wrong in (None, 3, profiled.drop(columns="rank").drop(columns="what")):
            with pytest.raises(SegkitError):
                draw(wrong)
