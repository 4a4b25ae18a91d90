"""Tracked history beside computed history: each is right by itself, as of the same instants, and their difference is told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner
from test_tracking import BEGIN, READERS, US, database, day

from segkit import DefinitionError, E, F, Segment, Workspace, charts, connect, in_segment
from segkit.cli import main
from segkit.errors import SegkitWarning
from segkit.tracking import refreshing

pytestmark = pytest.mark.filterwarnings("ignore:no history of country")
HISTORY = ["segment", "at", "size", "entries", "exits", "growth", "churn", "method", "today_values"]
NOON = dt.timedelta(hours=12)


@pytest.fixture
def data() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


@pytest.fixture
def ws(data: duckdb.DuckDBPyConnection, tmp_path: Path) -> Workspace:
    return connect(data, home=tmp_path)


def kept(ws: Workspace, *days: int) -> dict[dt.datetime, set[int]]:
    """Refreshes at noon of some days, and a morning one before each that saw others; who was seen at noon."""
    looks = {}
    for n in days:
        ws.refresh(as_of=day(n) + NOON / 2)
        ws.refresh(as_of=day(n) + NOON)
        looks[day(n) + NOON] = set(ws.members(READERS, as_of=day(n) + NOON)["contact_id"])
    return looks


def of(frame: pd.DataFrame, source: str, name: str = "Readers") -> pd.DataFrame:
    return frame[(frame["source"] == source) & (frame["segment"] == name)].reset_index(drop=True)


def test_both_speak_of_the_last_refresh_of_each_step(ws: Workspace, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "_WHOLE_AFTER", 4)
    ws.track([READERS])
    looks = kept(ws, 4, 5, 6, 7, 9, 10, 11, 12, 15)
    outside = next(iter(set(range(40)) - set.union(*looks.values())))
    data.execute("INSERT INTO events SELECT 9000 + i, ?, 'opened', '2025-01-12 06:00' FROM range(2) AS t(i)", [outside])
    frame = ws.history([READERS, F.country == "Italy"], day(3), day(18), tracked=True)
    seen, computed = of(frame, "tracked"), of(frame, "computed")
    assert seen["at"].tolist() == list(looks)
    assert seen["size"].tolist() == [len(own) for own in looks.values()]
    told = list(looks.values())
    assert seen["entries"].tolist()[1:] == [len(b - a) for a, b in pairwise(told)]
    assert seen["exits"].tolist()[1:] == [len(a - b) for a, b in pairwise(told)]
    assert seen[["entries", "exits"]].iloc[0].isna().all()
    assert (seen["growth"][1:] == seen["size"][1:] / seen["size"].shift()[1:] - 1).all()
    assert (seen["churn"][1:] == seen["exits"][1:] / seen["size"].shift()[1:]).all()
    steps = [day(n) for n in range(3, 19)]
    assert computed["at"].tolist() == [end - NOON if end - NOON in looks else end for end in steps]
    assert computed["size"].tolist() == [ws.size(READERS, as_of=at) for at in computed["at"]]
    sizes = dict(zip(computed["at"], computed["size"], strict=True))
    assert seen["difference"].tolist() == [len(own) - sizes[at] for at, own in looks.items()]
    assert {at for at, gap in zip(seen["at"], seen["difference"], strict=True) if gap} == {day(n) + NOON for n in (11, 12, 15)}
    assert computed[["difference", "version"]].isna().all(axis=None)
    assert set(seen["method"]) == {"kept"}
    assert set(frame["source"][frame["segment"] != "Readers"]) == {"computed"}
    later = of(ws.history([READERS], day(10), day(18), tracked=True), "tracked")  # from where all members are written down again
    pd.testing.assert_frame_equal(later[1:], seen[-len(later) + 1 :].set_axis(later.index[1:]))


def test_given_instants_stay_as_they_are(ws: Workspace) -> None:
    ws.track([READERS])
    looks = kept(ws, 4, 6, 7)
    frame = ws.history([READERS], every=[day(5), day(6) + NOON, day(8)], tracked=True)
    assert of(frame, "computed")["at"].tolist() == [day(5), day(6) + NOON, day(8)]
    assert of(frame, "tracked")["size"].tolist() == [len(looks[day(6) + NOON])]
    assert of(frame, "tracked")["entries"].isna().all()


def test_what_is_not_tracked_is_as_it_was(ws: Workspace) -> None:
    ws.track([US])
    ws.refresh(as_of=day(4))
    plain = ws.history([READERS], day(3), day(9))
    assert list(plain) == HISTORY
    both = ws.history([READERS], day(3), day(9), tracked=True)
    pd.testing.assert_frame_equal(both[HISTORY], plain)
    assert set(both["source"]) == {"computed"}
    empty = ws.history([], day(3), day(9), tracked=True)
    assert list(empty) == list(both)
    assert empty.empty


def test_each_version_is_marked_and_counted_across(ws: Workspace) -> None:
    changed = Segment("Readers", E.opened.within(days=10).count() == 1)
    ws.track([READERS])
    kept(ws, 10)
    ws.track([changed])
    ws.refresh(as_of=day(11) + NOON)
    seen = of(ws.history([changed], day(9), day(12), tracked=True), "tracked")
    assert seen["version"].tolist() == [1, 2]
    asked = ((READERS, day(10) + NOON), (changed, day(11) + NOON))
    old, new = (set(ws.members(segment, as_of=at)["contact_id"]) for segment, at in asked)
    assert (seen["entries"].iloc[1], seen["exits"].iloc[1]) == (len(new - old), len(old - new))
    assert seen["difference"].tolist() == [len(old) - ws.size(changed, as_of=day(10) + NOON), 0]


def test_a_segment_that_cannot_be_computed_shows_what_was_seen(ws: Workspace, data: Any) -> None:
    data.execute("ALTER TABLE contacts ADD COLUMN plan TEXT DEFAULT 'free'")
    free = Segment("Free", F.plan == "free")
    ws = connect(data, home=ws._home)
    ws.track([free, US])
    ws.refresh(as_of=day(5))
    ws.untrack("Free")
    ws.refresh(as_of=day(6))
    data.execute("ALTER TABLE contacts DROP COLUMN plan")
    ws = connect(data, home=ws._home)
    with pytest.warns(
        SegkitWarning, match="Free cannot be computed, only what refreshes saw of it is told: unknown field 'plan'"
    ):
        frame = ws.history([free, US], day(4), day(7), tracked=True)
    assert of(frame, "computed", "Free").empty
    assert of(frame, "tracked", "Free")[["size", "at"]].values.tolist() == [[40, day(5)]]
    assert of(frame, "tracked", "Free")["difference"].isna().all()
    assert len(of(frame, "tracked", "US")) == 2
    with pytest.warns(SegkitWarning, match="cannot be computed"):
        alone = ws.history([free], day(4), day(7), tracked=True)
    assert alone["size"].tolist() == [40]
    with pytest.raises(DefinitionError, match="unknown field 'plan'"):
        ws.history([Segment("Other", F.plan == "free")], day(4), day(7), tracked=True)


def test_tracked_segments_may_refer_to_each_other(ws: Workspace) -> None:
    ws.track([US, Segment("Others", ~in_segment("US"))])
    ws.refresh(as_of=day(5))
    frame = ws.history(ws.tracked[1:], day(5), day(5), tracked=True)
    assert frame["size"].tolist() == [26, 26]
    assert frame["difference"].tolist()[1:] == [0]


def test_in_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "us.yml").write_text('name: US\nwhere: country = "USA"')
    CliRunner().invoke(main, ["refresh", "us.yml", "--as-of", "2025-11-01 09:00"])
    words = ["history", "us.yml", "--start", "2025-11-01", "--end", "2025-11-02", "--tracked", "--json"]
    rows = json.loads(CliRunner().invoke(main, words).stdout)["rows"]
    assert [row["source"] for row in rows] == ["computed", "computed", "tracked"]
    assert rows[2]["difference"] == 0


# ---------------------------------------------------------------- charts


def both(names: list[str], days: int = 6) -> pd.DataFrame:
    """Computed and tracked sizes of some segments, of which the second version begins on the third day."""
    rows = [
        (name, at, source, 10 + n, 2, 1, 3 if source == "tracked" and n == 1 else 0, 1 + (n > 1), "")
        for name in names
        for source in ("computed", "tracked")
        for n, at in enumerate(pd.date_range(BEGIN, periods=days))
    ]
    columns = ["segment", "at", "source", "size", "entries", "exits", "difference", "version", "today_values"]
    frame = pd.DataFrame(rows, columns=columns).astype({"difference": "Int64", "version": "Int64"})
    frame.loc[frame["source"] == "computed", ["difference", "version"]] = pd.NA
    return frame


def rows_of(chart: charts.Chart) -> list[dict[str, Any]]:
    return [row for values in chart.spec["datasets"].values() for row in values]


@pytest.mark.parametrize("kind", ["history", "flow"])
@pytest.mark.parametrize("count", [1, 2])
def test_charts_tell_the_sources_apart(kind: str, count: int) -> None:
    frame = both(["<b>One'", "Two"][:count])
    chart = getattr(charts, kind)(frame)
    rows = rows_of(chart)
    assert [(row["source"], row["at"][:10]) for row in rows[:12]] == [
        (source, f"2025-01-0{n + 1}") for source in ("computed", "tracked") for n in range(6)
    ]
    assert [row["at"][:10] for row in rows if "version" in row] == ["2025-01-03"] * count
    told = " ".join(chart.spec["title"]["subtitle"])
    assert f"different at {count} of {6 * count} refreshes, by up to 3" in told
    assert "dashed: as refreshes saw it" in told
    assert "dotted: the definition changed" in told
    assert "'rule'" in str(chart.spec)
    for theme in ("light", "dark"):
        svg = chart.svg(theme)
        assert all(word in svg for word in (">computed<", ">tracked<", ">v2<"))


@pytest.mark.parametrize("kind", ["history", "flow"])
def test_charts_of_one_source_name_it_or_are_as_they_were(kind: str) -> None:
    frame = both(["One"])
    plain = frame[frame["source"] == "computed"]
    chart = getattr(charts, kind)(plain.drop(columns=["source", "difference", "version"]))
    assert getattr(charts, kind)(plain).spec == chart.spec
    assert "source" not in str(chart.spec)
    seen = frame[frame["source"] == "tracked"]
    for own in (seen, seen.drop(columns=["source", "difference"])):  # such as what ws.tracked_sizes gives
        svg = getattr(charts, kind)(own).svg()
        assert ">tracked<" in svg
        assert ">computed<" not in svg
        assert ">v2<" in svg


def test_flows_of_both_sources_are_added_up_over_the_same_instants() -> None:
    frame = both(["One"], 300)
    frame = frame[(frame["source"] == "computed") | (frame["at"] >= pd.Timestamp(BEGIN) + pd.Timedelta(days=41))]
    rows = rows_of(charts.flow(frame))
    ours, theirs = ([row for row in rows if row["source"] == source] for source in ("computed", "tracked"))
    assert {row["at"] for row in theirs} < {row["at"] for row in ours}
    assert (sum(row["entries"] for row in ours), sum(row["entries"] for row in theirs)) == (600, 518)
